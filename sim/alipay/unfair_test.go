package alipay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-pay/gopay"
	pay "github.com/go-pay/gopay/alipay"

	"hospay/internal/testday"
	"hospay/sim/alipay"
	"hospay/sim/world"
)

// plan sets a rule over HTTP, as a tester does.
func (r *rig) plan(rule string) {
	r.t.Helper()
	r.post("/_sim/faults", `{"plan":[`+rule+`]}`)
}

func (r *rig) post(path, body string) {
	r.t.Helper()
	res, err := http.Post(r.URL()+path, "application/json", strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(res.Body); res.StatusCode != 200 {
		r.t.Fatalf("%s %s: %d %s", path, body, res.StatusCode, text)
	}
}

// asked is what a query tells about a number, by field; "" is a refusal's code.
func asked(t *testing.T, c *pay.Client, no string) map[string]any {
	t.Helper()
	rsp, err := c.FundTransCommonQuery(context.Background(), gopay.BodyMap{"out_biz_no": no,
		"product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER"})
	if rsp == nil || rsp.Response == nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(rsp.Response)
	m := map[string]any{}
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	m[""] = rsp.Response.SubCode
	return m
}

func TestRefusals_AreForGood(t *testing.T) {
	r := setup(t)
	for fault, want := range map[string][2]string{
		"invalid_request": {"40004", "EXCEED_LIMIT_SM_AMOUNT"}, "no_auth": {"40004", "PRODUCT_NOT_SIGN"},
		"ip_not_allowed":   {"40006", "isv.illegal-client-ip"},
		"openid_other_app": {"40004", "PAYEE_IDENTITY_NOT_MATCH"}, "quota_exceeded": {"40004", "EXCEED_LIMIT_DM_AMOUNT"},
		"refuse": {"40004", "PERMIT_PAYER_FORBIDDEN"},
	} {
		no := "Q_" + fault
		r.plan(fmt.Sprintf(`{"match":"transfer","no":%q,"fault":%q,"times":-1,"code":"PERMIT_PAYER_FORBIDDEN","message":"付款方受限"}`,
			no, fault))
		for range 3 {
			rsp, err := r.cert.FundTransUniTransfer(context.Background(), r.form(no, "1.00", "P0001"))
			if rsp == nil || rsp.Response.Code != want[0] || rsp.Response.SubCode != want[1] {
				t.Errorf("%s: %v %+v", fault, err, rsp)
			}
		}
		if got := asked(t, r.cert, no)[""]; got != "ORDER_NOT_EXIST" {
			t.Errorf("%s: %s", fault, got)
		}
	}
	d := deposit(t, r.world)
	for fault, want := range map[string]string{"invalid_request": "ACQ.TRADE_NOT_ALLOW_REFUND",
		"not_enough": "ACQ.SELLER_BALANCE_NOT_ENOUGH"} {
		r.plan(fmt.Sprintf(`{"match":"refund","fault":%q}`, fault))
		rsp, err := r.cert.TradeRefund(context.Background(), gopay.BodyMap{"trade_no": d.TransactionID, "refund_amount": "1.00",
			"out_request_no": "RQ"})
		if rsp == nil || rsp.Response.SubCode != want {
			t.Errorf("%s: %v %+v", fault, err, rsp)
		}
	}
}

// deposit is a young deposit that was paid through Alipay.
func deposit(t *testing.T, w *world.World) *world.Deposit {
	t.Helper()
	for _, p := range w.Patients() {
		for _, d := range w.Card(p.Cards[0]).Deposits {
			if d.Method == world.Alipay && testday.Now().Sub(d.PaidAt) < 300*24*time.Hour {
				return d
			}
		}
	}
	t.Fatal("no deposit")
	return nil
}

func TestLateRequests_AreExecutedAfterTheirSenderGaveUp(t *testing.T) {
	r := setup(t)
	for fault, no := range map[string]string{"late_pay": "L1", "late_500": "L2"} {
		r.plan(fmt.Sprintf(`{"match":"transfer","no":%q,"fault":%q,"delay_ms":600000}`, no, fault))
		if rsp, err := r.cert.FundTransUniTransfer(context.Background(), r.form(no, "1.00", "P0001")); err == nil {
			t.Errorf("%s: %+v", fault, rsp)
		}
		if got := asked(t, r.cert, no)[""]; got != "ORDER_NOT_EXIST" {
			t.Errorf("%s: %s before its time", fault, got)
		}
		r.post("/_sim/clock", `{"advance":"10m"}`)
		if got := asked(t, r.cert, no)["status"]; got != "SUCCESS" {
			t.Errorf("%s: %s after its time", fault, got)
		}
		if rsp, err := r.cert.FundTransUniTransfer(context.Background(), r.form(no, "1.00", "P0001")); err != nil ||
			rsp.Response.Status != "SUCCESS" {
			t.Errorf("%s: repeat %v", fault, err)
		}
	}
	if n := r.Ledger().Len(); n != 2 {
		t.Error(n, "movements")
	}
}

func TestLies_InQueriesAreRightlySigned(t *testing.T) {
	r := setup(t)
	if _, err := r.cert.FundTransUniTransfer(context.Background(), r.form("A1", "5.00", "P0001")); err != nil {
		t.Fatal(err)
	}
	truth := asked(t, r.cert, "A1")
	for fault, want := range map[string][2]string{
		"lie_payee": {"receiver_user_id", r.world.Find("P0002").AlipayUserID}, "lie_no_payee": {"receiver_user_id", ""},
		"lie_number": {"out_biz_no", "OTHERA1"},
		"lie_amount": {"trans_amount", "6.00"}, "lie_no_amount": {"trans_amount", ""}, "lie_zero_amount": {"trans_amount",
			"0.00"}, "lie_bad_amount": {"trans_amount", "1,O0.5"},
	} {
		r.plan(fmt.Sprintf(`{"match":"query","fault":%q}`, fault))
		lie := asked(t, r.cert, "A1")
		for k, v := range truth {
			switch {
			case k != want[0] && fmt.Sprint(lie[k]) != fmt.Sprint(v):
				t.Errorf("%s: %s is %v, the truth is %v", fault, k, lie[k], v)
			case k == want[0] && lie[k] != nil && lie[k] != want[1]:
				t.Errorf("%s: %s is %v", fault, k, lie[k])
			}
		}
	}
}

func TestLies_InNotificationsAreRightlySigned(t *testing.T) {
	r := setup(t)
	r.post("/_sim/settings", fmt.Sprintf(`{"gateway_url":%q}`, r.notify))
	for fault, want := range map[string][2]string{
		"lie_app": {"app_id", "2021000199999999"}, "lie_payee": {"receiver_user_id", r.world.Find("P0002").AlipayUserID},
		"lie_no_payee": {"receiver_user_id", "<nil>"},
		"lie_amount":   {"trans_amount", "6.00"}, "lie_no_amount": {"trans_amount", "<nil>"}, "lie_zero_amount": {"trans_amount",
			"0.00"}, "lie_number": {"out_biz_no", "OTHERN_lie_number"},
	} {
		no, before := "N_"+fault, r.count()
		r.plan(fmt.Sprintf(`{"match":"callback","no":%q,"fault":%q}`, no, fault))
		if _, err := r.cert.FundTransUniTransfer(context.Background(), r.form(no, "5.00", "P0001")); err != nil {
			t.Fatal(err)
		}
		got := r.notices(before + 1)[before]
		bm := gopay.BodyMap{}
		for k := range got {
			bm.Set(k, got.Get(k))
		}
		if ok, err := pay.VerifySignWithCert([]byte(r.cfg.AlipayCert), bm); err != nil || !ok {
			t.Errorf("%s: %v", fault, err)
		}
		inner := map[string]any{}
		if err := json.Unmarshal([]byte(got.Get("biz_content")), &inner); err != nil {
			t.Fatal(err)
		}
		inner["app_id"] = got.Get("app_id")
		truth := map[string]string{"app_id": r.cfg.AppID, "receiver_user_id": r.world.Find("P0001").AlipayUserID,
			"trans_amount": "5.00", "out_biz_no": no}
		truth[want[0]] = want[1]
		for k, v := range truth {
			if fmt.Sprint(inner[k]) != v {
				t.Errorf("%s: %s is %v, want %s", fault, k, inner[k], v)
			}
		}
	}
}

// A paid trade and its refund name buyer, seller, application and amounts.
func TestLies_AboutTrades(t *testing.T) {
	r := setup(t)
	for fault, want := range map[string][2]string{"lie_merchant": {"seller_id", "2088999999999999"},
		"lie_amount": {"total_amount", "10.00"},
		"lie_app":    {"auth_app_id", "2021000199999999"}, "lie_payee": {"buyer_id", r.world.Find("P0001").AlipayUserID}} {
		no, before := "T_"+fault, r.count()
		r.plan(fmt.Sprintf(`{"match":"callback","no":%q,"fault":%q}`, no, fault))
		order := gopay.BodyMap{"out_trade_no": no, "total_amount": "9.00", "subject": "门诊", "buyer_id": r.world.Find("P0002").AlipayUserID}
		if _, err := r.cert.SetNotifyUrl(r.notify).TradeCreate(context.Background(), order); err != nil {
			t.Fatal(err)
		}
		r.post("/_sim/pay/"+no, "")
		got := r.notices(before + 1)[before]
		bm := gopay.BodyMap{}
		for k := range got {
			bm.Set(k, got.Get(k))
		}
		if ok, err := pay.VerifySignWithCert([]byte(r.cfg.AlipayCert), bm); err != nil || !ok {
			t.Errorf("%s: %v", fault, err)
		}
		truth := map[string]string{"seller_id": alipay.PID, "total_amount": "9.00", "auth_app_id": r.cfg.AppID,
			"buyer_id": r.world.Find("P0002").AlipayUserID}
		truth[want[0]] = want[1]
		for k, v := range truth {
			if got.Get(k) != v {
				t.Errorf("%s: %s is %s, want %s", fault, k, got.Get(k), v)
			}
		}
	}
	d := deposit(t, r.world)
	refund := gopay.BodyMap{"trade_no": d.TransactionID, "refund_amount": "1.00", "out_request_no": "RL"}
	if _, err := r.cert.TradeRefund(context.Background(), refund); err != nil {
		t.Fatal(err)
	}
	r.post("/_sim/clock", `{"advance":"1m"}`)
	for fault, want := range map[string]string{"lie_zero_amount": "0.00 RL", "lie_no_amount": " RL", "lie_number": "1.00 OTHERRL"} {
		r.plan(fmt.Sprintf(`{"match":"refund_query","fault":%q}`, fault))
		rsp, err := r.cert.TradeFastPayRefundQuery(context.Background(), refund)
		if err != nil || rsp.Response.RefundStatus != "REFUND_SUCCESS" || rsp.Response.RefundAmount+" "+rsp.Response.OutRequestNo != want {
			t.Errorf("%s: %v %+v", fault, err, rsp)
		}
	}
}

func (r *rig) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// as is a client of another merchant or application at the same simulator.
func (r *rig) as(query url.Values) (*pay.Client, alipay.Config) {
	r.t.Helper()
	res, err := http.Get(r.URL() + "/_sim/config?" + query.Encode())
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	var cfg alipay.Config
	if err := json.NewDecoder(res.Body).Decode(&cfg); err != nil || res.StatusCode != 200 {
		r.t.Fatal(res.Status, err)
	}
	c := r.connect(cfg.AppConfig)
	if err := c.SetCertSnByContent([]byte(cfg.AppCert), []byte(cfg.AlipayRootCert), []byte(cfg.AlipayCert)); err != nil {
		r.t.Fatal(err)
	}
	c.AutoVerifySign([]byte(cfg.AlipayCert))
	return c, cfg
}

func TestMerchants_KnowTheirOwnNumbersOnly(t *testing.T) {
	r := setup(t)
	two, cfg := r.as(url.Values{"merchant": {alipay.SecondPID}})
	if cfg.PID == r.cfg.PID || cfg.AppID == r.cfg.AppID {
		t.Fatalf("%+v", cfg)
	}
	before := r.Balance(alipay.SecondPID)
	first, err := r.cert.FundTransUniTransfer(context.Background(), r.form("M1", "7.00", "P0001"))
	if err != nil {
		t.Fatal(err)
	}
	if got := asked(t, two, "M1")[""]; got != "ORDER_NOT_EXIST" {
		t.Fatal("the second merchant answers", got)
	}
	second, err := two.FundTransUniTransfer(context.Background(), r.form("M1", "7.00", "P0001"))
	if err != nil || second.Response.OrderId == first.Response.OrderId {
		t.Fatal(err, second)
	}
	paid := map[string]int64{}
	for _, e := range r.Ledger().Find("transfer", "M1") {
		paid[e.Merchant] += e.Amount
		if e.Party != r.world.Find("P0001").AlipayLogon {
			t.Error(e)
		}
	}
	if paid[alipay.PID] != 700 || paid[alipay.SecondPID] != 700 || r.Balance(alipay.SecondPID) != before-700 {
		t.Error(paid)
	}
	d := deposit(t, r.world)
	rsp, err := two.TradeRefund(context.Background(), gopay.BodyMap{"trade_no": d.TransactionID, "refund_amount": "1.00",
		"out_request_no": "RM"})
	if rsp == nil || rsp.Response.SubCode != "ACQ.TRADE_NOT_EXIST" {
		t.Errorf("a deposit was paid to the first merchant only: %v", err)
	}
	r.post("/_sim/return/M1?merchant="+alipay.SecondPID, "")
	if back := r.Ledger().Find("return", "M1"); len(back) != 1 || back[0].Merchant != alipay.SecondPID {
		t.Error(back)
	}
}

// Whether a number is known to the merchant's other application is a setting.
func TestApps_KnowEachOthersNumbersBySetting(t *testing.T) {
	r := setup(t)
	other, cfg := r.as(url.Values{"app_id": {alipay.SecondAppID}})
	if cfg.PID != r.cfg.PID || cfg.AppID == r.cfg.AppID {
		t.Fatalf("%+v", cfg)
	}
	for scope, want := range map[string]int{"merchant": 1, "app": 2} {
		r.post("/_sim/settings", fmt.Sprintf(`{"number_scope":%q}`, scope))
		no := "S_" + scope
		if _, err := r.cert.FundTransUniTransfer(context.Background(), r.form(no, "3.00", "P0001")); err != nil {
			t.Fatal(err)
		}
		if got := asked(t, other, no); (got[""] == "ORDER_NOT_EXIST") != (want == 2) {
			t.Errorf("%s: %v", scope, got)
		}
		if _, err := other.FundTransUniTransfer(context.Background(), r.form(no, "3.00", "P0001")); err != nil {
			t.Fatal(err)
		}
		if n := len(r.Ledger().Find("transfer", no)); n != want {
			t.Errorf("%s: %d payments", scope, n)
		}
	}
}
