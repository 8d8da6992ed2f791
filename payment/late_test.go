package payment

import (
	"testing"
	"time"

	"hospay/flow"
	"hospay/people"
)

// TestCancel_OpeningStillUnderWay: a trade that the channel does not know yet may
// arrive; until then nothing counts as closed.
func TestCancel_OpeningStillUnderWay(t *testing.T) {
	s := says{"open": 0, "never": 0, "late": 40}
	w := calm(t, s)
	w.order(t, false)
	delete(s, "open")
	if err := w.svc.Cancel(t.Context(), "o", people.By{Kind: people.ByPatient}); err != nil {
		t.Fatal(err)
	}
	w.run(0)
	w.is(t, StatusUndoing, "")
	w.runFor(3 * time.Minute)
	o := w.is(t, StatusCancelled, "")
	if p := w.sides.pays[o.TradeNo]; p == nil || p.state != TradeClosed {
		w.fail("the trade can still be paid")
	}
}

// TestRefund_OneNumberForEver: a credential that is refused is asked for anew, and
// the refund goes out under its number.
func TestRefund_OneNumberForEver(t *testing.T) {
	s := says{"split": 2}
	w := calm(t, s)
	w.order(t, true)
	w.pays(3)
	w.is(t, StatusDone, "")
	if _, err := w.svc.Refund(t.Context(), "o", RefundWish{Kind: RefundAll, Reason: "退费"}, staff); err != nil {
		t.Fatal(err)
	}
	s["6203 refused"] = 0
	for range 3 {
		w.run(0)
		w.is(t, StatusWaitAuth, "")
		if err := w.svc.Authorise(t.Context(), "o", w.grant(), staff); err != nil {
			t.Fatal(err)
		}
		w.run(0)
	}
	delete(s, "6203 refused")
	_ = w.svc.Authorise(t.Context(), "o", w.grant(), staff)
	w.runFor(time.Minute)
	w.is(t, StatusRefunded, "")
	if n := w.sent(CallBack); n != 1 {
		w.fail("%d numbers of 6203", n)
	}
}

// TestRefund_CashWaitsForTheInsurance: what 6203 is silent about is proved by
// 6301 before cash follows; lost, it goes out again under its number.
func TestRefund_CashWaitsForTheInsurance(t *testing.T) {
	s := says{"split": 2, "never": 1}
	w := calm(t, s)
	w.order(t, true)
	w.pays(3)
	w.is(t, StatusDone, "")
	if _, err := w.svc.Refund(t.Context(), "o", RefundWish{Kind: RefundAll, Reason: "退费"}, staff); err != nil {
		t.Fatal(err)
	}
	w.run(0)
	s["6203"] = 0
	if err := w.svc.Authorise(t.Context(), "o", w.grant(), staff); err != nil {
		t.Fatal(err)
	}
	w.runFor(30 * time.Second)
	if o := w.is(t, StatusRefunding, ""); o.CashBack != 0 || w.sent(CallCashBack) != 0 || w.sent(CallBack) != 1 {
		w.fail("cash went back before the insurance")
	}
	delete(s, "6203")
	w.runFor(30 * time.Minute)
	if o := w.is(t, StatusRefunded, ""); o.CashBack != 500 || w.sent(CallBack) != 1 {
		w.fail("%d back", o.CashBack)
	}
}

// TestReversal_LostIsSentAgain: a reversal that never arrived, and that HIS could
// not be asked for until people had it, comes back by itself once HIS answers: its
// number goes out again.
func TestReversal_LostIsSentAgain(t *testing.T) {
	s := says{"split": 2, "never": 1}
	w := calm(t, s, func(w *world) { w.habits.HISReverses = true })
	w.order(t, true)
	s["write refused"] = 0
	s["reverse"] = 0
	w.pays(3)
	w.is(t, StatusReversing, CodeHISRefused)
	s["check"] = 0
	for range 60 {
		w.run(time.Hour)
	}
	if o := w.is(t, StatusSuspense, flow.CodeUnknownTooLong); o.SuspendedFrom != StatusReversing {
		t.Fatal(o.SuspendedFrom)
	}
	delete(s, "reverse")
	delete(s, "check")
	w.runFor(26 * time.Hour)
	o := w.is(t, StatusRefunded, CodeHISRefused)
	if m := w.sides.moved(o); m.cash != m.back || m.insured != 0 || w.sent(CallUncharge) != 1 {
		w.fail("%+v", m)
	}
}

// TestOpening_ThePageIsAskedForAgain: where the answer to the mixed order is lost
// and a query does not tell the address of its page, the equal request is sent
// once more; nobody is left with an order that they cannot pay.
func TestOpening_ThePageIsAskedForAgain(t *testing.T) {
	s := says{"split": 2, "open mixed": 1}
	w := calm(t, s, func(w *world) { w.links = true })
	w.order(t, true)
	w.is(t, StatusOpening, "")
	delete(s, "open mixed")
	w.runFor(time.Minute)
	o := w.is(t, StatusPaying, "")
	if _, ok, err := w.svc.Page(t.Context(), *w.store.orders["o"]); !ok || err != nil || o.Secrets.URL == "" || w.sent(CallMixed) != 1 {
		w.fail("no page: %v %v", ok, err)
	}
	w.pays(3)
	w.is(t, StatusDone, "")
}

// TestWrite_RefusedTooOftenIsToldSo: a write-back that HIS has refused too often
// before it fell silent is not sent again when it speaks again, and people are told
// what they have to deal with.
func TestWrite_RefusedTooOftenIsToldSo(t *testing.T) {
	s := says{"write": 0, "check": 0}
	w := calm(t, s)
	w.order(t, false)
	w.pays(1)
	for range 60 {
		w.run(time.Hour)
	}
	if o := w.is(t, StatusSuspense, flow.CodeUnknownTooLong); o.SuspendedFrom != StatusWriting {
		t.Fatal(o.SuspendedFrom)
	}
	for _, k := range w.store.orders {
		k.Calls[CallCharge].Denied = w.svc.timing.Denials
	}
	delete(s, "check")
	w.runFor(52 * time.Hour)
	w.is(t, StatusSuspense, flow.CodeRefusedForGood)
}

// TestUndo_RefusedTooOftenIsToldSo: the same for a trade that could not be closed.
func TestUndo_RefusedTooOftenIsToldSo(t *testing.T) {
	s := says{}
	w := calm(t, s)
	w.order(t, false)
	s["close"], s["query trade"] = 0, 0
	if err := w.svc.Cancel(t.Context(), "o", people.By{Kind: people.ByPatient}); err != nil {
		t.Fatal(err)
	}
	for range 60 {
		w.run(time.Hour)
	}
	if o := w.is(t, StatusSuspense, flow.CodeUnknownTooLong); o.SuspendedFrom != StatusUndoing {
		t.Fatal(o.SuspendedFrom)
	}
	for _, k := range w.store.orders {
		k.Calls[CallClose].Denied = w.svc.timing.Denials
	}
	delete(s, "query trade")
	w.runFor(52 * time.Hour)
	w.is(t, StatusSuspense, flow.CodeRefusedForGood)
}
