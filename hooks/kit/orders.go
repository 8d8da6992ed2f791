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
	return e.JSON(http.StatusOK, rec)
}

// timelineKey maps events to the words that patients read; events that are not
// here are for staff.
var timelineKey = map[string]string{
	"order.submitted": "submitted", "his.debited": "debited", "review.approved": "review_approved", "review.rejected": "review_rejected",
	"payout.started": "payout_started", "payout.awaiting_payee": "awaiting_payee", "payout.confirmed": "confirmed",
	"payout.succeeded": "succeeded",
	"payout.by_hand":   "succeeded_by_hand", "his.by_hand": "reversed",
	"payout.failed": "failed", "his.reversed": "reversed", "his.refused": "refused", "order.cancelled": "cancelled",
	"payout.returned": "returned",
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
	steps := []stepView{}
	for _, ev := range events {
		if step, told := viewStep(ev, staff); told || staff {
			steps = append(steps, step)
		}
	}
	status := rec.GetString("status")
	return e.JSON(http.StatusOK, timelineView{
		Status: status, Text: i18n.Text(i18n.Default, "status."+status), Next: i18n.Text(i18n.Default, "next."+status), Steps: steps,
	})
}

// timelineView is the history of an order and what comes next.
type timelineView struct {
	Status string     `json:"status"`
	Text   string     `json:"text"`
	Next   string     `json:"next"`
	Steps  []stepView `json:"steps"`
}

// stepView is an event of an order; what has no key is told to staff only.
type stepView struct {
	At         string `json:"at"`
	Event      string `json:"event"`
	Status     string `json:"status"`
	Text       string `json:"text,omitempty"`
	Key        string `json:"key,omitempty"`
	Reason     string `json:"reason,omitempty"`
	ReasonCode string `json:"reason_code,omitempty"`
	*StaffStep
}

// StaffStep is what only staff are told of an event.
type StaffStep struct {
	Seq       int    `json:"seq"`
	Actor     string `json:"actor"`
	ActorKind string `json:"actor_kind"`
	Code      string `json:"code"`
	Message   string `json:"message"`
}

// viewStep tells an event, and whether patients are told of it.
func viewStep(ev store.Event, staff bool) (stepView, bool) {
	step := stepView{At: calendar.Clock(ev.Created.Time()), Event: ev.Event, Status: ev.To}
	key, told := timelineKey[ev.Event]
	if told {
		step.Text, step.Key = i18n.Text(i18n.Default, "timeline."+key), key
	}
	if ev.Code != "" && (staff || key == "failed" || key == "refused" || key == "review_rejected") {
		step.Reason, step.ReasonCode = store.ReasonText(ev.Code, ev.Message), ev.Code
	}
	if staff {
		step.StaffStep = &StaffStep{Seq: ev.Seq, Actor: ev.Actor, ActorKind: ev.ActorKind, Code: ev.Code, Message: ev.Message}
	}
	return step, told
}
