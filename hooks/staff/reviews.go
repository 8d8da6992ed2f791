package staff

import (
	"context"
	"net/http"

	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/money"
	"hospay/people"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// bindReviewEvents takes a decision as the creation of a record of reviews.
// The Store writes the row together with the order's move, so the ordinary
// saving of the record does not take place.
func (h *Hooks) bindReviewEvents() {
	h.App.OnRecordCreateRequest(collections.Reviews).BindFunc(func(e *core.RecordRequestEvent) error {
		if !kit.HasRole(e.Auth, people.RoleReviewer) {
			return kit.Denied(e.RequestEvent)
		}
		order := e.Record.GetString("order")
		d := refund.Decision{Note: e.Record.GetString("note"), Stage: refund.ReviewStage(e.Record.GetString("stage"))}
		if err := h.review(e.Request.Context(), kit.ByRequest(e.RequestEvent), order, e.Record.GetString("decision"), d); err != nil {
			return h.Fail(e.RequestEvent, err)
		}
		rec, err := e.App.FindFirstRecordByFilter(collections.Reviews, "order = {:o} && reviewer = {:r}", dbx.Params{"o": order, "r": e.Auth.Id})
		if err != nil {
			return h.Fail(e.RequestEvent, err)
		}
		if err := apis.EnrichRecord(e.RequestEvent, rec); err != nil {
			return err
		}
		return e.JSON(http.StatusOK, rec)
	})
}

// review decides as a staff member. Whether this person may is checked by the
// domain and, at the moment of effect, by the Store.
func (h *Hooks) review(ctx context.Context, by people.By, orderID, decision string, d refund.Decision) error {
	if decision != "approve" && decision != "reject" {
		return flow.NewError(flow.CodeBadRequest, "decision")
	}
	staff, err := h.App.FindRecordById(collections.Staff, by.ID)
	if err != nil || !kit.HasRole(staff, people.RoleReviewer) {
		return flow.NewError(flow.CodeNotAllowed, "")
	}
	order, err := h.App.FindRecordById(collections.RefundOrders, orderID)
	if err != nil || order.GetString("institution") != staff.GetString("institution") {
		return flow.ErrNotFound
	}
	by.Person, d.Approve = staff.GetString("person_index"), decision == "approve"
	if err := h.Service.Review(ctx, orderID, d, by); err != nil {
		return err
	}
	h.Worker.Kick()
	return nil
}

// batchLimit bounds the orders of a batch.
const batchLimit = 500

func (h *Hooks) bindBatchRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay")
	g.Bind(apis.BodyLimit(64 << 10)).BindFunc(kit.RequireStaff(people.RoleReviewer))
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
func (h *Hooks) batchOf(e *core.RequestEvent) (store.Batch, error) {
	var body batchBody
	if err := e.BindBody(&body); err != nil || len(body.Orders) == 0 || len(body.Orders) > batchLimit {
		return store.Batch{}, kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	if body.Decision != "approve" && body.Decision != "reject" {
		return store.Batch{}, kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	d := refund.Decision{Approve: body.Decision == "approve", Note: body.Note}
	if err := d.Read(); err != nil {
		return store.Batch{}, err
	}
	recs, err := e.App.FindRecordsByIds(collections.RefundOrders, body.Orders)
	if err != nil {
		return store.Batch{}, err
	}
	var total money.Fen
	for _, r := range recs {
		total += money.Fen(int64(r.GetFloat("amount")))
	}
	if len(recs) != len(body.Orders) || body.Count != len(recs) || body.Total != total {
		return store.Batch{}, kit.Error(http.StatusBadRequest, "total_mismatch", "")
	}
	return store.Batch{
		Institution: e.Auth.GetString("institution"), Starter: e.Auth.Id, Decision: body.Decision, Note: d.Note, Orders: body.Orders,
	}, nil
}

// batchView is what became of each order.
type batchView struct {
	Results []store.BatchResult `json:"results"`
}

// reviewBatch decides on many orders while the reviewer waits.
func (h *Hooks) reviewBatch(e *core.RequestEvent) error {
	b, err := h.batchOf(e)
	if err != nil {
		return h.Fail(e, err)
	}
	results, decide := make([]store.BatchResult, 0, len(b.Orders)), h.decider(kit.ByRequest(e))
	for _, id := range b.Orders {
		results = append(results, decide(e.Request.Context(), b, id))
	}
	return e.JSON(http.StatusOK, batchView{Results: results})
}

// decider goes the way of a single review; each order stands for itself.
func (h *Hooks) decider(by people.By) func(context.Context, store.Batch, string) store.BatchResult {
	return func(ctx context.Context, b store.Batch, order string) store.BatchResult {
		err := h.review(ctx, by, order, b.Decision, refund.Decision{Note: b.Note, Batch: true})
		if err == nil {
			return store.BatchResult{Order: order, OK: true}
		}
		code := flow.CodeOf(err)
		if code == "" {
			h.Log.Error("batch.review", "order", order, "error", err)
			code = "internal"
		}
		return store.BatchResult{Order: order, Code: string(code), Message: kit.ErrorText(code)}
	}
}

// startBatch stores a batch and decides in the background.
func (h *Hooks) startBatch(e *core.RequestEvent) error {
	b, err := h.batchOf(e)
	if err != nil {
		return h.Fail(e, err)
	}
	if b, err = h.Store.NewBatch(e.Request.Context(), b); err != nil {
		return h.Fail(e, err)
	}
	go h.Batches.Run(context.WithoutCancel(e.Request.Context()), b, h.decider(kit.ByRequest(e)))
	return e.JSON(http.StatusOK, b)
}

// showBatch tells the starter how far the batch is.
func (h *Hooks) showBatch(e *core.RequestEvent) error {
	b, err := h.Store.Batch(e.Request.Context(), e.Request.PathValue("id"), e.Auth.Id)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, b)
}

// continueBatch takes up an interrupted batch with the orders that it has not
// come to.
func (h *Hooks) continueBatch(e *core.RequestEvent) error {
	ctx := e.Request.Context()
	b, err := h.Store.Batch(ctx, e.Request.PathValue("id"), e.Auth.Id)
	if err == nil {
		err = h.Store.MoveBatch(ctx, b.ID, store.BatchInterrupted, store.BatchQueued)
	}
	if err != nil {
		return h.Fail(e, err)
	}
	b.State = store.BatchQueued
	go h.Batches.Run(context.WithoutCancel(ctx), b, h.decider(kit.ByRequest(e)))
	return e.JSON(http.StatusOK, b)
}
