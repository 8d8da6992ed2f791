package alipay

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"hospay/channels"
	"hospay/flow"
	"hospay/money"
	"hospay/refund"
)

func TestTransfer_SendsNoEmptyMember(t *testing.T) {
	var biz string
	srv := serve(t, func(w http.ResponseWriter, form url.Values) {
		if form.Get("method") != methodTransfer {
			t.Error(form.Get("method"))
		}
		biz = form.Get("biz_content")
		answer(w, form.Get("method"), transferred)
	})
	a := newClient(t, testConfig(srv.URL)).Pay(t.Context(), transferPayout())
	want := `{"biz_scene":"DIRECT_TRANSFER","order_title":"预交金退款","out_biz_no":"T20260102A1","payee_info":{"identity":"13800138000",` +
		`"identity_type":"ALIPAY_LOGON_ID","name":"张三丰"},` +
		`"product_code":"TRANS_ACCOUNT_NO_PWD","remark":"退预交金","trans_amount":"123.45"}`
	if biz != want {
		t.Errorf("got  %s\nwant %s", biz, want)
	}
	if a.Verdict != flow.Done || a.State != refund.PayoutSucceeded || a.ChannelNo != "20260102110070000006380000250621" ||
		a.PaidAt.Unix() != 1767294245 {
		t.Errorf("%+v", a)
	}
	cfg := testConfig(srv.URL)
	cfg.Settings = map[string]string{"scene_name": "企业退款", "report_infos": `[{"info_type":"退款说明","info_content":"预交金"}]`, "show_alias": "true"}
	p := transferPayout()
	p.Payee, p.Remark, p.Amount = refund.Payee{Account: "2088", Type: refund.AccountAlipayUserID}, "", 5_000_000
	newClient(t, cfg).Pay(t.Context(), p)
	for _, part := range []string{`"transfer_scene_name":"企业退款"`, `"transfer_scene_report_infos":[{"info_type":"退款说明","info_content":"预交金"}]`,
		`"remark":"预交金退款"`, `"business_params":"{\"payer_show_name_use_alias\":\"true\"}"`,
		`"payee_info":{"identity":"2088","identity_type":"ALIPAY_USER_ID"}`, `"trans_amount":"50000.00"`} {
		if !strings.Contains(biz, part) {
			t.Errorf("%s is missing in %s", part, biz)
		}
	}
}

func TestTransfer_NameIsMandatoryWithLogonID(t *testing.T) {
	c := always(t, transferred)
	p := transferPayout()
	p.Payee.Name = ""
	if a := c.Pay(t.Context(), p); a.Verdict != flow.Refused || a.Reason.Code != channels.CodeBadPayout {
		t.Errorf("%+v", a)
	}
	p.Payee.Type = refund.AccountAlipayOpenID
	if a := c.Pay(t.Context(), p); a.Verdict != flow.Done {
		t.Errorf("%+v", a)
	}
}

func TestTransferQuery_States(t *testing.T) {
	for status, want := range map[string]refund.PayoutState{"SUCCESS": refund.PayoutSucceeded, "FAIL": refund.PayoutFailed,
		"DEALING": refund.PayoutProcessing, "REFUND": refund.PayoutReturned} {
		a := always(t, `{"code":"10000","out_biz_no":"T20260102A1","order_id":"9","status":"`+status+
			`","trans_amount":"123.45","pay_date":"2026-01-02 03:04:05","error_code":"PAYEE_NOT_EXIST","fail_reason":"收款人不存在"}`).Query(t.Context(),
			transferPayout())
		if a.Verdict != flow.Done || a.State != want || a.Of.Amount != 12345 || a.ChannelNo != "9" {
			t.Errorf("%s: %+v", status, a)
		}
		if want == refund.PayoutFailed && (a.Reason.Actor != flow.ActorPatient || a.Reason.Code != "PAYEE_NOT_EXIST" || a.Reason.Hold) {
			t.Errorf("%s: %+v", status, a.Reason)
		}
	}
	for _, body := range []string{
		`{"code":"10000","out_biz_no":"T20260102A1","status":"CLOSED"}`, `{"code":"10000","out_biz_no":"OTHER","status":"SUCCESS"}`,
		`{"code":"10000","status":"SUCCESS"}`, `{"code":"10003","out_biz_no":"T20260102A1","status":"SUCCESS"}`,
		failure("40004", "SYSTEM_ERROR"), failure("20000", "ORDER_NOT_EXIST"), failure("40004", "NO_ORDER_PERMISSION"),
		failure("40006", "isv.insufficient-isv-permissions"),
	} {
		a := always(t, body).Query(t.Context(), transferPayout())
		if a.State != "" || a.Verdict != flow.Unknown || a.Reason.Hold {
			t.Errorf("%s: %+v", body, a)
		}
	}
	if a := always(t, failure("40004", "ORDER_NOT_EXIST")).Query(t.Context(), transferPayout()); a.Verdict != flow.Done ||
		a.State != refund.PayoutNotFound {
		t.Errorf("%+v", a)
	}
	failed := always(t, `{"code":"10000","out_biz_no":"T20260102A1","status":"FAIL","error_code":"BRAND_NEW"}`).
		Query(t.Context(), transferPayout())
	if failed.State != refund.PayoutFailed || failed.Reason.Actor != flow.ActorReviewer {
		t.Errorf("%+v", failed)
	}
}

func TestRefund(t *testing.T) {
	var biz string
	say := `{"code":"10000","trade_no":"2026010222001","out_trade_no":"D1","fund_change":"Y","refund_fee":"99.00",` +
		`"gmt_refund_pay":"2026-01-02 03:04:05"}`
	srv := serve(t, func(w http.ResponseWriter, form url.Values) {
		biz = form.Get("method") + form.Get("biz_content")
		answer(w, form.Get("method"), say)
	})
	c := newClient(t, testConfig(srv.URL))
	a := c.Pay(t.Context(), originalPayout())
	if a.Verdict != flow.Done || a.State != refund.PayoutSucceeded || a.Of.Amount != 0 || a.ChannelNo != "2026010222001" {
		t.Errorf("%+v", a)
	}
	if biz != methodRefund+`{"out_request_no":"R20260102A1","refund_amount":"5.00","trade_no":"2026010222001"}` {
		t.Error(biz)
	}
	for body, want := range map[string]refund.PayoutState{
		`{"code":"10000","trade_no":"2026010222001","fund_change":"N"}`:        refund.PayoutProcessing,
		`{"code":"10000","trade_no":"2026010222001"}`:                          refund.PayoutProcessing,
		`{"code":"10000","trade_no":"OTHER","fund_change":"Y"}`:                "",
		`{"code":"40004","sub_code":"ACQ.SYSTEM_ERROR"}`:                       "",
		`{"code":"40004","sub_code":"ACQ.DISCORDANT_REPEAT_REQUEST"}`:          "",
		`{"code":"40004","sub_code":"ACQ.OVERDRAFT_ASSIGN_ACCOUNT_INVALID_X"}`: "",
	} {
		say = body
		if a := c.Pay(t.Context(), originalPayout()); a.State != want || (want == "") != (a.Verdict == flow.Unknown) {
			t.Errorf("%s: %+v", body, a)
		}
	}
}

func TestRefundQuery(t *testing.T) {
	for body, want := range map[string]refund.PayoutState{
		`{"code":"10000","trade_no":"2026010222001","out_request_no":"R20260102A1","refund_status":"REFUND_SUCCESS","refund_amount":"5.00",` +
			`"gmt_refund_pay":"2026-01-02 03:04:05"}`: refund.PayoutSucceeded,
		`{"code":"10000"}`: refund.PayoutNotFound,
		`{"code":"10000","out_request_no":"R20260102A1"}`:                                     refund.PayoutNotFound,
		`{"code":"10000","out_request_no":"R20260102A1","refund_status":"REFUND_PROCESSING"}`: refund.PayoutProcessing,
		failure("40004", "ACQ.TRADE_NOT_EXIST"):                                               refund.PayoutNotFound,
		failure("40004", "TRADE_NOT_EXIST"):                                                   refund.PayoutNotFound,
		failure("40004", "ACQ.SYSTEM_ERROR"):                                                  "",
		failure("40004", "ACQ.INVALID_PARAMETER"):                                             "",
		failure("20000", "isp.unknow-error"):                                                  "",
		`{"code":"10000","refund_status":"REFUND_SUCCESS"}`:                                   "",
		`{"code":"10000","out_request_no":"OTHER","refund_status":"REFUND_SUCCESS"}`:          "",
		`{"code":"10000","out_request_no":"R20260102A1","refund_status":"REFUND_FAIL"}`:       "",
	} {
		a := always(t, body).Query(t.Context(), originalPayout())
		if a.State != want || (want == "") != (a.Verdict == flow.Unknown) {
			t.Errorf("%s: %+v", body, a)
		}
		if want == refund.PayoutSucceeded && (a.Of.Amount != money.Fen(500) || a.PaidAt.Unix() != 1767294245) {
			t.Errorf("%+v", a)
		}
	}
	p := originalPayout()
	p.Original.ChannelNo = ""
	if biz := tradeBiz(p); biz["out_trade_no"] != "D1" || biz["trade_no"] != nil {
		t.Error(biz)
	}
}

func TestCancelIsNotSupported(t *testing.T) {
	if a := always(t, `{}`).Cancel(t.Context(), transferPayout()); a.Verdict != flow.Refused || a.Reason.Code != channels.CodeNotSupported {
		t.Errorf("%+v", a)
	}
}
