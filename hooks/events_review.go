package hooks

import (
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
		order, decision, note := e.Record.GetString("order"), e.Record.GetString("decision"), e.Record.GetString("note")
		if err := h.review(e.RequestEvent, order, decision, note); err != nil {
			return h.fail(e.RequestEvent, err)
		}
		rec, err := e.App.FindFirstRecordByFilter(collections.Reviews, `order = {:o} && stage = "first"`, map[string]any{"o": order})
		if err != nil {
			return h.fail(e.RequestEvent, err)
		}
		if err := apis.EnrichRecord(e.RequestEvent, rec); err != nil {
			return err
		}
		return e.JSON(http.StatusOK, rec)
	})
}

// review checks who decides on what, at the moment of effect, and decides.
func (h *Hooks) review(e *core.RequestEvent, orderID, decision, note string) error {
	if decision != "approve" && decision != "reject" {
		return apiError(http.StatusBadRequest, "bad_request", "")
	}
	staff, err := e.App.FindRecordById(collections.Staff, e.Auth.Id)
	if err != nil || !hasRole(staff, collections.RoleReviewer) {
		return refund.NewError(refund.CodeNotAllowed, "")
	}
	order, err := e.App.FindRecordById(collections.RefundOrders, orderID)
	if err != nil || order.GetString("institution") != staff.GetString("institution") {
		return refund.ErrNotFound
	}
	concerned := []string{order.GetString("patient")}
	if proxy := order.GetString("proxy_application"); proxy != "" {
		p, err := h.Store.Proxy(e.Request.Context(), proxy)
		if err != nil {
			return err
		}
		concerned = append(concerned, p.Principal)
	}
	if err := collections.NotConcerned(e.App, staff, concerned...); err != nil {
		return err
	}
	if err := h.Service.Review(e.Request.Context(), orderID, decision == "approve", byStaff(staff), note); err != nil {
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
		if err := h.review(e, id, body.Decision, body.Note); err != nil {
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
