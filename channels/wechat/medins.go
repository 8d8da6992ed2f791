package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/channels"
	"hospay/flow"
	"hospay/internal/wire"
	"hospay/money"
	"hospay/payment"
	"hospay/refund"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
)

const mixedPath = "/v3/med-ins/orders"

// The kinds of mixed orders.
const (
	mixCash      = "CASH_ONLY"
	mixInsurance = "INSURANCE_ONLY"
	mixBoth      = "CASH_AND_INSURANCE"
)

// mixKind chooses the kind of an order. It goes by what the insurance knows, not
// by what the patient pressed: an order that was uploaded is settled there, also
// when the patient pays all of it; a wrong kind settles too much or nothing.
func mixKind(m payment.Mixed) (string, error) {
	uploaded := m.PayOrdID != ""
	switch {
	case uploaded && m.Total == 0:
		return "", errors.New("没有需要支付的金额")
	case uploaded && m.Amount > 0:
		return mixBoth, nil
	case uploaded:
		return mixInsurance, nil
	case m.Fund+m.Account+m.Other > 0:
		return "", errors.New("有医保金额而没有医保支付订单号")
	case m.Amount > 0:
		return mixCash, nil
	}
	return "", errors.New("没有需要支付的金额")
}

// orderTypes are WeChat's words for what a bill is for.
var orderTypes = map[payment.Kind]string{payment.KindRegistration: "REG_PAY", payment.KindOutpatient: "DIAG_PAY"}

// mixedPerson is a person in an order; name and digest are sealed.
type mixedPerson struct {
	Name   string `json:"name"`
	Digest string `json:"id_digest"`
	Card   string `json:"card_type"`
}

type cashAdd struct {
	Fee  money.Fen `json:"cash_add_fee"`
	Type string    `json:"cash_add_type"`
}

type cashReduce struct {
	Fee  money.Fen `json:"cash_reduce_fee"`
	Type string    `json:"cash_reduce_type"`
}

// mixedRequest is the body of an order; empty fields are left out.
type mixedRequest struct {
	Kind        string       `json:"mix_pay_type"`
	OrderType   string       `json:"order_type"`
	AppID       string       `json:"appid"`
	OpenID      string       `json:"openid"`
	Payer       mixedPerson  `json:"payer"`
	ForRelative bool         `json:"pay_for_relatives,omitempty"`
	Relative    *mixedPerson `json:"relative,omitempty"`
	No          string       `json:"out_trade_no"`
	SerialNo    string       `json:"serial_no"`
	PayOrdID    string       `json:"pay_order_id,omitempty"`
	PayAuthNo   string       `json:"pay_auth_no,omitempty"`
	Location    string       `json:"geo_location,omitempty"`
	City        string       `json:"city_id"`
	OrgName     string       `json:"med_inst_name"`
	OrgNo       string       `json:"med_inst_no"`
	Created     string       `json:"med_ins_order_create_time"`
	Total       money.Fen    `json:"total_fee"`
	Fund        money.Fen    `json:"med_ins_gov_fee,omitempty"`
	Account     money.Fen    `json:"med_ins_self_fee,omitempty"`
	Other       money.Fen    `json:"med_ins_other_fee,omitempty"`
	Cash        money.Fen    `json:"med_ins_cash_fee,omitempty"`
	WechatCash  money.Fen    `json:"wechat_pay_cash_fee,omitempty"`
	Added       []cashAdd    `json:"cash_add_detail,omitempty"`
	Reduced     []cashReduce `json:"cash_reduce_detail,omitempty"`
	CallbackURL string       `json:"callback_url"`
	Prepay      string       `json:"prepay_id,omitempty"`
	PassThrough string       `json:"passthrough_request_content,omitempty"`
	ChannelNo   string       `json:"channel_no,omitempty"`
	TestEnv     bool         `json:"med_ins_test_env,omitempty"`
}

// mixed is WeChat's view of an order, in answers and in callbacks.
type mixed struct {
	AppID      string     `json:"appid"`
	MchID      string     `json:"mchid"`
	MixNo      string     `json:"mix_trade_no"`
	No         string     `json:"out_trade_no"`
	SerialNo   string     `json:"serial_no"`
	MixStatus  string     `json:"mix_pay_status"`
	SelfStatus string     `json:"self_pay_status"`
	InsStatus  string     `json:"med_ins_pay_status"`
	PaidTime   string     `json:"paid_time"`
	FailReason string     `json:"med_ins_fail_reason"`
	Total      *money.Fen `json:"total_fee"`
	Fund       *money.Fen `json:"med_ins_gov_fee"`
	Account    *money.Fen `json:"med_ins_self_fee"`
	Cash       *money.Fen `json:"wechat_pay_cash_fee"`
}

// fen is an amount that may be left out, as one of nothing is.
func fen(f *money.Fen) money.Fen {
	if f == nil {
		return 0
	}
	return *f
}

// OpenMixed makes an order of insurance and cash.
func (c *Client) OpenMixed(ctx context.Context, m payment.Mixed) (a payment.MixedAnswer) {
	defer channels.RecoverTo(&a, channels.MixedOf)
	req, bad, ok := c.mixedRequest(ctx, m)
	if !ok {
		return channels.MixedOf(bad)
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	var out mixed
	if err := c.post(ctx, mixedPath, req, &out); err != nil {
		return channels.MixedOf(finer(err, mixedCodes, private(m)...))
	}
	return c.mixedAnswer(out, m)
}

// private is what nobody's words may repeat.
func private(m payment.Mixed) []string {
	_, payer := flow.AppOf(m.Payer)
	out := []string{payer, m.Holder.Name, m.Holder.IDNo, m.No, m.PayAuthNo}
	if m.Patient != nil {
		out = append(out, m.Patient.Name, m.Patient.IDNo)
	}
	return out
}

// mixedRequest writes the same plain contents for the same order, or says why it
// must not be sent.
func (c *Client) mixedRequest(ctx context.Context, m payment.Mixed) (req mixedRequest, bad refund.PayoutAnswer, ok bool) {
	if bad, ok = channels.CheckMixed(m); !ok {
		return req, bad, false
	}
	kind, err := mixKind(m)
	city, orgNo := firstOf(m.City, c.ins.city), m.OrgCode
	switch {
	case err != nil:
		return req, channels.BadTrade(flow.ActorIT, err.Error()), false
	case m.Payer == "" || orderTypes[m.Kind] == "" || city == "" || orgNo == "" || m.OrgName == "" || c.NotifyURL == "":
		return req, channels.BadTrade(flow.ActorIT, "医保下单缺少付款人、类型、城市、机构或回调地址"), false
	case kind == mixBoth && m.Handle == "":
		return req, channels.BadTrade(flow.ActorIT, "现金部分还没有下单"), false
	}
	app, payer := c.app(m.Payer)
	req = mixedRequest{Kind: kind, OrderType: orderTypes[m.Kind], AppID: app, OpenID: payer, No: m.No, SerialNo: m.MedOrgOrd,
		PayOrdID: m.PayOrdID, PayAuthNo: m.PayAuthNo, Location: m.Location, City: city, OrgName: m.OrgName, OrgNo: orgNo,
		Created: m.Begun.In(calendar.Beijing).Format(time.RFC3339), Total: m.Total, Fund: m.Fund,
		Account: m.Account, Other: m.Other, Cash: m.Cash,
		WechatCash: m.Amount, CallbackURL: c.NotifyURL, ChannelNo: c.ins.channelNo, TestEnv: c.ins.testEnv}
	if kind != mixInsurance {
		req.Prepay = m.Handle
	}
	if kind == mixCash { // a bill that the insurance never saw has no part of its cash either
		req.Cash = 0
	}
	req.Added, req.Reduced = cashDetails(m)
	req.PassThrough = c.passThrough(m)
	if err := c.sealPersons(ctx, m, &req); err != nil {
		return req, channels.BadTrade(flow.ActorIT, err.Error()), false
	}
	return req, refund.PayoutAnswer{}, true
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// cashDetails says why the cash is not what the insurance counted.
func cashDetails(m payment.Mixed) (add []cashAdd, reduce []cashReduce) {
	if m.Added > 0 {
		add = append(add, cashAdd{m.Added, "FREIGHT"})
	}
	if m.DepositPart > 0 {
		reduce = append(reduce, cashReduce{m.DepositPart, "DEPOSIT_DEDUCTION"})
	}
	if rest := m.Reduced - m.DepositPart; rest > 0 {
		reduce = append(reduce, cashReduce{rest, "HOSPITAL_REDUCE"})
	}
	return add, reduce
}

// passThrough is what WeChat hands on to the insurance. The documents disagree
// whether the numbers are repeated in it, so it is a setting.
func (c *Client) passThrough(m payment.Mixed) string {
	if !c.ins.passThrough || m.PayOrdID == "" {
		return ""
	}
	text, _ := json.Marshal(struct { // texts only: cannot fail
		Auth     string `json:"payAuthNo"`
		Order    string `json:"payOrdId"`
		Location string `json:"setlLatlnt,omitempty"`
	}{m.PayAuthNo, m.PayOrdID, m.Location})
	return string(text)
}

// QueryMixed asks for an order, by WeChat's number when it is known.
func (c *Client) QueryMixed(ctx context.Context, m payment.Mixed) (a payment.MixedAnswer) {
	defer channels.RecoverTo(&a, channels.MixedOf)
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	path := mixedPath + "/out-trade-no/" + url.PathEscape(m.No)
	if m.MixNo != "" {
		path = mixedPath + "/mix-trade-no/" + url.PathEscape(m.MixNo)
	}
	var out mixed
	err := c.get(ctx, path, &out)
	switch {
	case mixedMissing(err):
		return payment.MixedAnswer{Verdict: flow.Done, State: payment.MixedNotFound}
	case err != nil:
		return channels.MixedOf(channels.OfQuery(finer(err, mixedCodes, private(m)...)))
	}
	return c.mixedAnswer(out, m)
}

// mixedMissing reports WeChat's own "no such order".
func mixedMissing(err error) bool {
	var e *core.APIError
	return errors.As(err, &e) && e.StatusCode == http.StatusNotFound && (slices.Contains(missingMixed, e.Code) || tailOf(err) == tailMissing)
}

// mixedAnswer reads an order that is surely WeChat's, after checking that it is
// the one that was meant.
func (c *Client) mixedAnswer(r mixed, m payment.Mixed) payment.MixedAnswer {
	switch {
	case r.No != m.No || m.MixNo != "" && r.MixNo != "" && r.MixNo != m.MixNo:
		return channels.MixedOf(channels.Mismatch("单号不同"))
	case r.MixStatus == "":
		return channels.MixedOf(channels.Mismatch("没有状态"))
	}
	a := c.mixedTold(r, private(m)...)
	if r.Fund == nil && m.Fund > 0 || r.Account == nil && m.Account > 0 || r.Cash == nil && m.Amount > 0 {
		a.Told = false // part of it is not told, which is not the same as nothing
	}
	switch {
	case a.Differs != "":
	case c.otherApp(r.AppID, m.Payer):
		a.Differs = "应用不同"
	case r.SerialNo != "" && r.SerialNo != m.MedOrgOrd:
		a.Differs = "医院订单号不同"
	case r.SelfStatus != "" && (r.SelfStatus == "NO_SELF_PAY") != (m.Amount == 0):
		a.Differs = "现金部分与订单不符"
	case r.InsStatus == "NO_MED_INS_PAY" && m.PayOrdID != "":
		a.Differs = "医保部分与订单不符"
	}
	return a
}

// mixedTold is what WeChat says of an order.
func (c *Client) mixedTold(r mixed, hidden ...string) payment.MixedAnswer {
	a := payment.MixedAnswer{Verdict: flow.Done, MixNo: r.MixNo, PaidAt: at(r.PaidTime), Fund: fen(r.Fund), Account: fen(r.Account),
		Cash: fen(r.Cash)}
	a.State, a.CashPart = mixState(r.MixStatus, r.SelfStatus, r.InsStatus)
	if r.Total != nil {
		a.Told, a.Total = true, *r.Total
	}
	if a.State == payment.MixedFailed {
		a.Reason = channels.Codes{r.MixStatus: {Actor: flow.ActorReviewer, Words: "医保结算没有成功"}}.Failure(r.MixStatus, r.FailReason, hidden...)
	}
	if r.MchID != "" && r.MchID != c.MerchantID {
		a.Differs = "商户号不同"
	}
	return a
}

// CloseMixed is not possible: closing the cash trade is enough.
func (c *Client) CloseMixed(context.Context, payment.Mixed) payment.MixedAnswer {
	return channels.MixedOf(channels.NotSupported("微信医保订单不能单独关闭，关闭现金部分即可"))
}

// MixedPage signs what requestMedicalInsurancePay takes. Without a cash part
// there are no payment parameters.
func (c *Client) MixedPage(m payment.Mixed) (payment.Page, error) {
	if m.MixNo == "" {
		return payment.Page{}, errors.New("wechat: the order was not opened")
	}
	app, _ := c.app(m.Payer)
	page := payment.Page{Form: "wechat_medins", Values: map[string]string{"appid": app, "mixTradeNo": m.MixNo}}
	if m.Amount == 0 {
		return page, nil
	}
	if m.Handle == "" {
		return payment.Page{}, errors.New("wechat: the cash part was not opened")
	}
	values, err := c.payParameters(app, m.Handle)
	for _, name := range []string{"timeStamp", "nonceStr", "package", "signType", "paySign"} {
		page.Values[name] = values[name]
	}
	return page, err
}

// MixedTraits is what the answers about mixed orders are worth.
func (c *Client) MixedTraits() flow.Traits { return paymentTraits }
