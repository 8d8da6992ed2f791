package wechat_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-pay/gopay"
	pay "github.com/go-pay/gopay/wechat/v3"

	"hospay/internal/testday"
	"hospay/sim"
	"hospay/sim/wechat"
	"hospay/sim/world"
)

func TestFaults_ExecuteOnce(t *testing.T) {
	r := setup(t)
	for i, fault := range []string{sim.TimeoutAfter, sim.Error500After, sim.HTML502After, sim.BadSignature, sim.Unsigned, sim.SignTest,
		sim.TruncatedAfter, sim.UnknownCodeAfter} {
		no := "F" + strconv.Itoa(i)
		if err := r.Faults().Plan("transfer", fault); err != nil {
			t.Fatal(err)
		}
		rsp, err := r.client.V3TransferBills(context.Background(), r.body(no, 500, "P0001"))
		if err == nil && rsp.Code == 0 {
			t.Errorf("%s: the client saw nothing", fault)
		}
		if r.state(no) != "WAIT_USER_CONFIRM" {
			t.Errorf("%s: state %s", fault, r.state(no))
		}
		if again := r.transfer(no, 500); again.Code != 0 {
			t.Errorf("%s: repeat %+v", fault, again.ErrResponse)
		}
	}
	for i, fault := range []string{sim.TimeoutBefore, sim.Error500Before, sim.UnknownCode, sim.RateLimited, sim.NotEnough,
		sim.SystemErrorBefore} {
		no := "G" + strconv.Itoa(i)
		r.Faults().Plan("transfer", fault)
		rsp, err := r.client.V3TransferBills(context.Background(), r.body(no, 500, "P0001"))
		if err == nil && rsp.Code == 0 || r.state(no) != "NOT_FOUND" {
			t.Errorf("%s: %v %+v, state %s", fault, err, rsp, r.state(no))
		}
	}
}

func TestCallbackFaultsAndResend(t *testing.T) {
	r := setup(t)
	r.statuses = []int{500, 500}
	r.Settings().Update(func(s *wechat.Settings) error { s.CallbackScale = 0.001; return nil })
	r.transfer("R1", 500)
	r.Confirm("R1")
	r.callbacks(3)
	for i, c := range []struct {
		fault string
		more  int
	}{{sim.DuplicateCallback, 2}, {sim.ForgedCallback, 2}, {sim.WrongKeyCallback, 2}, {sim.NoCallback, 0}} {
		no, before := "K"+strconv.Itoa(i), len(r.callbacks(1))
		r.Faults().Plan("callback", c.fault)
		r.transfer(no, 500)
		r.Confirm(no)
		if c.more > 0 {
			r.callbacks(before + c.more)
		}
		time.Sleep(30 * time.Millisecond)
		if n := len(r.callbacks(1)); n != before+c.more {
			t.Errorf("%s: %d callbacks, want %d", c.fault, n-before, c.more)
		}
	}
}

func TestRefund(t *testing.T) {
	r := setup(t)
	fresh, old := deposits(r.world, world.Wechat)
	ctx := context.Background()
	form := func(d *world.Deposit, no string, amount int64) gopay.BodyMap {
		return gopay.BodyMap{"out_trade_no": d.OutTradeNo, "out_refund_no": no, "notify_url": r.notify, "reason": "退预交金",
			"amount": gopay.BodyMap{"refund": amount, "total": d.Amount, "currency": "CNY"}}
	}
	rsp, err := r.client.V3Refund(ctx, form(fresh, "RF_1", 100))
	if err != nil || rsp.Response.Status != "PROCESSING" {
		t.Fatalf("%v %+v", err, rsp)
	}
	n, err := pay.V3ParseNotify(r.callbacks(1)[0])
	if err != nil {
		t.Fatal(err)
	}
	res, err := n.DecryptRefundCipherText(r.cfg.APIv3Key)
	if err != nil || res.RefundStatus != "SUCCESS" || res.OutRefundNo != "RF_1" {
		t.Fatalf("%v %+v", err, res)
	}
	q, err := r.client.V3RefundQuery(ctx, "RF_1", nil)
	if err != nil || q.Response.Status != "SUCCESS" || len(r.Ledger().Find("refund", "RF_1")) != 1 {
		t.Fatalf("%v %+v", err, q)
	}
	for name, c := range map[string]struct {
		b    gopay.BodyMap
		code string
	}{"older than a year": {form(old, "RF_2", 100), "INVALID_REQUEST"}, "more than paid": {form(fresh, "RF_3", fresh.Amount),
		"INVALID_REQUEST"},
		"too fast": {form(fresh, "RF_4", 1), "FREQUENCY_LIMITED"}, "same number": {form(fresh, "RF_1", 101), "INVALID_REQUEST"}} {
		if rsp, err := r.client.V3Refund(ctx, c.b); err != nil || rsp.ErrResponse.Code != c.code {
			t.Errorf("%s: %v %+v", name, err, rsp.ErrResponse)
		}
	}
	if err := r.Return("RF_1"); err != nil {
		t.Fatal(err)
	}
	if q, _ := r.client.V3RefundQuery(ctx, "RF_1", nil); q.Response.Status != "ABNORMAL" {
		t.Fatalf("%+v", q.Response)
	}
}

// deposits finds one refundable and one too old deposit of a channel.
func deposits(w *world.World, channel string) (fresh, old *world.Deposit) {
	for _, p := range w.Patients() {
		for _, d := range w.Card(p.Cards[0]).Deposits {
			switch {
			case d.Method != channel:
			case testday.Now().Sub(d.PaidAt) > 366*24*time.Hour:
				old = d
			default:
				fresh = d
			}
		}
	}
	return fresh, old
}

func TestOrder(t *testing.T) {
	r := setup(t)
	ctx := context.Background()
	bm := gopay.BodyMap{"appid": r.cfg.AppID, "mchid": r.cfg.MchID, "description": "门诊缴费", "out_trade_no": "ORDER001", "notify_url": r.notify,
		"amount": gopay.BodyMap{"total": 1234, "currency": "CNY"}, "payer": gopay.BodyMap{"openid": r.world.Find("P0002").Openid}}
	rsp, err := r.client.V3TransactionJsapi(ctx, bm)
	if err != nil || rsp.Code != 0 || rsp.Response.PrepayId == "" {
		t.Fatalf("%v %+v", err, rsp)
	}
	if err := r.Pay("ORDER001"); err != nil {
		t.Fatal(err)
	}
	q, err := r.client.V3TransactionQueryOrder(ctx, pay.OutTradeNo, "ORDER001")
	if err != nil || q.Response.TradeState != "SUCCESS" || q.Response.Amount.Total != 1234 {
		t.Fatalf("%v %+v", err, q)
	}
	n, err := pay.V3ParseNotify(r.callbacks(1)[0])
	if err != nil {
		t.Fatal(err)
	}
	if res, err := n.DecryptPayCipherText(r.cfg.APIv3Key); err != nil || res.TransactionId != q.Response.TransactionId {
		t.Fatalf("%v %+v", err, res)
	}
	c, err := r.client.V3TransactionCloseOrder(ctx, "ORDER001")
	if err != nil || c.Code != 403 {
		t.Fatalf("closing a paid order: %v %+v", err, c)
	}
}

func TestBillsAndReceipt(t *testing.T) {
	r := setup(t)
	ctx := context.Background()
	r.transfer("BILL1", 12345)
	r.Confirm("BILL1")
	day := r.Clock().Now().Format(time.DateOnly)
	r.Clock().Advance(36 * time.Hour)
	bill, err := r.client.V3BillFundFlowBill(ctx, gopay.BodyMap{"bill_date": day, "account_type": "OPERATION", "tar_type": "GZIP"})
	if err != nil || bill.Code != 0 {
		t.Fatalf("%v %+v", err, bill)
	}
	raw, err := r.client.V3BillDownLoadBill(ctx, bill.Response.DownloadUrl)
	if err != nil || string(raw[:2]) != "\x1f\x8b" {
		t.Fatalf("%v %q", err, raw)
	}
	plain, _ := r.client.V3BillFundFlowBill(ctx, gopay.BodyMap{"bill_date": day, "account_type": "OPERATION"})
	raw, err = r.client.V3BillDownLoadBill(ctx, plain.Response.DownloadUrl)
	if err != nil || !strings.Contains(string(raw), "`123.45,`") || !strings.Contains(string(raw), ",`BILL1\r\n") ||
		plain.Response.HashValue != bill.Response.HashValue {
		t.Fatalf("%v %s", err, raw)
	}
	if b, _ := r.client.V3BillTradeBill(ctx, gopay.BodyMap{"bill_date": day}); b.Code != 400 || b.ErrResponse.Code != "NO_STATEMENT_EXIST" {
		t.Fatalf("%+v", b)
	}
	r.Clock().Advance(6 * time.Minute)
	if _, err := r.client.V3BillDownLoadBill(ctx, plain.Response.DownloadUrl); err == nil {
		t.Fatal("the address lives 5 minutes")
	}
	if a, err := r.client.V3TransferElecsignMerchant(ctx, gopay.BodyMap{"out_bill_no": "BILL1"}); err != nil ||
		a.Response.State != "GENERATING" {
		t.Fatalf("%v %+v", err, a)
	}
	r.Clock().Advance(2 * time.Minute)
	q, err := r.client.V3TransferElecsignMerchantQuery(ctx, "BILL1")
	if err != nil || q.Response.State != "FINISHED" {
		t.Fatalf("%v %+v", err, q)
	}
	if pdf, err := r.client.V3BillDownLoadBill(ctx, q.Response.DownloadURL); err != nil || !strings.HasPrefix(string(pdf), "%PDF-1.4") {
		t.Fatalf("%v %q", err, pdf)
	}
}

func TestOpenPlatform(t *testing.T) {
	r := setup(t)
	code, _ := r.NewCode("P0003")
	get := func(path string) (v map[string]any) {
		res, err := http.Get(r.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		json.NewDecoder(res.Body).Decode(&v)
		return v
	}
	url := "/sns/oauth2/access_token?appid=" + r.cfg.AppID + "&secret=" + r.cfg.AppSecret + "&grant_type=authorization_code&code=" + code
	if v := get(url); v["openid"] != r.world.Find("P0003").Openid {
		t.Fatalf("%v", v)
	}
	if v := get(url); v["errcode"] != 40163.0 {
		t.Fatalf("a code works once: %v", v)
	}
	token := get("/cgi-bin/token?grant_type=client_credential&appid=" + r.cfg.AppID + "&secret=" + r.cfg.AppSecret)["access_token"].(string)
	body := `{"touser":"` + r.world.Find("P0003").Openid + `","template_id":"tpl","data":{"thing1":{"value":"已到账"}}}`
	res, err := http.Post(r.URL()+"/cgi-bin/message/subscribe/send?access_token="+token, "application/json", strings.NewReader(body))
	if err != nil || res.StatusCode != 200 || len(r.Messages()) != 1 {
		t.Fatalf("%v %v", err, r.Messages())
	}
	res.Body.Close()
	noFollow := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err = noFollow.Get(r.URL() + "/connect/oauth2/authorize?appid=" + r.cfg.AppID +
		"&redirect_uri=http%3A%2F%2Fh.example%2Fcb&response_type=code&scope=snsapi_base&state=st&patient=P0003")
	if err != nil || res.StatusCode != 302 || !strings.Contains(res.Header.Get("Location"), "state=st") {
		t.Fatalf("%v %+v", err, res)
	}
	res.Body.Close()
}

// The callback's ciphertext is plain AES-256-GCM: the tag follows the text.
func TestCallbackCipherByHand(t *testing.T) {
	r := setup(t)
	r.transfer("H1", 500)
	r.Expire("H1")
	var env struct {
		Resource struct{ Ciphertext, Nonce, Associated_data string }
	}
	r.callbacks(1)
	if err := json.Unmarshal(r.bodies[0], &env); err != nil {
		t.Fatal(err)
	}
	block, _ := aes.NewCipher([]byte(r.cfg.APIv3Key))
	gcm, _ := cipher.NewGCM(block)
	raw, _ := base64.StdEncoding.DecodeString(env.Resource.Ciphertext)
	plain, err := gcm.Open(nil, []byte(env.Resource.Nonce), raw, []byte(env.Resource.Associated_data))
	if err != nil || !strings.Contains(string(plain), `"fail_reason":"OVERDUE_CLOSE"`) {
		t.Fatalf("%v %s", err, plain)
	}
}

func TestTransfer_ManyAtOnceIsOne(t *testing.T) {
	r := setup(t)
	before := r.Balance("")
	b := r.body("P1", 700, "P0001")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if rsp, err := r.connectByKey().V3TransferBills(context.Background(), b); err != nil || rsp.Code != 0 {
				t.Error(err, rsp)
			}
			r.Confirm("P1")
		})
	}
	wg.Wait()
	if r.Ledger().Len() != 1 || r.Balance("") != before-700 {
		t.Fatal(r.Ledger().Entries(), before-r.Balance(""))
	}
}

// connectByKey makes a client in public key mode.
func (r *rig) connectByKey() *pay.ClientV3 {
	c := r.connect()
	if err := c.AutoVerifySignByPublicKey([]byte(r.cfg.PublicKey), r.cfg.PublicKeyID); err != nil {
		r.t.Error(err)
	}
	return c
}
