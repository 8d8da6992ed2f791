package alipay

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hospay/sim"
)

var (
	tradeGaps   = []time.Duration{4 * time.Minute, 10 * time.Minute, 10 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 15 * time.Hour}
	messageGaps = []time.Duration{2 * time.Minute, 10 * time.Minute, 10 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 15 * time.Hour}
)

// send signs a form by the V1 rule (without sign and sign_type) and hands it to the courier.
func (m *merchant) send(no, address, appID string, f url.Values, gaps []time.Duration, fault sim.Fault) {
	if address == "" {
		return
	}
	a := m.app(appID)
	f.Set("app_id", appID)
	f.Set("sign_type", "RSA2")
	if a.cert != nil && m.settings.Get().NotifyCertSN {
		f.Set("alipay_cert_sn", m.alipayCertSN)
	}
	m.Courier().Send(sim.Message{No: no, URL: address, Fault: fault, Gaps: gaps, Scale: m.settings.Get().CallbackScale,
		Accepted: func(status int, body string) bool { return status == 200 && body == "success" },
		Make: func(lie sim.Fault, how sim.Seal) (http.Header, []byte) {
			out := m.told(f, lie)
			out.Set("sign", m.seal(a, []byte(signContent(out, "sign", "sign_type", "alipay_cert_sn")), how))
			return http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}, []byte(out.Encode())
		}})
}

// told is a copy of a notification, as a lie has it.
func (m *merchant) told(f url.Values, lie sim.Fault) url.Values {
	plain, inner := map[string]any{}, map[string]any{}
	for k := range f {
		plain[k] = f.Get(k)
	}
	if json.Unmarshal([]byte(f.Get("biz_content")), &inner) == nil {
		plain["biz_content"] = string(sim.JSON(m.liar().Tell(lie, inner)))
	}
	out := url.Values{}
	for k, v := range m.liar().Tell(lie, plain).(map[string]any) {
		if text, ok := v.(string); ok && text != "" {
			out.Set(k, text)
		}
	}
	return out
}

func (m *merchant) seal(a *app, content []byte, how sim.Seal) string {
	if how == sim.SealOtherKey {
		return sim.Sign(a.key, content)
	}
	signature := sim.Sign(a.signer, content)
	if how != sim.SealGood {
		return sim.Spoil(signature)
	}
	return signature
}

func notifyID(at time.Time) string {
	return at.Format("20060102") + "00" + strings.ToLower(sim.Token(12))
}

// notifyTransfer sends alipay.fund.trans.order.changed to the application gateway.
func (m *merchant) notifyTransfer(t *transfer) {
	set, now := m.settings.Get(), m.Clock().Now()
	address := set.GatewayURL
	if address == "" && set.NotifyFallback {
		address = t.notifyURL
	}
	b := map[string]string{"action_type": "FINISH", "biz_scene": "DIRECT_TRANSFER", "origin_interface": "alipay.fund.trans.uni.transfer",
		"out_biz_no": t.no,
		"order_id":   t.orderID, "pay_fund_order_id": t.fundID, "product_code": "TRANS_ACCOUNT_NO_PWD", "status": t.status,
		"trans_amount": sim.Yuan(t.amount),
		"pay_date":     t.at.Format(time.DateTime), "receiver_user_id": t.userID}
	if t.status == "REFUND" {
		b["refund_date"], b["error_code"], b["fail_reason"] = t.returned.Format(time.DateTime), t.errorCode, t.failReason
	}
	if t.passback != "" {
		b["passback_params"] = t.passback
	}
	f := url.Values{"charset": {"UTF-8"}, "biz_content": {string(sim.JSON(b))}, "utc_timestamp": {fmt.Sprint(now.UnixMilli())},
		"version":   {"1.1"},
		"notify_id": {notifyID(now)}, "msg_method": {"alipay.fund.trans.order.changed"}}
	m.send(t.no, address, t.appID, f, messageGaps, t.fault)
}

// notifyTrade tells about a payment (r nil) or a refund.
func (m *merchant) notifyTrade(t *trade, r *refund, fault sim.Fault) {
	if t.notifyURL == "" {
		return
	}
	now, yuan := m.Clock().Now(), sim.Yuan(t.total)
	f := url.Values{"charset": {"utf-8"}, "version": {"1.0"}, "notify_id": {notifyID(now)}, "notify_type": {"trade_status_sync"},
		"notify_time": {now.Format(time.DateTime)},
		"auth_app_id": {t.appID}, "seller_id": {m.pid}, "buyer_id": {t.buyer}, "out_trade_no": {t.no}, "trade_no": {t.id}, "subject": {t.subject},
		"trade_status": {m.tradeStatus(t)}, "total_amount": {yuan}, "receipt_amount": {yuan}, "buyer_pay_amount": {yuan},
		"invoice_amount": {yuan}, "point_amount": {"0.00"},
		"gmt_create": {t.created.Format(time.DateTime)}, "gmt_payment": {t.paid.Format(time.DateTime)},
		"fund_bill_list": {`[{"amount":"` + yuan + `","fundChannel":"ALIPAYACCOUNT"}]`}}
	if t.passback != "" {
		f.Set("passback_params", t.passback)
	}
	no := t.no
	if r != nil {
		no = r.no
		f.Set("refund_fee", sim.Yuan(t.refunded))
		f.Set("gmt_refund", r.at.Format("2006-01-02 15:04:05.000"))
		f.Set("out_biz_no", r.no)
	}
	m.send(no, t.notifyURL, t.appID, f, tradeGaps, fault)
}
