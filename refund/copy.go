package refund

import (
	"cmp"
	"context"

	"hospay/flow"
	"hospay/people"
)

// CodeRestoredCopy: the data folder was restored from a backup and is not
// released yet; nothing new begins.
const CodeRestoredCopy flow.Code = "restored_copy"

// The events of looking at the orders of a restored copy.
const (
	EventCopyChecked = "copy.checked" // HIS and channel know no more than the copy
	EventCopyFound   = "copy.found"   // they do: it was taken over
)

// Recover asks HIS and the channel about an open order of a restored copy: by
// the numbers that it has, and by the next ones that it could have used after
// the copy was made. What is found is taken over, and the order waits with
// people for the other side to prove its outcome. An error means that a side
// kept silent: the order is asked for again.
func (s *Service) Recover(ctx context.Context, id string) error {
	return flow.Retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil || Machine.Final(t.w.Order.Status) {
			return err
		}
		found, back, err := t.forgotten(ctx)
		if err != nil {
			return err
		}
		if found == "" {
			t.Note(EventCopyChecked, people.System(), "", "")
			return t.commit(ctx, false)
		}
		if t.w.Order.Status == StatusSuspense {
			t.w.Order.FailCode = string(CodePayoutLost)
		} else {
			t.Suspend(CodePayoutLost, flow.Reason{Message: found, Actor: flow.ActorFinance})
		}
		t.w.Order.SuspendedFrom = back
		t.DueNow() // an answer that proves the outcome brings it back
		t.Note(EventCopyFound, people.System(), string(CodePayoutLost), found)
		return t.commit(ctx, false)
	})
}

// forgotten looks for what the copy does not know, in the order in which it
// would have happened, and names the newest with the state that asks for it.
func (t *turn) forgotten(ctx context.Context) (found string, back Status, err error) {
	his, can, err := t.his(ctx, nil)
	if err != nil {
		return "", "", err
	}
	if can.Queryable && t.w.Order.Compensates == "" {
		if found, back, err = t.lostHIS(ctx, his); err != nil || back == StatusReversing {
			return found, back, err
		}
	}
	no, ans, err := t.lostPayout(ctx)
	switch {
	case err != nil:
		return "", "", err
	case ans.Verdict != flow.Done:
		return "", "", flow.NewError(flow.CodeChannelUnavailable, ans.Reason.String())
	case no != "":
		found, back = lostWords(no), StatusPaying
	}
	return found, back, nil
}

// lostHIS takes over the debit and the reversal that HIS knows and the copy
// does not. A HIS may have no word for a debit that it has undone: then its
// reversal speaks for both.
func (t *turn) lostHIS(ctx context.Context, his HISLedger) (found string, back Status, err error) {
	var silent error
	if t.w.Debit == nil {
		call := t.nextHIS(HISDebit)
		known, err := t.knownToHIS(ctx, his, HISDebit, call)
		if silent = err; known || err != nil {
			t.w.Debit, t.c.Debit = call, call
			found, back = "HIS 已有本单的扣款 "+call.No, StatusDebiting
		}
	}
	if t.w.Debit == nil || t.w.Reversal != nil {
		return found, back, silent
	}
	call := t.nextHIS(HISReverse)
	known, err := t.knownToHIS(ctx, his, HISReverse, call)
	if err != nil || !known {
		return found, back, cmp.Or(silent, err)
	}
	if silent != nil {
		t.w.Debit.State, t.w.Debit.Sent, t.w.Debit.DoneAt = flow.CallDone, 1, t.At
	}
	t.w.Reversal, t.c.Reversal = call, call
	if t.w.Order.Target == "" {
		t.w.Order.Target = StatusCancelled
	}
	return "HIS 已有本单的撤销 " + call.No, StatusReversing, nil
}

// knownToHIS asks for a number that the copy does not have.
func (t *turn) knownToHIS(ctx context.Context, his HISLedger, kind string, call *flow.Call) (bool, error) {
	ans := t.askHIS(ctx, his, kind, call)
	if ans.Verdict != flow.Done {
		return false, flow.NewError(flow.CodeHISUnavailable, ans.Reason.String())
	}
	if ans.State == HISNotFound {
		return false, nil
	}
	call.State, call.Sent, call.Theirs = flow.CallOpen, 1, ans.HISNo
	if kind == HISDebit && t.w.Order.HISRefundNo == "" {
		t.w.Order.HISRefundNo = ans.HISNo // the reversal is asked for with it
	}
	return true, nil
}
