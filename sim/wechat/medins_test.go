package wechat_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-pay/gopay"
	pay "github.com/go-pay/gopay/wechat/v3"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"hospay/sim"
	"hospay/sim/wechat"
	"hospay/sim/world"
)

// The other products, spoken to by a client that others wrote.
func TestOrder_NativeAndH5(t *testing.T) {
	r, ctx := setup(t), context.Background()
	bm := gopay.BodyMap{"appid": r.cfg.AppID, "mchid": r.cfg.MchID, "description": "门诊缴费", "out_trade_no": "NATIVE01", "notify_url": r.notify,
		"time_expire": r.Clock().Now().Add(10 * time.Minute).Format(time.RFC3339), "amount": gopay.BodyMap{"total": 1234, "currency": "CNY"}}
	code, err := r.client.V3TransactionNative(ctx, bm)
	if err != nil || code.Code != 0 || !strings.HasPrefix(code.Response.CodeUrl, "weixin://wxpay/") {
		t.Fatalf("%v %+v", err, code)
	}
	bm.Set("out_trade_no", "H5000001")
	if bad, err := r.client.V3TransactionH5(ctx, bm); err != nil || bad.Code == 0 {
		t.Fatalf("without the payer's address: %v %+v", err, bad)
	}
	bm.Set("scene_info", gopay.BodyMap{"payer_client_ip": "203.0.113.7", "h5_info": gopay.BodyMap{"type": "Wap"}})
	link, err := r.client.V3TransactionH5(ctx, bm)
	if err != nil || link.Code != 0 {
		t.Fatalf("%v %+v", err, link)
	}
	page := r.get(link.Response.H5Url)
	if !strings.Contains(page, "确认支付") || !strings.Contains(page, "12.34") {
		t.Error(page)
	}
	for no, kind := range map[string]string{"NATIVE01": "NATIVE", "H5000001": "MWEB"} {
		if err := r.Pay(no); err != nil {
			t.Fatal(err)
		}
		q, err := r.client.V3TransactionQueryOrder(ctx, pay.OutTradeNo, no)
		if err != nil || q.Response.TradeState != "SUCCESS" || q.Response.TradeType != kind {
			t.Errorf("%v %+v", err, q)
		}
	}
	bm.Set("out_trade_no", "NATIVE02")
	if _, err := r.client.V3TransactionNative(ctx, bm); err != nil {
		t.Fatal(err)
	}
	r.plan(`{"match":"order_close","fault":"user_paying","delay_ms":1000}`)
	if c, err := r.client.V3TransactionCloseOrder(ctx, "NATIVE02"); err != nil || c.Code != 400 {
		t.Errorf("%v %+v", err, c)
	}
	r.Clock().Advance(2 * time.Second)
	if q, _ := r.client.V3TransactionQueryOrder(ctx, pay.OutTradeNo, "NATIVE02"); q.Response.TradeState != "SUCCESS" {
		t.Errorf("%+v", q)
	}
	bm.Set("out_trade_no", "NATIVE03")
	if _, err := r.client.V3TransactionNative(ctx, bm); err != nil {
		t.Fatal(err)
	}
	r.Clock().Advance(11 * time.Minute)
	if err := r.Pay("NATIVE03"); err == nil {
		t.Error("paid after its end")
	}
}

func (r *rig) get(address string) string {
	r.t.Helper()
	res, err := http.Get(address)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return string(text)
}

// signed sends a call as the merchant signs it, by hand.
func (r *rig) signed(method, path string, body any) (status int, tail string, out map[string]any) {
	r.t.Helper()
	raw := []byte(nil)
	if body != nil {
		raw, _ = json.Marshal(body)
	}
	key, err := utils.LoadPrivateKey(r.cfg.MchPrivateKey)
	if err != nil {
		r.t.Fatal(err)
	}
	stamp := fmt.Sprint(time.Now().Unix())
	sig, err := utils.SignSHA256WithRSA(method+"\n"+path+"\n"+stamp+"\nabc\n"+string(raw)+"\n", key)
	if err != nil {
		r.t.Fatal(err)
	}
	req, _ := http.NewRequest(method, r.URL()+path, bytes.NewReader(raw))
	req.Header.Set("Authorization", `WECHATPAY2-SHA256-RSA2048 mchid="`+r.cfg.MchID+`",nonce_str="abc",timestamp="`+stamp+`",serial_no="`+
		r.cfg.MchCertSerial+`",signature="`+sig+`"`)
	req.Header.Set("Wechatpay-Serial", r.cfg.PublicKeyID)
	req.Header.Set("User-Agent", "test")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	json.Unmarshal(text, &out)
	id := res.Header.Get("Request-ID")
	return res.StatusCode, id[strings.LastIndex(id, "-")+1:], out
}

func (r *rig) sealed(p *world.Patient) map[string]string {
	sum := md5.Sum([]byte(strings.ToUpper(p.IDNo)))
	name, err1 := r.client.V3EncryptText(p.Name)
	id, err2 := r.client.V3EncryptText(hex.EncodeToString(sum[:]))
	if err1 != nil || err2 != nil {
		r.t.Fatal(err1, err2)
	}
	return map[string]string{"name": name, "id_digest": id, "card_type": "ID_CARD"}
}

// mixedBody is an order of 120 yuan of a person, with its cash trade.
func (r *rig) mixedBody(no string, p *world.Patient) map[string]any {
	r.t.Helper()
	rsp, err := r.client.V3TransactionJsapi(context.Background(), gopay.BodyMap{"appid": r.cfg.AppID, "mchid": r.cfg.MchID,
		"description":  "门诊缴费",
		"out_trade_no": no, "notify_url": r.notify, "amount": gopay.BodyMap{"total": 2700,
			"currency": "CNY"}, "payer": gopay.BodyMap{"openid": p.Openid}})
	if err != nil || rsp.Code != 0 {
		r.t.Fatalf("%v %+v", err, rsp)
	}
	return map[string]any{"mix_pay_type": "CASH_AND_INSURANCE", "order_type": "DIAG_PAY", "appid": r.cfg.AppID, "openid": p.Openid,
		"payer": r.sealed(p), "out_trade_no": no, "serial_no": "M" +
			no, "pay_order_id": "ORD1", "pay_auth_no": "AUTH1", "geo_location": "113.1,23.1",
		"city_id": wechat.City, "med_inst_name": "演示医院", "med_inst_no": "H44010000001",
		"med_ins_order_create_time": time.Now().Format(time.RFC3339),
		"total_fee":                 12000, "med_ins_gov_fee": 7000, "med_ins_self_fee": 2000, "med_ins_other_fee": 300, "med_ins_cash_fee": 2700,
		"wechat_pay_cash_fee": 2700, "callback_url": r.notify, "prepay_id": rsp.Response.PrepayId}
}

// Every rule of the order: what is missing, sums, kinds, persons, repeats.
func TestMixed_Rules(t *testing.T) {
	r := setup(t)
	me, other := r.world.Find("P0001"), r.world.Find("P0002")
	for i, row := range []struct {
		what   string
		spoil  func(map[string]any)
		status int
		code   string
		tail   string
	}{
		{"right", func(map[string]any) {}, 200, "", ""},
		{"sum", func(b map[string]any) { b["total_fee"] = 12001 }, 403, "RULE_LIMIT", "268529477"},
		{"cash by WeChat", func(b map[string]any) { b["med_ins_cash_fee"], b["total_fee"] = 2600, 11900 }, 403, "RULE_LIMIT", "268529477"},
		{"insurance only with cash", func(b map[string]any) { b["mix_pay_type"] = "INSURANCE_ONLY" }, 403, "RULE_LIMIT", "268529476"},
		{"cash only with insurance", func(b map[string]any) { b["mix_pay_type"] = "CASH_ONLY" }, 403, "RULE_LIMIT", "268529476"},
		{"no prepay_id", func(b map[string]any) { delete(b, "prepay_id") }, 403, "RULE_LIMIT", "268529476"},
		{"another prepay_id", func(b map[string]any) { b["prepay_id"] = "wx1" }, 400, "INVALID_REQUEST", "268510610"},
		{"long serial", func(b map[string]any) { b["serial_no"] = strings.Repeat("1", 21) }, 400, "PARAM_ERROR", "268435461"},
		{"no city", func(b map[string]any) { b["city_id"] = "" }, 400, "PARAM_ERROR", "268435461"},
		{"callback with a query", func(b map[string]any) { b["callback_url"] = r.notify + "?a=1" }, 400, "PARAM_ERROR", "268435461"},
		{"relative without the word", func(b map[string]any) { b["relative"] = r.sealed(other) }, 400, "PARAM_ERROR", "268435461"},
		{"somebody else", func(b map[string]any) { b["payer"] = r.sealed(other) }, 400, "INVALID_REQUEST", "268510603"},
		{"name of somebody else", func(b map[string]any) {
			p := r.sealed(me)
			p["name"] = r.sealed(other)["name"]
			b["payer"] = p
		}, 400, "INVALID_REQUEST", "268545962"},
		{"digest not sealed", func(b map[string]any) {
			p := r.sealed(me)
			p["id_digest"] = "09eb26e839ff3a2e3980352ae45ef09e"
			b["payer"] = p
		}, 400, "PARAM_ERROR", "268435456"},
	} {
		body := r.mixedBody(fmt.Sprintf("MIXED%02d", i), me)
		row.spoil(body)
		status, tail, out := r.signed("POST", "/v3/med-ins/orders", body)
		if status != row.status || row.code != "" && (out["code"] != row.code || tail != row.tail) {
			t.Errorf("%s: %d %v %s", row.what, status, out, tail)
		}
	}
	if status, tail, out := r.signed("POST", "/v3/med-ins/orders", r.withNo("MIXED00", me)); status != 400 ||
		out["code"] != "ALREADY_EXISTS" ||
		tail != "268512536" {
		t.Errorf("%d %v %s", status, out, tail)
	}
}

func (r *rig) withNo(no string, p *world.Patient) map[string]any {
	b := r.mixedBody("ANOTHER01", p)
	b["out_trade_no"] = no
	return b
}

// An order is paid, told of, and asked for by both numbers; callbacks are decrypted
// by a client that others wrote.
func TestMixed_PaidAndTold(t *testing.T) {
	r := setup(t)
	me := r.world.Find("P0001")
	if status, tail, _ := r.signed("GET", "/v3/med-ins/orders/out-trade-no/NONE01", nil); status != 404 || tail != "268529515" {
		t.Error(status, tail)
	}
	_, _, opened := r.signed("POST", "/v3/med-ins/orders", r.mixedBody("MIXPAY1", me))
	id, _ := opened["mix_trade_no"].(string)
	if opened["mix_pay_status"] != "MIX_PAY_CREATED" || id == "" {
		t.Fatal(opened)
	}
	page := r.get(r.URL() + "/_sim/pay-page?no=MIXPAY1")
	if !strings.Contains(page, "医保基金 70.00 元") || !strings.Contains(page, "27.00") {
		t.Error(page)
	}
	r.post("/_sim/pay/MIXPAY1", "", 200)
	for _, path := range []string{"out-trade-no/MIXPAY1", "mix-trade-no/" + id} {
		_, _, q := r.signed("GET", "/v3/med-ins/orders/"+path, nil)
		if q["mix_pay_status"] != "MIX_PAY_SUCCESS" || q["self_pay_status"] != "SELF_PAY_SUCCESS" ||
			q["med_ins_pay_status"] != "MED_INS_PAY_SUCCESS" {
			t.Errorf("%v", q)
		}
		if _, told := q["transaction_id"]; told {
			t.Error("the order tells no transaction_id")
		}
	}
	kinds := map[string]bool{}
	for _, c := range r.callbacks(2) {
		n, err := pay.V3ParseNotify(c)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := utils.DecryptAES256GCM(r.cfg.APIv3Key, n.Resource.AssociatedData, n.Resource.Nonce, n.Resource.Ciphertext)
		if err != nil || !strings.Contains(plain, "MIXPAY1") {
			t.Errorf("%v %s", err, plain)
		}
		kinds[n.EventType] = true
	}
	if !kinds["TRANSACTION.SUCCESS"] || !kinds["MEDICAL_INSURANCE.SUCCESS"] {
		t.Error(kinds)
	}
	if n := len(r.Ledger().Find("pay", "MIXPAY1")); n != 1 {
		t.Error(n, "movements")
	}
	notice := map[string]any{"med_refund_total_fee": 9300, "med_refund_gov_fee": 7000, "med_refund_self_fee": 2000,
		"med_refund_other_fee": 300,
		"refund_time":          time.Now().Format(time.RFC3339), "out_refund_no": "RF1"}
	for name, row := range map[string]struct {
		key    string
		value  any
		status int
		code   string
	}{"sum": {"med_refund_total_fee", 9301, 403, "RULE_LIMIT"}, "too much": {"med_refund_gov_fee", 7001, 400, "PARAM_ERROR"},
		"no time": {"refund_time", "", 400, "PARAM_ERROR"}} {
		bad := map[string]any{}
		for k, v := range notice {
			bad[k] = v
		}
		bad[row.key] = row.value
		if status, _, out := r.signed("POST", "/v3/med-ins/refunds/notify?mix_trade_no="+id, bad); status != row.status ||
			out["code"] != row.code {
			t.Errorf("%s: %d %v", name, status, out)
		}
	}
	if status, _, out := r.signed("POST", "/v3/med-ins/refunds/notify?mix_trade_no="+id, notice); status != 204 {
		t.Errorf("%d %v", status, out)
	}
	if _, _, q := r.signed("GET", "/v3/med-ins/orders/mix-trade-no/"+id, nil); q["med_ins_pay_status"] != "MED_INS_PAY_REFUND" ||
		q["mix_pay_status"] != "MIX_PAY_SUCCESS" {
		t.Errorf("the cash is still here: %v", q)
	}
}

func TestMixed_Faults(t *testing.T) {
	r := setup(t)
	me := r.world.Find("P0001")
	for i, row := range []struct{ fault, mix, self, ins string }{
		{sim.InsuranceFail, "MIX_PAY_FAIL", "SELF_PAY_SUCCESS", "MED_INS_PAY_FAIL"},
		{sim.InsuranceLate, "MIX_PAY_CREATED", "SELF_PAY_SUCCESS", "MED_INS_PAY_CREATED"},
		{sim.AutoReversed, "MIX_PAY_REVERSED", "SELF_PAY_REFUND", "MED_INS_PAY_REFUND"},
	} {
		no := fmt.Sprintf("MIXF%02d", i)
		if status, _, out := r.signed("POST", "/v3/med-ins/orders", r.mixedBody(no, me)); status != 200 {
			t.Fatal(out)
		}
		r.plan(fmt.Sprintf(`{"match":"settle","fault":%q,"delay_ms":60000}`, row.fault))
		r.post("/_sim/pay/"+no, "", 200)
		_, _, q := r.signed("GET", "/v3/med-ins/orders/out-trade-no/"+no, nil)
		if q["mix_pay_status"] != row.mix || q["self_pay_status"] != row.self || q["med_ins_pay_status"] != row.ins {
			t.Errorf("%s: %v %v %v", row.fault, q["mix_pay_status"], q["self_pay_status"], q["med_ins_pay_status"])
		}
		if row.fault != sim.InsuranceLate {
			r.post("/_sim/pay/"+no, "", 409)
		}
	}
	r.Clock().Advance(61 * time.Second)
	if _, _, q := r.signed("GET", "/v3/med-ins/orders/out-trade-no/MIXF01", nil); q["mix_pay_status"] != "MIX_PAY_SUCCESS" {
		t.Errorf("%v", q)
	}
}
