package payment

import (
	"context"
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
	upload   Uploaded
	price    Priced
	query    AtCentre
	undo     Result
	back     InsuranceBackAnswer
	tradeNow TradeAnswer
	closed   TradeAnswer
	mixedNow MixedAnswer
	cashBack RefundAnswer
	cashAsk  RefundAnswer
	write    Receipt
	check    Receipt
	told     flow.Verdict
	billErr  flow.Code
	sends    int
}

func fixedSplit(total, odd money.Fen) Split {
	return Split{Total: total + odd, Fund: 300, Cash: total - 300}
}

func (f *fixed) trade(t Trade, opening bool) TradeAnswer {
	a := f.tradeNow
	if a.Told {
		a.Amount += t.Amount
	}
	if opening {
		a.Handle = "prepay"
	}
	return a
}

func (f *fixed) cash(a RefundAnswer, r TradeRefund) RefundAnswer {
	if a.Told {
		a.Amount = r.Amount
	}
	return a
}

func (f *fixed) mixed(m Mixed, _ bool) MixedAnswer {
	a := f.mixedNow
	a.MixNo = "MIX" + m.No
	if a.Told {
		a.Fund, a.Account, a.Cash, a.Total = a.Fund+m.Fund, m.Account, m.Amount, m.Total
	}
	return a
}

func (f *fixed) bill(no string, bills []*Bill) (Bill, error) {
	if f.billErr != "" {
		return Bill{}, flow.NewError(f.billErr, "")
	}
	for _, b := range bills {
		if b.No == no {
			return *b, nil
		}
	}
	return Bill{}, flow.NewError("bill_gone", "")
}

// verdicts are what any call may prove that tells nothing else.
func verdicts() []Result {
	return []Result{{}, {Reason: flow.Reason{Code: "E9", Denied: true}}, {Verdict: flow.Refused, Reason: flow.Reason{Code: "BUSY",
		Hold: true}},
		{Verdict: flow.Refused, Reason: flow.Reason{Code: "NO"}}, {Verdict: flow.Refused, Reason: flow.Reason{Code: "AUTH",
			Actor: flow.ActorPatient}},
		{Verdict: flow.Done}}
}

func drawOf[T any](rt *rapid.T, label string, all []T) T {
	return rapid.SampledFrom(all).Draw(rt, label)
}

func newFixed(rt *rapid.T) *fixed {
	f := &fixed{undo: drawOf(rt, "undo", verdicts()), told: drawOf(rt, "told", verdicts()).Verdict,
		billErr: drawOf(rt, "bill", []flow.Code{"", "", flow.CodeHISUnavailable, "bill_paid"})}
	f.upload.Result = drawOf(rt, "upload", verdicts())
	f.price.Result, f.price.Stas = drawOf(rt, "price", verdicts()), StasQuoted
	f.price.Total = money.Fen(drawOf(rt, "odd", []int{0, 0, 1}))
	f.back.Result = drawOf(rt, "back", verdicts())
	f.query.Result = drawOf(rt, "query", []Result{{}, {Reason: flow.Reason{Code: "E9", Denied: true}}, {Verdict: flow.Done},
		{Verdict: flow.Done}})
	f.query.Stas = Stas(rapid.IntRange(-1, 19).Draw(rt, "stas"))
	if f.query.Verdict == flow.Done && f.query.Stas.Group() == Unclear { // the client has no verdict for them
		f.query.Verdict = flow.Unknown
	}
	states := []TradeState{TradeOpen, TradePaid, TradeClosed, TradeRefunded, TradeNotFound}
	f.tradeNow = tradeOf(drawOf(rt, "trade", verdicts()))
	f.tradeNow.State, f.tradeNow.Told = drawOf(rt, "trade state", states), rapid.Bool().Draw(rt, "trade told")
	f.tradeNow.Amount = money.Fen(drawOf(rt, "trade odd", []int{0, 0, 1}))
	f.closed = tradeOf(drawOf(rt, "closed", verdicts()))
	m := drawOf(rt, "mixed", verdicts())
	f.mixedNow = MixedAnswer{Verdict: m.Verdict, Reason: m.Reason, State: drawOf(rt, "mixed state", []MixedState{MixedOpen, MixedPaying,
		MixedPaid, MixedFailed, MixedRefunded, MixedUnclear, MixedNotFound}), Told: rapid.Bool().Draw(rt, "mixed told"),
		Fund: money.Fen(drawOf(rt, "mixed odd", []int{0, 0, 1}))}
	backs := []RefundState{RefundProcessing, RefundDone, RefundFailed, RefundNotFound}
	for _, to := range []*RefundAnswer{&f.cashBack, &f.cashAsk} {
		r := drawOf(rt, "cash back", verdicts())
		*to = RefundAnswer{Verdict: r.Verdict, Reason: r.Reason, State: drawOf(rt, "back state", backs),
			Told: rapid.Bool().Draw(rt, "back told")}
	}
	receipts := []ReceiptState{ReceiptDone, ReceiptPending, ReceiptNotFound}
	for _, to := range []*Receipt{&f.write, &f.check} {
		r := drawOf(rt, "receipt", verdicts())
		*to = Receipt{Verdict: r.Verdict, Reason: r.Reason, State: drawOf(rt, "receipt state", receipts), Told: rapid.IntRange(0, 3).
			Draw(rt, "odd receipt") == 0, Amount: 7}
	}
	return f
}

func tradeOf(r Result) TradeAnswer { return TradeAnswer{Verdict: r.Verdict, Reason: r.Reason} }

// TestEnds_WhateverTheOtherSidesAnswerForEver: from every state that random days
// reach, with the other sides answering one thing for ever, each order comes to
// rest within sixty days, or lies on the desk, where somebody is told of it daily,
// nothing is sent any more, and two people can end it.
func TestEnds_WhateverTheOtherSidesAnswerForEver(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt)
		w.create()
		for range rapid.IntRange(0, 100).Draw(rt, "length") {
			w.act()
		}
		w.healed, w.inst.Frozen, w.sides.late = true, false, nil
		w.sides.fixed = newFixed(rt)
		w.elapse(30)
		sent := w.sides.fixed.sends
		w.elapse(30)
		if n := w.sides.fixed.sends; n != sent {
			w.fail("%d sends in the second month, %d in the first", n-sent, sent)
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
		w.create()
		for range rapid.IntRange(0, 100).Draw(rt, "length") {
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

// elapse lets days pass, in which the worker does what is due.
func (w *world) elapse(days int) {
	for end := w.clock.AddDate(0, 0, days); w.clock.Before(end); w.clock = w.clock.Add(3 * time.Hour) {
		for range 3 {
			works, _ := w.store.Claim(context.Background(), "w", w.clock, w.clock.Add(w.svc.timing.Lease), 10)
			w.advance(works)
			w.clock = w.clock.Add(2 * time.Minute)
		}
	}
}

// mustEnd holds that an order rests, or lies where two people can end it.
func (w *world) mustEnd(id string) {
	o := w.store.orders[id].Order
	switch {
	case Resting(o.Status):
		return
	case o.Status != StatusSuspense:
		w.fail("%s is %s after sixty days", o.No, o.Status)
	case w.store.alarms[id] < 20:
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
		if err == nil && Resting(w.store.orders[id].Order.Status) {
			return
		}
		why += fmt.Sprintf(" %s: %v, %s;", a, err, w.store.orders[id].Order.Status)
	}
	w.fail("%s (%s) rests on the desk and nothing ends it:%s", o.No, o.FailCode, why)
}
