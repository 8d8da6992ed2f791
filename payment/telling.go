package payment

import (
	"context"

	"hospay/flow"
	"hospay/people"
)

// tellChannel tells the channel that the insurance's part of a mixed order went
// back. That it cannot be told stops nothing.
func (t *turn) tellChannel(ctx context.Context) (pace, error) {
	r := t.w.Refund
	if t.w.Calls[CallMixed] == nil || !r.Insurance {
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
	told := t.w.Order.told(h, *r, t.w.Calls[CallCashBack])
	return t.tell(ctx, CallTold, r, true, func(ctx context.Context, _ string) flow.Answer { return ch.MedIns.TellRefund(ctx, told) })
}

// tellHIS tells HIS, where it has the payment and wants to hear it, what went
// back.
func (t *turn) tellHIS(ctx context.Context) (pace, error) {
	charge := t.w.Calls[CallCharge]
	if charge == nil || charge.State != flow.CallDone || t.w.Refund.Told {
		return paceOn, nil
	}
	his, err := t.his(ctx)
	if err != nil {
		return paceStop, err
	}
	can := his.Can()
	if !can.Refunds {
		return paceOn, nil
	}
	o, r := t.w.Order, t.w.Refund
	whole := o.Insurance != InsuranceSettled && o.CashKept() == 0
	return t.tell(ctx, CallToldHIS, r, can.Idempotent, func(ctx context.Context, no string) flow.Answer {
		return his.TellRefund(ctx, o.partBack(no, charge.No, *r, whole))
	})
}

// tell sends a message of a refund, once per refund. One that is refused or not
// answered is given up with an alarm: what went back, went back.
func (t *turn) tell(ctx context.Context, kind string, r *Refund, repeatable bool,
	send func(context.Context, string) flow.Answer) (pace, error) {
	c := t.w.Calls[kind]
	if c == nil || c.Attempt < r.Seq {
		t.intendAs(r.Seq, kind, r.Cash+r.Fund+r.Account, func(no string) string { return flow.Fingerprint([]string{no, r.No}) })
		return paceAgain, t.commit(ctx, true)
	}
	if ended(c) {
		return paceOn, nil
	}
	outcome, ans, err := t.run(ctx, flow.Exchange{Call: c, Traits: flow.Traits{Harmless: true, Repeatable: repeatable},
		Send: func(ctx context.Context) flow.Answer { return send(ctx, c.No) }})
	switch {
	case err != nil:
		return paceStop, err
	case outcome == flow.OutcomeHeard:
		c.State, c.DoneAt = flow.CallDone, t.At
	case outcome == flow.OutcomeRefused, outcome == flow.OutcomeLost:
		t.finish(c)
		t.Note(kind+".given_up", people.System(), ans.Reason.Code, ans.Reason.Message)
		t.Tell(flow.Notice{Event: flow.NoticeSuspense, Staff: true, At: t.At})
	default:
		return paceStop, t.commit(ctx, false)
	}
	return paceOn, nil
}
