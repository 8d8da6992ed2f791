package payments

import (
	"context"
	"net/http"

	"hospay/calendar"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/money"
	"hospay/payment"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// bindDeskRoutes are the payments on the desks that both domains share: those whose
// outcome is open, and those that people decide about (挂账).
func (h *Hooks) bindDeskRoutes(g *router.RouterGroup[*core.RequestEvent]) {
	g.GET("/payments/desk/unknown", h.unknown).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.GET("/payments/desk/suspense", h.suspended).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
}

// deskPayment is a payment on a desk.
type deskPayment struct {
	ID         string         `json:"id"`
	No         string         `json:"no"`
	CardNo     string         `json:"card_no"`
	Kind       payment.Kind   `json:"kind"`
	Amount     money.Fen      `json:"amount"`
	Status     payment.Status `json:"status"`
	StatusText string         `json:"status_text"`
	Since      string         `json:"since"`
}

func viewDeskPayment(o payment.Order) deskPayment {
	return deskPayment{ID: o.ID, No: o.No, CardNo: o.CardNo, Kind: o.Kind, Amount: o.Total, Status: o.Status,
		StatusText: text("status", string(o.Status)), Since: calendar.Clock(o.OpenSince)}
}

// unknownPayment is a payment whose outcome is open.
type unknownPayment struct {
	deskPayment
	What        string `json:"what"` // in words
	Tries       int    `json:"tries"`
	NextAt      string `json:"next_at"`
	LastCode    string `json:"last_code"`
	LastMessage string `json:"last_message"`
}

// unknown lists the payments whose outcome is open, oldest first.
func (h *Hooks) unknown(e *core.RequestEvent) error {
	return deskPage(h, e, h.Store.Payments().Unknown, func(w payment.Work) (unknownPayment, error) {
		row := unknownPayment{deskPayment: viewDeskPayment(w.Order), What: text("open", string(w.Order.Status)), Tries: w.Order.Tries,
			NextAt: calendar.Clock(w.Order.NextAt)}
		if c := lastOpen(w); c != nil {
			row.LastCode, row.LastMessage = c.Code, c.Message
		}
		return row, nil
	})
}

// lastOpen is the number that was sent last and has no outcome.
func lastOpen(w payment.Work) (last *flow.Call) {
	for _, c := range w.Calls {
		if c.State == flow.CallOpen && (last == nil || c.SentAt.After(last.SentAt)) {
			last = c
		}
	}
	return last
}

// suspendedPayment is a payment that people decide about: where the money lies, what
// is safe, what somebody proposes, and the history.
type suspendedPayment struct {
	deskPayment
	Code     string          `json:"code"`
	Reason   string          `json:"reason"`
	Legs     legsText        `json:"legs"`
	Where    string          `json:"where"`
	Actions  []payAction     `json:"actions"`
	Proposal *payProposal    `json:"proposal"` // null: nobody proposes anything
	History  []paymentMoment `json:"history"`
}

// suspended lists the payments that people decide about, oldest first.
func (h *Hooks) suspended(e *core.RequestEvent) error {
	return deskPage(h, e, h.Store.Payments().Suspended, func(w payment.Work) (suspendedPayment, error) {
		o := w.Order
		history, err := h.history(e.Request.Context(), o.ID)
		return suspendedPayment{deskPayment: viewDeskPayment(o), Code: o.FailCode, Reason: store.ReasonText(o.FailCode, o.FailReason),
			Legs: viewLegs(w), Where: whereText(w), Actions: h.actions(w), Proposal: viewProposal(w.Proposal), History: history}, err
	})
}

// deskPage answers with one page of payments.
func deskPage[T any](h *Hooks, e *core.RequestEvent, list func(context.Context, string, int, int) ([]payment.Work, int, error),
	view func(payment.Work) (T, error)) error {
	page, perPage, err := kit.PageOf(e.Request.URL.Query())
	if err != nil {
		return err
	}
	works, count, err := list(e.Request.Context(), kit.InstitutionOf(e), perPage, (page-1)*perPage)
	if err != nil {
		return h.fail(e, err)
	}
	out := kit.Page[T]{Items: make([]T, 0, len(works)), Count: count, Page: page, PerPage: perPage}
	for _, w := range works {
		row, err := view(w)
		if err != nil {
			return h.fail(e, err)
		}
		out.Items = append(out.Items, row)
	}
	return e.JSON(http.StatusOK, out)
}

// payAction is what people could do with a suspended payment.
type payAction struct {
	Action   flow.Action `json:"action"`
	Text     string      `json:"text"`
	Safe     bool        `json:"safe"`
	Why      string      `json:"why"`
	Evidence bool        `json:"evidence"`
}

// actions are what people could do with a suspended payment, with the reason why it
// is safe or not.
func (h *Hooks) actions(w payment.Work) []payAction {
	out := []payAction{}
	for _, o := range h.Bills.Offers(w) {
		why := text("safe", string(o.Action))
		if o.Why != payment.WhySafe {
			why = text("why", string(o.Why))
		}
		out = append(out, payAction{Action: o.Action, Text: text("action", string(o.Action)), Safe: o.Safe, Why: why,
			Evidence: payment.NeedsEvidence(o.Action)})
	}
	return out
}

// payProposal is what somebody proposes to do with a suspended payment.
type payProposal struct {
	Seq    int         `json:"seq"`
	Action flow.Action `json:"action"`
	Text   string      `json:"text"`
	By     string      `json:"by"`
	At     string      `json:"at"`
	Reason string      `json:"reason"`
}

func viewProposal(p *flow.Proposal) *payProposal {
	if p == nil {
		return nil
	}
	return &payProposal{Seq: p.Seq, Action: p.Action, Text: text("action", string(p.Action)), By: p.By.ID, At: calendar.Clock(p.At),
		Reason: p.Reason}
}

func whereText(w payment.Work) string {
	return text("where", w.Where(), "amount", w.Order.Total.String())
}
