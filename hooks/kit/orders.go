package kit

import (
	"net/http"

	"hospay/calendar"
	"hospay/collections"
	"hospay/internal/i18n"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// bindTimeline is the one route that patients and staff share.
func (k *Kit) bindTimeline(se *core.ServeEvent) {
	se.Router.GET("/api/hospay/refunds/{id}/timeline", k.timeline).Bind(apis.RequireAuth(collections.Patients, collections.Staff))
}

// OwnOrder returns the patient's order of the path, or a 404 that does not
// tell whether it is somebody else's.
func (k *Kit) OwnOrder(e *core.RequestEvent) (*core.Record, error) {
	rec, err := e.App.FindRecordById(collections.RefundOrders, e.Request.PathValue("id"))
	if err != nil || rec.GetString("patient") != e.Auth.Id {
		return nil, Error(http.StatusNotFound, "not_found", "")
	}
	return rec, nil
}

// StaffOrder returns the order of the path when it is of the staff member's
// institution.
func (k *Kit) StaffOrder(e *core.RequestEvent) (*core.Record, error) {
	rec, err := e.App.FindRecordById(collections.RefundOrders, e.Request.PathValue("id"))
	if err != nil || rec.GetString("institution") != InstitutionOf(e) {
		return nil, Error(http.StatusNotFound, "not_found", "")
	}
	return rec, nil
}

// ShowOrder answers with an order as it is now.
func (k *Kit) ShowOrder(e *core.RequestEvent, id string) error {
	rec, err := e.App.FindRecordById(collections.RefundOrders, id)
	if err != nil {
		return k.Fail(e, err)
	}
	return e.JSON(http.StatusOK, rec.PublicExport())
}

// timelineKey maps events to the words that patients read; events that are not
// here are for staff.
var timelineKey = map[string]string{
	"order.submitted": "submitted", "his.debited": "debited", "review.approved": "review_approved", "review.rejected": "review_rejected",
	"payout.started": "payout_started", "payout.awaiting_payee": "awaiting_payee", "payout.confirmed": "confirmed", "payout.succeeded": "succeeded",
	"payout.by_hand": "succeeded_by_hand", "his.by_hand": "reversed",
	"payout.failed": "failed", "his.reversed": "reversed", "his.refused": "refused", "order.cancelled": "cancelled", "payout.returned": "returned",
	"order.suspended": "suspended", "payout.unknown": "checking", "his.debit.unknown": "checking", "his.reverse.unknown": "checking",
}

// timeline tells an order's history: to the patient in plain words, to staff
// with every event.
func (k *Kit) timeline(e *core.RequestEvent) error {
	staff := e.Auth.Collection().Name == collections.Staff
	find := k.OwnOrder
	if staff {
		if !HasRole(e.Auth, people.RoleReviewer, people.RoleFinance, people.RoleCashier, people.RoleAuditor) {
			return Denied(e)
		}
		find = k.StaffOrder
	}
	rec, err := find(e)
	if err != nil {
		return err
	}
	events, err := k.Store.Events(e.Request.Context(), rec.Id)
	if err != nil {
		return k.Fail(e, err)
	}
	steps := []map[string]any{}
	for _, ev := range events {
		key, told := timelineKey[ev.Event]
		if !staff && !told {
			continue
		}
		step := map[string]any{"at": calendar.Clock(ev.Created.Time()), "event": ev.Event, "status": ev.To}
		if told {
			step["text"], step["key"] = i18n.Text(i18n.Default, "timeline."+key), key
		}
		if ev.Code != "" && (staff || key == "failed" || key == "refused" || key == "review_rejected") {
			step["reason"], step["reason_code"] = store.ReasonText(ev.Code, ev.Message), ev.Code
		}
		if staff {
			step["seq"], step["actor"], step["actor_kind"], step["code"], step["message"] = ev.Seq, ev.Actor, ev.ActorKind, ev.Code, ev.Message
		}
		steps = append(steps, step)
	}
	status := rec.GetString("status")
	return e.JSON(http.StatusOK, map[string]any{
		"status": status, "text": i18n.Text(i18n.Default, "status."+status), "next": i18n.Text(i18n.Default, "next."+status), "steps": steps,
	})
}
