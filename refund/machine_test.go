package refund

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"hospay/flow"
	"hospay/money"
	"hospay/people"

	"pgregory.net/rapid"
)

// world is one run: the domain between a store that may crash and other sides
// that may do anything, with a clock that only the run moves.
type world struct {
	rt      *rapid.T
	clock   time.Time
	store   *memStore
	sides   *sides
	svc     *Service
	inst    Institution
	traits  HISTraits
	numbers map[string]string // number → order
	healed  bool
	depth   int // how deep actions run inside calls
	notes   int // callbacks so far
}

func newWorld(rt *rapid.T) *world {
	w := &world{rt: rt, clock: noon, numbers: map[string]string{}, traits: HISTraits{Queryable: true, Idempotent: true, Reversible: true}}
	w.traits.Reversible, w.traits.Queryable = w.draw("reversible", 4) > 0, w.draw("queryable", 5) > 0
	w.inst = Institution{ID: "I", Active: true}
	w.inst.Review.Auto = rapid.Bool().Draw(rt, "auto")
	w.inst.Review.SecondFrom = money.Fen(rapid.SampledFrom([]int{0, 1000, 4000}).Draw(rt, "second from"))
	w.inst.Review.Rules = []Rule{{Name: RuleMaxAmount, Limit: 5000, OnFail: rapid.SampledFrom([]Outcome{OutcomeManual, OutcomeReject}).
		Draw(rt, "on fail")}}
	w.store = newMemStore(w)
	w.sides = &sides{w: w, pays: map[string]*payment{}, books: map[string]*booking{}}
	w.svc = NewService(w.store, w.sides, DefaultTiming(), func() time.Time { return w.clock }, nil)
	return w
}

func (w *world) fail(format string, args ...any) {
	w.rt.Helper()
	text := fmt.Sprintf(format, args...)
	for _, id := range w.store.ids() {
		o := w.store.orders[id].Order
		text += fmt.Sprintf("\n%s %s %s (%s, from %s, target %s, debit at %s)\n%s", id, o.No, o.Status, o.FailCode, o.SuspendedFrom, o.Target,
			o.DebitAt, w.store.story(id))
	}
	for no, p := range w.sides.pays {
		text += fmt.Sprintf("\nchannel %s %s paid %d", no, p.state, p.paid)
	}
	for no, b := range w.sides.books {
		text += fmt.Sprintf("\nHIS %s reverse=%v done=%v", no, b.reverse, b.done)
	}
	w.rt.Fatal(text)
}

func (w *world) draw(label string, n int) int { return rapid.IntRange(0, n-1).Draw(w.rt, label) }

// fault draws what goes wrong; after the healing nothing does.
func (w *world) fault(label string, n int) int {
	if w.healed {
		return n
	}
	return w.draw(label, n)
}

// called checks that the intent of a call is committed, and lets others act
// while the call is under way.
func (w *world) called(what, no, hash string) {
	if w.store.journal[no] != hash {
		w.fail("%s of %s without its committed intent", what, no)
	}
	w.meanwhile()
}

// asked is called for a question: it moves nothing, so that a number without an
// intent may be asked for, too.
func (w *world) asked(what, no, hash string) {
	if have := w.store.journal[no]; have != "" && have != hash {
		w.fail("%s of %s with other content", what, no)
	}
	w.meanwhile()
}

func (w *world) meanwhile() {
	w.sides.arrive()
	for !w.healed && w.depth < 2 && w.draw("meanwhile", 3) == 0 {
		w.depth++
		w.act()
		w.depth--
	}
}

// act is one thing that people, time, the worker or the other sides do.
func (w *world) act() {
	switch w.draw("action", 15) {
	case 0:
		w.submit()
	case 1, 2, 3, 4:
		w.work()
	case 5, 6:
		w.pass(time.Duration(w.draw("seconds", 90)) * time.Second)
	case 7:
		w.pass(time.Duration(w.draw("minutes", 3000)) * time.Minute)
	case 8:
		w.decide()
	case 9:
		w.cancelOrWake()
	case 10:
		w.callback()
	case 11:
		if no := w.anyPayment(); no != "" {
			w.sides.progress(no, w.draw("progress", 6))
		}
	case 12:
		w.inst.Frozen = w.draw("frozen", 3) == 0
	case 13, 14:
		w.desk()
	}
}

// pass moves the clock. A call ends within its deadline, so time stands still
// while one is under way.
func (w *world) pass(d time.Duration) {
	if w.depth > 0 {
		return
	}
	w.clock = w.clock.Add(d)
	w.sides.arrive()
	for _, b := range w.sides.books {
		b.pending, b.done = false, true
	}
}

func (w *world) submit() {
	if len(w.store.orders) >= 3 {
		return
	}
	id := fmt.Sprintf("order%d", len(w.store.orders))
	o := Order{
		ID: id, No: OrderNo(id, w.clock), Institution: "I", CardNo: "C" + id, Amount: money.Fen(1000 * (1 + w.draw("amount", 9))),
		Channel: "wechat",
		Method:  MethodTransfer, Payee: Payee{Account: "o", Type: AccountWechatOpenID, Name: "张三"}, DebitAt: DebitAtApplication,
		Status: StatusSubmitted, NextAt: w.clock, Created: w.clock,
	}
	if w.draw("method", 3) == 0 {
		o.Method, o.Original = MethodOriginal, &Payment{TradeNo: "P"}
	}
	if w.draw("debit at", 3) == 0 {
		o.DebitAt = DebitAtApproval
	}
	w.store.orders[id] = &Work{Order: o}
}

func (w *world) work() {
	works, _ := w.store.Claim(context.Background(), "w", w.clock, w.clock.Add(w.svc.timing.Lease), 1+w.draw("claim", 3))
	for _, k := range works {
		if err := w.svc.Advance(context.Background(), k); err != nil && !errors.Is(err, flow.ErrConflict) && !errors.Is(err, errCrash) {
			w.fail("advance: %v", err)
		}
	}
}

func (w *world) anyOrder() string {
	ids := w.store.ids()
	if len(ids) == 0 {
		return ""
	}
	return ids[w.draw("order", len(ids))]
}

func (w *world) anyPayment() string {
	var all []string
	for _, id := range w.store.ids() {
		for n := 1; n < 4; n++ {
			if no := flow.CallNo(w.store.orders[id].Order.No, 'T', n); w.sides.pays[no] != nil {
				all = append(all, no)
			}
		}
	}
	if len(all) == 0 {
		return ""
	}
	return all[w.draw("payment", len(all))]
}

func (w *world) decide() {
	if id := w.anyOrder(); id != "" {
		w.review(id, w.draw("approve", 4) > 0, []string{"s", "t"}[w.draw("reviewer", 2)])
	}
}

// review lets a person decide, and holds that whoever has approved an order
// first never decides on it second.
func (w *world) review(id string, approve bool, who string) {
	before := w.store.orders[id].Order
	needs := w.inst.Review.NeedsSecond(before)
	err := w.svc.Review(context.Background(), id, Decision{Approve: approve, Note: "note", Stage: before.Stage},
		people.By{Kind: people.ByStaff, ID: who})
	after := w.store.orders[id].Order
	switch {
	case before.Stage == StageSecond && w.store.first[id] == who && flow.CodeOf(err) != CodeSameReviewer && w.depth == 0:
		w.fail("%s: %s decided twice: %v", before.No, who, err)
	case err == nil && approve && needs && before.Stage == StageFirst && after.Status != StatusReviewing && w.depth == 0:
		w.fail("%s: approved by one person", before.No)
	}
}

func (w *world) cancelOrWake() {
	id := w.anyOrder()
	switch {
	case id == "":
	case w.draw("cancel", 2) == 0:
		_ = w.svc.Cancel(context.Background(), id, people.By{Kind: people.ByPatient})
	default:
		_ = w.svc.Wake(context.Background(), id, people.By{Kind: people.ByStaff})
	}
}

// callback delivers what the channel says now, again, under a strange number,
// or with a content that does not fit.
func (w *world) callback() {
	no := w.anyPayment()
	if no == "" {
		return
	}
	w.notes++
	n := Notification{Institution: "I", Channel: "wechat", ID: fmt.Sprint("cb", w.notes), No: no, Answer: w.sides.truth(no)}
	forged := false
	switch w.draw("callback", 8) {
	case 0:
		n.ID = "cb1"
	case 1:
		n.Answer.Of.Amount, n.Answer.State, forged = n.Answer.Of.Amount+1, PayoutSucceeded, true
	case 2:
		n.Answer.Of.Payees, n.Answer.State, forged = map[AccountType]string{AccountWechatOpenID: "somebody"}, PayoutFailed, true
	case 3:
		n.No = "R0T01"
	case 4:
		n.Channel, n.Answer.State, forged = "alipay", PayoutSucceeded, true
	}
	before := w.store.orders[w.numbers[no]].Order.Status
	effect, err := w.svc.Notify(context.Background(), n)
	if err != nil && !errors.Is(err, errCrash) && !errors.Is(err, flow.ErrConflict) {
		w.fail("notify: %v", err)
	}
	if after := w.store.orders[w.numbers[no]].Order.Status; forged && after != before {
		w.fail("a callback that does not fit (%s) moved %s→%s", effect, before, after)
	}
}

// net is what an order and its compensation have moved on either side.
func (w *world) net(id string) (his, channel money.Fen, payments int) {
	comp := compensationOf(id)
	for no, order := range w.numbers {
		if order != id && order != comp {
			continue
		}
		if b := w.sides.books[no]; b != nil && b.done {
			if b.reverse {
				his -= b.debit.Amount
			} else {
				his += b.debit.Amount
			}
		}
		if p := w.sides.pays[no]; p != nil {
			channel += p.paid
			if p.ever && p.state != PayoutReturned { // what came back may be paid again
				payments++
			}
		}
	}
	hand := w.byHand(id, his) + w.byHand(comp, his)
	for _, m := range w.store.history[id] {
		switch looked := m.Code == string(WhyLooked); {
		case looked && m.Event == EventPaidHand: // they made up what was missing
			return w.store.orders[id].Order.Amount, w.store.orders[id].Order.Amount, 1
		case looked && m.Event == EventHISHand:
			return 0, 0, 0
		case m.Event == EventPaidHand:
			channel += w.store.orders[id].Order.Amount
			payments++
		}
	}
	return his - hand, channel, payments
}

// judge holds after every action.
func (w *world) judge() {
	for _, id := range w.store.ids() {
		o := w.store.orders[id].Order
		if o.Compensates != "" {
			continue // counted with its original
		}
		his, channel, payments := w.net(id)
		if channel > o.Amount || payments > 1 {
			w.fail("%s: paid %d in %d payments, amount %d", o.No, channel, payments, o.Amount)
		}
		if his < 0 || his > o.Amount {
			w.fail("%s: HIS net %d", o.No, his)
		}
	}
}

// heal ends the faults and lets time pass until nothing moves any more.
func (w *world) heal() {
	w.healed, w.inst.Frozen = true, false
	for round := range 300 {
		open := false
		for _, id := range w.store.ids() {
			o := w.store.orders[id].Order
			if o.Status == StatusReviewing && (round > 3 || !w.inst.Review.Auto) {
				w.review(id, true, []string{"s", "t", "u"}[round%3])
			}
			open = open || !Machine.Final(o.Status)
		}
		if !open {
			break
		}
		w.pass(time.Duration(1+min(round, 26)) * time.Hour)
		for no, p := range w.sides.pays {
			if p.open() {
				w.sides.progress(no, 4)
			}
		}
		for range 3 {
			works, _ := w.store.Claim(context.Background(), "w", w.clock, w.clock.Add(w.svc.timing.Lease), 10)
			for _, k := range works {
				if err := w.svc.Advance(context.Background(), k); err != nil && !errors.Is(err, flow.ErrConflict) {
					w.fail("healed, but: %v", err)
				}
			}
			w.pass(time.Minute)
		}
	}
}

// settled says whether an order that waits for people rightly does so.
func (w *world) settled(k *Work) bool {
	o := k.Order
	switch {
	case Machine.Final(o.Status):
		return true
	case o.Status != StatusSuspense:
		return false
	case w.store.read(o.ID).Proposal != nil:
		return true
	}
	if p := w.sides.pays[flow.CallNo(o.No, 'T', 1)]; p != nil && p.state == PayoutReturned && o.Method == MethodOriginal {
		return true
	}
	switch flow.Code(o.FailCode) {
	case flow.CodePaidAfterFailure, flow.CodeHISNotQueryable, flow.CodeRefusedForGood, flow.CodeHeldTooLong:
		return true
	case flow.CodeHISNoReversal:
		if k.Reversal == nil {
			return true
		}
		b := w.sides.books[k.Reversal.No]
		return b == nil || !b.done
	}
	return false
}

// end is what must hold once everything has healed. A return that no callback
// has told is for the bills to find.
func (w *world) end() {
	for _, id := range w.store.ids() {
		k := w.store.orders[id]
		o := k.Order
		if !w.settled(k) {
			w.fail("%s is left to people although a query could settle it", o.No)
		}
		comp := w.store.orders[compensationOf(id)]
		if !Machine.Final(o.Status) || o.Compensates != "" || (comp != nil && !Machine.Final(comp.Order.Status)) {
			continue
		}
		his, channel, _ := w.net(id)
		returned := false
		for no, order := range w.numbers {
			returned = returned || (order == id && w.sides.pays[no] != nil && w.sides.pays[no].state == PayoutReturned)
		}
		if his != channel && (!returned || comp != nil || o.Status != StatusSucceeded) {
			w.fail("%s ended %s: HIS %d, channel %d", o.No, o.Status, his, channel)
		}
		if o.Status == StatusSucceeded && !returned && channel != o.Amount {
			w.fail("%s succeeded with %d", o.No, channel)
		}
		if o.Status != StatusSucceeded && channel != 0 {
			w.fail("%s ended %s with %d paid", o.No, o.Status, channel)
		}
	}
}

// TestMachine_BooksAgreeWhateverHappens plays random runs and heals them.
func TestMachine_BooksAgreeWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt)
		w.submit()
		for range rapid.IntRange(0, 60).Draw(rt, "length") {
			w.act()
			w.judge()
		}
		w.heal()
		w.judge()
		w.end()
		w.people()
		w.heal()
		w.judge()
		w.end()
		w.deskIsEmpty()
	})
}
