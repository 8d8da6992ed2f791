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
	"hospay/money"
	"hospay/people"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// deskRoles act on suspended orders.
var deskRoles = flow.DeskRule.Confirm

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

// rowsView is a page of a desk.
type rowsView[T any] struct {
	Rows    []T   `json:"rows"`
	Page    int   `json:"page"`
	PerPage int   `json:"perPage"`
	Total   int64 `json:"total"`
}

// deskOrder is an order on a desk.
type deskOrder struct {
	ID     string        `json:"id"`
	No     string        `json:"no"`
	CardNo string        `json:"card_no"`
	Amount money.Fen     `json:"amount"`
	Status refund.Status `json:"status"`
}

func viewDeskOrder(o refund.Order) deskOrder {
	return deskOrder{ID: o.ID, No: o.No, CardNo: o.CardNo, Amount: o.Amount, Status: o.Status}
}

// deskList answers with one page of orders, oldest first.
func deskList[T any](h *Hooks, e *core.RequestEvent, list lister, view func(refund.Work) (T, error)) error {
	number, size := page(e)
	works, total, err := list(e.Request.Context(), e.Auth.GetString("institution"), size, (number-1)*size)
	if err != nil {
		return h.Fail(e, err)
	}
	rows := make([]T, 0, len(works))
	for _, w := range works {
		row, err := view(w)
		if err != nil {
			return h.Fail(e, err)
		}
		rows = append(rows, row)
	}
	return e.JSON(http.StatusOK, rowsView[T]{Rows: rows, Page: number, PerPage: size, Total: int64(total)})
}

// unknownRow is an order whose outcome is open.
type unknownRow struct {
	deskOrder
	What        string `json:"what"` // payout, his_debit, his_reverse
	Since       string `json:"since"`
	Tries       int    `json:"tries"`
	NextAt      string `json:"next_at"`
	LastCode    string `json:"last_code"`
	LastMessage string `json:"last_message"`
}

// deskUnknown lists the orders whose outcome is open. To ask at once there is
// POST /api/hospay/refunds/{id}/query.
func (h *Hooks) deskUnknown(e *core.RequestEvent) error {
	return deskList(h, e, h.Store.Unknown, func(w refund.Work) (unknownRow, error) {
		row := unknownRow{deskOrder: viewDeskOrder(w.Order), What: "payout", Tries: w.Order.Tries, NextAt: calendar.Clock(w.Order.NextAt)}
		since := w.Order.OpenSince
		if since.IsZero() && w.Transfer != nil { // on hold
			since = w.Transfer.SentAt
		}
		row.Since = calendar.Clock(since)
		switch {
		case w.Order.Status == refund.StatusDebiting && w.Debit != nil:
			row.What, row.LastCode, row.LastMessage = "his_debit", w.Debit.Code, w.Debit.Message
		case w.Order.Status == refund.StatusReversing && w.Reversal != nil:
			row.What, row.LastCode, row.LastMessage = "his_reverse", w.Reversal.Code, w.Reversal.Message
		case w.Transfer != nil:
			row.LastCode, row.LastMessage = w.Transfer.Code, w.Transfer.Message
		}
		return row, nil
	})
}

// suspenseRow is a suspended order: where the amount lies, what is safe, what
// somebody proposes, and the history.
type suspenseRow struct {
	deskOrder
	Code     string         `json:"code"`
	Reason   string         `json:"reason"`
	Since    string         `json:"since"`
	From     refund.Status  `json:"from"`
	Sides    sidesView      `json:"sides"`
	Where    string         `json:"where"`
	Actions  []actionView   `json:"actions"`
	Proposal *deskProposal  `json:"proposal"` // null: nobody proposes anything
	History  []historyEvent `json:"history"`
}

// deskSuspense lists the suspended orders.
func (h *Hooks) deskSuspense(e *core.RequestEvent) error {
	ctx := e.Request.Context()
	return deskList(h, e, h.Store.Suspended, func(w refund.Work) (suspenseRow, error) {
		can, err := h.Service.Can(ctx, w)
		if err != nil {
			return suspenseRow{}, err
		}
		history, err := h.history(ctx, w.Order.ID)
		return suspenseRow{
			deskOrder: viewDeskOrder(w.Order), Code: w.Order.FailCode, Reason: store.ReasonText(w.Order.FailCode, w.Order.FailReason),
			Since: calendar.Clock(w.Order.OpenSince), From: w.Order.SuspendedFrom, Sides: viewSides(w),
			Where: deskText("where."+w.Where(), "amount", w.Order.Amount.String()), Actions: h.viewActions(w, can),
			Proposal: viewProposal(w.Proposal),
			History:  history,
		}, err
	})
}

// sidesView is what HIS and the channel say about an order.
type sidesView struct {
	HIS     sideView `json:"his"`
	Channel sideView `json:"channel"`
}

// sideView is what one side says.
type sideView struct {
	State  string    `json:"state"`
	No     string    `json:"no"`
	Amount money.Fen `json:"amount"`
	Text   string    `json:"text"`
}

func viewSides(w refund.Work) sidesView {
	s := w.Sides()
	his := sideView{State: "debit_" + string(s.Debit), Amount: w.Order.Amount}
	if w.Debit != nil {
		his.No = w.Debit.No
	}
	if w.Reversal != nil {
		his.State, his.No = "reversal_"+string(s.Reversal), w.Reversal.No
	}
	his.Text = deskText("side." + his.State)
	channel := sideView{State: string(s.Payout), Text: deskText("side.payout_" + string(s.Payout))}
	if w.Transfer != nil {
		channel.No, channel.Amount = w.Transfer.No, w.Transfer.Amount
	}
	return sidesView{HIS: his, Channel: channel}
}

// actionView is something that people could do, and why it is safe or not.
type actionView struct {
	Action   refund.Action `json:"action"`
	Text     string        `json:"text"`
	Why      string        `json:"why"`
	Safe     bool          `json:"safe"`
	Evidence bool          `json:"evidence"` // it needs a proof in words
}

// viewActions offers what is safe and says why the rest is not.
func (h *Hooks) viewActions(w refund.Work, can refund.HISTraits) []actionView {
	out := []actionView{}
	for _, o := range h.Service.Offers(w, can) {
		why := deskText("safe." + string(o.Action))
		if o.Why != refund.WhySafe {
			why = deskText("why." + string(o.Why))
		}
		out = append(out, actionView{
			Action: o.Action, Text: deskText("action." + string(o.Action)), Why: why, Safe: o.Safe, Evidence: refund.NeedsEvidence(o.Action),
		})
	}
	return out
}

// deskProposal is what somebody proposes to do about a suspended order.
type deskProposal struct {
	Seq    int           `json:"seq"`
	Action refund.Action `json:"action"`
	Text   string        `json:"text"`
	By     string        `json:"by"`
	At     string        `json:"at"`
	Reason string        `json:"reason"`
}

func viewProposal(p *flow.Proposal) *deskProposal {
	if p == nil {
		return nil
	}
	return &deskProposal{
		Seq: p.Seq, Action: p.Action, Text: deskText("action." + string(p.Action)), By: p.By.ID, At: calendar.Clock(p.At), Reason: p.Reason,
	}
}

// historyEvent is an event of an order, as staff read it.
type historyEvent struct {
	Seq       int    `json:"seq"`
	At        string `json:"at"`
	Event     string `json:"event"`
	From      string `json:"from"`
	To        string `json:"to"`
	Actor     string `json:"actor"`
	ActorKind string `json:"actor_kind"`
	Code      string `json:"code"`
	Message   string `json:"message"`
}

// history tells every event of an order, for staff.
func (h *Hooks) history(ctx context.Context, order string) ([]historyEvent, error) {
	events, err := store.Workable(h.Store.Events(ctx, order))
	out := make([]historyEvent, 0, len(events))
	for _, ev := range events {
		out = append(out, historyEvent{
			Seq: ev.Seq, At: calendar.Clock(ev.Created.Time()), Event: ev.Event, From: ev.From, To: ev.To, Actor: ev.Actor, ActorKind: ev.ActorKind,
			Code: ev.Code, Message: ev.Message,
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
		return h.Service.Propose(ctx, id, flow.Proposal{Action: b.Action, By: by, Reason: b.Reason}, b.Evidence)
	})
}

func (h *Hooks) deskConfirm(e *core.RequestEvent) error {
	return h.deskAct(e, func(ctx context.Context, id string, by people.By, b deskBody) error {
		return h.Service.Confirm(ctx, id, flow.Seen{Action: b.Action, Seq: b.Seq}, by, b.Note)
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
	data := map[string]any{"code": string(de), "detail": why}
	return &router.ApiError{Status: http.StatusConflict, Message: deskText("why." + why), Data: data}
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
	return e.JSON(http.StatusOK, kit.Queued{Queued: true})
}
