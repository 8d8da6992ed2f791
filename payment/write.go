package payment

import (
	"context"

	"hospay/flow"
	"hospay/people"
)

// answer is what HIS says of one of our numbers as the flow goes by it.
func (r Receipt) answer() flow.Answer {
	reports := map[ReceiptState]flow.Report{ReceiptDone: flow.ReportDone, ReceiptNotFound: flow.ReportMissing}
	return flow.Answer{Verdict: r.Verdict, Reason: r.Reason, Report: reports[r.State], Said: r.State, Theirs: r.HISNo}
}

// writeTraits are what a HIS's answers about a write-back are worth. HIS refuses
// in its own transaction, so that a refusal of the first send counts at once.
func (c HISCan) writeTraits() flow.Traits {
	return flow.Traits{Queryable: c.Check, Repeatable: c.Idempotent}
}

// judgeReceipt keeps a receipt that speaks of another bill or amount from being
// believed.
func (t *turn) judgeReceipt(ctx context.Context, kind string, r Receipt) Receipt {
	if r.Verdict != flow.Done || r.State != ReceiptDone {
		return r
	}
	switch {
	case r.Differs != "":
		t.strange(flow.CodePartyMismatch, "HIS 应答："+r.Differs)
	case r.Told && r.Amount != t.w.Order.Total:
		t.strange(flow.CodeAmountMismatch, "HIS "+r.Amount.Yuan())
	case kind == CallCharge && t.taken(ctx, kind, r.HISNo):
		t.strange(flow.CodeNumberTaken, "HIS 收据号 "+r.HISNo)
	}
	if t.odd.Code != "" {
		r.Verdict, r.Reason = flow.Unknown, t.odd
	}
	return r
}

// stepWriting tells HIS that the bill is paid. What it answers is never guessed:
// an unknown outcome is asked for (trade_check), and written again only where HIS
// takes the same number twice as one.
func (t *turn) stepWriting(ctx context.Context) (bool, error) {
	his, err := t.his(ctx)
	if err != nil {
		return false, err
	}
	o, c := &t.w.Order, t.w.Calls[CallCharge]
	if c.Reported == saidAnew {
		t.again(c)
		return true, t.commit(ctx, true)
	}
	var heard Receipt
	outcome, ans, err := t.run(ctx, flow.Exchange{
		Call: c, Traits: his.Can().writeTraits(),
		Send: func(ctx context.Context) flow.Answer {
			heard = t.judgeReceipt(ctx, CallCharge, his.WriteCharge(ctx, o.charge(c.No)))
			return heard.answer()
		},
		Ask: func(ctx context.Context) flow.Answer {
			heard = t.judgeReceipt(ctx, CallCharge, his.CheckCharge(ctx, o.charge(c.No)))
			return heard.answer()
		},
	})
	switch {
	case err != nil:
		return false, err
	case t.odd.Code != "":
		c.Reported = ReceiptDone
		t.suspendOdd()
	case outcome == flow.OutcomeAsk:
		return true, t.commit(ctx, true)
	case outcome == flow.OutcomeHeard && ans.Report == flow.ReportDone:
		t.written(heard)
	case outcome == flow.OutcomeRefused:
		written, known := t.saysWritten(ctx, his, c)
		switch {
		case t.odd.Code != "":
			t.suspendOdd()
		case !known:
			c.Doubt = true // asked for once more, when no send can be under way
			t.Open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodeUnknownTooLong, t.saw.silent)
		case written.State == ReceiptDone:
			t.written(written)
		default:
			t.finish(c)
			return t.refusedByHIS(ctx, his, flow.Reason{Code: c.Code, Message: c.Message})
		}
	case outcome == flow.OutcomeHeard:
		t.Open(t.timing.Pending, t.timing.SuspendAfter, flow.CodePendingTooLong, ans.Reason)
	}
	if o.Status == StatusWriting && o.Tries == 1 { // HIS has not answered: so that nobody pays twice
		t.Tell(flow.Notice{Event: NoticeReceived, At: t.At})
	}
	return false, t.commit(ctx, false)
}

// saysWritten asks HIS, where it can be asked, for a number that it has refused: that
// the bill is paid may be this very payment, written by a program of which this data
// is an older copy. known is false where it does not answer.
func (t *turn) saysWritten(ctx context.Context, his HIS, c *flow.Call) (r Receipt, known bool) {
	if !his.Can().Check {
		return r, true
	}
	ans := t.Ask(ctx, func(ctx context.Context) flow.Answer {
		r = t.judgeReceipt(ctx, CallCharge, his.CheckCharge(ctx, t.w.Order.charge(c.No)))
		return r.answer()
	})
	t.saw.silent = ans.Reason
	return r, ans.Verdict == flow.Done
}

// written books that HIS has the payment. A time that cannot be is not taken.
func (t *turn) written(r Receipt) {
	o, c := &t.w.Order, t.w.Calls[CallCharge]
	c.State, c.DoneAt = flow.CallDone, t.At
	if r.HISNo != "" {
		c.Theirs, o.ReceiptNo = r.HISNo, r.HISNo
		t.c.Heard = append(t.c.Heard, c)
	}
	if r.Guide != "" {
		o.Guide = r.Guide
	}
	if o.WrittenAt = t.At; flow.Plausible(r.At, t.At) {
		o.WrittenAt = r.At
	}
	o.FailCode, o.FailReason = "", ""
	t.end(StatusDone, "his.written", people.System(), "", "")
}

// refusedByHIS gives back what was paid for a bill that HIS does not take: by HIS
// where it reverses the insurance's part without the patient, else by the
// ordinary refund.
func (t *turn) refusedByHIS(ctx context.Context, his HIS, r flow.Reason) (bool, error) {
	o := &t.w.Order
	o.FailCode, o.FailReason = string(CodeHISRefused), r.String()
	reverses := false
	if o.Insurance == InsuranceSettled && his.Can().Reverse {
		h, err := t.habits(ctx)
		if err != nil {
			return false, err
		}
		reverses = h.HISReverses
	}
	if reverses {
		t.Move(StatusReversing, "his.refused", people.System(), r.Code, r.Message)
		return true, t.commit(ctx, true)
	}
	t.giveBack("his.refused", people.System(), CodeHISRefused)
	return t.IsDue(), t.commit(ctx, t.IsDue())
}

// stepReversing lets HIS take the insurance's part back without the patient
// (免授权冲正). That it did is believed from the centre alone.
func (t *turn) stepReversing(ctx context.Context) (bool, error) {
	if err := t.lookCentre(ctx); err != nil {
		return false, err
	}
	o, c := &t.w.Order, t.w.Calls[CallUncharge]
	switch {
	case t.saw.centre == nil:
		t.Open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodeUnknownTooLong, t.saw.silent)
		return false, t.commit(ctx, false)
	case o.Insurance != InsuranceSettled:
		t.giveBack("his.reversed", people.System(), CodeHISRefused)
		return t.IsDue(), t.commit(ctx, t.IsDue())
	case c == nil:
		t.intend(CallUncharge, o.Total, func(no string) string { return o.reversal(no, t.w.Calls[CallCharge].No).Hash() })
		return true, t.commit(ctx, true)
	case c.State == flow.CallDone:
		t.Open(t.timing.Pending, t.timing.RefundUnsure, CodeReversalUnproved, flow.Reason{Actor: flow.ActorFinance})
		return false, t.commit(ctx, false)
	}
	return t.reverse(ctx, c)
}

func (t *turn) reverse(ctx context.Context, c *flow.Call) (bool, error) {
	his, err := t.his(ctx)
	if err != nil {
		return false, err
	}
	o := &t.w.Order
	var heard Receipt
	ask := func(f func(context.Context, Charge) Receipt) func(context.Context) flow.Answer {
		return func(ctx context.Context) flow.Answer {
			heard = t.judgeReceipt(ctx, CallUncharge, f(ctx, o.reversal(c.No, t.w.Calls[CallCharge].No)))
			return heard.answer()
		}
	}
	outcome, ans, err := t.run(ctx, flow.Exchange{Call: c, Traits: his.Can().writeTraits(), Before: t.mayGoBack,
		Send: ask(his.ReverseCharge), Ask: ask(his.CheckReverse)})
	switch {
	case err != nil:
		return false, err
	case t.odd.Code != "":
		t.suspendOdd()
	case outcome == flow.OutcomeAsk:
		return true, t.commit(ctx, true)
	case outcome == flow.OutcomeHeard && ans.Report == flow.ReportDone:
		c.State, c.DoneAt = flow.CallDone, t.At
		o.Settlement.CancelNo, o.Settlement.CancelSer = heard.CancelNo, heard.CancelSer
		o.Tries, o.OpenSince = 0, noTime
		t.Note("his.reversed", people.System(), "", "")
		t.DueNow()
		return true, t.commit(ctx, true)
	case outcome == flow.OutcomeRefused: // then by the patient's credential
		t.finish(c)
		t.giveBack("his.not_reversed", people.System(), CodeHISRefused)
		return true, t.commit(ctx, true)
	case outcome == flow.OutcomeHeard:
		t.Open(t.timing.Pending, t.timing.SuspendAfter, flow.CodePendingTooLong, ans.Reason)
	}
	return false, t.commit(ctx, false)
}
