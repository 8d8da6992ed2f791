package wechat

import (
	"cmp"
	"context"
	"net/url"
	"time"

	"hospay/channels"
	"hospay/flow"
	"hospay/money"
	"hospay/refund"
)

const transferPath = "/v3/fund-app/mch-transfer/transfer-bills"

// transferRequest is the body of a transfer.
type transferRequest struct {
	AppID      string       `json:"appid"`
	No         string       `json:"out_bill_no"`
	Scene      string       `json:"transfer_scene_id"`
	OpenID     string       `json:"openid"`
	UserName   string       `json:"user_name,omitempty"`
	Amount     money.Fen    `json:"transfer_amount"`
	Remark     string       `json:"transfer_remark"`
	NotifyURL  string       `json:"notify_url,omitempty"`
	Perception string       `json:"user_recv_perception,omitempty"`
	Reports    []ReportInfo `json:"transfer_scene_report_infos"`
}

// bill is WeChat's view of a transfer, in answers and in callbacks.
type bill struct {
	MchID      string     `json:"mch_id"`
	MchID2     string     `json:"mchid"` // seen in some callbacks
	AppID      string     `json:"appid"`
	No         string     `json:"out_bill_no"`
	ChannelNo  string     `json:"transfer_bill_no"`
	State      string     `json:"state"`
	FailReason string     `json:"fail_reason"`
	Package    string     `json:"package_info"`
	OpenID     string     `json:"openid"`
	Amount     *money.Fen `json:"transfer_amount"`
	CreateTime string     `json:"create_time"`
	UpdateTime string     `json:"update_time"`
}

func (c *Client) createTransfer(ctx context.Context, p refund.Payout) refund.PayoutAnswer {
	req, err := c.transferRequest(ctx, p)
	if err != nil {
		return channels.BadPayout(flow.ActorIT, "收款人姓名无法加密，请检查微信支付公钥或平台证书")
	}
	var b bill
	if err := c.post(ctx, transferPath, req, &b); err != nil {
		return outcome(err, createCodes, p)
	}
	return c.transferAnswer(b, p)
}

// transferRequest writes the same plain contents for the same payout. The name
// is left out where it is forbidden and sent wherever it is known: receipts
// need it.
func (c *Client) transferRequest(ctx context.Context, p refund.Payout) (transferRequest, error) {
	app, openID := c.app(p.Payee.Account)
	req := transferRequest{
		AppID: app, No: p.No, Scene: c.scene, OpenID: openID, Amount: p.Amount,
		Remark: channels.Clip(p.Remark, 32), NotifyURL: c.NotifyURL, Perception: c.perception, Reports: c.reports,
	}
	if req.Remark == "" {
		req.Remark = c.remark
	}
	if p.Amount < nameFree {
		return req, nil
	}
	name, err := c.seal(ctx, p.Payee.Name)
	req.UserName = name
	return req, err
}

func (c *Client) queryTransfer(ctx context.Context, p refund.Payout) refund.PayoutAnswer {
	var b bill
	err := c.get(ctx, transferPath+"/out-bill-no/"+url.PathEscape(p.No), &b)
	if notFound(err, "NOT_FOUND") {
		return refund.PayoutAnswer{Verdict: flow.Done, State: refund.PayoutNotFound}
	}
	if err != nil {
		return outcome(err, queryCodes, p)
	}
	return c.transferAnswer(b, p)
}

func (c *Client) cancelTransfer(ctx context.Context, p refund.Payout) refund.PayoutAnswer {
	var b bill
	path := transferPath + "/out-bill-no/" + url.PathEscape(p.No) + "/cancel"
	if err := c.post(ctx, path, struct{}{}, &b); err != nil {
		return outcome(err, cancelCodes, p)
	}
	return c.transferAnswer(b, p)
}

// transferAnswer reads a bill that is surely WeChat's, after checking that it
// is the one that was asked for.
func (c *Client) transferAnswer(b bill, p refund.Payout) refund.PayoutAnswer {
	switch {
	case b.No != p.No:
		return channels.Mismatch("单号不同")
	case b.State == "":
		return channels.Mismatch("没有状态")
	}
	a := c.transferState(b)
	if c.otherApp(b.AppID, p.Payee.Account) && a.Of.Differs == "" {
		a.Of.Differs = "应用不同"
	}
	if a.Confirm.Package != "" {
		a.Confirm.AppID, _ = c.app(p.Payee.Account)
	}
	return a
}

// confirmTime is how long a payee has, counted from the creation of the bill.
const confirmTime = 24 * time.Hour

// transferState reads the state of a bill. States that are new to us count as
// processing: only the listed final ones end a payout.
func (c *Client) transferState(b bill) refund.PayoutAnswer {
	a := refund.PayoutAnswer{Verdict: flow.Done, State: refund.PayoutProcessing, ChannelNo: b.ChannelNo, Of: c.movement(b)}
	if created := at(b.CreateTime); !created.IsZero() {
		a.Deadline = created.Add(confirmTime)
	}
	switch b.State {
	case "SUCCESS":
		a.State, a.PaidAt = refund.PayoutSucceeded, at(b.UpdateTime)
	case "FAIL":
		a.State, a.Reason = refund.PayoutFailed, failReasons.Failure(b.FailReason, "")
	case "CANCELLED":
		a.State, a.Reason = refund.PayoutFailed, failReasons.Failure("MCH_CANCEL", "")
		a.Reason.Code = "CANCELLED"
	case "WAIT_USER_CONFIRM":
		a.State = refund.PayoutAwaitingPayee
		if b.Package != "" {
			a.Confirm = refund.Confirmation{MchID: c.MerchantID, AppID: cmp.Or(b.AppID, c.AppID), Package: b.Package}
		}
	case "TRANSFERING":
		a.State = refund.PayoutConfirmed
	case "ACCEPTED", "PROCESSING", "CANCELING":
	default:
		a.Reason = failReasons.Reason(b.State, "")
	}
	return a
}

// movement is what a bill says of whose money goes to whom.
func (c *Client) movement(b bill) refund.Movement {
	m := refund.Movement{Payees: map[refund.AccountType]string{}}
	if b.OpenID != "" {
		m.Payees[refund.AccountWechatOpenID] = b.OpenID
	}
	if b.Amount != nil {
		m.Told, m.Amount = true, *b.Amount
	}
	if b.merchant() != "" && b.merchant() != c.MerchantID {
		m.Differs = "商户号不同"
	}
	return m
}

func (b bill) merchant() string {
	if b.MchID != "" {
		return b.MchID
	}
	return b.MchID2
}
