package store

import (
	"context"
	"database/sql"
	"errors"

	"hospay/collections"
	"hospay/flow"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// The states of a batch.
const (
	BatchQueued      = "queued"
	BatchRunning     = "running"
	BatchDone        = "done"
	BatchInterrupted = "interrupted" // the program ended meanwhile
)

// Batch is a decision on many orders that one reviewer has made at a click.
type Batch struct {
	ID          string                       `db:"id" json:"id"`
	Institution string                       `db:"institution" json:"-"`
	Starter     string                       `db:"starter" json:"-"`
	Decision    string                       `db:"decision" json:"decision"`
	Note        string                       `db:"note" json:"note"`
	State       string                       `db:"state" json:"state"`
	Orders      types.JSONArray[string]      `db:"orders" json:"-"`
	Results     types.JSONArray[BatchResult] `db:"results" json:"results"`
	Size        int                          `db:"size" json:"size"`
	Progress    int                          `db:"progress" json:"progress"`
	OK          int                          `db:"ok" json:"ok"`
	Failed      int                          `db:"failed" json:"failed"`
	Created     types.DateTime               `db:"created" json:"created"`
}

// BatchResult is what became of one order of a batch.
type BatchResult struct {
	Order   string `json:"order"`
	OK      bool   `json:"ok"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// Left lists the orders that the batch has not come to.
func (b Batch) Left() []string { return b.Orders[min(len(b.Results), len(b.Orders)):] }

// NewBatch stores a batch that waits to run.
func (s *Store) NewBatch(ctx context.Context, b Batch) (Batch, error) {
	b.ID, b.State, b.Size, b.Results = newID(), BatchQueued, len(b.Orders), types.JSONArray[BatchResult]{}
	now := stamp(s.now())
	_, err := s.app.NonconcurrentDB().Insert(collections.Batches, dbx.Params{
		"id": b.ID, "institution": b.Institution, "starter": b.Starter, "decision": b.Decision, "note": clip(b.Note, 1000), "state": b.State,
		"orders": jsonText(b.Orders), "results": jsonText(b.Results), "size": b.Size, "created": now, "updated": now,
	}).WithContext(ctx).Execute()
	return b, err
}

// Batch reads a batch of a reviewer, or returns ErrNotFound.
func (s *Store) Batch(ctx context.Context, id, starter string) (Batch, error) {
	var b Batch
	err := s.app.NonconcurrentDB().Select("*").From(collections.Batches).Where(dbx.HashExp{"id": id, "starter": starter}).WithContext(ctx).
		One(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return b, flow.ErrNotFound
	}
	return b, err
}

// MoveBatch changes the state of a batch, or returns ErrConflict when it is
// not in the state that it was in.
func (s *Store) MoveBatch(ctx context.Context, id, from, to string) error {
	res, err := s.app.NonconcurrentDB().Update(collections.Batches, dbx.Params{"state": to, "updated": stamp(s.now())},
		dbx.HashExp{"id": id, "state": from}).WithContext(ctx).Execute()
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return flow.ErrConflict
	}
	return nil
}

// KeepResult appends what became of the next order of a running batch.
func (s *Store) KeepResult(ctx context.Context, b *Batch, r BatchResult) error {
	b.Results = append(b.Results, r)
	b.Progress++
	if r.OK {
		b.OK++
	} else {
		b.Failed++
	}
	_, err := s.app.NonconcurrentDB().Update(collections.Batches, dbx.Params{
		"results": jsonText(b.Results), "progress": b.Progress, "ok": b.OK, "failed": b.Failed, "updated": stamp(s.now()),
	}, dbx.HashExp{"id": b.ID, "state": BatchRunning}).WithContext(ctx).Execute()
	return err
}

// InterruptBatches marks the batches that ended with the program before.
func (s *Store) InterruptBatches(ctx context.Context) error {
	_, err := s.app.NonconcurrentDB().Update(collections.Batches, dbx.Params{"state": BatchInterrupted, "updated": stamp(s.now())},
		dbx.In("state", BatchQueued, BatchRunning)).WithContext(ctx).Execute()
	return err
}

// DecidedBy reports whether a reviewer has made this decision on an order: a
// batch that died between the decision and its result finds it so.
func (s *Store) DecidedBy(ctx context.Context, order, reviewer, decision string, since types.DateTime) (bool, error) {
	var n int
	err := s.app.ConcurrentDB().Select("COUNT(*)").From(collections.Live(collections.Reviews)).
		Where(dbx.HashExp{"order": order, "reviewer": reviewer, "decision": decision}).
		AndWhere(dbx.NewExp("created >= {:t}", dbx.Params{"t": since.String()})).WithContext(ctx).Row(&n)
	return n > 0, err
}
