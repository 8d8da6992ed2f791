package refund

import (
	"context"
	"time"

	"hospay/flow"
	"hospay/people"
)

// resendEvery is how many pending queries pass before an accepted payout that
// does not move is sent again under its number, as WeChat advises for bills
// that wait for the merchant's money.
const resendEvery = 4

// intendPayout writes the intent of a payout. A new number is only ever made
// here, and an order has at most one payout whose end is open.
func (t *turn) intendPayout() {
	tr := t.nextPayout()
	t.w.Transfer, t.c.Transfer = tr, tr
}

// nextPayout is the payout that the order would make next; its number follows
// from the order.
func (t *turn) nextPayout() *Transfer { return t.payoutAfter(t.w.Transfer) }

func (t *turn) payoutAfter(last *Transfer) *Transfer {
	o := t.w.Order
	tr := &Transfer{Call: flow.Call{Kind: CallPayout, Attempt: 1, Amount: o.Amount, State: flow.CallIntent, SentAt: t.At}}
	if last != nil {
		tr.Attempt = last.Attempt + 1
	}
	tr.No = flow.CallNo(o.No, 'T', tr.Attempt)
	tr.Hash = o.payout(tr.No).Hash()
	return tr
}

// payoutTraits are what a channel's answers are worth: a number twice is one
// payment, a refusal may be overtaken by an earlier send, and queries of a
// number are answered for 30 days (WeChat).
var payoutTraits = flow.Traits{Queryable: true, Repeatable: true, ConfirmRefuse: true, ProofDays: 29}

// answer is a channel's answer as the flow goes by it.
func (a PayoutAnswer) answer() flow.Answer {
	reports := map[PayoutState]flow.Report{
		PayoutNotFound: flow.ReportMissing, PayoutSucceeded: flow.ReportDone, PayoutFailed: flow.ReportFailed, PayoutReturned: flow.ReportFailed,
	}
	return flow.Answer{Verdict: a.Verdict, Reason: a.Reason, Report: reports[a.State], Said: a.State, Theirs: a.ChannelNo}
}

// stepPayout takes a payout one step on.
func (t *turn) stepPayout(ctx context.Context) (bool, error) {
	ch, err := t.dir.ChannelOf(ctx, t.w.Transfer.Connection)
	if err != nil {
		return false, err
	}
	tr := t.w.Transfer
	t.c.Transfer = tr
	var heard PayoutAnswer
	asked := false
	outcome, _, err := t.Exchange(ctx, flow.Exchange{
		Call: &tr.Call, Traits: payoutTraits, Event: "payout", Before: t.mayPay, Again: t.again(ch), HoldLimit: t.timing.HoldLimit,
		Send: func(ctx context.Context) flow.Answer {
			ans := t.accepted(t.judged(ctx, ch.Pay(ctx, t.w.Order.payout(tr.No))))
			if ans.Verdict == flow.Done || !asked { // else the query before it stays what was heard
				heard = ans
			}
			return ans.answer()
		},
		Ask: func(ctx context.Context) flow.Answer {
			heard, asked = t.judged(ctx, ch.Query(ctx, t.w.Order.payout(tr.No))), true
			return heard.answer()
		},
	})
	switch {
	case err != nil:
		return false, err
	case t.odd.Code != "":
		t.suspendOdd()
	case outcome == flow.OutcomeHeard && t.bare && !asked: // the query tells what the answer has left out
		return t.askBare(ctx, ch)
	case outcome == flow.OutcomeAsk:
		return true, t.commit(ctx, true)
	case outcome == flow.OutcomeRefused:
		t.undo(t.failTarget(), "payout.failed", people.System(), tr.Code, tr.Message)
		return t.goOn(ctx)
	case outcome == flow.OutcomeHeard:
		if heard.State == PayoutAwaitingPayee && t.w.Order.CancelAsked && !t.inst.Restored {
			t.cancelPayout(ctx, ch)
		}
		return t.bookPayout(ctx, heard, people.System())
	}
	return false, t.commit(ctx, false)
}

// mayPay lets nothing leave while payouts are frozen, or before a restored copy
// is released.
func (t *turn) mayPay(ctx context.Context) (time.Duration, error) {
	inst, err := t.dir.Institution(ctx, t.w.Order.Institution)
	if err != nil || !(inst.Frozen || inst.Restored) {
		return 0, err
	}
	return t.frozenWait(), nil
}

// mayMove lets nothing that moves money leave before a restored copy is
// released.
func (t *turn) mayMove(ctx context.Context) (time.Duration, error) {
	inst, err := t.dir.Institution(ctx, t.w.Order.Institution)
	if err != nil || !inst.Restored {
		return 0, err
	}
	return t.frozenWait(), nil
}

// again says when an equal request goes out once more: for an accepted payout
// that has not moved for long, and for the package that its payee needs. Only
// the answer to a request tells it, a query never does (WeChat).
func (t *turn) again(ch Channel) func(flow.Answer) bool {
	return func(ans flow.Answer) bool {
		o := t.w.Order
		switch ans.Said {
		case PayoutProcessing:
			return o.Status == StatusPaying && o.Tries%resendEvery == resendEvery-1
		case PayoutAwaitingPayee:
			lost := t.w.Transfer.Confirm.Package == "" && ch.Capabilities().PayeeConfirms && !o.CancelAsked
			return lost && o.Tries&(o.Tries-1) == 0 // ever more rarely
		}
		return false
	}
}

// askBare asks at once for what the answer to a request has left out; where the
// query does not tell it either, the next step goes on from there.
func (t *turn) askBare(ctx context.Context, ch Channel) (bool, error) {
	ans := t.askPayout(ctx, ch)
	if t.odd.Code != "" {
		t.suspendOdd()
		return false, t.commit(ctx, false)
	}
	if ans.Verdict != flow.Done || ans.State == PayoutNotFound {
		return true, t.commit(ctx, true)
	}
	return t.heardPayout(ctx, ans, people.System())
}

// askPayout asks for a payout outside of its exchange.
func (t *turn) askPayout(ctx context.Context, ch Channel) PayoutAnswer {
	var heard PayoutAnswer
	ans := t.Ask(ctx, func(ctx context.Context) flow.Answer {
		heard = t.judged(ctx, ch.Query(ctx, t.w.Order.payout(t.w.Transfer.No)))
		return heard.answer()
	})
	heard.Verdict = ans.Verdict
	return heard
}

// cancelPayout asks the channel to close; what became of it is asked later.
func (t *turn) cancelPayout(ctx context.Context, ch Channel) {
	ctx, cancel := context.WithTimeout(ctx, t.timing.Call)
	defer cancel()
	ans := ch.Cancel(ctx, t.w.Order.payout(t.w.Transfer.No))
	t.Note("payout.cancel_sent", people.System(), ans.Reason.Code, ans.Verdict.String())
}

// failTarget is where an unpaid order ends.
func (t *turn) failTarget() Status {
	if t.w.Order.CancelAsked {
		return StatusCancelled
	}
	return StatusFailed
}

// goOn commits and continues with the reversal under the same lease.
func (t *turn) goOn(ctx context.Context) (bool, error) {
	again := t.Worker && t.w.Order.Status == StatusReversing
	return again, t.commit(ctx, again)
}

// heardPayout books a verified callback.
func (t *turn) heardPayout(ctx context.Context, ans PayoutAnswer, by people.By) (bool, error) {
	t.Hear(&t.w.Transfer.Call, ans.answer())
	return t.bookPayout(ctx, ans, by)
}

// bookPayout books what a channel says about the payout, from whichever way it
// came: the answer to a send, a query, or a verified callback.
func (t *turn) bookPayout(ctx context.Context, ans PayoutAnswer, by people.By) (bool, error) {
	tr, o := t.w.Transfer, &t.w.Order
	if ans.ChannelNo != "" {
		o.ChannelNo = ans.ChannelNo
	}
	if ans.Confirm.Package != "" {
		tr.Confirm = ans.Confirm
	}
	if ans.State == PayoutReturned && o.Method == MethodOriginal {
		// The refund came back from the payer's card and can still be paid under
		// its number by hand, so the balance must not be restored by itself.
		t.Suspend(CodePayoutReturned, flow.Reason{Code: ans.Reason.Code, Actor: flow.ActorFinance})
		return false, t.commit(ctx, false)
	}
	switch ans.State {
	case PayoutSucceeded:
		t.paid(ans, by)
	case PayoutFailed, PayoutReturned:
		tr.State, tr.Code, tr.Message = flow.CallRefused, ans.Reason.Code, ans.Reason.Message
		if ans.State == PayoutReturned && tr.Code == "" {
			tr.Code = string(CodePayoutReturned)
		}
		t.undo(t.failTarget(), "payout.failed", by, tr.Code, tr.Message)
		return t.goOn(ctx)
	case PayoutAwaitingPayee:
		t.awaiting(ans, by)
	default:
		t.processing(ans, by)
	}
	return false, t.commit(ctx, false)
}

// paid books the arrival of the money.
func (t *turn) paid(ans PayoutAnswer, by people.By) {
	tr, o := t.w.Transfer, &t.w.Order
	tr.State, tr.DoneAt = flow.CallDone, ans.PaidAt
	if !flow.Plausible(tr.DoneAt, t.At) {
		tr.DoneAt = t.At
	}
	o.PaidAt, o.FailCode, o.FailReason = tr.DoneAt, "", ""
	t.move(StatusSucceeded, "payout.succeeded", by, "", "")
	t.ended(StatusSucceeded)
}

// awaiting waits for the payee and sends the reminders of the confirmation. The
// deadline is the channel's; where it tells none it counts from the request.
func (t *turn) awaiting(ans PayoutAnswer, by people.By) {
	tr, o := t.w.Transfer, &t.w.Order
	switch {
	case flow.Plausible(ans.Deadline.Add(-confirmTime), t.At):
		tr.ExpiresAt = ans.Deadline
	case tr.ExpiresAt.IsZero():
		tr.ExpiresAt = tr.SentAt.Add(confirmTime)
	}
	if o.Status == StatusPaying {
		t.move(StatusAwaitingPayee, "payout.awaiting_payee", by, "", "")
		o.OpenSince = tr.ExpiresAt.Add(-confirmTime) // however often the channel changes its mind
	}
	t.remind(tr.ExpiresAt.Add(-confirmTime))
	limit := tr.ExpiresAt.Sub(t.At) + t.timing.PayeeLimit
	t.Open(t.timing.Payee, max(limit, t.timing.PayeeLimit), flow.CodePendingTooLong, flow.Reason{Actor: flow.ActorFinance})
}

// confirmTime is how long a payee has to confirm where the channel does not say.
const confirmTime = 24 * time.Hour

// remind asks for the reminders whose time has come since the last queries.
// Each round is told once, however often it is asked for.
func (t *turn) remind(since time.Time) {
	gap := 2 * flow.Step(t.timing.Payee, len(t.timing.Payee))
	for round, after := range t.timing.Reminders {
		if at := since.Add(after); !at.After(t.At) && t.At.Sub(at) <= max(gap, time.Hour) {
			t.Tell(flow.Notice{Event: NoticeAwaitingPayee, Round: round, At: t.At})
		}
	}
}

// processing waits for a payout that the channel works on. Only the channel's
// own word says that the payee has confirmed: one that is being cancelled, or
// in a state that is new to us, is not on its way.
func (t *turn) processing(ans PayoutAnswer, by people.By) {
	if t.w.Order.Status == StatusAwaitingPayee && ans.State == PayoutConfirmed {
		t.move(StatusPaying, "payout.confirmed", by, "", "")
	}
	t.Open(t.timing.Pending, t.timing.PendingLimit, flow.CodePendingTooLong, flow.Reason{Actor: flow.ActorFinance})
}
