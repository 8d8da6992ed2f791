package flow

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Task is one order that a worker has leased, and what takes it on.
type Task struct {
	No     string // for the log
	Status State
	Do     func(context.Context) error
}

// Source leases due orders of one domain.
type Source interface {
	// Due leases up to limit due orders to owner and returns those that can be
	// read, with an error about the others.
	Due(ctx context.Context, owner string, limit int) ([]Task, error)
}

// Worker finds due orders of all domains and advances them with bounded
// concurrency. It holds no state of its own: what it was doing when it died is
// found again as due.
type Worker struct {
	sources []Source
	owner   string
	slots   int
	poll    time.Duration
	log     *slog.Logger
	kick    chan struct{}
	courtesy
}

// NewWorker returns a worker that advances up to slots orders at a time. Owner
// names the process in the leases.
func NewWorker(owner string, slots int, poll time.Duration, log *slog.Logger, sources ...Source) *Worker {
	return &Worker{sources: sources, owner: owner, slots: max(slots, 1), poll: poll, log: log, kick: make(chan struct{}, 1)}
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
	queue := make(chan Task)
	defer close(queue)
	for range w.slots {
		wg.Go(func() {
			for task := range queue {
				w.advance(ctx, task)
			}
		})
	}
	for ctx.Err() == nil {
		tasks, err := w.claim(ctx, 2*w.slots)
		if err != nil && ctx.Err() == nil {
			w.log.Error("worker.claim", "error", err)
		}
		for _, task := range tasks {
			queue <- task // what is claimed is worked on, also while the program stops
		}
		if len(tasks) == 0 {
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

// claim leases from each domain; one that fails does not stop the others.
func (w *Worker) claim(ctx context.Context, n int) (tasks []Task, err error) {
	for _, s := range w.sources {
		if ctx.Err() != nil {
			return tasks, err
		}
		got, e := s.Due(ctx, w.owner, n)
		tasks, err = append(tasks, got...), errors.Join(err, e)
	}
	return tasks, err
}

func (w *Worker) advance(ctx context.Context, task Task) {
	defer w.step(ctx)()
	// A step that has begun is finished even while the program stops: the
	// other side may already be acting on it.
	err := task.Do(context.WithoutCancel(ctx))
	if err != nil && !errors.Is(err, ErrConflict) {
		w.log.Error("worker.advance", "order", task.No, "status", string(task.Status), "error", err)
	}
}

// Drain advances everything that is due now, one order at a time, and returns
// how many steps it made. Tests use it with a clock of their own.
func (w *Worker) Drain(ctx context.Context) (int, error) {
	n := 0
	var unread error
	for {
		tasks, err := w.claim(ctx, 16)
		unread = errors.Join(unread, err)
		if len(tasks) == 0 {
			return n, unread
		}
		for _, task := range tasks {
			if err := task.Do(ctx); err != nil && !errors.Is(err, ErrConflict) {
				return n, err
			}
			n++
		}
	}
}
