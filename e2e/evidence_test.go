package e2e

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/exports"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/refund"
)

// unzip reads a pack: name → content.
func unzip(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r := must(f.Open())
		out[f.Name] = string(must(io.ReadAll(r)))
		r.Close()
	}
	return out
}

// evidenceOrder is an order that was judged by rules, paid, and has a receipt.
func evidenceOrder(t *testing.T) (*testapp.App, *testapp.Patient, refund.Work) {
	t.Helper()
	a := testapp.New(t, testapp.Config{Settings: demo.Settings{
		Review: refund.ReviewSettings{Auto: true, Rules: []refund.Rule{{Name: refund.RuleNameEqual, OnFail: refund.OutcomeReject}}}}})
	p := a.Login("P0001", "wechat")
	id := apply(t, p, "wechat", "transfer", 4321, nil)
	a.Drain()
	w := wantStatus(t, a, id, refund.StatusAwaitingPayee)
	if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
		t.Fatal(err)
	}
	a.Advance(time.Minute)
	a.Drain()
	w = wantStatus(t, a, id, refund.StatusSucceeded)
	db := a.Runtime.App.NonconcurrentDB()
	for range 20 {
		if _, err := a.Jobs.RunNow(t.Context(), "receipts"); err != nil {
			t.Fatal(err)
		}
		if rec, err := a.Runtime.App.FindFirstRecordByFilter(collections.Receipts, `state = "ready"`); err == nil && rec != nil {
			return a, p, w
		}
		a.Advance(3 * time.Minute)
		if _, err := db.NewQuery("UPDATE receipts SET next_at = '2020-01-01 00:00:00.000Z'").Execute(); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("no receipt came")
	return nil, nil, w
}

// TestEvidence_HoldsEverythingWithHashes opens the pack of a paid order.
func TestEvidence_HoldsEverythingWithHashes(t *testing.T) {
	a, p, w := evidenceOrder(t)
	path := "/api/hospay/refunds/" + w.Order.ID + "/evidence.zip"
	res := a.Call("GET", path, a.Staff("auditor"), nil)
	if res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	files := unzip(t, res.Raw)
	page := files["index.html"]
	for name, holds := range map[string]string{
		"application.json": w.Order.No, "reviews.json": "name_equal", "his_calls.json": w.Debit.No, "transfers.json": w.Transfer.No,
		"callbacks.json": w.Transfer.No,
		"receipts.json":  w.Transfer.No, "receipts/" + w.Transfer.No + ".pdf": "%PDF", "notifications.json": "succeeded",
		"timeline.json": "payout.succeeded",
	} {
		if !strings.Contains(files[name], holds) {
			t.Errorf("%s does not hold %q: %.200s", name, holds, files[name])
		}
		sum := sha256.Sum256([]byte(files[name]))
		if !strings.Contains(page, "<td>"+name+"</td>") || !strings.Contains(page, hex.EncodeToString(sum[:])) {
			t.Errorf("the page does not list %s with its hash", name)
		}
	}
	if len(files) != 10 {
		t.Errorf("%d files", len(files))
	}
	for _, want := range []string{w.Order.No, "43.21 元（肆拾叁元贰角壹分）", "演示医院", "审计员 于 ", "已到账", w.Transfer.Theirs, "收款人姓名与就诊卡姓名比对：通过",
		"HIS 已退预交金"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if regexp.MustCompile(`(?i)<script|javascript:|<link|<img|https?://|\son\w+=`).MatchString(page) {
		t.Error("the page runs or loads something")
	}
	who := a.Sims.World.Find("P0001")
	for name, text := range files {
		for _, secret := range []string{who.IDNo, who.Phone, who.Name, who.Openid} {
			if !strings.HasSuffix(name, ".pdf") && strings.Contains(text, secret) {
				t.Errorf("%s tells %q", name, secret)
			}
		}
	}
	if _, err := a.Runtime.App.FindFirstRecordByFilter(collections.AuditLog, `action = "refund.evidence" && target = {:o}`,
		map[string]any{"o": w.Order.ID}); err != nil {
		t.Error("it is not in the audit log")
	}
	for _, token := range []string{p.Token, a.Staff("cashier")} {
		if res := a.Call("GET", path, token, nil); res.Status != 403 {
			t.Errorf("%d", res.Status)
		}
	}
}

// TestEvidence_SameDataSameBytes: two packs differ in the time of making alone.
func TestEvidence_SameDataSameBytes(t *testing.T) {
	a, _, w := evidenceOrder(t)
	order := must(a.Runtime.App.FindRecordById(collections.RefundOrders, w.Order.ID))
	pack := func(at time.Time) map[string]string {
		var file bytes.Buffer
		if err := exports.Evidence(t.Context(), a.Runtime.App, a.Store, order, "张三", at, &file); err != nil {
			t.Fatal(err)
		}
		return unzip(t, file.Bytes())
	}
	one, two := pack(a.Now()), pack(a.Now().Add(time.Second))
	made := regexp.MustCompile(`于 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d 生成`)
	if one["index.html"] == two["index.html"] {
		t.Error("the time of making is not told")
	}
	for name := range one {
		if made.ReplaceAllString(one[name], "") != made.ReplaceAllString(two[name], "") {
			t.Errorf("%s differs", name)
		}
	}
}

// TestEvidence_OfAReturnedPayoutTellsTheWayBack holds both orders' rows.
func TestEvidence_OfAReturnedPayoutTellsTheWayBack(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	id := approved(t, a, "P0002", "alipay", "transfer", 3200)
	w := wantStatus(t, a, id, refund.StatusSucceeded)
	returned(t, a, w)
	a.Drain()
	reviewer := a.Staff("reviewer1")
	files := unzip(t, a.Call("GET", "/api/hospay/refunds/"+id+"/evidence.zip", reviewer, nil).Raw)
	for name, holds := range map[string]string{"application.json": w.Order.No + "C", "his_calls.json": `"reverse"`,
		"timeline.json": "his.reversed", "index.html": w.Order.No + "C"} {
		if !strings.Contains(files[name], holds) {
			t.Errorf("%s does not hold %q", name, holds)
		}
	}
	staff := must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "reviewer1@demo.hospay"))
	if !strings.Contains(files["index.html"], "<td>"+staff.GetString("name")+"</td>") {
		t.Error("the reviewer is not named")
	}
}

// TestEvidence_OfAProxyListsTheMaterials names the photos by their hashes and
// keeps them, and the principal, to itself.
func TestEvidence_OfAProxyListsTheMaterials(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, principal := a.Login("P0001", "wechat"), elderly
	proxy := p.ApprovedProxy(principal, "elderly")
	res := p.ApplyFor(proxy, principal, "wechat", "transfer", 3000, nil)
	if res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	a.Drain()
	files := unzip(t, a.Call("GET", "/api/hospay/refunds/"+res.Text("id")+"/evidence.zip", a.Staff("reviewer1"), nil).Raw)
	materials := must(a.Runtime.App.FindRecordsByFilter(collections.ProxyMaterials, "application = {:a}", "", 0, 0,
		map[string]any{"a": proxy}))
	if len(materials) == 0 {
		t.Fatal("no materials")
	}
	for _, m := range materials {
		if !strings.Contains(files["proxy_materials.json"], m.GetString("sha256")) ||
			!strings.Contains(files["index.html"], m.GetString("sha256")) {
			t.Errorf("%s is not listed", m.GetString("kind"))
		}
	}
	for _, want := range []string{"代办申请", "老年人", "代办人身份证人像面", "审核通过"} {
		if !strings.Contains(files["index.html"], want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	who := a.Sims.World.Find(principal)
	for name, text := range files {
		if strings.Contains(text, who.IDNo) || strings.Contains(text, who.Name) || strings.HasSuffix(name, ".jpg") {
			t.Errorf("%s tells of the principal", name)
		}
	}
}

// TestEvidence_OfAPayment: a payment with insurance of which the cash went back in part
// is told whole, with every number of every side.
func TestEvidence_OfAPayment(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newAPIPayer(t, a, "P0001", "wechat")
	o := p.ticketToDone(p.bill(payment.KindOutpatient, 12_000), true)
	if res := a.Call("POST", "/api/hospay/payments/"+o.ID+"/refund", a.Staff("finance"),
		map[string]any{"kind": "cash", "cash": 100, "reason": "少做一项检查"}); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	o = p.until(o.ID, payment.StatusPartRefunded)
	path := "/api/hospay/payments/" + o.ID + "/evidence.zip"
	res := a.Call("GET", path, a.Staff("auditor"), nil)
	if res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	files := unzip(t, res.Raw)
	page := files["index.html"]
	for name, holds := range map[string]string{"order.json": o.No, "calls.json": o.TradeNo, "refunds.json": "少做一项检查",
		"notifications.json": "payment_paid", "timeline.json": "his.written", "callbacks.json": o.TradeNo} {
		sum := sha256.Sum256([]byte(files[name]))
		if !strings.Contains(files[name], holds) || !strings.Contains(page, hex.EncodeToString(sum[:])) {
			t.Errorf("%s does not hold %q, or is not listed: %.300s", name, holds, files[name])
		}
	}
	for _, want := range []string{"缴费证据包", o.No, "120.00 元（壹佰贰拾元整）", o.Settlement.SetlID, o.PayOrdID, o.TradeNo, o.ChannelNo, o.ReceiptNo,
		"6201 费用上传", "HIS 结算回写", "自费部分", "发起退费", "部分退费", "审计员 于 "} {
		if want == "" || !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	who := a.Sims.World.Find("P0001")
	for name, text := range files {
		for _, secret := range []string{who.IDNo, who.Phone, who.Name, who.Openid, "report.", "payment.call"} {
			if strings.Contains(text, secret) && (name == "index.html" || !strings.Contains(secret, ".")) {
				i := strings.Index(text, secret)
				t.Errorf("%s tells %q: %s", name, secret, text[max(0, i-40):min(len(text), i+60)])
			}
		}
	}
	if _, err := a.Runtime.App.FindFirstRecordByFilter(collections.AuditLog, `action = "payment.evidence" && target = {:o}`,
		map[string]any{"o": o.ID}); err != nil {
		t.Error("it is not in the audit log")
	}
}
