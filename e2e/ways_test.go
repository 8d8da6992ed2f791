package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/internal/testday"
	"hospay/lab/demo"
	"hospay/lab/testapp"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// openWays are the routes of PocketBase by which accounts may come in, by
// collection. Every other one that its router has must be closed.
var openWays = map[string][]string{
	collections.Patients:          {"GET auth-methods", "POST auth-refresh"},
	collections.Staff:             {"GET auth-methods", "POST auth-refresh", "POST auth-with-password"},
	core.CollectionNameSuperusers: {"GET auth-methods", "POST auth-refresh", "POST auth-with-password"},
}

// authRoutes are the routes that PocketBase's router has for an auth collection.
func authRoutes(t *testing.T, a *testapp.App) []string {
	t.Helper()
	var out []string
	for _, r := range routesOf(a.Router.RouterGroup, "") {
		method, path, _ := strings.Cut(r, " ")
		way, ok := strings.CutPrefix(path, "/api/collections/{collection}/")
		if ok && !strings.HasPrefix(way, "records") && way != "truncate" {
			out = append(out, method+" "+way)
		}
	}
	if len(out) < 12 {
		t.Fatalf("the router has only %v", out)
	}
	return out
}

// account is an account of the staff in a state that a way in could treat
// differently.
type account struct{ name, email, password string }

// accounts are a fresh one, one with a second factor, one that was switched off,
// and none.
func accounts(t *testing.T, a *testapp.App) []account {
	t.Helper()
	set(t, a, collections.Staff, `email = "cashier@demo.hospay"`, map[string]any{"active": false})
	return []account{
		{"fresh", "reviewer1@demo.hospay", demo.Password}, {"enrolled", "finance@demo.hospay", demo.Password},
		{"off", "cashier@demo.hospay", demo.Password}, {"nobody", "nobody@demo.hospay", demo.Password},
	}
}

// posted sets a mail server and counts what is sent, whatever it is about.
func posted(t *testing.T, a *testapp.App) func() int {
	t.Helper()
	mails := make(chan string, 100)
	a.Runtime.App.OnMailerSend().BindFunc(func(e *core.MailerEvent) error { mails <- e.Message.Subject; return nil })
	settings := a.Runtime.App.Settings()
	settings.SMTP.Enabled, settings.SMTP.Host, settings.SMTP.Port = true, "127.0.0.1", 25
	if err := a.Runtime.App.Save(settings); err != nil {
		t.Fatal(err)
	}
	return func() int {
		time.Sleep(50 * time.Millisecond) // mails are sent in the background
		return len(mails)
	}
}

// TestWays_OnlyThoseThatAreListedAreOpen asks every route of PocketBase for every
// auth collection, under each policy and for each state of an account: the ways
// that are not listed do not exist, say the same of everybody and send nothing.
func TestWays_OnlyThoseThatAreListedAreOpen(t *testing.T) {
	for _, policy := range []string{"off", "totp"} {
		a := testapp.New(t, testapp.Config{})
		set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"second_factor": "totp"})
		enrol(t, a, "finance")
		set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"second_factor": policy})
		sent := posted(t, a)
		who := accounts(t, a)
		all := must(a.Runtime.App.FindAllCollections(core.CollectionTypeAuth))
		if len(all) != len(openWays) {
			t.Fatalf("%d auth collections, %d are listed", len(all), len(openWays))
		}
		tokens := map[string]string{collections.Patients: a.Login("P0001", "wechat").Token, core.CollectionNameSuperusers: a.Superuser()}
		for _, c := range all {
			for _, r := range authRoutes(t, a) {
				closed(t, a, policy, c, r, who, tokens)
			}
		}
		if n := sent(); n > 0 {
			t.Errorf("%s: %d mails were sent", policy, n)
		}
	}
}

// closed asks a route by name, by id and in capitals, as a stranger, a patient and
// a superuser.
func closed(t *testing.T, a *testapp.App, policy string, c *core.Collection, route string, who []account, tokens map[string]string) {
	t.Helper()
	method, way, _ := strings.Cut(route, " ")
	if slices.Contains(openWays[c.Name], route) {
		return
	}
	said := map[string]bool{}
	for _, name := range []string{c.Name, c.Id, strings.ToUpper(c.Name)} {
		for _, w := range who {
			for _, token := range []string{"", tokens[collections.Patients], tokens[core.CollectionNameSuperusers]} {
				body := map[string]any{"email": w.email, "identity": w.email, "password": w.password, "passwordConfirm": w.password,
					"newEmail": "x@y.cn", "token": "x", "otpId": "x", "provider": "oidc"}
				path := "/api/collections/" + name + "/" + strings.ReplaceAll(way, "{id}", "none")
				res := a.Call(method, path, token, body)
				said[fmt.Sprintf("%d %s", res.Status, res.Code())] = true
			}
		}
	}
	if len(said) != 1 || !said["404 not_found"] {
		t.Errorf("%s: %s of %s: %v, want 404 not_found alone", policy, route, c.Name, said)
	}
}

// TestWays_AMailboxIsNoLogin: even the links and codes that PocketBase would have
// mailed open nothing.
func TestWays_AMailboxIsNoLogin(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	askForCodes(t, a)
	enrol(t, a, "finance")
	staff := must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "finance@demo.hospay"))
	send := func(way string, body map[string]any) {
		t.Helper()
		if res := a.Call("POST", "/api/collections/staff/"+way, "", body); res.Status != 404 {
			t.Errorf("%s: %d %s", way, res.Status, res.Raw)
		}
	}
	send("confirm-password-reset", map[string]any{"token": must(staff.NewPasswordResetToken()), "password": "their-password",
		"passwordConfirm": "their-password"})
	send("confirm-email-change", map[string]any{"token": must(staff.NewEmailChangeToken("thief@evil.cn")), "password": demo.Password})
	send("confirm-verification", map[string]any{"token": must(staff.NewVerificationToken())})
	otp := core.NewOTP(a.Runtime.App)
	otp.SetCollectionRef(staff.Collection().Id)
	otp.SetRecordRef(staff.Id)
	otp.SetPassword("12345678")
	if err := a.Runtime.App.Save(otp); err != nil {
		t.Fatal(err)
	}
	first := password(a, "finance", demo.Password)
	send("auth-with-otp", map[string]any{"otpId": otp.Id, "password": "12345678", "mfaId": first.Text("mfaId")})
	now := must(a.Runtime.App.FindRecordById(collections.Staff, staff.Id))
	if now.Email() != "finance@demo.hospay" || !now.ValidatePassword(demo.Password) {
		t.Error("the account was changed by mail")
	}
}

// TestWays_MailedCodesOfSuperusersAreOneOfTwoSteps: a mailbox is no login of IT
// either.
func TestWays_MailedCodesOfSuperusersAreOneOfTwoSteps(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	sent := posted(t, a)
	ask := func(email string) testapp.Answer {
		return a.Call("POST", "/api/collections/_superusers/request-otp", "", map[string]any{"email": email})
	}
	c := must(a.Runtime.App.FindCollectionByNameOrId(core.CollectionNameSuperusers))
	wantRefusal(t, "没有开通", ask(demo.Superuser), 404, "not_found")
	c.OTP.Enabled = true
	if err := a.Runtime.App.Save(c); err != nil || !c.MFA.Enabled {
		t.Fatalf("a code alone: %v", err) // PocketBase asks superusers for both
	}
	known, unknown := ask(demo.Superuser), ask("nobody@demo.hospay")
	if known.Status != 200 || unknown.Status != 200 || len(known.Text("otpId")) != len(unknown.Text("otpId")) {
		t.Errorf("with two steps: %d %s, %d %s", known.Status, known.Raw, unknown.Status, unknown.Raw)
	}
	if n := sent(); n != 1 {
		t.Errorf("%d mails", n)
	}
}

// TestWays_LoginTellsNotWhoExists: an account that nobody has, one that was
// switched off and one whose password is wrong answer alike, up to the lock and
// beyond it.
func TestWays_LoginTellsNotWhoExists(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	set(t, a, collections.Staff, `email = "cashier@demo.hospay"`, map[string]any{"active": false})
	tries := func(email, password string) string {
		var said []string
		for range 7 {
			res := a.Call("POST", "/api/collections/staff/auth-with-password", "", map[string]any{"identity": email, "password": password})
			said = append(said, string(res.Raw))
		}
		a.Skew(16 * time.Minute)
		res := a.Call("POST", "/api/collections/staff/auth-with-password", "", map[string]any{"identity": email, "password": "wrong-password"})
		return strings.Join(append(said, string(res.Raw)), "\n")
	}
	wrong := tries("finance@demo.hospay", "wrong-password")
	for name, email := range map[string]string{"nobody": "nobody@demo.hospay", "deactivated": "cashier@demo.hospay"} {
		if got := tries(email, demo.Password); got != wrong {
			t.Errorf("%s:\n%s\nwant as a wrong password:\n%s", name, got, wrong)
		}
	}
	if !strings.Contains(wrong, `"locked"`) || strings.Count(wrong, "Failed to authenticate") != 5 {
		t.Errorf("%s", wrong)
	}
}

// TestWays_ASecondFactorIsAskedOfWhoeverHasOne, whatever the institution demands.
func TestWays_ASecondFactorIsAskedOfWhoeverHasOne(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	askForCodes(t, a)
	secret, _, _ := enrol(t, a, "finance")
	set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"second_factor": "off"})
	if res := password(a, "finance", demo.Password); res.Status != http.StatusUnauthorized || res.Text("mfaId") == "" {
		t.Errorf("the password alone: %d %s", res.Status, res.Raw)
	}
	if res := second(t, a, "finance", codeAt(t, secret, 0)); res.Status != 200 {
		t.Errorf("both: %d %s", res.Status, res.Raw)
	}
	if res := password(a, "reviewer1", demo.Password); res.Status != 200 {
		t.Errorf("without one: %d %s", res.Status, res.Raw)
	}
}

// TestSessions_LogoutEndsTheToken and its stream, and no other session of the
// account.
func TestSessions_LogoutEndsTheToken(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	for name, login := range map[string]func() string{
		"staff": func() string { return h.Staff("finance") }, "patient": func() string { return h.Login("P0001", "wechat").Token },
	} {
		path := map[string]string{"staff": "/api/hospay/staff/me", "patient": "/api/hospay/me"}[name]
		token, other := login(), login()
		stream := h.subscribe(t, token)
		if !h.touched(t, stream) {
			t.Errorf("%s: the stream tells nothing", name)
		}
		if res := h.Call("POST", "/api/hospay/auth/logout", token, nil); res.Status != 204 {
			t.Fatalf("%s: logout: %d %s", name, res.Status, res.Raw)
		}
		for _, p := range []string{path, "/api/collections/refund_orders/records", "/api/collections/notices/records"} {
			wantRefusal(t, name+" "+p, h.Call("GET", p, token, nil), 401, "session_ended")
		}
		wantRefusal(t, name+" renews", h.Call("POST", "/api/collections/"+map[string]string{"staff": "staff", "patient": "patients"}[name]+
			"/auth-refresh", token, nil), 401, "session_ended")
		wantRefusal(t, name+" again", h.Call("POST", "/api/hospay/auth/logout", token, nil), 401, "session_ended")
		if res := h.Call("GET", path, other, nil); res.Status != 200 {
			t.Errorf("%s: the other session: %d %s", name, res.Status, res.Raw)
		}
		h.touch(t)
		if !ended(stream) {
			t.Errorf("%s: a stream outlives the session", name)
		}
	}
	wantRefusal(t, "stranger", h.Call("POST", "/api/hospay/auth/logout", "", nil), 401, "not_allowed")
}

// TestSessions_LogoutEndsFileTokens: an address of a photo that was open is worth
// nothing after the logout, also to somebody who is logged in.
func TestSessions_LogoutEndsFileTokens(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	p.SubmittedProxy(elderly, "elderly")
	rec := must(a.Runtime.App.FindFirstRecordByFilter(collections.ProxyMaterials, `kind = "agent_id_front"`))
	path := "/api/files/proxy_materials/" + rec.Id + "/" + rec.GetString("file") + "?token=" +
		a.Call("POST", "/api/files/token", p.Token, nil).Text("token")
	if res := a.Call("GET", path, "", nil); res.Status != 200 {
		t.Fatalf("before: %d", res.Status)
	}
	a.Call("POST", "/api/hospay/auth/logout", p.Token, nil)
	for name, token := range map[string]string{"stranger": "", "other": a.Login("P0002", "alipay").Token} {
		if res := a.Call("GET", path, token, nil); res.Status != 404 {
			t.Errorf("%s: %d", name, res.Status)
		}
	}
}

// touched reports whether a stream hears of a change of the planted order.
func (h *house) touched(t *testing.T, stream <-chan string) bool {
	t.Helper()
	h.touch(t)
	return hears(stream, collections.RefundOrders)
}

func (h *house) touch(t *testing.T) {
	t.Helper()
	event := &core.ModelEvent{App: h.Runtime.App, Context: t.Context(), Type: core.ModelEventTypeUpdate}
	event.Model = must(h.Runtime.App.FindRecordById(collections.RefundOrders, h.rows[collections.RefundOrders]))
	if err := h.Runtime.App.OnModelAfterUpdateSuccess().Trigger(event, func(e *core.ModelEvent) error { return e.Next() }); err != nil {
		t.Fatal(err)
	}
}

// ended reports whether a stream ends, whatever it still had to tell from before.
func ended(stream <-chan string) bool {
	limit := time.After(10 * time.Second)
	for {
		select {
		case _, open := <-stream:
			if !open {
				return true
			}
		case <-limit:
			return false
		}
	}
}

// TestSessions_NothingMovesTheirEnd: a session that is renewed and used all the
// time ends by its absolute life.
func TestSessions_NothingMovesTheirEnd(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	for _, c := range []struct {
		name, me, refresh string
		login             func() string
		uses              int // every 20 minutes, within the life of a session
	}{
		{"staff", "/api/hospay/staff/me", "/api/collections/staff/auth-refresh", func() string { return a.Staff("finance") }, 35},
		{"patient", "/api/hospay/me", "/api/collections/patients/auth-refresh", func() string { return a.Login("P0001", "wechat").Token }, 5},
	} {
		first := c.login()
		token := first
		for n := range c.uses {
			a.Skew(20 * time.Minute)
			if res := a.Call("GET", c.me, token, nil); res.Status != 200 {
				t.Fatalf("%s, use %d: %d %s", c.name, n, res.Status, res.Raw)
			}
			res := a.Call("POST", c.refresh, token, nil)
			if token = res.Text("token"); res.Status != 200 || token == "" {
				t.Fatalf("%s, renewal %d: %d %s", c.name, n, res.Status, res.Raw)
			}
		}
		a.Skew(20 * time.Minute)
		for _, last := range []string{first, token} {
			wantRefusal(t, c.name+" 到时", a.Call("GET", c.me, last, nil), 401, "session_expired")
			wantRefusal(t, c.name+" 到时续期", a.Call("POST", c.refresh, last, nil), 401, "session_expired")
		}
	}
}

// TestSessions_APatientRestsForHalfAnHour and no longer.
func TestSessions_APatientRestsForHalfAnHour(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	used, left := a.Login("P0001", "wechat").Token, a.Login("P0001", "wechat").Token
	for range 2 {
		a.Skew(20 * time.Minute)
		if res := a.Call("GET", "/api/hospay/me", used, nil); res.Status != 200 || res.Text("idle_minutes") != "30" {
			t.Fatalf("in use: %d %s", res.Status, res.Raw)
		}
	}
	wantRefusal(t, "放下的手机", a.Call("GET", "/api/hospay/me", left, nil), 401, "idle")
	if res := a.Call("POST", "/api/hospay/auth/ticket", left, map[string]any{"ticket": "forged"}); res.Code() != "ticket_invalid" {
		t.Errorf("at the way in: %d %s", res.Status, res.Raw)
	}
}

// TestSessions_ATokenWithoutOneIsWorthNothing: not of an older program, not of
// another account's session.
func TestSessions_ATokenWithoutOneIsWorthNothing(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	a.Staff("reviewer1")
	staff := must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "finance@demo.hospay"))
	for name, token := range map[string]string{"PocketBase": must(staff.NewAuthToken()), "static": must(staff.NewStaticAuthToken(time.Hour))} {
		wantRefusal(t, name, a.Call("GET", "/api/hospay/staff/me", token, nil), 401, "session_ended")
	}
	token := a.Staff("finance")
	if _, err := a.Runtime.App.NonconcurrentDB().Update(collections.Sessions, dbx.Params{"account": "another00000000"},
		dbx.HashExp{"account": staff.Id}).Execute(); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, "another account's", a.Call("GET", "/api/hospay/staff/me", token, nil), 401, "session_ended")
}

// TestSessions_AreForgotten some days after their end, and an open login of two
// steps leaves none alive.
func TestSessions_AreForgotten(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	askForCodes(t, a)
	password(a, "finance", demo.Password)
	if n := countRows(t, a, collections.Sessions, dbx.HashExp{"ended": ""}); n != 0 {
		t.Errorf("%d sessions of a login that is not complete", n)
	}
	a.Login("P0001", "wechat")
	for _, c := range []struct {
		after time.Duration
		left  int
	}{{47 * time.Hour, 2}, {63 * time.Hour, 0}} {
		if _, err := a.Store.PurgeSessions(testday.Now().Add(c.after)); err != nil {
			t.Fatal(err)
		}
		if n := countRows(t, a, collections.Sessions, dbx.NewExp("1=1")); n != c.left {
			t.Errorf("after %v %d sessions are left, want %d", c.after, n, c.left)
		}
	}
}
