package e2e

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/refund"
	"hospay/sim"
	"hospay/sim/wechat"

	"github.com/pocketbase/dbx"
)

// bill is the content of a WeChat callback.
type bill map[string]any

// envelope is a callback of WeChat as it goes over the wire, and what a test
// spoils of it.
type envelope struct {
	id, event      string
	content        bill
	key            *rsa.PrivateKey
	serial, prefix string
	at             time.Time
	apiKey         string
	body           []byte // instead of the content
}

func wechatKey(t *testing.T, name string) *rsa.PrivateKey {
	t.Helper()
	k, err := sim.SharedKeys().RSA(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// truth is a good callback about an order's payout.
func truth(t *testing.T, w refund.Work, id, state string) envelope {
	return envelope{
		id: id, event: "MCHTRANSFER.BILL.FINISHED", key: wechatKey(t, "wechat-public"), serial: wechat.PublicKeyID, at: time.Now(),
		apiKey: wechat.APIv3Key,
		content: bill{
			"out_bill_no": w.Transfer.No, "transfer_bill_no": "1330000", "state": state, "mch_id": wechat.MchID,
			"transfer_amount": int64(w.Order.Amount),
			"openid":          w.Order.Payee.Account, "update_time": time.Now().Format(time.RFC3339),
		},
	}
}

// post sends the callback and returns status and answer.
func (e envelope) post(t *testing.T, a *testapp.App) (int, string) {
	t.Helper()
	body := e.body
	if body == nil {
		plain, err := json.Marshal(e.content)
		if err != nil {
			t.Fatal(err)
		}
		block, err := aes.NewCipher([]byte(e.apiKey))
		if err != nil {
			t.Fatal(err)
		}
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			t.Fatal(err)
		}
		sealed := gcm.Seal(nil, []byte("0123456789ab"), plain, []byte("mch_payment"))
		body, err = json.Marshal(map[string]any{"id": e.id, "event_type": e.event, "resource_type": "encrypt-resource",
			"resource": map[string]string{
				"algorithm": "AEAD_AES_256_GCM", "associated_data": "mch_payment", "nonce": "0123456789ab",
				"ciphertext": base64.StdEncoding.EncodeToString(sealed),
			}})
		if err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", a.URL+"/api/hospay/notify/wechat/"+a.Institution, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%d\nnonce\n%s\n", e.at.Unix(), body)
	req.Header.Set("Wechatpay-Timestamp", fmt.Sprint(e.at.Unix()))
	req.Header.Set("Wechatpay-Nonce", "nonce")
	req.Header.Set("Wechatpay-Serial", e.serial)
	req.Header.Set("Wechatpay-Signature", e.prefix+sim.Sign(e.key, []byte(text)))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(answer)
}

// silent is a program whose WeChat sends no callbacks of its own.
func silent(t *testing.T) (*testapp.App, *testapp.Patient) {
	t.Helper()
	a := testapp.New(t, testapp.Config{})
	if err := a.Sims.WeChat.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "callback", Fault: sim.NoCallback, Times: -1}}}); err != nil {
		t.Fatal(err)
	}
	return a, a.Login("P0001", "wechat")
}

// awaiting brings an order to the payee's confirmation.
func awaiting(t *testing.T, a *testapp.App, p *testapp.Patient) refund.Work {
	t.Helper()
	id := apply(t, p, "wechat", "transfer", 1234, nil)
	a.Drain()
	if res := a.Review(a.Staff("reviewer1"), id, "approve", ""); res.Status != 200 {
		t.Fatalf("review: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	return wantStatus(t, a, id, refund.StatusAwaitingPayee)
}

func countRows(t *testing.T, a *testapp.App, table string, where dbx.Expression) int {
	t.Helper()
	n, err := a.Runtime.App.CountRecords(table, where)
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// TestCallback_ForgedIsRefused spoils one thing after the other.
func TestCallback_ForgedIsRefused(t *testing.T) {
	a, p := silent(t)
	w := awaiting(t, a, p)
	for name, spoil := range map[string]func(*envelope){
		"别人的签名":     func(e *envelope) { e.key = wechatKey(t, "wechat-merchant") },
		"探测签名":      func(e *envelope) { e.prefix = "WECHATPAY/SIGNTEST/" },
		"未知公钥":      func(e *envelope) { e.serial = "PUB_KEY_ID_0119999999999999999999999999" },
		"六分钟前":      func(e *envelope) { e.at = time.Now().Add(-6 * time.Minute) },
		"六分钟后":      func(e *envelope) { e.at = time.Now().Add(6 * time.Minute) },
		"别的APIv3密钥": func(e *envelope) { e.apiKey = strings.Repeat("k", 32) },
		"别的商户":      func(e *envelope) { e.content["mch_id"] = "1999999999" },
		"没有商户":      func(e *envelope) { delete(e.content, "mch_id") },
		"空报文":       func(e *envelope) { e.body = []byte{} },
		"不是JSON":    func(e *envelope) { e.body = []byte("\x00{") },
		"两兆报文":      func(e *envelope) { e.body = bytes.Repeat([]byte("a"), 2<<20) },
	} {
		e := truth(t, w, "forged", "SUCCESS")
		spoil(&e)
		if status, answer := e.post(t, a); status < 400 || strings.Contains(answer, "SUCCESS") {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	if n := countRows(t, a, collections.Callbacks, nil); n != 0 {
		t.Errorf("%d callbacks are stored", n)
	}
	if after := a.Order(w.Order.ID); after.Order.Version != w.Order.Version {
		t.Error("the order was touched")
	}
}

// TestCallback_ContentThatDoesNotFit is authentic but about something else: it
// is noted, nothing moves, and a query decides.
func TestCallback_ContentThatDoesNotFit(t *testing.T) {
	for name, c := range map[string]struct {
		change func(bill)
		effect string
	}{
		"金额不符":  {func(b bill) { b["transfer_amount"] = 1235 }, "mismatch"},
		"收款人不符": {func(b bill) { b["openid"] = "oSomebodyElse" }, "mismatch"},
		"未知单号":  {func(b bill) { b["out_bill_no"] = "R00000000000000000000T01" }, "unknown_number"},
	} {
		t.Run(name, func(t *testing.T) {
			a, p := silent(t)
			w := awaiting(t, a, p)
			e := truth(t, w, "odd", "SUCCESS")
			c.change(e.content)
			if status, answer := e.post(t, a); status != 200 || !strings.Contains(answer, "SUCCESS") {
				t.Fatalf("%d %s", status, answer)
			}
			a.Drain()
			wantStatus(t, a, w.Order.ID, refund.StatusAwaitingPayee)
			if n := countRows(t, a, collections.Callbacks, dbx.HashExp{"effect": c.effect}); n != 1 {
				t.Errorf("%d callbacks with effect %s", n, c.effect)
			}
		})
	}
}

// TestCallback_ReplayedIsOneEffect sends the same callback a hundred times,
// twenty at a time.
func TestCallback_ReplayedIsOneEffect(t *testing.T) {
	a, p := silent(t)
	w := awaiting(t, a, p)
	if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
		t.Fatal(err)
	}
	e := truth(t, w, "once", "SUCCESS")
	for range 5 {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if status, answer := e.post(t, a); status != 200 || !strings.Contains(answer, "SUCCESS") {
					t.Errorf("%d %s", status, answer)
				}
			})
		}
		wg.Wait()
	}
	a.Drain()
	wantStatus(t, a, w.Order.ID, refund.StatusSucceeded)
	if n := countRows(t, a, collections.Callbacks, nil); n != 1 {
		t.Errorf("%d callbacks", n)
	}
	if n := countRows(t, a, collections.RefundEvents, dbx.HashExp{"order": w.Order.ID, "event": "payout.succeeded"}); n != 1 {
		t.Errorf("%d times paid", n)
	}
	booksAgree(t, a)
}

// hold lets a test act between the arrival of a request at the channel and the
// arrival of its answer here.
type hold struct {
	path  string
	after func()
}

// RoundTrip implements http.RoundTripper.
func (h *hold) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if f := h.after; f != nil && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, h.path) {
		h.after = nil
		f()
	}
	return res, err
}

// TestCallback_SuccessBeforeTheAnswer: the callback overtakes the answer to the
// request that caused it.
func TestCallback_SuccessBeforeTheAnswer(t *testing.T) {
	h := &hold{path: "/transfer-bills"}
	a := testapp.New(t, testapp.Config{Transport: h})
	if err := a.Sims.WeChat.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "callback", Fault: sim.NoCallback, Times: -1}}}); err != nil {
		t.Fatal(err)
	}
	p := a.Login("P0001", "wechat")
	id := apply(t, p, "wechat", "transfer", 1234, nil)
	a.Drain()
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	overtaken := false
	h.after = func() {
		w := a.Order(id)
		if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
			t.Error(err)
		}
		if status, answer := truth(t, w, "early", "SUCCESS").post(t, a); status != 200 {
			t.Errorf("%d %s", status, answer)
		}
		overtaken = a.Order(id).Order.Status == refund.StatusSucceeded
	}
	a.Drain()
	wantStatus(t, a, id, refund.StatusSucceeded)
	if !overtaken {
		t.Error("the callback did not come first")
	}
	booksAgree(t, a)
}

// TestCallback_FailAfterSuccessMovesNothing notes the contradiction and tells
// staff.
func TestCallback_FailAfterSuccessMovesNothing(t *testing.T) {
	a, p := silent(t)
	w := awaiting(t, a, p)
	if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
		t.Fatal(err)
	}
	if status, _ := truth(t, w, "good", "SUCCESS").post(t, a); status != 200 {
		t.Fatal(status)
	}
	if status, _ := truth(t, w, "bad", "FAIL").post(t, a); status != 200 {
		t.Fatal(status)
	}
	a.Drain()
	wantStatus(t, a, w.Order.ID, refund.StatusSucceeded)
	if n := countRows(t, a, collections.Callbacks, dbx.HashExp{"effect": "contradiction"}); n != 1 {
		t.Errorf("%d contradictions", n)
	}
	if n := countRows(t, a, collections.Notifications, dbx.HashExp{"event": "suspense", "staff": true}); n == 0 {
		t.Error("staff were not told")
	}
	if n := a.Sims.HIS.Requests().Count("reverse", ""); n != 0 {
		t.Errorf("%d reversals", n)
	}
	booksAgree(t, a)
}

// TestCallback_NeverComes: polling alone finishes every order.
func TestCallback_NeverComes(t *testing.T) {
	a, p := silent(t)
	w := awaiting(t, a, p)
	if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
		t.Fatal(err)
	}
	a.Advance(time.Minute)
	a.Drain()
	wantStatus(t, a, w.Order.ID, refund.StatusSucceeded)
	if n := countRows(t, a, collections.Callbacks, nil); n != 0 {
		t.Errorf("%d callbacks", n)
	}
}
