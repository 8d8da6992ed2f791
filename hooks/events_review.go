package hooks

import (
	"context"
	"net/http"

	"hospay/collections"
	"hospay/flow"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// bindReviewEvents takes a decision as the creation of a record of reviews.
// The Store writes the row together with the order's move, so the ordinary
// saving of the record does not take place.
func (h *Hooks) bindReviewEvents() {
	h.App.OnRecordCreateRequest(collections.Reviews).BindFunc(func(e *core.RecordRequestEvent) error {
		if !hasRole(e.Auth, people.RoleReviewer) {
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
func (h *Hooks) review(ctx context.Context, by people.By, orderID, decision string, d refund.Decision) error {
	if decision != "approve" && decision != "reject" {
		return flow.NewError(flow.CodeBadRequest, "decision")
	}
	staff, err := h.App.FindRecordById(collections.Staff, by.ID)
	if err != nil || !hasRole(staff, people.RoleReviewer) {
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

func codeOr(err error, other string) string {
	if c := flow.CodeOf(err); c != "" {
		return string(c)
	}
	return other
}
