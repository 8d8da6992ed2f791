package store

import (
	"context"
	"log/slog"
	"sync"

	"hospay/flow"
)

// BatchRunner works through batches in the background, one after the other.
type BatchRunner struct {
	Store   *Store
	Log     *slog.Logger
	running sync.Mutex
}

// Run decides on the orders that are left, one after the other, and keeps each
// result before it goes on. It is on record like every job.
func (r *BatchRunner) Run(ctx context.Context, b Batch, decide func(ctx context.Context, b Batch, order string) BatchResult) {
	r.running.Lock()
	defer r.running.Unlock()
	started, before := r.Store.now(), b.Progress
	err := r.Store.MoveBatch(ctx, b.ID, BatchQueued, BatchRunning)
	for i, id := range b.Left() {
		if err != nil {
			break
		}
		result := decide(ctx, b, id)
		if i == 0 && result.Code == string(flow.CodeConflict) && r.decidedBefore(ctx, b, id) {
			result = BatchResult{Order: id, OK: true}
		}
		err = r.Store.KeepResult(ctx, &b, result)
	}
	if err == nil {
		err = r.Store.MoveBatch(ctx, b.ID, BatchRunning, BatchDone)
	}
	if err != nil {
		r.Log.Error("batch.run", "batch", b.ID, "error", err)
	}
	if e := r.Store.RecordRun("batch", started, r.Store.now(), b.Progress-before, err); e != nil {
		r.Log.Error("batch.record", "batch", b.ID, "error", e)
	}
}

// decidedBefore finds the decision that a batch made and died before it could
// keep the result.
func (r *BatchRunner) decidedBefore(ctx context.Context, b Batch, order string) bool {
	done, err := r.Store.DecidedBy(ctx, order, b.Starter, b.Decision, b.Created)
	return err == nil && done
}
