package checkup

import (
	"context"
	"testing"
	"time"

	"hospay/flow"
	"hospay/refund"
)

// left is a HIS before which somebody stops to wait once the debit is booked.
type left struct {
	stop    context.CancelFunc
	balance int
}

func (l *left) answer(ctx context.Context, state refund.HISState) refund.HISAnswer {
	if ctx.Err() != nil {
		return refund.HISAnswer{Verdict: flow.Unknown}
	}
	return refund.HISAnswer{Verdict: flow.Done, State: state, HISNo: "H1"}
}

func (l *left) Debit(ctx context.Context, d refund.Debit) refund.HISAnswer {
	a := l.answer(ctx, refund.HISDone)
	l.balance = -int(d.Amount)
	l.stop()
	return a
}

func (l *left) QueryDebit(ctx context.Context, _ refund.Debit) refund.HISAnswer {
	if l.balance == 0 {
		return l.answer(ctx, refund.HISNotFound)
	}
	return l.answer(ctx, refund.HISDone)
}

func (l *left) Reverse(ctx context.Context, _ refund.Debit) refund.HISAnswer {
	a := l.answer(ctx, refund.HISDone)
	if a.Verdict == flow.Done {
		l.balance = 0
	}
	return a
}

func (l *left) QueryReverse(ctx context.Context, _ refund.Debit) refund.HISAnswer {
	return l.answer(ctx, refund.HISDone)
}

// TestMove_IsUndoneThoughNobodyWaits: a trial debit is undone though whoever
// began the probe has gone in the middle.
func TestMove_IsUndoneThoughNobodyWaits(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	his := &left{stop: stop}
	l := &List{}
	l.Move(ctx, his, "C1", 100, time.Unix(1_800_000_000, 0))
	if his.balance != 0 || l.Failed() != 0 {
		t.Errorf("balance %d, %d steps failed", his.balance, l.Failed())
	}
}
