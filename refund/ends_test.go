package refund

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"hospay/flow"
	"hospay/money"
	"hospay/people"

	"pgregory.net/rapid"
)

// fixed is what the other sides answer for ever.
type fixed struct {
	pay, query PayoutAnswer
	book, ask  HISAnswer
	sends      int
}

// movement is what an answer about the amount tells.
func movement(fen money.Fen) Movement {
	return Movement{Told: true, Amount: fen, Payees: map[AccountType]string{AccountWechatOpenID: "o"}}
}

// payoutAnswers are all answers of a channel, right and wrong.
func payoutAnswers() []PayoutAnswer {
	out := []PayoutAnswer{{}, {Reason: flow.Reason{Code: "INVALID_REQUEST", Denied: true}}, {Reason: flow.Reason{Code: "SYSTEM_ERROR"}},
		{Verdict: flow.Refused, Reason: flow.Reason{Code: "NOT_ENOUGH", Hold: true}},
		{Verdict: flow.Refused, Reason: flow.Reason{Code: "NAME"}}, {Verdict: flow.Done, State: PayoutNotFound}}
	for _, state := range []PayoutState{PayoutProcessing, PayoutAwaitingPayee, PayoutConfirmed, PayoutSucceeded, PayoutFailed,
		PayoutReturned} {
		out = append(out, PayoutAnswer{Verdict: flow.Done, State: state}, PayoutAnswer{Verdict: flow.Done, State: state, Of: movement(1000)},
			PayoutAnswer{Verdict: flow.Done, State: state, Of: movement(1100)})
	}
	return out
}

// ledgerAnswers are all answers of a HIS, right and wrong.
func ledgerAnswers() []HISAnswer {
	return []HISAnswer{{}, {Reason: flow.Reason{Code: "E9", Denied: true}},
		{Verdict: flow.Refused, Reason: flow.Reason{Code: "BUSY", Hold: true}},
		{Verdict: flow.Refused, Reason: flow.Reason{Code: "NO"}}, {Verdict: flow.Done, State: HISNotFound},
		{Verdict: flow.Done, State: HISPending},
		{Verdict: flow.Done, State: HISDone, Amount: 1000}, {Verdict: flow.Done, State: HISDone, Amount: 1100},
		{Verdict: flow.Done, State: HISDone, Amount: 1000, CardNo: "other"}, {Verdict: flow.Done, State: HISDone, Amount: 1000, HISNo: "same"}}
}

// TestEnds_WhateverTheOtherSidesAnswerForEver: from every state that random days
// reach, with the other sides answering one thing for ever, each order comes to
// an end within sixty days, or rests on the desk, where somebody is told of it
// daily, nothing is sent any more, and two people can end it.
func TestEnds_WhateverTheOtherSidesAnswerForEver(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt)
		w.submit()
		for range rapid.IntRange(0, 30).Draw(rt, "length") {
			w.act()
		}
		w.healed, w.inst.Frozen, w.sides.late = true, false, nil
		w.sides.fixed = &fixed{
			pay: rapid.SampledFrom(payoutAnswers()).Draw(rt, "pay"), query: rapid.SampledFrom(payoutAnswers()).Draw(rt, "query"),
			book: rapid.SampledFrom(ledgerAnswers()).Draw(rt, "book"), ask: rapid.SampledFrom(ledgerAnswers()).Draw(rt, "ask"),
		}
		w.elapse(30)
		sent := w.sides.fixed.sends
		w.elapse(30)
		if n := w.sides.fixed.sends; n != sent {
			w.fail("%d sends in the second month, %d in the first\n%+v", n-sent, sent, w.sides.fixed)
		}
		for _, id := range w.store.ids() {
			w.mustEnd(id)
		}
	})
}

// TestEnds_SilenceIsNoReasonOnceTheyAnswer: what came to the desk because nobody
// answered does not stay there for that reason once everybody answers again, unless
// two people are about to decide.
func TestEnds_SilenceIsNoReasonOnceTheyAnswer(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt)
		w.traits.Idempotent = rapid.Bool().Draw(rt, "idempotent")
		w.submit()
		for range rapid.IntRange(0, 30).Draw(rt, "length") {
			w.act()
		}
		w.healed, w.inst.Frozen, w.sides.late = true, false, nil
		w.sides.fixed = &fixed{}
		w.elapse(rapid.IntRange(1, 4).Draw(rt, "silent days"))
		w.sides.fixed = nil
		w.elapse(5)
		for _, id := range w.store.ids() {
			o, decided := w.store.orders[id].Order, w.store.read(id).Proposal
			if o.Status == StatusSuspense && flow.Code(o.FailCode) == flow.CodeUnknownTooLong && decided == nil {
				w.fail("%s from %s still waits for an answer", o.No, o.SuspendedFrom)
			}
		}
	})
}

// TestRest_WhatCameBackByItsRouteIsTold: an answer that ends a silence is the reason
// from then on; a transfer that came back goes on by itself.
func TestRest_WhatCameBackByItsRouteIsTold(t *testing.T) {
	for method, want := range map[Method]flow.Code{MethodOriginal: CodePayoutReturned, MethodTransfer: flow.CodeUnknownTooLong} {
		o := Order{Method: method, SuspendedFrom: StatusPaying}
		o.FailCode = string(flow.CodeUnknownTooLong)
		turn := &turn{w: Work{Order: o, Transfer: &Transfer{Call: flow.Call{Reported: PayoutReturned}}}, heard: heard{channel: true}}
		turn.restate()
		if got := flow.Code(turn.w.Order.FailCode); got != want || turn.proved() != (method == MethodTransfer) {
			t.Errorf("%s: %s, want %s", method, got, want)
		}
	}
}

// elapse lets days pass, in which reviewers and the worker do what is due.
func (w *world) elapse(days int) {
	for end := w.clock.AddDate(0, 0, days); w.clock.Before(end); w.clock = w.clock.Add(3 * time.Hour) {
		for _, id := range w.store.ids() {
			if o := w.store.orders[id].Order; o.Status == StatusReviewing {
				_ = w.svc.Review(context.Background(), id, Decision{Approve: true, Note: "n"}, people.By{Kind: people.ByStaff, ID: "s"})
				_ = w.svc.Review(context.Background(), id, Decision{Approve: true, Note: "n"}, people.By{Kind: people.ByStaff, ID: "t"})
			}
		}
		for range 4 {
			works, _ := w.store.Claim(context.Background(), "w", w.clock, w.clock.Add(w.svc.timing.Lease), 10)
			for _, k := range works {
				if err := w.svc.Advance(context.Background(), k); err != nil && !errors.Is(err, flow.ErrConflict) {
					w.fail("advance: %v", err)
				}
			}
			w.clock = w.clock.Add(2 * time.Minute)
		}
	}
}

// mustEnd holds that an order has its end, or rests where two people can end it.
func (w *world) mustEnd(id string) {
	o := w.store.orders[id].Order
	switch {
	case Machine.Final(o.Status):
		return
	case o.Status != StatusSuspense:
		w.fail("%s is %s after sixty days", o.No, o.Status)
	case w.store.alarms[id] < 25:
		w.fail("%s rests on the desk and was told %d times", o.No, w.store.alarms[id])
	}
	if p := w.store.read(id).Proposal; p != nil {
		if err := w.svc.Withdraw(context.Background(), id, people.By{Kind: people.ByStaff, ID: "s"}, "n"); err != nil {
			w.fail("withdraw: %v", err)
		}
	}
	why := ""
	for _, a := range slices.Backward(Actions()[1:]) {
		err := w.svc.Propose(context.Background(), id, flow.Proposal{Action: a, By: people.By{Kind: people.ByStaff, ID: "s"}, Reason: "核对"}, "V1")
		if err == nil {
			err = w.svc.Confirm(context.Background(), id, flow.Seen{Action: a}, people.By{Kind: people.ByStaff, ID: "t"}, "n")
		}
		if err == nil && Machine.Final(w.store.orders[id].Order.Status) {
			return
		}
		why += fmt.Sprintf(" %s: %v, %s;", a, err, w.store.orders[id].Order.Status)
	}
	w.fail("%s (%s) rests on the desk and nothing ends it:%s\n%+v", o.No, o.FailCode, why, w.sides.fixed)
}
