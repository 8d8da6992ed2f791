package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"hospay/collections"
	"hospay/internal/testday"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/dbx"
)

// factsOf is the answer that a reviewer gets.
type factsOf struct {
	Balance *struct {
		Balance, Refundable int64
		AsOf                string `json:"as_of"`
	}
	BalanceError string `json:"balance_error"`
	Checks       []struct {
		Check  string
		Pass   bool
		Detail string
	}
	Verdicts     []refund.RuleVerdict
	Related      []struct{ ID, Status string }
	SecondReview bool `json:"second_review"`
	Stage        string
	MayReview    bool   `json:"may_review"`
	WhyNot       string `json:"why_not"`
}

func askFacts(t *testing.T, a *testapp.App, token, id string) factsOf {
	t.Helper()
	res := a.Call("GET", "/api/hospay/refunds/"+id+"/facts", token, nil)
	var f factsOf
	if err := json.Unmarshal(res.Raw, &f); err != nil || res.Status != 200 {
		t.Fatalf("facts: %d %s %v", res.Status, res.Raw, err)
	}
	return f
}

// failing names the checks that did not pass.
func (f factsOf) failing() string {
	var out []string
	for _, c := range f.Checks {
		if !c.Pass {
			out = append(out, c.Check)
		}
		if !chinese(c.Detail) {
			out = append(out, c.Check+" without a sentence")
		}
	}
	return strings.Join(out, " ")
}

func TestFacts_BeforeTheReview(t *testing.T) {
	a := secondHouse(t, refund.ReviewSettings{Rules: []refund.Rule{{Name: refund.RuleMaxAmount, Limit: 500, OnFail: refund.OutcomeManual}}})
	p, first := a.Login("P0001", "alipay"), a.Staff("reviewer1")
	earlier := reviewing(t, a, p, 1000)
	a.Review(first, earlier, "reject", "不符")
	a.Drain()
	balance := int64(a.Sims.HIS.Balance(p.Card))
	id := reviewing(t, a, p, 10_000)
	f := askFacts(t, a, first, id)
	if f.Balance == nil || f.Balance.Balance != balance-10_000 || f.BalanceError != "" || f.failing() != "" || len(f.Checks) != 5 {
		t.Errorf("facts: %+v", f)
	}
	if len(f.Related) != 1 || f.Related[0].ID != earlier || f.Related[0].Status != "rejected" {
		t.Errorf("related: %+v", f.Related)
	}
	if len(f.Verdicts) != 2 || f.Verdicts[0].Pass || !f.SecondReview || f.Stage != "first" || !f.MayReview || f.WhyNot != "" {
		t.Errorf("facts: %+v", f)
	}
	a.Review(first, id, "approve", "")
	if f := askFacts(t, a, first, id); f.MayReview || !strings.Contains(f.WhyNot, "复核") || f.Stage != "second" {
		t.Errorf("after the first review: %+v", f)
	}
	if f := askFacts(t, a, a.Staff("reviewer2"), id); !f.MayReview {
		t.Errorf("another reviewer: %+v", f)
	}
	set(t, a, collections.Staff, `email = "reviewer2@demo.hospay"`,
		map[string]any{"person_index": a.Store.PersonIndex(a.Sims.World.Find("P0001").IDNo)})
	if f := askFacts(t, a, a.Staff("reviewer2"), id); f.MayReview || f.WhyNot != "不能审核与本人有关的退款。" {
		t.Errorf("the patient: %+v", f)
	}
	if n := a.Sims.Alipay.Requests().Count("transfer", ""); n != 0 {
		t.Errorf("%d transfers", n)
	}
}

// TestFacts_HISDown keeps the rest of the facts, and says what is missing.
func TestFacts_HISDown(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	id := reviewing(t, a, a.Login("P0001", "alipay"), 1000)
	a.Sims.HIS.Close()
	f := askFacts(t, a, a.Staff("reviewer1"), id)
	if f.Balance != nil || !chinese(f.BalanceError) || f.failing() != "amount_refundable" || !f.MayReview || len(f.Verdicts) == 0 {
		t.Errorf("facts: %+v", f)
	}
}

// TestFacts_WhatDoesNotFit shows up as failed checks.
func TestFacts_WhatDoesNotFit(t *testing.T) {
	a := testapp.New(t, testapp.Config{Settings: demo.Settings{DayLimit: 100}})
	p := a.Login("P0001", "wechat")
	proxy := p.ApprovedProxy(elderly, "elderly")
	own := apply(t, p, "wechat", "transfer", 1000, nil)
	id := p.ApplyFor(proxy, elderly, "wechat", "transfer", 1000, nil).Text("id")
	a.Drain()
	token := a.Staff("reviewer1")
	if got := askFacts(t, a, token, own).failing(); got != "shared_payee" {
		t.Errorf("one account for two cards: %s", got)
	}
	if res := a.Call("POST", "/api/hospay/proxies/"+proxy+"/close", p.Token, nil); res.Status != 200 {
		t.Fatalf("close: %d %s", res.Status, res.Raw)
	}
	if got := askFacts(t, a, token, id).failing(); got != "shared_payee proxy_approved" {
		t.Errorf("closed proxy: %s", got)
	}
}

// TestReveal_OneFieldOnRecord: each look is in the audit log, the value never.
func TestReveal_OneFieldOnRecord(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "alipay")
	id := reviewing(t, a, p, 1000)
	reveal := func(token, order, field, reason string) testapp.Answer {
		return a.Call("POST", "/api/hospay/refunds/"+order+"/reveal", token, map[string]any{"field": field, "reason": reason})
	}
	for field, want := range map[string]string{"payee_name": p.Name, "payee_account": p.Alipay, "notify_phone": p.Phone} {
		for _, who := range []string{"reviewer1", "finance"} {
			if res := reveal(a.Staff(who), id, field, "核对收款人"); res.Status != 200 || res.Text("value") != want {
				t.Errorf("%s of %s: %d %s", field, who, res.Status, res.Raw)
			}
		}
	}
	token := a.Staff("reviewer1")
	wantRefusal(t, "别的字段", reveal(token, id, "id_no", "核对"), 400, "bad_request")
	wantRefusal(t, "不存在的单", reveal(token, "none", "payee_name", "核对"), 404, "not_found")
	wantRefusal(t, "没有原因", reveal(token, id, "payee_name", ""), 400, "note_required")
	rows := must(store.AuditOf(a.Runtime.App, id, "order.reveal", 50))
	if len(rows) != 6 {
		t.Errorf("%d looks on record, want 6", len(rows))
	}
	for _, r := range rows {
		text := string(r.Details) + r.Actor
		if r.Actor == "" || strings.Contains(text, p.Name) || strings.Contains(text, p.Alipay) || strings.Contains(text, p.Phone) ||
			!strings.Contains(text, "field") {
			t.Errorf("entry: %+v", r)
		}
	}
}

// TestFreeze_AnotherPersonReleases: whoever has frozen, by account or person,
// cannot release.
func TestFreeze_AnotherPersonReleases(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance, config := a.Staff("finance"), a.Staff("config")
	send := func(token string, on bool, note string) testapp.Answer {
		return a.Call("POST", "/api/hospay/payouts/freeze", token, map[string]any{"frozen": on, "note": note})
	}
	state := func() testapp.Answer { return a.Call("GET", "/api/hospay/payouts", a.Staff("cashier"), nil) }
	if s := state(); s.Body["frozen"] != false || s.Text("by") != "" {
		t.Errorf("at first: %s", s.Raw)
	}
	send(finance, true, "可疑付款")
	send(finance, true, "仍可疑")
	wantRefusal(t, "本人解冻", send(finance, false, "没事了"), 403, "same_person")
	person := a.Store.PersonIndex("110101199003070010")
	for _, name := range []string{"finance", "config"} {
		set(t, a, collections.Staff, `email = "`+name+`@demo.hospay"`, map[string]any{"person_index": person})
	}
	wantRefusal(t, "同一自然人", send(config, false, "没事了"), 403, "same_person")
	set(t, a, collections.Staff, `email = "config@demo.hospay"`, map[string]any{"person_index": ""})
	wantRefusal(t, "没有登记身份", send(config, false, "没事了"), 403, "person_unknown")
	set(t, a, collections.Staff, `email = "config@demo.hospay"`, map[string]any{"person_index": "another-person"})
	if s := state(); s.Body["frozen"] != true || s.Text("note") != "仍可疑" || s.Text("by") == "" || s.Text("at") == "" {
		t.Errorf("frozen: %s", s.Raw)
	}
	if res := send(config, false, "已核实"); res.Status != 200 {
		t.Fatalf("thaw: %d %s", res.Status, res.Raw)
	}
	s := state()
	history, _ := s.Body["history"].([]any)
	if s.Body["frozen"] != false || s.Text("note") != "已核实" || len(history) != 3 {
		t.Errorf("thawed: %s", s.Raw)
	}
	send(config, true, "再次冻结")
	if res := send(finance, false, "已核实"); res.Status != 200 {
		t.Errorf("the first one may release the second freeze: %d %s", res.Status, res.Raw)
	}
}

type shadowRow struct {
	ID, Rules, People string
	Now               bool
	Verdicts          []refund.RuleVerdict
}

type shadowReport struct {
	Orders, Same, Differ int
	Rows                 []shadowRow
	Matrix               map[string]map[string]int
}

// TestShadow_RulesBesidePeople takes verdicts that were stored then, looks
// itself where there are none, and changes nothing.
func TestShadow_RulesBesidePeople(t *testing.T) {
	rules := []refund.Rule{{Name: refund.RuleMaxAmount, Limit: 5000, OnFail: refund.OutcomeReject}}
	a := testapp.New(t, testapp.Config{Settings: demo.Settings{Review: refund.ReviewSettings{Shadow: true, Rules: rules}}})
	token := a.Staff("reviewer1")
	small, big, left := reviewing(t, a, a.Login("P0001", "alipay"), 1000), reviewing(t, a, a.Login("P0002", "alipay"), 6000),
		reviewing(t, a, a.Login("P0003", "alipay"), 1000)
	a.Review(token, small, "approve", "")
	a.Review(token, big, "approve", "")
	a.Drain()
	set(t, a, collections.ReviewSettings, `institution = "`+a.Institution+`"`, map[string]any{"shadow": false})
	unseen := reviewing(t, a, a.Login("P0004", "alipay"), 7000)
	a.Review(token, unseen, "reject", "不符")
	a.Drain()
	before := fmt.Sprint(countRows(t, a, collections.Reviews, nil), countRows(t, a, collections.RefundEvents, nil))
	ask := func(body map[string]any) shadowReport {
		t.Helper()
		var r shadowReport
		res := a.Call("POST", "/api/hospay/review/shadow", a.Staff("auditor"), body)
		if err := json.Unmarshal(res.Raw, &r); err != nil || res.Status != 200 {
			t.Fatalf("shadow: %d %s %v", res.Status, res.Raw, err)
		}
		return r
	}
	told := func(r shadowReport) string {
		byID := map[string]shadowRow{}
		for _, row := range r.Rows {
			byID[row.ID] = row
		}
		var out []string
		for _, id := range []string{small, big, left, unseen} {
			out = append(out, fmt.Sprintf("%s/%s/%v", byID[id].Rules, byID[id].People, byID[id].Now))
			if len(byID[id].Verdicts) == 0 {
				t.Errorf("%s without verdicts", id)
			}
		}
		return strings.Join(out, " ")
	}
	stored := ask(map[string]any{"days": 7})
	if got := told(stored); got != "approve/approve/false reject/approve/false approve/none/false reject/reject/true" || stored.Orders != 4 ||
		stored.Same != 2 || stored.Differ != 1 {
		t.Errorf("stored rules: %s %+v", got, stored)
	}
	if stored.Matrix["reject"]["approve"] != 1 || stored.Matrix["approve"]["none"] != 1 {
		t.Errorf("matrix: %v", stored.Matrix)
	}
	given := ask(map[string]any{"days": 7, "rules": []map[string]any{{"rule": "max_amount", "limit": 6500, "on_fail": "reject"}}})
	if got := told(given); got != "approve/approve/true approve/approve/true approve/none/true reject/reject/true" || given.Same != 3 ||
		given.Differ != 0 {
		t.Errorf("given rules: %s %+v", got, given)
	}
	for name, body := range map[string]map[string]any{"零天": {"days": 0}, "太久": {"days": 91},
		"没有的规则": {"days": 1, "rules": []map[string]any{{"rule": "luck"}}}} {
		wantRefusal(t, name, a.Call("POST", "/api/hospay/review/shadow", token, body), 400, "bad_request")
	}
	if after := fmt.Sprint(countRows(t, a, collections.Reviews, nil), countRows(t, a, collections.RefundEvents, nil)); after != before {
		t.Errorf("rows changed: %s to %s", before, after)
	}
}

// TestDeskProxies_ShowWhatTheReviewerNeeds, masked, with HIS's word.
func TestDeskProxies_ShowWhatTheReviewerNeeds(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, token := a.Login("P0001", "wechat"), a.Staff("reviewer1")
	p.ApplyProxy("P0007", "minor", nil) // a draft is nobody's to see
	id := p.SubmittedProxy(elderly, "elderly")
	res := a.Call("GET", "/api/hospay/desk/proxies?status=submitted", token, nil)
	rows, _ := res.Body["rows"].([]any)
	if res.Status != 200 || len(rows) != 1 || res.Text("total") != "1" {
		t.Fatalf("list: %d %s", res.Status, res.Raw)
	}
	row, _ := rows[0].(map[string]any)
	if age, _ := row["age"].(float64); row["id"] != id || age < 60 || row["case"] != "elderly" || row["relation"] != "child" ||
		row["card_no"] == "" {
		t.Errorf("row: %v", row)
	}
	one := a.Call("GET", "/api/hospay/desk/proxies/"+id, token, nil)
	materials, _ := one.Body["materials"].([]any)
	his, _ := one.Body["his"].(map[string]any)
	if one.Status != 200 || len(materials) != 5 || his["name_equal"] != true || his["id_no_equal"] != true || one.Text("his_error") != "" {
		t.Errorf("detail: %d %s", one.Status, one.Raw)
	}
	m, _ := materials[0].(map[string]any)
	if m["sha256"] == "" || m["file"] == "" || m["kind"] == "" {
		t.Errorf("material: %v", m)
	}
	for _, who := range []string{"P0001", elderly} {
		x := a.Sims.World.Find(who)
		for _, secret := range []string{x.Name, x.IDNo, x.Phone} {
			if strings.Contains(string(one.Raw), secret) || strings.Contains(string(res.Raw), secret) {
				t.Errorf("%s is told in clear", secret)
			}
		}
	}
	a.ReviewProxy(token, id, "reject", "看不清")
	if after := a.Call("GET", "/api/hospay/desk/proxies/"+id, a.Staff("auditor"), nil); !strings.Contains(string(after.Raw), "proxy.reject") {
		t.Errorf("history: %s", after.Raw)
	}
	if none := a.Call("GET", "/api/hospay/desk/proxies?status=submitted", token, nil); none.Text("total") != "0" {
		t.Errorf("after the review: %s", none.Raw)
	}
	a.Sims.HIS.Close()
	down := a.Call("GET", "/api/hospay/desk/proxies/"+id, token, nil)
	if down.Status != 200 || down.Body["his"] != nil || !chinese(down.Text("his_error")) {
		t.Errorf("HIS down: %d %s", down.Status, down.Raw)
	}
	if n := countRows(t, a, collections.ProxyApplications, dbx.HashExp{"status": "draft"}); n != 1 {
		t.Errorf("%d drafts at %s", n, testday.Now())
	}
}

// TestFreeze_InTheDashboardIsOnRecord: what IT freezes and releases is in the
// history beside what staff do, and counts for who may release.
func TestFreeze_InTheDashboardIsOnRecord(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	su, finance := a.Superuser(), a.Staff("finance")
	inDashboard := func(values map[string]any) {
		t.Helper()
		if res := a.Call("PATCH", "/api/collections/institutions/records/"+a.Institution, su, values); res.Status != 200 {
			t.Fatalf("%d %s", res.Status, res.Raw)
		}
	}
	inDashboard(map[string]any{"payouts_frozen": true, "freeze_note": "渠道异常"})
	inDashboard(map[string]any{"day_limit": 7})
	res := a.Call("GET", "/api/hospay/payouts", finance, nil)
	history, _ := res.Body["history"].([]any)
	if res.Body["frozen"] != true || res.Text("note") != "渠道异常" || res.Text("by") == "" || len(history) != 1 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	if first := history[0].(map[string]any); first["frozen"] != true || first["note"] != "渠道异常" || first["by"] == "" {
		t.Errorf("history: %v", first)
	}
	rows := must(a.Runtime.App.FindAllRecords(collections.AuditLog, dbx.HashExp{"action": "payouts.freeze"}))
	if len(rows) != 1 || rows[0].GetString("actor_kind") != "superuser" || rows[0].GetString("institution") != a.Institution ||
		rows[0].GetString("address") == "" {
		t.Errorf("audit log: %v", rows)
	}
	if res := a.Call("POST", "/api/hospay/payouts/freeze", finance, map[string]any{"frozen": false, "note": "已恢复"}); res.Status != 200 {
		t.Errorf("release: %d %s", res.Status, res.Raw)
	}
	if res := a.Call("POST", "/api/hospay/payouts/freeze", finance,
		map[string]any{"frozen": true, "note": strings.Repeat("急", 600)}); res.Status != 200 {
		t.Errorf("with a long note: %d %s", res.Status, res.Raw)
	}
	inDashboard(map[string]any{"payouts_frozen": false})
	if n := countRows(t, a, collections.AuditLog, dbx.HashExp{"action": "payouts.freeze"}); n != 4 {
		t.Errorf("%d entries", n)
	}
}
