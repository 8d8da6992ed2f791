package wechat

import (
	"context"
	"net/url"

	"hospay/channels"
	"hospay/flow"
	"hospay/money"
	"hospay/refund"
)

const refundPath = "/v3/refund/domestic/refunds"

// refundRequest is the body of a refund. Either number of the payment will do.
type refundRequest struct {
	ChannelNo string       `json:"transaction_id,omitempty"`
	TradeNo   string       `json:"out_trade_no,omitempty"`
	No        string       `json:"out_refund_no"`
	Reason    string       `json:"reason,omitempty"`
	NotifyURL string       `json:"notify_url,omitempty"`
	Funds     string       `json:"funds_account,omitempty"`
	Amount    refundAmount `json:"amount"`
}

type refundAmount struct {
	Refund   money.Fen `json:"refund"`
	Total    money.Fen `json:"total"`
	Currency string    `json:"currency,omitempty"`
}

// refunded is WeChat's view of a refund, in answers and in callbacks.
type refunded struct {
	No          string `json:"out_refund_no"`
	RefundID    string `json:"refund_id"`
	ChannelNo   string `json:"transaction_id"`
	TradeNo     string `json:"out_trade_no"`
	Status      string `json:"status"`
	Notified    string `json:"refund_status"` // its name in callbacks
	SuccessTime string `json:"success_time"`
	Amount      struct {
		Refund *money.Fen `json:"refund"`
	} `json:"amount"`
}

// movement is what a refund says of the payment that goes back.
func (r refunded) movement() refund.Movement {
	m := refund.Movement{Payment: refund.Payment{TradeNo: r.TradeNo, ChannelNo: r.ChannelNo}}
	if r.Amount.Refund != nil {
		m.Told, m.Amount = true, *r.Amount.Refund
	}
	return m
}

func (c *Client) createRefund(ctx context.Context, p refund.Payout) refund.PayoutAnswer {
	if p.Original.Amount < p.Amount {
		return channels.BadPayout(flow.ActorReviewer, "原路退缺少原支付金额")
	}
	req := refundRequest{
		ChannelNo: p.Original.ChannelNo, No: p.No, Reason: channels.Clip(p.Remark, 26), // 80 bytes
		NotifyURL: c.NotifyURL, Funds: c.funds,
		Amount: refundAmount{Refund: p.Amount, Total: p.Original.Amount, Currency: "CNY"},
	}
	if req.ChannelNo == "" {
		req.TradeNo = p.Original.TradeNo
	}
	var r refunded
	if err := c.post(ctx, refundPath, req, &r); err != nil {
		return outcome(err, refundCodes, p)
	}
	return refundAnswer(r, p.No)
}

func (c *Client) queryRefund(ctx context.Context, p refund.Payout) refund.PayoutAnswer {
	var r refunded
	err := c.get(ctx, refundPath+"/"+url.PathEscape(p.No), &r)
	if notFound(err, "RESOURCE_NOT_EXISTS") {
		return refund.PayoutAnswer{Verdict: flow.Done, State: refund.PayoutNotFound}
	}
	if err != nil {
		return outcome(err, queryCodes, p)
	}
	return refundAnswer(r, p.No)
}

// refundAnswer reads a refund that is surely WeChat's. ABNORMAL means that the
// payer's card or account sent the money back to the merchant: people must
// finish it, and it stays payable under its number, so it is not a failure.
func refundAnswer(r refunded, no string) refund.PayoutAnswer {
	if r.No != no {
		return channels.Mismatch("退款单号不同")
	}
	status := r.Status
	if status == "" {
		status = r.Notified
	}
	a := refund.PayoutAnswer{Verdict: flow.Done, ChannelNo: r.RefundID, Of: r.movement()}
	switch status {
	case "SUCCESS":
		a.State, a.PaidAt = refund.PayoutSucceeded, at(r.SuccessTime)
	case "CLOSED":
		a.State, a.Reason = refund.PayoutFailed, refundStates.Failure(status, "")
	case "ABNORMAL":
		a.State, a.Reason = refund.PayoutReturned, refundStates.Failure(status, "")
	case "":
		return channels.Mismatch("没有状态")
	default: // PROCESSING, and whatever may be added
		a.State = refund.PayoutProcessing
	}
	return a
}
