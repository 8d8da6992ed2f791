package wechat

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"hospay/channels"
	"hospay/flow"
	"hospay/payment"

	pay "github.com/go-pay/gopay/wechat/v3"
)

func TestProduct(t *testing.T) {
	for _, row := range []struct {
		terminal payment.Terminal
		payer    string
		want     string
	}{
		{payment.TerminalMini, "o1", productJSAPI}, {payment.TerminalH5, "o1", productJSAPI}, {payment.TerminalH5, "", productH5},
		{payment.TerminalKiosk, "", productNative}, {payment.TerminalKiosk, "o1", productNative}, {payment.TerminalMini, "", productJSAPI},
	} {
		if got := product(payment.Trade{Terminal: row.terminal, Payer: row.payer}); got != row.want {
			t.Errorf("%+v: %s", row, got)
		}
	}
}

// each product is sent with its own fields, and gives what opens it.
func TestOpenTrade_Request(t *testing.T) {
	outside := jsapiTrade()
	outside.Payer, outside.Terminal, outside.IP = "", payment.TerminalH5, "203.0.113.7"
	common := `{"appid":"` + testApp + `","mchid":"` + testMch + `","description":"门诊缴费","out_trade_no":"P20260102A1",` +
		`"time_expire":"2026-01-02T03:34:05+08:00","notify_url":"https://hospital.example/notify","amount":{"total":2700,"currency":"CNY"}`
	for _, row := range []struct {
		trade              payment.Trade
		path, body, answer string
	}{
		{jsapiTrade(), "jsapi", common + `,"payer":{"openid":"oSecretOpenID0001"}}`, `{"prepay_id":"H1"}`},
		{kioskTrade(), "native", common + `}`, `{"code_url":"H1"}`},
		{outside, "h5", common + `,"scene_info":{"payer_client_ip":"203.0.113.7","h5_info":{"type":"Wap"}}}`, `{"h5_url":"H1"}`},
	} {
		srv := serve(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
			if got := strings.TrimSpace(string(body)); r.URL.Path != tradePath+row.path || got != row.body {
				t.Errorf("%s\n%s\n%s", r.URL.Path, got, row.body)
			}
			answer(w, 200, row.answer)
		})
		c := newClient(t, testConfig(srv.URL))
		if a := c.OpenTrade(t.Context(), row.trade); a.Verdict != flow.Done || a.State != payment.TradeOpen || a.Handle != "H1" {
			t.Errorf("%s: %+v", row.path, a)
		}
	}
}

// What the answer of one product gives does not open another.
func TestOpenTrade_HandleOfAnotherProduct(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		answer(w, 200, `{"prepay_id":"","code_url":"C","h5_url":"H"}`)
	})
	if a := newClient(t, testConfig(srv.URL)).OpenTrade(t.Context(), jsapiTrade()); a.Verdict != flow.Unknown {
		t.Errorf("%+v", a)
	}
}

func TestQueryTrade_States(t *testing.T) {
	for word, want := range map[string]payment.TradeState{"SUCCESS": payment.TradePaid, "REFUND": payment.TradeRefunded,
		"NOTPAY":     payment.TradeOpen,
		"USERPAYING": payment.TradeOpen, "CLOSED": payment.TradeClosed, "REVOKED": payment.TradeClosed, "PAYERROR": "", "BRAND_NEW": "", "": ""} {
		srv := serve(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
			if r.URL.RequestURI() != "/v3/pay/transactions/out-trade-no/P20260102A1?mchid="+testMch {
				t.Error(r.URL)
			}
			answer(w, 200, `{"appid":"`+testApp+`","mchid":"`+testMch+`","out_trade_no":"P20260102A1","transaction_id":"42","trade_state":"`+word+
				`","success_time":"2026-01-02T03:05:06+08:00","payer":{"openid":"oSecretOpenID0001"},"amount":{"total":2700,"currency":"CNY"}}`)
		})
		a := newClient(t, testConfig(srv.URL)).QueryTrade(t.Context(), jsapiTrade())
		if a.State != want || (a.Verdict == flow.Done) != (want != "") || want != "" && (!a.Told || a.Amount != 2700 ||
			a.Payer != "oSecretOpenID0001") {
			t.Errorf("%s: %+v", word, a)
		}
	}
}

func TestQueryTrade_WhatIsAnothers(t *testing.T) {
	good := `{"appid":"` + testApp + `","mchid":"` + testMch + `","out_trade_no":"P20260102A1","trade_state":"SUCCESS",` +
		`"amount":{"total":2700,"currency":"CNY"}}`
	for name, row := range map[string]struct{ from, to, differs string }{
		"merchant": {testMch, "1900000002", "商户号不同"}, "application": {testApp, "wxother", "应用不同"}, "currency": {"CNY", "HKD", "币种不同"},
	} {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			answer(w, 200, strings.Replace(good, row.from, row.to, 1))
		})
		if a := newClient(t, testConfig(srv.URL)).QueryTrade(t.Context(), jsapiTrade()); a.Verdict != flow.Done || a.Differs != row.differs {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// Closing proves nothing but by a signed 204; what speaks of the state is open.
func TestCloseTrade(t *testing.T) {
	for name, row := range map[string]struct {
		say  func(w http.ResponseWriter)
		want flow.Verdict
		code string
	}{
		"closed":      {func(w http.ResponseWriter) { answer(w, 204, "") }, flow.Done, ""},
		"unsigned":    {func(w http.ResponseWriter) { w.WriteHeader(204) }, flow.Unknown, channels.CodeNoAnswer},
		"with a body": {func(w http.ResponseWriter) { answer(w, 200, `{"code":"x"}`) }, flow.Unknown, channels.CodeNoAnswer},
		"paid":        {func(w http.ResponseWriter) { refuse(w, 403, "TRADE_ERROR", "m") }, flow.Unknown, "TRADE_ERROR"},
		"no such":     {func(w http.ResponseWriter) { refuse(w, 404, "ORDER_NOT_EXIST", "m") }, flow.Done, ""},
		"paying": {func(w http.ResponseWriter) {
			w.Header().Set("Request-ID", "08ABC-"+tailPaying)
			refuse(w, 400, "PARAM_ERROR", "m")
		}, flow.Unknown, tailPaying},
		"wrong parameter": {func(w http.ResponseWriter) { refuse(w, 400, "PARAM_ERROR", "m") }, flow.Refused, "PARAM_ERROR"},
	} {
		srv := serve(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
			if r.URL.Path != "/v3/pay/transactions/out-trade-no/P20260102A1/close" || strings.TrimSpace(string(body)) != `{"mchid":"`+testMch+`"}` {
				t.Errorf("%s %s", r.URL, body)
			}
			row.say(w)
		})
		if a := newClient(t, testConfig(srv.URL)).CloseTrade(t.Context(), jsapiTrade()); a.Verdict != row.want || a.Reason.Code != row.code {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestRefundTrade_IsTheTradeThatWasMeant(t *testing.T) {
	for name, row := range map[string]struct{ answer, differs string }{
		"right":          {`"transaction_id":"4200000001","out_trade_no":"P20260102A1"`, ""},
		"another trade":  {`"transaction_id":"4200000001","out_trade_no":"P2"`, "原支付不同"},
		"another number": {`"transaction_id":"4299999999","out_trade_no":"P20260102A1"`, "原支付不同"},
		"not told":       {`"create_time":""`, ""},
	} {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request, body []byte) {
			if len(body) > 0 && !strings.Contains(string(body), `"transaction_id":"4200000001","out_refund_no":"P20260102A1R01","reason":"退费"`) {
				t.Error(string(body))
			}
			answer(w, 200, `{"out_refund_no":"P20260102A1R01","refund_id":"50","status":"SUCCESS","amount":{"refund":700},`+row.answer+`}`)
		})
		c := newClient(t, testConfig(srv.URL))
		for _, a := range []payment.RefundAnswer{c.RefundTrade(t.Context(), tradeRefund()), c.QueryTradeRefund(t.Context(), tradeRefund())} {
			if a.Verdict != flow.Done || a.State != payment.RefundDone || a.Amount != 700 || a.Differs != row.differs {
				t.Errorf("%s: %+v", name, a)
			}
		}
	}
	for status, want := range map[string]payment.RefundState{"PROCESSING": payment.RefundProcessing, "CLOSED": payment.RefundFailed,
		"ABNORMAL": payment.RefundFailed} {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			answer(w, 200, `{"out_refund_no":"P20260102A1R01","status":"`+status+`"}`)
		})
		a := newClient(t, testConfig(srv.URL)).QueryTradeRefund(t.Context(), tradeRefund())
		if a.State != want || (want == payment.RefundFailed) != (a.Reason.Code != "") {
			t.Errorf("%s: %+v", status, a)
		}
	}
}

// The page is signed as others sign it: gopay's signature over the same lines is
// ours, and the merchant's key verifies it.
func TestTradePage(t *testing.T) {
	c, k := newClient(t, testConfig("")), testKeys()
	other, err := pay.NewClientV3(testMch, testSerial, testAPIKey, privatePEM(k.merchant))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := other.PaySignOfJSAPI(testApp, "wx123")
	if err != nil {
		t.Fatal(err)
	}
	stamp, _ := strconv.ParseInt(theirs.TimeStamp, 10, 64)
	ours, err := c.paySigned(c.AppID, "wx123", time.Unix(stamp, 0), theirs.NonceStr)
	if err != nil || ours["paySign"] != theirs.PaySign || ours["package"] != theirs.Package || ours["signType"] != theirs.SignType ||
		ours["appId"] != theirs.AppId || ours["timeStamp"] != theirs.TimeStamp {
		t.Errorf("%+v\n%+v, %v", ours, theirs, err)
	}
	trade := jsapiTrade()
	trade.Handle = "wx456"
	page, err := c.TradePage(trade)
	v := page.Values
	sum := sha256.Sum256([]byte(v["appId"] + "\n" + v["timeStamp"] + "\n" + v["nonceStr"] + "\nprepay_id=wx456\n"))
	sig, _ := base64.StdEncoding.DecodeString(v["paySign"])
	if err != nil || page.Form != "wechat_jsapi" || rsa.VerifyPKCS1v15(&k.merchant.PublicKey, crypto.SHA256, sum[:], sig) != nil {
		t.Errorf("%+v, %v", page, err)
	}
	kiosk := kioskTrade()
	kiosk.Handle = "weixin://wxpay/bizpayurl?pr=1"
	if page, err := c.TradePage(kiosk); err != nil || page.Form != "code" || page.Values["url"] != kiosk.Handle {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestCallback_Payments(t *testing.T) {
	c := newClient(t, testConfig(""))
	trade := `{"appid":"` + testApp + `","mchid":"` + testMch + `","out_trade_no":"P1","transaction_id":"42","trade_state":"SUCCESS",` +
		`"payer":{"openid":"oSecretOpenID0001"},"amount":{"total":2700,"currency":"CNY"}}`
	back := `{"mchid":"` + testMch + `","out_trade_no":"P1","out_refund_no":"P1R01","refund_id":"50","refund_status":"SUCCESS",` +
		`"amount":{"refund":700}}`
	mixed := `{"appid":"` + testApp + `","mix_trade_no":"MIX1","out_trade_no":"P1","mix_pay_status":"MIX_PAY_SUCCESS",` +
		`"self_pay_status":"SELF_PAY_SUCCESS","med_ins_pay_status":"MED_INS_PAY_SUCCESS","total_fee":12000,"openid":"oSecretOpenID0001"}`
	for event, row := range map[string]struct {
		plain, no string
		kind      flow.CallbackKind
		told      func(any) bool
	}{
		eventTrade: {trade, "P1", payment.CallbackTrade, func(v any) bool {
			a, ok := v.(payment.TradeAnswer)
			return ok && a.State == payment.TradePaid && a.Amount == 2700
		}},
		"REFUND.SUCCESS": {back, "P1R01", payment.CallbackTradeRefund, func(v any) bool {
			a, ok := v.(payment.RefundAnswer)
			return ok && a.State == payment.RefundDone && a.Amount == 700 && a.Differs == ""
		}},
		eventMixed: {mixed, "P1", payment.CallbackMixed, func(v any) bool {
			a, ok := v.(payment.MixedAnswer)
			return ok && a.State == payment.MixedPaid && a.CashPart == payment.TradePaid && a.Total == 12000 && a.MixNo == "MIX1"
		}},
	} {
		h, body := callback(event, row.plain)
		cb, err := c.ParseCallback(t.Context(), h, body)
		if err != nil || cb.Kind != row.kind || cb.No != row.no || !row.told(cb.Told) || strings.Contains(cb.Body, "oSecret") {
			t.Errorf("%s: %+v, %v", event, cb, err)
		}
		for name, spoilt := range map[string]string{"merchant": strings.Replace(row.plain, testMch, "1900000002", 1),
			"application": strings.Replace(row.plain, testApp, "wxother", 1), "number": strings.Replace(row.plain, `"`+row.no+`"`, `""`, 1)} {
			h, body := callback(event, spoilt)
			if cb, err := c.ParseCallback(t.Context(), h, body); err == nil && spoilt != row.plain {
				t.Errorf("%s, wrong %s: %+v", event, name, cb)
			}
		}
	}
}

// Whatever a merchant is told of a payment, reading it never panics and never
// says that a number of nobody's is paid.
func FuzzPayments(f *testing.F) {
	c := newClient(f, testConfig(""))
	f.Add(`{"out_trade_no":"P1","trade_state":"SUCCESS","mchid":"1900000001"}`, `{"code":0,"pay_auth_no":"AUTH1"}`)
	f.Add(`{"out_trade_no":"P1","mix_pay_status":"MIX_PAY_SUCCESS","total_fee":1}`, `{"user_longitude_latitude":"{\"longitude\":1}"}`)
	f.Fuzz(func(t *testing.T, plain, credential string) {
		for _, event := range []string{eventTrade, eventMixed, "REFUND.SUCCESS"} {
			h, body := callback(event, plain)
			cb, err := c.ParseCallback(t.Context(), h, body)
			if err == nil && cb.No == "" {
				t.Fatalf("%q: %+v", plain, cb)
			}
			if a, ok := cb.Told.(payment.MixedAnswer); ok && a.Verdict == flow.Done && a.State == "" {
				t.Fatalf("%q: %+v", plain, a)
			}
		}
		var g granted
		if json.Unmarshal([]byte(credential), &g) != nil {
			return
		}
		a := g.authorisation()
		if a.Granted != (a.Verdict == flow.Done) || a.Granted && a.PayAuthNo == "" || a.Location != "" && strings.Count(a.Location, ",") != 1 {
			t.Fatalf("%q: %+v", credential, a)
		}
	})
}

// A refusal repeats nobody's words about somebody whose name it does not know.
func TestTrade_NoWordsOfOthers(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.WriteHeader(403)
		_, _ = io.WriteString(w, `{"code":"RULE_LIMIT","message":"用户欧阳文博的账户受限"}`)
	})
	a := newClient(t, testConfig(srv.URL)).OpenTrade(t.Context(), jsapiTrade())
	if a.Verdict != flow.Refused || strings.Contains(a.Reason.Message, "欧阳") {
		t.Errorf("%+v", a)
	}
}
