package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// acts writes rows into the audit log, as the program does.
func acts(t *testing.T, a *testapp.App, n int, institution string) {
	t.Helper()
	err := a.Runtime.App.RunInTransaction(func(tx core.App) error {
		for i := range n {
			err := store.Audit(tx, store.AuditEntry{Institution: institution, ActorKind: "system", Actor: "test", Action: fmt.Sprintf("act.%d", i),
				Details: map[string]any{"n": i}})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAudit_EditedRowIsNamed edits, removes and cuts behind the program's back,
// with the triggers out of the way.
func TestAudit_EditedRowIsNamed(t *testing.T) {
	for _, c := range []struct {
		name, sql, reason string
		seq               string
	}{
		{"whole", "SELECT 1", "", ""},
		{"edited action", "UPDATE audit_log SET action = 'x' WHERE seq = 4", "edited", "4"},
		{"edited details", `UPDATE audit_log SET details = '{"n":9}' WHERE seq = 3`, "edited", "3"},
		{"moved to another house", "UPDATE audit_log SET institution = '' WHERE seq = 6", "edited", "6"},
		{"moved to another order", "UPDATE audit_log SET order_no = 'R1' WHERE seq = 4", "edited", "4"},
		{"another fingerprint", "UPDATE audit_log SET after = 'x' WHERE seq = 4", "edited", "4"},
		{"another key", "UPDATE audit_log SET key = 'k9' WHERE seq = 4", "key", "4"},
		{"row removed", "DELETE FROM audit_log WHERE seq = 2", "missing", "2"},
		{"renumbered after a removal", "DELETE FROM audit_log WHERE seq = 2; UPDATE audit_log SET seq = seq - 1 WHERE seq > 2", "edited", "2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			acts(t, a, 3, "") // row 1 tells of the guards, row 2 of the superuser
			acts(t, a, 4, a.Institution)
			db := a.Runtime.App.NonconcurrentDB()
			for _, trigger := range []string{"guard_audit_log_update", "guard_audit_log_delete"} {
				if _, err := db.NewQuery("DROP TRIGGER " + trigger).Execute(); err != nil {
					t.Fatal(err)
				}
			}
			for _, sql := range strings.Split(c.sql, ";") {
				if _, err := db.NewQuery(sql).Execute(); err != nil {
					t.Fatal(err)
				}
			}
			res := a.Call("GET", "/api/hospay/audit/verify", a.Staff("auditor"), nil)
			_, err := a.Jobs.RunNow(t.Context(), "audit")
			if c.seq == "" {
				if res.Text("ok") != "true" || res.Text("rows") != "10" || err != nil {
					t.Errorf("%s %v", res.Raw, err)
				}
				return
			}
			b, _ := res.Body["break"].(map[string]any)
			if res.Text("ok") != "false" || fmt.Sprint(b["seq"]) != c.seq || b["reason"] != c.reason {
				t.Errorf("%s, want row %s %s", res.Raw, c.seq, c.reason)
			}
			if err == nil || !strings.Contains(err.Error(), "第 "+c.seq+" 行") {
				t.Errorf("the job says %v", err)
			}
		})
	}
}

// TestAudit_RowsFromBeforeTheColumnStillHold: the hash of a row without an
// institution is what it was.
func TestAudit_RowsFromBeforeTheColumnStillHold(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	var last string
	if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("DROP TRIGGER guard_audit_log_delete").Execute(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("DELETE FROM audit_log WHERE seq > 1").Execute(); err != nil {
		t.Fatal(err)
	}
	if err := a.Runtime.App.DB().NewQuery("SELECT hash FROM audit_log WHERE seq = 1").Row(&last); err != nil {
		t.Fatal(err)
	}
	row := dbx.Params{"id": "before000000000", "seq": 2, "actor_kind": "staff", "actor": "x", "action": "payouts.freeze", "target": "t",
		"details": `{"frozen":true}`, "address": "::1",
		"prev_hash": last, "created": "2026-11-23 00:00:00.000Z"}
	row["hash"] = oldAuditHash(row)
	if _, err := a.Runtime.App.NonconcurrentDB().Insert(collections.AuditLog, row).Execute(); err != nil {
		t.Fatal(err)
	}
	acts(t, a, 2, a.Institution)
	if s, err := a.Store.VerifyAudit(t.Context()); err != nil || s.Break != nil || s.Rows != 4 {
		t.Errorf("%+v %v", s, err)
	}
}

// TestAudit_AuditorsOfOneHouseSeeTheirOwn reads list and workbook as auditors
// of two houses.
func TestAudit_AuditorsOfOneHouseSeeTheirOwn(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	stranger := h.strange(t, "auditor")
	if res := h.Call("GET", "/api/hospay/audit?action=planted", stranger, nil); res.Text("count") != "0" {
		t.Errorf("a stranger reads %s", res.Raw)
	}
	auditor := must(h.Runtime.App.FindAuthRecordByEmail(collections.Staff, "auditor@demo.hospay"))
	auditor.Set("institution", h.Institution)
	if err := h.Runtime.App.Save(auditor); err != nil {
		t.Fatal(err)
	}
	res := h.Call("GET", "/api/hospay/audit?action=planted", h.tokens["auditor"], nil)
	if res.Text("count") != "1" {
		t.Errorf("%s", res.Raw)
	}
	if res := h.Call("POST", "/api/hospay/payouts/freeze", h.tokens["finance"],
		map[string]any{"frozen": true, "note": "演练"}); res.Status != 200 {
		t.Fatal(res.Status)
	}
	for query, want := range map[string]string{"action=payouts": "1", "action=payouts.freeze": "1", "action=pay": "0", "actor=财务员": "2",
		"actor=cashier": "0", "from=2020-01-01&to=2020-01-02": "0"} {
		if res := h.Call("GET", "/api/hospay/audit?"+query, h.tokens["auditor"], nil); res.Text("count") != want {
			t.Errorf("%s: %s, want %s", query, res.Text("count"), want)
		}
	}
	f, _ := workbook(t, h.App, h.tokens["auditor"], "/api/hospay/audit.xlsx?action=payouts")
	rows := sheetRows(t, f)
	if line := rows[rowOf(t, rows, "序号")]; line[2] != "财务员" || line[3] != "payouts.freeze" || !strings.Contains(line[6], "演练") {
		t.Errorf("%v", line)
	}
}

// oldAuditHash is the hash as it was before rows named their institution.
func oldAuditHash(row dbx.Params) string {
	h := sha256.New()
	for _, k := range []string{"prev_hash", "seq", "actor_kind", "actor", "action", "target", "details", "address", "created"} {
		fmt.Fprintf(h, "%v\x00", row[k])
	}
	return hex.EncodeToString(h.Sum(nil))
}
