package his

import (
	"encoding/json"
	"errors"
	"time"

	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/payment"
	"hospay/people"

	"github.com/pocketbase/pocketbase/core"
)

// content reads the business content of a call.
func content(body []byte, to any) error {
	if json.Unmarshal(body, to) != nil {
		return kit.BadRequest()
	}
	return nil
}

// by is HIS as an actor: its key has signed the request.
func by(e *core.RequestEvent, c caller) people.By {
	return people.By{Kind: people.ByHIS, ID: c.institution.GetString("code"), Address: e.RealIP()}
}

// payment finds the payment of a number: its own, or one that was sent for it. One
// of another institution is as unknown as one that never was.
func (h *Hooks) payment(e *core.RequestEvent, c caller, no string) (string, error) {
	w, err := h.Store.Payments().ByNumber(e.Request.Context(), c.institution.Id, no)
	if errors.Is(err, flow.ErrNotFound) {
		return "", flow.NewError(CodeTradeUnknown, "")
	}
	return w.Order.ID, err
}

func (w RefundWish) wish() payment.RefundWish {
	return payment.RefundWish{Kind: payment.HISKind(w.AmountSI+w.AmountAcc, w.AmountCash), Cash: w.AmountCash,
		Fund: w.AmountSI, Account: w.AmountAcc, Reason: "HIS 退费单 " + w.HISRefundID, HISRefundID: w.HISRefundID,
		HISRefundAt: time.Unix(w.HISRefundTime, 0)}
}

// askRefund starts a refund: the same number with the same content is one.
func (h *Hooks) askRefund(e *core.RequestEvent, c caller, body []byte) (any, error) {
	var w RefundWish
	if err := content(body, &w); err != nil {
		return nil, err
	}
	if err := w.Check(h.Now()); err != nil {
		return nil, err
	}
	return h.refund(e, c, w.TradeNo, func(id string) (payment.Refund, error) {
		return h.Bills.Refund(e.Request.Context(), id, w.wish(), by(e, c))
	})
}

// bookRefund books a refund that HIS has made itself.
func (h *Hooks) bookRefund(e *core.RequestEvent, c caller, body []byte) (any, error) {
	var d RefundDone
	if err := content(body, &d); err != nil {
		return nil, err
	}
	if err := d.Check(h.Now()); err != nil {
		return nil, err
	}
	told := payment.ToldRefund{RefundWish: d.wish(), InsuranceNo: d.SIRefundID, CashNo: d.CashRefundID}
	told.Reason = "HIS 已自行退费 " + d.HISRefundID
	if d.CashRefundTime > 0 {
		told.CashAt = time.Unix(d.CashRefundTime, 0)
	}
	return h.refund(e, c, d.TradeNo, func(id string) (payment.Refund, error) {
		return h.Bills.HISRefunded(e.Request.Context(), id, told, by(e, c))
	})
}

// refund does something about a refund of a payment and tells how it stands.
func (h *Hooks) refund(e *core.RequestEvent, c caller, tradeNo string, do func(id string) (payment.Refund, error)) (any, error) {
	id, err := h.payment(e, c, tradeNo)
	if err != nil {
		return nil, err
	}
	r, err := do(id)
	if err != nil {
		return nil, err
	}
	h.Worker.Kick()
	return h.factsOf(e, c, r.No)
}

func readRefundNo(e *core.RequestEvent) (any, error) {
	no := e.Request.PathValue("no")
	return RefundAsk{HISRefundID: no, RefundTradeNo: no}, nil
}

// showRefund tells what became of a refund.
func (h *Hooks) showRefund(e *core.RequestEvent, c caller, body []byte) (any, error) {
	var ask RefundAsk
	if err := content(body, &ask); err != nil {
		return nil, err
	}
	no := ask.HISRefundID
	if no == "" {
		no = ask.RefundTradeNo
	}
	if !idForm.MatchString(no) {
		return nil, flow.NewError(CodeRefundIDInvalid, "")
	}
	return h.factsOf(e, c, no)
}

func (h *Hooks) factsOf(e *core.RequestEvent, c caller, no string) (any, error) {
	w, r, err := h.Store.Payments().RefundByNo(e.Request.Context(), c.institution.Id, no)
	if errors.Is(err, flow.ErrNotFound) {
		return nil, flow.NewError(CodeRefundUnknown, "")
	}
	if err != nil {
		return nil, err
	}
	return facts(w.Order, *r), nil
}

// facts are what became of a refund. A part has gone back once its own side has
// said so.
func facts(o payment.Order, r payment.Refund) RefundFacts {
	f := RefundFacts{TradeNo: o.No, HISRefundID: r.HISRefundID, HISRefundTime: unix(r.HISRefundAt), RefundTradeNo: r.No,
		RefundTradeTime: unix(r.DoneAt), Status: state(o, r), SetlID: o.Settlement.SetlID, MdtrtID: o.MdtrtID}
	if r.Insurance && !o.InsBackAt.IsZero() {
		f.SIRefundID, f.SIRefundTime = r.InsuranceNo, unix(o.InsBackAt)
		f.AmountSI, f.AmountAcc, f.AmountOther, f.AmountReduction = -o.Fund, -o.Account, -o.Other, -o.Reduced
	}
	back := r.CashAt
	if r.CashDone && back.IsZero() { // by the channel itself
		back = o.CashGoneAt
	}
	if r.CashDone && !back.IsZero() {
		f.CashRefundID, f.CashRefundTime, f.AmountCash = r.CashNo, unix(back), -r.Cash
	}
	return f
}

func state(o payment.Order, r payment.Refund) string {
	switch {
	case r.State == payment.RefundDoneState:
		return stateDone
	case r.State == payment.RefundWithdrawnState:
		return stateWithdrawn
	case o.Status == payment.StatusWaitAuth:
		return stateWaitAuth
	case o.Status == payment.StatusSuspense:
		return stateManual
	}
	return stateProcessing
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
