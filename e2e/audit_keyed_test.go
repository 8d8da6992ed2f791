package e2e

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"hospay/books"
	"hospay/cmd"
	"hospay/collections"
	"hospay/internal/vault"
	"hospay/lab/testapp"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// behind opens the database of a program as somebody does who has the file and
// not the key: the triggers are out of the way.
func behind(t *testing.T, a *testapp.App) dbx.Builder {
	t.Helper()
	db := a.Runtime.App.NonconcurrentDB()
	for _, trigger := range []string{"guard_audit_log_update", "guard_audit_log_delete"} {
		if _, err := db.NewQuery("DROP TRIGGER " + trigger).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// TestAuditKeyed_NobodyWithoutTheKeyMakesARow rewrites the log from a row on as
// well as it can be done with the database alone: every hash and every link
// computed anew, by the plain form and with another key file.
func TestAuditKeyed_NobodyWithoutTheKeyMakesARow(t *testing.T) {
	foreign := must(vault.NewKeyFile(vault.AlgSM4, true).Chain())
	for name, forge := range map[string]func(app core.App){
		"plain":       func(app core.App) { store.SetChain(app, nil) },
		"another key": func(app core.App) { store.SetChain(app, foreign) },
	} {
		t.Run(name, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			acts(t, a, 4, a.Institution)
			own := must(a.Store.Vault().Chain())
			head := must(store.AuditHead(a.Runtime.App))
			db := behind(t, a)
			if _, err := db.NewQuery("DELETE FROM audit_log WHERE seq > 4").Execute(); err != nil {
				t.Fatal(err)
			}
			key := func(of string) { // what the program refuses to go on from, SQL makes it forget
				if _, err := db.Update(collections.AuditLog, dbx.Params{"key": of}, dbx.HashExp{"seq": 4}).Execute(); err != nil {
					t.Fatal(err)
				}
			}
			key("")
			forge(a.Runtime.App)
			acts(t, a, 3, a.Institution)
			key(own.Current())
			store.SetChain(a.Runtime.App, own)
			s := must(a.Store.VerifyAudit(t.Context()))
			if s.Break == nil || s.Break.Seq != 5 {
				t.Errorf("the forged rows are believed: %+v", s)
			}
			if _, err := db.NewQuery("DELETE FROM audit_log WHERE seq > 4").Execute(); err != nil {
				t.Fatal(err)
			}
			if s := must(a.Store.VerifyAudit(t.Context())); s.Break != nil {
				t.Fatalf("what is left was written so: %+v", s.Break)
			}
			if s := must(a.Store.VerifyAudit(t.Context(), head)); s.Break == nil || s.Break.Reason != "anchor" || s.Break.Seq != 5 {
				t.Errorf("the end that was cut off: %+v", s.Break)
			}
		})
	}
}

// TestAuditKeyed_WithoutTheKeyNothingIsWritten: a program without the key file
// adds no row to a keyed log.
func TestAuditKeyed_WithoutTheKeyNothingIsWritten(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	acts(t, a, 1, "")
	store.SetChain(a.Runtime.App, nil)
	err := a.Runtime.App.RunInTransaction(func(tx core.App) error {
		return store.Audit(tx, store.AuditEntry{ActorKind: "system", Action: "x"})
	})
	if !errors.Is(err, store.ErrNoChainKey) {
		t.Errorf("%v", err)
	}
}

// TestAuditKeyed_CutEndIsNoticedByTheRunningProgram: the job that looks every two
// minutes remembers where the log ended, says which row is gone, and tells staff
// once.
func TestAuditKeyed_CutEndIsNoticedByTheRunningProgram(t *testing.T) {
	book := &logBook{}
	a := testapp.New(t, testapp.Config{Log: slog.New(slog.NewTextHandler(book, nil))})
	acts(t, a, 4, a.Institution)
	if _, err := a.Jobs.RunNow(t.Context(), "guards"); err != nil {
		t.Fatal(err)
	}
	head := must(store.AuditHead(a.Runtime.App))
	if !strings.Contains(book.String(), "audit.anchor") || !strings.Contains(book.String(), head.Head) {
		t.Errorf("the head is not in the log: %s", book.String())
	}
	var guards []string
	for _, g := range collections.AllTriggers() {
		if strings.HasPrefix(g.Name, "guard_audit_log") {
			guards = append(guards, g.SQL)
		}
	}
	db := behind(t, a)
	if _, err := db.NewQuery("DELETE FROM audit_log WHERE seq > 4").Execute(); err != nil {
		t.Fatal(err)
	}
	for _, sql := range guards { // whoever does this leaves no trace
		if _, err := db.NewQuery(sql).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if _, err := a.Jobs.RunNow(t.Context(), "guards"); err == nil || !strings.Contains(err.Error(), "审计日志第 ") {
			t.Errorf("%v", err)
		}
	}
	if rows := onTrail(t, a.Runtime.App, "audit.broken"); len(rows) != 1 {
		t.Errorf("%+v", rows)
	}
	if n := warnings(t, a, "tampered"); n != 1 {
		t.Errorf("%d notices", n)
	}
}

func warnings(t *testing.T, a *testapp.App, event string) int {
	t.Helper()
	told := must(a.Runtime.App.FindRecordsByFilter(collections.Notifications, "event = {:e} && institution = {:i} && staff = true", "", 0,
		0, dbx.Params{"e": event, "i": a.Institution}))
	return len(told)
}

// TestGuardsJob_FreezesPayoutsAndTells takes a guard away while the program runs:
// the next payout does not leave, staff is told, and people end the freeze once
// the guard is back. It holds although the database refuses to be told.
func TestGuardsJob_FreezesPayoutsAndTells(t *testing.T) {
	for _, stubborn := range []bool{false, true} {
		t.Run(fmt.Sprintf("stubborn=%v", stubborn), func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			if _, err := a.Jobs.RunNow(t.Context(), "guards"); err != nil {
				t.Fatal(err)
			}
			if n, err := a.Store.Tampered(t.Context(), errors.New("database is locked")); n != 0 || err != nil {
				t.Fatalf("trouble froze %d, %v", n, err)
			}
			p := a.Login("P0001", "alipay")
			id := apply(t, p, "alipay", "transfer", 1200, nil)
			a.Drain()
			db := a.Runtime.App.NonconcurrentDB()
			sql := "DROP TRIGGER guard_order_fixed"
			if stubborn {
				sql = "CREATE TRIGGER stubborn BEFORE UPDATE ON institutions BEGIN SELECT RAISE(ABORT, 'no'); END"
			}
			if _, err := db.NewQuery(sql).Execute(); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := a.Jobs.RunNow(t.Context(), "guards"); err == nil || !strings.Contains(err.Error(), "触发器") {
					t.Fatalf("%v", err)
				}
			}
			a.Review(a.Staff("reviewer1"), id, "approve", "")
			a.Drain()
			if o := a.Order(id); o.Order.Status != refund.StatusApproved || o.Transfer != nil {
				t.Errorf("paid all the same: %s", o.Order.Status)
			}
			rows, told := onTrail(t, a.Runtime.App, "guards.tampered"), warnings(t, a, "tampered")
			if want := map[bool]int{false: 1, true: 0}[stubborn]; len(rows) != want || told != want {
				t.Errorf("%d rows, %d notices, want %d", len(rows), told, want)
			}
			mend := "DROP TRIGGER stubborn"
			for _, g := range collections.AllTriggers() {
				if g.Name == "guard_order_fixed" && !stubborn {
					mend = g.SQL
				}
			}
			if _, err := db.NewQuery(mend).Execute(); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Jobs.RunNow(t.Context(), "guards"); err != nil {
				t.Fatal(err)
			}
			if !stubborn {
				a.Drain()
				if o := a.Order(id); o.Order.Status != refund.StatusApproved {
					t.Errorf("the freeze ended by itself: %s", o.Order.Status)
				}
				res := a.Call("POST", "/api/hospay/payouts/freeze", a.Staff("finance"), map[string]any{"frozen": false, "note": "触发器已恢复"})
				if res.Status != 200 {
					t.Errorf("%d %s", res.Status, res.Raw)
				}
			}
			a.Advance(5e9)
			a.Drain()
			if o := a.Order(id); o.Transfer == nil {
				t.Errorf("it does not go on: %s", o.Order.Status)
			}
			if rows := onTrail(t, a.Runtime.App, "job"); len(rows) != 2 || rows[0].Action != "job.failed" || rows[1].Action != "job.recovered" {
				t.Errorf("%+v", rows)
			}
		})
	}
}

// TestAudit_RowsAreFoundByOrderNumber does with an order what is on record, and
// asks for its number: page, CSV, workbook; another house finds nothing.
func TestAudit_RowsAreFoundByOrderNumber(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	id := h.rows[collections.RefundOrders]
	no := h.Order(id).Order.No
	h.Call("POST", "/api/hospay/refunds/"+id+"/reveal", h.tokens["finance"],
		map[string]any{"field": "payee_name", "reason": "核对收款人"})
	h.Call("GET", "/api/hospay/refunds/"+id+"/evidence.zip", h.tokens["auditor"], nil)
	res := h.Call("GET", "/api/hospay/audit?no="+no, h.tokens["auditor"], nil)
	var actions []string
	items, _ := res.Body["items"].([]any)
	for _, item := range items {
		row := item.(map[string]any)
		actions = append(actions, fmt.Sprint(row["action"]))
		if row["order_no"] != no {
			t.Errorf("%v", row)
		}
	}
	if got := strings.Join(actions, " "); got != "refund.evidence order.reveal review.approve" {
		t.Errorf("%s", got)
	}
	for _, who := range []string{"finance", "config", "owner", "superuser"} {
		if res := h.Call("GET", "/api/hospay/audit.csv", h.tokens[who], nil); res.Status != 403 {
			t.Errorf("%s: %d", who, res.Status)
		}
	}
	all := h.Call("GET", "/api/hospay/audit.csv", h.tokens["auditor"], nil)
	one := h.Call("GET", "/api/hospay/audit.csv?no="+no, h.tokens["auditor"], nil)
	if all.Status != 200 || one.Status != 200 || !strings.HasPrefix(string(one.Raw), "\ufeff") {
		t.Fatalf("%d %d", all.Status, one.Status)
	}
	lines := must(csv.NewReader(strings.NewReader(strings.TrimPrefix(string(one.Raw), "\ufeff"))).ReadAll())
	if len(lines) != 4 || lines[0][7] != "单号" || lines[1][7] != no || len(lines[1][13]) != 64 || lines[1][4] != "审计员" {
		t.Errorf("%v", lines)
	}
	if n := len(must(csv.NewReader(strings.NewReader(string(all.Raw))).ReadAll())); n < 8 {
		t.Errorf("%d lines in all", n)
	}
	exported := onTrail(t, h.Runtime.App, "report.export")
	if len(exported) != 2 || exported[1].Target != "audit.csv" || !strings.Contains(string(exported[1].Details), no) {
		t.Errorf("%+v", exported)
	}
	if res := h.Call("GET", "/api/hospay/audit?no="+no, h.strange(t, "auditor"), nil); res.Text("count") != "0" {
		t.Errorf("a stranger finds %s", res.Raw)
	}
}

// TestAudit_RowsFromBeforeAreFoundByOrderNumber: rows that name the order by its
// id alone, as older programs wrote them.
func TestAudit_RowsFromBeforeAreFoundByOrderNumber(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	id := h.rows[collections.RefundOrders]
	_, err := h.Runtime.App.NonconcurrentDB().Insert(collections.AuditLog, dbx.Params{"id": "before000000000", "seq": 2000, "action": "older",
		"actor_kind": "staff", "institution": h.Institution, "target": id, "details": "{}", "created": "2026-11-01 00:00:00.000Z"}).Execute()
	if err != nil {
		t.Fatal(err)
	}
	res := h.Call("GET", "/api/hospay/audit?action=older&no="+h.Order(id).Order.No, h.tokens["auditor"], nil)
	if res.Text("count") != "1" {
		t.Errorf("%s", res.Raw)
	}
}

// TestAudit_ConfigurationHasFingerprints: a change of the configuration tells
// what it was and is by fingerprints.
func TestAudit_ConfigurationHasFingerprints(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	res := a.Call("POST", "/api/hospay/config/changes", a.Staff("config"), map[string]any{
		"target": map[string]any{"collection": "institutions", "id": a.Institution}, "values": map[string]any{"name": "新的名字"}})
	if res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	rows := onTrail(t, a.Runtime.App, "config.apply")
	if len(rows) != 1 || len(rows[0].Before) != 64 || len(rows[0].After) != 64 || rows[0].Before == rows[0].After {
		t.Errorf("%+v", rows)
	}
}

// TestAuditKeyed_AuditVerifyOfTheCommand: the command says the first broken row,
// and compares with what was kept elsewhere.
func TestAuditKeyed_AuditVerifyOfTheCommand(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	acts(t, a, 4, a.Institution)
	head := must(store.AuditHead(a.Runtime.App))
	t.Setenv("HOSPAY_KEY_FILE", a.Dir+"/key.json")
	t.Setenv("HOSPAY_ENV", "demo")
	run := func(args ...string) (string, error) {
		var out strings.Builder
		app := cmd.NewApp(a.Dir)
		if err := app.Bootstrap(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = app.ClearBootstrap() }()
		c := cmd.AuditCommand(app)
		c.SetOut(&out)
		c.SetArgs(append([]string{"verify"}, args...))
		err := c.ExecuteContext(t.Context())
		return out.String(), err
	}
	if out, err := run("--seq", fmt.Sprint(head.Seq), "--head", head.Head); err != nil || !strings.Contains(out, head.Head) {
		t.Errorf("%s %v", out, err)
	}
	if _, err := run("--seq", fmt.Sprint(head.Seq+1), "--head", head.Head); err == nil || !strings.Contains(err.Error(), "截掉") {
		t.Errorf("%v", err)
	}
	path := a.Dir + "/kept.anchor"
	if err := os.WriteFile(path, fmt.Appendf(nil, `{"seq":%d,"head":"%s"}`, head.Seq, strings.Repeat("0", 64)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := run("--anchor", path); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("第 %d 行", head.Seq)) {
		t.Errorf("%v", err)
	}
	if _, err := behind(t, a).NewQuery("UPDATE audit_log SET action = 'x' WHERE seq = 4").Execute(); err != nil {
		t.Fatal(err)
	}
	for _, g := range collections.AllTriggers() {
		if strings.HasPrefix(g.Name, "guard_audit_log") {
			if _, err := a.Runtime.App.NonconcurrentDB().NewQuery(g.SQL).Execute(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := run(); err == nil || !strings.Contains(err.Error(), "第 4 行被改动") {
		t.Errorf("%v", err)
	}
}

// monthAnchored: a closed month keeps where the audit log ended, on its row and
// on paper, and a log that no longer has that row is not believed.
func monthAnchored(t *testing.T, a *testapp.App, month, auditor string) {
	t.Helper()
	var m books.Month
	if err := json.Unmarshal(a.Call("GET", "/api/hospay/recon/months/"+month, auditor, nil).Raw, &m); err != nil {
		t.Fatal(err)
	}
	closed := onTrail(t, a.Runtime.App, "recon.month.close")
	if m.AuditSeq != closed[len(closed)-1].Seq {
		t.Errorf("kept row %d, closed by row %d", m.AuditSeq, closed[len(closed)-1].Seq)
	}
	f, _ := workbook(t, a, auditor, "/api/hospay/reports/recon-month.xlsx?month="+month)
	if !strings.Contains(fmt.Sprint(must(f.GetRows("月结"))), m.AuditHead) {
		t.Error("the printed month does not tell the head")
	}
	if s := must(a.Store.VerifyAudit(t.Context())); s.Break != nil {
		t.Errorf("%+v", s.Break)
	}
	db := a.Runtime.App.NonconcurrentDB()
	set := func(head string) {
		if _, err := db.Update(collections.ReconMonths, dbx.Params{"audit_head": head}, dbx.HashExp{"month": month}).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	set(strings.Repeat("0", 64))
	if s := must(a.Store.VerifyAudit(t.Context())); s.Break == nil || s.Break.Seq != m.AuditSeq || s.Break.Reason != "anchor" {
		t.Errorf("%+v", s.Break)
	}
	set(m.AuditHead)
}
