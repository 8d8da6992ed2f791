package hooks

import (
	"context"
	"net/http"

	"hospay/collections"
	"hospay/money"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// bindReviewEvents takes a decision as the creation of a record of reviews.
// The Store writes the row together with the order's move, so the ordinary
// saving of the record does not take place.
func (h *Hooks) bindReviewEvents() {
	h.App.OnRecordCreateRequest(collections.Reviews).BindFunc(func(e *core.RecordRequestEvent) error {
		if !hasRole(e.Auth, collections.RoleReviewer) {
			return denied(e.RequestEvent)
		}
		order := e.Record.GetString("order")
		d := refund.Decision{Note: e.Record.GetString("note"), Stage: refund.ReviewStage(e.Record.GetString("stage"))}
		if err := h.review(e.Request.Context(), byRequest(e.RequestEvent), order, e.Record.GetString("decision"), d); err != nil {
			return h.fail(e.RequestEvent, err)
		}
		rec, err := e.App.FindFirstRecordByFilter(collections.Reviews, `order = {:o} && reviewer = {:r}`, map[string]any{"o": order, "r": e.Auth.Id})
		if err != nil {
			return h.fail(e.RequestEvent, err)
		}
		if err := apis.EnrichRecord(e.RequestEvent, rec); err != nil {
			return err
		}
		return e.JSON(http.StatusOK, rec)
	})
}

// review decides as a staff member. Whether this person may is checked by the
// domain and, at the moment of effect, by the Store.
func (h *Hooks) review(ctx context.Context, by refund.By, orderID, decision string, d refund.Decision) error {
	if decision != "approve" && decision != "reject" {
		return refund.NewError(refund.CodeBadRequest, "decision")
	}
	staff, err := h.App.FindRecordById(collections.Staff, by.ID)
	if err != nil || !hasRole(staff, collections.RoleReviewer) {
		return refund.NewError(refund.CodeNotAllowed, "")
	}
	order, err := h.App.FindRecordById(collections.RefundOrders, orderID)
	if err != nil || order.GetString("institution") != staff.GetString("institution") {
		return refund.ErrNotFound
	}
	by.Person, d.Approve = staff.GetString("person_index"), decision == "approve"
	if err := h.Service.Review(ctx, orderID, d, by); err != nil {
		return err
	}
	h.Worker.Kick()
	return nil
}

// reviewBatch decides on many orders. Count and total must be what the
// reviewer saw; each order stands for itself.
func (h *Hooks) reviewBatch(e *core.RequestEvent) error {
	var body struct {
		Orders   []string  `json:"orders"`
		Decision string    `json:"decision"`
		Note     string    `json:"note"`
		Count    int       `json:"count"`
		Total    money.Fen `json:"total"`
	}
	if err := e.BindBody(&body); err != nil || len(body.Orders) == 0 || len(body.Orders) > 500 {
		return apiError(http.StatusBadRequest, "bad_request", "")
	}
	if body.Decision == "reject" && body.Note == "" {
		return h.fail(e, refund.NewError(refund.CodeNoteRequired, ""))
	}
	recs, err := e.App.FindRecordsByIds(collections.RefundOrders, body.Orders)
	if err != nil {
		return h.fail(e, err)
	}
	var total money.Fen
	for _, r := range recs {
		total += money.Fen(int64(r.GetFloat("amount")))
	}
	if len(recs) != len(body.Orders) || body.Count != len(recs) || body.Total != total {
		return apiError(http.StatusBadRequest, "total_mismatch", "")
	}
	results := make([]map[string]any, 0, len(body.Orders))
	for _, id := range body.Orders {
		res := map[string]any{"order": id, "ok": true}
		if err := h.review(e.Request.Context(), byRequest(e), id, body.Decision, refund.Decision{Note: body.Note, Batch: true}); err != nil {
			res["ok"], res["code"] = false, codeOr(err, "internal")
		}
		results = append(results, res)
	}
	return e.JSON(http.StatusOK, map[string]any{"results": results})
}

func codeOr(err error, other string) string {
	if c := refund.CodeOf(err); c != "" {
		return string(c)
	}
	return other
}
