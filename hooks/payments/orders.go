package payments

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/money"
	"hospay/payment"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

func (h *Hooks) bindOrderRoutes(g *router.RouterGroup[*core.RequestEvent]) {
	g.GET("/payments/{id}", h.order).BindFunc(kit.RequirePatient)
	g.POST("/payments/{id}/check", h.check).BindFunc(kit.RequirePatient, h.withinBudget)
	g.POST("/payments/{id}/cancel", h.cancel).BindFunc(kit.RequirePatient, h.withinBudget)
	g.POST("/payments/{id}/authorise", h.authorise).BindFunc(kit.RequirePatient, h.withinBudget)
}

// paymentView is an order in words, with what the client needs while it can be
// paid. Amounts are fen; until the insurance has told who pays what, all but the
// total is 0.
type paymentView struct {
	ID         string           `json:"id"`
	No         string           `json:"no"`
	Kind       payment.Kind     `json:"kind"`
	Title      string           `json:"title"`
	BillNo     string           `json:"bill_no"`
	CardNo     string           `json:"card_no"`
	Channel    string           `json:"channel"`
	Terminal   payment.Terminal `json:"terminal"` // where it was begun, and is paid
	Insured    bool             `json:"insured"`
	Status     payment.Status   `json:"status"`
	StatusText string           `json:"status_text"`
	Next       string           `json:"next"`      // what follows, and who does it
	WaitsFor   payment.Next     `json:"waits_for"` // the same in a word
	Reason     string           `json:"reason"`    // why it did not go well
	ReasonCode string           `json:"reason_code"`
	Total      money.Fen        `json:"total"`
	Fund       money.Fen        `json:"fund"`
	Account    money.Fen        `json:"account"`
	Family     money.Fen        `json:"account_family"` // of the account
	Cash       money.Fen        `json:"cash"`
	Other      money.Fen        `json:"other"`
	Due        money.Fen        `json:"due"`       // what the channel takes
	CashBack   money.Fen        `json:"cash_back"` // of it, what went back
	Pay        *payView         `json:"pay"`       // null: it cannot be paid now
	Refund     *refundView      `json:"refund"`    // the newest; null: none
	RefundAt   string           `json:"refund_at"` // where it is given back, when not from here; mostly empty
	ReceiptNo  string           `json:"receipt_no"`
	Guide      string           `json:"guide"`
	Created    string           `json:"created"`
	ExpiresAt  string           `json:"expires_at"`
	PaidAt     string           `json:"paid_at"`
}

// payView is what the payer's client opens the channel's page with.
type payView struct {
	Form   string            `json:"form"` // wechat_jsapi, wechat_medins, alipay_trade, link, code
	Values map[string]string `json:"values"`
	URL    string            `json:"url"` // a page that pays outside the channel's app, with the place {back}; mostly empty
}

// refundView is what goes back of a payment.
type refundView struct {
	No        string             `json:"no"`
	Kind      payment.RefundKind `json:"kind"`
	State     string             `json:"state"` // open, done, withdrawn
	StateText string             `json:"state_text"`
	Fund      money.Fen          `json:"fund"`
	Account   money.Fen          `json:"account"`
	Cash      money.Fen          `json:"cash"`
	AskedAt   string             `json:"asked_at"`
	DoneAt    string             `json:"done_at"`
}

func viewRefund(r payment.Refund) refundView {
	return refundView{No: r.No, Kind: r.Kind, State: r.State, StateText: text("refund", r.State), Fund: r.Fund, Account: r.Account,
		Cash: r.Cash, AskedAt: calendar.Clock(r.AskedAt), DoneAt: calendar.Clock(r.DoneAt)}
}

// nextText says what follows: by the state where there are words for it, else by
// what the order waits for.
func nextText(o payment.Order) string {
	if next := o.Next(); next == payment.NextAgree {
		return text("waits", string(next))
	}
	return cmp.Or(text("next", string(o.Status)), text("waits", string(o.Next())))
}

func viewPayment(w payment.Work) paymentView {
	o := w.Order
	v := paymentView{ID: o.ID, No: o.No, Kind: o.Kind, Title: o.Title, BillNo: o.BillNo, CardNo: o.CardNo, Channel: o.Channel,
		Terminal: o.Terminal,
		Insured:  o.Insured, Status: o.Status, StatusText: text("status", string(o.Status)), Next: nextText(o), WaitsFor: o.Next(),
		Total: o.Total, Fund: o.Fund, Account: o.Account, Family: o.Family, Cash: o.Cash, Other: o.Other, Due: o.CashDue(),
		CashBack: o.CashBack, ReceiptNo: o.ReceiptNo, Guide: o.Guide, Created: calendar.Clock(o.Created), ExpiresAt: calendar.Clock(o.ExpiresAt),
		PaidAt: calendar.Clock(o.PaidAt)}
	if o.FailCode != "" {
		v.ReasonCode, v.Reason = o.FailCode, store.ReasonText(o.FailCode, o.FailReason)
	}
	if w.Refund != nil {
		refund := viewRefund(*w.Refund)
		v.Refund = &refund
	}
	return v
}

// mine is the patient's order of the path, or a 404 that does not tell whether it
// is somebody else's.
func (h *Hooks) mine(e *core.RequestEvent) (payment.Work, error) {
	w, err := h.Store.Payments().Get(e.Request.Context(), e.Request.PathValue("id"))
	if err == nil && w.Order.Patient != e.Auth.Id {
		err = flow.ErrNotFound
	}
	return w, err
}

// order tells the patient's order in words.
func (h *Hooks) order(e *core.RequestEvent) error {
	w, err := h.mine(e)
	if err != nil {
		return h.fail(e, err)
	}
	out := viewPayment(w)
	if out.RefundAt, err = h.refundAt(e, w.Order); err != nil {
		return h.fail(e, err)
	}
	page, ok, err := h.Bills.Page(e.Request.Context(), w)
	switch {
	case err != nil && flow.CodeOf(err) == "":
		return h.fail(e, err)
	case err != nil: // the order is shown although its channel cannot be used now
		h.Log.Warn("payment.page", "order", w.Order.No, "code", flow.CodeOf(err))
	case ok:
		cashier, err := h.Store.ClientSetting(e.Request.Context(), w.Order.Institution, w.Order.Channel, "cashier_url")
		if err != nil {
			return h.fail(e, err)
		}
		out.Pay = &payView{Form: page.Form, Values: page.Values, URL: strings.ReplaceAll(cashier, "{no}", url.QueryEscape(w.Order.TradeNo))}
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.JSON(http.StatusOK, out)
}

// refundAt tells where a bill that is paid is given back, where that is not from here.
func (h *Hooks) refundAt(e *core.RequestEvent, o payment.Order) (string, error) {
	if o.Status != payment.StatusDone && o.Status != payment.StatusPartRefunded {
		return "", nil
	}
	scene, err := h.Bills.Scene(e.Request.Context(), o.Institution, o.Kind)
	if err != nil || !scene.RefundOff {
		return "", err
	}
	return scene.RefundWhy, nil
}

func byPatient(e *core.RequestEvent) people.By {
	return people.By{Kind: people.ByPatient, ID: e.Auth.Id}
}

// check asks all sides for the order now. One that rests has nothing to ask for.
func (h *Hooks) check(e *core.RequestEvent) error {
	w, err := h.mine(e)
	if err != nil {
		return h.fail(e, err)
	}
	if !payment.Resting(w.Order.Status) {
		err := h.Bills.Check(e.Request.Context(), w.Order.ID, byPatient(e))
		if err != nil && flow.CodeOf(err) != flow.CodeConflict { // it has come to rest meanwhile
			return h.fail(e, err)
		}
		h.Worker.Kick()
	}
	return h.order(e)
}

// cancel takes the patient's order back, as long as nothing is paid.
func (h *Hooks) cancel(e *core.RequestEvent) error {
	w, err := h.mine(e)
	if err == nil {
		err = h.Bills.Cancel(e.Request.Context(), w.Order.ID, byPatient(e))
	}
	if err != nil {
		return h.fail(e, err)
	}
	h.Worker.Kick()
	return h.order(e)
}

// authorise takes the credential for an order: a new one, or a refund that waits
// for it.
func (h *Hooks) authorise(e *core.RequestEvent) error {
	var body codeBody
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	w, err := h.mine(e)
	if err != nil {
		return h.fail(e, err)
	}
	if body.Channel != "" && body.Channel != w.Order.Channel {
		return h.fail(e, flow.NewError(flow.CodeBadRequest, "channel"))
	}
	ask, err := h.ask(e, w.Order.Channel, cmp.Or(body.Terminal, string(w.Order.Terminal)), body.Back)
	if err != nil {
		return err
	}
	way, err := h.Bills.AuthoriseOrder(e.Request.Context(), w.Order.ID, ask, body.Code)
	if err == nil && !way.Granted {
		err = flow.NewError(payment.CodeNotAuthorised, "")
	}
	if err != nil {
		return h.fail(e, err)
	}
	h.Worker.Kick()
	return h.order(e)
}

// ofHouse is the order of the path, when it is of the staff member's institution.
func (h *Hooks) ofHouse(e *core.RequestEvent) (payment.Work, error) {
	w, err := h.Store.Payments().Get(e.Request.Context(), e.Request.PathValue("id"))
	if err == nil && w.Order.Institution != kit.InstitutionOf(e) {
		err = flow.ErrNotFound
	}
	return w, err
}

// show answers with the record of an order as it is now.
func (h *Hooks) show(e *core.RequestEvent, id string) error {
	rec, err := e.App.FindRecordById(collections.PaymentOrders, id)
	if err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, rec)
}
