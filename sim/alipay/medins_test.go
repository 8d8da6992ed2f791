package alipay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-pay/gopay"

	"hospay/sim"
)

// ask calls a method through a client that others wrote, and gives what it holds.
func (r *rig) ask(method string, biz gopay.BodyMap) map[string]any {
	r.t.Helper()
	var out map[string]json.RawMessage
	err := r.cert.PostAliPayAPISelfV2(context.Background(), gopay.BodyMap{"biz_content": biz}, method, &out)
	if err != nil {
		r.t.Fatal(err)
	}
	var inner map[string]any
	if json.Unmarshal(out[strings.ReplaceAll(method, ".", "_")+"_response"], &inner) != nil {
		r.t.Fatalf("%v", out)
	}
	return inner
}

func (r *rig) page(address string) string {
	r.t.Helper()
	res, err := http.Get(address)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return string(text)
}

// A code makes its trade when somebody scans it, and not after its end.
func TestPrecreate(t *testing.T) {
	r, ctx := setup(t), context.Background()
	form := func(no string) gopay.BodyMap {
		return gopay.BodyMap{"out_trade_no": no, "total_amount": "10.00", "subject": "门诊缴费",
			"time_expire": r.Clock().Now().Add(10 * time.Minute).Format(time.DateTime)}
	}
	for range 2 {
		if rsp, err := r.cert.TradePrecreate(ctx, form("PC1")); err != nil || rsp.Response.QrCode == "" {
			t.Fatalf("%v %+v", err, rsp)
		}
	}
	state := func(no string) string {
		out := r.ask("alipay.trade.query", gopay.BodyMap{"out_trade_no": no})
		return fmt.Sprint(out["sub_code"], out["trade_status"])
	}
	if got := state("PC1"); !strings.Contains(got, "ACQ.TRADE_NOT_EXIST") {
		t.Error(got)
	}
	r.post("/_sim/pay/PC1?patient=P0002", "")
	if got := state("PC1"); !strings.Contains(got, "TRADE_SUCCESS") {
		t.Error(got)
	}
	if e := r.Ledger().Find("pay", "PC1"); len(e) != 1 || e[0].Party != r.world.Find("P0002").AlipayUserID {
		t.Errorf("%+v", e)
	}
	if _, err := r.cert.TradePrecreate(ctx, form("PC2")); err != nil {
		t.Fatal(err)
	}
	r.Clock().Advance(11 * time.Minute)
	if err := r.Pay("PC2"); err == nil {
		t.Error("scanned after its end")
	}
}

// An order of insurance and cash, spoken to by a client that others wrote: its
// rules, its page, its states, and both ways back.
func TestMedical(t *testing.T) {
	r, ctx := setup(t), context.Background()
	me := r.world.Find("P0001")
	auth := gopay.BodyMap{"alipay_user_id": me.AlipayUserID, "req_biz_no": "A1", "ol_biz_type_code": "04107", "org_code": "H1",
		"org_chnl_crtf_code": r.cfg.MedIns.OrgCert, "org_app_id": "X", "call_url": "alipays://platformapi/startapp?appId=1"}
	data := r.ask("alipay.commerce.medical.authinfo.auth.query", auth)["data"].(map[string]any)
	where, _ := data["auth_url"].(string)
	if data["auth_stas"] != "0" || !strings.Contains(r.page(where), "同意授权") {
		t.Fatal(data)
	}
	if _, err := http.PostForm(where, map[string][]string{"for": {me.Code}}); err != nil {
		t.Fatal(err)
	}
	if data = r.ask("alipay.commerce.medical.authinfo.auth.query", auth)["data"].(map[string]any); data["auth_stas"] != "1" {
		t.Fatal(data)
	}
	trade, err := r.cert.TradeCreate(ctx, gopay.BodyMap{"out_trade_no": "MD1", "total_amount": "27.00", "subject": "门诊缴费",
		"buyer_id": me.AlipayUserID})
	if err != nil {
		t.Fatal(err)
	}
	order := gopay.BodyMap{"alipay_user_id": me.AlipayUserID, "org_no": "H1", "med_org_ord": "M1", "out_trade_no": "MD1",
		"pay_order_id": "ORD1",
		"pay_auth_no":  data["pay_auth_no"], "payment_city_code": "440100", "total_amount": "120.00",
		"gov_amount": "70.00", "account_amount": "20.00",
		"other_amount": "3.00", "real_amount": "27.00", "trade_no": trade.Response.TradeNo, "gmt_out_create": "2026-11-28 10:00:00"}
	for field, value := range map[string]string{"real_amount": "28.00", "trade_no": "T1", "gmt_out_create": "", "pay_auth_no": ""} {
		bad := gopay.BodyMap{}
		for k, v := range order {
			bad[k] = v
		}
		bad[field] = value
		if out := r.ask("alipay.commerce.medical.payment.createandpay", bad); out["code"] != "40004" {
			t.Errorf("%s: %v", field, out)
		}
	}
	opened := r.ask("alipay.commerce.medical.payment.createandpay", order)["data"].(map[string]any)
	if again := r.ask("alipay.commerce.medical.payment.createandpay",
		order)["data"].(map[string]any); again["chnl_ord_sn"] != opened["chnl_ord_sn"] {
		t.Error(again)
	}
	if text := r.page(opened["pay_url"].(string)); !strings.Contains(text, "医保基金 70.00 元") || !strings.Contains(text, "确认支付") {
		t.Error(text)
	}
	if _, err := http.PostForm(opened["pay_url"].(string), nil); err != nil {
		t.Fatal(err)
	}
	query := gopay.BodyMap{"out_trade_no": "MD1", "org_no": "H1"}
	told := r.ask("alipay.commerce.medical.payment.query", query)["result_data"].(map[string]any)
	if told["medical_pay_status"] != "SUCCESS" || told["own_pay_status"] != "SUCCESS" || told["pay_type"] != "MIXED_PAYMENT" ||
		len(r.Ledger().Find("pay", "MD1")) != 1 {
		t.Errorf("%v", told)
	}
	r.plan(`{"match":"mixed_query","fault":"odd_status","code":"PENDING"}`)
	if told := r.ask("alipay.commerce.medical.payment.query", query)["result_data"].(map[string]any); told["medical_pay_status"] != "PENDING" {
		t.Errorf("%v", told)
	}
	for asset, want := range map[string]string{`{"DESIGNATED_REFUND_ASSET":"OUTSIDE_ASSET"}`: "40004",
		`{"DESIGNATED_REFUND_ASSET":"OUTSIDE_ASSET","cancel_bill_no":"B","cancel_serial_no":"S"}`: "10000"} {
		out := r.ask("alipay.trade.refund.apply", gopay.BodyMap{"out_trade_no": "MD1", "refund_amount": "90.00", "out_request_no": "RI1",
			"extend_params": asset})
		if out["code"] != want {
			t.Errorf("%s: %v", asset, out)
		}
	}
	for range 2 {
		out := r.ask("alipay.trade.refund.apply", gopay.BodyMap{"out_trade_no": "MD1", "refund_amount": "27.00", "out_request_no": "RC1",
			"extend_params": `{"DESIGNATED_REFUND_ASSET":"INNER_ASSET"}`})
		if out["refund_status"] != "REFUND_PROCESSING" || len(r.Ledger().Find("refund", "RC1")) != 1 {
			t.Errorf("%v", out)
		}
	}
	told = r.ask("alipay.commerce.medical.payment.query", query)["result_data"].(map[string]any)
	if told["medical_pay_status"] != "REFUND" || told["own_pay_status"] != "REFUND" {
		t.Errorf("%v", told)
	}
}

// What goes wrong while an order is paid strikes the payment, never a query, and
// only when it is asked for.
func TestSettle_FaultsAreOfTheirOwn(t *testing.T) {
	f := sim.NewFaults("alipay")
	if err := f.Set(sim.Plan{Seed: 1, Rate: 1}); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if got := f.Next(sim.Call{Op: "medins_settle", Alias: "settle", No: fmt.Sprint(i)}); got.Kind != "" {
			t.Fatal(got)
		}
	}
	if err := f.Set(sim.Plan{Seed: 1, Rate: 1, With: []string{"mixed"}}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range 50 {
		seen[f.Next(sim.Call{Op: "medins_settle", Alias: "settle", No: fmt.Sprint(i)}).Kind] = true
		if got := f.Next(sim.Call{Op: "x", Alias: "order_query", No: fmt.Sprint(i)}); got.Kind == sim.InsuranceFail {
			t.Fatal(got)
		}
	}
	if len(seen) != 3 || !seen[sim.InsuranceLate] || !seen[sim.InsuranceFail] || !seen[sim.AutoReversed] {
		t.Error(seen)
	}
}
