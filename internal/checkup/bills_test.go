package checkup_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/his"
	"hospay/his/rest"
	"hospay/internal/checkup"
	"hospay/internal/testday"
	"hospay/payment"
	sim "hospay/sim/his"
	"hospay/sim/world"
)

// TestBills_AsksAndChangesNothing: the probe of a HIS reads everything about
// bills, moves nothing, and tells nobody's name.
func TestBills_AsksAndChangesNothing(t *testing.T) {
	w := world.New(1, 20, testday.Now())
	s := sim.New(w)
	s.Clock().Begin(testday.Noon())
	if err := s.Listen("127.0.0.1", 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	raw, err := os.ReadFile("../../his/samples/rest.json")
	if err != nil {
		t.Fatal(err)
	}
	open := func(mapping string) his.HIS {
		h, err := rest.New(his.Config{BaseURL: s.URL(), Mapping: json.RawMessage(mapping), Now: testday.Now,
			Secrets: map[string]string{"key": sim.RESTKey, "sign_key": sim.RESTSecret}})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	p := w.Find("P0001")
	who := payment.Insured{PatientNo: p.Code, CardNo: p.Cards[0], IDType: "01", IDNo: p.IDNo, Name: p.Name}
	day := s.Clock().Now().Format(time.DateOnly)
	l := &checkup.List{}
	l.Bills(t.Context(), open(string(raw)), who, day)
	if l.Failed() > 0 || len(l.Steps) != 8 {
		t.Errorf("%+v", l.Steps)
	}
	for _, r := range s.Requests().All() {
		if !slices.Contains([]string{"bills", "bill", "departments", "slots", "areas", "enrolment", "trade_check", "uncharge_check"}, r.Op) {
			t.Error("the probe has sent", r.Op)
		}
	}
	odd := &checkup.List{}
	odd.Bills(t.Context(), open(strings.ReplaceAll(string(raw), `"pay_before": "pay_before"`, `"pay_before": "department"`)), who, day)
	if odd.Failed() != 1 || !strings.Contains(odd.Steps[0].Said, "pay_before") {
		t.Errorf("%+v", odd.Steps)
	}
	for _, step := range append(l.Steps, odd.Steps...) {
		if strings.Contains(step.Said, p.Name) || strings.Contains(step.Said, p.IDNo) || strings.Contains(step.Said, "阿莫西林") {
			t.Error(step.Said)
		}
	}
	if s.Ledger().Len() > 0 {
		t.Error(s.Ledger().Entries())
	}
}
