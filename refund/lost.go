package refund

import (
	"context"

	"hospay/flow"
)

// CodePayoutLost: the channel knows a payout of the order that this data folder
// knows nothing of. It was restored from an older copy.
const CodePayoutLost flow.Code = "payout_lost"

// nothingPaid asks the channel, before the balance goes back, for the number
// that the next payout would have: an older copy of the data does not know what
// was paid after it was made (CONTRACT 7). What is found there is taken over,
// and people have the order. While the channel does not answer, nothing goes
// back.
func (t *turn) nothingPaid(ctx context.Context) (bool, error) {
	o := &t.w.Order
	if o.Compensates != "" {
		return true, nil
	}
	next, ans, err := t.askNext(ctx)
	if err != nil {
		return false, err
	}
	switch {
	case ans.Verdict != flow.Done:
		t.Open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodeUnknownTooLong, ans.Reason)
		return false, nil
	case !ans.paysOrMay(o.Method):
		o.Tries = 0
		return true, nil
	}
	t.takeOver(next, ans)
	t.Suspend(CodePayoutLost, flow.Reason{Message: "渠道已有本单的付款 " + next.No, Actor: flow.ActorFinance})
	o.SuspendedFrom = StatusPaying
	return false, nil
}

// askNext asks the channel for the number that the next payout would have.
func (t *turn) askNext(ctx context.Context) (*Transfer, PayoutAnswer, error) {
	ch, err := t.dir.Channel(ctx, t.w.Order.Institution, t.w.Order.Channel)
	if err != nil {
		return nil, PayoutAnswer{}, err
	}
	next := t.nextPayout()
	var heard PayoutAnswer
	ans := t.Ask(ctx, func(ctx context.Context) flow.Answer {
		heard = ch.Query(ctx, t.w.Order.payout(next.No))
		return heard.answer()
	})
	heard.Verdict = ans.Verdict
	return next, heard, nil
}

// paysOrMay reports whether an answer speaks of a payout that has paid or still
// may.
func (a PayoutAnswer) paysOrMay(m Method) bool {
	switch a.State {
	case PayoutNotFound, PayoutFailed:
		return false
	case PayoutReturned:
		return m == MethodOriginal
	}
	return true
}

// takeOver writes a payout down that the channel knows and we had forgotten.
func (t *turn) takeOver(lost *Transfer, heard PayoutAnswer) {
	lost.State, lost.Reported, lost.Theirs, lost.Sent = flow.CallOpen, heard.State, heard.ChannelNo, 1
	t.w.Transfer, t.c.Transfer = lost, lost
}
