package refund

import (
	"context"
	"fmt"
	"testing"
	"time"

	"hospay/flow"
	"hospay/people"
)

// told is a notification about a payout number.
func (w *world) told(t *testing.T, no string, state PayoutState) string {
	t.Helper()
	w.notes++
	effect, err := w.svc.Notify(t.Context(), Notification{
		Institution: "I", Channel: "wechat", ID: fmt.Sprint("n", w.notes), No: no, Answer: w.sides.said(no, state),
	})
	if err != nil {
		t.Fatal(err)
	}
	return effect
}

// sent brings the order to a payout that the channel works on.
func (w *world) sent(t *testing.T, ch *toldChannel) string {
	t.Helper()
	ch.pay = func(p Payout) (PayoutAnswer, bool) {
		w.sides.pays[p.No] = &payment{payout: p, state: PayoutProcessing}
		return w.sides.truth(p.No), true
	}
	w.approve(t)
	w.turnAll(t)
	return w.store.orders["o"].Transfer.No
}

// unpaid is a suspended order whose payout failed and which HIS does not take
// back: the money is debited and nobody has it.
func unpaid(t *testing.T, state PayoutState) (*world, string) {
	t.Helper()
	w, ch := calm(t)
	w.traits.Reversible = false
	no := w.sent(t, ch)
	w.sides.pays[no].state = state
	w.clock = w.clock.Add(time.Minute)
	w.turnAll(t)
	if o := w.store.orders["o"].Order; o.Status != StatusSuspense {
		t.Fatalf("order is %s\n%s", o.Status, w.store.story("o"))
	}
	w.clock = w.clock.Add(w.svc.timing.Settle)
	return w, no
}

func (w *world) twoPeople(t *testing.T, a Action) {
	t.Helper()
	if err := w.svc.Propose(t.Context(), "o", flow.Proposal{Action: a, By: people.By{Kind: people.ByStaff, ID: "s"}, Reason: "核对"},
		"V1"); err != nil {
		t.Fatal(err)
	}
	if err := w.svc.Confirm(t.Context(), "o", flow.Seen{Action: a}, people.By{Kind: people.ByStaff, ID: "u"}, "n"); err != nil {
		t.Fatal(err)
	}
}

// TestCallback_AfterPaymentByHand: what the channel says of the old number must
// neither hide a second payment nor give the balance back as well.
func TestCallback_AfterPaymentByHand(t *testing.T) {
	for _, c := range []struct {
		was, told PayoutState
		effect    string
	}{
		{PayoutFailed, PayoutSucceeded, EffectContradiction},
		{PayoutFailed, PayoutFailed, EffectRepeat},
		{PayoutReturned, PayoutReturned, EffectRepeat},
	} {
		w, no := unpaid(t, c.was)
		w.twoPeople(t, ActionPaidByHand)
		if effect := w.told(t, no, c.told); effect != c.effect {
			t.Errorf("%s, then %s: effect is %s", c.was, c.told, effect)
		}
		if comp := w.store.orders[compensationOf("o")]; comp != nil {
			t.Errorf("%s, then %s: the balance is given back beside the payment by hand", c.was, c.told)
		}
	}
}

// TestCallback_OriginalRefundThatCameBackIsLeftToPeople: WeChat can still pay it
// under its number, so the balance must not be given back by itself.
func TestCallback_OriginalRefundThatCameBackIsLeftToPeople(t *testing.T) {
	w, ch := calm(t)
	o := &w.store.orders["o"].Order
	o.Method, o.Original = MethodOriginal, &Payment{TradeNo: "P"}
	no := w.sent(t, ch)
	w.told(t, no, PayoutSucceeded)
	if effect := w.told(t, no, PayoutReturned); effect != EffectContradiction || w.store.orders[compensationOf("o")] != nil {
		t.Errorf("effect is %s, compensation %+v", effect, w.store.orders[compensationOf("o")])
	}
}

// interrupted is a directory whose HIS lets something happen before it acts.
type interrupted struct {
	toldDirectory
	before func()
}

// HIS implements Directory.
func (d interrupted) HIS(ctx context.Context, inst string) (HIS, HISTraits, error) {
	his, can, err := d.toldDirectory.HIS(ctx, inst)
	return slowHIS{his, d.before}, can, err
}

// HISOf implements Directory.
func (d interrupted) HISOf(ctx context.Context, _ string) (HIS, HISTraits, error) {
	return d.HIS(ctx, "")
}

type slowHIS struct {
	HIS
	before func()
}

// Reverse implements HISLedger.
func (h slowHIS) Reverse(ctx context.Context, d Debit) HISAnswer {
	h.before()
	return h.HIS.Reverse(ctx, d)
}

// Debit implements HISLedger.
func (h slowHIS) Debit(ctx context.Context, d Debit) HISAnswer {
	h.before()
	return h.HIS.Debit(ctx, d)
}

// TestWake_LeavesTheWorkerAlone: staff ask for the outcome while HIS is being
// told. A HIS that cannot be asked says it once, so the answer must not be lost.
func TestWake_LeavesTheWorkerAlone(t *testing.T) {
	w, ch := calm(t)
	w.traits.Queryable = false
	w.svc.dir = interrupted{toldDirectory{w.sides, ch}, func() {
		if err := w.svc.Wake(t.Context(), "o", people.By{Kind: people.ByStaff}); err != nil {
			t.Error(err)
		}
	}}
	w.turnAll(t)
	w.turnAll(t)
	if o := w.store.orders["o"].Order; o.Status != StatusReviewing {
		t.Errorf("order is %s %s\n%s", o.Status, o.FailCode, w.store.story("o"))
	}
}

// TestCallback_RepeatLeavesTheWorkerAlone: a repeated notification arrives while
// HIS is being told; its answer must not be lost.
func TestCallback_RepeatLeavesTheWorkerAlone(t *testing.T) {
	w, ch := calm(t)
	w.traits.Queryable = false
	no := w.sent(t, ch)
	w.sides.pays[no].state = PayoutFailed
	w.clock = w.clock.Add(time.Minute)
	w.svc.dir = interrupted{toldDirectory{w.sides, ch}, func() { w.told(t, no, PayoutFailed) }}
	w.turnAll(t)
	if o := w.store.orders["o"].Order; o.Status != StatusFailed {
		t.Errorf("order is %s %s\n%s", o.Status, o.FailCode, w.store.story("o"))
	}
}

// TestCallback_OldNumberPaysAfterANewOneWasMade: the channel takes back what its
// query has proved. Nothing more is paid or given back; people settle it once
// the new number is proved to pay nothing.
func TestCallback_OldNumberPaysAfterANewOneWasMade(t *testing.T) {
	w, old := unpaid(t, PayoutFailed)
	w.twoPeople(t, ActionPayAgain)
	w.turnAll(t)
	next := w.store.orders["o"].Transfer.No
	if next == old || w.sides.pays[next] == nil {
		t.Fatalf("no new number was sent\n%s", w.store.story("o"))
	}
	if effect := w.told(t, old, PayoutFailed); effect != EffectRepeat {
		t.Errorf("the old failure told again: effect is %s", effect)
	}
	w.told(t, old, PayoutSucceeded)
	offered := func() (out []Action) {
		for _, o := range w.store.read("o").Offers(w.traits, false) {
			if o.Safe {
				out = append(out, o.Action)
			}
		}
		return out
	}
	if o := w.store.orders["o"].Order; o.Status != StatusSuspense || len(offered()) != 0 {
		t.Fatalf("order is %s %s, offered %v", o.Status, o.FailCode, offered())
	}
	w.traits.Reversible = true
	w.sides.pays[next].state = PayoutFailed
	w.clock = w.clock.Add(25 * time.Hour)
	w.turnAll(t)
	if got := offered(); len(got) != 1 || got[0] != ActionPaidByHand {
		t.Fatalf("offered %v\n%s", got, w.store.story("o"))
	}
	w.twoPeople(t, ActionPaidByHand)
	if o := w.store.orders["o"].Order; o.Status != StatusSucceeded {
		t.Errorf("order is %s", o.Status)
	}
}

// TestCallback_ReturnedIsAskedForBeforeTheBalanceIsRestored: a callback says that
// a payment came back, and the channel's query does not.
func TestCallback_ReturnedIsAskedForBeforeTheBalanceIsRestored(t *testing.T) {
	w, ch := calm(t)
	no := w.sent(t, ch)
	w.sides.progress(no, 4)
	w.told(t, no, PayoutSucceeded)
	if effect := w.told(t, no, PayoutReturned); effect != EffectReturned {
		t.Fatalf("effect is %s", effect)
	}
	for range 5 {
		w.clock = w.clock.Add(time.Minute)
		w.turnAll(t)
	}
	if his, channel, _ := w.net("o"); his != channel {
		t.Errorf("HIS %d, channel %d\n%s", his, channel, w.store.story(compensationOf("o")))
	}
	w.sides.pays[no].state, w.sides.pays[no].paid = PayoutReturned, 0
	w.clock = w.clock.Add(time.Hour)
	w.turnAll(t)
	if o := w.store.orders[compensationOf("o")].Order; o.Status != StatusFailed {
		t.Errorf("compensation is %s", o.Status)
	}
}

// TestCallback_SuccessWhileTheBalanceGoesBack: the channel has said FAIL, the
// balance is on its way back, and then it pays after all. People have the order,
// with the words of it, and nothing more is given back by itself.
func TestCallback_SuccessWhileTheBalanceGoesBack(t *testing.T) {
	for name, suspended := range map[string]bool{"撤销中": false, "撤销时挂账": true} {
		w, ch := calm(t)
		no := w.sent(t, ch)
		w.sides.pays[no].state = PayoutFailed
		w.clock = w.clock.Add(time.Minute)
		if suspended {
			w.traits.Reversible = false
		} else {
			w.svc.dir = silentHISOf(w, ch)
		}
		w.turnAll(t)
		if o := w.store.orders["o"].Order; !o.undoing() {
			t.Fatalf("%s: order is %s\n%s", name, o.Status, w.store.story("o"))
		}
		w.sides.pays[no].state = PayoutSucceeded
		if effect := w.told(t, no, PayoutSucceeded); effect != EffectContradiction {
			t.Errorf("%s: effect is %s", name, effect)
		}
		if o := w.store.orders["o"].Order; o.Status != StatusSuspense || flow.Code(o.FailCode) != flow.CodePaidAfterFailure {
			t.Errorf("%s: order is %s %s", name, o.Status, o.FailCode)
		}
		if w.store.alarms["o"] == 0 {
			t.Errorf("%s: nobody is told", name)
		}
	}
}

// silentHISOf is a directory whose HIS loses every reversal.
func silentHISOf(w *world, ch *toldChannel) Directory {
	return &silent{toldDirectory: toldDirectory{w.sides, ch}, kind: HISReverse}
}
