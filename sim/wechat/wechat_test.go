package wechat_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-pay/gopay"
	pay "github.com/go-pay/gopay/wechat/v3"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/notify"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"hospay/internal/testday"
	"hospay/sim"
	"hospay/sim/wechat"
	"hospay/sim/world"
)

// rig is a simulator with an independent client and a callback receiver.
type rig struct {
	*wechat.Server
	t        testing.TB
	world    *world.World
	client   *pay.ClientV3
	cfg      wechat.Config
	notify   string
	mu       sync.Mutex
	got      []*http.Request
	bodies   [][]byte
	statuses []int
}

func setup(t testing.TB) *rig {
	t.Helper()
	keys := sim.SharedKeys()
	w := world.New(1, 20, testday.Now())
	s, err := wechat.New(w, keys)
	if err != nil {
		t.Fatal(err)
	}
	s.Clock().Begin(testday.Ahead())
	if err := s.Listen("127.0.0.1", 0); err != nil {
		t.Fatal(err)
	}
	r := &rig{Server: s, t: t, world: w, cfg: s.Config()}
	hook := httptest.NewServer(http.HandlerFunc(r.receive))
	r.notify = hook.URL + "/notify"
	t.Cleanup(func() { s.Close(); hook.Close() })
	r.client = r.connect()
	if err := r.client.AutoVerifySignByPublicKey([]byte(r.cfg.PublicKey), r.cfg.PublicKeyID); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) connect() *pay.ClientV3 {
	c, err := pay.NewClientV3(r.cfg.MchID, r.cfg.MchCertSerial, r.cfg.APIv3Key, r.cfg.MchPrivateKey)
	if err != nil {
		r.t.Fatal(err)
	}
	c.SetProxyHost(r.URL())
	return c
}

func (r *rig) receive(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got, r.bodies = append(r.got, q), append(r.bodies, body)
	if n := len(r.got); n <= len(r.statuses) {
		w.WriteHeader(r.statuses[n-1])
	}
}

// callbacks waits for n callbacks.
func (r *rig) callbacks(n int) []*http.Request {
	r.t.Helper()
	for range 300 {
		r.mu.Lock()
		if len(r.got) >= n {
			defer r.mu.Unlock()
			for i := range r.got {
				r.got[i].Body = io.NopCloser(strings.NewReader(string(r.bodies[i])))
			}
			return r.got
		}
		r.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatalf("got %d callbacks, want %d", len(r.got), n)
	return nil
}

func (r *rig) body(no string, amount int64, patient string) gopay.BodyMap {
	p := r.world.Find(patient)
	name, err := r.client.V3EncryptText(p.Name)
	if err != nil {
		r.t.Fatal(err)
	}
	return gopay.BodyMap{"appid": r.cfg.AppID, "out_bill_no": no, "transfer_scene_id": "1011", "openid": p.Openid, "user_name": name,
		"transfer_amount": amount, "transfer_remark": "预交金退款", "notify_url": r.notify, "user_recv_perception": "退款",
		"transfer_scene_report_infos": []map[string]string{{"info_type": "赔付原因", "info_content": "预交金退款"}}}
}

func (r *rig) transfer(no string, amount int64) *pay.TransferBillsRsp {
	r.t.Helper()
	rsp, err := r.client.V3TransferBills(context.Background(), r.body(no, amount, "P0001"))
	if err != nil {
		r.t.Fatal(err)
	}
	return rsp
}

func (r *rig) state(no string) string {
	r.t.Helper()
	rsp, err := r.client.V3TransferBillsMerchantQuery(context.Background(), no)
	if err != nil {
		r.t.Fatal(err)
	}
	if rsp.Code != 0 {
		return rsp.ErrResponse.Code
	}
	return rsp.Response.State
}

func TestTransfer_ConfirmedByPayee(t *testing.T) {
	r := setup(t)
	before := r.Balance("")
	rsp := r.transfer("T1", 12345)
	if rsp.Code != 0 || rsp.Response.State != "WAIT_USER_CONFIRM" || rsp.Response.PackageInfo == "" {
		t.Fatalf("create: %+v %s", rsp.Response, rsp.Error)
	}
	if r.Ledger().Len() != 0 || r.Balance("") != before-12345 {
		t.Fatal("an unconfirmed bill locks money and pays nothing")
	}
	if err := r.ConfirmAs("T1", "somebody else"); err == nil {
		t.Fatal("another openid must not confirm")
	}
	if err := r.Confirm("T1"); err != nil {
		t.Fatal(err)
	}
	q, err := r.client.V3TransferBillsQuery(context.Background(), rsp.Response.TransferBillNo)
	if err != nil || q.Response.State != "SUCCESS" {
		t.Fatalf("query: %v %+v", err, q)
	}
	if name, err := r.client.V3DecryptText(q.Response.UserName); err != nil || name != r.world.Find("P0001").Name {
		t.Fatalf("user_name %q %v", name, err)
	}
	if got := r.Ledger().Find("transfer", "T1"); len(got) != 1 || got[0].Amount != 12345 {
		t.Fatalf("ledger %+v", got)
	}
	checkCallback(t, r)
}

// checkCallback verifies and decrypts the first callback with the official SDK.
func checkCallback(t *testing.T, r *rig) {
	t.Helper()
	pub, err := utils.LoadPublicKey(r.cfg.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	h, err := notify.NewRSANotifyHandler(r.cfg.APIv3Key, verifiers.NewSHA256WithRSAPubkeyVerifier(r.cfg.PublicKeyID, *pub))
	if err != nil {
		t.Fatal(err)
	}
	var content struct {
		OutBillNo string `json:"out_bill_no"`
		State     string `json:"state"`
		MchID     string `json:"mch_id"`
		Amount    int64  `json:"transfer_amount"`
	}
	n, err := h.ParseNotifyRequest(context.Background(), r.callbacks(1)[0], &content)
	if err != nil || n.EventType != "MCHTRANSFER.BILL.FINISHED" || n.Resource.OriginalType != "mch_payment" {
		t.Fatalf("callback %v %+v", err, n)
	}
	if content.OutBillNo != "T1" || content.State != "SUCCESS" || content.MchID != r.cfg.MchID || content.Amount != 12345 {
		t.Fatalf("callback content %+v", content)
	}
}

func TestTransfer_SameNumber(t *testing.T) {
	r := setup(t)
	first, again := r.transfer("T2", 500), r.transfer("T2", 500)
	if again.Code != 0 || again.Response.TransferBillNo != first.Response.TransferBillNo ||
		again.Response.PackageInfo != first.Response.PackageInfo {
		t.Fatalf("same parameters: %+v", again)
	}
	if other := r.transfer("T2", 501); other.Code != 400 || other.ErrResponse.Code != "ALREADY_EXISTS" {
		t.Fatalf("other parameters: %+v", other)
	}
	rows := r.Requests().All()
	if len(rows) != 3 || rows[0].Hash != rows[1].Hash || rows[0].Hash == rows[2].Hash {
		t.Fatalf("hashes must follow the plain text: %+v", rows)
	}
}

func TestTransfer_Refusals(t *testing.T) {
	r := setup(t)
	long := strings.Repeat("退", 33)
	for _, c := range []struct {
		name   string
		change func(gopay.BodyMap)
		status int
		code   string
	}{
		{"number with a dash", func(b gopay.BodyMap) { b["out_bill_no"] = "a-b" }, 400, "PARAM_ERROR"},
		{"long remark", func(b gopay.BodyMap) { b["transfer_remark"] = long }, 400, "PARAM_ERROR"},
		{"no report", func(b gopay.BodyMap) { b.Remove("transfer_scene_report_infos") }, 400, "PARAM_ERROR"},
		{"wrong report", func(b gopay.BodyMap) {
			b["transfer_scene_report_infos"] = []map[string]string{{"info_type": "活动名称", "info_content": "x"}}
		}, 400, "PARAM_ERROR"},
		{"perception of another scene", func(b gopay.BodyMap) { b["user_recv_perception"] = "现金奖励" }, 400, "INVALID_REQUEST"},
		{"scene not granted", func(b gopay.BodyMap) { b["transfer_scene_id"] = "1099" }, 400, "INVALID_REQUEST"},
		{"below the floor", func(b gopay.BodyMap) { b["transfer_amount"] = 9; b.Remove("user_name") }, 400, "INVALID_REQUEST"},
		{"above the limit", func(b gopay.BodyMap) { b["transfer_amount"] = 2_000_001 }, 400, "INVALID_REQUEST"},
		{"no name from 2,000 yuan", func(b gopay.BodyMap) { b["transfer_amount"] = 200_000; b.Remove("user_name") }, 400, "PARAM_ERROR"},
		{"name below 0.3 yuan", func(b gopay.BodyMap) { b["transfer_amount"] = 29 }, 400, "PARAM_ERROR"},
		{"foreign appid", func(b gopay.BodyMap) { b["appid"] = "wx0000000000000000" }, 400, "INVALID_REQUEST"},
		{"unknown openid", func(b gopay.BodyMap) { b["openid"] = "oNobody" }, 400, "INVALID_REQUEST"},
		{"notify_url with a query", func(b gopay.BodyMap) { b["notify_url"] = "https://h.example/n?a=1" }, 400, "PARAM_ERROR"},
		{"plain name", func(b gopay.BodyMap) { b["user_name"] = "林若溪" }, 400, "PARAM_ERROR"},
	} {
		b := r.body("X1", 1000, "P0001")
		c.change(b)
		rsp, err := r.client.V3TransferBills(context.Background(), b)
		if err != nil || rsp.Code != c.status || rsp.ErrResponse.Code != c.code {
			t.Errorf("%s: %v %+v", c.name, err, rsp.ErrResponse)
		}
	}
	if r.state("X1") != "NOT_FOUND" {
		t.Error("a refused number must not exist")
	}
}

func TestTransfer_NameMismatchFails(t *testing.T) {
	r := setup(t)
	rsp, err := r.client.V3TransferBills(context.Background(), r.body("N1", 1000, "P0020"))
	if err != nil || rsp.Response.State != "FAIL" || rsp.Response.FailReason != "NAME_NOT_CORRECT" {
		t.Fatalf("%v %+v", err, rsp.Response)
	}
}

func TestTransfer_NotEnoughThenTopUp(t *testing.T) {
	r := setup(t)
	r.SetBalance("", 100)
	if rsp := r.transfer("B1", 500); rsp.Code != 403 || rsp.ErrResponse.Code != "NOT_ENOUGH" {
		t.Fatalf("%+v", rsp)
	}
	r.SetBalance("", 500)
	if rsp := r.transfer("B1", 500); rsp.Code != 0 || r.Balance("") != 0 {
		t.Fatalf("same number after topping up: %+v", rsp)
	}
}

func TestTransfer_ExpireAndCancel(t *testing.T) {
	r := setup(t)
	before := r.Balance("")
	r.transfer("E1", 500)
	r.Clock().Advance(25 * time.Hour)
	q, err := r.client.V3TransferBillsMerchantQuery(context.Background(), "E1")
	if err != nil || q.Response.State != "FAIL" || q.Response.FailReason != "OVERDUE_CLOSE" {
		t.Fatalf("%v %+v", err, q.Response)
	}
	r.transfer("E2", 500)
	c, err := r.client.V3TransferBillsCancel(context.Background(), "E2")
	if err != nil || c.Response.State != "CANCELING" {
		t.Fatalf("%v %+v", err, c)
	}
	for i := 0; i < 100 && r.state("E2") != "CANCELLED"; i++ {
		time.Sleep(5 * time.Millisecond)
	}
	if r.state("E2") != "CANCELLED" || r.Balance("") != before {
		t.Fatalf("state %s, balance %d of %d", r.state("E2"), r.Balance(""), before)
	}
	r.Clock().Advance(31 * 24 * time.Hour)
	if r.state("E1") != "NOT_FOUND" {
		t.Fatal("a bill older than 30 days cannot be queried")
	}
}

func TestSignature(t *testing.T) {
	r := setup(t)
	c := r.connect()
	c.SerialNo = "00"
	if rsp, err := c.V3TransferBillsMerchantQuery(context.Background(), "X"); err != nil || rsp.Code != 401 ||
		rsp.ErrResponse.Code != "SIGN_ERROR" {
		t.Errorf("wrong serial: %v %+v", err, rsp)
	}
	stale := strconv.FormatInt(time.Now().Add(-6*time.Minute).Unix(), 10)
	if code, body := r.raw(stale, ""); code != 401 || !strings.Contains(body, "SIGN_ERROR") {
		t.Errorf("stale timestamp: %d %s", code, body)
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	if code, body := r.raw(now, "x"); code != 401 || !strings.Contains(body, "SIGN_ERROR") {
		t.Errorf("wrong signature: %d %s", code, body)
	}
	if code, body := r.raw(now, ""); code != 404 || !strings.Contains(body, "NOT_FOUND") {
		t.Errorf("right signature: %d %s", code, body)
	}
}

// raw signs a query by hand.
func (r *rig) raw(stamp, spoil string) (int, string) {
	r.t.Helper()
	path := "/v3/fund-app/mch-transfer/transfer-bills/out-bill-no/X"
	priv, err := utils.LoadPrivateKey(r.cfg.MchPrivateKey)
	if err != nil {
		r.t.Fatal(err)
	}
	sig, err := utils.SignSHA256WithRSA("GET\n"+path+"\n"+stamp+"\nabc\n"+spoil+"\n", priv)
	if err != nil {
		r.t.Fatal(err)
	}
	req, _ := http.NewRequest("GET", r.URL()+path, nil)
	req.Header.Set("Authorization", `WECHATPAY2-SHA256-RSA2048 signature="`+sig+`",mchid="`+r.cfg.MchID+`",nonce_str="abc",timestamp="`+stamp+
		`",serial_no="`+r.cfg.MchCertSerial+`"`)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

func TestCertificateMode(t *testing.T) {
	r := setup(t)
	c := r.connect() // no Wechatpay-Serial: answers are signed with the platform certificate
	if err := c.AutoVerifySignByCert([]byte(r.cfg.PlatformCert), r.cfg.PlatformCertSerial); err != nil {
		t.Fatal(err)
	}
	r.client = c
	if rsp := r.transfer("C1", 1000); rsp.Code != 0 {
		t.Fatalf("%+v", rsp)
	}
	pay.SetProxyHost(r.URL())
	certs, err := pay.GetPlatformCerts(context.Background(), r.cfg.MchID, r.cfg.APIv3Key, r.cfg.MchCertSerial, r.cfg.MchPrivateKey)
	if err != nil || len(certs.Certs) != 1 || certs.Certs[0].SerialNo != r.cfg.PlatformCertSerial || certs.Certs[0].PublicKey == "" {
		t.Fatalf("%v %+v", err, certs)
	}
	r.Settings().Update(func(s *wechat.Settings) error { s.PlatformCertificate = false; return nil })
	certs, err = pay.GetPlatformCerts(context.Background(), r.cfg.MchID, r.cfg.APIv3Key, r.cfg.MchCertSerial, r.cfg.MchPrivateKey)
	if err == nil && certs.Code == 0 {
		t.Fatal("a new merchant has no platform certificate")
	}
}
