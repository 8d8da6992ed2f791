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
	o := t.w.Order
	tr := &Transfer{Attempt: 1, Amount: o.Amount, State: CallIntent, SentAt: t.at}
	if t.w.Transfer != nil {
		tr.Attempt = t.w.Transfer.Attempt + 1
	}
	tr.No = flow.CallNo(o.No, 'T', tr.Attempt)
	tr.Hash = o.payout(tr.No).Hash()
	t.w.Transfer, t.c.Transfer = tr, tr
}

// stepPayout sends a payout whose intent is new or on hold, or asks for the
// outcome of one that may already have been sent.
func (t *turn) stepPayout(ctx context.Context) (bool, error) {
	ch, err := t.dir.Channel(ctx, t.w.Order.Institution, t.w.Order.Channel)
	if err != nil {
		return false, err
	}
	tr := t.w.Transfer
	t.c.Transfer = tr
	fresh := t.fresh
	t.fresh = false
	if fresh || tr.State == CallHeld {
		return t.sendPayout(ctx, ch, fresh)
	}
	ans := t.askPayout(ctx, ch)
	if ans.Verdict == flow.Done && ans.State == PayoutNotFound {
		return t.lostPayout(ctx, ch)
	}
	if stuck(ans, t.w.Order) {
		return t.sendPayout(ctx, ch, false)
	}
	if ans.Verdict == flow.Done && ans.State == PayoutAwaitingPayee && t.w.Order.CancelAsked {
		t.cancelPayout(ctx, ch)
	}
	return t.heardPayout(ctx, ans, people.By{Kind: people.BySystem})
}

func stuck(ans PayoutAnswer, o Order) bool {
	return ans.Verdict == flow.Done && ans.State == PayoutProcessing && o.Status == StatusPaying && o.Tries%resendEvery == resendEvery-1
}

// sendPayout sends, unless payouts are frozen or the lease is too old to be
// sure that nobody else has taken the order over.
func (t *turn) sendPayout(ctx context.Context, ch Channel, first bool) (bool, error) {
	tr, o := t.w.Transfer, &t.w.Order
	inst, err := t.dir.Institution(ctx, o.Institution)
	if err != nil {
		return false, err
	}
	if inst.Frozen {
		t.wait(t.frozenWait())
		return false, t.commit(ctx, false)
	}
	ctxCall, cancel := context.WithTimeout(ctx, t.timing.Call)
	defer cancel()
	if t.stale() {
		return false, flow.ErrConflict
	}
	tr.Sent++
	tr.SentAt = t.now()
	tr.Doubt = tr.Doubt || !first // another send may be under way, unbooked
	ans := ch.Pay(ctxCall, o.payout(tr.No))
	t.at = t.now()
	return t.answeredPay(ctx, ans, first)
}

// answeredPay books the answer to a send. A refusal is believed only after a
// query has confirmed that the number does not exist.
func (t *turn) answeredPay(ctx context.Context, ans PayoutAnswer, first bool) (bool, error) {
	tr := t.w.Transfer
	switch {
	case ans.Verdict == flow.Refused && ans.Reason.Hold:
		t.hold(ans.Reason)
		return false, t.commit(ctx, false)
	case ans.Verdict == flow.Refused:
		tr.State, tr.Code, tr.Message = CallRefused, ans.Reason.Code, ans.Reason.Message
		t.note("payout.refused", people.By{Kind: people.BySystem}, ans.Reason.Code, ans.Reason.Message)
		clean := first && !tr.Doubt
		t.settle(clean)
		return clean, t.commit(ctx, clean)
	case ans.Verdict == flow.Unknown:
		tr.Doubt = true
	}
	return t.heardPayout(ctx, ans, people.By{Kind: people.BySystem})
}

// settle makes the confirming query due: at once when every send of the number
// was answered, else when none can still be under way.
func (t *turn) settle(clean bool) {
	if clean {
		t.wake()
		return
	}
	t.w.Order.NextAt = t.w.Transfer.SentAt.Add(t.timing.Settle)
}

// hold keeps the payout for a later send under the same number and tells
// finance once per reason.
func (t *turn) hold(r flow.Reason) {
	tr := t.w.Transfer
	if tr.State != CallHeld || tr.Code != r.Code {
		t.note("payout.held", people.By{Kind: people.BySystem}, r.Code, r.Message)
		t.tell(flow.Notice{Event: NoticeHold, Staff: true, At: t.at})
	}
	tr.State, tr.Code, tr.Message = CallHeld, r.Code, r.Message
	t.wait(t.timing.Hold)
}

func (t *turn) askPayout(ctx context.Context, ch Channel) PayoutAnswer {
	ctx, cancel := context.WithTimeout(ctx, t.timing.Call)
	defer cancel()
	ans := ch.Query(ctx, t.w.Order.payout(t.w.Transfer.No))
	t.at = t.now()
	if ans.Verdict == flow.Refused { // a refused question says nothing about the money
		ans.Verdict = flow.Unknown
	}
	return ans
}

// cancelPayout asks the channel to close; what became of it is asked later.
func (t *turn) cancelPayout(ctx context.Context, ch Channel) {
	ctx, cancel := context.WithTimeout(ctx, t.timing.Call)
	defer cancel()
	ans := ch.Cancel(ctx, t.w.Order.payout(t.w.Transfer.No))
	t.note("payout.cancel_sent", people.By{Kind: people.BySystem}, ans.Reason.Code, ans.Verdict.String())
}

// lostPayout follows "no such number": a refusal is thereby confirmed, any
// other number goes out again unchanged.
func (t *turn) lostPayout(ctx context.Context, ch Channel) (bool, error) {
	tr, o := t.w.Transfer, &t.w.Order
	if (tr.State != CallRefused || tr.Doubt) && !t.askable() {
		t.suspend(flow.CodeUnknownTooLong, flow.Reason{Message: "渠道已不再回答这个单号的查询", Actor: flow.ActorFinance})
		return false, t.commit(ctx, false)
	}
	if tr.State != CallRefused {
		return t.sendPayout(ctx, ch, false)
	}
	if tr.Doubt && t.at.Before(tr.SentAt.Add(t.timing.Settle)) {
		t.settle(false)
		return false, t.commit(ctx, false)
	}
	tr.Reported = PayoutNotFound
	t.undo(t.failTarget(), "payout.failed", people.By{Kind: people.BySystem}, tr.Code, tr.Message)
	return t.goOn(ctx, o)
}

// failTarget is where an unpaid order ends.
func (t *turn) failTarget() Status {
	if t.w.Order.CancelAsked {
		return StatusCancelled
	}
	return StatusFailed
}

// goOn commits and continues with the reversal under the same lease.
func (t *turn) goOn(ctx context.Context, o *Order) (bool, error) {
	again := t.worker && o.Status == StatusReversing
	t.fresh = again
	return again, t.commit(ctx, again)
}

// heardPayout books what a channel says about the payout, from whichever way
// it came: the answer to a send, a query, or a verified callback.
func (t *turn) heardPayout(ctx context.Context, ans PayoutAnswer, by people.By) (bool, error) {
	tr, o := t.w.Transfer, &t.w.Order
	if ans.Verdict != flow.Done {
		t.unknownPayout(ans)
		return false, t.commit(ctx, false)
	}
	t.heardFacts(ans)
	if ans.State == PayoutReturned && o.Method == MethodOriginal {
		// The refund came back from the payer's card and can still be paid under
		// its number by hand, so the balance must not be restored by itself.
		t.suspend(CodePayoutReturned, flow.Reason{Code: ans.Reason.Code, Actor: flow.ActorFinance})
		return false, t.commit(ctx, false)
	}
	switch ans.State {
	case PayoutSucceeded:
		t.paid(ans, by)
	case PayoutFailed, PayoutReturned:
		tr.State, tr.Code, tr.Message = CallRefused, ans.Reason.Code, ans.Reason.Message
		if ans.State == PayoutReturned && tr.Code == "" {
			tr.Code = string(CodePayoutReturned)
		}
		t.undo(t.failTarget(), "payout.failed", by, tr.Code, tr.Message)
		return t.goOn(ctx, o)
	case PayoutAwaitingPayee:
		t.awaiting(ans, by)
	default:
		t.processing(by)
	}
	return false, t.commit(ctx, false)
}

// heardFacts keeps what an authentic answer tells.
func (t *turn) heardFacts(ans PayoutAnswer) {
	tr := t.w.Transfer
	tr.Reported, tr.Doubt = ans.State, false
	if ans.ChannelNo != "" {
		tr.ChannelNo = ans.ChannelNo
		t.w.Order.ChannelNo = ans.ChannelNo
	}
	if ans.Confirm.Package != "" {
		tr.Confirm = ans.Confirm
	}
	if tr.State != CallDone {
		tr.State = CallOpen
	}
}

func (t *turn) unknownPayout(ans PayoutAnswer) {
	tr := t.w.Transfer
	if tr.State == CallIntent || tr.State == CallHeld {
		tr.State = CallOpen
	}
	if tr.State != CallRefused {
		tr.Code, tr.Message = ans.Reason.Code, ans.Reason.Message
	}
	if t.w.Order.Tries == 0 {
		t.note("payout.unknown", people.By{Kind: people.BySystem}, ans.Reason.Code, ans.Reason.Message)
	}
	t.open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodeUnknownTooLong, ans.Reason)
}

// paid books the arrival of the money.
func (t *turn) paid(ans PayoutAnswer, by people.By) {
	tr, o := t.w.Transfer, &t.w.Order
	if ans.Amount != 0 && ans.Amount != o.Amount {
		t.suspend(flow.CodeAmountMismatch, flow.Reason{Message: "渠道 " + ans.Amount.Yuan(), Actor: flow.ActorFinance})
		return
	}
	tr.State, tr.PaidAt = CallDone, ans.PaidAt
	if tr.PaidAt.IsZero() {
		tr.PaidAt = t.at
	}
	o.PaidAt, o.FailCode, o.FailReason = tr.PaidAt, "", ""
	t.move(StatusSucceeded, "payout.succeeded", by, "", "")
	t.ended(StatusSucceeded)
}

// awaiting waits for the payee and sends the reminders of the confirmation.
func (t *turn) awaiting(_ PayoutAnswer, by people.By) {
	tr, o := t.w.Transfer, &t.w.Order
	if tr.ExpiresAt.IsZero() {
		tr.ExpiresAt = t.at.Add(confirmTime)
	}
	if o.Status == StatusPaying {
		t.move(StatusAwaitingPayee, "payout.awaiting_payee", by, "", "")
	}
	t.remind(tr.ExpiresAt.Add(-confirmTime))
	limit := tr.ExpiresAt.Sub(t.at) + t.timing.PayeeLimit
	t.open(t.timing.Payee, max(limit, t.timing.PayeeLimit), flow.CodePendingTooLong, flow.Reason{Actor: flow.ActorFinance})
}

// confirmTime is how long a payee has to confirm (WeChat: 24 hours).
const confirmTime = 24 * time.Hour

// remind asks for the reminders whose time has come since the last queries.
// Each round is told once, however often it is asked for.
func (t *turn) remind(since time.Time) {
	gap := 2 * step(t.timing.Payee, len(t.timing.Payee))
	for round, after := range t.timing.Reminders {
		if at := since.Add(after); !at.After(t.at) && t.at.Sub(at) <= max(gap, time.Hour) {
			t.tell(flow.Notice{Event: NoticeAwaitingPayee, Round: round, At: t.at})
		}
	}
}

// processing waits for a payout that the channel works on. One that had been
// waiting for its payee is now confirmed and on its way.
func (t *turn) processing(by people.By) {
	if t.w.Order.Status == StatusAwaitingPayee {
		t.move(StatusPaying, "payout.confirmed", by, "", "")
	}
	t.open(t.timing.Pending, t.timing.PendingLimit, flow.CodePendingTooLong, flow.Reason{Actor: flow.ActorFinance})
}

// stepSuspense asks once a day; an answer that proves the outcome brings the
// order back to the flow. What a query cannot settle waits for people.
func (t *turn) stepSuspense(ctx context.Context) (bool, error) {
	o := &t.w.Order
	switch flow.Code(o.FailCode) {
	case flow.CodeAmountMismatch, flow.CodeHISNoReversal, flow.CodePaidAfterFailure, flow.CodePaidOldNumber, flow.CodeHISNotQueryable:
		if err := t.refresh(ctx); err != nil && flow.CodeOf(err) == "" {
			return false, err
		}
		t.wait(t.timing.Daily)
		return false, t.commit(ctx, false)
	}
	back := o.SuspendedFrom
	if proved, err := t.proved(ctx, back); err != nil || !proved {
		t.wait(t.timing.Daily)
		return false, orCommit(err, t.commit(ctx, false))
	}
	o.FailCode, o.FailReason = "", ""
	t.move(back, "suspense.proved", people.By{Kind: people.BySystem}, "", "")
	return true, t.commit(ctx, true)
}

// proved asks the other side whether it now knows the outcome.
func (t *turn) proved(ctx context.Context, back Status) (bool, error) {
	switch back {
	case StatusPaying, StatusAwaitingPayee:
		ch, err := t.dir.Channel(ctx, t.w.Order.Institution, t.w.Order.Channel)
		if err != nil {
			return false, err
		}
		return t.provesPayout(t.askPayout(ctx, ch)), nil
	case StatusDebiting, StatusReversing:
		his, _, err := t.dir.HIS(ctx, t.w.Order.Institution)
		if err != nil {
			return false, err
		}
		kind := HISDebit
		if back == StatusReversing {
			kind = HISReverse
		}
		call := t.w.Debit
		if kind == HISReverse {
			call = t.w.Reversal
		}
		return t.askHIS(ctx, his, kind, call).Verdict == flow.Done, nil
	}
	return false, nil
}

// queryDays is how long channels answer queries of a number (WeChat: 30 days).
// After that "no such number" proves nothing.
const queryDays = 29

// askable reports whether the channel must still know the number if it ever
// reached it.
func (t *turn) askable() bool {
	return t.at.Before(t.w.Transfer.SentAt.AddDate(0, 0, queryDays))
}

func (t *turn) provesPayout(ans PayoutAnswer) bool {
	switch {
	case ans.Verdict != flow.Done:
		return false
	case ans.State == PayoutReturned: // what came back by original route waits for people
		return t.w.Order.Method == MethodTransfer
	case ans.State == PayoutNotFound:
		return t.askable()
	}
	return true
}

func orCommit(err, commit error) error {
	if err != nil {
		return err
	}
	return commit
}
