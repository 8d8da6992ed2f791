package staff

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"hospay/calendar"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/i18n"
	"hospay/people"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// deskRoles act on suspended orders.
var deskRoles = []string{people.RoleReviewer, people.RoleFinance}

// bindDeskRoutes is the desk of open outcomes and of suspended orders (挂账).
func (h *Hooks) bindDeskRoutes(se *core.ServeEvent) {
	g := se.Router.Group("/api/hospay/desk")
	g.Bind(apis.BodyLimit(16 << 10))
	g.GET("/unknown", h.deskUnknown).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.GET("/suspense", h.deskSuspense).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.POST("/suspense/{id}/propose", h.deskPropose).BindFunc(kit.RequireStaff(deskRoles...))
	g.POST("/suspense/{id}/confirm", h.deskConfirm).BindFunc(kit.RequireStaff(deskRoles...))
	g.POST("/suspense/{id}/withdraw", h.deskWithdraw).BindFunc(kit.RequireStaff(deskRoles...))
	se.Router.POST("/api/hospay/refunds/{id}/query", h.queryNow).BindFunc(kit.RequireStaff(deskRoles...))
	se.Router.POST("/api/hospay/notifications/{id}/resend", h.resend).BindFunc(kit.RequireStaff(deskRoles...))
}

// deskText is a sentence of the desk; key is in the group's words.
func deskText(key string, params ...string) string {
	return i18n.Text(i18n.Default, "desk."+key, params...)
}

// page reads page and perPage as PocketBase's lists name them.
func page(e *core.RequestEvent) (number, size int) {
	q := e.Request.URL.Query()
	number, _ = strconv.Atoi(q.Get("page"))
	size, _ = strconv.Atoi(q.Get("perPage"))
	return max(number, 1), min(cmp.Or(max(size, 0), 50), 200)
}

type lister func(ctx context.Context, institution string, limit, offset int) ([]refund.Work, int, error)

// deskList answers with one page of orders, oldest first.
func (h *Hooks) deskList(e *core.RequestEvent, list lister, view func(refund.Work) (map[string]any, error)) error {
	number, size := page(e)
	works, total, err := list(e.Request.Context(), e.Auth.GetString("institution"), size, (number-1)*size)
	if err != nil {
		return h.Fail(e, err)
	}
	rows := make([]map[string]any, 0, len(works))
	for _, w := range works {
		row, err := view(w)
		if err != nil {
			return h.Fail(e, err)
		}
		row["id"], row["no"], row["card_no"], row["amount"], row["status"] = w.Order.ID, w.Order.No, w.Order.CardNo, w.Order.Amount, w.Order.Status
		rows = append(rows, row)
	}
	return e.JSON(http.StatusOK, map[string]any{"rows": rows, "page": number, "perPage": size, "total": total})
}

// deskUnknown lists the orders whose outcome is open. To ask at once there is
// POST /api/hospay/refunds/{id}/query.
func (h *Hooks) deskUnknown(e *core.RequestEvent) error {
	return h.deskList(e, h.Store.Unknown, func(w refund.Work) (map[string]any, error) {
		what, code, message, since := "payout", "", "", w.Order.OpenSince
		if since.IsZero() && w.Transfer != nil { // on hold
			since = w.Transfer.SentAt
		}
		switch {
		case w.Order.Status == refund.StatusDebiting && w.Debit != nil:
			what, code, message = "his_debit", w.Debit.Code, w.Debit.Message
		case w.Order.Status == refund.StatusReversing && w.Reversal != nil:
			what, code, message = "his_reverse", w.Reversal.Code, w.Reversal.Message
		case w.Transfer != nil:
			code, message = w.Transfer.Code, w.Transfer.Message
		}
		return map[string]any{
			"what": what, "since": calendar.Clock(since), "tries": w.Order.Tries, "next_at": calendar.Clock(w.Order.NextAt), "last_code": code, "last_message": message,
		}, nil
	})
}

// deskSuspense lists the suspended orders with where the amount lies, what is
// safe, what somebody proposes, and the history.
func (h *Hooks) deskSuspense(e *core.RequestEvent) error {
	ctx := e.Request.Context()
	_, can, err := h.Store.HIS(ctx, e.Auth.GetString("institution"))
	if err != nil {
		return h.Fail(e, err)
	}
	return h.deskList(e, h.Store.Suspended, func(w refund.Work) (map[string]any, error) {
		history, err := h.history(ctx, w.Order.ID)
		return map[string]any{
			"code": w.Order.FailCode, "reason": store.ReasonText(w.Order.FailCode, w.Order.FailReason), "since": calendar.Clock(w.Order.OpenSince),
			"from": w.Order.SuspendedFrom, "sides": sidesView(w), "where": deskText("where."+w.Where(), "amount", w.Order.Amount.String()),
			"actions": actionsView(w, can), "proposal": proposalView(w.Proposal), "history": history,
		}, err
	})
}

func sidesView(w refund.Work) map[string]any {
	s := w.Sides()
	his, no := "debit_"+string(s.Debit), ""
	if w.Debit != nil {
		no = w.Debit.No
	}
	if w.Reversal != nil {
		his, no = "reversal_"+string(s.Reversal), w.Reversal.No
	}
	channel := map[string]any{"state": s.Payout, "no": "", "amount": 0}
	if w.Transfer != nil {
		channel["no"], channel["amount"] = w.Transfer.No, w.Transfer.Amount
	}
	return map[string]any{"his": map[string]any{"state": his, "no": no, "amount": w.Order.Amount, "text": deskText("side." + his)}, "channel": withText(channel, deskText("side.payout_"+string(s.Payout)))}
}

func withText(m map[string]any, text string) map[string]any {
	m["text"] = text
	return m
}

// actionsView offers what is safe and says why the rest is not.
func actionsView(w refund.Work, can refund.HISTraits) []map[string]any {
	out := []map[string]any{}
	for _, o := range w.Offers(can) {
		why := deskText("safe." + string(o.Action))
		if o.Why != refund.WhySafe {
			why = deskText("why." + string(o.Why))
		}
		out = append(out, map[string]any{
			"action": o.Action, "text": deskText("action." + string(o.Action)), "why": why, "safe": o.Safe, "evidence": o.Action.NeedsEvidence(),
		})
	}
	return out
}

func proposalView(p *refund.Proposal) any {
	if p == nil {
		return nil
	}
	return map[string]any{"seq": p.Seq, "action": p.Action, "text": deskText("action." + string(p.Action)), "by": p.By.ID, "at": calendar.Clock(p.At), "reason": p.Reason}
}

// history tells every event of an order, for staff.
func (h *Hooks) history(ctx context.Context, order string) ([]map[string]any, error) {
	events, err := h.Store.Events(ctx, order)
	out := make([]map[string]any, 0, len(events))
	for _, ev := range events {
		out = append(out, map[string]any{
			"seq": ev.Seq, "at": calendar.Clock(ev.Created.Time()), "event": ev.Event, "from": ev.From, "to": ev.To, "actor": ev.Actor, "actor_kind": ev.ActorKind,
			"code": ev.Code, "message": ev.Message,
		})
	}
	return out, err
}

type deskBody struct {
	Action   refund.Action `json:"action"`
	Reason   string        `json:"reason"`
	Evidence string        `json:"evidence"`
	Note     string        `json:"note"`
	Seq      int           `json:"seq"`
}

func (h *Hooks) deskPropose(e *core.RequestEvent) error {
	return h.deskAct(e, func(ctx context.Context, id string, by people.By, b deskBody) error {
		return h.Service.Propose(ctx, id, refund.Proposal{Action: b.Action, By: by, Reason: b.Reason}, b.Evidence)
	})
}

func (h *Hooks) deskConfirm(e *core.RequestEvent) error {
	return h.deskAct(e, func(ctx context.Context, id string, by people.By, b deskBody) error {
		return h.Service.Confirm(ctx, id, refund.Seen{Action: b.Action, Seq: b.Seq}, by, b.Note)
	})
}

func (h *Hooks) deskWithdraw(e *core.RequestEvent) error {
	return h.deskAct(e, func(ctx context.Context, id string, by people.By, b deskBody) error {
		return h.Service.Withdraw(ctx, id, by, b.Note)
	})
}

// deskAct lets the domain do one step and answers with the order. The proof is
// asked for from both sides, outside of any transaction.
func (h *Hooks) deskAct(e *core.RequestEvent, act func(context.Context, string, people.By, deskBody) error) error {
	var body deskBody
	if err := e.BindBody(&body); err != nil {
		return kit.Error(http.StatusBadRequest, "bad_request", "")
	}
	rec, err := h.StaffOrder(e)
	if err != nil {
		return err
	}
	if err := act(e.Request.Context(), rec.Id, kit.ByRequest(e), body); err != nil {
		return h.deskFail(e, err)
	}
	h.Worker.Kick()
	return h.ShowOrder(e, rec.Id)
}

// deskFail says why an action is not safe.
func (h *Hooks) deskFail(e *core.RequestEvent, err error) error {
	de := flow.CodeOf(err)
	if de != flow.CodeActionUnsafe {
		return h.Fail(e, err)
	}
	why := flow.DetailOf(err)
	return &router.ApiError{Status: http.StatusConflict, Message: deskText("why." + why), Data: map[string]any{"code": string(de), "detail": why}}
}

// queryNow makes an order due, so that its outcome is asked for at once.
func (h *Hooks) queryNow(e *core.RequestEvent) error {
	rec, err := h.StaffOrder(e)
	if err != nil {
		return err
	}
	if err := h.Service.Wake(e.Request.Context(), rec.Id, kit.ByStaff(e.Auth)); err != nil {
		return h.Fail(e, err)
	}
	h.Worker.Kick()
	return h.ShowOrder(e, rec.Id)
}

// resend makes a notice due again.
func (h *Hooks) resend(e *core.RequestEvent) error {
	if err := h.Store.Requeue(e.Request.Context(), e.Auth.GetString("institution"), e.Request.PathValue("id")); err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, map[string]any{"queued": true})
}
