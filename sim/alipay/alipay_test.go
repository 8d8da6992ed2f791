package alipay_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-pay/gopay"
	pay "github.com/go-pay/gopay/alipay"
	"github.com/go-pay/gopay/pkg/xhttp"
	sw "github.com/smartwalle/alipay/v3"

	"hospay/internal/testday"
	"hospay/sim"
	"hospay/sim/alipay"
	"hospay/sim/world"
)

// rig is a simulator with two independent clients and a notification receiver.
type rig struct {
	*alipay.Server
	t      *testing.T
	world  *world.World
	cfg    alipay.Config
	cert   *pay.Client
	notify string
	mu     sync.Mutex
	got    []url.Values
	answer string
}

// redirect sends every request to the simulator.
type redirect struct{ host string }

func (r redirect) RoundTrip(q *http.Request) (*http.Response, error) {
	q.URL.Scheme, q.URL.Host = "http", r.host
	return http.DefaultTransport.RoundTrip(q)
}

func setup(t *testing.T) *rig {
	t.Helper()
	keys := sim.SharedKeys()
	w := world.New(1, 20, testday.Now())
	s, err := alipay.New(w, keys)
	if err != nil {
		t.Fatal(err)
	}
	s.Clock().Begin(testday.Ahead())
	if err := s.Listen("127.0.0.1", 0); err != nil {
		t.Fatal(err)
	}
	r := &rig{Server: s, t: t, world: w, cfg: s.Config(), answer: "success"}
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		q.ParseForm()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, q.PostForm)
		io.WriteString(w, r.answer)
	}))
	r.notify = hook.URL + "/notify"
	t.Cleanup(func() { s.Close(); hook.Close() })
	r.cert = r.connect(r.cfg.AppConfig)
	if err := r.cert.SetCertSnByContent([]byte(r.cfg.AppCert), []byte(r.cfg.AlipayRootCert), []byte(r.cfg.AlipayCert)); err != nil {
		t.Fatal(err)
	}
	r.cert.AutoVerifySign([]byte(r.cfg.AlipayCert))
	return r
}

func (r *rig) connect(a alipay.AppConfig) *pay.Client {
	r.t.Helper()
	c, err := pay.NewClient(a.AppID, bare(a.AppPrivateKey), true)
	if err != nil {
		r.t.Fatal(err)
	}
	c.SetLocation("Asia/Shanghai")
	c.SetHttpClient(xhttp.NewClient().SetTransport(redirect{strings.TrimPrefix(r.URL(), "http://")}))
	return c
}

// bare strips a PEM to its base64.
func bare(text string) string {
	var out []string
	for _, l := range strings.Split(text, "\n") {
		if !strings.HasPrefix(l, "-----") {
			out = append(out, l)
		}
	}
	return strings.Join(out, "")
}

func (r *rig) notices(n int) []url.Values {
	r.t.Helper()
	for range 300 {
		r.mu.Lock()
		got := append([]url.Values{}, r.got...)
		r.mu.Unlock()
		if len(got) >= n {
			return got
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatalf("want %d notifications", n)
	return nil
}

func (r *rig) form(no, amount, patient string) gopay.BodyMap {
	p := r.world.Find(patient)
	return gopay.BodyMap{"out_biz_no": no, "trans_amount": amount, "product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER",
		"order_title": "预交金退款",
		"remark":      "预交金退款", "payee_info": gopay.BodyMap{"identity": p.AlipayLogon, "identity_type": "ALIPAY_LOGON_ID", "name": p.Name}}
}

func (r *rig) query(no string) (string, string) {
	rsp, err := r.cert.FundTransCommonQuery(context.Background(), gopay.BodyMap{"out_biz_no": no, "product_code": "TRANS_ACCOUNT_NO_PWD",
		"biz_scene": "DIRECT_TRANSFER"})
	if err != nil {
		return "", err.Error()
	}
	return rsp.Response.Status, ""
}

func TestTransfer_CertificateMode(t *testing.T) {
	r := setup(t)
	ctx := context.Background()
	r.Settings().Update(func(s *alipay.Settings) error { s.GatewayURL = r.notify; return nil })
	first, err := r.cert.FundTransUniTransfer(ctx, r.form("T1", "12.34", "P0001"))
	if err != nil || first.Response.Status != "SUCCESS" {
		t.Fatalf("%v %+v", err, first)
	}
	again, err := r.cert.FundTransUniTransfer(ctx, r.form("T1", "12.34", "P0001"))
	if err != nil || again.Response.OrderId != first.Response.OrderId || len(r.Ledger().Find("transfer", "T1")) != 1 {
		t.Fatalf("%v %+v", err, again)
	}
	if _, err := r.cert.FundTransUniTransfer(ctx, r.form("T1", "12.35", "P0001")); err == nil ||
		!strings.Contains(err.Error(), "PAYMENT_INFO_INCONSISTENCY") {
		t.Fatal(err)
	}
	if status, msg := r.query("T1"); status != "SUCCESS" {
		t.Fatal(status, msg)
	}
	if _, msg := r.query("none"); !strings.Contains(msg, "ORDER_NOT_EXIST") {
		t.Fatal(msg)
	}
	checkNotice(t, r)
	if err := r.Return("T1"); err != nil {
		t.Fatal(err)
	}
	if status, msg := r.query("T1"); status != "REFUND" || len(r.Ledger().Find("return", "T1")) != 1 {
		t.Fatal(status, msg)
	}
}

// checkNotice verifies the order.changed message with the other client library.
func checkNotice(t *testing.T, r *rig) {
	t.Helper()
	n := r.notices(1)[0]
	if n.Get("msg_method") != "alipay.fund.trans.order.changed" || n.Get("version") != "1.1" ||
		!strings.Contains(n.Get("biz_content"), `"out_biz_no":"T1"`) {
		t.Fatalf("%v", n)
	}
	c, err := sw.New(r.cfg.AppID, r.cfg.AppPrivateKey, true)
	if err != nil {
		t.Fatal(err)
	}
	loadCerts(t, c, r.cfg)
	if err := c.VerifySign(n); err != nil {
		t.Fatal(err)
	}
}

func loadCerts(t *testing.T, c *sw.Client, cfg alipay.Config) {
	t.Helper()
	for _, err := range []error{c.LoadAppCertPublicKey(cfg.AppCert), c.LoadAliPayRootCert(cfg.AlipayRootCert),
		c.LoadAlipayCertPublicKey(cfg.AlipayCert)} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTransfer_Refusals(t *testing.T) {
	r := setup(t)
	r.SetBalance("", 10_000_000_00)
	payee := func(b gopay.BodyMap, key, value string) { b["payee_info"].(gopay.BodyMap)[key] = value }
	for _, c := range []struct {
		name, amount, patient, code string
		change                      func(gopay.BodyMap)
	}{
		{"another real name", "1.00", "P0019", "PAYEE_NOT_EXIST", nil},
		{"wrong name", "1.00", "P0001", "PAYEE_NOT_EXIST", func(b gopay.BodyMap) { payee(b, "name", "别人") }},
		{"no account", "1.00", "P0001", "PAYEE_NOT_EXIST", func(b gopay.BodyMap) { payee(b, "identity", "nobody@alipay.test") }},
		{"no name", "1.00", "P0001", "INVALID_PARAMETER", func(b gopay.BodyMap) { payee(b, "name", "") }},
		{"too little", "0.09", "P0001", "EXCEED_LIMIT_SM_MIN_AMOUNT", nil},
		{"too much", "50000.01", "P0001", "EXCEED_LIMIT_PERSONAL_SM_AMOUNT", nil},
		{"no remark", "50000.00", "P0001", "MEMO_REQUIRED_IN_TRANSFER_ERROR", func(b gopay.BodyMap) { b.Remove("remark") }},
		{"three decimals", "1.001", "P0001", "INVALID_PARAMETER", nil},
		{"scene name", "1.00", "P0001", "TRANSFER_SCENE_NAME_ILLEGAL", func(b gopay.BodyMap) { b["transfer_scene_name"] = "随便" }},
	} {
		b := r.form("R1", c.amount, c.patient)
		if c.change != nil {
			c.change(b)
		}
		if _, err := r.cert.FundTransUniTransfer(context.Background(), b); err == nil || !strings.Contains(err.Error(), c.code) {
			t.Errorf("%s: %v, want %s", c.name, err, c.code)
		}
	}
	r.SetBalance("", 50)
	if _, err := r.cert.FundTransUniTransfer(context.Background(), r.form("R2", "1.00", "P0001")); err == nil ||
		!strings.Contains(err.Error(), "PAYER_BALANCE_NOT_ENOUGH") {
		t.Error(err)
	}
	r.SetBalance("", 100)
	if _, err := r.cert.FundTransUniTransfer(context.Background(), r.form("R2", "1.00", "P0001")); err != nil {
		t.Error("the same number after topping up:", err)
	}
	if r.Ledger().Len() != 1 {
		t.Error(r.Ledger().Entries())
	}
}

func TestKeyMode(t *testing.T) {
	r := setup(t)
	ctx := context.Background()
	c, err := sw.New(r.cfg.KeyApp.AppID, r.cfg.KeyApp.AppPrivateKey, true, sw.WithProductionGateway(r.URL()+"/gateway.do"),
		sw.WithTimeLocation(sim.Beijing))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.LoadAliPayPublicKey(bare(r.cfg.KeyApp.AlipayPublicKey)); err != nil {
		t.Fatal(err)
	}
	p := r.world.Find("P0001")
	rsp, err := c.FundTransUniTransfer(ctx, sw.FundTransUniTransfer{OutBizNo: "K1", TransAmount: "1.00", ProductCode: "TRANS_ACCOUNT_NO_PWD",
		BizScene:   "DIRECT_TRANSFER",
		OrderTitle: "退款", PayeeInfo: &sw.PayeeInfo{Identity: p.AlipayUserID, IdentityType: "ALIPAY_USER_ID"}})
	if err != nil || rsp.SubCode != "isv.missing-app-cert-sn" {
		t.Fatalf("fund-out needs certificates: %v %+v", err, rsp)
	}
	q, err := c.TradeQuery(ctx, sw.TradeQuery{OutTradeNo: "none"})
	if err != nil || q.SubCode != "ACQ.TRADE_NOT_EXIST" {
		t.Fatalf("%v %+v", err, q)
	}
	code, _ := r.NewCode(r.cfg.KeyApp.AppID, "P0001")
	tok, err := c.SystemOauthToken(ctx, sw.SystemOauthToken{GrantType: "authorization_code", Code: code})
	if err != nil || tok.UserId != p.AlipayUserID {
		t.Fatalf("%v %+v", err, tok)
	}
	if again, err := c.SystemOauthToken(ctx, sw.SystemOauthToken{GrantType: "authorization_code", Code: code}); err == nil {
		t.Fatalf("a code works once: %+v", again)
	}
	info, err := c.UserInfoShare(ctx, sw.UserInfoShare{AuthToken: tok.AccessToken})
	if err != nil || info.UserId != p.AlipayUserID {
		t.Fatalf("%v %+v", err, info)
	}
}

func TestAES(t *testing.T) {
	r := setup(t)
	c, err := sw.New(r.cfg.AppID, r.cfg.AppPrivateKey, true, sw.WithProductionGateway(r.URL()+"/gateway.do"), sw.WithTimeLocation(sim.Beijing))
	if err != nil {
		t.Fatal(err)
	}
	loadCerts(t, c, r.cfg)
	if err := c.SetEncryptKey(r.cfg.AESKey); err != nil {
		t.Fatal(err)
	}
	p := r.world.Find("P0001")
	rsp, err := c.FundTransUniTransfer(context.Background(), sw.FundTransUniTransfer{OutBizNo: "A1", TransAmount: "1.00",
		ProductCode: "TRANS_ACCOUNT_NO_PWD",
		BizScene:    "DIRECT_TRANSFER", OrderTitle: "退款", PayeeInfo: &sw.PayeeInfo{Identity: p.AlipayUserID, IdentityType: "ALIPAY_USER_ID"}})
	if err != nil || rsp.Status != "SUCCESS" {
		t.Fatalf("%v %+v", err, rsp)
	}
}

func TestGatewayRefusals(t *testing.T) {
	r := setup(t)
	for name, c := range map[string]struct {
		change func(url.Values)
		code   string
	}{
		"wrong signature": {func(f url.Values) { f.Set("biz_content", `{"out_trade_no":"y"}`) }, "isv.invalid-signature"},
		"unknown app":     {func(f url.Values) { f.Set("app_id", "1") }, "isv.invalid-app-id"},
		"no signature":    {func(f url.Values) { f.Del("sign") }, "isv.missing-signature"},
		"old":             {func(f url.Values) { f.Set("timestamp", "2020-01-01 00:00:00") }, "isv.illegal-timestamp"},
		"no cert sn":      {func(f url.Values) { f.Del("app_cert_sn") }, "isv.missing-app-cert-sn"},
		"foreign root":    {func(f url.Values) { f.Set("alipay_root_cert_sn", "x") }, "isv.invalid-alipay-root-cert-sn"},
	} {
		c0, _ := sw.New(r.cfg.AppID, r.cfg.AppPrivateKey, true, sw.WithTimeLocation(sim.Beijing))
		loadCerts(t, c0, r.cfg)
		f, err := c0.URLValues(sw.TradeQuery{OutTradeNo: "x"})
		if err != nil {
			t.Fatal(err)
		}
		c.change(f)
		res, err := http.PostForm(r.URL()+"/gateway.do?charset=utf-8", f)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if !strings.Contains(string(body), c.code) || strings.Contains(string(body), `"sign":`) {
			t.Errorf("%s: %s", name, body)
		}
	}
}

func TestFaults_ExecuteOnce(t *testing.T) {
	r := setup(t)
	ctx := context.Background()
	for i, fault := range []string{sim.TimeoutAfter, sim.Error500After, sim.HTML502After, sim.BadSignature, sim.TruncatedAfter,
		sim.UnknownCodeAfter, sim.SystemErrorAfter} {
		no := fmt.Sprint("F", i)
		r.Faults().Plan("transfer", fault)
		if rsp, err := r.cert.FundTransUniTransfer(ctx, r.form(no, "1.00", "P0001")); err == nil {
			t.Errorf("%s: the client saw nothing: %+v", fault, rsp)
		}
		if status, msg := r.query(no); status != "SUCCESS" || len(r.Ledger().Find("transfer", no)) != 1 {
			t.Errorf("%s: %s %s", fault, status, msg)
		}
	}
	for i, fault := range []string{sim.TimeoutBefore, sim.Error500Before, sim.UnknownCode, sim.RateLimited, sim.NotEnough,
		sim.SystemErrorBefore, sim.NameMismatch} {
		no := fmt.Sprint("G", i)
		r.Faults().Plan("alipay.fund.trans.uni.transfer", fault)
		if rsp, err := r.cert.FundTransUniTransfer(ctx, r.form(no, "1.00", "P0001")); err == nil {
			t.Errorf("%s: %+v", fault, rsp)
		}
		if _, msg := r.query(no); !strings.Contains(msg, "ORDER_NOT_EXIST") {
			t.Errorf("%s: %s", fault, msg)
		}
	}
}
