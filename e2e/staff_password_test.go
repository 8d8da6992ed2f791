package e2e

import (
	"testing"

	"hospay/collections"
	"hospay/lab/demo"
	"hospay/lab/testapp"

	"github.com/pocketbase/dbx"
)

// TestStaffPassword_TheFirstOneIsChanged: the password that the confirmer of an
// account has seen opens nothing but the change of the password.
func TestStaffPassword_TheFirstOneIsChanged(t *testing.T) {
	d := newDesk(t)
	change := d.propose(d.config, "staff", "", map[string]any{"email": "new@demo.hospay", "name": "新同事", "roles": []string{"reviewer"},
		"secrets": map[string]any{"id_no": "11010519491231002X"}})
	first := d.decide(d.finance, change, "confirm").Text("password")
	login := password(d.App, "new", first)
	if login.Status != 200 {
		t.Fatalf("first login: %d %s", login.Status, login.Raw)
	}
	token := login.Text("token")
	for _, c := range [][2]string{{"GET", "/api/hospay/staff/me"}, {"GET", "/api/collections/refund_orders/records"},
		{"POST", "/api/collections/staff/auth-refresh"}, {"POST", "/api/files/token"}, {"POST", "/api/realtime"},
		{"GET", "/api/hospay/staff/totp"}} {
		wantRefusal(t, c[1], d.Call(c[0], c[1], token, nil), 403, "password_change_required")
	}
	change2 := func(token, old, next string) testapp.Answer {
		return d.Call("POST", "/api/hospay/staff/password", token, map[string]any{"old": old, "new": next})
	}
	wantRefusal(t, "太短", change2(token, first, "short"), 400, "password_weak")
	wantRefusal(t, "不变", change2(token, first, first), 400, "password_weak")
	wantRefusal(t, "原密码错误", change2(token, "wrong", "my-own-password"), 400, "password_wrong")
	done := change2(token, first, "my-own-password")
	if done.Status != 200 || done.Text("token") == "" {
		t.Fatalf("change: %d %s", done.Status, done.Raw)
	}
	if res := d.Call("GET", "/api/hospay/staff/me", done.Text("token"), nil); res.Status != 200 {
		t.Errorf("with the new session: %d %s", res.Status, res.Raw)
	}
	if res := d.Call("GET", "/api/hospay/staff/me", token, nil); res.Status != 401 {
		t.Errorf("the old session: %d %s", res.Status, res.Raw)
	}
	if res := password(d.App, "new", first); res.Status != 400 {
		t.Errorf("the first password: %d %s", res.Status, res.Raw)
	}
	if n := countRows(t, d.App, collections.AuditLog, dbx.HashExp{"action": "staff.password"}); n != 1 {
		t.Errorf("%d audit entries", n)
	}
}

// TestStaffPassword_WrongOldOnesLock: a session that was left open does not let
// anybody guess the password.
func TestStaffPassword_WrongOldOnesLock(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	token := a.Staff("finance")
	for i := range 5 {
		want, status := "password_wrong", 400
		if i == 4 {
			want, status = "locked", 403
		}
		wantRefusal(t, "原密码错误", a.Call("POST", "/api/hospay/staff/password", token, map[string]any{"old": "wrong", "new": "my-own-password"}),
			status, want)
	}
	wantRefusal(t, "锁定", password(a, "finance", demo.Password), 403, "locked")
}
