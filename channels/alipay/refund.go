package alipay

import (
	"context"

	"hospay/channels"
	"hospay/flow"
	"hospay/refund"
)

// The refund of a trade.
const (
	methodRefund      = "alipay.trade.refund"
	methodRefundQuery = "alipay.trade.fastpay.refund.query"
)

// refunded is Alipay's view of a refund.
type refunded struct {
	head
	TradeNo    string `json:"trade_no"`
	OutTradeNo string `json:"out_trade_no"`
	No         string `json:"out_request_no"`
	FundChange string `json:"fund_change"`
	Status     string `json:"refund_status"`
	Amount     string `json:"refund_amount"` // of this refund; refund_fee is cumulative
	PaidAt     string `json:"gmt_refund_pay"`
}

func (c *Client) createRefund(ctx context.Context, p refund.Payout) refund.PayoutAnswer {
	biz := tradeBiz(p)
	biz["refund_amount"] = p.Amount.Yuan()
	if p.Remark != "" {
		biz["refund_reason"] = channels.Clip(p.Remark, 80)
	}
	var r refunded
	if err := c.call(ctx, methodRefund, biz, nil, &r); err != nil {
		return noAnswer(err)
	}
	switch {
	case !r.of(p):
		return channels.Mismatch("交易号不同")
	case r.Code != codeDone:
		return r.outcome(refundCodes, p)
	case r.FundChange == "Y":
		return r.answer(refund.PayoutSucceeded, "") // of how much its query tells
	}
	// N: this call moved nothing, a repeat of an earlier one; its query tells.
	return r.answer(refund.PayoutProcessing, "")
}

// queryRefund asks for a refund. Alipay tells only success; an absent status
// means not received or failed, and in both cases the identical request may be
// sent again under its number: that is "not found". It is dependable only ten
// seconds after the request. An answer that tells the refund but not its status
// is read in two ways by Alipay's own pages (success, not received), so it
// proves nothing.
func (c *Client) queryRefund(ctx context.Context, p refund.Payout) refund.PayoutAnswer {
	if p.Original == nil {
		return channels.Mismatch("原路退缺少原支付单号")
	}
	biz := tradeBiz(p)
	biz["query_options"] = []string{"gmt_refund_pay"}
	var r refunded
	if err := c.call(ctx, methodRefundQuery, biz, nil, &r); err != nil {
		return noAnswer(err)
	}
	absent := refund.PayoutAnswer{Verdict: flow.Done, State: refund.PayoutNotFound}
	switch {
	case !r.of(p) || (r.No != "" && r.No != p.No):
		return channels.Mismatch("单号不同")
	case r.Code == codeBusiness && noTrade[r.SubCode]:
		absent.Reason = refundCodes.Reason("TRADE_NOT_EXIST", r.SubMsg)
		return absent
	case r.Code != codeDone:
		return r.outcome(refundQueryCodes, p)
	case r.Status == "" && r.Amount != "":
		return channels.Unclear("支付宝查到了这笔退款，但没有说明状态")
	case r.Status == "":
		return absent
	case r.Status != "REFUND_SUCCESS":
		return refundState(r)
	case r.No != p.No:
		return channels.Mismatch("没有退款请求号")
	}
	return r.answer(refund.PayoutSucceeded, r.Amount)
}

// answer is an answer about a refund. Refunds have no number of their own at
// Alipay but that of the trade.
func (r refunded) answer(state refund.PayoutState, amount string) refund.PayoutAnswer {
	a := refund.PayoutAnswer{Verdict: flow.Done, State: state, ChannelNo: r.TradeNo, Of: toldAmount(amount)}
	a.Of.Payment = refund.Payment{TradeNo: r.OutTradeNo, ChannelNo: r.TradeNo}
	if state == refund.PayoutSucceeded {
		a.PaidAt = at(r.PaidAt)
	}
	return a
}

// refundState reads the states of the asynchronous variant.
func refundState(r refunded) refund.PayoutAnswer {
	if r.Status == "REFUND_PROCESSING" {
		return r.answer(refund.PayoutProcessing, "")
	}
	return channels.Mismatch("未登记的退款状态")
}

// noTrade: where there is no trade there is no refund of it either.
var noTrade = map[string]bool{"TRADE_NOT_EXIST": true, "ACQ.TRADE_NOT_EXIST": true}

// tradeBiz names the trade, by Alipay's number when it is known, and the refund.
func tradeBiz(p refund.Payout) map[string]any {
	biz := map[string]any{"out_request_no": p.No}
	if p.Original.ChannelNo != "" {
		biz["trade_no"] = p.Original.ChannelNo
	} else {
		biz["out_trade_no"] = p.Original.TradeNo
	}
	return biz
}

// of reports whether the answer is about the payout's trade, as far as it says.
func (r refunded) of(p refund.Payout) bool {
	o := p.Original
	if o.ChannelNo != "" {
		return r.TradeNo == "" || r.TradeNo == o.ChannelNo
	}
	return r.OutTradeNo == "" || r.OutTradeNo == o.TradeNo
}
