package payment

import (
	"testing"
	"time"

	"hospay/flow"
	"hospay/people"
)

// TestHISRefunded_BooksWhatIsProved: the insurance's part is believed from the
// centre alone; nothing moves, and what HIS has given back is not given back again.
func TestHISRefunded_BooksWhatIsProved(t *testing.T) {
	w := calm(t, says{"split": 2}) // fund 500, cash 500
	w.order(t, true)
	w.pays(3)
	o := w.is(t, StatusDone, "")
	by := people.By{Kind: people.ByHIS, ID: "demo"}
	told := ToldRefund{RefundWish: RefundWish{Kind: RefundAll, Cash: 200, Fund: o.Fund, Account: o.Account, HISRefundID: "H1",
		HISRefundAt: noon, Reason: "窗口"}, InsuranceNo: "SI1", CashNo: "WIN1", CashAt: w.clock}
	tell := func(change func(*ToldRefund)) (Refund, error) {
		told := told
		if change != nil {
			change(&told)
		}
		return w.svc.HISRefunded(t.Context(), "o", told, by)
	}
	for name, c := range map[string]struct {
		change func(*ToldRefund)
		want   flow.Code
	}{
		"the centre shows nothing": {nil, CodeRefundUnproved},
		"more than the cash":       {func(r *ToldRefund) { r.Cash = o.CashDue() + 1 }, CodeOverPaid},
		"a part of the fund":       {func(r *ToldRefund) { r.Fund-- }, CodeInsuranceWhole},
	} {
		if _, err := tell(c.change); flow.CodeOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.is(t, StatusDone, "")
	c := w.sides.centres[o.PayOrdID]
	c.settled, c.stas = false, StasRefundedInsurance
	first, err := tell(nil)
	if err != nil || !first.Told || first.CashNo != "WIN1" {
		t.Fatal(err, first)
	}
	if again, err := tell(nil); err != nil || again.No != first.No {
		t.Error("the same again:", err, again)
	}
	if _, err := tell(func(r *ToldRefund) { r.Cash++ }); flow.CodeOf(err) != CodeRefundIDTaken {
		t.Error("other amounts under one number:", err)
	}
	w.runFor(time.Minute)
	o = w.is(t, StatusPartRefunded, "")
	if m := w.sides.moved(o); m.back != 0 || w.sent(CallBack)+w.sent(CallCashBack)+w.sent(CallToldHIS) != 0 || w.sent(CallTold) != 1 ||
		o.CashKept() != o.CashDue()-200 || o.InsBackAt.IsZero() {
		w.fail("%+v", m)
	}
	ask := func(wish RefundWish) error {
		wish.Reason, wish.Kind = "退费", RefundCash
		_, err := w.svc.Refund(t.Context(), "o", wish, staff)
		return err
	}
	if err := ask(RefundWish{Cash: 200, HISRefundID: "H1"}); flow.CodeOf(err) != CodeRefundIDTaken {
		t.Error("what HIS has told of is not asked for:", err)
	}
	if err := ask(RefundWish{Cash: o.CashKept() + 1}); flow.CodeOf(err) != CodeOverPaid {
		t.Error("a second time:", err)
	}
	if err := ask(RefundWish{}); err != nil {
		t.Fatal(err)
	}
	w.runFor(time.Minute)
	if o = w.is(t, StatusRefunded, ""); w.sides.moved(o).back != o.CashDue()-200 {
		w.fail("%+v", w.sides.moved(o))
	}
}
