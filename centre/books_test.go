package centre_test

import (
	"strings"
	"testing"

	"hospay/centre"
	"hospay/flow"
	"hospay/payment"
	"hospay/reconcile/files"
	simcentre "hospay/sim/centre"
)

// withBooks is a region whose centre compares books, at the simulator's paths.
func withBooks(r *centre.Region, _ *simcentre.Settings) {
	r.Paths.Totals, r.Paths.Detail = "/org/local/api/hos/stmt_totals", "/org/local/api/hos/stmt_detail"
	r.Paths.Put, r.Paths.Get = "/org/local/api/hos/file_upload", "/org/local/api/hos/file_download"
}

// settledOne takes an order to its settlement and tells it as the hospital books it.
func (s *side) settledOne(insutype string) payment.SettledLine {
	s.Helper()
	r, p := s.priced(insutype)
	s.post("/_sim/pay/"+r.PayOrdID, "", 200)
	a := s.state(r, payment.StasComplete, flow.Done)
	return payment.SettledLine{Clearing: payment.Clearing{Insutype: insutype, Type: "11", Optins: "440100"}, No: r.MedOrgOrd, SetlID: a.SetlID,
		Total: p.Total, Fund: p.Fund, Account: p.Account, Cash: p.Cash}
}

func totalsOf(day string, lines ...payment.SettledLine) payment.Totals {
	t := payment.Totals{Clearing: lines[0].Clearing, Day: day}
	for _, l := range lines {
		t.Add(l)
	}
	return t
}

// TestSimulator_Books: 3201 says whether totals agree, and 3202 of each settlement
// how it stands, by the last digit, whatever stands before it.
func TestSimulator_Books(t *testing.T) {
	for _, before := range []string{"", "00010"} {
		s := open(t, withBooks, func(_ *centre.Region, set *simcentre.Settings) { set.StatementCode = before })
		if h := s.c.BookHabits(); !h.Totals || !h.Detail || !h.WithRefunds || h.Type != "11" {
			t.Fatalf("%+v", h)
		}
		day := s.sim.Clock().Now().Format("2006-01-02")
		good, lost, odd := s.settledOne("310"), s.settledOne("310"), s.settledOne("310")
		all := []payment.SettledLine{good, lost, odd}
		if a := s.c.Totals(t.Context(), totalsOf(day, all...)); a.Verdict != flow.Done || !payment.Agrees(a.Rslt) || a.Rslt != before+"0" {
			t.Fatalf("%+v", a)
		}
		s.post("/_sim/statement/"+lost.No+"?absent=true", "", 200)
		s.post("/_sim/statement/"+odd.No+"?fund=1", "", 200)
		s.post("/_sim/statement/"+good.No+"?extra=500", "", 200)
		a := s.c.Totals(t.Context(), totalsOf(day, all...))
		if a.Verdict != flow.Done || payment.Agrees(a.Rslt) || a.Words == "" {
			t.Fatalf("%+v", a)
		}
		file, r := s.c.Detail(t.Context(), totalsOf(day, all...), all)
		if r.Verdict != flow.Done {
			t.Fatalf("%+v", r)
		}
		texts, err := files.DetailTexts("x.zip", file)
		if err != nil || len(texts) != 1 {
			t.Fatalf("%d %v", len(texts), err)
		}
		got := map[byte]string{}
		for _, line := range strings.Split(texts[0], "\n") {
			cells := strings.Split(line, "\t")
			got[payment.LastDigit(cells[4])] = cells[2]
		}
		if len(got) != 4 || got['0'] != good.SetlID || got['2'] != lost.SetlID || got['3'] != odd.SetlID || got['1'] == "" {
			t.Errorf("%v", got)
		}
	}
}

// TestBooks_OffWithoutPaths: a region that names no path is never asked, and half of
// the paths is refused.
func TestBooks_OffWithoutPaths(t *testing.T) {
	s := open(t)
	if h := s.c.BookHabits(); h.Totals || h.Detail {
		t.Errorf("%+v", h)
	}
	if a := s.c.Totals(t.Context(), payment.Totals{}); a.Verdict != flow.Refused || a.Reason.Code != centre.CodeBadCall {
		t.Errorf("%+v", a)
	}
	if _, r := s.c.Detail(t.Context(), payment.Totals{}, nil); r.Verdict != flow.Refused {
		t.Errorf("%+v", r)
	}
	for _, region := range []string{`{"paths":{"3202":"/x"}}`, `{"paths":{"3201":"x"}}`, `{"books":{"refd_setl_flag":"2"}}`} {
		if _, err := centre.ReadRegion([]byte(region)); err == nil {
			t.Errorf("%s is taken", region)
		}
	}
	r, err := centre.ReadRegion([]byte(`{"paths":{"3201":"/x"}}`))
	if err != nil || r.Paths.Upload == "" || r.Paths.Totals != "/x" {
		t.Errorf("%+v %v", r.Paths, err)
	}
}
