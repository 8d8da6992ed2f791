package e2e

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hospay/cmd"
	"hospay/collections"
	"hospay/internal/testday"
	"hospay/internal/totp"
	"hospay/internal/vault"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// password sends the first step of a staff login.
func password(a *testapp.App, name, pass string) testapp.Answer {
	a.TB.Helper()
	return a.Call("POST", "/api/collections/staff/auth-with-password", "", map[string]any{"identity": name + "@demo.hospay", "password": pass})
}

// askForCodes makes the demo institution ask for a second factor.
func askForCodes(t *testing.T, a *testapp.App) {
	t.Helper()
	inst := must(a.Runtime.App.FindRecordById(collections.Institutions, a.Institution))
	inst.Set("second_factor", store.SecondFactorTOTP)
	if err := a.Runtime.App.Save(inst); err != nil {
		t.Fatal(err)
	}
}

// codeAt is the code of the app, some steps away from now. The oldest that counts
// would be too old if a step ended while it is on its way.
func codeAt(t *testing.T, secret string, steps int64) string {
	t.Helper()
	if left := 30*time.Second - time.Duration(testday.Now().UnixNano())%(30*time.Second); steps < 0 && left < 3*time.Second {
		time.Sleep(left)
	}
	return must(totp.Code(secret, totp.Step(testday.Now())+steps))
}

// enrol takes a staff member through the first login under the policy and
// returns secret, recovery codes and token.
func enrol(t *testing.T, a *testapp.App, name string) (secret string, recovery []string, token string) {
	t.Helper()
	first := password(a, name, demo.Password)
	if first.Status != 401 || first.Text("mfaId") == "" {
		t.Fatalf("first step: %d %s", first.Status, first.Raw)
	}
	secret, uri := secretOf(t, a, first.Text("mfaId"))
	if !strings.HasPrefix(uri, "otpauth://totp/") || !strings.Contains(uri, "secret="+secret) {
		t.Errorf("uri %q", uri)
	}
	res := a.Call("POST", "/api/hospay/staff/totp", "", map[string]any{"mfaId": first.Text("mfaId"), "code": codeAt(t, secret, -1)})
	if res.Status != 200 || res.Text("token") == "" {
		t.Fatalf("confirmation: %d %s", res.Status, res.Raw)
	}
	meta, _ := res.Body["meta"].(map[string]any)
	codes, _ := meta["recovery_codes"].([]any)
	for _, c := range codes {
		recovery = append(recovery, c.(string))
	}
	if len(recovery) != 10 {
		t.Fatalf("recovery codes: %v", meta)
	}
	return secret, recovery, res.Text("token")
}

func secretOf(t *testing.T, a *testapp.App, mfaID string) (secret, uri string) {
	t.Helper()
	req := httptest.NewRequest("GET", "/api/hospay/staff/totp", nil)
	req.Header.Set("X-Mfa-Id", mfaID)
	mux := must(a.Router.BuildMux())
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, req)
	if w.Code != 200 {
		return "", ""
	}
	out := struct{ Secret, URI string }{}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	return out.Secret, out.URI
}

// second sends the second step after a right password.
func second(t *testing.T, a *testapp.App, name, code string) testapp.Answer {
	t.Helper()
	first := password(a, name, demo.Password)
	if first.Text("mfaId") == "" {
		return first
	}
	return a.Call("POST", "/api/hospay/staff/auth-with-totp", "", map[string]any{"mfaId": first.Text("mfaId"), "code": code})
}

func TestStaffLogin_SecondFactorIsEnrolledAtTheFirstLogin(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	if res := password(a, "finance", demo.Password); res.Status != 200 {
		t.Fatalf("without the policy: %d %s", res.Status, res.Raw)
	}
	askForCodes(t, a)
	secret, recovery, token := enrol(t, a, "finance")
	me := a.Call("GET", "/api/hospay/staff/me", token, nil)
	factor, _ := me.Body["second_factor"].(map[string]any)
	inst, _ := me.Body["institution"].(map[string]any)
	if factor["policy"] != "totp" || factor["enrolled"] != true || factor["recovery_left"] != float64(10) || inst["name"] != "演示医院" ||
		me.Text("roles") != "[finance]" {
		t.Errorf("%s", me.Raw)
	}
	if res := second(t, a, "finance", codeAt(t, secret, -1)); res.Status != 400 || res.Code() != "totp_invalid" {
		t.Errorf("the code of the enrolment again: %d %s", res.Status, res.Raw)
	}
	if res := second(t, a, "finance", codeAt(t, secret, 0)); res.Status != 200 || res.Text("token") == "" {
		t.Errorf("the present code: %d %s", res.Status, res.Raw)
	}
	if res := second(t, a, "finance", codeAt(t, secret, 0)); res.Code() != "totp_invalid" {
		t.Errorf("a replayed code: %d %s", res.Status, res.Raw)
	}
	if res := second(t, a, "finance", strings.ToLower(recovery[3])); res.Status != 200 {
		t.Errorf("recovery: %d %s", res.Status, res.Raw)
	}
	if res := second(t, a, "finance", recovery[3]); res.Code() != "totp_invalid" {
		t.Errorf("a recovery code twice: %d %s", res.Status, res.Raw)
	}
	first := password(a, "finance", demo.Password)
	if secret, _ := secretOf(t, a, first.Text("mfaId")); secret != "" {
		t.Error("the secret is told again")
	}
	var row struct {
		Sealed   string `db:"totp_sealed"`
		Recovery string `db:"recovery"`
	}
	if err := a.Runtime.App.ConcurrentDB().NewQuery("SELECT totp_sealed, recovery FROM staff_security WHERE totp_on").One(&row); err != nil ||
		strings.Contains(row.Sealed, secret) || strings.Contains(row.Recovery, recovery[0]) {
		t.Errorf("stored in clear: %+v %v", row, err)
	}
}

// TestStaffLogin_PasswordAloneIsNotEnough: no way past the second step.
func TestStaffLogin_PasswordAloneIsNotEnough(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	askForCodes(t, a)
	enrol(t, a, "finance")
	first := password(a, "finance", demo.Password)
	if first.Text("token") != "" {
		t.Fatal("a token for the password alone")
	}
	again := a.Call("POST", "/api/collections/staff/auth-with-password", "", map[string]any{"identity": "finance@demo.hospay",
		"password": demo.Password, "mfaId": first.Text("mfaId")})
	if again.Status == 200 {
		t.Error("the password counts as both steps")
	}
	for _, mfa := range []string{"", "none", a.Institution} {
		if res := a.Call("POST", "/api/hospay/staff/auth-with-totp", "", map[string]any{"mfaId": mfa, "code": "000000"}); res.Status != 401 {
			t.Errorf("step %q: %d %s", mfa, res.Status, res.Raw)
		}
	}
	other := password(a, "cashier", demo.Password)
	if res := a.Call("POST", "/api/hospay/staff/auth-with-totp", "",
		map[string]any{"mfaId": other.Text("mfaId"), "code": ""}); res.Code() != "totp_invalid" {
		t.Errorf("an account that has not enrolled: %d %s", res.Status, res.Raw)
	}
}

func TestStaffLogin_FiveFailuresLockAndSurviveRestart(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	config := a.Staff("config")
	for i := range 5 {
		res := password(a, "finance", "wrong-password")
		if want := map[bool]string{true: "locked", false: ""}[i == 4]; res.Code() != want {
			t.Errorf("failure %d: %d %s", i+1, res.Status, res.Raw)
		}
	}
	if res := password(a, "finance", demo.Password); res.Status != 403 || res.Code() != "locked" {
		t.Errorf("the right password of a locked account: %d %s", res.Status, res.Raw)
	}
	if res := password(a, "cashier", demo.Password); res.Status != 200 {
		t.Errorf("another account: %d", res.Status)
	}
	if _, err := a.Runtime.App.FindFirstRecordByFilter(collections.AuditLog, `action = "staff.locked" && institution = {:i}`,
		dbx.Params{"i": a.Institution}); err != nil {
		t.Error("the lock is not in the audit log")
	}
	reopen(t, a)
	if res := password(a, "finance", demo.Password); res.Code() != "locked" {
		t.Errorf("after the restart: %d %s", res.Status, res.Raw)
	}
	id := must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "finance@demo.hospay")).Id
	if res := a.Call("POST", "/api/hospay/staff/"+id+"/unlock", config, map[string]any{}); res.Code() != "note_required" {
		t.Errorf("without a note: %d %s", res.Status, res.Raw)
	}
	if res := a.Call("POST", "/api/hospay/staff/"+id+"/unlock", config, map[string]any{"note": "电话核实本人"}); res.Status != 200 {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	if res := password(a, "finance", demo.Password); res.Status != 200 {
		t.Errorf("after the unlock: %d %s", res.Status, res.Raw)
	}
}

// reopen ends the program and starts it on the same data folder.
func reopen(t *testing.T, a *testapp.App) {
	t.Helper()
	if err := a.Runtime.App.ClearBootstrap(); err != nil {
		t.Fatal(err)
	}
	app := testapp.Bare(a.Dir)
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	router := must(apis.NewRouter(app))
	a.Router = router
	a.Runtime = must(cmd.Assemble(&core.ServeEvent{App: app, Router: router}, cmd.Options{
		Env: cmd.EnvDemo, KeyFile: filepath.Join(a.Dir, "key.json"), Timing: refund.DefaultTiming(), Now: a.Now, Idle: true,
		Log: slog.New(slog.DiscardHandler),
	}))
	srv := httptest.NewServer(must(router.BuildMux()))
	t.Cleanup(srv.Close)
	a.URL = srv.URL
}

// TestStaffLogin_LockEndsAndOldFailuresAreForgotten moves the stored times.
func TestStaffLogin_LockEndsAndOldFailuresAreForgotten(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	db := a.Runtime.App.NonconcurrentDB()
	for range 5 {
		password(a, "finance", "wrong-password")
	}
	age := func(column string) {
		if _, err := db.NewQuery("UPDATE staff_security SET " + column + " = strftime('%Y-%m-%d %H:%M:%fZ', " + column +
			", '-16 minutes') WHERE " + column + " != ''").Execute(); err != nil {
			t.Fatal(err)
		}
	}
	age("locked_until")
	if res := password(a, "finance", "wrong-password"); res.Status != 400 || res.Code() == "locked" {
		t.Errorf("one failure after the lock: %d %s", res.Status, res.Raw)
	}
	for range 3 {
		password(a, "finance", "wrong-password")
	}
	age("failed_at")
	if res := password(a, "finance", "wrong-password"); res.Code() == "locked" {
		t.Error("old failures count")
	}
	if res := password(a, "finance", demo.Password); res.Status != 200 {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}

// TestStaffLogin_AttemptsAtOnceDoNotPassTheLock sends the right password among
// many wrong ones that are under way together.
func TestStaffLogin_AttemptsAtOnceDoNotPassTheLock(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	var judged atomic.Int32
	var wg sync.WaitGroup
	for range 24 {
		wg.Go(func() {
			if res := password(a, "finance", "wrong-password"); res.Status == 400 {
				judged.Add(1)
			}
		})
	}
	wg.Wait()
	if n := judged.Load(); n > 5 {
		t.Errorf("%d passwords were judged before the lock", n)
	}
	if res := password(a, "finance", demo.Password); res.Code() != "locked" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}

// TestStaffLogin_WrongCodesLock: a right password before each code does not
// start the count anew.
func TestStaffLogin_WrongCodesLock(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	askForCodes(t, a)
	secret, _, token := enrol(t, a, "finance")
	for i := range 5 {
		res := second(t, a, "finance", "000000")
		if want := map[bool]string{true: "locked", false: "totp_invalid"}[i == 4]; res.Code() != want {
			t.Errorf("code %d: %d %s", i+1, res.Status, res.Raw)
		}
	}
	if res := second(t, a, "finance", codeAt(t, secret, 0)); res.Code() != "locked" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	if res := a.Call("GET", "/api/hospay/staff/me", token, nil); res.Status != 200 {
		t.Errorf("the session that was open: %d", res.Status)
	}
}

func TestStaffLogin_IdleSessionEnds(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	inst := must(a.Runtime.App.FindRecordById(collections.Institutions, a.Institution))
	inst.Set("idle_minutes", 10)
	if err := a.Runtime.App.Save(inst); err != nil {
		t.Fatal(err)
	}
	finance := a.Staff("finance")
	ago := func(minutes int) string {
		return a.Now().Add(-time.Duration(minutes) * time.Minute).UTC().Format(types.DefaultDateLayout)
	}
	rest := func(minutes int) {
		if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE sessions SET seen = '" + ago(minutes) + "'").
			Execute(); err != nil {
			t.Fatal(err)
		}
	}
	rest(9)
	if res := a.Call("GET", "/api/hospay/queue/counts", finance, nil); res.Status != 200 {
		t.Errorf("%d", res.Status)
	}
	var seen string
	if err := a.Runtime.App.ConcurrentDB().NewQuery("SELECT seen < '" + ago(8) + "' FROM sessions").Row(&seen); err != nil ||
		seen != "1" {
		t.Errorf("a request that pages make by themselves counts as an act: %q %v", seen, err)
	}
	if res := a.Call("GET", "/api/hospay/staff/me", finance, nil); res.Status != 200 || res.Text("idle_minutes") != "10" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	rest(11)
	for _, c := range [][2]string{{"GET", "/api/hospay/stats/refunds"}, {"POST", "/api/hospay/payouts/freeze"},
		{"GET", "/api/collections/refund_orders/records"}, {"POST", "/api/collections/staff/auth-refresh"}} {
		if res := a.Call(c[0], c[1], finance, nil); res.Status != 401 || res.Code() != "idle" {
			t.Errorf("%s: %d %s", c[1], res.Status, res.Raw)
		}
	}
	if res := a.Call("GET", "/api/hospay/staff/me", a.Staff("finance"), nil); res.Status != 200 {
		t.Errorf("after a new login: %d", res.Status)
	}
}

// TestStaffLogin_DeactivationAndRolesTakeEffectAtOnce holds for tokens, for the
// renewal of tokens and for streams that are open.
func TestStaffLogin_DeactivationAndRolesTakeEffectAtOnce(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	app, token := h.Runtime.App, h.Staff("reviewer2")
	staff := must(app.FindAuthRecordByEmail(collections.Staff, "reviewer2@demo.hospay"))
	stream := h.subscribe(t, token)
	touch := func() bool {
		t.Helper()
		event := &core.ModelEvent{App: app, Context: t.Context(), Type: core.ModelEventTypeUpdate}
		event.Model = must(app.FindRecordById(collections.RefundOrders, h.rows[collections.RefundOrders]))
		if err := app.OnModelAfterUpdateSuccess().Trigger(event, func(e *core.ModelEvent) error { return e.Next() }); err != nil {
			t.Fatal(err)
		}
		end := time.After(400 * time.Millisecond)
		for {
			select {
			case name := <-stream:
				if name == collections.RefundOrders {
					return true
				}
			case <-end:
				return false
			}
		}
	}
	drain := func() { // an event comes once for each of its topics
		time.Sleep(150 * time.Millisecond)
		for len(stream) > 0 {
			<-stream
		}
	}
	change := func(field string, v any) {
		t.Helper()
		staff.Set(field, v)
		if err := app.Save(staff); err != nil {
			t.Fatal(err)
		}
	}
	if !touch() {
		t.Fatal("the stream tells nothing")
	}
	drain()
	change("roles", []string{"config"})
	if h.Call("GET", "/api/hospay/queue/counts", token, nil).Status != 403 || h.lists(collections.RefundOrders, token) {
		t.Error("a role that is gone still opens")
	}
	drain()
	if touch() {
		t.Error("a role that is gone still listens")
	}
	change("roles", []string{"reviewer"})
	if h.Call("GET", "/api/hospay/queue/counts", token, nil).Status != 200 || !touch() {
		t.Error("a role that came back does not open")
	}
	drain()
	change("active", false)
	for _, c := range [][2]string{{"GET", "/api/hospay/staff/me"}, {"GET", "/api/hospay/queue/counts"},
		{"POST", "/api/collections/staff/auth-refresh"}} {
		if res := h.Call(c[0], c[1], token, nil); res.Status != 401 || res.Code() != "session_ended" {
			t.Errorf("%s of a deactivated account: %d %s", c[1], res.Status, res.Raw)
		}
	}
	drain()
	if h.lists(collections.RefundOrders, token) {
		t.Error("a deactivated account still reads")
	}
	if touch() {
		t.Error("a deactivated account still listens")
	}
	if res := password(h.App, "reviewer2", demo.Password); res.Status != 400 {
		t.Errorf("login of a deactivated account: %d %s", res.Status, res.Raw)
	}
}

// TestStaffLogin_ResetOfTheSecondFactor is for a lost phone: by another
// person, with a note, in the audit log.
func TestStaffLogin_ResetOfTheSecondFactor(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	askForCodes(t, a)
	_, _, config := enrol(t, a, "config")
	enrol(t, a, "finance")
	of := func(name string) string {
		return must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, name+"@demo.hospay")).Id
	}
	body := map[string]any{"note": "手机丢失，已当面核实", "reset_second_factor": true}
	if res := a.Call("POST", "/api/hospay/staff/"+of("config")+"/unlock", config, body); res.Status != 403 {
		t.Errorf("one's own: %d %s", res.Status, res.Raw)
	}
	people := func(finance string) {
		set(t, a, collections.Staff, `email = "config@demo.hospay"`, map[string]any{"person_index": "one-person"})
		set(t, a, collections.Staff, `email = "finance@demo.hospay"`, map[string]any{"person_index": finance})
	}
	people("one-person")
	if res := a.Call("POST", "/api/hospay/staff/"+of("finance")+"/unlock", config, body); res.Status != 403 {
		t.Errorf("one's own other account: %d %s", res.Status, res.Raw)
	}
	people("another-person")
	if res := a.Call("POST", "/api/hospay/staff/"+of("finance")+"/unlock", config, body); res.Status != 200 {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	enrol(t, a, "finance")
	var details string
	if err := a.Runtime.App.ConcurrentDB().NewQuery("SELECT details FROM audit_log WHERE action = 'staff.unlock'").Row(&details); err != nil ||
		!strings.Contains(details, "手机丢失") {
		t.Errorf("%q %v", details, err)
	}
}

// TestStaffLogin_SecretsFollowNewKeys: a rotation of the data keys seals the
// secrets anew, and the app's codes go on.
func TestStaffLogin_SecretsFollowNewKeys(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	askForCodes(t, a)
	secret, _, _ := enrol(t, a, "finance")
	sealed := func() (s string) {
		if err := a.Runtime.App.ConcurrentDB().NewQuery("SELECT totp_sealed FROM staff_security WHERE totp_on").Row(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := sealed()
	if err := a.Store.Vault().Rotate(vault.Secret); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Store.Reseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if sealed() == before {
		t.Error("the secret stays under the old key")
	}
	if res := second(t, a, "finance", codeAt(t, secret, 0)); res.Status != 200 {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}
