package payment

import (
	"context"
	"errors"

	"hospay/flow"
	"hospay/people"
)

// stepPriced reads the bill once more and opens what is to be paid at the
// channel.
func (t *turn) stepPriced(ctx context.Context) (bool, error) {
	if target, code := t.unwanted(); target != "" {
		t.abandon(target, "order."+string(target), people.System(), code, "")
		return true, t.commit(ctx, true)
	}
	if o := &t.w.Order; o.direct() && !o.Agreed { // nothing is settled that the patient has not seen
		o.NextAt = o.ExpiresAt
		return false, t.commit(ctx, false)
	}
	ok, err := t.readBill(ctx)
	if err != nil || !ok {
		undoing := t.w.Order.Status == StatusUndoing
		return undoing && err == nil, orCommit(err, func() error { return t.commit(ctx, undoing) })
	}
	if t.w.Order.CashDue() > 0 {
		t.openTrade()
	} else if err := t.openMixed(ctx); err != nil {
		return false, err
	}
	t.Move(StatusOpening, "order.opening", people.System(), "", "")
	return true, t.commit(ctx, true)
}

// openTrade writes the intent of the cash order. Its number is that of the whole
// payment at the channel.
func (t *turn) openTrade() {
	o := &t.w.Order
	o.TradeNo = flow.CallNo(o.No, letters[CallTrade], 1)
	o.CashLeg = CashOpen
	t.intend(CallTrade, o.CashDue(), func(string) string { return o.trade().Hash() })
}

// openMixed writes the intent of the order of insurance and cash.
func (t *turn) openMixed(ctx context.Context) error {
	h, err := t.habits(ctx)
	if err != nil {
		return err
	}
	o := &t.w.Order
	if o.TradeNo == "" {
		o.TradeNo = flow.CallNo(o.No, letters[CallTrade], 1)
	}
	t.intend(CallMixed, o.Total, func(string) string { return o.mixed(h).Hash() })
	return nil
}

// stepOpening opens the cash order, then the mixed one; with both the patient can
// pay.
func (t *turn) stepOpening(ctx context.Context) (bool, error) {
	if target, code := t.unwanted(); target != "" {
		t.abandon(target, "order."+string(target), people.System(), code, "")
		return true, t.commit(ctx, true)
	}
	o := &t.w.Order
	trade, mixed := t.w.Calls[CallTrade], t.w.Calls[CallMixed]
	shown, err := t.mixedShown(ctx)
	if err != nil {
		return false, err
	}
	switch {
	case trade != nil && o.Secrets.Handle == "" && o.CashLeg != CashPaid:
		return t.stepTrade(ctx)
	case o.Insured && mixed == nil:
		return true, orCommit(t.openMixed(ctx), func() error { return t.commit(ctx, true) })
	case o.Insured && mixed.State == flow.CallIntent || o.Insured && mixed.State != flow.CallDone && !shown:
		return t.stepMixed(ctx)
	}
	t.Move(StatusPaying, "order.payable", people.System(), "", "")
	return true, t.commit(ctx, true)
}

// mixedShown reports whether the channel has told what the payer's client needs for
// the mixed order. One channel tells a number with every query, another an address
// with the opening alone.
func (t *turn) mixedShown(ctx context.Context) (bool, error) {
	if t.w.Calls[CallMixed] == nil {
		return false, nil
	}
	ch, err := t.channel(ctx)
	if err != nil {
		return false, err
	}
	h, err := t.habits(ctx)
	if err != nil {
		return false, err
	}
	o := t.w.Order
	if o.MixNo == "" && o.Secrets.URL == "" {
		return false, nil
	}
	_, err = ch.MedIns.MixedPage(o.mixed(h))
	return err == nil, nil
}

// stepTrade opens the cash order at the channel.
func (t *turn) stepTrade(ctx context.Context) (bool, error) {
	ch, err := t.channel(ctx)
	if err != nil {
		return false, err
	}
	o, c := &t.w.Order, t.w.Calls[CallTrade]
	traits, _ := ch.TradeTraits()
	outcome, ans, err := t.run(ctx, flow.Exchange{
		Call: c, Traits: traits,
		Again: func(a flow.Answer) bool {
			return a.Said == TradeOpen && o.Secrets.Handle == "" && o.Tries&(o.Tries-1) == 0
		},
		Send: func(ctx context.Context) flow.Answer { return t.judgeTrade(ctx, ch.OpenTrade(ctx, o.trade())).answer() },
		Ask: func(ctx context.Context) flow.Answer {
			return t.judgeTrade(ctx, ch.QueryTrade(ctx, o.trade())).answer()
		},
	})
	return t.opened(ctx, outcome, ans, err, o.Secrets.Handle != "")
}

// stepMixed opens the order of insurance and cash at the channel.
func (t *turn) stepMixed(ctx context.Context) (bool, error) {
	ch, err := t.channel(ctx)
	if err != nil {
		return false, err
	}
	h, err := t.habits(ctx)
	if err != nil {
		return false, err
	}
	o, c := &t.w.Order, t.w.Calls[CallMixed]
	outcome, ans, err := t.run(ctx, flow.Exchange{
		Call: c, Traits: ch.MedIns.MixedTraits(),
		Again: func(a flow.Answer) bool {
			_, err := ch.MedIns.MixedPage(o.mixed(h))
			return a.Said == MixedOpen && err != nil && o.Tries&(o.Tries-1) == 0
		},
		Send: func(ctx context.Context) flow.Answer {
			return t.judgeMixed(ch.MedIns.OpenMixed(ctx, o.mixed(h))).answer()
		},
		Ask: func(ctx context.Context) flow.Answer {
			return t.judgeMixed(ch.MedIns.QueryMixed(ctx, o.mixed(h))).answer()
		},
	})
	shown, unshown := t.mixedShown(ctx)
	return t.opened(ctx, outcome, ans, errors.Join(err, unshown), shown)
}

// opened follows the opening of either order. A listed refusal, or one that is
// closed, ends the order: nobody has paid.
func (t *turn) opened(ctx context.Context, outcome flow.Outcome, ans flow.Answer, err error, usable bool) (bool, error) {
	o := &t.w.Order
	switch {
	case err != nil:
		return false, err
	case t.odd.Code != "":
		t.suspendOdd()
	case outcome == flow.OutcomeAsk:
		return true, t.commit(ctx, true)
	case outcome == flow.OutcomeRefused, outcome == flow.OutcomeHeard && ans.Report == flow.ReportFailed:
		t.abandon(StatusCancelled, "channel.refused", people.System(), CodeChannelRefused, ans.Reason.String())
		return true, t.commit(ctx, true)
	case outcome == flow.OutcomeHeard && (usable || ans.Report == flow.ReportDone):
		o.Tries, o.OpenSince = 0, noTime
		t.DueNow()
		return true, t.commit(ctx, true)
	case outcome == flow.OutcomeHeard:
		t.Open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodePendingTooLong, ans.Reason)
	}
	if o.Status == StatusOpening {
		t.untilExpiry(o.NextAt.Sub(t.At))
	}
	return false, t.commit(ctx, false)
}

// suspendOdd gives an order to people whose other side speaks of other money.
func (t *turn) suspendOdd() {
	o := &t.w.Order
	t.Suspend(flow.Code(t.odd.Code), t.odd)
	o.FailCode, o.FailReason = t.odd.Code, t.odd.Message
}
