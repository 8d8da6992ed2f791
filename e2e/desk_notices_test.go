package e2e

import (
	"strings"
	"testing"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/refund"

	"github.com/pocketbase/dbx"
)

// byHand settles a suspended order as paid outside of the program.
func byHand(t *testing.T, a *testapp.App, id string) {
	t.Helper()
	if res := onDesk(a, a.Staff("finance"), id, "propose", map[string]any{"action": "paid_by_hand", "reason": "已在窗口付款",
		"evidence": "V1"}); res.Status != 200 {
		t.Fatalf("propose: %d %s", res.Status, res.Raw)
	}
	if res := onDesk(a, a.Staff("reviewer1"), id, "confirm", map[string]any{"action": "paid_by_hand", "note": "凭证已核"}); res.Status != 200 {
		t.Fatalf("confirm: %d %s", res.Status, res.Raw)
	}
}

// TestSuspense_PaidByHandIsToldToThePatient once, in words that do not send
// people to look at their WeChat balance.
func TestSuspense_PaidByHandIsToldToThePatient(t *testing.T) {
	a := irreversible(t)
	w := lapsed(t, a, "P0002")
	byHand(t, a, w.Order.ID)
	recs := must(a.Runtime.App.FindAllRecords(collections.Notifications, dbx.HashExp{"order": w.Order.ID, "staff": false, "via": "in_app"}))
	var told []string
	for _, r := range recs {
		if r.GetString("event") != "awaiting_payee" {
			told = append(told, r.GetString("event")+" "+r.GetString("body"))
		}
	}
	if len(told) != 1 || !strings.HasPrefix(told[0], "paid_by_hand ") || !strings.Contains(told[0], "30.00") ||
		!strings.Contains(told[0], w.Order.No) || strings.Contains(told[0], "微信") {
		t.Errorf("told: %v", told)
	}
}

// TestSuspense_ChannelPaysAfterPaymentByHand: staff are told again, although
// they were told of the same order before.
func TestSuspense_ChannelPaysAfterPaymentByHand(t *testing.T) {
	a := irreversible(t)
	w := lapsed(t, a, "P0001")
	byHand(t, a, w.Order.ID)
	before := countRows(t, a, collections.Notifications, dbx.HashExp{"order": w.Order.ID, "event": "suspense", "via": "in_app"})
	if status, body := truth(t, w, "after-hand", "SUCCESS").post(t, a); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	wantStatus(t, a, w.Order.ID, refund.StatusSucceeded)
	if n := countRows(t, a, collections.Notifications, dbx.HashExp{"order": w.Order.ID, "event": "suspense", "via": "in_app"}); before != 1 ||
		n != 2 {
		t.Errorf("staff were told %d times before, %d after", before, n)
	}
	if n := countRows(t, a, collections.Callbacks, dbx.HashExp{"callback_id": "after-hand", "effect": refund.EffectContradiction}); n != 1 {
		t.Error("the notification is not booked as a contradiction")
	}
}

// TestNotices_ForStaffAreNotThePatients: what finance is told about an order is
// not for its patient to read.
func TestNotices_ForStaffAreNotThePatients(t *testing.T) {
	a := irreversible(t)
	p := a.Login("P0003", "alipay")
	id := reviewing(t, a, p, 2000)
	a.Review(a.Staff("reviewer1"), id, "reject", "不符")
	a.Drain()
	wantStatus(t, a, id, refund.StatusSuspense)
	if n := countRows(t, a, collections.Notifications, dbx.HashExp{"order": id, "event": "suspense", "via": "in_app",
		"state": "sent"}); n != 1 {
		t.Fatalf("%d notices for staff", n)
	}
	for token, want := range map[string]string{p.Token: "0", a.Staff("finance"): "1"} {
		if res := a.Call("GET", `/api/collections/notifications/records?filter=event="suspense"`, token, nil); res.Text("totalItems") != want {
			t.Errorf("want %s: %s", want, res.Raw)
		}
	}
}
