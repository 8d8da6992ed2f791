package wechat

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hospay/channels"
	"hospay/flow"
	"hospay/payment"
	"hospay/refund"
)

const testMini = "wxfedcba9876543210"

// twoApps is a hospital with a mini program beside its official account.
func twoApps(base string) channels.Config {
	cfg := testConfig(base)
	cfg.Settings["mini_appid"], cfg.Secrets["mini_secret"] = testMini, "mini-secret"
	return cfg
}

func miniPayout() refund.Payout {
	p := transferPayout()
	p.Payee.Account = flow.InApp(testMini, p.Payee.Account)
	return p
}

// A transfer to an account in the mini program is sent, asked for and confirmed in
// the mini program; an answer about the other application is about another payment.
func TestApps_Transfer(t *testing.T) {
	app := testMini
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request, body []byte) {
		var got struct{ AppID, OpenID string }
		if len(body) > 0 && (json.Unmarshal(body, &got) != nil || got.AppID != testMini || got.OpenID != "oSecretOpenID0001") {
			t.Errorf("%s", body)
		}
		answer(w, 200, `{"out_bill_no":"T20260102A1","transfer_bill_no":"1330","state":"WAIT_USER_CONFIRM","package_info":"pkg==",`+
			`"transfer_amount":12345,"mch_id":"`+testMch+`","openid":"oSecretOpenID0001","appid":"`+app+`"}`)
	})
	c := newClient(t, twoApps(srv.URL))
	for _, call := range []func() refund.PayoutAnswer{
		func() refund.PayoutAnswer { return c.Pay(t.Context(), miniPayout()) },
		func() refund.PayoutAnswer { return c.Query(t.Context(), miniPayout()) },
	} {
		if a := call(); a.Verdict != flow.Done || a.Of.Differs != "" || a.Confirm.AppID != testMini {
			t.Errorf("%+v", a)
		}
	}
	for name, p := range map[string]refund.Payout{testApp: miniPayout(), testMini: transferPayout()} {
		if app = name; c.Query(t.Context(), p).Of.Differs != "应用不同" {
			t.Errorf("an answer in %s about an account in the other", name)
		}
	}
}

// A trade and a mixed order carry the payer's application, and so does what opens them.
func TestApps_Trade(t *testing.T) {
	app := testMini
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
		if r.Method == http.MethodGet {
			answer(w, 200, `{"appid":"`+app+`","mchid":"`+testMch+`","out_trade_no":"P20260102A1","trade_state":"SUCCESS","amount":{"total":2700}}`)
			return
		}
		if !strings.Contains(string(body), `"appid":"`+testMini+`"`) ||
			!strings.Contains(string(body), `"payer":{"openid":"oSecretOpenID0001"}`) {
			t.Errorf("%s", body)
		}
		answer(w, 200, `{"prepay_id":"H1"}`)
	})
	c := newClient(t, twoApps(srv.URL))
	trade := jsapiTrade()
	trade.Payer = flow.InApp(testMini, trade.Payer)
	if a := c.OpenTrade(t.Context(), trade); a.Verdict != flow.Done || a.Handle != "H1" {
		t.Fatalf("%+v", a)
	}
	forgotten := trade
	forgotten.Payer = "" // what is sealed is erased at the end
	for _, x := range []payment.Trade{trade, forgotten} {
		if a := c.QueryTrade(t.Context(), x); a.State != payment.TradePaid || a.Differs != "" {
			t.Errorf("%+v", a)
		}
	}
	if app = testApp; c.QueryTrade(t.Context(), trade).Differs != "应用不同" {
		t.Error("an answer about the official account")
	}
	trade.Handle = "H1"
	if page, err := c.TradePage(trade); err != nil || page.Values["appId"] != testMini {
		t.Errorf("%+v %v", page, err)
	}
	m := payment.Mixed{MixNo: "M1", Trade: trade}
	if page, err := c.MixedPage(m); err != nil || page.Values["appid"] != testMini {
		t.Errorf("%+v %v", page, err)
	}
}

// A callback about either application is the hospital's own.
func TestApps_Callback(t *testing.T) {
	for app, ok := range map[string]bool{testApp: true, testMini: true, "wxother": false} {
		h, body := callback(eventTransfer, strings.Replace(paid, `"state"`, `"appid":"`+app+`","state"`, 1))
		if _, err := newClient(t, twoApps("")).ParseCallback(t.Context(), h, body); (err == nil) != ok {
			t.Errorf("%s: %v", app, err)
		}
	}
}

// TestExchangeMini asks with the mini program's own id and secret.
func TestExchangeMini(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); r.URL.Path != "/sns/jscode2session" || q.Get("appid") != testMini || q.Get("secret") != "mini-secret" ||
			q.Get("js_code") != "C1" || q.Get("grant_type") != "authorization_code" {
			t.Error(r.URL)
		}
		_, _ = io.WriteString(w, `{"openid":"o2","session_key":"k","unionid":"u1"}`)
	}))
	t.Cleanup(srv.Close)
	one, cfg := testConfig(""), twoApps("")
	if _, err := newClient(t, one).ExchangeMini(t.Context(), "C1"); !errors.Is(err, channels.ErrNotSupported) {
		t.Errorf("without a mini program: %v", err)
	}
	cfg.Settings["api_host"] = srv.URL
	c := newClient(t, cfg)
	want := channels.Account{ID: testMini + ":o2", Type: refund.AccountWechatOpenID, Union: "u1"}
	if a, err := c.ExchangeMini(t.Context(), "C1"); err != nil || a != want {
		t.Errorf("%+v %v", a, err)
	}
	for app, want := range map[string]string{testApp: "o", testMini: testMini + ":o", "wxother": "", "": ""} {
		if got, ok := c.Within(app, "o"); got != want || ok != (want != "") {
			t.Errorf("%s: %q %v", app, got, ok)
		}
	}
}
