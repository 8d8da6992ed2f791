package refund

import (
	"context"
	"errors"
	"sync"
	"time"

	"hospay/flow"
)

// Worker finds due orders and advances them with bounded concurrency. It holds
// no state of its own: what it was doing when it died is found again as due.
type Worker struct {
	svc   *Service
	owner string
	slots int
	poll  time.Duration
	kick  chan struct{}
}

// NewWorker returns a worker that advances up to slots orders at a time. Owner
// names the process in the leases.
func NewWorker(svc *Service, owner string, slots int, poll time.Duration) *Worker {
	return &Worker{svc: svc, owner: owner, slots: max(slots, 1), poll: poll, kick: make(chan struct{}, 1)}
}

// Kick makes the worker look at once instead of at its next poll.
func (w *Worker) Kick() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// Run works until ctx ends, then waits for the steps in flight.
func (w *Worker) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	queue := make(chan Work)
	defer close(queue)
	for range w.slots {
		wg.Go(func() {
			for work := range queue {
				w.advance(ctx, work)
			}
		})
	}
	for ctx.Err() == nil {
		works, err := w.claim(ctx, 2*w.slots)
		if err != nil && ctx.Err() == nil {
			w.svc.log.Error("worker.claim", "error", err)
		}
		for _, work := range works {
			queue <- work // what is claimed is worked on, also while the program stops
		}
		if len(works) == 0 {
			w.rest(ctx)
		}
	}
}

func (w *Worker) rest(ctx context.Context) {
	timer := time.NewTimer(w.poll)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.kick:
	case <-ctx.Done():
	}
}

func (w *Worker) claim(ctx context.Context, n int) ([]Work, error) {
	if n == 0 || ctx.Err() != nil {
		return nil, nil
	}
	now := w.svc.now()
	return w.svc.store.Claim(ctx, w.owner, now, now.Add(w.svc.timing.Lease), n)
}

func (w *Worker) advance(ctx context.Context, work Work) {
	// A step that has begun is finished even while the program stops: the
	// other side may already be acting on it.
	err := w.svc.Advance(context.WithoutCancel(ctx), work)
	if err != nil && !errors.Is(err, flow.ErrConflict) {
		w.svc.log.Error("worker.advance", "order", work.Order.No, "status", string(work.Order.Status), "error", err)
	}
}

// Drain advances everything that is due now, one order at a time, and returns
// how many steps it made. Tests use it with a clock of their own.
func (w *Worker) Drain(ctx context.Context) (int, error) {
	n := 0
	var unread error
	for {
		works, err := w.claim(ctx, 16)
		unread = errors.Join(unread, err)
		if len(works) == 0 {
			return n, unread
		}
		for _, work := range works {
			if err := w.svc.Advance(ctx, work); err != nil && !errors.Is(err, flow.ErrConflict) {
				return n, err
			}
			n++
		}
	}
}
