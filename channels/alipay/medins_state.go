package alipay

import (
	"context"
	"encoding/json"

	"hospay/channels"
	"hospay/flow"
	"hospay/internal/wire"
	"hospay/money"
	"hospay/payment"
	"hospay/refund"
)

// The methods of refunds of orders with insurance.
const (
	methodApply          = "alipay.trade.refund.apply"
	methodPlatformRefund = "alipay.commerce.medical.trade.refund"
	methodPlatformAsk    = "alipay.commerce.medical.trade.refund.query"
	methodSync           = "alipay.commerce.medical.payment.order.sync"
)

// statusWords says what the words of medical_pay_status and own_pay_status mean.
// None of them is published, so there is none until somebody has seen it: open,
// paying, paid, failed, refunded.
type statusWords map[string]string

func (w statusWords) valid() bool {
	for _, meaning := range w {
		if _, ok := cashParts[meaning]; !ok {
			return false
		}
	}
	return true
}

// cashParts is what a known word says of the cash. One that failed or is being
// paid is for its own query.
var cashParts = map[string]payment.TradeState{"open": payment.TradeOpen, "paying": "", "paid": payment.TradePaid, "failed": "",
	"refunded": payment.TradeRefunded}

// state reads both words together; withCash says whether there is a cash part.
// An unknown word, or what does not fit together, is unclear: the centre decides.
func (w statusWords) state(insurance, own string, withCash bool) (payment.MixedState, payment.TradeState) {
	ins, cash := w[insurance], w[own]
	part := cashParts[cash]
	if !withCash {
		part = ""
		if own == "" || cash == "" {
			cash = ins
		}
	}
	switch {
	case ins == "" || cash == "" && withCash:
		return payment.MixedUnclear, part
	case ins == "paid" && cash == "paid":
		return payment.MixedPaid, part
	case ins == "refunded" && cash == "refunded":
		return payment.MixedRefunded, part
	case ins == "failed":
		return payment.MixedFailed, part
	case ins == "open" && cash == "open":
		return payment.MixedOpen, part
	case ins == "refunded" || cash == "refunded" || cash == "failed":
		return payment.MixedUnclear, part
	}
	return payment.MixedPaying, part
}

// asset is what a refund by asset asks for.
type asset struct {
	no, reason, trade, tradeNo string
	amount                     money.Fen
	extend                     map[string]string
}

// cashAsset gives back the cash of an order and leaves the insurance's part.
func cashAsset(r payment.TradeRefund) asset {
	return asset{r.No, r.Reason, r.Trade.No, r.ChannelNo, r.Amount, map[string]string{"DESIGNATED_REFUND_ASSET": "INNER_ASSET"}}
}

// assetRefund gives back one asset of a trade.
func (c *Client) assetRefund(ctx context.Context, w asset) refund.PayoutAnswer {
	text, err := json.Marshal(w.extend)
	if err != nil {
		return channels.BadTrade(flow.ActorIT, "退款参数无法写成 JSON")
	}
	biz := map[string]any{"out_request_no": w.no, "refund_amount": w.amount.Yuan(), "extend_params": string(text)}
	set(biz, "refund_reason", channels.Clip(w.reason, 80))
	if set(biz, "trade_no", w.tradeNo); w.tradeNo == "" {
		biz["out_trade_no"] = w.trade
	}
	var r refunded
	if err := c.call(ctx, methodApply, biz, c.notifyParam(), &r); err != nil {
		return noAnswer(err)
	}
	switch {
	case r.OutTradeNo != "" && w.trade != "" && r.OutTradeNo != w.trade || r.TradeNo != "" && w.tradeNo != "" && r.TradeNo != w.tradeNo ||
		r.No != "" && r.No != w.no:
		return channels.Mismatch("单号不同")
	case r.Code != codeDone:
		return r.refusal(applyCodes)
	case r.Status == "REFUND_SUCCESS":
		return r.answer(refund.PayoutSucceeded, r.Amount)
	}
	return refundState(r)
}

// platformRefunded is the platform's view of a refund. Its words are not
// published either.
type platformRefunded struct {
	head
	Status string `json:"refund_status"`
	Words  string `json:"refund_msg"`
	No     string `json:"refund_request_no"`
	OutNo  string `json:"out_trade_no"`
	At     string `json:"refund_time"`
	Amount string `json:"refund_amount"`
}

// platformRefund gives back the cash of an order that the platform collected.
func (c *Client) platformRefund(ctx context.Context, r payment.TradeRefund) refund.PayoutAnswer {
	biz := map[string]any{"out_trade_no": r.Trade.No, "refund_request_no": r.No, "refund_amount": r.Amount.Yuan()}
	set(biz, "refund_reason", channels.Clip(r.Reason, 80))
	return c.platformAnswer(ctx, methodPlatformRefund, biz, r)
}

func (c *Client) platformRefundQuery(ctx context.Context, r payment.TradeRefund) refund.PayoutAnswer {
	return c.platformAnswer(ctx, methodPlatformAsk, map[string]any{"out_trade_no": r.Trade.No, "refund_request_no": r.No}, r)
}

func (c *Client) platformAnswer(ctx context.Context, method string, biz map[string]any, r payment.TradeRefund) refund.PayoutAnswer {
	var out platformRefunded
	if err := c.call(ctx, method, biz, nil, &out); err != nil {
		return noAnswer(err)
	}
	told := toldAmount(out.Amount)
	told.Payment = refund.Payment{TradeNo: out.OutNo}
	switch {
	case out.No != "" && out.No != r.No || out.OutNo != "" && out.OutNo != r.Trade.No:
		return channels.Mismatch("单号不同")
	case out.Code != codeDone:
		return out.refusal(medicalCodes)
	case c.ins.words[out.Status] == "refunded":
		return refund.PayoutAnswer{Verdict: flow.Done, State: refund.PayoutSucceeded, PaidAt: at(out.At), Of: told}
	case c.ins.words[out.Status] == "paying":
		return refund.PayoutAnswer{Verdict: flow.Done, State: refund.PayoutProcessing, Of: told}
	}
	return channels.Unclear("支付宝返回了未登记的医保退款状态，以支付宝商家平台为准")
}

// TellRefund gives the insurance's part back at Alipay, where the contract has
// refunds by asset and the insurance's numbers of the reversal are known.
// Elsewhere Alipay need not be told.
func (c *Client) TellRefund(ctx context.Context, m payment.MixedRefund) (a flow.Answer) {
	defer channels.RecoverTo(&a, channels.ToldOf)
	switch {
	case !c.ins.byAsset || c.ins.platform:
		return channels.ToldOf(channels.NotSupported("支付宝不需要另行通知医保退款"))
	case m.CancelNo == "" || m.CancelSer == "" || m.No == "" || m.Fund+m.Account <= 0:
		return channels.ToldOf(channels.BadTrade(flow.ActorFinance, "按资产退医保部分缺少冲正单号、冲正流水号或医保金额"))
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	got := c.assetRefund(ctx, asset{no: m.No, trade: m.Trade.No, amount: m.Fund + m.Account, extend: map[string]string{
		"DESIGNATED_REFUND_ASSET": "OUTSIDE_ASSET", "cancel_bill_no": m.CancelNo, "cancel_serial_no": m.CancelSer}})
	a = channels.ToldOf(got)
	if got.State == refund.PayoutSucceeded {
		a.Report, a.Said, a.Theirs = flow.ReportDone, flow.Said(payment.RefundDone), got.ChannelNo
	}
	return a
}

// TellCodeOrder tells Alipay of an order that was settled with its code.
func (c *Client) TellCodeOrder(ctx context.Context, o channels.CodeOrder) (a flow.Answer) {
	defer channels.RecoverTo(&a, channels.ToldOf)
	kind := map[payment.Kind]string{payment.KindRegistration: "OUTPATIENT_REGISTRATION", payment.KindOutpatient: "OUTPATIENT_PAYMENT"}[o.Kind]
	if o.No == "" || o.Code == "" || o.OrgCode == "" || kind == "" {
		return channels.ToldOf(channels.BadTrade(flow.ActorIT, "一码付订单缺少单号、医保码、机构编码或类型"))
	}
	biz := map[string]any{"out_biz_no": o.No, "qr_code": o.Code, "biz_type": kind, "medical_org_no": o.OrgCode, "opt_type": "SETTLE",
		"status": "SUCCESS", "fee_sumamt": o.Total.Yuan(), "fund_pay": o.Fund.Yuan(), "psn_acct_pay": o.Account.Yuan(),
		"own_pay_amt": o.Cash.Yuan()}
	set(biz, "subject", channels.Clip(untitled.Replace(o.Title), 128))
	set(biz, "payment_city_code", firstOf(o.City, c.ins.city))
	set(biz, "gmt_paid", stamp(o.PaidAt))
	if o.TradeNo != "" {
		biz["alipay_trade_no"], biz["alipay_amount"] = o.TradeNo, o.Cash.Yuan()
	}
	if len(o.HISNos) > 0 {
		biz["biz_trace_no"] = o.HISNos
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	var out struct {
		head
		No string `json:"out_biz_no"`
	}
	if err := c.call(ctx, methodSync, biz, nil, &out); err != nil {
		return channels.ToldOf(noAnswer(err))
	}
	switch {
	case out.No != "" && out.No != o.No:
		return channels.ToldOf(channels.Mismatch("单号不同"))
	case out.Code != codeDone:
		return channels.ToldOf(out.refusal(medicalCodes))
	}
	return flow.Answer{Verdict: flow.Done, Report: flow.ReportDone}
}
