package his

import (
	"context"
	"errors"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/money"
	"hospay/payment"
)

// WriteCharge tells HIS that a bill was paid (结算回写).
func (e *Engine) WriteCharge(ctx context.Context, c payment.Charge) payment.Receipt {
	return e.write(ctx, OpCharge, c, c.Total)
}

// CheckCharge asks for a charge by our number (trade_check).
func (e *Engine) CheckCharge(ctx context.Context, c payment.Charge) payment.Receipt {
	return e.check(ctx, OpTradeCheck, c)
}

// ReverseCharge has HIS take the insurance's part back without the patient
// (免授权冲正), and the charge, where there is one.
func (e *Engine) ReverseCharge(ctx context.Context, c payment.Charge) payment.Receipt {
	if !e.mapping.has(OpUncharge) { // nothing was sent
		return payment.Receipt{Verdict: flow.Refused, Reason: flow.Reason{Code: string(payment.CodeHISNoUncharge), Actor: flow.ActorFinance}}
	}
	return e.write(ctx, OpUncharge, c, c.Total, c.Fund+c.Account)
}

// CheckReverse asks for a reversal.
func (e *Engine) CheckReverse(ctx context.Context, c payment.Charge) payment.Receipt {
	return e.check(ctx, OpUnchargeCheck, c)
}

// MayRefund asks whether a paid bill may go back.
func (e *Engine) MayRefund(ctx context.Context, c payment.Charge) flow.Answer {
	a, err := e.call(ctx, OpRefundCheck, e.chargeValues(c))
	if err != nil {
		return flow.Answer{Reason: doubt(err)}
	}
	verdict, reason := e.mapping.reason(a.code, e.message(a))
	if verdict != flow.Done {
		return flow.Answer{Verdict: verdict, Reason: reason}
	}
	if err := a.sound(); err != nil {
		return flow.Answer{Reason: doubt(err)}
	}
	r := e.reader(a.doc, a.Fields, a.Values)
	allowed := r.yes("allowed", true)
	if len(r.unread) > 0 {
		return flow.Answer{Reason: doubt(errors.New(r.unread[0]))}
	}
	if !allowed {
		return flow.Answer{Verdict: flow.Refused, Reason: flow.Reason{Code: string(payment.CodeGoToWindow),
			Message: safeMessage(r.text("reason"), a.sent), Actor: flow.ActorPatient}}
	}
	return flow.Answer{Verdict: flow.Done, Reason: reason, Report: flow.ReportDone}
}

// TellRefund tells HIS what went back.
func (e *Engine) TellRefund(ctx context.Context, p payment.PartRefund) flow.Answer {
	a, err := e.call(ctx, OpRefundNotice, e.refundValues(p))
	if err != nil {
		return flow.Answer{Reason: doubt(err)}
	}
	verdict, reason := e.mapping.reason(a.code, e.message(a))
	if verdict != flow.Done {
		return flow.Answer{Verdict: verdict, Reason: reason}
	}
	rec, err := e.receipt(a, reason)
	if err != nil {
		return flow.Answer{Reason: doubt(err)}
	}
	if rec.State == payment.ReceiptDone && rec.Told && rec.Amount != p.FundBack+p.AccBack+p.CashBack {
		return flow.Answer{Reason: otherMoney}
	}
	report := flow.ReportDone
	if rec.State == payment.ReceiptPending {
		report = flow.ReportOpen
	}
	return flow.Answer{Verdict: flow.Done, Reason: reason, Report: report, Said: rec.State, Theirs: rec.HISNo}
}

var otherMoney = flow.Reason{Code: string(flow.CodeAmountMismatch), Message: "answer is about another amount", Actor: flow.ActorIT}

func doubt(err error) flow.Reason { return flow.Reason{Message: err.Error(), Actor: flow.ActorIT} }

// write sends a call that changes HIS's books. An answer about another amount or
// another bill proves nothing: the question under our number tells.
func (e *Engine) write(ctx context.Context, name string, c payment.Charge, amounts ...money.Fen) payment.Receipt {
	a, err := e.call(ctx, name, e.chargeValues(c))
	if err != nil {
		return payment.Receipt{Reason: doubt(err)}
	}
	verdict, reason := e.mapping.reason(a.code, e.message(a))
	if verdict == flow.Refused && name == OpCharge && reason.Code == string(payment.CodeBillPaid) && !a.Idempotent &&
		!e.mapping.has(OpTradeCheck) { // perhaps by this very number, and nobody can be asked
		verdict, reason.Actor, reason.Denied = flow.Unknown, flow.ActorFinance, true
	}
	if verdict != flow.Done {
		return payment.Receipt{Verdict: verdict, Reason: reason}
	}
	rec, err := e.receipt(a, reason)
	switch {
	case err != nil:
		return payment.Receipt{Reason: doubt(err)}
	case rec.Told && !slices.Contains(amounts, rec.Amount):
		return payment.Receipt{Reason: otherMoney}
	case rec.Differs != "":
		return payment.Receipt{Reason: flow.Reason{Code: string(flow.CodePartyMismatch), Message: rec.Differs, Actor: flow.ActorIT}}
	}
	return rec
}

// check asks for a number. That HIS does not know it is a fact; what it says of
// amount, bill and card is handed on, so that the order is frozen where they
// are another's.
func (e *Engine) check(ctx context.Context, name string, c payment.Charge) payment.Receipt {
	a, err := e.call(ctx, name, e.chargeValues(c))
	if err != nil {
		return payment.Receipt{Reason: doubt(err)}
	}
	if slices.Contains(e.mapping.NotFound, a.code) {
		return payment.Receipt{Verdict: flow.Done, State: payment.ReceiptNotFound, Reason: flow.Reason{Code: a.code}}
	}
	verdict, reason := e.mapping.reason(a.code, e.message(a))
	if verdict != flow.Done {
		return payment.Receipt{Reason: reason}
	}
	rec, err := e.receipt(a, reason)
	if err != nil {
		return payment.Receipt{Reason: doubt(err)}
	}
	return rec
}

// receipt reads what a successful answer says. What the mapping promises must be
// there; a time that cannot be true proves nothing about the money and is told.
func (e *Engine) receipt(a answer, reason flow.Reason) (payment.Receipt, error) {
	if err := a.sound(); err != nil {
		return payment.Receipt{}, err
	}
	state, err := a.state()
	if err != nil {
		return payment.Receipt{}, err
	}
	rec := payment.Receipt{Verdict: flow.Done, Reason: reason, State: payment.ReceiptState(state)}
	if rec.State == payment.ReceiptPending {
		return rec, nil
	}
	r := e.reader(a.doc, a.Fields, a.Values)
	rec.Amount, rec.Told = r.fen("amount")
	rec.CancelNo, rec.CancelSer = r.number("cancel_no"), r.number("cancel_ser")
	if r.mapped("his_no") {
		rec.HISNo = r.must("his_no")
	}
	for _, of := range [][2]string{{"bill_no", "账单"}, {"card_no", "就诊卡"}} {
		told, sent := r.number(of[0]), a.sent[of[0]]
		if r.mapped(of[0]) && told != sent && sent != "" {
			rec.Differs = "应答说的是别的" + of[1]
		}
	}
	switch {
	case len(r.unread) > 0:
		return payment.Receipt{}, errors.New(r.unread[0])
	case rec.HISNo == "" && rec.CancelNo == "" && a.name != OpRefundNotice:
		return payment.Receipt{}, errors.New("answer has no number of the HIS")
	case rec.Told && rec.Amount < 0:
		return payment.Receipt{}, errors.New("amount: is below zero")
	}
	rec.Guide, rec.At = safeMessage(r.text("guide"), a.sent), r.time("time", day)
	if len(r.unread) > 0 {
		rec.Unread = r.unread[0]
	}
	return rec, nil
}

// way is how a bill was paid, in one word: HISs book it so.
func way(c payment.Charge) string {
	if c.PayOrdID != "" || c.Fund+c.Account+c.Other > 0 {
		return "insurance_" + c.Channel
	}
	return c.Channel
}

func (e *Engine) stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.In(calendar.Beijing).Format(e.mapping.TimeLayout)
}

func (e *Engine) chargeValues(c payment.Charge) map[string]string {
	about := c.ChargeNo
	if about == "" {
		about = c.No
	}
	amount := e.mapping.amount
	return map[string]string{
		"our_no": c.No, "charge_no": about, "his_no": c.HISNo, "order_no": c.OrderNo, "bill_no": c.BillNo, "card_no": c.CardNo,
		"kind": string(c.Kind), "channel": c.Channel, "way": way(c), "terminal": string(c.Terminal), "trade_no": c.TradeNo,
		"channel_no": c.ChannelNo, "paid_at": e.stamp(c.PaidAt), "pay_ord_id": c.PayOrdID, "med_org_ord": c.MedOrgOrd, "setl_id": c.SetlID,
		"mdtrt_id": c.MdtrtID, "setl_time": c.SetlTime, "setl_info": string(c.SetlInfo),
		"total": amount(c.Total), "fund": amount(c.Fund), "account": amount(c.Account), "family": amount(c.Family),
		"own_account": amount(c.Account - c.Family), "other": amount(c.Other), "cash": amount(c.Cash), "insured": amount(c.Fund + c.Account),
	}
}

func (e *Engine) refundValues(p payment.PartRefund) map[string]string {
	values, amount := e.chargeValues(p.Charge), e.mapping.amount
	values["refund_no"], values["refunded_at"], values["whole"] = p.RefundNo, e.stamp(p.At), "part"
	if p.Whole {
		values["whole"] = "whole"
	}
	values["fund_back"], values["account_back"], values["cash_back"] = amount(p.FundBack), amount(p.AccBack), amount(p.CashBack)
	values["back"] = amount(p.FundBack + p.AccBack + p.CashBack)
	return values
}
