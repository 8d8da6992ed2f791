package alipay

import (
	"cmp"
	"context"

	"hospay/channels"
	"hospay/flow"
	"hospay/refund"
)

// The transfer product.
const (
	methodTransfer = "alipay.fund.trans.uni.transfer"
	methodQuery    = "alipay.fund.trans.common.query"
	productCode    = "TRANS_ACCOUNT_NO_PWD"
	bizScene       = "DIRECT_TRANSFER"
)

// identities are the wire names of the account types.
var identities = map[refund.AccountType]string{
	refund.AccountAlipayUserID:  "ALIPAY_USER_ID",
	refund.AccountAlipayOpenID:  "ALIPAY_OPEN_ID",
	refund.AccountAlipayLogonID: "ALIPAY_LOGON_ID",
}

// transfer is Alipay's view of a transfer: in answers, queries and messages.
type transfer struct {
	head
	No           string `json:"out_biz_no"`
	OrderID      string `json:"order_id"`
	Status       string `json:"status"`
	TransDate    string `json:"trans_date"`
	PayDate      string `json:"pay_date"`
	Amount       string `json:"trans_amount"`
	ErrorCode    string `json:"error_code"`
	FailReason   string `json:"fail_reason"`
	ReceiverUser string `json:"receiver_user_id"`
	ReceiverOpen string `json:"receiver_open_id"`
	Product      string `json:"product_code"`
	Scene        string `json:"biz_scene"`
}

func (c *Client) createTransfer(ctx context.Context, p refund.Payout) refund.PayoutAnswer {
	if p.Payee.Type == refund.AccountAlipayLogonID && p.Payee.Name == "" {
		return channels.BadPayout(flow.ActorReviewer, "按登录号转账必须提供收款人姓名")
	}
	var t transfer
	if err := c.call(ctx, methodTransfer, c.transferBiz(p), nil, &t); err != nil {
		return noAnswer(err)
	}
	if t.No != "" && t.No != p.No {
		return channels.Mismatch("单号不同")
	}
	if t.Code != codeDone {
		return t.outcome(transferCodes, p)
	}
	return t.answer(p)
}

// transferBiz writes the same contents for the same payout, without any empty
// member. The name goes along whenever it is known, so that Alipay compares it.
func (c *Client) transferBiz(p refund.Payout) map[string]any {
	payee := map[string]any{"identity": p.Payee.Account, "identity_type": identities[p.Payee.Type]}
	if p.Payee.Name != "" {
		payee["name"] = p.Payee.Name
	}
	biz := map[string]any{
		"out_biz_no": p.No, "trans_amount": p.Amount.Yuan(), "product_code": productCode, "biz_scene": bizScene,
		"order_title": c.title, "payee_info": payee,
	}
	remark := channels.Clip(p.Remark, 100)
	if remark == "" && p.Amount >= remarkFrom {
		remark = c.remark
	}
	if remark != "" {
		biz["remark"] = remark
	}
	if c.scene != "" {
		biz["transfer_scene_name"] = c.scene
	}
	if len(c.reports) > 0 {
		biz["transfer_scene_report_infos"] = c.reports
	}
	if c.alias {
		biz["business_params"] = `{"payer_show_name_use_alias":"true"}`
	}
	return biz
}

func (c *Client) queryTransfer(ctx context.Context, p refund.Payout) refund.PayoutAnswer {
	biz := map[string]any{"out_biz_no": p.No, "product_code": productCode, "biz_scene": bizScene}
	var t transfer
	if err := c.call(ctx, methodQuery, biz, nil, &t); err != nil {
		return noAnswer(err)
	}
	switch {
	case t.No != "" && t.No != p.No:
		return channels.Mismatch("单号不同")
	case t.Code == codeBusiness && t.SubCode == "ORDER_NOT_EXIST":
		return refund.PayoutAnswer{Verdict: flow.Done, State: refund.PayoutNotFound}
	case t.Code != codeDone:
		return t.outcome(queryCodes, p)
	}
	return t.answer(p)
}

// answer reads a successful answer, which must name our number.
func (t transfer) answer(p refund.Payout) refund.PayoutAnswer {
	if t.No != p.No {
		return channels.Mismatch("没有单号")
	}
	return t.state(p.Payee.Account, p.Payee.Name)
}

// movement is what an answer says of whom the money goes to. The answer to a
// transfer says neither that nor the amount; the query does.
func (t transfer) movement() refund.Movement {
	m := toldAmount(t.Amount)
	m.Payees = map[refund.AccountType]string{}
	for form, account := range map[refund.AccountType]string{refund.AccountAlipayUserID: t.ReceiverUser,
		refund.AccountAlipayOpenID: t.ReceiverOpen} {
		if account != "" {
			m.Payees[form] = account
		}
	}
	return m
}

// state reads the status. DEALING and REFUND are said not to occur for
// balances; they are understood all the same.
func (t transfer) state(private ...string) refund.PayoutAnswer {
	a := refund.PayoutAnswer{Verdict: flow.Done, ChannelNo: t.OrderID, Of: t.movement()}
	switch t.Status {
	case "SUCCESS":
		a.State, a.PaidAt = refund.PayoutSucceeded, at(cmp.Or(t.PayDate, t.TransDate))
	case "FAIL":
		a.State, a.Reason = refund.PayoutFailed, transferCodes.Failure(t.ErrorCode, t.FailReason, private...)
	case "REFUND":
		a.State, a.Reason = refund.PayoutReturned, transferCodes.Failure(t.ErrorCode, t.FailReason, private...)
	case "DEALING":
		a.State = refund.PayoutProcessing
	default:
		return channels.Mismatch("未登记的状态")
	}
	return a
}
