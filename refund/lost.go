package refund

import (
	"context"

	"hospay/flow"
)

// CodePayoutLost: the channel knows a payout of the order that this data folder
// knows nothing of. It was restored from an older copy.
const CodePayoutLost flow.Code = "payout_lost"

// lookAhead is how many numbers after the last one a lost order can have used.
const lookAhead = 2

// nothingPaid asks the channel, before the balance goes back, for the numbers
// that the next payouts would have: an older copy of the data does not know what
// was paid after it was made (CONTRACT 7). What is found there is taken over,
// and people have the order. While the channel does not answer, nothing goes
// back.
func (t *turn) nothingPaid(ctx context.Context) (bool, error) {
	no, ans, err := t.lostPayout(ctx)
	switch {
	case err != nil:
		return false, err
	case ans.Verdict != flow.Done:
		t.Open(t.timing.Unknown, t.timing.SuspendAfter, flow.CodeUnknownTooLong, ans.Reason)
		return false, nil
	case no == "":
		t.w.Order.Tries, t.w.Order.OpenSince = 0, noTime // what follows has its own time
		return true, nil
	}
	t.Suspend(CodePayoutLost, flow.Reason{Message: lostWords(no), Actor: flow.ActorFinance})
	t.w.Order.SuspendedFrom = StatusPaying
	return false, nil
}

func lostWords(no string) string { return "渠道已有本单的付款 " + no }

// lostPayout takes over the payout that the channel knows and this folder does
// not, and names it; empty when there is none. Whoever the order could have been
// paid through is asked: "not found" counts from that party only (rule 11). An
// answer that is not Done means that one kept silent. A number that was taken
// over before and has ended was the last of the order: nothing has been sent
// since.
func (t *turn) lostPayout(ctx context.Context) (no string, ans PayoutAnswer, err error) {
	o := t.w.Order
	if tr := t.w.Transfer; o.Compensates != "" || (tr != nil && tr.Sent == 0 && tr.State == flow.CallRefused) {
		return "", PayoutAnswer{Verdict: flow.Done}, nil
	}
	reached, err := t.dir.Reached(ctx, o.Institution, o.Channel, o.Created)
	if err != nil {
		return "", ans, err
	}
	lost := t.nextPayout()
	for range lookAhead {
		known := false
		for _, connection := range reached {
			ans = t.askLost(ctx, connection, lost.No)
			switch {
			case ans.Verdict != flow.Done:
				return "", ans, nil
			case ans.paysOrMay(o.Method):
				lost.State, lost.Reported, lost.Theirs = flow.CallOpen, ans.State, ans.ChannelNo // Sent stays 0: we do not know that we sent it
				lost.Connection = connection
				t.w.Transfer, t.c.Transfer = lost, lost
				return lost.No, ans, nil
			}
			known = known || ans.State != PayoutNotFound
		}
		if !known {
			break
		}
		lost = t.payoutAfter(lost)
	}
	return "", ans, nil
}

// askLost asks one party for a number. A connection that cannot be used is as
// good as silent.
func (t *turn) askLost(ctx context.Context, connection, no string) PayoutAnswer {
	ch, err := t.dir.ChannelOf(ctx, connection)
	if err != nil {
		return PayoutAnswer{Reason: flow.Reason{Code: string(flow.CodeChannelBroken), Message: flow.WordsOf(err), Actor: flow.ActorIT}}
	}
	var heard PayoutAnswer
	ans := t.Ask(ctx, func(ctx context.Context) flow.Answer {
		heard = ch.Query(ctx, t.w.Order.payout(no))
		return heard.answer()
	})
	heard.Verdict = ans.Verdict
	return heard
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
