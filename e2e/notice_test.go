package e2e

import (
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

func TestNotices_ShortMessageThroughTheGateway(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	got := make(chan string, 4)
	gateway := smsGateway(t, got)
	c := must(a.Runtime.App.FindCollectionByNameOrId(collections.SMSConfigs))
	rec := core.NewRecord(c)
	rec.Load(map[string]any{
		"institution": a.Institution, "active": true, "url": gateway,
		"settings": `{"body":"m={phone}&t={text}&k={secret.key}","quiet_from":"00:00","quiet_to":"00:00"}`, "secrets_input": `{"key":"k1"}`,
	})
	if err := a.Runtime.App.Save(rec); err != nil {
		t.Fatal(err)
	}
	text := must(a.Runtime.App.FindFirstRecordByData(collections.NotificationTexts, "event", "succeeded"))
	text.Set("sms", true)
	if err := a.Runtime.App.Save(text); err != nil {
		t.Fatal(err)
	}
	paidOrder(t, a, "P0002", "alipay", 2500)
	deliver(t, a)
	select {
	case form := <-got:
		if !strings.Contains(form, a.Sims.World.Find("P0002").Phone) || !strings.Contains(form, "k=k1") || !strings.Contains(form, "25.00") {
			t.Errorf("the gateway got %q", form)
		}
	default:
		t.Error("the gateway got nothing")
	}
}
