package e2e

import (
	"encoding/json"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/payment"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// eastHouse is the second institution of these tests.
const (
	eastHouse = "eastcampus00000"
	eastName  = "演示医院东院区"
)

// newEast opens a second institution, with an account of whoever is behind an
// account of the first.
func newEast(t *testing.T, a *testapp.App, like, email string, more map[string]any) *core.Record {
	t.Helper()
	app := a.Runtime.App
	if _, err := app.FindRecordById(collections.Institutions, eastHouse); err != nil {
		_, err := app.NonconcurrentDB().Insert(collections.Institutions, dbx.Params{"id": eastHouse, "code": "EAST",
			"name": eastName, "active": true, "second_factor": "off"}).Execute()
		if err != nil {
			t.Fatal(err)
		}
	}
	own := must(app.FindAuthRecordByEmail(collections.Staff, like+"@demo.hospay"))
	rec := core.NewRecord(must(app.FindCollectionByNameOrId(collections.Staff)))
	rec.Load(map[string]any{"institution": eastHouse, "name": own.GetString("name"), "email": email, "password": demo.Password,
		"passwordConfirm": demo.Password, "roles": []string{"finance"}, "active": true, "person_index": own.GetString("person_index")})
	rec.Load(more)
	if err := app.Save(rec); err != nil {
		t.Fatal(err)
	}
	return rec
}

// joins enters, from a session, an account of the second institution.
func joins(a *testapp.App, token, email, code string) testapp.Answer {
	return a.Call("POST", "/api/hospay/staff/join", token, map[string]any{"identity": email, "password": demo.Password, "code": code})
}

type elsewhereAnswer struct {
	Institution struct {
		ID, Name string
	}
	Roles     []string
	Elsewhere []struct {
		Account     string
		Institution struct{ ID, Name string }
		Roles       []string
		Code        bool
	}
}

func whoIs(t *testing.T, a *testapp.App, token string) (me elsewhereAnswer) {
	t.Helper()
	res := a.Call("GET", "/api/hospay/staff/me", token, nil)
	if res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	if err := json.Unmarshal(res.Raw, &me); err != nil {
		t.Fatal(err)
	}
	return me
}

// TestElsewhere_OnePersonGoesOverWithTheRolesOfThere: one person in two
// institutions has an account in each. Going over ends the session here, gives the
// roles of there and no other, and stands in the log of both houses.
func TestElsewhere_OnePersonGoesOverWithTheRolesOfThere(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	there := newEast(t, a, "reviewer1", "zhou@east.hospay", nil)
	token := a.Staff("reviewer1")
	if me := whoIs(t, a, token); len(me.Elsewhere) != 0 {
		t.Errorf("the same ID number alone joins: %+v", me.Elsewhere)
	}
	if res := joins(a, token, "zhou@east.hospay", ""); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	me := whoIs(t, a, token)
	if len(me.Elsewhere) != 1 || me.Elsewhere[0].Account != there.Id || me.Elsewhere[0].Institution.Name != eastName || me.Elsewhere[0].Code {
		t.Fatalf("elsewhere: %+v", me.Elsewhere)
	}
	res := a.Call("POST", "/api/hospay/staff/switch", token, map[string]any{"account": there.Id})
	if res.Status != 200 || res.Text("token") == "" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	if old := a.Call("GET", "/api/hospay/staff/me", token, nil); old.Status != 401 {
		t.Errorf("the session of the first house goes on: %d", old.Status)
	}
	now := whoIs(t, a, res.Text("token"))
	if now.Institution.ID != eastHouse || len(now.Roles) != 1 || now.Roles[0] != "finance" || len(now.Elsewhere) != 1 {
		t.Errorf("there: %+v", now)
	}
	var count int
	err := a.Runtime.App.ConcurrentDB().NewQuery("SELECT COUNT(DISTINCT institution) FROM audit_log WHERE action = 'staff.switch'").Row(&count)
	if err != nil || count != 2 {
		t.Errorf("%d houses have it on record (%v)", count, err)
	}
	back := a.Call("POST", "/api/hospay/staff/switch", res.Text("token"), map[string]any{"account": now.Elsewhere[0].Account})
	if back.Status != 200 || whoIs(t, a, back.Text("token")).Institution.Name != "演示医院" {
		t.Errorf("back: %d %s", back.Status, back.Raw)
	}
}

// TestElsewhere_NobodyGoesWhereTheyMayNot: another person's account, one that was
// switched off, one with a password that others have seen, one of nobody, a wrong
// password; and whoever only claims an ID number: people of one house write what
// stands there, and would otherwise enter the other.
func TestElsewhere_NobodyGoesWhereTheyMayNot(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	theirs := map[string]any{"password": "Theirs-alone-2026", "passwordConfirm": "Theirs-alone-2026"}
	made := map[string]*core.Record{
		"reviewer1": newEast(t, a, "reviewer2", "qian@east.hospay", nil),
		"finance":   newEast(t, a, "finance", "off@east.hospay", map[string]any{"active": false}),
		"auditor":   newEast(t, a, "auditor", "first@east.hospay", map[string]any{"first_password": true}),
		"config":    newEast(t, a, "config", "nobody@east.hospay", map[string]any{"person_index": ""}),
		"cashier":   newEast(t, a, "cashier", "claimed@east.hospay", theirs),
	}
	refused := map[string]string{"reviewer1": "other_person", "finance": "account_or_password_wrong", "auditor": "password_change_required",
		"config": "other_person", "cashier": "account_or_password_wrong"}
	for who, to := range made {
		token := a.Staff(who)
		if res := joins(a, token, to.Email(), ""); res.Code() != refused[who] {
			t.Errorf("%s joins: %d %s", who, res.Status, res.Raw)
		}
		if me := whoIs(t, a, token); len(me.Elsewhere) != 0 {
			t.Errorf("%s is told %+v", who, me.Elsewhere)
		}
		if res := a.Call("POST", "/api/hospay/staff/switch", token, map[string]any{"account": to.Id}); res.Code() != "not_found" {
			t.Errorf("%s: %d %s", who, res.Status, res.Raw)
		}
		whoIs(t, a, token) // who was refused is still here
	}
	for name, email := range map[string]string{"an account of somebody": "claimed@east.hospay", "an account of nobody": "none@east.hospay"} {
		last := ""
		for range 5 {
			last = joins(a, a.Staff("cashier"), email, "").Code()
		}
		if last != "locked" {
			t.Errorf("%s is guessed at without end: %s", name, last)
		}
	}
}

// TestElsewhere_ANewPasswordEndsIt: whoever gave an account a new password is not
// yet the person who joined it.
func TestElsewhere_ANewPasswordEndsIt(t *testing.T) {
	for _, which := range []string{"here", "there"} {
		a := testapp.New(t, testapp.Config{})
		there := newEast(t, a, "reviewer1", "zhou@east.hospay", nil)
		if res := joins(a, a.Staff("reviewer1"), there.Email(), ""); res.Status != 200 {
			t.Fatalf("%d %s", res.Status, res.Raw)
		}
		whose := map[string]string{"here": "reviewer1@demo.hospay", "there": there.Email()}[which]
		account := must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, whose))
		account.SetPassword("Reset-by-others-2026")
		if err := a.Runtime.App.Save(account); err != nil {
			t.Fatal(err)
		}
		token := password(a, "reviewer1", map[string]string{"here": "Reset-by-others-2026", "there": demo.Password}[which]).Text("token")
		if me := whoIs(t, a, token); len(me.Elsewhere) != 0 {
			t.Errorf("a new password %s: %+v", which, me.Elsewhere)
		}
	}
}

// TestElsewhere_TheOtherHousesSecondFactorIsAskedFor: what protects an account
// there protects it from here, too, wrong codes lock it, and who has none yet is
// told what to do.
func TestElsewhere_TheOtherHousesSecondFactorIsAskedFor(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	there := newEast(t, a, "reviewer1", "zhou@east.hospay", nil)
	set(t, a, collections.Institutions, `id = "`+eastHouse+`"`, map[string]any{"second_factor": "totp"})
	token := a.Staff("reviewer1")
	goes := func(code string) testapp.Answer {
		return a.Call("POST", "/api/hospay/staff/switch", token, map[string]any{"account": there.Id, "code": code})
	}
	if res := joins(a, token, there.Email(), ""); res.Status != 403 || res.Code() != "second_factor_missing" {
		t.Errorf("without an app: %d %s", res.Status, res.Raw)
	}
	login := a.Call("POST", "/api/collections/staff/auth-with-password", "",
		map[string]any{"identity": there.Email(), "password": demo.Password})
	secret, _ := secretOf(t, a, login.Text("mfaId"))
	res := a.Call("POST", "/api/hospay/staff/totp", "", map[string]any{"mfaId": login.Text("mfaId"), "code": codeAt(t, secret, -1)})
	if res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	if res := joins(a, token, there.Email(), ""); res.Code() != "totp_invalid" {
		t.Errorf("without its code: %d %s", res.Status, res.Raw)
	}
	if res := joins(a, token, there.Email(), codeAt(t, secret, 0)); res.Status != 200 {
		t.Fatalf("with its code: %d %s", res.Status, res.Raw)
	}
	if me := whoIs(t, a, token); !me.Elsewhere[0].Code {
		t.Error("that a code is asked for is not told")
	}
	if res := goes(codeAt(t, secret, 1)); res.Status != 200 || whoIs(t, a, res.Text("token")).Institution.ID != eastHouse {
		t.Fatalf("with its code: %d %s", res.Status, res.Raw)
	}
	token = a.Staff("reviewer1")
	for i := range 5 {
		if res, want := goes("000000"), map[bool]string{true: "locked", false: "totp_invalid"}[i == 4]; res.Code() != want {
			t.Errorf("wrong code %d: %d %s", i+1, res.Status, res.Raw)
		}
	}
	if res := goes(codeAt(t, secret, 1)); res.Code() != "locked" {
		t.Errorf("after the lock: %d %s", res.Status, res.Raw)
	}
}

// TestGroup_TotalsAreThoseOfEachHouse: who reads statistics in two institutions
// reads both and their sum; where they may not, the house is named and left out;
// nobody else reads anything of it.
func TestGroup_TotalsAreThoseOfEachHouse(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	toMorning(a)
	p := newAPIPayer(t, a, "P0001", "wechat")
	p.ticketToDone(p.bill(payment.KindOutpatient, 12_000), false)
	east := newEast(t, a, "finance", "finance@east.hospay", nil)
	_, err := a.Runtime.App.NonconcurrentDB().Insert("refund_days", dbx.Params{"institution": eastHouse, "day": a.Now().In(calendar.Beijing).
		Format(time.DateOnly), "channel": "wechat", "method": "transfer", "refunded_amount": 5_000, "refunded_count": 2}).Execute()
	if err != nil {
		t.Fatal(err)
	}
	group := func(token string) (out struct {
		Rows []struct {
			Institution struct{ ID string }
			Refunds     struct{ Refunded struct{ Amount, Count int } }
			Payments    struct{ Paid struct{ Count, Total int } }
		}
		Total struct {
			Refunds  struct{ Refunded struct{ Amount, Count int } }
			Payments struct{ Paid struct{ Count, Total int } }
		}
		LeftOut []struct{ ID string } `json:"left_out"`
	}) {
		res := a.Call("GET", "/api/hospay/stats/group?"+thisMonth(), token, nil)
		if res.Status != 200 {
			t.Fatalf("%d %s", res.Status, res.Raw)
		}
		if err := json.Unmarshal(res.Raw, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if g := group(a.Staff("finance")); len(g.Rows) != 1 {
		t.Errorf("the same ID number alone opens %+v", g)
	}
	if res := joins(a, a.Staff("finance"), east.Email(), ""); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	g := group(a.Staff("finance"))
	if len(g.Rows) != 2 || g.Rows[1].Institution.ID != eastHouse || g.Rows[1].Refunds.Refunded.Amount != 5_000 ||
		g.Rows[0].Payments.Paid.Total != 12_000 || g.Total.Refunds.Refunded.Amount != 5_000+g.Rows[0].Refunds.Refunded.Amount ||
		g.Total.Payments.Paid.Count != 1 || len(g.LeftOut) != 0 {
		t.Errorf("both houses: %+v", g)
	}
	if g := group(a.Staff("reviewer1")); len(g.Rows) != 1 || g.Rows[0].Institution.ID == eastHouse {
		t.Errorf("who works in one house reads %+v", g)
	}
	east.Set("roles", []string{"config"})
	if err := a.Runtime.App.Save(east); err != nil {
		t.Fatal(err)
	}
	if g := group(a.Staff("finance")); len(g.Rows) != 1 || len(g.LeftOut) != 1 || g.LeftOut[0].ID != eastHouse {
		t.Errorf("without the roles there: %+v", g)
	}
	for _, bad := range []string{"", "from=2026-11-30&to=2026-11-01", "from=x&to=y"} {
		if res := a.Call("GET", "/api/hospay/stats/group?"+bad, a.Staff("finance"), nil); res.Status != 400 || res.Code() != "bad_request" {
			t.Errorf("%q: %d %s", bad, res.Status, res.Raw)
		}
	}
}
