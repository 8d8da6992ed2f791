package wechat

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"hospay/channels"
	"hospay/flow"
	"hospay/payment"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"pgregory.net/rapid"
)

// The kind is chosen by what the insurance knows.
func TestMixKind(t *testing.T) {
	order := func(change func(*payment.Mixed)) payment.Mixed {
		m := mixedOrder()
		change(&m)
		return m
	}
	for name, row := range map[string]struct {
		m    payment.Mixed
		want string
	}{
		"both":            {mixedOrder(), mixBoth},
		"all by the fund": {order(func(m *payment.Mixed) { m.Fund, m.Cash, m.Amount = 9700, 0, 0 }), mixInsurance},
		"all cash, but settled at the insurance": {order(func(m *payment.Mixed) {
			m.Fund, m.Account, m.Other, m.Cash, m.Amount = 0, 0, 0, 12000, 12000
		}), mixBoth},
		"cash reduced to nothing": {order(func(m *payment.Mixed) { m.Reduced, m.Amount = 2700, 0 }), mixInsurance},
		"never uploaded": {order(func(m *payment.Mixed) {
			m.PayOrdID, m.Fund, m.Account, m.Other, m.Cash, m.Amount = "", 0, 0, 0, 12000, 12000
		}), mixCash},
		"insurance without its order": {order(func(m *payment.Mixed) { m.PayOrdID = "" }), ""},
		"nothing to pay":              {payment.Mixed{PayOrdID: "ORD1"}, ""},
		"nothing at all":              {payment.Mixed{}, ""},
	} {
		got, err := mixKind(row.m)
		if got != row.want || (err == nil) != (row.want != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// The table of the three words, and that nothing else says that both are paid.
func TestMixState(t *testing.T) {
	const open, paying, paid, failed, back, unclear = payment.MixedOpen, payment.MixedPaying, payment.MixedPaid, payment.MixedFailed,
		payment.MixedRefunded, payment.MixedUnclear
	for words, want := range map[string]payment.MixedState{
		"CREATED CREATED CREATED": open, "CREATED NO CREATED": open, "CREATED CREATED NO": open, "CREATED SUCCESS CREATED": paying,
		"CREATED CREATED SUCCESS": paying, "CREATED SUCCESS SUCCESS": paying, "CREATED FAIL CREATED": unclear, "CREATED REFUND CREATED": unclear,
		"CREATED SUCCESS FAIL": unclear, "USER_PAYING CREATED CREATED": paying, "USER_PAYING SUCCESS CREATED": paying,
		"SUCCESS SUCCESS SUCCESS": paid, "SUCCESS NO SUCCESS": paid, "SUCCESS SUCCESS NO": paid, "SUCCESS CREATED SUCCESS": unclear,
		"SUCCESS SUCCESS CREATED": unclear, "SUCCESS REFUND SUCCESS": unclear, "SUCCESS FAIL SUCCESS": unclear, "FAIL SUCCESS FAIL": failed,
		"FAIL FAIL FAIL": failed, "FAIL CREATED FAIL": failed, "FAIL REFUND FAIL": failed, "FAIL SUCCESS SUCCESS": unclear,
		"FAIL SUCCESS CREATED": unclear, "FAIL SUCCESS NO": failed, "FAIL SUCCESS REFUND": unclear, "REVERSED REFUND REFUND": failed,
		"REVERSED SUCCESS FAIL": failed, "REVERSED SUCCESS SUCCESS": unclear, "REFUND REFUND REFUND": back, "REFUND NO REFUND": back,
		"REFUND REFUND NO": back, "REFUND REFUND SUCCESS": unclear, "REFUND SUCCESS REFUND": unclear, "UNKNOWN SUCCESS SUCCESS": unclear,
		"BRAND_NEW CREATED CREATED": unclear, "SUCCESS BRAND_NEW SUCCESS": unclear, "SUCCESS SUCCESS BRAND_NEW": unclear,
	} {
		w := strings.Fields(words)
		self, ins := "SELF_PAY_"+w[1], "MED_INS_PAY_"+w[2]
		if w[1] == "NO" {
			self = "NO_SELF_PAY"
		}
		if w[2] == "NO" {
			ins = "NO_MED_INS_PAY"
		}
		got, cash := mixState("MIX_PAY_"+w[0], self, ins)
		wantCash := map[string]payment.TradeState{"CREATED": payment.TradeOpen, "SUCCESS": payment.TradePaid,
			"REFUND": payment.TradeRefunded}[w[1]]
		if got != want || cash != wantCash {
			t.Errorf("%s: %s %s, want %s %s", words, got, cash, want, wantCash)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.String(), rapid.StringMatching(`(MIX_PAY|SELF_PAY|MED_INS_PAY)?_?(SUCCESS|SUCCES|FAIL|REFUND)`))
		mix, self, ins := word.Draw(t, "mix"), word.Draw(t, "self"), word.Draw(t, "ins")
		state, _ := mixState(mix, self, ins)
		right := mix == "MIX_PAY_SUCCESS" && (self == "SELF_PAY_SUCCESS" || self == "NO_SELF_PAY") &&
			(ins == "MED_INS_PAY_SUCCESS" || ins == "NO_MED_INS_PAY")
		if state == payment.MixedPaid && !right || state == "" {
			t.Fatalf("%q %q %q: %s", mix, self, ins, state)
		}
	})
}

// An answer about an order with other parts shows.
func TestQueryMixed_WhatIsAnothers(t *testing.T) {
	good := `{"appid":"` + testApp + `","mchid":"` + testMch + `","mix_trade_no":"MIX1","out_trade_no":"P20260102A1",` +
		`"serial_no":"M2601020001",` +
		`"mix_pay_status":"MIX_PAY_SUCCESS","self_pay_status":"SELF_PAY_SUCCESS","med_ins_pay_status":"MED_INS_PAY_SUCCESS","total_fee":12000}`
	for name, row := range map[string]struct{ from, to, differs string }{
		"right": {"x", "x", ""}, "merchant": {testMch, "1900000002", "商户号不同"}, "application": {testApp, "wxother", "应用不同"},
		"hospital's number": {"M2601020001", "M9", "医院订单号不同"}, "no cash": {"SELF_PAY_SUCCESS", "NO_SELF_PAY", "现金部分与订单不符"},
		"no insurance": {"MED_INS_PAY_SUCCESS", "NO_MED_INS_PAY", "医保部分与订单不符"},
	} {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			answer(w, 200, strings.Replace(good, row.from, row.to, 1))
		})
		if a := newClient(t, testConfig(srv.URL)).QueryMixed(t.Context(), mixedOrder()); a.Verdict != flow.Done || a.Differs != row.differs ||
			a.State != payment.MixedPaid {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// Amounts are told when all parts are that there are; nothing may be left out.
func TestQueryMixed_WhatIsTold(t *testing.T) {
	all := `"total_fee":12000,"med_ins_gov_fee":7000,"med_ins_self_fee":2000,"wechat_pay_cash_fee":2700`
	for amounts, want := range map[string]bool{all: true, `"total_fee":12000`: false, `"med_ins_gov_fee":7000`: false,
		strings.Replace(all, `"med_ins_self_fee":2000,`, "", 1): false, strings.Replace(all, "2000", "0", 1): true} {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			answer(w, 200, `{"out_trade_no":"P20260102A1","mix_pay_status":"MIX_PAY_CREATED","self_pay_status":"SELF_PAY_CREATED",`+
				`"med_ins_pay_status":"MED_INS_PAY_CREATED",`+amounts+`}`)
		})
		if a := newClient(t, testConfig(srv.URL)).QueryMixed(t.Context(), mixedOrder()); a.Verdict != flow.Done || a.Told != want {
			t.Errorf("%s: %+v", amounts, a)
		}
	}
}

// The vector of WeChat's page, and papers of 15 places.
func TestDigest(t *testing.T) {
	const want = "09eb26e839ff3a2e3980352ae45ef09e"
	if got := digest("44030019000101123x"); got != want {
		t.Error(got)
	}
	if got := digest(" 44030019000101123X "); got != want {
		t.Error(got)
	}
	if got := widened("110105491231002"); got != "11010519491231002X" { // the sample of GB 11643
		t.Error(got)
	}
	for _, as := range []string{"11010519491231002X", "H1234567", "12345678901234A", ""} {
		if got := widened(as); got != as {
			t.Errorf("%q became %q", as, got)
		}
	}
}

// What is sent is exactly this; names and papers can be read by WeChat alone.
func TestOpenMixed_Request(t *testing.T) {
	var got map[string]any
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
		got = map[string]any{}
		if r.URL.Path != mixedPath || r.Header.Get("Wechatpay-Serial") != testKeyID || json.Unmarshal(body, &got) != nil {
			t.Errorf("%s %s %s", r.URL, r.Header, body)
		}
		answer(w, 200, `{"mix_trade_no":"MIX1","out_trade_no":"P20260102A1","mix_pay_status":"MIX_PAY_CREATED",`+
			`"self_pay_status":"SELF_PAY_CREATED","med_ins_pay_status":"MED_INS_PAY_CREATED"}`)
	})
	send := func(settings map[string]string, m payment.Mixed) map[string]any {
		t.Helper()
		cfg := testConfig(srv.URL)
		for k, v := range settings {
			cfg.Settings[k] = v
		}
		if a := newClient(t, cfg).OpenMixed(t.Context(), m); a.Verdict != flow.Done || a.State != payment.MixedOpen || a.MixNo != "MIX1" {
			t.Fatalf("%+v", a)
		}
		return got
	}
	m := mixedOrder()
	m.Patient, m.Added, m.Reduced, m.DepositPart, m.Total, m.Amount = &testPatient, 500, 1200, 1000, 12500, 2000
	sent := send(nil, m)
	for _, who := range []struct {
		field  string
		person payment.Person
	}{{"payer", testPerson}, {"relative", testPatient}} {
		sealed := sent[who.field].(map[string]any)
		if openOAEP(t, testKeys().wechat, sealed["name"].(string)) != who.person.Name || sealed["card_type"] != "ID_CARD" ||
			openOAEP(t, testKeys().wechat, sealed["id_digest"].(string)) != digest(who.person.IDNo) {
			t.Errorf("%s: %v", who.field, sealed)
		}
		delete(sent, who.field)
	}
	want := `{"mix_pay_type":"CASH_AND_INSURANCE","order_type":"DIAG_PAY","appid":"` + testApp +
		`","openid":"oSecretOpenID0001","pay_for_relatives":true,` +
		`"out_trade_no":"P20260102A1","serial_no":"M2601020001","pay_order_id":"ORD440100202601020000000001",` +
		`"pay_auth_no":"AUTH44010020260102000001",` +
		`"geo_location":"113.264400,23.129100","city_id":"440108","med_inst_name":"演示医院","med_inst_no":"H44010000001",` +
		`"med_ins_order_create_time":"2026-01-02T03:04:05+08:00","total_fee":12500,"med_ins_gov_fee":7000,"med_ins_self_fee":2000,` +
		`"med_ins_other_fee":300,"med_ins_cash_fee":2700,"wechat_pay_cash_fee":2000,"cash_add_detail":[{"cash_add_fee":500,` +
		`"cash_add_type":"FREIGHT"}],` +
		`"cash_reduce_detail":[{"cash_reduce_fee":1000,"cash_reduce_type":"DEPOSIT_DEDUCTION"},{"cash_reduce_fee":200,` +
		`"cash_reduce_type":"HOSPITAL_REDUCE"}],` +
		`"callback_url":"https://hospital.example/notify","prepay_id":"wx20260102prepay","passthrough_request_content":` +
		`"{\"payAuthNo\":\"AUTH44010020260102000001\",\"payOrdId\":\"ORD440100202601020000000001\",\"setlLatlnt\":\"113.264400,23.129100\"}"}`
	var plain map[string]any
	if err := json.Unmarshal([]byte(want), &plain); err != nil {
		t.Fatal(err)
	}
	a, _ := json.Marshal(sent)
	b, _ := json.Marshal(plain)
	if string(a) != string(b) {
		t.Errorf("\n%s\n%s", a, b)
	}
	all := mixedOrder()
	all.Fund, all.Cash, all.Amount, all.Handle = 9700, 0, 0, ""
	sent = send(map[string]string{"medins_passthrough": "none", "medins_test_env": "true", "medins_channel_no": "C9"}, all)
	for _, field := range []string{"prepay_id", "wechat_pay_cash_fee", "med_ins_cash_fee", "passthrough_request_content", "relative",
		"pay_for_relatives", "cash_add_detail", "cash_reduce_detail"} {
		if v, ok := sent[field]; ok {
			t.Errorf("%s is sent: %v", field, v)
		}
	}
	if sent["mix_pay_type"] != "INSURANCE_ONLY" || sent["med_ins_test_env"] != true || sent["channel_no"] != "C9" {
		t.Errorf("%v", sent)
	}
}

func TestTellRefund_BothSpellings(t *testing.T) {
	for setting, want := range map[string]string{
		"single": `{"med_refund_gov_fee":7000,"med_refund_other_fee":300,"med_refund_self_fee":2000,"med_refund_total_fee":9300,` +
			`"out_refund_no":` +
			`"P20260102A1R01","refund_time":"2026-01-02T03:04:05+08:00"}`,
		"double": `{"med_refund__gov_fee":7000,"med_refund__other_fee":300,"med_refund__self_fee":2000,"med_refund_total_fee":9300,` +
			`"out_refund_no":` +
			`"P20260102A1R01","refund_time":"2026-01-02T03:04:05+08:00"}`,
	} {
		srv := serve(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
			if r.URL.RequestURI() != "/v3/med-ins/refunds/notify?mix_trade_no=MIX%2F1" || strings.TrimSpace(string(body)) != want {
				t.Errorf("%s\n%s\n%s", r.URL, body, want)
			}
			answer(w, 204, "")
		})
		cfg := testConfig(srv.URL)
		cfg.Settings["medins_refund_fields"] = setting
		m := payment.MixedRefund{Mixed: mixedOrder(), No: "P20260102A1R01", At: testBegun}
		m.MixNo = "MIX/1"
		if a := newClient(t, cfg).TellRefund(t.Context(), m); a.Verdict != flow.Done || a.Report != flow.ReportDone {
			t.Errorf("%+v", a)
		}
		m.Fund, m.Account, m.Other = 0, 0, 0
		if a := newClient(t, cfg).TellRefund(t.Context(), m); a.Verdict != flow.Refused {
			t.Errorf("nothing of the insurance: %+v", a)
		}
	}
}

// The certificate code is raw in the path of a mini program and escaped in a URL.
func TestAuthorisation(t *testing.T) {
	cfg := testConfig("")
	c, ask := newClient(t, cfg), authorisationAsk()
	a := c.Authorisation(t.Context(), ask)
	u, err := url.Parse(a.URL)
	if err != nil || a.Verdict != flow.Done || a.Granted || u.Scheme+"://"+u.Host+u.Path != "https://card.wecity.qq.com/oauth/code" {
		t.Fatalf("%+v, %v", a, err)
	}
	for name, want := range map[string]string{"authType": "2", "isDepart": "2", "bizType": "04107", "appid": testApp, "cityCode": "440108",
		"channel": "AAchannel", "orgChnlCrtfCodg": "ab/cd+ef==", "orgCodg": ask.OrgCode, "orgAppId": ask.AppID, "redirectUrl": ask.Back} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	ask.Terminal = payment.TerminalMini
	if a := c.Authorisation(t.Context(), ask); a.MiniAppID != "wxe183cd55df4b4369" || a.URL != "" ||
		a.MiniPath != "auth/pages/bindcard/auth/index?"+
			"openType=getAuthCode&bizType=04107&cityCode=440108&channel=AAchannel"+
			"&orgChnlCrtfCodg=ab/cd+ef==&orgCodg=H44010000001&orgAppId="+ask.AppID {
		t.Errorf("%+v", a)
	}
	ask.Terminal = payment.TerminalKiosk
	if a := c.Authorisation(t.Context(), ask); a.Verdict != flow.Refused || a.Reason.Code != channels.CodeNotSupported {
		t.Errorf("%+v", a)
	}
	cfg.Settings["medins_channel"], cfg.Settings["medins_org_cert"] = "", ""
	ask.Terminal = payment.TerminalH5
	if a := newClient(t, cfg).Authorisation(t.Context(), ask); a.Verdict != flow.Refused || a.Reason.Actor != flow.ActorIT ||
		!strings.Contains(a.Reason.Message, "医保授权渠道号") || !strings.Contains(a.Reason.Message, "渠道认证编码") {
		t.Errorf("%+v", a)
	}
}

// The HMAC is openssl's: dgst -sha256 -hmac of partner and time.
func TestPortalSignature(t *testing.T) {
	if got := portalSignature(testPartnerSecret, testPartner, "1767294245000"); got !=
		"7f953bec433bd4f05da7b8c174c42dba204e64406bca7847dd6c67506b72ef35" {
		t.Error(got)
	}
	if id := requestID(); len(id) != 32 || id[12] != '4' || id == requestID() {
		t.Error(id)
	}
}

func TestCredential(t *testing.T) {
	own := `{"code":0,"message":"ok","user_name":"张三丰","user_card_no":"44030019000101123x","pay_auth_no":"AUTH1","family_pay_auth_no":"",` +
		`"city_id":"440108","user_longitude_latitude":"{\"longitude\":\"113.300000\",\"latitude\":\"23.100000\"}"}`
	for name, row := range map[string]struct {
		status int
		body   string
		want   flow.Verdict
		check  func(payment.Authorisation) bool
	}{
		"own": {200, own, flow.Done, func(a payment.Authorisation) bool {
			return a.PayAuthNo == "AUTH1" && !a.Family && a.Payer == testPerson && a.Location == "113.300000,23.100000" &&
				a.City == "440108" && !a.Masked
		}},
		"family": {200, `{"code":"0","user_name":"张*","pay_auth_no":"","family_pay_auth_no":"AUTH2","cityId":"440108",` +
			`"userLongitudeLatitude":{"longitude":113.3,"latitude":23.1}}`, flow.Done, func(a payment.Authorisation) bool {
			return a.PayAuthNo == "AUTH2" && a.Family && a.Masked && a.Location == "113.3,23.1" && a.City == "440108"
		}},
		"both":         {200, strings.Replace(own, `"family_pay_auth_no":""`, `"family_pay_auth_no":"AUTH2"`, 1), flow.Unknown, nil},
		"neither":      {200, strings.Replace(own, "AUTH1", "", 1), flow.Unknown, nil},
		"refused":      {200, `{"code":1001,"message":"张三丰没有绑定","pay_auth_no":"AUTH1"}`, flow.Unknown, nil},
		"no code":      {200, strings.Replace(own, `"code":0,`, "", 1), flow.Unknown, nil},
		"null":         {200, `null`, flow.Unknown, nil},
		"HTTP 500":     {500, own, flow.Unknown, nil},
		"not readable": {200, `<html>`, flow.Unknown, nil},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ms, _ := strconv.ParseInt(r.Header.Get("god-portal-timestamp"), 10, 64)
			if r.URL.Path != "/api/mipuserquery/userQuery/"+testPartner || time.Since(time.UnixMilli(ms)).Abs() > time.Minute ||
				r.Header.Get("god-portal-signature") != portalSignature(testPartnerSecret, testPartner, r.Header.Get("god-portal-timestamp")) {
				t.Errorf("%s %v", r.URL, r.Header)
			}
			w.WriteHeader(row.status)
			_, _ = w.Write([]byte(row.body))
		}))
		a := newClient(t, testConfig(srv.URL)).Credential(t.Context(), authorisationAsk(), "CODE1")
		srv.Close()
		if a.Verdict != row.want || a.Granted != (row.want == flow.Done) || row.check != nil && !row.check(a) ||
			strings.Contains(a.Reason.Message, "张三丰") || row.want != flow.Done && a.PayAuthNo != "" {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// The finer codes decide where they are listed; nothing else is ever refused.
func TestCodes_FinerUnlistedIsNeverRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Z_]{1,30}`)).Draw(t, "code")
		tail := rapid.OneOf(rapid.StringMatching(`2685[0-9]{5}`), rapid.SampledFrom([]string{"", "268512536", tailPaying})).Draw(t, "tail")
		e := &core.APIError{StatusCode: rapid.IntRange(300, 599).Draw(t, "status"), Code: code, Header: http.Header{"Request-Id": {"08AB-" +
			tail}}}
		for name, codes := range map[string]channels.Codes{"trade": tradeCodes, "query": tradeQueryCodes, "close": closeCodes,
			"mixed": mixedCodes} {
			a := finer(e, codes)
			_, listed := codes[code]
			_, fine := tails[tail]
			if (!listed && !fine || e.StatusCode >= 500) && a.Verdict != flow.Unknown || a.Verdict == flow.Done ||
				fine && e.StatusCode/100 == 4 && a.Verdict != tails[tail].Verdict {
				t.Fatalf("%s %d %q %q: %+v", name, e.StatusCode, code, tail, a)
			}
		}
	})
}
