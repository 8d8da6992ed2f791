package alipay

import (
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"hospay/channels"
	"hospay/flow"
	"hospay/refund"
)

const paid = `{"pay_date":"2026-01-02 03:04:05","biz_scene":"DIRECT_TRANSFER","action_type":"FINISH","pay_fund_order_id":"1",` +
	`"origin_interface":"alipay.fund.trans.uni.transfer","out_biz_no":"T20260102A1","trans_amount":"123.45",` +
	`"product_code":"TRANS_ACCOUNT_NO_PWD","order_id":"9","status":"SUCCESS","receiver_user_id":"2088123"}`

func message(biz string) url.Values {
	return url.Values{"charset": {"UTF-8"}, "biz_content": {biz}, "utc_timestamp": {"1767294245000"}, "app_id": {testApp}, "version": {"1.1"},
		"notify_id": {"N1"}, "msg_method": {eventTransfer}}
}

func trade() url.Values {
	return url.Values{"charset": {"utf-8"}, "notify_type": {"trade_status_sync"}, "notify_id": {"N2"}, "app_id": {testApp},
		"seller_id": {testPID}, "version": {"1.0"},
		"out_trade_no": {"D1"}, "trade_no": {"2026"}, "trade_status": {"TRADE_SUCCESS"}, "total_amount": {"100.00"}, "refund_fee": {"5.00"},
		"gmt_refund": {"2026-01-02 03:04:05.000"}, "out_biz_no": {"R20260102A1"}, "subject": {"预交金"}}
}

func TestCallback_Transfer(t *testing.T) {
	c, k := newClient(t, testConfig("")), testKeys()
	for status, want := range map[string]refund.PayoutState{"SUCCESS": refund.PayoutSucceeded, "FAIL": refund.PayoutFailed,
		"REFUND": refund.PayoutReturned, "DEALING": refund.PayoutProcessing} {
		cb, err := c.ParseCallback(t.Context(), nil, notification(k.alipay, message(strings.Replace(paid, "SUCCESS", status, 1))))
		if err != nil || cb.ID != "N1" || cb.Kind != refund.CallbackTransfer || cb.No != "T20260102A1" ||
			told(cb).Answer.Of.Payees[refund.AccountAlipayUserID] != "2088123" ||
			told(cb).Answer.Verdict != flow.Done || told(cb).Answer.State != want || told(cb).Answer.Of.Amount != 12345 ||
			told(cb).Answer.ChannelNo != "9" {
			t.Errorf("%s: %+v, %v", status, cb, err)
		}
		if strings.Contains(cb.Body, "2088123") || !strings.Contains(cb.Body, "T20260102A1") {
			t.Errorf("record %s", cb.Body)
		}
	}
	form := message(paid)
	form.Set("alipay_cert_sn", k.alipaySN)
	if _, err := c.ParseCallback(t.Context(), nil, notification(k.alipay, form)); err != nil {
		t.Error(err)
	}
	if cb, err := c.ParseCallback(t.Context(), nil, notification(k.alipay,
		message(strings.Replace(paid, "SUCCESS", "BRAND_NEW", 1)))); err != nil || told(cb).Answer.Verdict != flow.Unknown {
		t.Errorf("%+v, %v", cb, err)
	}
	if cb, err := c.ParseCallback(t.Context(), nil, notification(k.alipay,
		message(strings.Replace(paid, "DIRECT_TRANSFER", "PERSONAL_PAY", 1)))); err != nil || cb.Kind != flow.CallbackOther || cb.No != "" {
		t.Errorf("%+v, %v", cb, err)
	}
}

func TestCallback_RefundIsOnlyAHint(t *testing.T) {
	c, k := newClient(t, testConfig("")), testKeys()
	cb, err := c.ParseCallback(t.Context(), nil, notification(k.alipay, trade()))
	if err != nil || cb.Kind != refund.CallbackRefund || cb.No != "R20260102A1" || told(cb).Answer.Verdict != flow.Unknown {
		t.Errorf("%+v, %v", cb, err)
	}
	form := trade()
	form.Set("notify_type", "something_else")
	form.Del("gmt_refund")
	if cb, err := c.ParseCallback(t.Context(), nil, notification(k.alipay, form)); err != nil || cb.Kind != flow.CallbackOther {
		t.Errorf("%+v, %v", cb, err)
	}
}

// Whether empty parameters are signed is told differently; both must pass.
func TestCallback_EmptyParameters(t *testing.T) {
	c, k := newClient(t, testConfig("")), testKeys()
	form := trade()
	body := string(notification(k.alipay, form))
	if _, err := c.ParseCallback(t.Context(), nil, []byte(body+"&body=")); err != nil {
		t.Error("unsigned empty parameter:", err)
	}
	text := sorted(form, "sign", "sign_type")
	form.Set("sign", sign(k.alipay, strings.Replace(text, "charset=", "body=&charset=", 1)))
	if _, err := c.ParseCallback(t.Context(), nil, []byte(form.Encode()+"&body=")); err != nil {
		t.Error("signed empty parameter:", err)
	}
}

func TestCallback_Refusals(t *testing.T) {
	c, k := newClient(t, testConfig("")), testKeys()
	spoilt := func(f func(url.Values)) []byte { // before signing
		form := message(paid)
		f(form)
		return notification(k.alipay, form)
	}
	good := notification(k.alipay, message(paid))
	for name, body := range map[string][]byte{
		"别人的密钥":  notification(k.other, message(paid)),
		"自己的密钥":  notification(k.app, message(paid)),
		"改动金额":   []byte(strings.Replace(string(good), "123.45", "923.45", 1)),
		"多出参数":   append(append([]byte{}, good...), "&refund_fee=1"...),
		"重复参数":   append(append([]byte{}, good...), "&app_id=1"...),
		"别的应用":   spoilt(func(f url.Values) { f.Set("app_id", "2021") }),
		"没有应用":   spoilt(func(f url.Values) { f.Del("app_id") }),
		"别的商户":   spoilt(func(f url.Values) { f.Set("seller_id", "2088") }),
		"未知证书":   spoilt(func(f url.Values) { f.Set("alipay_cert_sn", k.otherSN) }),
		"没有编号":   spoilt(func(f url.Values) { f.Del("notify_id") }),
		"别的字符集":  spoilt(func(f url.Values) { f.Set("charset", "GBK") }),
		"坏 JSON": spoilt(func(f url.Values) { f.Set("biz_content", "{") }),
		"没有单号":   spoilt(func(f url.Values) { f.Set("biz_content", "{}") }),
		"空内容":    spoilt(func(f url.Values) { f.Set("biz_content", "null") }),
		"旧签名":    []byte(strings.Replace(string(good), "sign_type=RSA2", "sign_type=RSA", 1)),
	} {
		if cb, err := c.ParseCallback(t.Context(), nil, body); !errors.Is(err, channels.ErrBadCallback) || cb.Kind != "" {
			t.Errorf("%s: %+v, %v", name, cb, err)
		}
	}
}

func TestAcknowledge(t *testing.T) {
	for err, want := range map[error]string{nil: "success", channels.ErrBadCallback: "fail"} {
		w := httptest.NewRecorder()
		newClient(t, testConfig("")).Acknowledge(w, err)
		if w.Code != 200 || w.Body.String() != want {
			t.Errorf("%v: %d %q", err, w.Code, w.Body)
		}
	}
}

func FuzzCallback(f *testing.F) {
	c, k := newClient(f, testConfig("")), testKeys()
	good := string(notification(k.alipay, message(paid)))
	f.Add(good, paid)
	f.Add("sign=AA&sign_type=RSA2&notify_id=1", `{"out_biz_no":"1"}`)
	f.Add("a=1;b=2&%zz", `{"out_biz_no":"1","status":"SUCCESS","trans_amount":"-1"}`)
	f.Fuzz(func(t *testing.T, raw, biz string) {
		cb, err := c.ParseCallback(t.Context(), nil, []byte(raw))
		if err == nil && cb.No != "T20260102A1" {
			t.Fatalf("unsigned callback passed: %+v", cb)
		}
		if err != nil && !errors.Is(err, channels.ErrBadCallback) {
			t.Fatal(err)
		}
		cb, err = c.ParseCallback(t.Context(), nil, notification(k.alipay, message(biz)))
		if err == nil && (cb.Kind == refund.CallbackTransfer && cb.No == "" || told(cb).Answer.Of.Amount < 0) {
			t.Fatalf("%q: %+v", biz, cb)
		}
	})
}

// told is what a callback says about its payout.
func told(cb flow.Callback) refund.Told {
	t, _ := cb.Told.(refund.Told)
	return t
}
