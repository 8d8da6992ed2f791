package e2e

import (
	"maps"
	"strings"
	"testing"

	"hospay/collections"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/people"

	"github.com/pocketbase/dbx"
)

// newAccount makes an account as IT does in the dashboard.
func newAccount(a *testapp.App, it, email string, roles []string, more map[string]any) testapp.Answer {
	body := map[string]any{"institution": a.Institution, "name": "新同事", "email": email, "password": demo.Password,
		"passwordConfirm": demo.Password, "roles": roles, "active": true}
	maps.Copy(body, more)
	return a.Call("POST", "/api/collections/staff/records", it, body)
}

// TestPersons_AnAccountWithoutOneIsNobodysSecond: an account that the dashboard
// made without an ID number takes part in nothing that takes two, is told why, and
// takes part once IT has entered the number.
func TestPersons_AnAccountWithoutOneIsNobodysSecond(t *testing.T) {
	a := irreversible(t)
	it, finance, reviewer := a.Superuser(), a.Staff("finance"), a.Staff("reviewer2")
	made := newAccount(a, it, "new@demo.hospay", []string{"reviewer", "finance"}, nil)
	if made.Status != 200 {
		t.Fatalf("%d %s", made.Status, made.Raw)
	}
	token := a.Staff("new")
	if me := a.Call("GET", "/api/hospay/staff/me", token, nil); me.Body["identified"] != false {
		t.Errorf("the page is not told: %s", me.Raw)
	}
	order := reviewing(t, a, a.Login("P0002", "wechat"), 1000)
	w := lapsed(t, a, "P0001")
	pay := map[string]any{"action": "pay_again", "reason": "患者确认仍要收款"}
	wantRefusal(t, "审核", a.Review(token, order, "approve", ""), 403, "person_unknown")
	facts := a.Call("GET", "/api/hospay/refunds/"+order+"/facts", token, nil)
	if facts.Body["may_review"] != false || !chinese(facts.Text("why_not")) {
		t.Errorf("the page does not say why: %s", facts.Raw)
	}
	wantRefusal(t, "提出", onDesk(a, token, w.Order.ID, "propose", pay), 403, "person_unknown")
	if res := onDesk(a, finance, w.Order.ID, "propose", pay); res.Status != 200 {
		t.Fatalf("propose: %d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "确认", onDesk(a, token, w.Order.ID, "confirm", nil), 403, "person_unknown")
	change := func(id string) testapp.Answer {
		return a.Call("PATCH", "/api/collections/staff/records/"+made.Text("id"), it, map[string]any{"id_no_input": id})
	}
	wantRefusal(t, "不是身份证号", change("110105198001010000"), 400, "id_no_invalid")
	if res := change(" 11010519491231002x "); res.Status != 200 || res.Text("id_no_input") != "" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	if n := countRows(t, a, collections.ConfigChanges, dbx.HashExp{"collection": "staff", "record": made.Text("id")}); n < 2 {
		t.Errorf("%d changes on record", n)
	}
	if me := a.Call("GET", "/api/hospay/staff/me", token, nil); me.Body["identified"] != true {
		t.Errorf("%s", me.Raw)
	}
	if res := a.Review(token, order, "approve", ""); res.Status != 200 {
		t.Errorf("with a number: %d %s", res.Status, res.Raw)
	}
	if res := onDesk(a, reviewer, w.Order.ID, "withdraw", nil); res.Status != 200 {
		t.Errorf("refuse: %d %s", res.Status, res.Raw)
	}
}

// TestPersons_FreezingIsAnybodys: one person may stop payouts, known or not; to
// end a stop takes a person who is known.
func TestPersons_FreezingIsAnybodys(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	set(t, a, collections.Staff, `email = "finance@demo.hospay"`, map[string]any{"person_index": ""})
	send := func(name string, on bool) testapp.Answer {
		return a.Call("POST", "/api/hospay/payouts/freeze", a.Staff(name), map[string]any{"frozen": on, "note": "可疑付款"})
	}
	if res := send("finance", true); res.Status != 200 {
		t.Fatalf("freeze: %d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "解冻", send("finance", false), 403, "person_unknown")
	if res := send("config", false); res.Status != 200 {
		t.Errorf("thaw: %d %s", res.Status, res.Raw)
	}
}

// TestPersons_DemoAccountsHaveOneEach, none of them a patient's.
func TestPersons_DemoAccountsHaveOneEach(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	seen := map[string]bool{}
	for _, rec := range must(a.Runtime.App.FindAllRecords(collections.Staff)) {
		person := rec.GetString("person_index")
		if person == "" || seen[person] {
			t.Errorf("%s has person %q", rec.Email(), person)
		}
		seen[person] = true
	}
	for _, p := range a.Sims.World.Patients() {
		if seen[a.Store.PersonIndex(p.IDNo)] {
			t.Errorf("%s is staff", p.Code)
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d persons", len(seen))
	}
}

// TestRoles_SomeAreNotOneAccounts, whoever writes it: IT in the dashboard, the
// console, a script, and SQL.
func TestRoles_SomeAreNotOneAccounts(t *testing.T) {
	d := newDesk(t)
	it := d.Superuser()
	staff := d.id(t, collections.Staff, `email = "cashier@demo.hospay"`)
	for _, roles := range [][]string{
		people.Roles(), {"config", "reviewer"}, {"config", "finance"}, {"auditor", "cashier"}, {"auditor", "config"},
	} {
		wantRefusal(t, "后台新建", newAccount(d.App, it, "new@demo.hospay", roles, nil), 400, "roles_clash")
		wantRefusal(t, "后台修改", d.Call("PATCH", "/api/collections/staff/records/"+staff, it, map[string]any{"roles": roles}), 400, "roles_clash")
		wantCode(t, "控制台", d.propose(d.config, "staff", staff, map[string]any{"roles": roles}), 400, "roles_clash")
		rec := must(d.Runtime.App.FindRecordById(collections.Staff, staff))
		rec.Set("roles", roles)
		if err := d.Runtime.App.Save(rec); err == nil {
			t.Errorf("a script gives %v", roles)
		}
		if _, err := d.Runtime.App.NonconcurrentDB().Update(collections.Staff, dbx.Params{"roles": `["` + strings.Join(roles, `","`) + `"]`},
			dbx.HashExp{"id": staff}).Execute(); err == nil {
			t.Errorf("SQL gives %v", roles)
		}
	}
	for _, roles := range [][]string{{"config", "cashier"}, {"reviewer", "finance", "cashier"}, {"auditor"}} {
		if res := d.Call("PATCH", "/api/collections/staff/records/"+staff, it, map[string]any{"roles": roles}); res.Status != 200 {
			t.Errorf("%v: %d %s", roles, res.Status, res.Raw)
		}
	}
}
