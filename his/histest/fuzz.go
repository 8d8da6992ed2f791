package histest

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"testing"

	"hospay/flow"
	"hospay/his"
	"hospay/refund"
)

// roundTripper answers every request without a network.
type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Answers returns a transport that answers 200 with what body points at.
func Answers(body *[]byte, contentType string) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(bytes.NewReader(*body)), Request: r,
		}, nil
	})
}

// refusals are the codes by which the demo's mappings refuse.
var refusals = []string{
	"patient_not_found", "card_not_yours", "card_frozen", "over_balance", "unpaid_bill", "deposit_not_found", "his_no_reversal", "his_login",
	"his_busy", "bill_gone", "bill_paid", "price_changed", "slot_lost", "area_not_offered", "not_enrolled", "benefit_not_offered",
	"go_to_window", "his_no_uncharge", "nothing_insured",
}

// CheckAny makes every call while the HIS answers with data: whatever it is, it
// must not be taken for more than it says.
func CheckAny(t *testing.T, h his.HIS, data []byte, success string) {
	d := refund.Debit{No: "H1", OrderNo: "R1", CardNo: "C1", Amount: 5, DebitNo: "H1", HISNo: "1"}
	for _, ans := range []refund.HISAnswer{h.Debit(t.Context(), d), h.QueryDebit(t.Context(), d), h.Reverse(t.Context(), d),
		h.QueryReverse(t.Context(), d)} {
		switch ans.Verdict {
		case flow.Done:
			if ans.State == refund.HISDone && (ans.Amount == 0 || ans.HISNo == "" || !bytes.Contains(data, []byte(success))) {
				t.Fatalf("%q proves nothing: %+v", data, ans)
			}
		case flow.Refused:
			if !slices.Contains(refusals, ans.Reason.Code) {
				t.Fatalf("%q is no refusal: %+v", data, ans)
			}
		default:
			if ans.State != "" || ans.Amount != 0 || ans.HISNo != "" {
				t.Fatalf("%q: unknown with facts: %+v", data, ans)
			}
		}
	}
	if p, err := h.Person(t.Context(), refund.Identity{PatientNo: "P1"}); err == nil && (p.Name == "" || p.PatientNo != "P1") {
		t.Fatalf("%q: %+v", data, p)
	}
	if cards, err := h.Cards(t.Context(), refund.Person{PatientNo: "P1"}); err == nil &&
		slices.ContainsFunc(cards, func(c refund.Card) bool { return c.No == "" }) {
		t.Fatalf("%q: %+v", data, cards)
	}
	if c, err := h.Card(t.Context(), "C1"); err == nil && c.No != "C1" {
		t.Fatalf("%q: %+v", data, c)
	}
	_ = h.Statement(t.Context(), "2026-11-23", func(refund.StatementLine) error { return nil })
	checkAnyBill(t, h, data)
	checkAnyCharge(t, h, data, success)
}
