package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/refund"
)

// desk is a program with the people who configure it.
type desk struct {
	*testapp.App
	config, finance, auditor string // tokens
}

func newDesk(t *testing.T) *desk {
	a := testapp.New(t, testapp.Config{})
	return &desk{App: a, config: a.Staff("config"), finance: a.Staff("finance"), auditor: a.Staff("auditor")}
}

// id finds a configuration record.
func (d *desk) id(t *testing.T, collection, filter string) string {
	t.Helper()
	rec, err := d.Runtime.App.FindFirstRecordByFilter(collection, filter)
	if err != nil {
		t.Fatalf("%s %s: %v", collection, filter, err)
	}
	return rec.Id
}

func (d *desk) propose(token, collection, id string, values map[string]any) testapp.Answer {
	d.TB.Helper()
	return d.Call("POST", "/api/hospay/config/changes", token, map[string]any{"target": map[string]any{"collection": collection, "id": id},
		"values": values, "note": "测试"})
}

func (d *desk) decide(token string, change testapp.Answer, verb string) testapp.Answer {
	d.TB.Helper()
	return d.Call("POST", "/api/hospay/config/changes/"+change.Text("id")+"/"+verb, token, map[string]any{"note": "核对无误"})
}

func wantState(t *testing.T, what string, res testapp.Answer, state string) {
	t.Helper()
	if res.Status != 200 || res.Text("state") != state {
		t.Fatalf("%s: %d %s, want %s", what, res.Status, res.Raw, state)
	}
}

func wantCode(t *testing.T, what string, res testapp.Answer, status int, code string) {
	t.Helper()
	if res.Status != status || res.Code() != code || !chinese(res.Text("message")) {
		t.Errorf("%s: %d %s, want %d %s", what, res.Status, res.Raw, status, code)
	}
}

func (d *desk) count(t *testing.T, sql string) (n int) {
	t.Helper()
	if err := d.Runtime.App.DB().NewQuery(sql).Row(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestConfig_SensitiveChangeNeedsASecondPerson: the merchant number changes
// when another person has confirmed it, not before.
func TestConfig_SensitiveChangeNeedsASecondPerson(t *testing.T) {
	d := newDesk(t)
	wechat := d.id(t, collections.ChannelConfigs, `channel = "wechat"`)
	limit := func() string {
		return d.Call("GET", "/api/collections/channel_configs/records/"+wechat, d.config, nil).Text("settings")
	}
	before := limit()
	change := d.propose(d.config, "channel_configs", wechat, map[string]any{"settings": map[string]any{"single_limit": 12300}})
	wantState(t, "propose", change, "waiting")
	if limit() != before {
		t.Errorf("written before it is confirmed: %s", limit())
	}
	wantCode(t, "own change", d.decide(d.config, change, "confirm"), 403, "self_confirm")
	wantCode(t, "auditor", d.decide(d.auditor, change, "confirm"), 403, "not_allowed")
	wantCode(t, "reviewer", d.decide(d.Staff("reviewer1"), change, "confirm"), 403, "not_allowed")
	wantState(t, "confirm", d.decide(d.finance, change, "confirm"), "applied")
	if got := limit(); !strings.Contains(got, "single_limit:12300") || !strings.Contains(got, "confirm_url") {
		t.Errorf("settings: %s", got)
	}
	wantCode(t, "again", d.decide(d.finance, change, "confirm"), 409, "conflict")
	if n := d.count(t, "SELECT COUNT(*) FROM audit_log WHERE action IN ('config.propose', 'config.confirm') AND target = 'channel_configs/"+
		wechat+"'"); n != 2 {
		t.Errorf("%d audit entries", n)
	}
	res := d.Call("GET", "/api/hospay/config/changes?state=applied&target=channel_configs/"+wechat, d.auditor, nil)
	if res.Status != 200 || res.Text("total") != "1" || !strings.Contains(string(res.Raw), `"single_limit":"12300"`) ||
		!strings.Contains(string(res.Raw), `"name":"财务员"`) {
		t.Errorf("history: %d %s", res.Status, res.Raw)
	}
}

// TestConfig_OnePersonWithTwoAccountsIsNoSecondPerson compares people, not
// accounts, at the moment of effect.
func TestConfig_OnePersonWithTwoAccountsIsNoSecondPerson(t *testing.T) {
	d := newDesk(t)
	inst := d.Institution
	change := d.propose(d.config, "institutions", inst, map[string]any{"debit_at": "approval"})
	wantState(t, "propose", change, "waiting")
	for _, name := range []string{"config", "finance"} {
		set(t, d.App, collections.Staff, `email = "`+name+`@demo.hospay"`, map[string]any{"person_index": "same-person"})
	}
	wantCode(t, "same person", d.decide(d.finance, change, "confirm"), 403, "self_confirm")
	set(t, d.App, collections.Staff, `email = "finance@demo.hospay"`, map[string]any{"person_index": "", "active": false})
	if res := d.decide(d.finance, change, "confirm"); res.Status != 403 && res.Status != 401 {
		t.Errorf("inactive: %d %s", res.Status, res.Raw)
	}
	set(t, d.App, collections.Staff, `email = "finance@demo.hospay"`, map[string]any{"active": true})
	wantCode(t, "a person who is not known", d.decide(d.finance, change, "confirm"), 403, "person_unknown")
	set(t, d.App, collections.Staff, `email = "finance@demo.hospay"`, map[string]any{"person_index": "another-person"})
	wantState(t, "another person", d.decide(d.finance, change, "confirm"), "applied")
}

// TestConfig_ARecordThatHasMovedIsAConflict: what was proposed on another
// state of the record never takes effect.
func TestConfig_ARecordThatHasMovedIsAConflict(t *testing.T) {
	d := newDesk(t)
	inst := d.Institution
	first := d.propose(d.config, "institutions", inst, map[string]any{"methods": []string{"transfer"}})
	wantState(t, "name", d.propose(d.config, "institutions", inst, map[string]any{"name": "演示医院（新）"}), "applied")
	wantCode(t, "superseded", d.decide(d.finance, first, "confirm"), 409, "conflict")

	second := d.propose(d.config, "institutions", inst, map[string]any{"methods": []string{"transfer"}})
	if res := d.Call("PATCH", "/api/collections/institutions/records/"+inst, d.Superuser(),
		map[string]any{"day_limit": 7}); res.Status != 200 {
		t.Fatalf("dashboard: %d %s", res.Status, res.Raw)
	}
	wantCode(t, "dashboard", d.decide(d.finance, second, "confirm"), 409, "conflict")

	third := d.propose(d.config, "institutions", inst, map[string]any{"methods": []string{"transfer"}})
	if _, err := d.Runtime.App.NonconcurrentDB().NewQuery("UPDATE institutions SET min_amount = 99 WHERE id = '" + inst + "'").
		Execute(); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "behind the program's back", d.decide(d.finance, third, "confirm"), 409, "conflict")
	rec, err := d.Runtime.App.FindRecordById(collections.Institutions, inst)
	if err != nil || len(rec.GetStringSlice("methods")) != 2 {
		t.Errorf("methods: %v %v", rec.GetStringSlice("methods"), err)
	}
	if n := d.count(t, "SELECT COUNT(*) FROM config_changes WHERE state = 'superseded' AND sealed = ''"); n != 3 {
		t.Errorf("%d superseded changes", n)
	}
}

// TestConfig_SecretsAreNeverShownOrStoredOpen looks for a new key in answers,
// in the history, in the log and in every file of the data folder.
func TestConfig_SecretsAreNeverShownOrStoredOpen(t *testing.T) {
	d := newDesk(t)
	const key = "0123456789-SECRET-api-v3-key-xyz"
	wechat := d.id(t, collections.ChannelConfigs, `channel = "wechat"`)
	change := d.propose(d.config, "channel_configs", wechat, map[string]any{"secrets": map[string]any{"api_v3_key": key}})
	wantState(t, "propose", change, "waiting")
	list := d.Call("GET", "/api/hospay/config/changes", d.finance, nil)
	record := d.Call("GET", "/api/collections/config_changes/records", d.config, nil)
	confirmed := d.decide(d.finance, change, "confirm")
	wantState(t, "confirm", confirmed, "applied")
	rejected := d.propose(d.config, "channel_configs", wechat, map[string]any{"secrets": map[string]any{"app_secret": key + "2"}})
	wantState(t, "reject", d.decide(d.finance, rejected, "reject"), "rejected")
	for what, res := range map[string]testapp.Answer{
		"proposal": change, "list": list, "record": record, "confirmation": confirmed, "config": d.Call("GET", "/api/hospay/config", d.config,
			nil),
	} {
		if strings.Contains(string(res.Raw), key) {
			t.Errorf("%s shows the key", what)
		}
	}
	if !strings.Contains(string(change.Raw), `"api_v3_key":"已设置"`) {
		t.Errorf("the history does not tell that the key was set: %s", change.Raw)
	}
	if n := d.count(t, "SELECT COUNT(*) FROM config_changes WHERE sealed != ''"); n != 0 {
		t.Errorf("%d decided changes keep their values", n)
	}
	held, err := d.Store.RecordSecrets(mustRecord(t, d.App, collections.ChannelConfigs, wechat))
	if err != nil || held["api_v3_key"] != key {
		t.Errorf("the key is not in use: %v", err)
	}
	nowhereOnDisk(t, d.Dir, key)
}

func nowhereOnDisk(t *testing.T, dir, secret string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), secret) {
			t.Errorf("%s holds the secret", filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestConfig_NewRulesDecideTheNextOrder: rules that were confirmed decide the
// order after them without a restart.
func TestConfig_NewRulesDecideTheNextOrder(t *testing.T) {
	d := newDesk(t)
	review := d.id(t, collections.ReviewSettings, `institution != ""`)
	first := apply(t, d.Login("P0001", "wechat"), "wechat", "transfer", 1000, nil)
	d.Drain()
	wantStatus(t, d.App, first, refund.StatusReviewing)
	rules := []map[string]any{{"rule": "max_amount", "limit": 5000, "on_fail": "manual"}, {"rule": "name_equal", "on_fail": "reject"}}
	change := d.propose(d.config, "review_settings", review, map[string]any{"auto": true, "rules": rules})
	wantState(t, "confirm", d.decide(d.finance, change, "confirm"), "applied")
	small := apply(t, d.Login("P0002", "wechat"), "wechat", "transfer", 4900, nil)
	large := apply(t, d.Login("P0003", "wechat"), "wechat", "transfer", 5100, nil)
	d.Drain()
	d.Advance(time.Minute)
	d.Drain()
	wantStatus(t, d.App, small, refund.StatusAwaitingPayee)
	wantStatus(t, d.App, large, refund.StatusReviewing)
}

// TestConfig_WhatIsWrongIsRefusedBeforeItIsProposed tries what no page should
// send.
func TestConfig_WhatIsWrongIsRefusedBeforeItIsProposed(t *testing.T) {
	d := newDesk(t)
	wechat, his := d.id(t, collections.ChannelConfigs, `channel = "wechat"`), d.id(t, collections.HISConfigs, `kind = "rest"`)
	centre := d.id(t, collections.CentreConfigs, "active = true")
	review, me := d.id(t, collections.ReviewSettings, `institution != ""`), d.id(t, collections.Staff, `email = "config@demo.hospay"`)
	reviewer, text := d.id(t, collections.Staff, `email = "reviewer1@demo.hospay"`),
		d.id(t, collections.NotificationTexts, `event = "succeeded"`)
	type m = map[string]any
	for _, c := range []struct {
		what, collection, id string
		values               m
		status               int
		code                 string
	}{
		{"别的集合", "refund_orders", wechat, m{"amount": 1}, 403, "not_allowed"},
		{"审计", "audit_log", "", m{"action": "x"}, 403, "not_allowed"},
		{"不在列表的字段", "institutions", d.Institution, m{"payouts_frozen": true}, 403, "not_allowed"},
		{"密文", "channel_configs", wechat, m{"secrets_sealed": "x"}, 403, "not_allowed"},
		{"换渠道", "channel_configs", wechat, m{"channel": "alipay"}, 403, "not_allowed"},
		{"新机构", "institutions", "", m{"name": "x"}, 403, "not_allowed"},
		{"密码", "staff", reviewer, m{"password": "12345678"}, 403, "not_allowed"},
		{"不存在", "channel_configs", "none00000000000", m{"active": false}, 404, "not_found"},
		{"未知设置", "channel_configs", wechat, m{"settings": m{"singel_limit": 1}}, 400, "config_invalid"},
		{"设置里放密钥", "channel_configs", wechat, m{"settings": m{"private_key": "x"}}, 400, "config_invalid"},
		{"未知密钥", "channel_configs", wechat, m{"secrets": m{"keyy": "x"}}, 400, "config_invalid"},
		{"短密钥", "channel_configs", wechat, m{"secrets": m{"api_v3_key": "short"}}, 400, "config_invalid"},
		{"删私钥", "channel_configs", wechat, m{"secrets": m{"private_key": ""}}, 400, "config_invalid"},
		{"坏地址", "channel_configs", wechat, m{"api_base": "ftp://x"}, 400, "config_invalid"},
		{"坏映射", "his_configs", his, m{"mapping": m{"unit": "yuan"}}, 400, "config_invalid"},
		{"未知地区", "centre_configs", centre, m{"region": m{"base": "nowhere"}}, 400, "config_invalid"},
		{"地区设置写错", "centre_configs", centre, m{"region": m{"base": "national", "sm2_userid": "x"}}, 400, "config_invalid"},
		{"缺少机构编码", "centre_configs", centre, m{"org_code": ""}, 400, "config_invalid"},
		{"坏公钥", "centre_configs", centre, m{"secrets": m{"platform_key": "x"}}, 400, "config_invalid"},
		{"未知的中心密钥", "centre_configs", centre, m{"secrets": m{"keyy": "x"}}, 400, "config_invalid"},
		{"未知规则", "review_settings", review, m{"rules": []m{{"rule": "x", "on_fail": "manual"}}}, 400, "config_invalid"},
		{"规则失败即通过", "review_settings", review, m{"rules": []m{{"rule": "proxy", "on_fail": "approve"}}}, 400, "config_invalid"},
		{"坏时段", "review_settings", review, m{"window_from": "8:00"}, 400, "config_invalid"},
		{"坏选项", "institutions", d.Institution, m{"debit_at": "never"}, 400, "config_invalid"},
		{"没有方式", "institutions", d.Institution, m{"methods": []string{}}, 400, "config_invalid"},
		{"没有变化", "institutions", d.Institution, m{"debit_at": "application"}, 400, "config_unchanged"},
		{"本人", "staff", me, m{"roles": []string{"config", "cashier"}}, 403, "own_roles"},
		{"未知角色", "staff", reviewer, m{"roles": []string{"root"}}, 400, "config_invalid"},
		{"清空身份证号", "staff", reviewer, m{"secrets": m{"id_no": ""}}, 400, "config_invalid"},
		{"清空身份证号并改名", "staff", reviewer, m{"name": "x", "secrets": m{"id_no": " "}}, 400, "config_invalid"},
		{"通知里放标签", "notification_texts", text, m{"body": "<b>{no}</b>"}, 400, "config_invalid"},
	} {
		wantCode(t, c.what, d.propose(d.config, c.collection, c.id, c.values), c.status, c.code)
	}
	wantCode(t, "财务不能提出", d.propose(d.finance, "institutions", d.Institution, m{"name": "x"}), 403, "not_allowed")
	if n := d.count(t, "SELECT COUNT(*) FROM config_changes"); n != 0 {
		t.Errorf("%d changes were written", n)
	}
}

// TestConfig_CentreByTwoPeople: the region is what a shipped profile and the
// hospital's own settings say, once two people have said so; keys are told by name.
func TestConfig_CentreByTwoPeople(t *testing.T) {
	d := newDesk(t)
	centre := d.id(t, collections.CentreConfigs, "active = true")
	change := d.propose(d.config, "centre_configs", centre, map[string]any{"region": map[string]any{"base": "shanxi", "auth_minutes": 7}})
	wantState(t, "propose", change, "waiting")
	h, err := d.Store.CentreClient(t.Context(), d.Institution)
	if err != nil || h.Habits().InsuranceFirst {
		t.Fatal("in force before it is confirmed", err)
	}
	wantState(t, "confirm", d.decide(d.finance, change, "confirm"), "applied")
	h, err = d.Store.CentreClient(t.Context(), d.Institution)
	if err != nil || !h.Habits().InsuranceFirst || h.Habits().AuthFor != 7*time.Minute {
		t.Errorf("%+v %v", h.Habits(), err)
	}
	res := d.Call("GET", "/api/hospay/config", d.config, nil)
	for _, want := range []string{`"regions":[`, `"code":"guangzhou"`, `"base":"shanxi"`, `"private_key"`} {
		if !strings.Contains(string(res.Raw), want) {
			t.Errorf("%s is not told", want)
		}
	}
	if key := d.Sims.Centre.Config().PrivateKey; strings.Contains(string(res.Raw), key) {
		t.Error("a key is told")
	}
}

// TestConfig_OtherHouseIsNotReached: nobody changes what is another
// institution's.
func TestConfig_OtherHouseIsNotReached(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	d := &desk{App: h.App, config: h.tokens["config"], finance: h.tokens["finance"]}
	wantCode(t, "institution", d.propose(d.config, "institutions", "planted00000000", map[string]any{"name": "x"}), 404, "not_found")
	change := d.propose(d.config, "institutions", d.Institution, map[string]any{"debit_at": "approval"})
	set(t, d.App, collections.Staff, `email = "finance@demo.hospay"`, map[string]any{"institution": "planted00000000"})
	wantCode(t, "change", d.decide(d.finance, change, "confirm"), 404, "not_found")
	if res := d.Call("GET", "/api/hospay/config/changes", d.finance, nil); res.Text("total") != "0" ||
		strings.Contains(string(res.Raw), change.Text("id")) {
		t.Errorf("a stranger reads %s", res.Raw)
	}
}

// TestConfig_StaffAccounts: a new account works with its first password, once
// told; nobody is left without somebody who configures.
func TestConfig_StaffAccounts(t *testing.T) {
	d := newDesk(t)
	type m = map[string]any
	change := d.propose(d.config, "staff", "", m{"email": "new@demo.hospay", "name": "新同事", "roles": []string{"config"},
		"secrets": m{"id_no": "11010519491231002X"}})
	wantState(t, "propose", change, "waiting")
	if d.Call("POST", "/api/collections/staff/auth-with-password", "", m{"identity": "new@demo.hospay", "password": "x"}).Status == 200 {
		t.Fatal("the account works before it is confirmed")
	}
	done := d.decide(d.finance, change, "confirm")
	wantState(t, "confirm", done, "applied")
	password := done.Text("password")
	login := d.Call("POST", "/api/collections/staff/auth-with-password", "", m{"identity": "new@demo.hospay", "password": password})
	if login.Status != 200 || len(password) < 20 {
		t.Fatalf("first login: %d %s (%d characters)", login.Status, login.Raw, len(password))
	}
	for _, secret := range []string{password, "11010519491231002X"} {
		if res := d.Call("GET", "/api/hospay/config/changes", d.finance, nil); strings.Contains(string(res.Raw), secret) ||
			strings.Contains(string(change.Raw), secret) {
			t.Error("the history holds the password or the ID number")
		}
		nowhereOnDisk(t, d.Dir, secret)
	}
	login = d.Call("POST", "/api/hospay/staff/password", login.Text("token"), m{"old": password, "new": "a-password-of-my-own"})
	second, old := login.Text("token"), d.id(t, collections.Staff, `email = "config@demo.hospay"`)
	off := d.propose(second, "staff", old, m{"active": false})
	wantCode(t, "about oneself", d.decide(d.config, off, "confirm"), 403, "own_roles")
	wantState(t, "switch off", d.decide(d.finance, off, "confirm"), "applied")
	if d.Call("GET", "/api/hospay/config", d.config, nil).Status != 403 && d.Call("GET", "/api/hospay/config", d.config, nil).Status != 401 {
		t.Error("the old account still reads")
	}
	d.lastConfigStays(t, second, old)
}

// lastConfigStays lets two accounts propose to switch each other off: only one
// of the changes can take effect.
func (d *desk) lastConfigStays(t *testing.T, second, old string) {
	t.Helper()
	type m = map[string]any
	back := d.propose(second, "staff", old, m{"active": true})
	wantState(t, "switch on", d.decide(d.finance, back, "confirm"), "applied")
	d.config = d.Staff("config")
	newcomer := d.id(t, collections.Staff, `email = "new@demo.hospay"`)
	a, b := d.propose(d.config, "staff", newcomer, m{"roles": []string{"auditor"}}), d.propose(second, "staff", old, m{"active": false})
	wantState(t, "one goes", d.decide(d.finance, a, "confirm"), "applied")
	wantCode(t, "the last one stays", d.decide(d.finance, b, "confirm"), 409, "last_config")
}

// TestConfig_NoticeEditsAreNewVersions: what patients have read stays.
func TestConfig_NoticeEditsAreNewVersions(t *testing.T) {
	d := newDesk(t)
	notice := d.id(t, collections.Notices, `kind = "refund"`)
	p := d.Login("P0001", "wechat")
	id := apply(t, p, "wechat", "transfer", 1000, nil)
	res := d.propose(d.config, "notices", notice, map[string]any{"content": `<p onclick="x">新须知</p><script>alert(1)</script>`})
	wantState(t, "edit", res, "applied")
	next := mustRecord(t, d.App, collections.Notices, res.Body["target"].(map[string]any)["id"].(string))
	old := mustRecord(t, d.App, collections.Notices, notice)
	if next.GetString("version") != "2" || !next.GetBool("active") || old.GetBool("active") || next.GetString("content") != "<p>新须知</p>" ||
		strings.Contains(old.GetString("content"), "新须知") {
		t.Errorf("next %v, old %v", next.FieldsData(), old.FieldsData())
	}
	if v := mustRecord(t, d.App, collections.RefundOrders, id).GetString("notice_version"); v != "1" {
		t.Errorf("the order refers to version %s", v)
	}
	wantRefusal(t, "旧须知", d.Login("P0002", "wechat").Apply("wechat", "transfer", 1000, nil), 400, "notice_outdated")
	wantState(t, "back to the old one", d.propose(d.config, "notices", notice, map[string]any{"active": true}), "applied")
	apply(t, d.Login("P0003", "wechat"), "wechat", "transfer", 1000, nil)
	wantCode(t, "none in force", d.propose(d.config, "notices", notice, map[string]any{"active": false}), 400, "config_invalid")
	wantCode(t, "dashboard", d.Call("PATCH", "/api/collections/notices/records/"+notice, d.Superuser(),
		map[string]any{"content": "<p>改写</p>"}), 409, "notice_fixed")
}

// TestConfig_RichTextIsHarmless: wherever a notice comes from and goes to,
// nothing in it can act.
func TestConfig_RichTextIsHarmless(t *testing.T) {
	d := newDesk(t)
	const bad = `<p style="x" onclick="alert(1)">好</p><script>alert(1)</script><img src=x onerror=alert(1)><a href="javascript:alert(1)">点</a>`
	const good = "<p>好</p>点"
	res := d.Call("POST", "/api/hospay/config/preview", d.config, map[string]any{"kind": "notice", "title": "t", "content": bad})
	if res.Text("html") != good {
		t.Errorf("preview: %d %s", res.Status, res.Raw)
	}
	if _, err := d.Runtime.App.NonconcurrentDB().NewQuery(`UPDATE notices SET content = '` + bad + `'`).Execute(); err != nil {
		t.Fatal(err)
	}
	p := d.Login("P0001", "wechat")
	for what, raw := range map[string][]byte{
		"options": p.Call("GET", "/api/hospay/options?card_no="+p.Card, p.Token, nil).Raw,
		"record":  p.Call("GET", "/api/collections/notices/records", p.Token, nil).Raw,
		"consent": p.Call("GET", "/api/hospay/proxies/options", p.Token, nil).Raw, "config": d.Call("GET", "/api/hospay/config", d.config, nil).
				Raw,
	} {
		if strings.Contains(string(raw), "alert") || strings.Contains(string(raw), "onclick") || !strings.Contains(string(raw), "点") {
			t.Errorf("%s: %s", what, raw)
		}
	}
	rec := d.Call("POST", "/api/collections/notices/records", d.Superuser(), map[string]any{"institution": d.Institution, "kind": "refund",
		"version": "9", "title": "t", "content": bad})
	if rec.Text("content") != good {
		t.Errorf("dashboard: %d %s", rec.Status, rec.Raw)
	}
	text := d.Call("POST", "/api/hospay/config/preview", d.config,
		map[string]any{"kind": "text", "title": "退款", "body": "{amount} {channel} {no} {reason}"})
	if s := text.Text("text"); strings.Contains(s, "{") || !strings.Contains(s, "微信") || !strings.Contains(s, "12.34") {
		t.Errorf("text: %s", s)
	}
}

// TestConfig_DashboardChangesAreRecorded: superusers need no second person,
// but leave the same traces.
func TestConfig_DashboardChangesAreRecorded(t *testing.T) {
	d := newDesk(t)
	super := d.Superuser()
	his := d.id(t, collections.HISConfigs, `kind = "rest"`)
	for _, body := range []map[string]any{{"timeout_ms": 4000}, {"secrets_input": `{"key":"OPEN-HIS-KEY"}`}, {"timeout_ms": 4000}} {
		if res := d.Call("PATCH", "/api/collections/his_configs/records/"+his, super, body); res.Status != 200 {
			t.Fatalf("%v: %d %s", body, res.Status, res.Raw)
		}
	}
	res := d.Call("GET", "/api/hospay/config/changes?target=his_configs/"+his, d.auditor, nil)
	if res.Text("total") != "2" || !strings.Contains(string(res.Raw), `"after":{"timeout_ms":4000}`) ||
		!strings.Contains(string(res.Raw), `"after":{"secrets":{"key":"已设置"}}`) ||
		!strings.Contains(string(res.Raw), `"kind":"superuser"`) || strings.Contains(string(res.Raw), "OPEN-HIS-KEY") {
		t.Errorf("history: %s", res.Raw)
	}
	if n := d.count(t, "SELECT COUNT(*) FROM audit_log WHERE action = 'config.dashboard' AND actor_kind = 'superuser' AND institution = '"+
		d.Institution+"'"); n != 2 {
		t.Errorf("%d audit entries", n)
	}
	if res := d.Call("PATCH", "/api/collections/his_configs/records/"+his, super, map[string]any{"base_url": ""}); res.Status < 400 {
		t.Fatalf("an empty address was taken: %d", res.Status)
	}
	if n := d.count(t, "SELECT COUNT(*) FROM config_changes WHERE collection = 'his_configs'"); n != 2 {
		t.Errorf("a refused change was recorded: %d", n)
	}
	if res := d.Call("DELETE", "/api/collections/his_configs/records/"+his, super, nil); res.Status != 204 {
		t.Fatalf("delete: %d %s", res.Status, res.Raw)
	}
	if n := d.count(t, "SELECT COUNT(*) FROM config_changes WHERE collection = 'his_configs' AND `after` LIKE '%null%'"); n != 1 {
		t.Errorf("the deletion was not recorded")
	}
}

// TestConfig_WithdrawAndReject end a change without effect.
func TestConfig_WithdrawAndReject(t *testing.T) {
	d := newDesk(t)
	propose := func() testapp.Answer {
		return d.propose(d.config, "institutions", d.Institution, map[string]any{"debit_at": "approval"})
	}
	change := propose()
	wantCode(t, "withdraw by another", d.decide(d.finance, change, "withdraw"), 403, "not_allowed")
	wantState(t, "withdraw", d.decide(d.config, change, "withdraw"), "withdrawn")
	change = propose()
	wantCode(t, "reject without a reason", d.Call("POST", "/api/hospay/config/changes/"+change.Text("id")+"/reject", d.finance,
		map[string]any{}), 400, "note_required")
	wantCode(t, "reject own", d.decide(d.config, change, "reject"), 403, "self_confirm")
	wantState(t, "reject", d.decide(d.finance, change, "reject"), "rejected")
	newer, newest := propose(), propose()
	wantCode(t, "an older one", d.decide(d.finance, newer, "confirm"), 409, "conflict")
	wantState(t, "the newest", d.decide(d.finance, newest, "confirm"), "applied")
	if v := fmt.Sprint(newest.Body["version"]); v != "4" {
		t.Errorf("version %s", v)
	}
}

// TestConfig_NobodyChangesOnesOwnPerson: an own second account stays one's own,
// and every new account says who stands behind it.
func TestConfig_NobodyChangesOnesOwnPerson(t *testing.T) {
	d := newDesk(t)
	type m = map[string]any
	person := d.Store.PersonIndex(d.Sims.World.Find("P0009").IDNo)
	for _, name := range []string{"config", "finance"} {
		set(t, d.App, collections.Staff, `email = "`+name+`@demo.hospay"`, m{"person_index": person})
	}
	own := d.id(t, collections.Staff, `email = "finance@demo.hospay"`)
	wantCode(t, "own second account", d.propose(d.config, "staff", own, m{"secrets": m{"id_no": "11010519491231002X"}}), 403, "own_roles")
	wantCode(t, "no identity", d.propose(d.config, "staff", "", m{"email": "new@demo.hospay", "name": "新同事", "roles": []string{"finance"}}),
		400, "config_invalid")
	other := d.id(t, collections.Staff, `email = "reviewer1@demo.hospay"`)
	wantCode(t, "identity removed", d.propose(d.config, "staff", other, m{"secrets": m{"id_no": ""}}), 400, "config_invalid")
}
