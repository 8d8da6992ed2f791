package wechat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-pay/gopay"
	pay "github.com/go-pay/gopay/wechat/v3"

	"hospay/internal/testday"
	"hospay/sim"
	"hospay/sim/wechat"
	"hospay/sim/world"
)

// plan sets a rule over HTTP, as a tester does.
func (r *rig) plan(rule string) {
	r.t.Helper()
	r.post("/_sim/faults", `{"plan":[`+rule+`]}`, 200)
}

func (r *rig) post(path, body string, want int) string {
	r.t.Helper()
	res, err := http.Post(r.URL()+path, "application/json", strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	if res.StatusCode != want {
		r.t.Fatalf("%s %s: %d %s, want %d", path, body, res.StatusCode, text, want)
	}
	return string(text)
}

// A refused number stays refused as often as it comes, in the same words, and
// nobody knows it afterwards.
func TestRefusals_AreForGood(t *testing.T) {
	r := setup(t)
	for fault, want := range map[string]struct {
		status int
		code   string
		words  string
	}{
		"invalid_request":  {400, "INVALID_REQUEST", "超过单笔转账上下限"},
		"no_auth":          {403, "NO_AUTH", "没有相关权限"},
		"ip_not_allowed":   {400, "INVALID_REQUEST", "IP地址不允许"},
		"openid_other_app": {400, "INVALID_REQUEST", "openid与商户appid不匹配"},
		"quota_exceeded":   {429, "QUOTA_EXCEED", "单日转账额度"},
		"refuse":           {403, "ACCOUNTERROR", "账户异常"},
	} {
		no := "Q" + strings.ReplaceAll(fault, "_", "")
		words := `"code":"ACCOUNTERROR","message":"账户异常","status":403`
		r.plan(fmt.Sprintf(`{"match":"transfer","no":%q,"fault":%q,"times":-1,%s}`, no, fault, words))
		for range 4 {
			rsp, err := r.client.V3TransferBills(context.Background(), r.body(no, 500, "P0001"))
			if err != nil || rsp.Code != want.status || rsp.ErrResponse.Code != want.code ||
				!strings.Contains(rsp.ErrResponse.Message, want.words) {
				t.Errorf("%s: %v %+v", fault, err, rsp)
			}
		}
		if state := r.state(no); state != "NOT_FOUND" {
			t.Errorf("%s: %s", fault, state)
		}
	}
	r.plan(`{"match":"transfer","no":"N1","fault":"no_auth","times":2}`)
	for i, want := range []int{403, 403, 0} {
		if rsp := r.transfer("N1", 500); rsp.Code != want {
			t.Errorf("send %d: %d", i, rsp.Code)
		}
	}
	r.post("/_sim/faults", `{"plan":[{"match":"transfer","fault":"refuse"}]}`, 400)
}

// A late request is executed when its sender has given up and has asked; then
// the number is known, and an equal repeat moves nothing.
func TestLateRequests_AreExecutedAfterTheirSenderGaveUp(t *testing.T) {
	r := setup(t)
	for fault, no := range map[string]string{"late_pay": "L1", "late_500": "L2"} {
		r.plan(fmt.Sprintf(`{"match":"transfer","no":%q,"fault":%q,"delay_ms":600000}`, no, fault))
		if rsp, err := r.client.V3TransferBills(context.Background(), r.body(no, 500, "P0001")); err == nil && rsp.Code != 500 {
			t.Errorf("%s: %+v", fault, rsp)
		}
		if state := r.state(no); state != "NOT_FOUND" {
			t.Errorf("%s: %s before its time", fault, state)
		}
		r.post("/_sim/clock", `{"advance":"10m"}`, 200)
		if state := r.state(no); state != "WAIT_USER_CONFIRM" {
			t.Errorf("%s: %s after its time", fault, state)
		}
		if again := r.transfer(no, 500); again.Code != 0 || again.Response.PackageInfo == "" {
			t.Errorf("%s: repeat %+v", fault, again)
		}
		r.post("/_sim/confirm/"+no, "", 200)
	}
	if n := len(r.Ledger().Entries()); n != 2 {
		t.Error(n, "movements")
	}
}

// The answer with the package is lost: a query never tells it, only the equal
// request does, and only that package opens the payee's page.
func TestLostPackage_IsToldToTheEqualRequestOnly(t *testing.T) {
	r := setup(t)
	r.plan(`{"match":"transfer","no":"K1","fault":"lost_package"}`)
	if rsp, err := r.client.V3TransferBills(context.Background(), r.body("K1", 500, "P0001")); err == nil {
		t.Fatalf("%+v", rsp)
	}
	r.plan(`{"match":"transfer","no":"K2","fault":"accepted_first"}`)
	if rsp := r.transfer("K2", 500); rsp.Code != 0 || rsp.Response.State != "ACCEPTED" || rsp.Response.PackageInfo != "" {
		t.Fatalf("%+v", rsp.Response)
	}
	for _, no := range []string{"K1", "K2"} {
		if state := r.state(no); state != "WAIT_USER_CONFIRM" {
			t.Errorf("%s: %s", no, state)
		}
		if raw := r.told(no); strings.Contains(raw, "package") {
			t.Error(raw)
		}
		r.post("/_sim/confirm/"+no, `{"package":""}`, 409)
		r.post("/_sim/confirm/"+no, `{"openid":""}`, 409)
		r.post("/_sim/confirm/"+no, `{"package":"guessed"}`, 409)
		other := r.body(no, 501, "P0001")
		if rsp, err := r.client.V3TransferBills(context.Background(), other); err != nil || rsp.Code != 400 {
			t.Errorf("%s: other content: %v %+v", no, err, rsp)
		}
		rsp := r.transfer(no, 500)
		if rsp.Code != 0 || rsp.Response.PackageInfo == "" {
			t.Fatalf("%s: %+v", no, rsp)
		}
		shown := func(app, mch string) string {
			return fmt.Sprintf(`{"package":%q,"app_id":%q,"mch_id":%q}`, rsp.Response.PackageInfo, app, mch)
		}
		r.post("/_sim/confirm/X"+no, shown("", ""), 409)
		r.post("/_sim/confirm/"+no, shown("wxother", ""), 409)
		r.post("/_sim/confirm/"+no, shown("", wechat.SecondMchID), 409)
		r.post("/_sim/confirm/"+no, shown(r.cfg.AppID, r.cfg.MchID), 200)
		if state := r.state(no); state != "SUCCESS" {
			t.Errorf("%s: %s", no, state)
		}
	}
}

// Who says nothing confirms by the number alone, whatever the body looks like.
func TestConfirm_PlainFormStays(t *testing.T) {
	r := setup(t)
	for no, body := range map[string]string{"P1": "", "P2": "null", "P3": "{}\n"} {
		r.transfer(no, 500)
		r.post("/_sim/confirm/"+no, body, 200)
		if state := r.state(no); state != "SUCCESS" {
			t.Errorf("%q: %s", body, state)
		}
	}
}

// A package that was replaced opens nothing any more.
func TestPackage_TheNewestCounts(t *testing.T) {
	r := setup(t)
	r.post("/_sim/settings", `{"same_package":false}`, 200)
	first, second := r.transfer("K3", 500).Response.PackageInfo, r.transfer("K3", 500).Response.PackageInfo
	r.post("/_sim/confirm/K3", fmt.Sprintf(`{"package":%q}`, first), 409)
	r.post("/_sim/confirm/K3", fmt.Sprintf(`{"package":%q}`, second), 200)
}

// told is the verified text of a query.
func (r *rig) told(no string) string {
	r.t.Helper()
	rsp, err := r.client.V3TransferBillsMerchantQuery(context.Background(), no)
	if err != nil || rsp.Code != 0 {
		r.t.Fatal(err, rsp)
	}
	rsp.Response.UserName = "" // it is encrypted anew each time
	return string(sim.JSON(rsp.Response))
}

var transferLies = map[string]string{
	"lie_payee": "openid", "lie_no_payee": "openid", "lie_app": "appid", "lie_merchant": "mch_id", "lie_number": "out_bill_no",
	"lie_amount":    "transfer_amount",
	"lie_no_amount": "transfer_amount", "lie_zero_amount": "transfer_amount",
}

// A lie is rightly signed: the client finds nothing wrong with it, and just the
// one thing differs from the truth.
func TestLies_InQueriesAreRightlySigned(t *testing.T) {
	r := setup(t)
	r.transfer("A1", 500)
	r.post("/_sim/confirm/A1", "", 200)
	truth := fields(t, r.told("A1"))
	for fault, field := range transferLies {
		r.plan(fmt.Sprintf(`{"match":"query","fault":%q}`, fault))
		lie := fields(t, r.told("A1"))
		for k, v := range truth {
			if (fmt.Sprint(lie[k]) == fmt.Sprint(v)) == (k == field) {
				t.Errorf("%s: %s is %v, the truth is %v", fault, k, lie[k], v)
			}
		}
	}
	r.plan(`{"match":"query","fault":"lie_bad_amount"}`) // no number at all: this client cannot even read it
	if rsp, err := r.client.V3TransferBillsMerchantQuery(context.Background(), "A1"); err == nil {
		t.Errorf("%+v", rsp)
	}
	if after := fields(t, r.told("A1")); fmt.Sprint(after) != fmt.Sprint(truth) {
		t.Error("a lie is told once")
	}
}

func fields(t testing.TB, text string) map[string]any {
	t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLies_InCallbacksAreRightlySigned(t *testing.T) {
	r := setup(t)
	for fault, field := range transferLies {
		if fault == "lie_app" { // the callback of a transfer names none
			continue
		}
		no := "C" + strings.ReplaceAll(fault, "_", "")
		r.plan(fmt.Sprintf(`{"match":"callback","no":%q,"fault":%q}`, no, fault))
		r.transfer(no, 500)
		before := r.count()
		r.post("/_sim/confirm/"+no, "", 200)
		got := r.opened(before)
		want := map[string]any{"out_bill_no": no, "mch_id": r.cfg.MchID, "transfer_amount": 500,
			"openid": r.world.Find("P0001").Openid, "state": "SUCCESS"}
		for k, v := range want {
			if (fmt.Sprint(got[k]) == fmt.Sprint(v)) == (k == field) {
				t.Errorf("%s: %s is %v, the truth is %v", fault, k, got[k], v)
			}
		}
	}
}

func (r *rig) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// opened verifies and decrypts the callback after the n-th.
func (r *rig) opened(n int) map[string]any {
	r.t.Helper()
	n2, err := pay.V3ParseNotify(r.callbacks(n + 1)[n])
	if err != nil {
		r.t.Fatal(err)
	}
	if err := n2.VerifySignByPKMap(r.client.WxPublicKeyMap()); err != nil {
		r.t.Fatal(err)
	}
	plain, err := pay.V3DecryptNotifyCipherTextToBytes(n2.Resource.Ciphertext, n2.Resource.Nonce, n2.Resource.AssociatedData,
		r.cfg.APIv3Key)
	if err != nil {
		r.t.Fatal(err)
	}
	return fields(r.t, string(plain))
}

func TestLies_AboutRefunds(t *testing.T) {
	r := setup(t)
	d := deposit(t, r.world, world.Wechat)
	body := gopay.BodyMap{"transaction_id": d.TransactionID, "out_refund_no": "RL1", "amount": map[string]any{"refund": 100,
		"total": d.Amount, "currency": "CNY"}}
	if rsp, err := r.client.V3Refund(context.Background(), body); err != nil || rsp.Code != 0 {
		t.Fatal(err, rsp)
	}
	for fault, want := range map[string]string{"lie_amount": "200 ", "lie_zero_amount": "0 ", "lie_number": "100 OTHER"} {
		r.plan(fmt.Sprintf(`{"match":"refund_query","fault":%q}`, fault))
		rsp, err := r.client.V3RefundQuery(context.Background(), "RL1", nil)
		if err != nil || rsp.Code != 0 {
			t.Fatal(err, rsp)
		}
		if got := fmt.Sprintf("%d %s", rsp.Response.Amount.Refund, strings.TrimSuffix(rsp.Response.OutRefundNo,
			"RL1")); got != want || int64(rsp.Response.Amount.Total) != d.Amount {
			t.Errorf("%s: %s of %d", fault, got, rsp.Response.Amount.Total)
		}
	}
}

// deposit is a young deposit that was paid through a channel.
func deposit(t *testing.T, w *world.World, method string) *world.Deposit {
	t.Helper()
	for _, p := range w.Patients() {
		for _, d := range w.Card(p.Cards[0]).Deposits {
			if d.Method == method && testday.Now().Sub(d.PaidAt) < 300*24*time.Hour {
				return d
			}
		}
	}
	t.Fatal("no deposit")
	return nil
}

// second is a client of the other merchant at the same simulator.
func (r *rig) second() *rig {
	r.t.Helper()
	res, err := http.Get(r.URL() + "/_sim/config?merchant=" + wechat.SecondMchID)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	other := &rig{Server: r.Server, t: r.t, world: r.world, notify: r.notify}
	if err := json.NewDecoder(res.Body).Decode(&other.cfg); err != nil {
		r.t.Fatal(err)
	}
	hook := httptest.NewServer(http.HandlerFunc(other.receive))
	r.t.Cleanup(hook.Close)
	other.notify = hook.URL + "/notify"
	other.client = other.connect()
	if err := other.client.AutoVerifySignByPublicKey([]byte(other.cfg.PublicKey), other.cfg.PublicKeyID); err != nil {
		r.t.Fatal(err)
	}
	return other
}

// Each merchant knows its own numbers only: the same number at both pays twice,
// and the ledger says by whom.
func TestMerchants_KnowTheirOwnNumbersOnly(t *testing.T) {
	r := setup(t)
	two := r.second()
	if two.cfg.MchID == r.cfg.MchID || two.cfg.AppID != r.cfg.AppID || two.cfg.PublicKeyID == r.cfg.PublicKeyID ||
		two.cfg.APIv3Key == r.cfg.APIv3Key {
		t.Fatalf("%+v", two.cfg)
	}
	before, beforeTwo := r.Balance(""), r.Balance(wechat.SecondMchID)
	r.transfer("M1", 700)
	if state := two.state("M1"); state != "NOT_FOUND" {
		t.Fatal("the second merchant answers", state)
	}
	first, second := r.transfer("M1", 700).Response, two.transfer("M1", 700).Response
	if first.TransferBillNo == second.TransferBillNo || first.PackageInfo == second.PackageInfo {
		t.Fatalf("%+v %+v", first, second)
	}
	for _, pkg := range []string{first.PackageInfo, second.PackageInfo} {
		r.post("/_sim/confirm/M1", fmt.Sprintf(`{"package":%q}`, pkg), 200)
	}
	if got := two.opened(0); got["mch_id"] != two.cfg.MchID {
		t.Error(got)
	}
	paid := map[string]int64{}
	for _, e := range r.Ledger().Find("transfer", "M1") {
		paid[e.Merchant] += e.Amount
		if e.Party != r.world.Find("P0001").Openid {
			t.Error(e)
		}
	}
	if paid[wechat.MchID] != 700 || paid[wechat.SecondMchID] != 700 || r.Balance("") != before-700 ||
		r.Balance(wechat.SecondMchID) != beforeTwo-700 {
		t.Error(paid, r.Balance(""), r.Balance(wechat.SecondMchID))
	}
	d := deposit(t, r.world, world.Wechat)
	body := gopay.BodyMap{"transaction_id": d.TransactionID, "out_refund_no": "MR1", "amount": map[string]any{"refund": 100,
		"total": d.Amount, "currency": "CNY"}}
	if rsp, err := two.client.V3Refund(context.Background(), body); err != nil || rsp.ErrResponse.Code != "RESOURCE_NOT_EXISTS" {
		t.Errorf("a deposit was paid to the first merchant only: %v %+v", err, rsp)
	}
	r.post("/_sim/return/M1?merchant="+wechat.SecondMchID, "", 200)
	if back := r.Ledger().Find("return", "M1"); len(back) != 1 || back[0].Merchant != wechat.SecondMchID {
		t.Error(back)
	}
	if _, err := http.Get(r.URL() + "/_sim/config?merchant=none"); err != nil {
		t.Error(err)
	}
}

// Who was told what, and how often, can be counted.
func TestMessages_SayWhoGotThem(t *testing.T) {
	r := setup(t)
	token := fields(t, r.post("/cgi-bin/stable_token", fmt.Sprintf(`{"grant_type":"client_credential","appid":%q,"secret":%q}`,
		r.cfg.AppID, r.cfg.AppSecret), 200))["access_token"]
	form := fmt.Sprintf(`{"touser":%q,"template_id":"T1","url":"http://hospital/x","data":{"thing1":{"value":"已到账"}}}`,
		r.world.Find("P0002").Openid)
	for range 2 {
		r.post(fmt.Sprintf("/cgi-bin/message/template/send?access_token=%s", token), form, 200)
	}
	res, err := http.Get(r.URL() + "/_sim/messages?since=1")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var v struct {
		Messages []wechat.SentMessage `json:"messages"`
		Next     int                  `json:"next"`
	}
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil || v.Next != 2 || len(v.Messages) != 1 ||
		v.Messages[0].Patient != "P0002" || v.Messages[0].To != r.world.Find("P0002").Openid {
		t.Fatalf("%v %+v", err, v)
	}
}
