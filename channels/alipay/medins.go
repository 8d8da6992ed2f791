package alipay

import (
	"context"
	"errors"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/channels"
	"hospay/flow"
	"hospay/internal/wire"
	"hospay/money"
	"hospay/payment"
	"hospay/refund"
)

// The methods of orders with insurance: of the national business (payment.*),
// where the cash is a trade of its own, and of the platform (trade.*), where one
// call creates and collects both.
const (
	methodNationalOpen  = "alipay.commerce.medical.payment.createandpay"
	methodNationalQuery = "alipay.commerce.medical.payment.query"
	methodPlatformOpen  = "alipay.commerce.medical.trade.createandpay"
	methodPlatformQuery = "alipay.commerce.medical.trade.query"
)

// opened is the answer to an order, flat or in data.
type opened struct {
	ChnlNo    string `json:"chnl_ord_sn"`
	TradeNo   string `json:"trade_no"`
	CashTrade string `json:"alipay_trade_no"`
	PayOrdID  string `json:"pay_order_id"`
	MedOrgOrd string `json:"med_org_ord"`
	No        string `json:"out_trade_no"`
	PayURL    string `json:"pay_url"`
}

type openAnswer struct {
	head
	opened
	Result string  `json:"result_code"`
	Error  string  `json:"error_message"`
	Data   *opened `json:"data"`
}

// mixed is what Alipay says of an order, flat or in result_data.
type mixed struct {
	No         string `json:"out_trade_no"`
	TradeNo    string `json:"trade_no"`
	ChnlNo     string `json:"chnl_ord_sn"`
	MedOrgOrd  string `json:"med_org_ord"`
	PayOrdID   string `json:"pay_order_id"`
	Insurance  string `json:"medical_pay_status"`
	Cash       string `json:"own_pay_status"`
	PayType    string `json:"pay_type"`
	Total      string `json:"total_amount"`
	Fund       string `json:"gov_amount"`
	Account    string `json:"account_amount"`
	Real       string `json:"real_amount"`
	PaidAt     string `json:"gmt_paid"`
	InsurePaid string `json:"gmt_medical_paid"`
	Error      string `json:"error_reason"`
}

type mixedAnswer struct {
	head
	mixed
	Result string `json:"result_code"`
	Words  string `json:"error_message"`
	Data   *mixed `json:"result_data"`
}

// OpenMixed makes an order of insurance and cash.
func (c *Client) OpenMixed(ctx context.Context, m payment.Mixed) (a payment.MixedAnswer) {
	defer channels.RecoverTo(&a, channels.MixedOf)
	if bad, ok := c.checkMixed(m); !ok {
		return channels.MixedOf(bad)
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	method, biz := methodNationalOpen, c.nationalBiz(m)
	if c.ins.platform {
		method, biz = methodPlatformOpen, c.platformBiz(m)
	}
	var r openAnswer
	if err := c.call(ctx, method, biz, nil, &r); err != nil {
		return channels.MixedOf(noAnswer(err))
	}
	return c.openedAnswer(r, m)
}

func (c *Client) checkMixed(m payment.Mixed) (refund.PayoutAnswer, bool) {
	if bad, ok := channels.CheckMixed(m); !ok {
		return bad, false
	}
	wrong := ""
	switch {
	case m.PayOrdID == "":
		wrong = "没有医保支付订单号的缴费应按普通交易收款"
	case m.Total == 0:
		wrong = "没有需要支付的金额"
	case m.Payer == "" || m.OrgCode == "" || firstOf(m.City, c.ins.city) == "":
		wrong = "医保下单缺少付款人、机构编码或城市编码"
	case m.Amount > 0 && m.Handle == "" && !c.ins.platform:
		wrong = "现金部分还没有下单"
	default:
		return refund.PayoutAnswer{}, true
	}
	return channels.BadTrade(flow.ActorIT, wrong), false
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// mixedBiz is what both forms have, without any empty member.
func (c *Client) mixedBiz(m payment.Mixed) map[string]any {
	biz := map[string]any{"out_trade_no": m.No, "med_org_ord": m.MedOrgOrd, "pay_order_id": m.PayOrdID, "pay_auth_no": m.PayAuthNo,
		"org_no": m.OrgCode, "total_amount": m.Total.Yuan(), "gov_amount": m.Fund.Yuan(), "account_amount": m.Account.Yuan(),
		"other_amount": m.Other.Yuan(), "real_amount": m.Amount.Yuan(), "gmt_out_create": stamp(m.Begun)}
	user(biz, m.Payer)
	if extend := c.extend(m); len(extend) > 0 {
		biz["extend_params"] = extend
	}
	return biz
}

// user names a person by either form of the id.
func user(biz map[string]any, id string) {
	if userID.MatchString(id) {
		biz["alipay_user_id"] = id
		return
	}
	biz["open_id"] = id
}

func (c *Client) extend(m payment.Mixed) map[string]any {
	out := map[string]any{}
	for key, value := range map[string]string{"channel_code": c.ins.channel, "sys_service_provider_id": c.ins.provider} {
		if value != "" {
			out[key] = value
		}
	}
	if c.ins.platform {
		out["medical_card_inst_id"] = cardInstitution
	}
	return out
}

// cardInstitution is the national credential.
const cardInstitution = "NATHSA"

func (c *Client) nationalBiz(m payment.Mixed) map[string]any {
	biz := c.mixedBiz(m)
	biz["payment_city_code"] = firstOf(m.City, c.ins.city)
	set(biz, "merchant_name", m.OrgName)
	set(biz, "gmt_expire_time", stamp(m.Expires))
	set(biz, "call_url", m.Back)
	if m.Amount > 0 {
		biz["trade_no"] = m.Handle
	}
	if m.Reduced > 0 && c.ins.subsidy != "" {
		biz["subsidy_amount_params"] = []map[string]any{{"subsidy_type": c.ins.subsidy, "subsidy_amount": m.Reduced.Yuan()}}
	}
	return biz
}

func (c *Client) platformBiz(m payment.Mixed) map[string]any {
	biz := c.mixedBiz(m)
	biz["order_type"], biz["subject"], biz["display_mode"] = "INSURANCE_PAY", channels.Clip(untitled.Replace(m.Title), 128), "normal"
	set(biz, "chrg_bch_no", m.ChargeBatch)
	set(biz, "gmt_time_expire", stamp(m.Expires))
	set(biz, "callback_url", m.Back)
	set(biz, "store_id", c.ins.store)
	return biz
}

func set(biz map[string]any, key, value string) {
	if value != "" {
		biz[key] = value
	}
}

// stamp is a time of the wire; none is empty.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(calendar.Beijing).Format(time.DateTime)
}

// openedAnswer reads the answer to an order. What its inner code says is not
// published, so only an answer with our number and a way to go on counts.
func (c *Client) openedAnswer(r openAnswer, m payment.Mixed) payment.MixedAnswer {
	got := r.opened
	if r.Data != nil {
		got = *r.Data
	}
	number := firstOf(got.ChnlNo, got.TradeNo)
	switch {
	case got.No != "" && got.No != m.No || got.PayOrdID != "" && got.PayOrdID != m.PayOrdID || got.MedOrgOrd != "" &&
		got.MedOrgOrd != m.MedOrgOrd:
		return channels.MixedOf(channels.Mismatch("单号不同"))
	case r.Code != codeDone:
		return channels.MixedOf(r.refusal(medicalCodes, private(m)...))
	case number == "" || got.PayURL == "" || got.No == "" && got.PayOrdID == "":
		return channels.MixedOf(inner(r.Result, r.Error, private(m)...))
	}
	return payment.MixedAnswer{Verdict: flow.Done, State: payment.MixedOpen, MixNo: number, URL: got.PayURL, ChannelNo: got.CashTrade}
}

// inner is an answer that the gateway has passed on and the insurance part has
// not carried out.
func inner(code, words string, private ...string) refund.PayoutAnswer {
	if code == "" {
		return channels.Mismatch("没有订单内容")
	}
	return channels.Codes{code: alarm("支付宝没有受理医保请求，以医保中心为准")}.Answer(code, words, private...)
}

// private is what nobody's words may repeat.
func private(m payment.Mixed) []string {
	out := []string{m.Payer, m.Holder.Name, m.Holder.IDNo, m.No, m.PayAuthNo}
	if m.Patient != nil {
		out = append(out, m.Patient.Name, m.Patient.IDNo)
	}
	return out
}

// QueryMixed asks for an order.
func (c *Client) QueryMixed(ctx context.Context, m payment.Mixed) (a payment.MixedAnswer) {
	defer channels.RecoverTo(&a, channels.MixedOf)
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	method, biz := methodNationalQuery, map[string]any{"out_trade_no": m.No, "med_org_ord": m.MedOrgOrd, "org_no": m.OrgCode}
	set(biz, "pay_order_id", m.PayOrdID)
	set(biz, "chnl_order_sn", m.MixNo)
	user(biz, m.Payer)
	if c.ins.platform {
		method, biz = methodPlatformQuery, map[string]any{"out_trade_no": m.No}
	}
	var r mixedAnswer
	if err := c.call(ctx, method, biz, nil, &r); err != nil {
		return channels.MixedOf(noAnswer(err))
	}
	return c.mixedAnswer(r, m)
}

func (c *Client) mixedAnswer(r mixedAnswer, m payment.Mixed) payment.MixedAnswer {
	got := r.mixed
	if r.Data != nil {
		got = *r.Data
	}
	switch {
	case r.Code == codeBusiness && slices.Contains(c.ins.missing, r.SubCode):
		return payment.MixedAnswer{Verdict: flow.Done, State: payment.MixedNotFound}
	case r.Code != codeDone:
		return channels.MixedOf(channels.OfQuery(r.refusal(medicalCodes, private(m)...)))
	case slices.Contains(c.ins.missing, r.Result) && got.Insurance == "" && got.Cash == "":
		return payment.MixedAnswer{Verdict: flow.Done, State: payment.MixedNotFound}
	case got.Insurance == "" && got.Cash == "":
		return channels.MixedOf(channels.OfQuery(inner(r.Result, r.Words, private(m)...)))
	case got.No != "" && got.No != m.No || got.ChnlNo != "" && m.MixNo != "" && got.ChnlNo != m.MixNo:
		return channels.MixedOf(channels.Mismatch("单号不同"))
	}
	a := c.mixedTold(got, m)
	if got.MedOrgOrd != "" && got.MedOrgOrd != m.MedOrgOrd || got.PayOrdID != "" && m.PayOrdID != "" && got.PayOrdID != m.PayOrdID {
		a.Differs = "医保订单号不同"
	}
	return a
}

// mixedTold is what Alipay says of an order.
func (c *Client) mixedTold(r mixed, m payment.Mixed) payment.MixedAnswer {
	total := toldAmount(r.Total)
	a := payment.MixedAnswer{Verdict: flow.Done, MixNo: firstOf(r.ChnlNo, m.MixNo), Told: total.Told, Total: total.Amount,
		Fund: amount(r.Fund), Account: amount(r.Account), Cash: amount(r.Real), PaidAt: at(firstOf(r.PaidAt, r.InsurePaid))}
	a.Told = a.Told && partTold(r.Fund, m.Fund) && partTold(r.Account, m.Account) && partTold(r.Real, m.Amount)
	a.State, a.CashPart = c.ins.words.state(r.Insurance, r.Cash, m.Amount > 0)
	if r.PayType == "MEDICAL_PAYMENT" && m.Amount > 0 || r.PayType == "MIXED_PAYMENT" && m.Amount == 0 {
		a.Differs = "现金部分与订单不符"
	}
	if m.Amount > 0 && !c.ins.platform {
		a.ChannelNo = r.TradeNo
	}
	if a.State == payment.MixedFailed {
		code := channels.Clip(r.Insurance, 32)
		a.Reason = channels.Codes{code: {Actor: flow.ActorReviewer, Words: "医保结算没有成功"}}.Failure(code, r.Error, private(m)...)
	}
	return a
}

func amount(s string) money.Fen { return toldAmount(s).Amount }

// partTold reports whether a part was told; one of nothing may be left out.
func partTold(s string, ours money.Fen) bool { return toldAmount(s).Told || s == "" && ours == 0 }

// CloseMixed is not done: whether the platform's cancellation gives back what was
// paid is not published. Closing the cash trade, and the centre's undo, are enough.
func (c *Client) CloseMixed(context.Context, payment.Mixed) payment.MixedAnswer {
	return channels.MixedOf(channels.NotSupported("支付宝医保订单不能单独关闭，关闭现金部分并撤销医保订单即可"))
}

// MixedPage is where the payer goes on.
func (c *Client) MixedPage(m payment.Mixed) (payment.Page, error) {
	if m.URL == "" {
		return payment.Page{}, errors.New("alipay: the order was not opened")
	}
	return payment.Page{Form: "link", Values: map[string]string{"url": m.URL}}, nil
}

// MixedTraits is what the answers about orders with insurance are worth. The
// hospital's number is unique in an application, so a repeated request makes no
// second order, however it is answered.
func (c *Client) MixedTraits() flow.Traits { return paymentTraits }
