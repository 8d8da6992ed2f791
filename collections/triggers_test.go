package collections_test

import (
	"strings"
	"testing"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/refund"

	"github.com/pocketbase/dbx"
)

// paidOrder brings one order to its end and returns its id.
func paidOrder(t *testing.T, a *testapp.App) string {
	t.Helper()
	p := a.Login("P0002", "alipay")
	res := p.Apply("alipay", "transfer", 5000, nil)
	if res.Status != 200 {
		t.Fatalf("apply: %d %s", res.Status, res.Raw)
	}
	id := res.Text("id")
	a.Drain()
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	a.Drain()
	if s := a.Order(id).Order.Status; s != refund.StatusSucceeded {
		t.Fatalf("order is %s", s)
	}
	return id
}

// TestTriggers_RefuseRawSQL lets SQL try what no code may do.
func TestTriggers_RefuseRawSQL(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	paid := paidOrder(t, a)
	p := a.Login("P0003", "wechat")
	open := p.Apply("wechat", "transfer", 1000, nil).Text("id")
	a.Drain()
	rejected := p.SubmittedProxy("P0008", "elderly")
	a.ReviewProxy(a.Staff("reviewer1"), rejected, "reject", "不符")
	draft := p.ApplyProxy("P0007", "minor", nil).Text("id")
	db := a.Runtime.App.NonconcurrentDB()
	if _, err := db.Insert(collections.Callbacks, dbx.Params{"id": "cb0000000000001", "institution": a.Institution, "channel": "wechat",
		"callback_id": "once"}).Execute(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Insert(collections.AuditLog, dbx.Params{"id": "au0000000000001", "seq": 1001, "action": "x"}).Execute(); err != nil {
		t.Fatal(err)
	}
	for id, state := range map[string]string{"cw0000000000001": "waiting", "ca0000000000001": "applied"} {
		if _, err := db.Insert(collections.ConfigChanges, dbx.Params{"id": id, "institution": a.Institution, "collection": "staff", "record": id,
			"version": 1,
			"state":   state, "proposer_kind": "staff", "proposer": "p", "sensitive": state == "waiting"}).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, sql, want string }{
		{"改配置变更内容", "UPDATE config_changes SET `after` = '{}' WHERE id = 'cw0000000000001'", "never changes"},
		{"改已生效的变更", "UPDATE config_changes SET state = 'rejected' WHERE id = 'ca0000000000001'", "stays as it is"},
		{"没有第二人", "UPDATE config_changes SET state = 'applied' WHERE id = 'cw0000000000001'", "second person"},
		{"本人确认", "UPDATE config_changes SET state = 'applied', confirmer = 'p' WHERE id = 'cw0000000000001'", "second person"},
		{"未知的状态", "UPDATE config_changes SET state = 'x' WHERE id = 'cw0000000000001'", "illegal move"},
		{"留下密钥", "UPDATE config_changes SET state = 'rejected', confirmer = 'q', sealed = 'x' WHERE id = 'cw0000000000001'", "keeps no values"},
		{"直接生效的敏感变更", "INSERT INTO config_changes (id, state, sensitive, proposer_kind) VALUES ('cx0000000000001', 'applied', TRUE, 'staff')",
			"waits for a second person"},
		{"删配置变更", "DELETE FROM config_changes", "never deleted"},
		{"非法状态跳转：已到账改回待付", "UPDATE refund_orders SET status = 'paying' WHERE id = {:paid}", "illegal move"},
		{"非法状态跳转：待审核直接到账", "UPDATE refund_orders SET status = 'succeeded' WHERE id = {:open}", "illegal move"},
		{"改金额", "UPDATE refund_orders SET amount = amount + 1 WHERE id = {:open}", "never change"},
		{"改卡号", "UPDATE refund_orders SET card_no = 'C9' WHERE id = {:open}", "never change"},
		{"改患者", "UPDATE refund_orders SET patient = 'x' WHERE id = {:open}", "never change"},
		{"改收款人", "UPDATE refund_orders SET payee_account_sealed = 'x' WHERE id = {:open}", "never change"},
		{"改单号", "UPDATE refund_orders SET no = 'x' WHERE id = {:open}", "never change"},
		{"终态改到账时间", "UPDATE refund_orders SET paid_at = '2020-01-01 00:00:00.000Z' WHERE id = {:paid}", "stays as it is"},
		{"删订单", "DELETE FROM refund_orders WHERE id = {:paid}", "never deleted"},
		{"删全部订单", "DELETE FROM refund_orders", "never deleted"},
		{"替换订单", "REPLACE INTO refund_orders (id, no, status, amount, card_no) SELECT id, no, 'submitted', amount, card_no FROM refund_orders " +
			"WHERE id = {:paid}", "never deleted"},
		{"覆盖插入", "INSERT INTO refund_orders (id, no, status) SELECT id, no, 'submitted' FROM refund_orders WHERE id = {:paid} ON CONFLICT (id) " +
			"DO UPDATE SET amount = 1", ""},
		{"凭空到账", "INSERT INTO refund_orders (id, no, status) VALUES ('x00000000000001', 'RX', 'succeeded')", "starts at submitted"},
		{"凭空冲回", "INSERT INTO refund_orders (id, no, status) VALUES ('x00000000000001', 'RX', 'reversing')", "starts at submitted"},
		{"同卡第二张在途单", "INSERT INTO refund_orders (id, no, status, institution, card_no) SELECT 'x00000000000001', 'RX', 'submitted', " +
			"institution," +
			" card_no FROM refund_orders WHERE id = {:open}", "active order"},
		{"同一单冲回两次", "INSERT INTO refund_orders (id, no, status, compensates) VALUES ('x00000000000001', 'RX', 'reversing', {:paid}), " +
			"('x00000000000002', 'RY', 'reversing', {:paid})", "UNIQUE"},
		{"改历史", "UPDATE refund_events SET event = 'x' WHERE `order` = {:paid}", "append-only"},
		{"删历史", "DELETE FROM refund_events WHERE `order` = {:paid}", "never deleted"},
		{"替换历史", "REPLACE INTO refund_events (id, `order`, seq, event) SELECT id, `order`, seq, 'x' FROM refund_events WHERE `order` = {:paid}",
			"never deleted"},
		{"历史同一序号", "INSERT INTO refund_events (id, `order`, seq, event) VALUES ('x00000000000001', {:paid}, 1, 'x')", "UNIQUE"},
		{"改转账单号", "UPDATE transfer_orders SET out_bill_no = 'X' WHERE `order` = {:paid}", "never changes"},
		{"改转账金额", "UPDATE transfer_orders SET amount = 1 WHERE `order` = {:paid}", "never changes"},
		{"已付改未付", "UPDATE transfer_orders SET state = 'open' WHERE `order` = {:paid}", "stays paid"},
		{"删转账单", "DELETE FROM transfer_orders", "never deleted"},
		{"替换转账单", "REPLACE INTO transfer_orders (id, `order`, attempt, out_bill_no, state) SELECT id, `order`, attempt, out_bill_no, 'intent' " +
			"FROM transfer_orders", "never deleted"},
		{"同一商户单号两次", "INSERT INTO transfer_orders (id, `order`, attempt, out_bill_no) SELECT 'x00000000000001', {:open}, 1, out_bill_no FROM " +
			"transfer_orders WHERE `order` = {:paid}", "UNIQUE"},
		{"改HIS流水", "UPDATE his_calls SET amount = 1", "never changes"},
		{"HIS已退改未退", "UPDATE his_calls SET state = 'open' WHERE `order` = {:paid}", "stays finished"},
		{"删HIS流水", "DELETE FROM his_calls", "never deleted"},
		{"同一HIS流水号两次", "INSERT INTO his_calls (id, `order`, kind, attempt, no) SELECT 'x00000000000001', {:open}, 'reverse', 1, no FROM " +
			"his_calls WHERE `order` = {:paid}", "UNIQUE"},
		{"改审核", "UPDATE reviews SET decision = 'reject'", "append-only"},
		{"删审核", "DELETE FROM reviews", "never deleted"},
		{"同一单审核两次", "INSERT INTO reviews (id, `order`, stage, decision) VALUES ('x00000000000001', {:paid}, 'first', 'reject')", "UNIQUE"},
		{"同一通知两次", "INSERT INTO callbacks (id, institution, channel, callback_id) SELECT 'x00000000000001', institution, channel, callback_id " +
			"FROM callbacks", "UNIQUE"},
		{"改通知", "UPDATE callbacks SET effect = 'x'", "append-only"},
		{"替换通知", "REPLACE INTO callbacks (id, institution, channel, callback_id) VALUES ('cb0000000000002', {:inst}, 'wechat', 'once')",
			"never deleted"},
		{"删通知", "DELETE FROM callbacks", "never deleted"},
		{"改订单的代办", "UPDATE refund_orders SET proxy_application = 'x' WHERE id = {:open}", "never change"},
		{"凭空的代办单", "INSERT INTO refund_orders (id, no, status, institution, card_no, proxy_application) VALUES ('x00000000000001', 'RX', " +
			"'submitted', 'i', 'C', {:proxy})", "not approved"},
		{"生来已批准的代办", "INSERT INTO proxy_applications (id, no, status) VALUES ('x00000000000001', 'AX', 'approved')", "starts as a draft"},
		{"代办跳过审核", "UPDATE proxy_applications SET status = 'approved' WHERE id = {:proxy}", "illegal move"},
		{"代办换卡", "UPDATE proxy_applications SET card_no = 'C9' WHERE id = {:proxy}", "never change"},
		{"代办换被代办人", "UPDATE proxy_applications SET principal = 'x' WHERE id = {:proxy}", "never change"},
		{"代办换情形", "UPDATE proxy_applications SET `case` = 'deceased' WHERE id = {:proxy}", "never change"},
		{"改驳回的理由", "UPDATE proxy_applications SET note = 'y' WHERE id = {:rejected}", "stays as it is"},
		{"驳回后再批准", "UPDATE proxy_applications SET status = 'approved' WHERE id = {:rejected}", "illegal move"},
		{"删代办", "DELETE FROM proxy_applications WHERE id = {:proxy}", "never deleted"},
		{"驳回后加材料", "INSERT INTO proxy_materials (id, application, patient, institution, kind) SELECT 'x00000000000001', id, patient, " +
			"institution, 'other' FROM proxy_applications WHERE id = {:rejected}", "while the application is a draft"},
		{"别人加材料", "INSERT INTO proxy_materials (id, application, patient, institution, kind) VALUES ('x00000000000001', {:proxy}, 'x', " +
			"{:inst}, " +
			"'other')", "while the application is a draft"},
		{"驳回后删材料", "DELETE FROM proxy_materials WHERE application = {:rejected}", "while the application is a draft"},
		{"换材料的文件", "UPDATE proxy_materials SET file = 'x.jpg' WHERE application = {:rejected}", "when it is purged"},
		{"清掉文件不留时间", "UPDATE proxy_materials SET file = '' WHERE application = {:rejected}", "when it is purged"},
		{"改材料的哈希", "UPDATE proxy_materials SET sha256 = 'x' WHERE application = {:rejected}", "when it is purged"},
		{"同一种材料两张", "INSERT INTO proxy_materials (id, application, patient, institution, kind) SELECT 'x00000000000001', id, patient, " +
			"institution, 'guardian_proof' FROM proxy_applications WHERE id = {:proxy} UNION SELECT 'x00000000000002', id, patient, institution, " +
			"'guardian_proof' FROM proxy_applications WHERE id = {:proxy}", "UNIQUE"},
		{"改审计", "UPDATE audit_log SET action = 'y'", "append-only"},
		{"删审计", "DELETE FROM audit_log", "never deleted"},
	} {
		_, err := db.NewQuery(c.sql).Bind(dbx.Params{"paid": paid, "open": open, "inst": a.Institution, "proxy": draft, "rejected": rejected}).
			Execute()
		switch {
		case err == nil:
			t.Errorf("%s: went through", c.name)
		case !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: refused by %q, want %q", c.name, err, c.want)
		}
	}
}

// TestVerify_RefusesToStart takes away, one after the other, what the money
// rules rest on.
func TestVerify_RefusesToStart(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	app := a.Runtime.App
	exec := func(sql string) {
		t.Helper()
		if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	healthy := func(when string) {
		t.Helper()
		if err := collections.Guards().Verify(t.Context(), app); err != nil {
			t.Fatalf("%s: %v", when, err)
		}
	}
	refuses := func(what string) {
		t.Helper()
		if collections.Guards().Verify(t.Context(), app) == nil {
			t.Errorf("started although %s", what)
		}
	}
	healthy("at first")
	for _, tr := range collections.AllTriggers() {
		exec("DROP TRIGGER " + tr.Name)
		refuses(tr.Name + " is gone")
		exec(weaker(tr.SQL))
		refuses(tr.Name + " is weaker")
		exec("DROP TRIGGER " + tr.Name)
		exec(tr.SQL)
	}
	healthy("after the triggers")
	var indexes []struct {
		Name string `db:"name"`
		SQL  string `db:"sql"`
	}
	if err := app.NonconcurrentDB().NewQuery("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND name IN ('" +
		strings.Join(collections.NeededIndexes(), "','") + "')").All(&indexes); err != nil {
		t.Fatal(err)
	}
	if len(indexes) != len(collections.NeededIndexes()) {
		t.Fatalf("%d indexes, want %d", len(indexes), len(collections.NeededIndexes()))
	}
	for _, x := range indexes {
		exec("DROP INDEX " + x.Name)
		refuses(x.Name + " is gone")
		exec(strings.Split(x.SQL, " WHERE ")[0] + " WHERE id = 'nothing'")
		refuses(x.Name + " covers nothing")
		exec("DROP INDEX " + x.Name)
		exec(x.SQL)
	}
	healthy("after the indexes")
	exec("PRAGMA synchronous = NORMAL")
	refuses("synchronous is NORMAL")
	exec("PRAGMA synchronous = FULL")
	exec("PRAGMA recursive_triggers = OFF")
	refuses("REPLACE passes by the triggers")
	exec("PRAGMA recursive_triggers = ON")
	healthy("at last")
}

// weaker is the same trigger with a condition that never holds.
func weaker(sql string) string {
	head, body, _ := strings.Cut(sql, " BEGIN ")
	head, _, _ = strings.Cut(head, " WHEN ")
	return head + " WHEN 1 = 0 BEGIN " + body
}
