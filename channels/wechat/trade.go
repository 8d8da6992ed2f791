package wechat

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strconv"
	"time"

	"hospay/calendar"
	"hospay/channels"
	"hospay/flow"
	"hospay/internal/wire"
	"hospay/money"
	"hospay/payment"
	"hospay/refund"

	"github.com/wechatpay-apiv3/wechatpay-go/utils"
)

const tradePath = "/v3/pay/transactions/"

// The products of ordinary payments.
const (
	productJSAPI  = "jsapi"  // the payer is known: mini program, page inside WeChat
	productH5     = "h5"     // a page in another browser of a phone
	productNative = "native" // a code to scan
)

// product chooses how a trade is paid.
func product(t payment.Trade) string {
	switch {
	case t.Terminal == payment.TerminalKiosk:
		return productNative
	case t.Payer == "" && t.Terminal == payment.TerminalH5:
		return productH5
	}
	return productJSAPI
}

// tradeRequest is the body of an order, whatever the product.
type tradeRequest struct {
	AppID       string      `json:"appid"`
	MchID       string      `json:"mchid"`
	Description string      `json:"description"`
	No          string      `json:"out_trade_no"`
	TimeExpire  string      `json:"time_expire,omitempty"`
	NotifyURL   string      `json:"notify_url"`
	Amount      tradeAmount `json:"amount"`
	Payer       *tradePayer `json:"payer,omitempty"`
	Scene       *tradeScene `json:"scene_info,omitempty"`
}

type tradeAmount struct {
	Total    money.Fen `json:"total"`
	Currency string    `json:"currency"`
}

type tradePayer struct {
	OpenID string `json:"openid"`
}

type tradeScene struct {
	IP string  `json:"payer_client_ip"`
	H5 *h5Info `json:"h5_info,omitempty"`
}

type h5Info struct {
	Type string `json:"type"`
}

// traded is WeChat's view of a payment, in answers and in callbacks.
type traded struct {
	AppID       string `json:"appid"`
	MchID       string `json:"mchid"`
	No          string `json:"out_trade_no"`
	ChannelNo   string `json:"transaction_id"`
	State       string `json:"trade_state"`
	SuccessTime string `json:"success_time"`
	Payer       struct {
		OpenID string `json:"openid"`
	} `json:"payer"`
	Amount struct {
		Total    *money.Fen `json:"total"`
		Currency string     `json:"currency"`
	} `json:"amount"`
}

// OpenTrade makes an order that the payer can then pay.
func (c *Client) OpenTrade(ctx context.Context, t payment.Trade) (a payment.TradeAnswer) {
	defer channels.RecoverTo(&a, channels.TradeOf)
	bad, ok := channels.CheckTrade(t)
	if ok {
		bad, ok = c.checkTrade(t)
	}
	if !ok {
		return channels.TradeOf(bad)
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	var out struct {
		Prepay string `json:"prepay_id"`
		Code   string `json:"code_url"`
		Link   string `json:"h5_url"`
	}
	if err := c.post(ctx, tradePath+product(t), c.tradeRequest(t), &out); err != nil {
		return channels.TradeOf(refusal(err, tradeCodes))
	}
	handle := map[string]string{productJSAPI: out.Prepay, productNative: out.Code, productH5: out.Link}[product(t)]
	if handle == "" {
		return channels.TradeOf(channels.Mismatch("没有支付参数"))
	}
	return payment.TradeAnswer{Verdict: flow.Done, State: payment.TradeOpen, Handle: handle}
}

func (c *Client) checkTrade(t payment.Trade) (refund.PayoutAnswer, bool) {
	switch {
	case c.NotifyURL == "":
		return channels.BadTrade(flow.ActorIT, "没有配置回调地址，不能下单"), false
	case product(t) == productJSAPI && t.Payer == "":
		return channels.BadTrade(flow.ActorPatient, "没有付款人的微信标识，请从微信进入"), false
	case product(t) == productH5 && t.IP == "":
		return channels.BadTrade(flow.ActorIT, "微信外支付缺少付款人的网络地址"), false
	}
	return refund.PayoutAnswer{}, true
}

// tradeRequest writes the same contents for the same trade.
func (c *Client) tradeRequest(t payment.Trade) tradeRequest {
	app, payer := c.payerOf(t)
	req := tradeRequest{AppID: app, MchID: c.MerchantID, Description: channels.Clip(t.Title, 42), No: t.No, NotifyURL: c.NotifyURL,
		Amount: tradeAmount{Total: t.Amount, Currency: "CNY"}}
	if !t.Expires.IsZero() {
		req.TimeExpire = t.Expires.In(calendar.Beijing).Format(time.RFC3339)
	}
	switch product(t) {
	case productJSAPI:
		req.Payer = &tradePayer{payer}
	case productH5:
		req.Scene = &tradeScene{IP: t.IP, H5: &h5Info{Type: "Wap"}}
	}
	return req
}

// QueryTrade asks for a trade by our number.
func (c *Client) QueryTrade(ctx context.Context, t payment.Trade) (a payment.TradeAnswer) {
	defer channels.RecoverTo(&a, channels.TradeOf)
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	var out traded
	path := tradePath + "out-trade-no/" + url.PathEscape(t.No) + "?" + url.Values{"mchid": {c.MerchantID}}.Encode()
	err := c.get(ctx, path, &out)
	switch {
	case notFound(err, "ORDER_NOT_EXIST"):
		return payment.TradeAnswer{Verdict: flow.Done, State: payment.TradeNotFound}
	case err != nil:
		return channels.TradeOf(channels.OfQuery(refusal(err, tradeQueryCodes)))
	case out.No != t.No:
		return channels.TradeOf(channels.Mismatch("单号不同"))
	}
	a = c.tradeAnswer(out)
	if c.otherApp(out.AppID, t.Payer) && a.Differs == "" {
		a.Differs = "应用不同"
	}
	return a
}

// tradeStates are the states of a payment. One that is not listed proves
// nothing: it may be paid.
var tradeStates = map[string]payment.TradeState{
	"SUCCESS": payment.TradePaid, "REFUND": payment.TradeRefunded, "NOTPAY": payment.TradeOpen, "USERPAYING": payment.TradeOpen,
	"CLOSED": payment.TradeClosed, "REVOKED": payment.TradeClosed,
}

// tradeAnswer reads a payment that is surely WeChat's.
func (c *Client) tradeAnswer(r traded) payment.TradeAnswer {
	state, ok := tradeStates[r.State]
	if !ok {
		return channels.TradeOf(channels.Unclear("微信返回了未登记的支付状态"))
	}
	a := payment.TradeAnswer{Verdict: flow.Done, State: state, ChannelNo: r.ChannelNo, PaidAt: at(r.SuccessTime), Payer: r.Payer.OpenID}
	if r.Amount.Total != nil {
		a.Told, a.Amount = true, *r.Amount.Total
	}
	switch {
	case r.MchID != "" && r.MchID != c.MerchantID:
		a.Differs = "商户号不同"
	case r.Amount.Currency != "" && r.Amount.Currency != "CNY":
		a.Differs = "币种不同"
	}
	return a
}

// CloseTrade closes an order. That the answer says so is no proof: the payer may
// have entered the password just before.
func (c *Client) CloseTrade(ctx context.Context, t payment.Trade) (a payment.TradeAnswer) {
	defer channels.RecoverTo(&a, channels.TradeOf)
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	body := struct {
		MchID string `json:"mchid"`
	}{c.MerchantID}
	err := c.tell(ctx, tradePath+"out-trade-no/"+url.PathEscape(t.No)+"/close", body)
	switch {
	case notFound(err, "ORDER_NOT_EXIST"):
		return payment.TradeAnswer{Verdict: flow.Done, State: payment.TradeNotFound}
	case err != nil:
		return channels.TradeOf(finer(err, closeCodes))
	}
	return payment.TradeAnswer{Verdict: flow.Done, State: payment.TradeClosed}
}

// RefundTrade gives a trade's money back, as the refund of a deposit's payment
// does.
func (c *Client) RefundTrade(ctx context.Context, r payment.TradeRefund) (a payment.RefundAnswer) {
	as := func(a refund.PayoutAnswer) payment.RefundAnswer { return channels.RefundOf(a, r) }
	defer channels.RecoverTo(&a, as)
	if bad, ok := channels.CheckTradeRefund(r); !ok {
		return as(bad)
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	return as(c.createRefund(ctx, channels.PayoutOf(r)))
}

// QueryTradeRefund asks for a refund by our number.
func (c *Client) QueryTradeRefund(ctx context.Context, r payment.TradeRefund) (a payment.RefundAnswer) {
	as := func(a refund.PayoutAnswer) payment.RefundAnswer { return channels.RefundOf(a, r) }
	defer channels.RecoverTo(&a, as)
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	return as(channels.OfQuery(c.queryRefund(ctx, channels.PayoutOf(r))))
}

// TradePage signs what the payer's client opens the payment with.
func (c *Client) TradePage(t payment.Trade) (payment.Page, error) {
	switch {
	case t.Handle == "":
		return payment.Page{}, errors.New("wechat: the trade was not opened")
	case product(t) == productNative:
		return payment.Page{Form: "code", Values: map[string]string{"url": t.Handle}}, nil
	case product(t) == productH5:
		return payment.Page{Form: "link", Values: map[string]string{"url": t.Handle}}, nil
	}
	app, _ := c.payerOf(t)
	values, err := c.payParameters(app, t.Handle)
	return payment.Page{Form: "wechat_jsapi", Values: values}, err
}

// payParameters are what WeChat's own function takes, signed for now: the time
// is the real one, which the phone compares with its own.
func (c *Client) payParameters(app, prepay string) (map[string]string, error) {
	return c.paySigned(app, prepay, time.Now(), rand.Text())
}

// paySigned signs the four lines of a payment page.
func (c *Client) paySigned(app, prepay string, now time.Time, nonce string) (map[string]string, error) {
	v := map[string]string{"appId": app, "timeStamp": strconv.FormatInt(now.Unix(), 10), "nonceStr": nonce,
		"package": "prepay_id=" + prepay, "signType": "RSA"}
	signature, err := utils.SignSHA256WithRSA(v["appId"]+"\n"+v["timeStamp"]+"\n"+v["nonceStr"]+"\n"+v["package"]+"\n", c.key)
	if err != nil {
		return nil, errors.New("wechat: payment page cannot be signed")
	}
	v["paySign"] = signature
	return v, nil
}

// paymentTraits: errors are not signed, so a refusal counts after a query only.
// How long a number is answered for is not published; it is taken to be as short
// as that of transfers.
var paymentTraits = flow.Traits{Queryable: true, Repeatable: true, ConfirmRefuse: true, ProofDays: 29}

// TradeTraits is what the answers about trades and refunds are worth.
func (c *Client) TradeTraits() (trade, refund flow.Traits) { return paymentTraits, paymentTraits }
