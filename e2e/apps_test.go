package e2e

import (
	"testing"

	"hospay/collections"
	"hospay/flow"
	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/refund"
	"hospay/sim/portal"
	simwechat "hospay/sim/wechat"

	"github.com/pocketbase/dbx"
)

// noUnion makes WeChat tell no unionid, as of apps that no open platform joins.
func noUnion(t *testing.T, a *testapp.App) {
	t.Helper()
	if err := a.Sims.WeChat.Settings().Update(func(s *simwechat.Settings) error { s.NoUnionid = true; return nil }); err != nil {
		t.Fatal(err)
	}
}

// inMini comes in by the mini program; token may be that of who is logged in.
func inMini(t *testing.T, a *testapp.App, no, token string) testapp.Answer {
	t.Helper()
	return a.Call("POST", "/api/hospay/auth/wechat", token, map[string]any{"code": must(a.Sims.WeChat.NewMiniCode(no)), "terminal": "mini"})
}

func patientIn(res testapp.Answer) string {
	rec, _ := res.Body["record"].(map[string]any)
	id, _ := rec["id"].(string)
	return id
}

// paidTo is where money of a person goes at WeChat.
func paidTo(t *testing.T, a *testapp.App, id string) string {
	t.Helper()
	return must(a.Store.PatientAccount(t.Context(), id, "wechat")).Account
}

// TestApps_TheUnionidJoinsThem: who is known in the official account is known in the
// mini program, and money goes to the one that they came in by last.
func TestApps_TheUnionidJoinsThem(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	who := a.Sims.World.Find("P0003")
	id := patientIn(a.Call("POST", registerPath, "", says(arrive(t, a, "wechat", "P0003"), who, nil)))
	if id == "" || paidTo(t, a, id) != who.Openid {
		t.Fatalf("%q is paid to %s", id, paidTo(t, a, id))
	}
	mini := flow.InApp(simwechat.MiniAppID, who.MiniOpenid)
	if res := inMini(t, a, "P0003", ""); res.Status != 200 || patientIn(res) != id || paidTo(t, a, id) != mini {
		t.Fatalf("in the mini program: %d %s, paid to %s", res.Status, res.Raw, paidTo(t, a, id))
	}
	noUnion(t, a) // both are known by themselves now
	if res := a.Call("POST", "/api/hospay/auth/wechat", "", map[string]any{"code": code(t, a, "wechat", "P0003")}); patientIn(res) != id ||
		paidTo(t, a, id) != who.Openid {
		t.Errorf("back in the official account: %d %s, paid to %s", res.Status, res.Raw, paidTo(t, a, id))
	}
	if res := inMini(t, a, "P0003", ""); patientIn(res) != id || paidTo(t, a, id) != mini {
		t.Errorf("again in the mini program: %d %s", res.Status, res.Raw)
	}
	if to := must(a.Store.MessageAccount(t.Context(), id, "wechat")).Account; to != who.Openid {
		t.Errorf("messages of the official account go to %s", to)
	}
	if n := countRows(t, a, collections.Patients, nil); n != 1 {
		t.Errorf("%d patients", n)
	}
}

// TestApps_WithoutAUnionidThePortalJoinsThem, or whoever is logged in; whoever knows
// a person's papers does not.
func TestApps_WithoutAUnionidThePortalJoinsThem(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	noUnion(t, a)
	who := a.Sims.World.Find("P0003")
	id := patientIn(a.Call("POST", registerPath, "", says(arrive(t, a, "wechat", "P0003"), who, nil)))
	stranger := inMini(t, a, "P0003", "")
	if stranger.Status != 200 || stranger.Text("registration") == "" || stranger.Text("token") != "" {
		t.Fatalf("nobody joins them: %d %s", stranger.Status, stranger.Raw)
	}
	wantRefusal(t, "知道证件的人", a.Call("POST", registerPath, "", says(stranger.Text("registration"), who, nil)), 400, "entry_refused")
	for _, c := range []struct{ name, app, want string }{
		{"别家的小程序", "wxsomebodyelse0000", who.Openid}, {"公众号", simwechat.AppID, who.Openid},
		{"本院的小程序", simwechat.MiniAppID, flow.InApp(simwechat.MiniAppID, who.MiniOpenid)},
	} {
		x := claims(who, "jti-"+c.app)
		x.AppID, x.Openid = c.app, who.MiniOpenid
		if c.app == simwechat.AppID {
			x.Openid = who.Openid
		}
		if res := enter(t, a, x, portal.Secret); patientIn(res) != id || paidTo(t, a, id) != c.want {
			t.Errorf("%s: %d %s, paid to %s", c.name, res.Status, res.Raw, paidTo(t, a, id))
		}
	}
	odd := claims(who, "jti-odd")
	odd.Openid = flow.InApp(simwechat.MiniAppID, who.MiniOpenid)
	wantRefusal(t, "openid里写了应用", enter(t, a, odd, portal.Secret), 400, "bad_request")
	if res := inMini(t, a, "P0003", ""); patientIn(res) != id {
		t.Errorf("after the portal: %d %s", res.Status, res.Raw)
	}
	other := a.Login("P0004", "wechat")
	wantRefusal(t, "别人的小程序账号", inMini(t, a, "P0003", other.Token), 409, "conflict")
	if res := inMini(t, a, "P0004", other.Token); patientIn(res) != other.ID || paidTo(t, a, other.ID) == a.Sims.World.Find("P0004").Openid {
		t.Errorf("bound by who is logged in: %d %s", res.Status, res.Raw)
	}
}

// TestApps_TwoPeopleOfOnePhone: the mother's official account, the child's mini
// program; one unionid is both of theirs, and each stays who they are.
func TestApps_TwoPeopleOfOnePhone(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	noUnion(t, a)
	mother, child := a.Login("P0001", "wechat"), a.Login("P0007", "alipay")
	if res := inMini(t, a, "P0001", child.Token); patientIn(res) != child.ID {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	if err := a.Sims.WeChat.Settings().Update(func(s *simwechat.Settings) error { s.NoUnionid = false; return nil }); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if res := inMini(t, a, "P0001", ""); patientIn(res) != child.ID {
			t.Errorf("the mini program: %d %s", res.Status, res.Raw)
		}
		came := map[string]any{"code": code(t, a, "wechat", "P0001")}
		if res := a.Call("POST", "/api/hospay/auth/wechat", "", came); patientIn(res) != mother.ID {
			t.Errorf("the official account: %d %s", res.Status, res.Raw)
		}
	}
}

// TestApps_RefundConfirmedInTheMiniProgram: the transfer is made for the mini program
// and its openid, is confirmed there alone, and all books agree.
func TestApps_RefundConfirmedInTheMiniProgram(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	if res := inMini(t, a, "P0001", p.Token); patientIn(res) != p.ID {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	id := apply(t, p, "wechat", "transfer", 3000, nil)
	if res := a.Call("POST", "/api/hospay/auth/wechat", "", map[string]any{"code": code(t, a, "wechat", "P0001")}); patientIn(res) != p.ID {
		t.Fatalf("%d %s", res.Status, res.Raw) // what is under way stays where it was begun
	}
	a.Drain()
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	a.Drain()
	w := wantStatus(t, a, id, refund.StatusAwaitingPayee)
	c := p.Call("GET", "/api/hospay/refunds/"+id+"/confirmation", p.Token, nil)
	if c.Text("app_id") != simwechat.MiniAppID || c.Body["mini"] != true {
		t.Fatalf("%s", c.Raw)
	}
	who := a.Sims.World.Find("P0001")
	if err := a.Sims.WeChat.ConfirmShown(w.Transfer.No, simwechat.Shown{Package: c.Text("package"), MchID: c.Text("mch_id"),
		AppID: simwechat.AppID}); err == nil {
		t.Error("confirmed in the official account")
	}
	if err := shown(a, p, id); err != nil {
		t.Fatal(err)
	}
	a.Drain()
	wantStatus(t, a, id, refund.StatusSucceeded)
	paid := 0
	for _, e := range a.Sims.WeChat.Ledger().Entries() {
		if e.Kind == "transfer" && e.Party == who.MiniOpenid && e.Amount == 3000 {
			paid++
		}
	}
	if paid != 1 {
		t.Errorf("paid %d times to the openid of the mini program", paid)
	}
	balanced(t, a)
}

// TestApps_PaymentsInTheMiniProgram are made for it, whichever app the patient came
// in by last; those of a page in the official account are not.
func TestApps_PaymentsInTheMiniProgram(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newAPIPayer(t, a, "P0001", "wechat")
	if res := inMini(t, a, "P0001", p.token); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	for _, c := range []struct {
		terminal, app string
		insured       bool
	}{{"mini", simwechat.MiniAppID, false}, {"h5", simwechat.AppID, false}, {"mini", simwechat.MiniAppID, true}} {
		bill := p.bill(payment.KindOutpatient, 10_000)
		p.shownBill(bill)
		benefit := ""
		if c.insured {
			benefit = p.chosen(bill, "440100")
			p.shownBill(bill)
			p.credentialed()
		}
		wish := p.wish(bill, c.insured, benefit)
		wish["terminal"] = c.terminal
		id := p.creates(wish)
		o := p.payable(id)
		said := p.words(id)
		pay, _ := said.Body["pay"].(map[string]any)
		values, _ := pay["values"].(map[string]any)
		app := values["appId"]
		if c.insured {
			app = values["appid"]
		}
		if app != c.app || said.Text("terminal") != c.terminal {
			t.Errorf("%+v is paid in %v: %s", c, app, said.Raw)
		}
		if err := a.Sims.WeChat.Pay(o.TradeNo); err != nil {
			t.Fatal(err)
		}
		p.agrees(p.until(id, payment.StatusDone))
	}
	if res := a.Call("POST", "/api/hospay/auth/wechat", "", map[string]any{"code": "x", "terminal": "watch"}); res.Code() != "bad_request" {
		t.Errorf("an odd terminal: %s", res.Raw)
	}
}

// TestApps_AHospitalWithoutAMiniProgram refuses its codes, and a phone that changed
// hands loses both accounts.
func TestApps_AHospitalWithoutAMiniProgram(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	if res := inMini(t, a, "P0001", p.Token); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	path := "/api/collections/patients/records/" + p.ID
	if res := a.Call("PATCH", path, a.Superuser(), map[string]any{"wechat_bound": false}); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	rec := must(a.Runtime.App.FindRecordById(collections.Patients, p.ID))
	for _, field := range []string{"wechat_openid_sealed", "wechat_index", "mini_openid_sealed", "mini_index", "union_index", "wechat_app"} {
		if rec.GetString(field) != "" {
			t.Errorf("%s is left", field)
		}
	}
	config := must(a.Runtime.App.FindFirstRecordByFilter(collections.ChannelConfigs, `institution = {:i} && channel = "wechat"`,
		dbx.Params{"i": a.Institution}))
	var settings map[string]any
	if err := config.UnmarshalJSONField("settings", &settings); err != nil {
		t.Fatal(err)
	}
	delete(settings, "mini_appid")
	if res := a.Call("PATCH", "/api/collections/channel_configs/records/"+config.Id, a.Superuser(),
		map[string]any{"settings": settings}); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	if res := inMini(t, a, "P0001", ""); res.Code() != "channel_off" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}
