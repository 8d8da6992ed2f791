package alipay

import (
	"encoding/json"
	"strings"
	"testing"

	"hospay/channels"
	"hospay/flow"
	"hospay/payment"

	"pgregory.net/rapid"
)

// Words are read only as far as somebody has said what they mean.
func TestStatusWords(t *testing.T) {
	w := statusWords{"W": "open", "D": "paying", "S": "paid", "F": "failed", "R": "refunded"}
	const open, paying, paid, failed, back, unclear = payment.MixedOpen, payment.MixedPaying, payment.MixedPaid, payment.MixedFailed,
		payment.MixedRefunded, payment.MixedUnclear
	for words, want := range map[string]payment.MixedState{
		"W W": open,
		"W S": paying, "S W": paying, "D W": paying, "S D": paying, "S S": paid, "F S": failed, "F W": failed, "F F": failed, "F R": failed,
		"R R": back,
		"R S": unclear, "S R": unclear, "S F": unclear, "W F": unclear, "X S": unclear, "S X": unclear, "- S": unclear, "S -": unclear,
	} {
		x := strings.Fields(strings.ReplaceAll(words, "-", "\x00"))
		got, cash := w.state(strings.Trim(x[0], "\x00"), strings.Trim(x[1], "\x00"), true)
		wantCash := map[string]payment.TradeState{"W": payment.TradeOpen, "S": payment.TradePaid, "R": payment.TradeRefunded}[x[1]]
		if got != want || cash != wantCash {
			t.Errorf("%q: %s %q, want %s %q", words, got, cash, want, wantCash)
		}
	}
	for word, want := range map[string]payment.MixedState{"W": open, "D": paying, "S": paid, "F": failed, "R": back, "X": unclear} {
		if got, cash := w.state(word, "", false); got != want || cash != "" {
			t.Errorf("without cash, %s: %s %s", word, got, cash)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		if got, cash := (statusWords{}).state(a, b, rapid.Bool().Draw(t, "cash")); got != payment.MixedUnclear || cash != "" {
			t.Fatalf("%q %q: %s %s", a, b, got, cash)
		}
	})
}

func TestOpenMixed_Requests(t *testing.T) {
	m := mixedOrder()
	m.Handle, m.Back, m.ChargeBatch = "T1", "https://hospital.example/back", "B1"
	common := `"out_trade_no":"P20260102A1","med_org_ord":"M2601020001","pay_order_id":"ORD440100202601020000000001","pay_auth_no":` +
		`"AUTH44010020260102000001","org_no":"H44010000001","total_amount":"120.00","gov_amount":"70.00","account_amount":"20.00",` +
		`"other_amount":"3.00","real_amount":"27.00","gmt_out_create":"2026-01-02 03:04:05","alipay_user_id":"2088123412341234"`
	for form, row := range map[string]struct{ method, biz, answer string }{
		"national": {methodNationalOpen, `{` + common + `,"payment_city_code":"440100","merchant_name":"演示医院","gmt_expire_time":` +
			`"2026-01-02 03:34:05","call_url":"https://hospital.example/back","trade_no":"T1","extend_params":{"channel_code":"CH"}}`,
			`"result_code":"X","data":{"chnl_ord_sn":"C1","out_trade_no":"P20260102A1","med_org_ord":"M2601020001","pay_order_id":` +
				`"ORD440100202601020000000001","pay_url":"https://pay.example/1"}`},
		"platform": {methodPlatformOpen, `{` + common + `,"order_type":"INSURANCE_PAY","subject":"门诊缴费","display_mode":"normal",` +
			`"chrg_bch_no":"B1",` +
			`"gmt_time_expire":"2026-01-02 03:34:05","callback_url":"https://hospital.example/back","store_id":"S1","extend_params":` +
			`{"channel_code":"CH","medical_card_inst_id":"NATHSA"}}`,
			`"trade_no":"C1","alipay_trade_no":"T9","out_trade_no":"P20260102A1","pay_url":"https://pay.example/1"`},
	} {
		c, got := askedBy(t, map[string]string{"medins_form": form, "medins_channel": "CH", "medins_store": "S1"}, func(string) string {
			return `{"code":"10000","msg":"Success",` + row.answer + `}`
		})
		a := c.OpenMixed(t.Context(), m)
		if a.Verdict != flow.Done || a.State != payment.MixedOpen || a.MixNo != "C1" || a.URL != "https://pay.example/1" ||
			(a.ChannelNo == "T9") != (form == "platform") || got.Get("method") != row.method {
			t.Errorf("%s: %+v %s", form, a, got.Get("method"))
		}
		sameJSON(t, form, got.Get("biz_content"), row.biz)
	}
	noCash := mixedOrder()
	noCash.Fund, noCash.Cash, noCash.Amount, noCash.Handle = 9700, 0, 0, ""
	c, got := asked(t, func(string) string {
		return `{"code":"10000","result_code":"INST_DOWN","error_message":"张三丰的授权已失效"}`
	})
	if a := c.OpenMixed(t.Context(), noCash); a.Verdict != flow.Unknown || !a.Reason.Denied || strings.Contains(a.Reason.Message, "张三丰") {
		t.Errorf("%+v", a)
	}
	if strings.Contains(got.Get("biz_content"), "trade_no\":\"\"") || strings.Contains(got.Get("biz_content"), `"trade_no":"T`) {
		t.Error(got.Get("biz_content"))
	}
}

func TestQueryMixed(t *testing.T) {
	m := mixedOrder()
	m.MixNo = "C1"
	words := map[string]string{"medins_words": `{"W":"open","S":"paid","F":"failed","R":"refunded"}`}
	for name, row := range map[string]struct {
		answer string
		want   payment.MixedState
		cash   payment.TradeState
		check  func(payment.MixedAnswer) bool
	}{
		"paid": {`"result_data":{"medical_pay_status":"S","own_pay_status":"S","pay_type":"MIXED_PAYMENT","total_amount":"120.00",` +
			`"gov_amount":"70.00",` +
			`"account_amount":"20.00","real_amount":"27.00","chnl_ord_sn":"C1","trade_no":"T1","gmt_paid":"2026-01-02 03:05:06"}`,
			payment.MixedPaid, payment.TradePaid, func(a payment.MixedAnswer) bool {
				return a.Told && a.Total == 12000 && a.Fund == 7000 && a.Account == 2000 && a.Cash == 2700 && !a.PaidAt.IsZero() && a.ChannelNo == "T1"
			}},
		"a new word": {`"result_data":{"medical_pay_status":"TRADE_SUCCESS","own_pay_status":"S"}`, payment.MixedUnclear, payment.TradePaid, nil},
		"failed": {`"result_data":{"medical_pay_status":"F","own_pay_status":"S","error_reason":"张三丰待遇暂停"}`, payment.MixedFailed,
			payment.TradePaid,
			func(a payment.MixedAnswer) bool {
				return strings.Contains(a.Reason.Message, "待遇暂停") && !strings.Contains(a.Reason.Message, "张三丰")
			}},
		"no cash, though there is some": {`"result_data":{"medical_pay_status":"S","pay_type":"MEDICAL_PAYMENT"}`, payment.MixedUnclear, "",
			func(a payment.MixedAnswer) bool { return a.Differs != "" }},
		"part of it is not told": {`"result_data":{"medical_pay_status":"S","own_pay_status":"S","total_amount":"120.00","gov_amount":"70.00"}`,
			payment.MixedPaid, payment.TradePaid, func(a payment.MixedAnswer) bool { return !a.Told }},
		"another order":  {`"result_data":{"medical_pay_status":"S","own_pay_status":"S","chnl_ord_sn":"C2"}`, "", "", nil},
		"another number": {`"result_data":{"medical_pay_status":"S","own_pay_status":"S","out_trade_no":"P2"}`, "", "", nil},
		"nothing":        {`"result_code":"UNKNOWN"`, "", "", nil},
		"no such order":  {`"result_code":"ORDER_NOT_EXIST"`, payment.MixedNotFound, "", nil},
		"insurance's another": {`"result_data":{"medical_pay_status":"S","own_pay_status":"S","med_org_ord":"M9"}`, payment.MixedPaid,
			payment.TradePaid,
			func(a payment.MixedAnswer) bool { return a.Differs != "" }},
	} {
		c, got := askedBy(t, words, func(string) string { return `{"code":"10000","msg":"Success",` + row.answer + `}` })
		a := c.QueryMixed(t.Context(), m)
		if a.State != row.want || (a.Verdict == flow.Done) != (row.want != "") || a.CashPart != row.cash || row.check != nil && !row.check(a) ||
			got.Get("method") != methodNationalQuery {
			t.Errorf("%s: %+v", name, a)
		}
	}
	for sub, want := range map[string]payment.MixedState{"ORDER_NOT_EXIST": payment.MixedNotFound, "BRAND_NEW": ""} {
		c, _ := asked(t, func(string) string { return failure("40004", sub) })
		if a := c.QueryMixed(t.Context(), m); a.State != want {
			t.Errorf("%s: %+v", sub, a)
		}
	}
	if _, err := New(func() channels.Config {
		cfg := testConfig("")
		cfg.Settings["medins_words"] = `{"S":"done"}`
		return cfg
	}()); err == nil || !strings.Contains(err.Error(), "medins_words") {
		t.Error(err)
	}
}

func TestAuthorisation(t *testing.T) {
	for name, row := range map[string]struct {
		data  string
		want  flow.Verdict
		check func(payment.Authorisation) bool
	}{
		"own": {`{"auth_stas":"1","pay_auth_no":"AUTH1","insu_org":"440100","rels_pay_flag":"0"}`, flow.Done, func(a payment.Authorisation) bool {
			return a.Granted && a.PayAuthNo == "AUTH1" && a.Area == "440100" && !a.Family && a.Payer == (payment.Person{})
		}},
		"as numbers": {`{"auth_stas":1,"pay_auth_no":"AUTH1","rels_pay_flag":1,"rels_pay_user_name":"*丰"}`, flow.Done,
			func(a payment.Authorisation) bool { return a.Granted && a.Family && a.Masked && a.Payer.Name == "*丰" }},
		"not yet": {`{"auth_stas":"0","auth_url":"https://render.alipay.com/p/1"}`, flow.Done, func(a payment.Authorisation) bool {
			return !a.Granted && a.URL == "https://render.alipay.com/p/1" && a.PayAuthNo == ""
		}},
		"a number without the state": {`{"auth_stas":"0","pay_auth_no":"AUTH1"}`, flow.Unknown, nil},
		"the state without a number": {`{"auth_stas":"1","auth_url":"https://x"}`, flow.Unknown, nil},
		"nothing":                    {`{}`, flow.Unknown, nil},
		"no data":                    {`null`, flow.Unknown, nil},
	} {
		c, got := asked(t, func(string) string {
			return `{"code":"10000","msg":"Success","result_code":"R","data":` + row.data + `}`
		})
		ask := authorisationAsk()
		ask.Patient = &testPatient
		for _, a := range []payment.Authorisation{c.Authorisation(t.Context(), ask), c.Credential(t.Context(), ask, "")} {
			if a.Verdict != row.want || row.check != nil && !row.check(a) || row.want == flow.Unknown && (a.Granted || a.PayAuthNo != "") {
				t.Errorf("%s: %+v", name, a)
			}
		}
		sameJSON(t, name, got.Get("biz_content"), `{"alipay_user_id":"2088123412341234","req_biz_no":"PA1","ol_biz_type_code":"04107",`+
			`"org_code":"H44010000001","org_chnl_crtf_code":"ab/cd+ef==","org_app_id":"43AF047BBA47FC8A1AE8EFB232BDBBCB",`+
			`"call_url":"https://hospital.example/pay?x=1&y=2","extend_params":{"patient_name":"李小龙","patient_cert_type":"01",`+
			`"patient_cert_no":"440300200001011234"}}`)
	}
	c, _ := asked(t, func(string) string { t.Error("called"); return "{}" })
	ask := authorisationAsk()
	ask.AppID = ""
	if a := c.Authorisation(t.Context(), ask); a.Verdict != flow.Refused || !strings.Contains(a.Reason.Message, "医保应用编号") {
		t.Errorf("%+v", a)
	}
	ask.Terminal = payment.TerminalKiosk
	if a := c.Authorisation(t.Context(), ask); a.Reason.Code != channels.CodeNotSupported {
		t.Errorf("%+v", a)
	}
}

func TestTellCodeOrder(t *testing.T) {
	c, got := asked(t, func(string) string { return `{"code":"10000","msg":"Success"}` })
	o := channels.CodeOrder{No: "P1", Code: strings.Repeat("4", 28), Kind: payment.KindRegistration, Title: "挂号", OrgCode: "H44010000001",
		PaidAt: testBegun, Total: 5000, Fund: 3000, Account: 1500, Cash: 500, TradeNo: "T1", HISNos: []string{"A", "B"}}
	if a := c.TellCodeOrder(t.Context(), o); a.Verdict != flow.Done || a.Report != flow.ReportDone || got.Get("method") != methodSync {
		t.Errorf("%+v", a)
	}
	sameJSON(t, "sync", got.Get("biz_content"), `{"out_biz_no":"P1","qr_code":"4444444444444444444444444444",`+
		`"biz_type":"OUTPATIENT_REGISTRATION",`+
		`"medical_org_no":"H44010000001","opt_type":"SETTLE","status":"SUCCESS","fee_sumamt":"50.00","fund_pay":"30.00","psn_acct_pay":"15.00",`+
		`"own_pay_amt":"5.00","subject":"挂号","payment_city_code":"440100","gmt_paid":"2026-01-02 03:04:05","alipay_trade_no":"T1",`+
		`"alipay_amount":"5.00","biz_trace_no":["A","B"]}`)
	o.Code = ""
	if a := c.TellCodeOrder(t.Context(), o); a.Verdict != flow.Refused {
		t.Errorf("%+v", a)
	}
}

// Whatever Alipay tells of an order or an authorisation, reading it never panics,
// and never says more than the words that are known.
func FuzzMedical(f *testing.F) {
	c := newClient(f, testConfig(""))
	c.ins.words = statusWords{"S": "paid"}
	f.Add(`{"code":"10000","result_data":{"medical_pay_status":"S","own_pay_status":"S"}}`, `{"auth_stas":1,"pay_auth_no":"A"}`)
	f.Add(`{"code":"10000","medical_pay_status":"S","total_amount":"1,0"}`, `{"auth_stas":[],"auth_url":"x"}`)
	f.Fuzz(func(t *testing.T, order, auth string) {
		var r mixedAnswer
		m := mixedOrder()
		if json.Unmarshal([]byte(order), &r) == nil {
			a := c.mixedAnswer(r, m)
			if (a.Verdict == flow.Done) != (a.State != "") || a.State == payment.MixedPaid && a.CashPart != payment.TradePaid {
				t.Fatalf("%q: %+v", order, a)
			}
		}
		var o openAnswer
		if json.Unmarshal([]byte(order), &o) == nil {
			if a := c.openedAnswer(o, m); a.Verdict == flow.Done && (a.MixNo == "" || a.URL == "") {
				t.Fatalf("%q: %+v", order, a)
			}
		}
		var d authorise
		if json.Unmarshal([]byte(auth), &d) == nil {
			if a := d.authorisation(); a.Granted && a.PayAuthNo == "" || a.Verdict == flow.Done && !a.Granted && a.URL == "" {
				t.Fatalf("%q: %+v", auth, a)
			}
		}
	})
}
