package refund

import (
	"context"
	"errors"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/people"
)

// calm is a world without faults, whose channel can be told what to answer.
func calm(t *testing.T) (*world, *toldChannel) {
	t.Helper()
	w := &world{clock: noon, numbers: map[string]string{}, healed: true, inst: Institution{ID: "I", Active: true},
		traits: HISTraits{Queryable: true, Idempotent: true, Reversible: true}}
	w.store = newMemStore(w)
	w.sides = &sides{w: w, pays: map[string]*payment{}, books: map[string]*booking{}}
	ch := &toldChannel{Channel: channelSide{w.sides}}
	w.svc = NewService(w.store, toldDirectory{w.sides, ch}, DefaultTiming(), func() time.Time { return w.clock }, nil)
	w.store.orders["o"] = &Work{Order: Order{
		ID: "o", No: OrderNo("o", noon), Institution: "I", CardNo: "C", Amount: 1000, Channel: "wechat", Method: MethodTransfer,
		Payee: Payee{Account: "o", Type: AccountWechatOpenID, Name: "张三"}, DebitAt: DebitAtApplication, Status: StatusSubmitted, NextAt: noon,
		Created: noon,
	}}
	return w, ch
}

// toldChannel answers as a test says, or as the channel would.
type toldChannel struct {
	Channel
	pay func(Payout) (PayoutAnswer, bool)
}

// Pay implements Channel.
func (c *toldChannel) Pay(ctx context.Context, p Payout) PayoutAnswer {
	if c.pay != nil {
		if ans, ok := c.pay(p); ok {
			return ans
		}
	}
	return c.Channel.Pay(ctx, p)
}

type toldDirectory struct {
	*sides
	ch *toldChannel
}

// Channel implements Directory.
func (d toldDirectory) Channel(context.Context, string, string) (Channel, error) { return d.ch, nil }

// ChannelOf implements Directory.
func (d toldDirectory) ChannelOf(context.Context, string) (Channel, error) { return d.ch, nil }

// turnAll advances everything that is due.
func (w *world) turnAll(t *testing.T) {
	t.Helper()
	works, _ := w.store.Claim(t.Context(), "w", w.clock, w.clock.Add(w.svc.timing.Lease), 10)
	for _, k := range works {
		if err := w.svc.Advance(t.Context(), k); err != nil && !errors.Is(err, flow.ErrConflict) {
			t.Fatal(err)
		}
	}
}

func (w *world) approve(t *testing.T) {
	t.Helper()
	w.turnAll(t)
	if err := w.svc.Review(t.Context(), "o", Decision{Approve: true}, people.By{Kind: people.ByStaff}); err != nil {
		t.Fatal(err)
	}
}

// lapse lets the lease of the order's worker run out.
func (w *world) lapse() {
	o := &w.store.orders["o"].Order
	o.LeaseUntil, o.NextAt = time.Time{}, w.clock
	o.Version++
}

// TestPayout_RefusalWaitsForASendUnderWay: while the first send is still under
// way, its worker counts as dead and others ask twice. The second send is refused and the number unknown; only
// the time that a send can take proves that nothing will arrive.
func TestPayout_RefusalWaitsForASendUnderWay(t *testing.T) {
	w, ch := calm(t)
	w.approve(t)
	sends := 0
	ch.pay = func(p Payout) (PayoutAnswer, bool) {
		sends++
		if sends == 2 {
			return PayoutAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "NAME_NOT_MATCHED"}}, true
		}
		for range 2 {
			w.lapse()
			w.turnAll(t)
		}
		return PayoutAnswer{}, false // now it arrives
	}
	w.turnAll(t)
	if o := w.store.orders["o"].Order; o.Status != StatusPaying {
		t.Fatalf("order is %s although a send was under way\n%s", o.Status, w.store.story("o"))
	}
	for range 3 {
		w.clock = w.clock.Add(time.Hour)
		for no := range w.sides.pays {
			w.sides.progress(no, 4)
		}
		w.turnAll(t)
	}
	if o := w.store.orders["o"].Order; o.Status != StatusSucceeded {
		t.Fatalf("order is %s\n%s", o.Status, w.store.story("o"))
	}
}

// TestPayout_OldNumberIsNotSentAgain: after the time for which channels answer
// queries, "no such number" proves nothing, so people decide.
func TestPayout_OldNumberIsNotSentAgain(t *testing.T) {
	w, ch := calm(t)
	w.approve(t)
	sends := 0
	ch.pay = func(Payout) (PayoutAnswer, bool) { sends++; return PayoutAnswer{}, true }
	w.turnAll(t)
	w.clock = w.clock.AddDate(0, 0, 35) // the program was down
	w.turnAll(t)
	if o := w.store.orders["o"].Order; sends != 1 || o.Status != StatusSuspense {
		t.Fatalf("%d sends, order is %s", sends, o.Status)
	}
}

// TestReject_NeedsNoQueryBeforeTheFirstReversal: a HIS that cannot be asked can
// still be told once.
func TestReject_NeedsNoQueryBeforeTheFirstReversal(t *testing.T) {
	for name, undo := range map[string]func(*world) error{
		"审核驳回": func(w *world) error {
			return w.svc.Review(context.Background(), "o", Decision{Note: "资料不符"}, people.By{Kind: people.ByStaff})
		},
		"自动驳回": func(w *world) error { w.clock = w.clock.Add(2 * time.Minute); return nil },
		"患者撤销": func(w *world) error {
			return w.svc.Cancel(context.Background(), "o", people.By{Kind: people.ByPatient})
		},
	} {
		w, _ := calm(t)
		w.traits.Queryable = false
		w.inst.Review.Auto, w.inst.Review.Delay = name == "自动驳回", time.Minute
		w.inst.Review.Rules = []Rule{{Name: RuleMaxAmount, OnFail: OutcomeReject}}
		w.turnAll(t)
		if err := undo(w); err != nil {
			t.Fatal(err)
		}
		w.turnAll(t)
		if o := w.store.orders["o"].Order; !Machine.Final(o.Status) {
			t.Errorf("%s: order is %s %s", name, o.Status, o.FailCode)
		}
	}
}

// TestStale_NothingLeavesUnderAnOldLease holds for HIS and channel alike: a
// worker that was stopped for minutes must not send when it wakes up.
func TestStale_NothingLeavesUnderAnOldLease(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, calendar.Beijing)
	for lease, want := range map[time.Duration]bool{
		-time.Minute: true, 5 * time.Second: true, time.Minute: false,
	} {
		turn := flow.NewTurn(Machine, flow.DefaultTiming(), func() time.Time { return now }, &flow.Order{LeaseUntil: now.Add(lease)})
		if turn.Stale() != want {
			t.Errorf("lease of %s: stale is %v", lease, !want)
		}
	}
}

// TestSend_OnlyAfterItsIntent: whenever something leaves, its number is in the
// journal already, so that a crash at this moment is asked about.
func TestSend_OnlyAfterItsIntent(t *testing.T) {
	for _, approve := range []bool{true, false} {
		w, ch := calm(t)
		kept := func(call *flow.Call, kind string) {
			if call == nil {
				t.Errorf("%s left without its intent\n%s", kind, w.store.story("o"))
			}
		}
		w.svc.dir = interrupted{toldDirectory{w.sides, ch}, func() {
			o := w.store.orders["o"]
			if o.Order.Status == StatusReversing {
				kept(o.Reversal, HISReverse)
			}
			kept(o.Debit, HISDebit)
		}}
		sends := 0
		ch.pay = func(p Payout) (PayoutAnswer, bool) {
			sends++
			if tr := w.store.orders["o"].Transfer; tr == nil || tr.No != p.No || w.store.journal[p.No] != p.Hash() {
				t.Errorf("%s left without its intent", p.No)
			}
			return PayoutAnswer{}, false
		}
		w.turnAll(t)
		if err := w.svc.Review(t.Context(), "o", Decision{Approve: approve, Note: "资料核对"}, people.By{Kind: people.ByStaff}); err != nil {
			t.Fatal(err)
		}
		w.turnAll(t)
		if (sends == 1) != approve {
			t.Errorf("%d payouts", sends)
		}
	}
}

// TestSend_AFreezeHoldsWhatWaits: what waits for the merchant's money does not
// leave while payouts are frozen, and leaves when they are released.
func TestSend_AFreezeHoldsWhatWaits(t *testing.T) {
	w, ch := calm(t)
	sends := 0
	ch.pay = func(Payout) (PayoutAnswer, bool) {
		sends++
		return PayoutAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "NOT_ENOUGH", Hold: true}}, true
	}
	w.approve(t)
	w.turnAll(t)
	w.inst.Frozen = true
	for range 6 {
		w.clock = w.clock.Add(time.Hour)
		w.turnAll(t)
	}
	if sends != 1 {
		t.Errorf("%d sends, frozen after the first", sends)
	}
	w.inst.Frozen = false
	w.clock = w.clock.Add(time.Hour)
	w.turnAll(t)
	if sends != 2 {
		t.Errorf("%d sends after the release", sends)
	}
}
