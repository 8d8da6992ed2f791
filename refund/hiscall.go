package refund

import (
	"context"
	"time"

	"hospay/flow"
	"hospay/people"
)

// noTime marks an order as waiting for people, not for the clock.
var noTime time.Time

// intendHIS writes the intent of a HIS call: its number and content hash.
func (t *turn) intendHIS(kind string) {
	o := t.w.Order
	call := &HISCall{Kind: kind, Attempt: 1, Amount: o.Amount, State: CallIntent}
	if kind == HISDebit {
		call.No = flow.CallNo(o.No, 'D', call.Attempt)
		call.Hash = o.debit(call.No).Hash()
		t.w.Debit, t.c.Debit = call, call
		return
	}
	call.No = flow.CallNo(o.No, 'V', call.Attempt)
	call.Hash = o.reversal(call.No, t.debitNo()).Hash()
	t.w.Reversal, t.c.Reversal = call, call
}

// reopenReversal lets a reversal that was refused, and proved not to have moved
// anything, go out again under its number.
func (t *turn) reopenReversal() {
	if call := t.w.Reversal; call != nil && call.State != CallDone {
		call.State, t.c.Reversal = CallIntent, call
	}
}

// debitNo is the number of the debit that a reversal undoes. A compensating
// order undoes the debit of the order that it compensates.
func (t *turn) debitNo() string {
	if t.w.Debit == nil {
		return ""
	}
	return t.w.Debit.No
}

// hisCall returns the journal row of the kind and marks it for writing.
func (t *turn) hisCall(kind string) *HISCall {
	if kind == HISDebit {
		t.c.Debit = t.w.Debit
		return t.w.Debit
	}
	t.c.Reversal = t.w.Reversal
	return t.w.Reversal
}

// stepHIS sends a HIS call whose intent is new, or asks for the outcome of one
// that may already have been sent.
func (t *turn) stepHIS(ctx context.Context, kind string) (bool, error) {
	his, can, err := t.dir.HIS(ctx, t.w.Order.Institution)
	if err != nil {
		return false, err
	}
	if kind == HISReverse && !can.Reversible {
		if call := t.hisCall(kind); call != nil && t.fresh {
			call.Reported = HISNotFound // its intent is of this turn: it was never sent
		}
		t.suspend(flow.CodeHISNoReversal, flow.Reason{Actor: flow.ActorFinance})
		return false, t.commit(ctx, false)
	}
	call := t.hisCall(kind)
	if call == nil { // a compensating order starts without its intent
		t.intendHIS(kind)
		t.fresh = true
		return true, t.commit(ctx, true)
	}
	fresh := t.fresh
	t.fresh = false
	if fresh {
		if t.stale() {
			return false, flow.ErrConflict
		}
		return t.heardHIS(ctx, kind, call, t.sendHIS(ctx, his, kind, call), true)
	}
	if !can.Queryable {
		t.suspend(flow.CodeHISNotQueryable, flow.Reason{Actor: flow.ActorFinance})
		return false, t.commit(ctx, false)
	}
	ans := t.askHIS(ctx, his, kind, call)
	if ans.Verdict != flow.Done || ans.State != HISNotFound {
		return t.heardHIS(ctx, kind, call, ans, false)
	}
	if call.State == CallRefused {
		if settled := call.SentAt.Add(t.timing.Settle); t.at.Before(settled) {
			// An earlier send may still be under way to HIS.
			t.w.Order.NextAt = settled
			return false, t.commit(ctx, false)
		}
		return t.refusedHIS(ctx, kind, flow.Reason{Code: call.Code, Message: call.Message})
	}
	if !can.Idempotent {
		t.suspend(flow.CodeHISNotQueryable, flow.Reason{Message: "not idempotent", Actor: flow.ActorFinance})
		return false, t.commit(ctx, false)
	}
	if t.stale() {
		return false, flow.ErrConflict
	}
	return t.heardHIS(ctx, kind, call, t.sendHIS(ctx, his, kind, call), false)
}

func (t *turn) sendHIS(ctx context.Context, his HISLedger, kind string, call *HISCall) HISAnswer {
	call.Sent++
	call.SentAt, call.Reported = t.now(), "" // what was told before this send proves nothing
	ctx, cancel := context.WithTimeout(ctx, t.timing.Call)
	defer cancel()
	if kind == HISDebit {
		return his.Debit(ctx, t.w.Order.debit(call.No))
	}
	return his.Reverse(ctx, t.w.Order.reversal(call.No, t.debitNo()))
}

func (t *turn) askHIS(ctx context.Context, his HISLedger, kind string, call *HISCall) HISAnswer {
	ctx, cancel := context.WithTimeout(ctx, t.timing.Call)
	defer cancel()
	var ans HISAnswer
	if kind == HISDebit {
		ans = his.QueryDebit(ctx, t.w.Order.debit(call.No))
	} else {
		ans = his.QueryReverse(ctx, t.w.Order.reversal(call.No, t.debitNo()))
	}
	t.at = t.now()
	if ans.Verdict == flow.Refused { // a refused question says nothing about the money
		ans.Verdict = flow.Unknown
	}
	if ans.Verdict == flow.Done {
		call.Reported = ans.State
	}
	return ans
}

// heardHIS books the answer of a HIS call or of its query.
func (t *turn) heardHIS(ctx context.Context, kind string, call *HISCall, ans HISAnswer, first bool) (bool, error) {
	t.at = t.now()
	call.Code, call.Message = ans.Reason.Code, ans.Reason.Message
	switch {
	case ans.Verdict == flow.Done && ans.State == HISDone:
		return t.doneHIS(ctx, kind, call, ans)
	case ans.Verdict == flow.Done:
		call.State = CallOpen
		t.open(t.timing.Pending, t.timing.SuspendAfter, flow.CodePendingTooLong, ans.Reason)
	case ans.Verdict == flow.Refused && ans.Reason.Hold:
		call.State = CallOpen
		t.open([]time.Duration{t.timing.Hold}, t.timing.SuspendAfter, flow.CodePendingTooLong, ans.Reason)
	case ans.Verdict == flow.Refused && first:
		call.State = CallRefused
		return t.refusedHIS(ctx, kind, ans.Reason)
	case ans.Verdict == flow.Refused:
		// An earlier send of this number is unaccounted for: the refusal counts
		// only once a query has said that the number does not exist.
		call.State = CallRefused
		t.open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodeUnknownTooLong, ans.Reason)
	default:
		t.unknownHIS(kind, call, ans)
	}
	return false, t.commit(ctx, false)
}

func (t *turn) unknownHIS(kind string, call *HISCall, ans HISAnswer) {
	if call.State != CallRefused {
		call.State = CallOpen
	}
	if t.w.Order.Tries == 0 {
		t.note("his."+kind+".unknown", people.By{Kind: people.BySystem}, ans.Reason.Code, ans.Reason.Message)
	}
	t.open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodeUnknownTooLong, ans.Reason)
}

// doneHIS books a debit or reversal that HIS has carried out.
func (t *turn) doneHIS(ctx context.Context, kind string, call *HISCall, ans HISAnswer) (bool, error) {
	o := &t.w.Order
	call.State, call.HISNo, call.DoneAt = CallDone, ans.HISNo, t.at
	if (ans.Amount != 0 && ans.Amount != o.Amount) || (ans.CardNo != "" && ans.CardNo != o.CardNo) {
		t.suspend(flow.CodeAmountMismatch, flow.Reason{Message: "HIS " + ans.Amount.Yuan(), Actor: flow.ActorFinance})
		return false, t.commit(ctx, false)
	}
	if kind == HISReverse {
		t.move(o.Target, "his.reversed", people.By{Kind: people.BySystem}, "", "")
		t.ended(o.Target)
		return false, t.commit(ctx, false)
	}
	o.HISRefundNo, o.HISRefundAt = ans.HISNo, ans.At
	if o.HISRefundAt.IsZero() {
		o.HISRefundAt = t.at
	}
	if o.DebitAt == DebitAtApproval {
		t.note("his.debited", people.By{Kind: people.BySystem}, "", "")
		t.intendPayout()
		t.move(StatusPaying, "payout.started", people.By{Kind: people.BySystem}, "", "")
		t.fresh = true
		return true, t.commit(ctx, true)
	}
	t.note("his.debited", people.By{Kind: people.BySystem}, "", "")
	t.toReview()
	if t.due() { // the rules decide in the same transaction
		return t.stepReviewing(ctx)
	}
	return false, t.commit(ctx, false)
}

// refusedHIS ends an order that HIS would not debit, or suspends one that HIS
// would not reverse: its money is debited and not paid.
func (t *turn) refusedHIS(ctx context.Context, kind string, r flow.Reason) (bool, error) {
	if kind == HISReverse {
		t.suspend(flow.CodeHISNoReversal, r)
		return false, t.commit(ctx, false)
	}
	o := &t.w.Order
	o.FailCode, o.FailReason = r.Code, r.Message
	t.move(StatusRefused, "his.refused", people.By{Kind: people.BySystem}, r.Code, r.Message)
	t.ended(StatusRefused)
	return false, t.commit(ctx, false)
}
