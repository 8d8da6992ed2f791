package payment

import (
	"testing"
	"time"

	"hospay/flow"
)

// TestTrade_PaidWithoutAmountIsAskedForAgain: that a bill is paid is believed with
// its amount only, be the answer signed or not.
func TestTrade_PaidWithoutAmountIsAskedForAgain(t *testing.T) {
	for _, insured := range []bool{false, true} {
		s := says{"split": 2, "bare trade": 0}
		w := calm(t, s)
		w.order(t, insured)
		w.pays(3)
		o := w.is(t, StatusPaying, "")
		if o.CashLeg == CashPaid || !o.PaidAt.IsZero() || w.sent(CallCharge) > 0 {
			t.Errorf("insured %v: believed without an amount: %s", insured, o.CashLeg)
		}
		delete(s, "bare trade")
		w.runFor(time.Minute)
		w.is(t, StatusDone, "")
	}
}

// TestRefund_DoneWithoutAmountIsAskedForAgain does the same for what goes back.
func TestRefund_DoneWithoutAmountIsAskedForAgain(t *testing.T) {
	s := says{}
	w := calm(t, s)
	w.order(t, false)
	w.pays(3)
	w.is(t, StatusDone, "")
	s["bare refund"] = 0
	if _, err := w.svc.Refund(t.Context(), "o", RefundWish{Kind: RefundAll, Reason: "退费"}, staff); err != nil {
		t.Fatal(err)
	}
	w.runFor(time.Minute)
	if o := w.is(t, StatusRefunding, ""); o.CashBack != 0 || o.CashLeg != CashPaid {
		t.Errorf("%d believed without an amount", o.CashBack)
	}
	w.runFor(90 * 24 * time.Hour)
	w.is(t, StatusSuspense, flow.CodeUnknownTooLong)
	delete(s, "bare refund")
	w.runFor(48 * time.Hour)
	w.is(t, StatusRefunded, "")
	if n := w.sent(CallCashBack); n != 1 {
		t.Errorf("%d numbers of the refund", n)
	}
}
