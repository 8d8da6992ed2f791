package hooks

import (
	"context"
	"net/http"
	"sync"

	"hospay/collections"
	"hospay/internal/i18n"
	"hospay/money"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// batchLimit bounds the orders of a batch.
const batchLimit = 500

// batches runs one batch after the other.
type batches struct{ running sync.Mutex }

func (h *Hooks) bindBatchRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.Bind(apis.BodyLimit(64 << 10)).BindFunc(requireStaff(collections.RoleReviewer))
	g.POST("/reviews/batch", h.reviewBatch)
	g.POST("/batches", h.startBatch)
	g.GET("/batches/{id}", h.showBatch)
	g.POST("/batches/{id}/continue", h.continueBatch)
}

type batchBody struct {
	Orders   []string  `json:"orders"`
	Decision string    `json:"decision"`
	Note     string    `json:"note"`
	Count    int       `json:"count"`
	Total    money.Fen `json:"total"`
}

// batchOf reads and checks what a reviewer has ticked. Count and total must be
// what was seen.
func (h *Hooks) batchOf(e *core.RequestEvent) (collections.Batch, error) {
	var body batchBody
	if err := e.BindBody(&body); err != nil || len(body.Orders) == 0 || len(body.Orders) > batchLimit {
		return collections.Batch{}, apiError(http.StatusBadRequest, "bad_request", "")
	}
	if body.Decision != "approve" && body.Decision != "reject" {
		return collections.Batch{}, apiError(http.StatusBadRequest, "bad_request", "")
	}
	if body.Decision == "reject" && body.Note == "" {
		return collections.Batch{}, refund.NewError(refund.CodeNoteRequired, "")
	}
	recs, err := e.App.FindRecordsByIds(collections.RefundOrders, body.Orders)
	if err != nil {
		return collections.Batch{}, err
	}
	var total money.Fen
	for _, r := range recs {
		total += money.Fen(int64(r.GetFloat("amount")))
	}
	if len(recs) != len(body.Orders) || body.Count != len(recs) || body.Total != total {
		return collections.Batch{}, apiError(http.StatusBadRequest, "total_mismatch", "")
	}
	return collections.Batch{Institution: e.Auth.GetString("institution"), Starter: e.Auth.Id, Decision: body.Decision, Note: body.Note, Orders: body.Orders}, nil
}

// reviewBatch decides on many orders while the reviewer waits.
func (h *Hooks) reviewBatch(e *core.RequestEvent) error {
	b, err := h.batchOf(e)
	if err != nil {
		return h.fail(e, err)
	}
	results := make([]collections.BatchResult, 0, len(b.Orders))
	for _, id := range b.Orders {
		results = append(results, h.decideOne(e.Request.Context(), byRequest(e), b, id))
	}
	return e.JSON(http.StatusOK, map[string]any{"results": results})
}

// decideOne goes the way of a single review; each order stands for itself.
func (h *Hooks) decideOne(ctx context.Context, by refund.By, b collections.Batch, order string) collections.BatchResult {
	err := h.review(ctx, by, order, b.Decision, refund.Decision{Note: b.Note, Batch: true})
	if err == nil {
		return collections.BatchResult{Order: order, OK: true}
	}
	if refund.CodeOf(err) == "" {
		h.Log.Error("batch.review", "order", order, "error", err)
	}
	code := codeOr(err, "internal")
	return collections.BatchResult{Order: order, Code: code, Message: i18n.Text(i18n.Default, "error."+code, "detail", "")}
}

// startBatch stores a batch and decides in the background.
func (h *Hooks) startBatch(e *core.RequestEvent) error {
	b, err := h.batchOf(e)
	if err != nil {
		return h.fail(e, err)
	}
	if b, err = h.Store.NewBatch(e.Request.Context(), b); err != nil {
		return h.fail(e, err)
	}
	go h.runBatch(context.WithoutCancel(e.Request.Context()), byRequest(e), b)
	return e.JSON(http.StatusOK, b)
}

// showBatch tells the starter how far the batch is.
func (h *Hooks) showBatch(e *core.RequestEvent) error {
	b, err := h.Store.Batch(e.Request.Context(), e.Request.PathValue("id"), e.Auth.Id)
	if err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, b)
}

// continueBatch takes up an interrupted batch with the orders that it has not
// come to.
func (h *Hooks) continueBatch(e *core.RequestEvent) error {
	ctx := e.Request.Context()
	b, err := h.Store.Batch(ctx, e.Request.PathValue("id"), e.Auth.Id)
	if err == nil {
		err = h.Store.MoveBatch(ctx, b.ID, collections.BatchInterrupted, collections.BatchQueued)
	}
	if err != nil {
		return h.fail(e, err)
	}
	b.State = collections.BatchQueued
	go h.runBatch(context.WithoutCancel(ctx), byRequest(e), b)
	return e.JSON(http.StatusOK, b)
}

// runBatch decides on the orders that are left, one after the other, and keeps
// each result before it goes on. It is on record like every job.
func (h *Hooks) runBatch(ctx context.Context, by refund.By, b collections.Batch) {
	h.batches.running.Lock()
	defer h.batches.running.Unlock()
	started, before := h.now(), b.Progress
	err := h.Store.MoveBatch(ctx, b.ID, collections.BatchQueued, collections.BatchRunning)
	for i, id := range b.Left() {
		if err != nil {
			break
		}
		r := h.decideOne(ctx, by, b, id)
		if i == 0 && r.Code == string(refund.CodeConflict) && h.decidedBefore(ctx, b, id) {
			r = collections.BatchResult{Order: id, OK: true}
		}
		err = h.Store.KeepResult(ctx, &b, r)
	}
	if err == nil {
		err = h.Store.MoveBatch(ctx, b.ID, collections.BatchRunning, collections.BatchDone)
	}
	if err != nil {
		h.Log.Error("batch.run", "batch", b.ID, "error", err)
	}
	if e := h.Store.RecordRun("batch", started, h.now(), b.Progress-before, err); e != nil {
		h.Log.Error("batch.record", "batch", b.ID, "error", e)
	}
}

// decidedBefore finds the decision that a batch made and died before it could
// keep the result.
func (h *Hooks) decidedBefore(ctx context.Context, b collections.Batch, order string) bool {
	done, err := h.Store.DecidedBy(ctx, order, b.Starter, b.Decision, b.Created)
	return err == nil && done
}
