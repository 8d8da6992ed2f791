package alipay

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"hospay/channels"
	"hospay/flow"
	"hospay/payment"

	"pgregory.net/rapid"
)

// asked serves one signed answer and keeps what was sent.
func asked(t *testing.T, say func(method string) string) (*Client, *url.Values) {
	t.Helper()
	return askedBy(t, nil, say)
}

func askedBy(t *testing.T, settings map[string]string, say func(method string) string) (*Client, *url.Values) {
	t.Helper()
	got := &url.Values{}
	srv := serve(t, func(w http.ResponseWriter, form url.Values) {
		*got = form
		answer(w, form.Get("method"), say(form.Get("method")))
	})
	cfg := testConfig(srv.URL)
	for k, v := range settings {
		cfg.Settings[k] = v
	}
	return newClient(t, cfg), got
}

// sameJSON compares texts by what they say.
func sameJSON(t *testing.T, what, got, want string) {
	t.Helper()
	var a, b any
	if json.Unmarshal([]byte(got), &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
		t.Fatalf("%s is no JSON:\n%s\n%s", what, got, want)
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if string(x) != string(y) {
		t.Errorf("%s:\n%s\n%s", what, x, y)
	}
}

func TestOpenTrade_Request(t *testing.T) {
	open := knownTrade()
	open.Payer, open.Title = "openid-of-a-newer-application", "挂号/门诊=1&2"
	for _, row := range []struct {
		trade                  payment.Trade
		settings               map[string]string
		method, biz, ans, want string
	}{
		{knownTrade(), nil, methodCreate, `{"out_trade_no":"P20260102A1","total_amount":"27.00","subject":"门诊缴费","buyer_id":"2088123412341234",` +
			`"time_expire":"2026-01-02 03:34:05"}`, `"trade_no":"T1"`, "T1"},
		{open, map[string]string{"trade_product": "JSAPI_PAY", "trade_op_app": "2021"}, methodCreate, `{"out_trade_no":"P20260102A1",` +
			`"total_amount":"27.00","subject":"挂号 门诊 1 2","buyer_open_id":"openid-of-a-newer-application","product_code":"JSAPI_PAY",` +
			`"op_app_id":"2021","time_expire":"2026-01-02 03:34:05"}`, `"trade_no":"T1"`, "T1"},
		{kioskTrade(), nil, methodPrecreate, `{"out_trade_no":"P20260102A1","total_amount":"27.00","subject":"门诊缴费",` +
			`"time_expire":"2026-01-02 03:34:05"}`, `"qr_code":"https://qr.alipay.com/1"`, "https://qr.alipay.com/1"},
	} {
		c, got := askedBy(t, row.settings, func(string) string {
			return `{"code":"10000","msg":"Success","out_trade_no":"P20260102A1",` + row.ans + `}`
		})
		a := c.OpenTrade(t.Context(), row.trade)
		if a.Verdict != flow.Done || a.State != payment.TradeOpen || a.Handle != row.want || got.Get("method") != row.method ||
			got.Get("notify_url") != "https://hospital.example/notify" {
			t.Errorf("%+v %v", a, got)
		}
		sameJSON(t, row.method, got.Get("biz_content"), row.biz)
	}
}

func TestQueryTrade_States(t *testing.T) {
	for _, row := range []struct {
		fields string
		want   payment.TradeState
	}{
		{`"trade_status":"WAIT_BUYER_PAY"`, payment.TradeOpen}, {`"trade_status":"TRADE_SUCCESS"`, payment.TradePaid},
		{`"trade_status":"TRADE_FINISHED"`, payment.TradePaid}, {`"trade_status":"TRADE_CLOSED"`, payment.TradeClosed},
		{`"trade_status":"TRADE_CLOSED","send_pay_date":"2026-01-02 03:05:06"`, payment.TradeRefunded},
		{`"trade_status":"BRAND_NEW"`, ""}, {`"x":"y"`, ""},
	} {
		c, _ := asked(t, func(string) string {
			return `{"code":"10000","msg":"Success","out_trade_no":"P20260102A1","trade_no":"T1","total_amount":"27.00","buyer_user_id":"2088",` +
				`` + row.fields + `}`
		})
		a := c.QueryTrade(t.Context(), knownTrade())
		if a.State != row.want || (a.Verdict == flow.Done) != (row.want != "") || row.want != "" && (!a.Told || a.Amount != 2700 ||
			a.Payer != "2088") {
			t.Errorf("%s: %+v", row.fields, a)
		}
	}
}

// A code that nobody has scanned has no trade: it is open until it ends, and
// cannot be closed.
func TestUnscannedCode(t *testing.T) {
	c, _ := asked(t, func(string) string { return failure("40004", "ACQ.TRADE_NOT_EXIST") })
	x := kioskTrade()
	if a := c.QueryTrade(t.Context(), x); a.State != payment.TradeNotFound {
		t.Errorf("never opened: %+v", a)
	}
	x.Handle = "https://qr.alipay.com/1"
	for _, row := range []struct {
		now    time.Time
		state  payment.TradeState
		closed flow.Verdict
	}{{x.Expires, payment.TradeOpen, flow.Unknown}, {x.Expires.Add(2 * time.Minute), payment.TradeNotFound, flow.Done}} {
		c.Now = func() time.Time { return row.now }
		if a := c.QueryTrade(t.Context(), x); a.Verdict != flow.Done || a.State != row.state {
			t.Errorf("%v: %+v", row.now, a)
		}
		if a := c.CloseTrade(t.Context(), x); a.Verdict != row.closed {
			t.Errorf("%v: %+v", row.now, a)
		}
	}
	mini := knownTrade()
	mini.Handle = "T1"
	if a := c.QueryTrade(t.Context(), mini); a.State != payment.TradeNotFound {
		t.Errorf("%+v", a)
	}
}

func TestCallback_Trades(t *testing.T) {
	c, k := newClient(t, testConfig("")), testKeys()
	form := trade()
	form.Del("gmt_refund")
	form.Del("out_biz_no")
	form.Set("buyer_id", "2088123412341234")
	form.Set("gmt_payment", "2026-01-02 03:04:05")
	for status, want := range map[string]payment.TradeState{"TRADE_SUCCESS": payment.TradePaid, "WAIT_BUYER_PAY": payment.TradeOpen,
		"TRADE_CLOSED": payment.TradeRefunded, "BRAND_NEW": ""} {
		form.Set("trade_status", status)
		cb, err := c.ParseCallback(t.Context(), nil, notification(k.alipay, form))
		a, ok := cb.Told.(payment.TradeAnswer)
		if err != nil || cb.Kind != payment.CallbackTrade || cb.No != "D1" || !ok || a.State != want || strings.Contains(cb.Body,
			"2088123412341234") ||
			want != "" && (a.Amount != 10000 || a.Payer != "2088123412341234" || a.PaidAt.IsZero()) {
			t.Errorf("%s: %+v, %v", status, cb, err)
		}
	}
	back := trade()
	back.Set("out_biz_no", "P20260102A1R01")
	cb, err := c.ParseCallback(t.Context(), nil, notification(k.alipay, back))
	if a, ok := cb.Told.(payment.RefundAnswer); err != nil || cb.Kind != payment.CallbackTradeRefund || !ok ||
		a.Verdict != flow.Unknown || a.Told {
		t.Errorf("%+v, %v", cb, err)
	}
}

func TestRefundTrade_ByAsset(t *testing.T) {
	status := "REFUND_PROCESSING"
	c, got := askedBy(t, map[string]string{"medins_refund": "asset"}, func(string) string {
		return `{"code":"10000","msg":"Success","out_trade_no":"P20260102A1","trade_no":"2026010222001","out_request_no":"P20260102A1R01",` +
			`"refund_amount":"7.00","refund_status":"` + status + `"}`
	})
	r := tradeRefund()
	r.Trade.Insured = true
	for word, want := range map[string]payment.RefundState{"REFUND_PROCESSING": payment.RefundProcessing, "REFUND_SUCCESS": payment.RefundDone,
		"REFUND_FAIL": "", "": ""} {
		status = word
		if a := c.RefundTrade(t.Context(), r); a.State != want || (a.Verdict == flow.Done) != (want != "") {
			t.Errorf("%s: %+v", word, a)
		}
		sameJSON(t, word, got.Get("biz_content"), `{"out_request_no":"P20260102A1R01","refund_amount":"7.00","refund_reason":"退费",`+
			`"trade_no":"2026010222001","extend_params":"{\"DESIGNATED_REFUND_ASSET\":\"INNER_ASSET\"}"}`)
	}
	r.Trade.Insured = false // an ordinary trade goes back in the ordinary way
	c.RefundTrade(t.Context(), r)
	if got.Get("method") != methodRefund {
		t.Error(got.Get("method"))
	}
}

// The tables of payments refuse nothing that they do not list.
func TestCodes_OfPayments(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`(ACQ\.)?[A-Z_]{1,30}`))
	rapid.Check(t, func(t *rapid.T) {
		h := head{Code: rapid.SampledFrom([]string{"", "10000", "10003", "20000", "20001", "40001", "40002", "40003", "40004", "40006", "50000"}).
			Draw(t, "code"), SubCode: text.Draw(t, "sub")}
		for name, codes := range map[string]channels.Codes{"create": createCodes, "query": tradeQueryCodes, "close": closeCodes,
			"apply":   applyCodes,
			"medical": medicalCodes} {
			a := h.refusal(codes)
			_, listed := codes[strings.TrimPrefix(h.SubCode, "ACQ.")]
			if (!listed || h.Code != codeBusiness) && !vendorCode(h.SubCode) && a.Verdict != flow.Unknown || a.Verdict == flow.Done {
				t.Fatalf("%s %+v: %+v", name, h, a)
			}
		}
	})
	for code := range medicalCodes {
		if medicalCodes[code].Verdict != flow.Unknown {
			t.Errorf("%s is refused, and no table of these codes is public", code)
		}
	}
}
