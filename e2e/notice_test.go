package e2e

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/pocketbase/dbx"
	"hospay/flow"
	"hospay/store"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
)

// notices lists "event/round/via/state" of an order's notices.
func notices(t *testing.T, a *testapp.App, order string) []string {
	t.Helper()
	recs, err := a.Runtime.App.FindRecordsByFilter(collections.Notifications, "order = {:o}", "created,round,via", 0, 0,
		map[string]any{"o": order})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range recs {
		out = append(out, strings.Join([]string{r.GetString("event"), r.GetString("round"), r.GetString("via"), r.GetString("state")}, "/"))
	}
	return out
}

func deliver(t *testing.T, a *testapp.App) {
	t.Helper()
	if _, err := a.Notices.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func has(list []string, want string) bool {
	for _, s := range list {
		if s == want {
			return true
		}
	}
	return false
}

func TestNotices_SuccessIsToldOnceInAppAndByTemplate(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	w := paidOrder(t, a, "P0001", "wechat", 2100)
	deliver(t, a)
	deliver(t, a)
	got := notices(t, a, w.Order.ID)
	for _, want := range []string{"succeeded/0/in_app/sent", "succeeded/0/wechat/sent", "awaiting_payee/0/in_app/sent"} {
		if !has(got, want) {
			t.Errorf("%s is missing in %v", want, got)
		}
	}
	told := 0
	for _, m := range a.Sims.WeChat.Messages() {
		if m.TemplateID == "demo-succeeded" {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the patient got %d messages of success", told)
	}
}

func TestNotices_RejectionAndFailureTellTheReason(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	reviewer := a.Staff("reviewer1")
	p := a.Login("P0003", "wechat")
	rejected := apply(t, p, "wechat", "transfer", 2200, nil)
	a.Drain()
	a.Review(reviewer, rejected, "reject", "证件不清晰")
	a.Drain()
	q := a.Login("P0019", "alipay") // the account belongs to somebody with another name
	failed := apply(t, q, "alipay", "transfer", 2300, nil)
	a.Drain()
	a.Review(reviewer, failed, "approve", "")
	a.Drain()
	wantStatus(t, a, failed, refund.StatusFailed)
	for order, words := range map[string]string{rejected: "证件不清晰", failed: "收款账户不存在或姓名不符"} {
		rec := must(a.Runtime.App.FindFirstRecordByFilter(collections.Notifications, `order = {:o} && via = "in_app"`,
			map[string]any{"o": order}))
		if !strings.Contains(rec.GetString("body"), words) {
			t.Errorf("the notice says %q, not %q", rec.GetString("body"), words)
		}
	}
}

func TestNotices_PendingConfirmationIsRemindedFourTimes(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	id := apply(t, p, "wechat", "transfer", 2400, nil)
	a.Drain()
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	a.Drain()
	wantStatus(t, a, id, refund.StatusAwaitingPayee)
	for range 47 { // 23.5 hours
		a.Advance(30 * time.Minute)
		a.Drain()
		deliver(t, a)
	}
	got := notices(t, a, id)
	for _, want := range []string{"awaiting_payee/0/in_app/sent", "awaiting_payee/1/in_app/sent", "awaiting_payee/2/in_app/sent",
		"awaiting_payee/3/in_app/sent"} {
		if !has(got, want) {
			t.Errorf("%s is missing in %v", want, got)
		}
	}
	if res := p.Call("GET", "/api/hospay/refunds/"+id+"/confirmation", p.Token, nil); res.Status != 200 || res.Text("package") == "" ||
		res.Text("mch_id") == "" {
		t.Errorf("confirmation: %d %s", res.Status, res.Raw)
	}
}

// TestNotices_ShortMessageThroughTheGateway: the demo's gateway puts the text
// on the patient's phone, with a short address that opens the order's page.
func TestNotices_ShortMessageThroughTheGateway(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	w := paidOrder(t, a, "P0002", "alipay", 2500)
	deliver(t, a)
	var texts []string
	for _, m := range a.Sims.SMS.Messages() {
		if m.Patient == "P0002" {
			texts = append(texts, m.Text)
		}
	}
	if len(texts) != 1 || !strings.HasPrefix(texts[0], "【演示医院】") || !strings.Contains(texts[0], "25.00") ||
		!strings.Contains(texts[0], "查看详情："+a.URL+"/m/") {
		t.Fatalf("the phone shows %q", texts)
	}
	_, short, _ := strings.Cut(texts[0], a.URL)
	if to := opens(t, a.URL+short); to != "/?inst=demo#/records/"+w.Order.ID {
		t.Errorf("the link opens %q", to)
	}
	if to := opens(t, a.URL+"/m/unknown00000000"); to != "/" {
		t.Errorf("a link of nobody opens %q", to)
	}
}

// opens is where an address leads.
func opens(t *testing.T, address string) string {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res := must(client.Get(address))
	defer res.Body.Close()
	return res.Header.Get("Location")
}

// TestNotices_TellWhyAndOpenTheirPage: what arrives at WeChat and Alipay
// carries the reason and the page that it is about.
func TestNotices_TellWhyAndOpenTheirPage(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	reviewer := a.Staff("reviewer1")
	rejected := apply(t, a.Login("P0003", "wechat"), "wechat", "transfer", 2200, nil)
	failed := apply(t, a.Login("P0019", "alipay"), "alipay", "transfer", 2300, nil)
	a.Drain()
	a.Review(reviewer, rejected, "reject", "证件不清晰")
	a.Review(reviewer, failed, "approve", "")
	waiting := apply(t, a.Login("P0001", "wechat"), "wechat", "transfer", 2400, nil)
	a.Drain()
	a.Review(reviewer, waiting, "approve", "")
	a.Drain()
	deliver(t, a)
	home := a.URL + "/?inst=demo#/records/"
	for _, want := range []struct{ template, page, reason string }{
		{"demo-rejected", home + rejected, "证件不清晰"}, {"demo-awaiting_payee", home + waiting + "/confirm", ""},
	} {
		got := 0
		for _, m := range a.Sims.WeChat.Messages() {
			if m.TemplateID == want.template && m.Page == want.page && strings.Contains(fmt.Sprint(m.Data), want.reason) {
				got++
			}
		}
		if got != 1 {
			t.Errorf("%s: %d of %+v", want.template, got, a.Sims.WeChat.Messages())
		}
	}
	got := 0
	for _, m := range a.Sims.Alipay.Messages() {
		if m.TemplateID == "demo-failed" && m.Page == "pages/web/index?url="+url.QueryEscape(home+failed) &&
			strings.Contains(fmt.Sprint(m.Data), "收款账户不存在或姓名不符") {
			got++
		}
	}
	if got != 1 {
		t.Errorf("Alipay: %+v", a.Sims.Alipay.Messages())
	}
}

// TestMessages_ArePatientsOwnUntilRead: the portal lists what was told, counts
// what was not opened, and nobody reads another one's.
func TestMessages_ArePatientsOwnUntilRead(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	w := paidOrder(t, a, "P0001", "wechat", 2100)
	p, other := a.Login("P0001", "wechat"), a.Login("P0002", "wechat")
	list := func(p *testapp.Patient) (unread float64, items []any) {
		res := p.Call("GET", "/api/hospay/messages", p.Token, nil)
		if res.Status != 200 {
			t.Fatal(res.Status, string(res.Raw))
		}
		return res.Body["unread"].(float64), res.Body["items"].([]any)
	}
	unread, items := list(p)
	if int(unread) != 2 || len(items) != 2 {
		t.Fatalf("%v unread of %v", unread, items)
	}
	first := items[0].(map[string]any)
	if first["event"] != "succeeded" || first["page"] != "/records/"+w.Order.ID || first["read"] != false ||
		strings.Contains(first["body"].(string), "{") || strings.Contains(first["body"].(string), "详情") {
		t.Errorf("%v", first)
	}
	id := first["id"].(string)
	wantRefusal(t, "别人的消息", other.Call("POST", "/api/hospay/messages/"+id+"/read", other.Token, nil), 404, "not_found")
	if n, items := list(other); n != 0 || len(items) != 0 {
		t.Errorf("somebody else reads %v", items)
	}
	for range 2 {
		if res := p.Call("POST", "/api/hospay/messages/"+id+"/read", p.Token, nil); res.Body["unread"] != 1.0 {
			t.Errorf("%d %s", res.Status, res.Raw)
		}
	}
	if unread, items := list(p); unread != 1 || items[0].(map[string]any)["read"] != true {
		t.Errorf("%v unread of %v", unread, items)
	}
	if res := p.Call("POST", "/api/hospay/messages/read", p.Token, nil); res.Body["unread"] != 0.0 {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}

// TestTexts_ANewInstitutionHasThem without a demo, and `config check` says what
// keeps them from patients.
func TestTexts_ANewInstitutionHasThem(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	app := a.Runtime.App
	rec := core.NewRecord(must(app.FindCollectionByNameOrId(collections.Institutions)))
	rec.Load(map[string]any{"code": "second", "name": "第二医院", "active": true, "methods": []string{"transfer"}})
	if err := app.Save(rec); err != nil {
		t.Fatal(err)
	}
	patients, staff := store.TextEvents()
	if n := countRows(t, a, collections.NotificationTexts, dbx.HashExp{"institution": rec.Id}); n != len(patients)+len(staff) {
		t.Fatalf("%d texts", n)
	}
	faults := func(id string) map[flow.NoticeEvent]error {
		return must(a.Store.NoticeFaults(id, func(via string) error { return a.Store.CanSend(t.Context(), id, via) }))
	}
	for event, err := range faults(a.Institution) {
		if err != nil {
			t.Errorf("the demo's %s: %v", event, err)
		}
	}
	for _, event := range patients {
		if err := faults(rec.Id)[event]; err == nil || !strings.Contains(err.Error(), "短信网关") {
			t.Errorf("%s has no way to send: %v", event, err)
		}
	}
	text := must(app.FindFirstRecordByFilter(collections.NotificationTexts, "institution = {:i} && event = 'rejected'",
		map[string]any{"i": rec.Id}))
	text.Set("sms", false)
	if err := app.Save(text); err != nil {
		t.Fatal(err)
	}
	if err := faults(rec.Id)["rejected"]; err == nil || !strings.Contains(err.Error(), "没有发送方式") {
		t.Errorf("no way at all: %v", err)
	}
	if err := app.Delete(text); err != nil {
		t.Fatal(err)
	}
	if err := faults(rec.Id)["rejected"]; err == nil || !strings.Contains(err.Error(), "没有文案") {
		t.Errorf("no text: %v", err)
	}
	if err := a.Store.SeedAllTexts(); err != nil {
		t.Fatal(err)
	}
	if n := countRows(t, a, collections.NotificationTexts, dbx.HashExp{"institution": rec.Id}); n != len(patients)+len(staff) {
		t.Errorf("%d texts after the next start", n)
	}
}
