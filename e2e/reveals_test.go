package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/store"
)

// lookedAt lets a member of the staff look at a proxy application, with a reason, and
// returns the session.
func lookedAt(t *testing.T, a *testapp.App, name, application string) string {
	t.Helper()
	token := a.Staff(name)
	if res := lookAt(a, token, application, "审核代办申请"); res.Status != 200 {
		t.Fatalf("%s: %d %s", name, res.Status, res.Raw)
	}
	return token
}

func lookAt(a *testapp.App, token, application, reason string) testapp.Answer {
	return a.Call("POST", "/api/hospay/desk/proxies/"+application+"/look", token, map[string]any{"reason": reason})
}

// TestLook_ShowsWhatIsToBeCompared to who reviews or audits and says why: both
// names and numbers in full, on record, and never in the log itself.
func TestLook_ShowsWhatIsToBeCompared(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, principal := a.Login("P0001", "wechat"), a.Sims.World.Find(elderly)
	agent := a.Sims.World.Find("P0001")
	id := p.SubmittedProxy(elderly, "elderly")
	for _, name := range []string{"reviewer1", "auditor"} {
		token := a.Staff(name)
		if res := a.Call("GET", "/api/hospay/desk/proxies/"+id, token, nil); strings.Contains(string(res.Raw), principal.IDNo) {
			t.Errorf("%s sees the number without a look", name)
		}
		for _, reason := range []string{"", "x", "  "} {
			wantRefusal(t, name+" 没有原因", lookAt(a, token, id, reason), 400, "note_required")
		}
		res := lookAt(a, token, id, "审核代办申请")
		for what, want := range map[string][2]string{"agent": {agent.Name, agent.IDNo}, "principal": {principal.Name, principal.IDNo}} {
			if got, _ := res.Body[what].(map[string]any); got["name"] != want[0] || got["id_no"] != want[1] {
				t.Errorf("%s of %s: %s", what, name, res.Raw)
			}
		}
	}
	for _, name := range []string{"finance", "cashier", "config"} {
		wantRefusal(t, name, lookAt(a, a.Staff(name), id, "审核代办申请"), 403, "not_allowed")
	}
	rows := must(store.AuditOf(a.Runtime.App, id, store.AuditLook, 10))
	if len(rows) != 2 {
		t.Errorf("%d looks on record", len(rows))
	}
	for _, r := range rows {
		text := string(r.Details)
		if !strings.Contains(text, "审核代办申请") || strings.Contains(text, agent.IDNo) || strings.Contains(text, principal.Name) {
			t.Errorf("on record: %s", text)
		}
	}
}

// TestLook_PhotosCloseAfterAWhile and ask for a reason again.
func TestLook_PhotosCloseAfterAWhile(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	id := a.Login("P0001", "wechat").SubmittedProxy(elderly, "elderly")
	rec := must(a.Runtime.App.FindFirstRecordByFilter(collections.ProxyMaterials, `kind = "agent_id_front"`))
	token := lookedAt(t, a, "reviewer1", id)
	photo := func() testapp.Answer {
		file := a.Call("POST", "/api/files/token", token, nil).Text("token")
		return a.Call("GET", "/api/files/proxy_materials/"+rec.Id+"/"+rec.GetString("file")+"?token="+file, "", nil)
	}
	if res := photo(); res.Status != 200 {
		t.Fatalf("after a look: %d", res.Status)
	}
	a.Skew(16 * time.Minute)
	wantRefusal(t, "时间已到", photo(), 403, "look_needed")
	lookedAt(t, a, "reviewer1", id)
	if res := photo(); res.Status != 200 {
		t.Errorf("after another look: %d", res.Status)
	}
}

// TestReveals_BeyondTheDayTakesAnotherPerson: the fields of a day are counted by
// person, through whichever account and whatever is looked at; more is released
// by another person, and the next day begins anew.
func TestReveals_BeyondTheDayTakesAnotherPerson(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"reveals_a_day": 11})
	p := a.Login("P0001", "wechat")
	application := p.SubmittedProxy(elderly, "elderly") // 4 fields and 5 photos
	order := reviewing(t, a, a.Login("P0002", "wechat"), 1000)
	reviewer, config, auditor := a.Staff("reviewer1"), a.Staff("config"), a.Staff("auditor")
	reveal := func(token string) testapp.Answer {
		return a.Call("POST", "/api/hospay/refunds/"+order+"/reveal", token, map[string]any{"field": "notify_phone", "reason": "联系收款人"})
	}
	state := func(token string) string {
		res := a.Call("GET", "/api/hospay/reveals", token, nil)
		return res.Text("used") + "/" + res.Text("limit")
	}
	if res := lookAt(a, reviewer, application, "审核代办申请"); res.Status != 200 || res.Text("left") != "2" {
		t.Fatalf("look: %d %s", res.Status, res.Raw)
	}
	for range 2 {
		if res := reveal(reviewer); res.Status != 200 {
			t.Fatalf("reveal: %d %s", res.Status, res.Raw)
		}
	}
	wantRefusal(t, "超过一天的项数", reveal(reviewer), 403, "reveal_limit")
	person := a.Store.PersonIndex(a.Sims.World.Find("P0009").IDNo)
	for _, name := range []string{"reviewer1", "reviewer2"} {
		set(t, a, collections.Staff, `email = "`+name+`@demo.hospay"`, map[string]any{"person_index": person})
	}
	wantRefusal(t, "本人的另一账号", reveal(a.Staff("reviewer2")), 403, "reveal_limit")
	if res := reveal(a.Staff("finance")); res.Status != 200 || state(reviewer) != "11/11" {
		t.Errorf("another person: %d %s, %s", res.Status, res.Raw, state(reviewer))
	}
	ask := func(token string) testapp.Answer {
		return a.Call("POST", "/api/hospay/reveals", token, map[string]any{"note": "集中清退，今天申请多"})
	}
	wantRefusal(t, "没有原因", a.Call("POST", "/api/hospay/reveals", reviewer, map[string]any{}), 400, "note_required")
	if res := ask(reviewer); res.Status != 200 {
		t.Fatalf("ask: %d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "再申请一次", ask(a.Staff("reviewer2")), 409, "proposal_exists")
	waiting := func(token string) []any {
		list, _ := a.Call("GET", "/api/hospay/reveals", token, nil).Body["waiting"].([]any)
		return list
	}
	if len(waiting(config)) != 1 || len(waiting(reviewer)) != 1 || len(waiting(a.Staff("finance"))) != 0 {
		t.Error("a wish is told to who made it and to those who release it")
	}
	id := waiting(config)[0].(map[string]any)["id"].(string)
	decide := func(token, verb string) testapp.Answer {
		return a.Call("POST", "/api/hospay/reveals/"+id+"/"+verb, token, map[string]any{})
	}
	wantRefusal(t, "自己放行", decide(reviewer, "release"), 403, "not_allowed")
	set(t, a, collections.Staff, `email = "config@demo.hospay"`, map[string]any{"person_index": person})
	wantRefusal(t, "同一自然人", decide(config, "release"), 403, "same_person")
	set(t, a, collections.Staff, `email = "config@demo.hospay"`, map[string]any{"person_index": ""})
	wantRefusal(t, "没有登记身份", decide(config, "release"), 403, "person_unknown")
	if res := decide(auditor, "release"); res.Status != 200 {
		t.Fatalf("release: %d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "再放行一次", decide(auditor, "release"), 409, "no_proposal")
	if res := reveal(reviewer); res.Status != 200 || state(reviewer) != "12/22" {
		t.Errorf("released: %d %s, %s", res.Status, res.Raw, state(reviewer))
	}
	if res := ask(reviewer); res.Status != 200 {
		t.Fatalf("ask: %d %s", res.Status, res.Raw)
	}
	id = waiting(auditor)[0].(map[string]any)["id"].(string)
	if res := decide(auditor, "refuse"); res.Status != 200 || len(waiting(auditor)) != 0 || state(reviewer) != "12/22" {
		t.Errorf("refused: %d %s", res.Status, res.Raw)
	}
	a.Advance(24 * time.Hour)
	if got := state(reviewer); got != "0/11" {
		t.Errorf("the next day: %s", got)
	}
}

// TestProxy_ApprovedOnlyAfterAllPapersWereSeen: by the one who approves, as the
// audit log has it; another's look does not count, and a rejection needs none.
func TestProxy_ApprovedOnlyAfterAllPapersWereSeen(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	id := a.Login("P0001", "wechat").SubmittedProxy(elderly, "elderly")
	reviewer := lookedAt(t, a, "reviewer1", id)
	approve := func() testapp.Answer {
		return a.Call("POST", "/api/hospay/proxies/"+id+"/review", reviewer, map[string]any{"decision": "approve"})
	}
	papers := func() (out []map[string]any) {
		for _, m := range a.Call("GET", "/api/hospay/desk/proxies/"+id, reviewer, nil).Body["materials"].([]any) {
			out = append(out, m.(map[string]any))
		}
		return out
	}
	a.SeePapers(a.Staff("reviewer2"), id)
	all := papers()
	for i, m := range all {
		if res := approve(); res.Status != 409 || res.Code() != "papers_unseen" || !strings.Contains(string(res.Raw), fmt.Sprint(len(all)-i)) {
			t.Fatalf("%d of %d seen: %d %s", i, len(all), res.Status, res.Raw)
		}
		if m["seen"] != false {
			t.Errorf("seen already: %v", m)
		}
		key := a.Call("POST", "/api/files/token", reviewer, nil).Text("token")
		a.Fetch("GET", fmt.Sprintf("/api/files/proxy_materials/%s/%s?token=%s", m["id"], m["file"], key), reviewer, "", nil).Body.Close()
		if got := papers()[i]; got["seen"] != true {
			t.Errorf("not kept: %v", got)
		}
	}
	if res := approve(); res.Status != 200 || res.Text("status") != "approved" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}
