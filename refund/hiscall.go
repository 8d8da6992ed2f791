package refund

import (
	"context"
	"time"

	"hospay/flow"
	"hospay/people"
)

// noTime marks an order as waiting for people, not for the clock.
var noTime time.Time

// The kinds of calls of a refund.
const (
	HISDebit   = "debit"
	HISReverse = "reverse"
	CallPayout = "payout"
)

// intendHIS writes the intent of a HIS call: its number and content hash.
func (t *turn) intendHIS(kind string) {
	call := t.nextHIS(kind)
	if kind == HISDebit {
		t.w.Debit, t.c.Debit = call, call
		return
	}
	t.w.Reversal, t.c.Reversal = call, call
}

// nextHIS is the HIS call that the order would make; its number follows from
// the order.
func (t *turn) nextHIS(kind string) *flow.Call {
	o := t.w.Order
	call := &flow.Call{Kind: kind, Attempt: 1, Amount: o.Amount, State: flow.CallIntent, SentAt: t.At}
	if kind == HISDebit {
		call.No = flow.CallNo(o.No, 'D', call.Attempt)
		call.Hash = o.debit(call.No).Hash()
		return call
	}
	call.No = flow.CallNo(o.No, 'V', call.Attempt)
	call.Hash = o.reversal(call.No, t.debitNo()).Hash()
	if t.w.Debit != nil { // only the HIS that has debited can take it back
		call.Connection = t.w.Debit.Connection
	}
	return call
}

// reopenReversal lets a reversal that was refused, and proved not to have moved
// anything, go out again under its number.
func (t *turn) reopenReversal() {
	if call := t.w.Reversal; call != nil && call.State != flow.CallDone {
		call.State, t.c.Reversal = flow.CallIntent, call
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
func (t *turn) hisCall(kind string) *flow.Call {
	if kind == HISDebit {
		t.c.Debit = t.w.Debit
		return t.w.Debit
	}
	t.c.Reversal = t.w.Reversal
	return t.w.Reversal
}

// Can says what the HIS that an order was sent to can do.
func (s *Service) Can(ctx context.Context, w Work) (HISTraits, error) {
	_, can, err := (&turn{Service: s, w: w}).his(ctx, nil)
	return can, err
}

// his is the HIS that a call was sent to; where there is no call yet the one that
// has debited, or else the one in force.
func (t *turn) his(ctx context.Context, call *flow.Call) (HIS, HISTraits, error) {
	if call == nil {
		call = t.w.Debit
	}
	if call == nil {
		return t.dir.HIS(ctx, t.w.Order.Institution)
	}
	return t.dir.HISOf(ctx, call.Connection)
}

// traits are what a HIS's answers are worth. HIS refuses in its own
// transaction, so that a refusal of the first send counts at once.
func (can HISTraits) traits() flow.Traits {
	return flow.Traits{Queryable: can.Queryable, Repeatable: can.Idempotent}
}

// answer is a HIS answer as the flow goes by it.
func (a HISAnswer) answer() flow.Answer {
	reports := map[HISState]flow.Report{HISDone: flow.ReportDone, HISNotFound: flow.ReportMissing}
	return flow.Answer{Verdict: a.Verdict, Reason: a.Reason, Report: reports[a.State], Said: a.State}
}

// stepHIS takes a debit or a reversal one step on.
func (t *turn) stepHIS(ctx context.Context, kind string) (bool, error) {
	call := t.hisCall(kind)
	his, can, err := t.his(ctx, call)
	if err != nil {
		return false, err
	}
	if kind == HISReverse && !can.Reversible {
		if call != nil && t.Fresh {
			call.Reported = HISNotFound // its intent is of this turn: it was never sent
		}
		t.Suspend(flow.CodeHISNoReversal, flow.Reason{Actor: flow.ActorFinance})
		return false, t.commit(ctx, false)
	}
	if call == nil {
		if restore, err := t.mayRestore(ctx); err != nil || !restore {
			return false, orCommit(err, func() error { return t.commit(ctx, false) })
		}
		t.intendHIS(kind)
		t.Fresh = true
		return true, t.commit(ctx, true)
	}
	if call.State == flow.CallDone { // told and booked while people had the order: later words do not undo it
		o := t.w.Order
		return t.doneHIS(ctx, kind, call, HISAnswer{Verdict: flow.Done, State: HISDone, HISNo: call.Theirs, Amount: o.Amount, At: o.HISRefundAt})
	}
	var heard HISAnswer
	outcome, ans, err := t.Exchange(ctx, flow.Exchange{
		Call: call, Traits: can.traits(), Event: "his." + kind, HoldLimit: t.timing.SuspendAfter, Before: t.mayMove,
		Send: func(ctx context.Context) flow.Answer { heard = t.sendHIS(ctx, his, kind, call); return heard.answer() },
		Ask:  func(ctx context.Context) flow.Answer { heard = t.queryHIS(ctx, his, kind, call); return heard.answer() },
	})
	switch {
	case err != nil:
		return false, err
	case outcome == flow.OutcomeAsk:
		return true, t.commit(ctx, true)
	case outcome == flow.OutcomeRefused:
		return t.refusedHIS(ctx, kind, flow.Reason{Code: call.Code, Message: call.Message})
	case outcome == flow.OutcomeHeard && ans.Report == flow.ReportDone:
		return t.doneHIS(ctx, kind, call, heard)
	case outcome == flow.OutcomeHeard:
		t.Open(t.timing.Pending, t.timing.SuspendAfter, flow.CodePendingTooLong, ans.Reason)
	}
	return false, t.commit(ctx, false)
}

// mayRestore asks the channel before the intent of a reversal is written: that
// nothing was paid, or that what was paid has come back.
func (t *turn) mayRestore(ctx context.Context) (bool, error) {
	if t.w.Order.Compensates != "" {
		return t.cameBack(ctx)
	}
	return t.nothingPaid(ctx)
}

// cameBack asks whether the payout that a compensating order makes up for has
// really come back: a callback alone does not restore a balance.
func (t *turn) cameBack(ctx context.Context) (bool, error) {
	o := t.w.Order
	paid, err := t.store.Get(ctx, o.Compensates)
	if err != nil {
		return false, err
	}
	ch, err := t.dir.ChannelOf(ctx, paid.Transfer.Connection)
	if err != nil {
		return false, err
	}
	ans := t.Ask(ctx, func(ctx context.Context) flow.Answer {
		return ch.Query(ctx, paid.Order.payout(paid.Transfer.No)).answer()
	})
	if ans.Verdict == flow.Done && (ans.Said == PayoutReturned || ans.Said == PayoutFailed) {
		return true, nil
	}
	t.Open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodePaidAfterFailure, ans.Reason)
	return false, nil
}

// orCommit commits unless something has failed before.
func orCommit(err error, commit func() error) error {
	if err != nil {
		return err
	}
	return commit()
}

func (t *turn) sendHIS(ctx context.Context, his HISLedger, kind string, call *flow.Call) HISAnswer {
	if kind == HISDebit {
		return his.Debit(ctx, t.w.Order.debit(call.No))
	}
	return his.Reverse(ctx, t.w.Order.reversal(call.No, t.debitNo()))
}

// queryHIS asks for a number and keeps what HIS says of it.
func (t *turn) queryHIS(ctx context.Context, his HISLedger, kind string, call *flow.Call) HISAnswer {
	var ans HISAnswer
	if kind == HISDebit {
		ans = his.QueryDebit(ctx, t.w.Order.debit(call.No))
	} else {
		ans = his.QueryReverse(ctx, t.w.Order.reversal(call.No, t.debitNo()))
	}
	if ans.Verdict == flow.Done {
		call.Reported = ans.State
	}
	return ans
}

// askHIS asks for a number outside of its exchange.
func (t *turn) askHIS(ctx context.Context, his HISLedger, kind string, call *flow.Call) HISAnswer {
	var heard HISAnswer
	ans := t.Ask(ctx, func(ctx context.Context) flow.Answer { heard = t.queryHIS(ctx, his, kind, call); return heard.answer() })
	heard.Verdict = ans.Verdict
	return heard
}

// oddHIS compares what HIS says it has carried out with what it was asked for.
func (t *turn) oddHIS(ctx context.Context, kind string, call *flow.Call, ans HISAnswer) flow.Reason {
	o := t.w.Order
	odd := func(code flow.Code, words string) flow.Reason {
		return flow.Reason{Code: string(code), Message: words, Actor: flow.ActorFinance}
	}
	switch {
	case ans.Amount != o.Amount:
		return odd(flow.CodeAmountMismatch, "HIS "+ans.Amount.Yuan())
	case ans.CardNo != "" && ans.CardNo != o.CardNo:
		return odd(flow.CodePartyMismatch, "HIS 应答：就诊卡不同")
	case ans.HISNo == "" || ans.HISNo == call.Theirs || kind == HISDebit && o.Compensates != "":
		return flow.Reason{}
	}
	if used, err := t.store.Taken(ctx, o, call, ans.HISNo); err == nil && used {
		return odd(flow.CodeNumberTaken, "HIS 退款单号 "+ans.HISNo)
	}
	return flow.Reason{}
}

// doneCall books in the journal that HIS has carried out a call. A time that
// cannot be is not taken for the date of the refund.
func (t *turn) doneCall(kind string, call *flow.Call, ans HISAnswer) {
	o := &t.w.Order
	call.State, call.Theirs, call.DoneAt = flow.CallDone, ans.HISNo, t.At
	t.c.Heard = append(t.c.Heard, call)
	if kind == HISDebit && o.Compensates == "" {
		o.HISRefundNo, o.HISRefundAt = ans.HISNo, ans.At
		if !flow.Plausible(ans.At, t.At) {
			o.HISRefundAt = t.At
		}
	}
}

// doneHIS books a debit or reversal that HIS has carried out.
func (t *turn) doneHIS(ctx context.Context, kind string, call *flow.Call, ans HISAnswer) (bool, error) {
	o := &t.w.Order
	if odd := t.oddHIS(ctx, kind, call, ans); odd.Code != "" {
		call.Reported = HISDone
		t.Suspend(flow.Code(odd.Code), odd)
		return false, t.commit(ctx, false)
	}
	t.doneCall(kind, call, ans)
	if kind == HISReverse {
		t.move(o.Target, "his.reversed", people.System(), "", "")
		t.ended(o.Target)
		return false, t.commit(ctx, false)
	}
	t.Note("his.debited", people.System(), "", "")
	if o.DebitAt == DebitAtApproval {
		t.intendPayout()
		t.move(StatusPaying, "payout.started", people.System(), "", "")
		t.Fresh = true
		return true, t.commit(ctx, true)
	}
	t.toReview()
	if t.IsDue() { // the rules decide in the same transaction
		return t.stepReviewing(ctx)
	}
	return false, t.commit(ctx, false)
}

// refusedHIS ends an order that HIS would not debit, or suspends one that HIS
// would not reverse: its money is debited and not paid.
func (t *turn) refusedHIS(ctx context.Context, kind string, r flow.Reason) (bool, error) {
	if kind == HISReverse {
		t.Suspend(flow.CodeHISNoReversal, r)
		return false, t.commit(ctx, false)
	}
	o := &t.w.Order
	o.FailCode, o.FailReason = r.Code, r.Message
	t.move(StatusRefused, "his.refused", people.System(), r.Code, r.Message)
	t.ended(StatusRefused)
	return false, t.commit(ctx, false)
}
