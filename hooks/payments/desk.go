package payments

import (
	"context"
	"net/http"

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

// deskRoles ask for payments anew and decide about suspended ones.
var deskRoles = flow.DeskRule.Confirm

func (h *Hooks) bindStaffRoutes(g *router.RouterGroup[*core.RequestEvent]) {
	g.GET("/payments", h.list).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.GET("/payments/{id}/facts", h.facts).BindFunc(kit.RequireStaff(kit.MoneyRoles...))
	g.POST("/payments/{id}/refund", h.refund).BindFunc(kit.RequireStaff(payment.RefundRoles()...))
	g.POST("/payments/{id}/query", h.query).BindFunc(kit.RequireStaff(deskRoles...))
	g.POST("/payments/{id}/write", h.write).BindFunc(kit.RequireStaff(deskRoles...))
	g.POST("/payments/{id}/propose", h.propose).BindFunc(kit.RequireStaff(deskRoles...))
	g.POST("/payments/{id}/confirm", h.confirm).BindFunc(kit.RequireStaff(deskRoles...))
	g.POST("/payments/{id}/withdraw", h.withdraw).BindFunc(kit.RequireStaff(deskRoles...))
}

// paymentLine is a payment in the list of the staff, times in Beijing.
type paymentLine struct {
	ID            string    `json:"id"`
	No            string    `json:"no"`
	Created       string    `json:"created"`
	PatientName   string    `json:"patient_name"`
	CardNo        string    `json:"card_no"`
	Kind          string    `json:"kind"`
	Title         string    `json:"title"`
	BillNo        string    `json:"bill_no"`
	Channel       string    `json:"channel"`
	Terminal      string    `json:"terminal"`
	Insured       bool      `json:"insured"`
	Total         money.Fen `json:"total"`
	Fund          money.Fen `json:"fund"`
	Account       money.Fen `json:"account"`
	Family        money.Fen `json:"account_family"`
	Cash          money.Fen `json:"cash"`
	Other         money.Fen `json:"other"`
	CashBack      money.Fen `json:"cash_back"`
	WentBack      money.Fen `json:"went_back"`    // of all parts
	RefundState   string    `json:"refund_state"` // of the newest refund: proposed, open, done, withdrawn, or empty
	RefundText    string    `json:"refund_text"`
	Status        string    `json:"status"`
	StatusText    string    `json:"status_text"`
	Insurance     string    `json:"insurance_state"`
	InsuranceText string    `json:"insurance_text"`
	CashState     string    `json:"cash_state"`
	CashText      string    `json:"cash_text"`
	HIS           string    `json:"his_state"` // none, open, written, refused, reversed
	HISText       string    `json:"his_text"`
	NeedsPeople   bool      `json:"needs_people"`
	TradeNo       string    `json:"out_trade_no"`
	PayOrdID      string    `json:"pay_ord_id"`
	SetlID        string    `json:"setl_id"`
	ReceiptNo     string    `json:"receipt_no"`
	PaidAt        string    `json:"paid_at"`
	ReasonCode    string    `json:"reason_code"`
	Reason        string    `json:"reason"`
}

func viewLine(l store.PaymentLine) paymentLine {
	return paymentLine{ID: l.ID, No: l.No, Created: calendar.Clock(l.Created.Time()), PatientName: l.PatientName, CardNo: l.CardNo,
		Kind: l.Kind, Title: l.Title, BillNo: l.BillNo, Channel: l.Channel, Terminal: l.Terminal, Insured: l.Insured, Total: money.Fen(l.Total),
		Fund: money.Fen(l.Fund), Account: money.Fen(l.Account), Family: money.Fen(l.Family), Cash: money.Fen(l.Cash),
		Other: money.Fen(l.Other), CashBack: money.Fen(l.CashBack), Status: l.Status, StatusText: text("status", l.Status),
		Insurance: l.Insurance, InsuranceText: text("insurance", l.Insurance), CashState: l.CashState, CashText: text("cash", l.CashState),
		HIS: l.HIS, HISText: text("his", l.HIS), WentBack: wentBack(l), RefundState: l.Refund, RefundText: text("refund", l.Refund),
		NeedsPeople: l.Status == string(payment.StatusSuspense) || l.Refund == payment.RefundProposedState, TradeNo: l.TradeNo,
		PayOrdID: l.PayOrdID, SetlID: l.SetlID, ReceiptNo: l.ReceiptNo, PaidAt: calendar.Clock(l.PaidAt.Time()), ReasonCode: l.FailCode,
		Reason: store.ReasonText(l.FailCode, l.FailReason)}
}

func wentBack(l store.PaymentLine) money.Fen {
	o := payment.Order{Split: payment.Split{Fund: money.Fen(l.Fund), Account: money.Fen(l.Account)}, CashBack: money.Fen(l.CashBack),
		Insurance: payment.InsuranceState(l.Insurance)}
	return o.WentBack()
}

// list is the back office's list of payments (B21 B36): those that need people
// first, then the newest.
func (h *Hooks) list(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	f, err := h.Store.ParsePaymentFilter(q, kit.InstitutionOf(e))
	if err != nil {
		return kit.BadRequest()
	}
	page, perPage, err := kit.PageOf(q)
	if err != nil {
		return err
	}
	lines, count, more, err := h.Store.Payments().Page(e.Request.Context(), f, page, perPage)
	if err != nil {
		return h.fail(e, err)
	}
	out := kit.Page[paymentLine]{Items: make([]paymentLine, 0, len(lines)), Count: count, More: more, Page: page, PerPage: perPage}
	for _, l := range lines {
		out.Items = append(out.Items, viewLine(l))
	}
	return e.JSON(http.StatusOK, out)
}

// refundBody is what staff want to give back.
type refundBody struct {
	Kind   payment.RefundKind `json:"kind"`
	Cash   money.Fen          `json:"cash"`
	Reason string             `json:"reason"`
}

// refund gives a paid bill back, whole or in part; beyond what one person may it is
// proposed.
func (h *Hooks) refund(e *core.RequestEvent) error {
	var body refundBody
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	var begun payment.Refund
	id, err := h.do(e, func(ctx context.Context, id string, by people.By) (err error) {
		begun, err = h.Bills.Refund(ctx, id, payment.RefundWish{Kind: body.Kind, Cash: body.Cash, Reason: body.Reason}, by)
		return err
	})
	if err != nil {
		return err
	}
	rec, err := e.App.FindRecordById(collections.PaymentOrders, id)
	if err != nil {
		return h.fail(e, err)
	}
	return e.JSON(http.StatusOK, kit.Shown[refundAnswer]{Record: rec,
		More: refundAnswer{WaitsForSecond: begun.State == payment.RefundProposedState}})
}

// refundAnswer is the order, and whether its refund waits for a second person.
type refundAnswer struct {
	_              struct{} `record:"payment_orders"`
	WaitsForSecond bool     `json:"waits_for_second"`
}

// query asks all sides for an order now.
func (h *Hooks) query(e *core.RequestEvent) error {
	return h.act(e, func(ctx context.Context, id string, by people.By) error {
		err := h.Bills.Check(ctx, id, by)
		if flow.CodeOf(err) == flow.CodeConflict {
			err = flow.NewError(payment.CodeAtRest, "")
		}
		return err
	})
}

// deskBody is what somebody decides about a payment.
type deskBody struct {
	Action   flow.Action `json:"action"`
	Reason   string      `json:"reason"`
	Evidence string      `json:"evidence"`
	Note     string      `json:"note"`
	Seq      int         `json:"seq"`
}

// write tells HIS once more, after HIS was asked: one proposes it, another confirms
// it.
func (h *Hooks) write(e *core.RequestEvent) error {
	return h.decide(e, func(ctx context.Context, id string, by people.By, b deskBody) error {
		return h.Bills.Write(ctx, id, b.Reason, by)
	})
}

func (h *Hooks) propose(e *core.RequestEvent) error {
	return h.decide(e, func(ctx context.Context, id string, by people.By, b deskBody) error {
		return h.Bills.Propose(ctx, id, flow.Proposal{Action: b.Action, By: by, Reason: b.Reason}, b.Evidence)
	})
}

func (h *Hooks) confirm(e *core.RequestEvent) error {
	return h.decide(e, func(ctx context.Context, id string, by people.By, b deskBody) error {
		return h.Bills.Confirm(ctx, id, flow.Seen{Action: b.Action, Seq: b.Seq}, by, b.Note)
	})
}

func (h *Hooks) withdraw(e *core.RequestEvent) error {
	return h.decide(e, func(ctx context.Context, id string, by people.By, b deskBody) error {
		return h.Bills.Withdraw(ctx, id, by, b.Note)
	})
}

func (h *Hooks) decide(e *core.RequestEvent, act func(context.Context, string, people.By, deskBody) error) error {
	var body deskBody
	if err := e.BindBody(&body); err != nil {
		return kit.BadRequest()
	}
	return h.act(e, func(ctx context.Context, id string, by people.By) error { return act(ctx, id, by, body) })
}

// act lets the domain do one step and answers with the order. Other sides are
// asked outside of any transaction.
func (h *Hooks) act(e *core.RequestEvent, act func(context.Context, string, people.By) error) error {
	id, err := h.do(e, act)
	if err != nil {
		return err
	}
	return h.show(e, id)
}

func (h *Hooks) do(e *core.RequestEvent, act func(context.Context, string, people.By) error) (id string, err error) {
	w, err := h.ofHouse(e)
	if err == nil {
		err = act(e.Request.Context(), w.Order.ID, kit.ByRequest(e))
	}
	switch {
	case flow.CodeOf(err) == flow.CodeActionUnsafe:
		return "", unsafe(err)
	case err != nil:
		return "", h.fail(e, err)
	}
	h.Worker.Kick()
	return w.Order.ID, nil
}

// unsafe says why an action is not safe.
func unsafe(err error) error {
	why := flow.DetailOf(err)
	return &router.ApiError{Status: http.StatusConflict, Message: text("why", why),
		Data: map[string]any{"code": string(flow.CodeActionUnsafe), "detail": why}}
}
