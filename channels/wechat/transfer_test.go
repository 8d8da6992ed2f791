package wechat

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"hospay/channels"
	"hospay/flow"
	"hospay/money"
	"hospay/refund"
)

func TestTransfer_SendsWhatTheSceneNeeds(t *testing.T) {
	var got map[string]any
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
		if r.Method != http.MethodPost || r.URL.Path != "/v3/fund-app/mch-transfer/transfer-bills" ||
			r.Header.Get("Wechatpay-Serial") != testKeyID {
			t.Errorf("%s %s serial %q", r.Method, r.URL, r.Header.Get("Wechatpay-Serial"))
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		answer(w, 200, `{"out_bill_no":"T20260102A1","transfer_bill_no":"1330","create_time":"2015-05-20T13:29:35.120+08:00",`+
			`"state":"WAIT_USER_CONFIRM","package_info":"pkg=="}`)
	})
	a := newClient(t, testConfig(srv.URL)).Pay(t.Context(), transferPayout())
	if name := openOAEP(t, testKeys().wechat, got["user_name"].(string)); name != "张三丰" {
		t.Errorf("name %q", name)
	}
	delete(got, "user_name")
	want := `{"appid":"wx0123456789abcdef","notify_url":"https://hospital.example/notify","openid":"oSecretOpenID0001",` +
		`"out_bill_no":"T20260102A1",` +
		`"transfer_amount":12345,"transfer_remark":"退预交金","transfer_scene_id":"1011","transfer_scene_report_infos":[{"info_content":"预交金退款",` +
		`"info_type":"赔付原因"}],"user_recv_perception":"退款"}`
	if text, _ := json.Marshal(got); string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if a.Verdict != flow.Done || a.State != refund.PayoutAwaitingPayee || a.ChannelNo != "1330" ||
		a.Confirm != (refund.Confirmation{MchID: testMch, AppID: testApp, Package: "pkg=="}) {
		t.Errorf("%+v", a)
	}
}

func TestTransfer_NameRules(t *testing.T) {
	var sent bool
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request, body []byte) {
		sent = strings.Contains(string(body), "user_name")
		answer(w, 200, `{"out_bill_no":"T20260102A1","state":"ACCEPTED"}`)
	})
	c := newClient(t, testConfig(srv.URL))
	for _, row := range []struct {
		amount  money.Fen
		name    string
		sent    bool
		verdict flow.Verdict
	}{
		{10, "张三丰", false, flow.Done},
		{29, "张三丰", false, flow.Done},
		{30, "张三丰", true, flow.Done},
		{30, "", false, flow.Done},
		{199_999, "", false, flow.Done},
		{200_000, "张三丰", true, flow.Done},
		{200_000, "", false, flow.Refused},
		{9, "张三丰", false, flow.Refused},
	} {
		sent = false
		p := transferPayout()
		p.Amount, p.Payee.Name = row.amount, row.name
		if a := c.Pay(t.Context(), p); a.Verdict != row.verdict || sent != row.sent {
			t.Errorf("%d %q: %+v, name sent %v", row.amount, row.name, a, sent)
		}
	}
}

func TestTransfer_States(t *testing.T) {
	for state, want := range map[string]refund.PayoutState{
		"ACCEPTED": refund.PayoutProcessing, "PROCESSING": refund.PayoutProcessing, "WAIT_USER_CONFIRM": refund.PayoutAwaitingPayee,
		"TRANSFERING": refund.PayoutConfirmed, "CANCELING": refund.PayoutProcessing, "SUCCESS": refund.PayoutSucceeded,
		"FAIL": refund.PayoutFailed, "CANCELLED": refund.PayoutFailed, "SOMETHING_NEW": refund.PayoutProcessing,
	} {
		srv := serve(t, func(w http.ResponseWriter, r *http.Request, _ []byte) {
			if r.URL.Path != "/v3/fund-app/mch-transfer/transfer-bills/out-bill-no/T20260102A1" {
				t.Error(r.URL)
			}
			answer(w, 200, `{"mch_id":"1900000001","out_bill_no":"T20260102A1","transfer_bill_no":"1330","appid":"wx0123456789abcdef","state":"`+
				state+
				`","transfer_amount":12345,"fail_reason":"NAME_NOT_CORRECT","update_time":"2026-01-02T03:04:05+08:00"}`)
		})
		a := newClient(t, testConfig(srv.URL)).Query(t.Context(), transferPayout())
		if a.Verdict != flow.Done || a.State != want || a.Of.Amount != 12345 || a.ChannelNo != "1330" {
			t.Errorf("%s: %+v", state, a)
		}
		if (want == refund.PayoutSucceeded) != (a.PaidAt.Unix() == 1767294245) {
			t.Errorf("%s: paid at %v", state, a.PaidAt)
		}
		if want == refund.PayoutFailed && (a.Reason.Actor != flow.ActorPatient || a.Reason.Hold || a.Reason.Code == "") {
			t.Errorf("%s: %+v", state, a.Reason)
		}
	}
}

func TestTransfer_AnotherMerchantsBillIsTold(t *testing.T) {
	for _, theirs := range []string{`"mch_id":"1900000002"`, `"mchid":"1900000002"`, `"appid":"wx0000000000000002"`} {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			answer(w, 200, `{`+theirs+`,"out_bill_no":"T20260102A1","state":"SUCCESS"}`)
		})
		if a := newClient(t, testConfig(srv.URL)).Query(t.Context(), transferPayout()); a.Of.Differs == "" || a.Of.Told {
			t.Errorf("%s: %+v", theirs, a)
		}
	}
}

func TestQuery_NotFound(t *testing.T) {
	for _, row := range []struct {
		payout refund.Payout
		status int
		code   string
		want   flow.Verdict
	}{
		{transferPayout(), 404, "NOT_FOUND", flow.Done},
		{transferPayout(), 400, "NOT_FOUND", flow.Unknown},
		{transferPayout(), 404, "RESOURCE_NOT_EXISTS", flow.Unknown},
		{transferPayout(), 404, "", flow.Unknown},
		{originalPayout(), 404, "RESOURCE_NOT_EXISTS", flow.Done},
		{originalPayout(), 404, "MCH_NOT_EXISTS", flow.Unknown},
	} {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			refuse(w, row.status, row.code, "记录不存在")
		})
		a := newClient(t, testConfig(srv.URL)).Query(t.Context(), row.payout)
		if a.Verdict != row.want || (a.State == refund.PayoutNotFound) != (row.want == flow.Done) {
			t.Errorf("%d %s: %+v", row.status, row.code, a)
		}
	}
}

func TestCancel(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/out-bill-no/T20260102A1/cancel") ||
			strings.TrimSpace(string(body)) != "{}" {
			t.Errorf("%s %s %q", r.Method, r.URL, body)
		}
		answer(w, 200, `{"out_bill_no":"T20260102A1","transfer_bill_no":"1330","state":"CANCELING","update_time":"2026-01-02T03:04:05+08:00"}`)
	})
	c := newClient(t, testConfig(srv.URL))
	if a := c.Cancel(t.Context(), transferPayout()); a.Verdict != flow.Done || a.State != refund.PayoutProcessing {
		t.Errorf("%+v", a)
	}
	if a := c.Cancel(t.Context(), originalPayout()); a.Verdict != flow.Refused || a.Reason.Code != channels.CodeNotSupported {
		t.Errorf("%+v", a)
	}
}

func TestRefund(t *testing.T) {
	var got map[string]any
	status := "PROCESSING"
	srv := serve(t, func(w http.ResponseWriter, r *http.Request, body []byte) {
		if r.Method == http.MethodPost {
			if err := json.Unmarshal(body, &got); err != nil {
				t.Error(err)
			}
		} else if r.URL.Path != "/v3/refund/domestic/refunds/R20260102A1" {
			t.Error(r.URL)
		}
		answer(w, 200, `{"refund_id":"50","out_refund_no":"R20260102A1","transaction_id":"4200000001","status":"`+status+
			`","success_time":"2026-01-02T03:04:05+08:00","amount":{"refund":500,"total":10000,"currency":"CNY"}}`)
	})
	c := newClient(t, testConfig(srv.URL))
	if a := c.Pay(t.Context(), originalPayout()); a.Verdict != flow.Done || a.State != refund.PayoutProcessing || a.Of.Amount != 500 {
		t.Errorf("%+v", a)
	}
	want := `{"amount":{"currency":"CNY","refund":500,"total":10000},"notify_url":"https://hospital.example/notify",` +
		`"out_refund_no":"R20260102A1","transaction_id":"4200000001"}`
	if text, _ := json.Marshal(got); string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	for s, want := range map[string]refund.PayoutState{"SUCCESS": refund.PayoutSucceeded, "CLOSED": refund.PayoutFailed,
		"ABNORMAL": refund.PayoutReturned, "NEW": refund.PayoutProcessing} {
		status = s
		if a := c.Query(t.Context(), originalPayout()); a.Verdict != flow.Done || a.State != want || a.ChannelNo != "50" {
			t.Errorf("%s: %+v", s, a)
		}
	}
}
