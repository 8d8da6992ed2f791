package payment

import (
	"context"
	"time"

	"hospay/flow"
	"hospay/people"
)

// pace is how a part of a step has ended.
type pace int8

const (
	paceOn    pace = iota // nothing is committed: go on
	paceAgain             // committed, and the step is taken again at once
	paceStop              // committed: the order waits
)

// stepUndoing ends an order that shall not be paid: the cash is closed first,
// then the centre is asked (6301), and only then it is revoked (6401). Whatever
// turns out to be paid meanwhile is not lost: it is paid after all, or goes back.
func (t *turn) stepUndoing(ctx context.Context) (bool, error) {
	if p, err := t.closeCash(ctx); err != nil || p != paceOn {
		return p == paceAgain, err
	}
	o := &t.w.Order
	if o.CashLeg == CashPaid && !o.GiveBack {
		t.Move(StatusPaying, "order.paid_after_all", people.System(), "", "")
		return true, t.commit(ctx, true)
	}
	if p, err := t.closeMixed(ctx); err != nil || p != paceOn {
		return p == paceAgain, err
	}
	if o.PayOrdID != "" && !t.insuranceOver() {
		return t.revoke(ctx)
	}
	t.undone()
	return t.IsDue(), t.commit(ctx, t.IsDue())
}

// undone moves on from an order of which nobody can pay anything any more.
func (t *turn) undone() {
	o := &t.w.Order
	if o.CashKept() > 0 || o.CashLeg == CashReturned || o.Insurance == InsuranceSettled {
		code := flow.Code(o.FailCode)
		if code == "" {
			code = CodeOrderExpired
		}
		t.giveBack("order.lost", people.System(), code)
		return
	}
	target := o.Target
	if target == "" {
		target = StatusCancelled
	}
	t.end(target, "order."+string(target), people.System(), flow.Code(o.FailCode), o.FailReason)
}

func (t *turn) insuranceOver() bool {
	switch t.w.Order.Insurance {
	case InsuranceFailed, InsuranceUndone, InsuranceReturned, InsuranceSettled:
		return true
	}
	return false
}

// closeCash makes the cash order unpayable. What closing did is proved by the
// query that follows it. A number that the channel does not know may still be on
// its way there for as long as Settle.
func (t *turn) closeCash(ctx context.Context) (pace, error) {
	o, trade := &t.w.Order, t.w.Calls[CallTrade]
	if trade == nil || o.CashLeg != CashOpen {
		return paceOn, nil
	}
	ch, err := t.channel(ctx)
	if err != nil {
		return paceStop, err
	}
	c := t.w.Calls[CallClose]
	if c == nil {
		t.intend(CallClose, o.CashDue(), func(no string) string { return flow.Fingerprint([]string{no, o.TradeNo}) })
		return paceAgain, t.commit(ctx, true)
	}
	outcome, ans, err := t.run(ctx, flow.Exchange{
		Call: c, Traits: flow.Traits{Queryable: true, Repeatable: true},
		Send: func(ctx context.Context) flow.Answer {
			said := ch.CloseTrade(ctx, o.trade())
			now := t.judgeTrade(ctx, ch.QueryTrade(ctx, o.trade()))
			if now.Verdict != flow.Done { // that the payer is paying is no refusal of ours
				return flow.Answer{Reason: flow.Reason{Code: said.Reason.Code, Message: said.Reason.Message}}
			}
			ans := t.closing(now)
			if ans.Report == flow.ReportMissing {
				ans.Report = flow.ReportOpen
			}
			return ans
		},
		Ask: func(ctx context.Context) flow.Answer {
			return t.closing(t.judgeTrade(ctx, ch.QueryTrade(ctx, o.trade())))
		},
	})
	switch {
	case err != nil:
		return paceStop, err
	case t.odd.Code != "":
		t.suspendOdd()
	case outcome == flow.OutcomeHeard && ans.Report == flow.ReportDone:
		c.State, c.DoneAt = flow.CallDone, t.At
		o.Tries, o.OpenSince = 0, noTime
		return paceOn, nil
	case outcome == flow.OutcomeHeard && ans.Report == flow.ReportFailed:
		t.finish(c)
		return paceOn, nil
	case outcome == flow.OutcomeHeard:
		t.Open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodePendingTooLong, ans.Reason)
	}
	if over := o.ExpiresAt.Add(codeOver); o.Terminal == TerminalKiosk && t.At.Before(over) && o.NextAt.After(over) {
		o.NextAt = over
	}
	return paceStop, t.commit(ctx, false)
}

// codeOver is how long after its end a code that a kiosk has shown is known to be
// worth nothing. One channel cannot close a code that nobody has scanned: it is
// asked again then, so that the bill is free.
const codeOver = 90 * time.Second

// closing is what an answer about a trade says of its closing.
func (t *turn) closing(a TradeAnswer) flow.Answer {
	ans := a.answer()
	if a.Verdict != flow.Done {
		return ans
	}
	switch a.State {
	case TradeClosed, TradeRefunded:
		ans.Report = flow.ReportDone
	case TradePaid:
		ans.Report = flow.ReportFailed
	case TradeNotFound:
		ans.Report = flow.ReportOpen
		if !t.At.Before(t.w.Calls[CallTrade].SentAt.Add(t.timing.Settle)) {
			ans.Report = flow.ReportDone
			t.keepTrade(TradeAnswer{State: TradeClosed})
		}
	default:
		ans.Report = flow.ReportMissing // not closed yet: asked for once more
	}
	return ans
}

// closeMixed asks the channel to cancel the mixed order, where it can. Nothing
// depends on it: without its cash it cannot be paid, and once it is revoked at the
// centre the insurance's part cannot be settled.
func (t *turn) closeMixed(ctx context.Context) (pace, error) {
	mixed := t.w.Calls[CallMixed]
	if mixed == nil || over(mixed) {
		return paceOn, nil
	}
	ch, err := t.channel(ctx)
	if err != nil {
		return paceStop, err
	}
	h, err := t.habits(ctx)
	if err != nil {
		return paceStop, err
	}
	o := &t.w.Order
	if c := t.w.Calls[CallCloseMixed]; c == nil {
		t.intend(CallCloseMixed, o.CashDue(), func(no string) string { return flow.Fingerprint([]string{no, o.TradeNo, o.PayOrdID}) })
		return paceAgain, t.commit(ctx, true)
	} else if c.State == flow.CallIntent {
		_, _, err := t.run(ctx, flow.Exchange{Call: c, Traits: flow.Traits{Harmless: true},
			Send: func(ctx context.Context) flow.Answer {
				a := ch.MedIns.CloseMixed(ctx, o.mixed(h))
				return flow.Answer{Verdict: a.Verdict, Reason: a.Reason, Said: a.State}
			}})
		if err != nil {
			return paceStop, err
		}
		if c.State == flow.CallIntent { // not sent, and not needed: the next query tells
			t.finish(c)
		}
	}
	return paceOn, nil
}

// revoke asks the centre, and revokes an order that nobody has paid. 6401 is never
// sent without a 6301 just before it.
func (t *turn) revoke(ctx context.Context) (bool, error) {
	if err := t.lookCentre(ctx); err != nil {
		return false, err
	}
	o, a := &t.w.Order, t.saw.centre
	switch {
	case t.odd.Code != "":
		t.suspendOdd()
		return false, t.commit(ctx, false)
	case a == nil:
		t.Open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodeUnknownTooLong, t.saw.silent)
		return false, t.commit(ctx, false)
	case t.insuranceOver():
		return t.insuranceEnded(ctx)
	case a.Stas == StasCashDone && (o.CashLeg == CashPaid || o.CashLeg == CashReturned):
		o.Insurance = InsuranceFailed // the cash is here and goes back: the insurance cannot be settled without its channel
		return true, t.commit(ctx, true)
	case a.Stas.Group() != Processing: // contradicts the channel, which says that nobody has paid
		t.Open(t.timing.Pending, t.timing.SuspendAfter, CodeContradicted, flow.Reason{Message: "医保中心的状态是 " + a.Stas.String()})
		return false, t.commit(ctx, false)
	}
	if t.w.Calls[CallUndo] == nil {
		t.intend(CallUndo, 0, func(string) string { return o.ref().Hash() })
		return true, t.commit(ctx, true)
	}
	return t.sendUndo(ctx, *a)
}

// insuranceEnded goes on with an order whose insurance part has come to its end
// while it was being undone. A bill that the insurance has paid alone is paid.
func (t *turn) insuranceEnded(ctx context.Context) (bool, error) {
	o := &t.w.Order
	if c := t.w.Calls[CallUndo]; c != nil && c.State != flow.CallDone && o.Insurance == InsuranceUndone {
		c.State, c.DoneAt = flow.CallDone, t.At
		t.keep(c)
	}
	if o.Insurance == InsuranceSettled && o.CashDue() == 0 && !o.GiveBack {
		t.Move(StatusPaying, "order.paid_after_all", people.System(), "", "")
	}
	t.DueNow()
	return true, t.commit(ctx, true)
}

func (t *turn) sendUndo(ctx context.Context, known AtCentre) (bool, error) {
	centre, err := t.centre(ctx)
	if err != nil {
		return false, err
	}
	c := t.w.Calls[CallUndo]
	if c.State == flow.CallRefused { // the centre has refused while its state says that it may: asked again later
		c.State = flow.CallOpen
	}
	outcome, ans, err := t.run(ctx, flow.Exchange{
		Call: c, Traits: flow.Traits{Queryable: true, Repeatable: true}, Before: t.freshly(),
		Send: func(ctx context.Context) flow.Answer {
			r := centre.Undo(ctx, t.w.Order.ref())
			return flow.Answer{Verdict: r.Verdict, Reason: r.Reason, Report: flow.ReportOpen, Said: "sent"}
		},
		Ask: func(context.Context) flow.Answer { // it was just asked
			return flow.Answer{Verdict: flow.Done, Report: flow.ReportMissing, Said: flow.Said("stas_" + known.Stas.String())}
		},
	})
	switch {
	case err != nil:
		return false, err
	case outcome == flow.OutcomeHeard: // proved by the next 6301
		t.Wait(t.timing.Unknown[0] / 5)
	case outcome == flow.OutcomeRefused:
		t.Open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodeRefusedForGood, ans.Reason)
	}
	return false, t.commit(ctx, false)
}

// freshly holds 6401 back where time has passed since 6301 was heard.
func (t *turn) freshly() func(context.Context) (time.Duration, error) {
	asked := t.At
	return func(ctx context.Context) (time.Duration, error) {
		if t.now().Sub(asked) > t.timing.Call {
			return t.timing.Unknown[0] / 5, nil
		}
		return t.mayMove(ctx)
	}
}
