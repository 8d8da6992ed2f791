package payment

import (
	"cmp"
	"context"
	"time"

	"hospay/flow"
	"hospay/people"
)

// stepRefunding gives back the parts of a refund: the insurance's first, because
// it may be refused, then the cash; then the channel and HIS are told.
func (t *turn) stepRefunding(ctx context.Context) (bool, error) {
	o, r := &t.w.Order, t.w.Refund
	if r.Insurance && o.Insurance != InsuranceSettled && r.InsuranceNo == "" {
		r.InsuranceNo, t.c.Refund = t.insuranceNo(), r
	}
	switch {
	case r.Insurance && o.Insurance == InsuranceSettled:
		return t.refundInsurance(ctx)
	case r.Cash > 0 && !r.CashDone:
		return t.refundCash(ctx)
	}
	if p, err := t.tellChannel(ctx); err != nil || p != paceOn {
		return p == paceAgain, err
	}
	if p, err := t.tellHIS(ctx); err != nil || p != paceOn {
		return p == paceAgain, err
	}
	t.refunded("refund.done", people.System())
	return false, t.commit(ctx, false)
}

// insuranceNo is the number under which the insurance's part went back.
func (t *turn) insuranceNo() string {
	if c := t.w.Calls[CallBack]; c != nil {
		return cmp.Or(c.Theirs, c.No)
	}
	if c := t.w.Calls[CallUncharge]; c != nil {
		return cmp.Or(t.w.Order.Settlement.CancelNo, c.Theirs, c.No)
	}
	return ""
}

// refunded ends a refund and with it, once nothing of the money is here any more,
// the order.
func (t *turn) refunded(event string, by people.By) {
	o, r := &t.w.Order, t.w.Refund
	r.State, r.DoneAt, t.c.Refund = RefundDoneState, t.At, r
	to := StatusPartRefunded
	if o.Insurance != InsuranceSettled && o.CashKept() == 0 {
		to = StatusRefunded
	}
	if !r.ByItself {
		o.FailCode, o.FailReason = "", ""
	}
	t.end(to, event, by, flow.Code(o.FailCode), r.Reason)
}

// refundInsurance gives the insurance's part back at the centre (6203), under one
// number for ever. 6301 is asked before each step, and what it tells alone proves
// that the money went back.
func (t *turn) refundInsurance(ctx context.Context) (bool, error) {
	if err := t.lookCentre(ctx); err != nil {
		return false, err
	}
	o, c := &t.w.Order, t.w.Calls[CallBack]
	switch {
	case t.saw.centre == nil:
		t.Open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodeUnknownTooLong, t.saw.silent)
		return false, t.commit(ctx, false)
	case o.Insurance != InsuranceSettled:
		if c != nil {
			t.done(CallBack)
		}
		o.Tries, o.OpenSince = 0, noTime
		t.DueNow()
		return true, t.commit(ctx, true)
	case t.reversed():
		t.Open(t.timing.Pending, t.timing.RefundUnsure, CodeReversalUnproved, flow.Reason{Actor: flow.ActorFinance})
		return false, t.commit(ctx, false)
	case (c == nil || over(c) || t.mayAgain(c)) && !t.authorised():
		t.waitForAuth()
		return false, t.commit(ctx, false)
	case c == nil:
		o.BackKind, o.BackAt = o.backKind(*t.w.Refund), t.At
		t.intend(CallBack, o.Fund+o.Account, func(no string) string { return o.insuranceBack(no).Hash() })
		return true, t.commit(ctx, true)
	case over(c):
		t.again(c)
		return true, t.commit(ctx, true)
	}
	return t.sendBack(ctx, c)
}

// reversed reports whether HIS has said that it took the insurance's part back.
func (t *turn) reversed() bool {
	c := t.w.Calls[CallUncharge]
	return c != nil && c.State == flow.CallDone
}

// waitForAuth waits for the patient to authorise the refund.
func (t *turn) waitForAuth() {
	t.w.Order.Secrets.forgetCredential()
	t.Move(StatusWaitAuth, "refund.wait_auth", people.System(), string(CodeNotAuthorised), "")
	t.w.Order.OpenSince = t.At
	t.Tell(flow.Notice{Event: NoticeRefundAuth, At: t.At})
}

// mayAgain reports whether the one number of 6203 may go out again: the centre
// says that nothing went back, no send can still be under way, and people have
// not been asked yet.
func (t *turn) mayAgain(c *flow.Call) bool {
	return c.Sent < t.timing.BackSends && c.Reported != "succ" && !t.At.Before(c.SentAt.Add(t.timing.Settle))
}

func (t *turn) sendBack(ctx context.Context, c *flow.Call) (bool, error) {
	centre, err := t.centre(ctx)
	if err != nil {
		return false, err
	}
	o := &t.w.Order
	outcome, ans, err := t.run(ctx, flow.Exchange{
		Call: c, Traits: flow.Traits{Queryable: true, Repeatable: true}, Before: t.mayGoBack,
		Send: func(ctx context.Context) flow.Answer {
			a := centre.Refund(ctx, o.insuranceBack(c.No))
			return flow.Answer{Verdict: a.Verdict, Reason: a.Reason, Report: flow.ReportOpen, Said: "succ", Theirs: a.No}
		},
		Ask: func(context.Context) flow.Answer { // 6301 was just asked: nothing went back yet
			a := flow.Answer{Verdict: flow.Done, Report: flow.ReportOpen, Said: c.Reported}
			if t.mayAgain(c) {
				a.Report, a.Said = flow.ReportMissing, "not_found"
			}
			return a
		},
	})
	switch {
	case err != nil:
		return false, err
	case outcome == flow.OutcomeAsk:
		return true, t.commit(ctx, true)
	case outcome == flow.OutcomeRefused && ans.Reason.Actor == flow.ActorPatient: // the credential: once more
		t.finish(c)
		t.waitForAuth()
	case outcome == flow.OutcomeRefused:
		t.finish(c)
		t.Suspend(CodeRefundRefused, flow.Reason{Code: c.Code, Message: c.Message, Actor: flow.ActorFinance})
	case outcome == flow.OutcomeHeard && ans.Said == "succ" && c.State == flow.CallOpen && t.saw.centre != nil && o.Tries == 0:
		o.Tries++
		t.DueNow() // 6301 says whether it is so
		return true, t.commit(ctx, true)
	case outcome == flow.OutcomeHeard:
		t.Open(t.timing.Pending, t.timing.RefundUnsure, CodeRefundUnclear, flow.Reason{Message: c.Message, Actor: flow.ActorFinance})
	}
	return false, t.commit(ctx, false)
}

// stepWaitAuth waits for the credential of a refund, then for people.
func (t *turn) stepWaitAuth(ctx context.Context) (bool, error) {
	o := &t.w.Order
	if !t.authorised() {
		t.takeGrant(ctx)
	}
	if t.authorised() {
		t.Move(StatusRefunding, "refund.authorised", people.System(), "", "")
		return true, t.commit(ctx, true)
	}
	h, err := t.habits(ctx)
	if err != nil {
		return false, err
	}
	until := o.OpenSince.Add(h.RefundWait)
	if !t.At.Before(until) {
		t.Suspend(CodeRefundNoAuth, flow.Reason{Actor: flow.ActorFinance})
		return false, t.commit(ctx, false)
	}
	remind := t.timing.Remind
	if o.Tries < len(remind) && !t.At.Before(o.OpenSince.Add(remind[o.Tries])) {
		o.Tries++
		t.Tell(flow.Notice{Event: NoticeRefundAuth, Round: o.Tries, At: t.At})
	}
	if o.NextAt = until; o.Tries < len(remind) {
		if next := o.OpenSince.Add(remind[o.Tries]); next.Before(until) {
			o.NextAt = next
		}
	}
	return false, t.commit(ctx, false)
}

// refundCash gives the cash back at the channel. A new number is made only after
// proof that the former gave nothing back.
func (t *turn) refundCash(ctx context.Context) (bool, error) {
	o, r, c := &t.w.Order, t.w.Refund, t.w.Calls[CallCashBack]
	if c == nil || ended(c) {
		if p, err := t.cashIsHere(ctx); err != nil || p != paceOn {
			return p == paceAgain, err
		}
		t.intend(CallCashBack, r.Cash, func(no string) string { return o.cashBack(no, *r).Hash() })
		return true, t.commit(ctx, true)
	}
	ch, err := t.channel(ctx)
	if err != nil {
		return false, err
	}
	_, traits := ch.TradeTraits()
	var heard RefundAnswer
	outcome, ans, err := t.run(ctx, flow.Exchange{
		Call: c, Traits: traits, Before: t.mayGoBack,
		Send: func(ctx context.Context) flow.Answer {
			heard = t.judgeCashBack(ch.RefundTrade(ctx, o.cashBack(c.No, *r)))
			if heard.Reason.Code == string(flow.CodeNotTold) { // that it was carried out; the query says how much
				heard.Verdict, heard.State, heard.Reason = flow.Done, RefundProcessing, flow.Reason{}
			}
			return heard.answer()
		},
		Ask: func(ctx context.Context) flow.Answer {
			heard = t.judgeCashBack(ch.QueryTradeRefund(ctx, o.cashBack(c.No, *r)))
			return heard.answer()
		},
	})
	switch {
	case err != nil:
		return false, err
	case t.odd.Code != "":
		c.Reported = RefundDone
		t.suspendOdd()
	case outcome == flow.OutcomeAsk:
		return true, t.commit(ctx, true)
	case outcome == flow.OutcomeHeard && ans.Report == flow.ReportDone:
		t.cashWentBack(heard.At)
		t.DueNow()
		return true, t.commit(ctx, true)
	case outcome == flow.OutcomeRefused, outcome == flow.OutcomeHeard && ans.Report == flow.ReportFailed:
		t.finish(c)
		t.Suspend(CodeCashRefundFailed, flow.Reason{Code: c.Code, Message: ans.Reason.Message, Actor: flow.ActorFinance})
	case outcome == flow.OutcomeHeard:
		t.Open(t.timing.Pending, t.timing.PendingLimit, flow.CodePendingTooLong, flow.Reason{Actor: flow.ActorFinance})
	}
	return false, t.commit(ctx, false)
}

// cashWentBack books the return of cash at the channel.
func (t *turn) cashWentBack(at time.Time) {
	o, r, c := &t.w.Order, t.w.Refund, t.w.Calls[CallCashBack]
	c.State, c.DoneAt = flow.CallDone, t.At
	t.bookCashBack(r, cmp.Or(c.Theirs, c.No), at)
	o.Tries, o.OpenSince = 0, noTime
	t.Note("cash.refunded", byChannel(o.Channel), "", r.Cash.Yuan())
}

// bookCashBack books that the cash of a refund went back, at a time that is taken
// where it can be.
func (t *turn) bookCashBack(r *Refund, no string, at time.Time) {
	o := &t.w.Order
	o.CashBack += r.Cash
	if o.CashLeg = CashPartReturned; o.CashBack >= o.CashDue() {
		o.CashLeg = CashReturned
	}
	r.CashDone, r.CashNo, r.CashAt, t.c.Refund = true, no, t.At, r
	if flow.Plausible(at, t.At) && !at.Before(o.PaidAt) {
		r.CashAt = at
	}
}

// cashIsHere asks the channel, before a refund of ours, whether the cash has gone
// back already: a channel gives it back by itself where the other half failed.
func (t *turn) cashIsHere(ctx context.Context) (pace, error) {
	o, r := &t.w.Order, t.w.Refund
	ch, err := t.channel(ctx)
	if err != nil {
		return paceStop, err
	}
	// An older copy of the data does not know what went back after it was made.
	no, attempt, next := t.askNextBack(ctx, ch, 0)
	switch {
	case next.Verdict != flow.Done:
		t.Open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodeUnknownTooLong, next.Reason)
		return paceStop, t.commit(ctx, false)
	case next.State == RefundNotFound || next.State == RefundFailed:
	case next.Told && next.Amount != r.Cash:
		t.strange(flow.CodeAmountMismatch, "渠道已有本单的退款 "+no+"，"+next.Amount.Yuan())
	default:
		t.takeOver(CallCashBack, attempt, r.Cash, t.connection(CallTrade, CallMixed), next.State, next.ChannelNo, o.cashBack(no, *r).Hash())
		return paceAgain, t.commit(ctx, true)
	}
	if t.odd.Code == "" {
		if err := t.lookCash(ctx); err != nil {
			return paceStop, err
		}
	}
	switch {
	case t.odd.Code != "":
		t.suspendOdd()
	case o.CashLeg == CashReturned && r.ByItself:
		r.CashDone, t.c.Refund = true, r
		return paceAgain, t.commit(ctx, true)
	case o.CashLeg == CashReturned:
		t.Suspend(CodeCashGone, flow.Reason{Actor: flow.ActorFinance})
	case t.saw.trade == nil:
		t.Open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodeUnknownTooLong, t.saw.silent)
	default:
		o.Tries, o.OpenSince = 0, noTime
		return paceOn, nil
	}
	return paceStop, t.commit(ctx, false)
}

func (a RefundAnswer) answer() flow.Answer {
	reports := map[RefundState]flow.Report{RefundDone: flow.ReportDone, RefundFailed: flow.ReportFailed, RefundNotFound: flow.ReportMissing}
	return flow.Answer{Verdict: a.Verdict, Reason: a.Reason, Report: reports[a.State], Said: a.State, Theirs: a.ChannelNo}
}

// judgeCashBack keeps a refund of other money from being believed.
func (t *turn) judgeCashBack(a RefundAnswer) RefundAnswer {
	if a.Verdict != flow.Done || a.State == RefundNotFound {
		return a
	}
	switch {
	case a.Differs != "":
		a.Verdict, a.Reason = flow.Unknown, t.strange(flow.CodePartyMismatch, "渠道应答："+a.Differs)
	case a.Told && a.Amount != t.w.Refund.Cash:
		a.Verdict, a.Reason = flow.Unknown, t.strange(flow.CodeAmountMismatch, "渠道 "+a.Amount.Yuan())
	case !a.Told && a.State == RefundDone:
		a.Verdict, a.Reason = flow.Unknown, bare("渠道说已退款，没有说金额")
	}
	if t.odd.Code != "" && a.State != RefundDone { // no money speaks from it
		t.odd = flow.Reason{}
	}
	return a
}
