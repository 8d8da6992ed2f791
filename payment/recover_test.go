package payment

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"hospay/flow"
)

// copied is the store as it was at one moment of an order's life.
type copied struct {
	work    Work
	journal map[string]string
}

// TestRecover_FromEveryMoment takes a copy at every commit of a life, lets the life go
// on to its end, and goes on with the copy: while it is marked nothing is sent; once it
// is released, every side still has what it had, and the order has an end or rests with
// people.
func TestRecover_FromEveryMoment(t *testing.T) {
	for name, live := range map[string]func(*world){
		"paid":      func(w *world) { w.pays(3) },
		"cancelled": func(w *world) { _ = w.svc.Cancel(t.Context(), "o", staff) },
		"refunded": func(w *world) {
			w.pays(3)
			w.runFor(time.Minute)
			if _, err := w.svc.Refund(t.Context(), "o", RefundWish{Kind: RefundCash, Cash: 300, Reason: "多收"}, staff); err != nil {
				w.fail("%s: %v", "refund", err)
			}
		},
	} {
		for _, insured := range []bool{false, true} {
			at := 0
			for more := true; more; at++ {
				more = recovers(t, fmt.Sprintf("%s, insured %v, after commit %d", name, insured, at), insured, at, live)
			}
			if at < 8 {
				t.Errorf("%s, insured %v: a life of %d commits", name, insured, at)
			}
		}
	}
}

// recovers tries one moment; it reports whether the life has had it.
func recovers(t *testing.T, name string, insured bool, at int, live func(*world)) bool {
	t.Helper()
	w := calm(t, says{"split": 2})
	var old *copied
	n := 0
	w.store.after = func() {
		if n == at {
			old = &copied{w.store.read("o"), maps.Clone(w.store.journal)}
		}
		n++
	}
	w.order(t, insured)
	live(w)
	w.runFor(2 * time.Minute)
	if old == nil {
		return false
	}
	w.store.after = nil
	was, sides := w.store.orders["o"].Order, w.sides.moved(w.store.orders["o"].Order)
	if Resting(old.work.Order.Status) { // what rests is asked for when it is refunded
		return true
	}
	old.work.Order.LeaseUntil = time.Time{}
	w.store.orders["o"] = &old.work
	w.store.journal, w.store.history, w.store.refunds = old.journal, map[string][]flow.Move{}, map[string][]Refund{}
	if r := old.work.Refund; r != nil {
		w.store.refunds["o"] = []Refund{*r}
	}
	w.inst.Restored = true
	w.runFor(time.Minute)
	if err := w.svc.Recover(context.Background(), "o"); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	w.runFor(time.Minute)
	same := func(when string) {
		o := was
		o.TradeNo, o.PayOrdID = was.TradeNo, was.PayOrdID
		if now := w.sides.moved(o); now != sides {
			w.fail("%s, %s: %+v, not %+v; it was %s", name, when, now, sides, was.Status)
		}
	}
	same("marked")
	w.inst.Restored = false
	w.runFor(45 * time.Minute)
	same("released")
	o := w.store.orders["o"].Order
	if unpriced := insured && old.work.Order.Insurance != InsurancePriced && old.work.Order.Insurance != InsuranceSettled; unpriced &&
		was.Status == StatusDone && o.FailCode != string(CodePartsLost) { // who paid what is not known here: people alone
		w.fail("%s: %s (%s)", name, o.Status, o.FailCode)
	}
	if !Resting(o.Status) && o.Status != StatusSuspense || Unpaid(o.Status) != Unpaid(was.Status) && o.Status != StatusSuspense {
		w.fail("%s: %s, it was %s", name, o.Status, was.Status)
	}
	return true
}
