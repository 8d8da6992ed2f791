package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/sim/world"

	"github.com/pocketbase/dbx"
)

// code is what a channel's authorisation page sends a person back with.
func code(t *testing.T, a *testapp.App, channel, no string) string {
	t.Helper()
	c, err := a.Sims.WeChat.NewCode(no)
	if channel == "alipay" {
		c, err = a.Sims.Alipay.NewCode(a.Sims.Alipay.Config().AppID, no)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// arrive comes with an account that is nobody's yet and gets what to register with.
func arrive(t *testing.T, a *testapp.App, channel, no string) string {
	t.Helper()
	res := a.Call("POST", "/api/hospay/auth/"+channel, "", map[string]any{"code": code(t, a, channel, no)})
	if res.Status != 200 || res.Text("registration") == "" || res.Text("token") != "" {
		t.Fatalf("%s of %s: %d %s", channel, no, res.Status, res.Raw)
	}
	return res.Text("registration")
}

// says is what a person says of themselves.
func says(registration string, who *world.Patient, change func(map[string]any)) map[string]any {
	body := map[string]any{"registration": registration, "name": who.Name, "id_type": "01", "id_no": who.IDNo, "card_no": who.Cards[0]}
	if change != nil {
		change(body)
	}
	return body
}

const registerPath = "/api/hospay/auth/register"

// TestEntry_WithoutAPortal: a patient whom nobody sends says who they are, HIS
// confirms it, and their account is theirs from then on.
func TestEntry_WithoutAPortal(t *testing.T) {
	for _, channel := range []string{"wechat", "alipay"} {
		t.Run(channel, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			who := a.Sims.World.Find("P0003")
			in := a.Call("POST", registerPath, "", says(arrive(t, a, channel, "P0003"), who, nil))
			rec, _ := in.Body["record"].(map[string]any)
			if in.Status != 200 || in.Text("token") == "" || rec[channel+"_bound"] != true {
				t.Fatalf("register: %d %s", in.Status, in.Raw)
			}
			cards := a.Call("GET", "/api/hospay/cards", in.Text("token"), nil)
			if cards.Status != 200 || !strings.Contains(string(cards.Raw), who.Cards[0]) {
				t.Errorf("cards: %d %s", cards.Status, cards.Raw)
			}
			again := a.Call("POST", "/api/hospay/auth/"+channel, "", map[string]any{"code": code(t, a, channel, "P0003")})
			if again.Status != 200 || again.Text("token") == "" {
				t.Errorf("the second time: %d %s", again.Status, again.Raw)
			}
			if n := countRows(t, a, collections.AuditLog, dbx.HashExp{"action": "patient.entered", "actor": rec["id"]}); n != 1 {
				t.Errorf("%d rows in the audit log", n)
			}
			for _, via := range []string{"in_app", "sms"} { // once: to whoever came in, and to the phone that HIS has
				if n := countRows(t, a, collections.Notifications, dbx.HashExp{"event": "entered", "via": via, "patient": rec["id"]}); n != 1 {
					t.Errorf("the person is told %d times by %s", n, via)
				}
			}
		})
	}
}

// TestEntry_WhateverDoesNotFitIsOneAnswer, so that nobody learns which part was right,
// and nothing is kept of it.
func TestEntry_WhateverDoesNotFitIsOneAnswer(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	who, other := a.Sims.World.Find("P0003"), a.Sims.World.Find("P0004")
	for i, c := range []struct {
		name, code string
		change     func(map[string]any)
	}{
		{"别人的姓名", "entry_refused", func(b map[string]any) { b["name"] = other.Name }},
		{"没有姓名", "entry_refused", func(b map[string]any) { b["name"] = " " }},
		{"别人的证件号", "entry_refused", func(b map[string]any) { b["id_no"] = other.IDNo }},
		{"HIS没有的证件号", "entry_refused", func(b map[string]any) { b["id_no"] = "110101199001011237" }},
		{"别人的卡号", "entry_refused", func(b map[string]any) { b["card_no"] = other.Cards[0] }},
		{"没有的卡号", "entry_refused", func(b map[string]any) { b["card_no"] = "C9999" }},
		{"没有卡号", "entry_refused", func(b map[string]any) { b["card_no"] = "" }},
		{"证件号校验位错", "id_no_invalid", func(b map[string]any) { b["id_no"] = "110101199001011230" }},
		{"没有的证件", "bad_request", func(b map[string]any) { b["id_type"] = "77" }},
		{"护照号不成样", "paper_no_invalid", func(b map[string]any) { b["id_type"] = "03" }},
	} {
		registration := arrive(t, a, "wechat", fmt.Sprintf("P%04d", i+8))
		wantRefusal(t, c.name, a.Call("POST", registerPath, "", says(registration, who, c.change)), 400, c.code)
	}
	wantRefusal(t, "假的凭据", a.Call("POST", registerPath, "", says("forged", who, nil)), 401, "registration_expired")
	wantRefusal(t, "没有凭据", a.Call("POST", registerPath, "", says("", who, nil)), 400, "bad_request")
	registration := arrive(t, a, "wechat", "P0003")
	a.Advance(31 * time.Minute)
	wantRefusal(t, "过时的凭据", a.Call("POST", registerPath, "", says(registration, who, nil)), 401, "registration_expired")
	a.Sims.HIS.Close()
	res := a.Call("POST", registerPath, "", says(arrive(t, a, "wechat", "P0003"), who, nil))
	wantRefusal(t, "HIS不通", res, 503, "his_unavailable")
	if n := countRows(t, a, collections.Patients, nil); n != 0 {
		t.Errorf("%d patients after refused registrations", n)
	}
}

// TestEntry_GuessesRunOut for the account that guesses and for the person who is
// guessed at.
func TestEntry_GuessesRunOut(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	who := a.Sims.World.Find("P0003")
	try := func(registration string) testapp.Answer {
		return a.Call("POST", registerPath, "", says(registration, who, func(b map[string]any) { b["card_no"] = "C9999" }))
	}
	for _, no := range []string{"P0008", "P0009"} {
		mine := arrive(t, a, "wechat", no)
		for range 6 {
			wantRefusal(t, "猜", try(mine), 400, "entry_refused")
		}
		wantRefusal(t, "猜完了", try(arrive(t, a, "wechat", no)), 429, "too_many_requests")
	}
	wantRefusal(t, "同一个人被别的账号猜", try(arrive(t, a, "wechat", "P0010")), 429, "too_many_requests")
}

// TestEntry_SomebodyElsesIsNotTaken: who knows a person's papers is not yet that
// person; IT lets an account go in the dashboard, and only then another is taken.
func TestEntry_SomebodyElsesIsNotTaken(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	who := a.Sims.World.Find("P0003")
	first := a.Call("POST", registerPath, "", says(arrive(t, a, "wechat", "P0003"), who, nil))
	if first.Status != 200 {
		t.Fatalf("register: %d %s", first.Status, first.Raw)
	}
	other := arrive(t, a, "wechat", "P0009")
	wantRefusal(t, "另一个微信", a.Call("POST", registerPath, "", says(other, who, nil)), 400, "entry_refused")
	rec, err := a.Runtime.App.FindFirstRecordByData(collections.Patients, "patient_no", "P0003")
	if err != nil {
		t.Fatal(err)
	}
	path := "/api/collections/patients/records/" + rec.Id
	if res := a.Call("PATCH", path, a.Superuser(), map[string]any{"wechat_bound": false}); res.Status != 200 {
		t.Fatalf("let go: %d %s", res.Status, res.Raw)
	}
	if res := a.Call("GET", "/api/hospay/me", first.Text("token"), nil); res.Status != 401 {
		t.Errorf("the session of the account that was let go: %d %s", res.Status, res.Raw)
	}
	if res := a.Call("POST", registerPath, "", says(other, who, nil)); res.Status != 200 {
		t.Fatalf("after it was let go: %d %s", res.Status, res.Raw)
	}
	// The account that registered belongs to its person, and to nobody else beside.
	next := a.Sims.World.Find("P0004")
	wantRefusal(t, "已有主人的账号", a.Call("POST", registerPath, "", says(other, next, nil)), 400, "entry_refused")
	// Ticked by hand, it names no account.
	res := a.Call("PATCH", path, a.Superuser(), map[string]any{"alipay_bound": true})
	if res.Status != 200 || res.Body["alipay_bound"] != false {
		t.Errorf("bound by hand: %d %s", res.Status, res.Raw)
	}
}

// TestEntry_OnlyWhereTheHospitalLetsThem.
func TestEntry_OnlyWhereTheHospitalLetsThem(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	who := a.Sims.World.Find("P0003")
	registration := arrive(t, a, "wechat", "P0003")
	set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"self_entry": false})
	next := map[string]any{"code": code(t, a, "wechat", "P0003")}
	wantRefusal(t, "不开放时", a.Call("POST", "/api/hospay/auth/wechat", "", next), 401, "not_bound")
	wantRefusal(t, "来时还开放", a.Call("POST", registerPath, "", says(registration, who, nil)), 403, "not_allowed")
}
