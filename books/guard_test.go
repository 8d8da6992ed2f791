package books_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"
	"time"

	"hospay/books"
	"hospay/collections"
	"hospay/flow"
	"hospay/internal/testday"

	"github.com/pocketbase/dbx"
)

// TestGuard_BooksRefuseRawSQL lets SQL try what no code may do.
func TestGuard_BooksRefuseRawSQL(t *testing.T) {
	w := newWorld(t)
	w.plan()
	day := "2026-11-09"
	w.accept(day, nil)
	w.run(day)
	w.insert(collections.ReconMonths, dbx.Params{"id": "month0000000001", "institution": inst, "month": "2026-10", "state": "closed"})
	w.insert(collections.StatementLines, dbx.Params{"id": "line00000000001", "institution": inst, "statement": "x", "line": 1, "reason": "x"})
	w.insert(collections.Resolutions, dbx.Params{"id": "act000000000001", "institution": inst, "difference": "x", "act": "auto",
		"before": "{}", "after": "{}"})
	for _, c := range []struct{ name, sql, want string }{
		{"改处理记录", "UPDATE resolutions SET reason = 'y'", "append-only"},
		{"删处理记录", "DELETE FROM resolutions", "never deleted"},
		{"改对账结果", "UPDATE recon_runs SET state = 'balanced'", "append-only"},
		{"删对账结果", "DELETE FROM recon_runs", "never deleted"},
		{"替换对账结果", "REPLACE INTO recon_runs (id, institution, day, seq) SELECT id, institution, day, seq FROM recon_runs", "never deleted"},
		{"同一序号两次", "INSERT INTO recon_runs (id, institution, ledger, day, seq) SELECT 'x00000000000001', institution, ledger, day, seq FROM " +
			"recon_runs LIMIT 1",
			"UNIQUE"},
		{"改差异的单号", "UPDATE differences SET key = 'y'", "never changes"},
		{"改差异的日期", "UPDATE differences SET day = '2026-11-08'", "never changes"},
		{"改差异的开始", "UPDATE differences SET opened = ''", "never changes"},
		{"删差异", "DELETE FROM differences", "never deleted"},
		{"换账单文件", "UPDATE statements SET sha256 = 'y' WHERE sha256 != ''", "stays as it is"},
		{"换账单日期", "UPDATE statements SET day = '2026-11-08'", "stays as it is"},
		{"删账单", "DELETE FROM statements", "never deleted"},
		{"第二份有效账单", "INSERT INTO statements (id, institution, source, kind, day, version, superseded) SELECT 'x00000000000001', institution, " +
			"source, kind, day, 2, FALSE FROM statements LIMIT 1", "UNIQUE"},
		{"改无法识别的行", "UPDATE statement_lines SET reason = 'y'", "append-only"},
		{"已结月份的对账", "INSERT INTO recon_runs (id, institution, day, seq) VALUES ('x00000000000001', '" + inst + "', '2026-10-31', 1)",
			"month is closed"},
		{"已结月份的差异", "INSERT INTO differences (id, institution, day, key) VALUES ('x00000000000001', '" + inst + "', '2026-10-31', 'k')",
			"month is closed"},
		{"删月结", "DELETE FROM recon_months", "never deleted"},
	} {
		_, err := w.app.NonconcurrentDB().NewQuery(c.sql).Execute()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestGuard_ListsFollowAnIndex asks the database how it goes about the lists.
func TestGuard_ListsFollowAnIndex(t *testing.T) {
	w := newWorld(t)
	for _, f := range []books.Filter{{}, {Day: "2026-11-01"}, {State: "open"}, {Kind: "state"}, {Owner: "x"},
		{From: "2026-11-01", To: "2026-11-30"}, {State: "open", Day: "2026-11-01"}} {
		plan, err := w.svc.Explain(t.Context(), inst, f)
		if err != nil || strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "SCAN") ||
			!strings.Contains(plan, "USING INDEX idx_differences_") {
			t.Errorf("%+v: %s %v", f, plan, err)
		}
	}
}

// TestGuard_RunsFollowIndexes: a run reads the orders of its day, whatever
// there are besides.
func TestGuard_RunsFollowIndexes(t *testing.T) {
	w := newWorld(t)
	plans, err := w.svc.Plans(t.Context(), inst)
	if err != nil || len(plans) == 0 {
		t.Fatal(err)
	}
	for name, plan := range plans {
		if strings.Contains(strings.ReplaceAll(plan, "SCAN CONSTANT ROW", ""), "SCAN") ||
			(name == "paid" && !strings.Contains(plan, "idx_refund_events_by_hand")) || strings.Contains(name, "flights") &&
			strings.Contains(plan, "his_date") {
			t.Errorf("%s: %s", name, plan)
		}
	}
}

// TestRefusals_OfDecisions: a proposal about a difference that has changed is
// void, and so is the other half of its rematch.
func TestRefusals_OfDecisions(t *testing.T) {
	w := newWorld(t)
	day := "2026-11-11"
	lacks := w.make(beijing(day, "10:00:00"), beijing(day, "10:01:00"))
	lacks.his = time.Time{}
	w.add(lacks)
	extra := w.make(beijing(day, "11:00:00"), time.Time{})
	extra.foreign, extra.hisFen = true, lacks.fen
	w.add(extra)
	w.accept(day, nil)
	w.run(day)
	rows, _, err := w.svc.Differences(t.Context(), inst, books.Filter{Day: day}, 1, 10)
	if err != nil || len(rows) != 2 {
		t.Fatalf("%+v %v", rows, err)
	}
	first := books.Actor{ID: "anna", Person: "p1"}
	if _, err := w.svc.Resolve(t.Context(), inst, rows[0].ID, books.Decision{Verb: "rematch", Reason: "核对", With: rows[1].ID},
		first); err != nil {
		t.Fatal(err)
	}
	for _, by := range []books.Actor{first, {ID: "other account", Person: "p1"}} {
		if _, err := w.svc.Confirm(t.Context(), inst, rows[0].ID, "", "", by); flow.CodeOf(err) != books.CodeSecondPerson {
			t.Errorf("%+v confirmed: %v", by, err)
		}
	}
	w.exec("UPDATE refund_orders SET amount = amount + 1 WHERE id = '" + lacks.id + "'")
	w.run(day)
	for _, r := range rows {
		d, err := w.svc.Difference(t.Context(), inst, r.ID)
		if err != nil || d.State != books.Open || d.With != "" {
			t.Errorf("%s: %s with %q %v", d.Key, d.State, d.With, err)
		}
	}
	for _, r := range rows { // one that our amount touches, and one that it does not
		w.changedAfterwards(t, r.ID, first)
	}
	if _, err := w.svc.Difference(t.Context(), "another house", rows[0].ID); flow.CodeOf(err) != flow.CodeNotFound {
		t.Errorf("another house: %v", err)
	}
}

// changedAfterwards: what two people have decided holds while the books say the
// same, and is open again, with its history, once they say something else.
func (w *world) changedAfterwards(t *testing.T, id string, first books.Actor) {
	t.Helper()
	if _, err := w.svc.Resolve(t.Context(), inst, id, books.Decision{Verb: "强制平账", Reason: "按制度"}, first); err != nil {
		t.Fatal(err)
	}
	if d, err := w.svc.Confirm(t.Context(), inst, id, "", "同意", books.Actor{ID: "bert", Person: "p2"}); err != nil ||
		d.State != books.Resolved {
		t.Fatalf("%+v %v", d, err)
	}
	state := func() books.Difference {
		d, err := w.svc.Difference(t.Context(), inst, id)
		if err != nil {
			t.Fatal(err)
		}
		w.run(d.Day)
		if d, err = w.svc.Difference(t.Context(), inst, id); err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := state(); d.State != books.Resolved || d.Verb != "force" {
		t.Errorf("the same books: %s %s", d.State, d.Verb)
	}
	w.exec("UPDATE refund_orders SET amount = amount + 100")
	d := state()
	history, err := w.svc.History(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	last := history[len(history)-1].Act
	if touched := d.PlatformState != ""; touched != (d.State == books.Open) || touched != (last == "reopen") {
		t.Errorf("%s %s, last act %s", d.Kind, d.State, last)
	}
}

// TestSize_ManyOrdersInBoundedMemory reconciles a big day and bounds what the
// run keeps; RECON_ORDERS=100000 is the size that docs/reconcile.md tells.
func TestSize_ManyOrdersInBoundedMemory(t *testing.T) {
	n := 5000
	if s := os.Getenv("RECON_ORDERS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	w := newWorld(t)
	day := "2026-11-10"
	w.exec("PRAGMA synchronous = OFF")
	w.exec("BEGIN")
	at := beijing(day, "01:00:00")
	for i := range n {
		his := at.Add(time.Duration(i) * 20 * time.Hour / time.Duration(n))
		w.add(w.make(his, his.Add(time.Minute)))
	}
	w.exec("COMMIT")
	w.accept(day, nil)
	w.days = nil
	runtime.GC()
	base, peak, stop := heap(), uint64(0), make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				peak = max(peak, heap())
			}
		}
	}()
	started := testday.Now()
	r, err := w.svc.Run(context.Background(), inst, books.Deposits, day, books.Actor{})
	took := testday.Now().Sub(started)
	close(stop)
	if err != nil || r.State != books.Balanced || r.Summary.V.Matched != n {
		t.Fatalf("%s %+v %v", r.State, r.Summary.V, err)
	}
	grown := int64(peak) - int64(base)
	t.Logf("%d orders: %v, heap +%d MiB", n, took.Round(time.Millisecond), grown>>20)
	if limit := int64(80<<20 + n*2000); grown > limit {
		t.Errorf("heap grew by %d bytes, more than %d", grown, limit)
	}
	again := testday.Now()
	w.run(day)
	t.Logf("the same again: %v; a page of lines: %s", testday.Now().Sub(again).Round(time.Millisecond), lastPage(t, w, day, n))
}

func lastPage(t *testing.T, w *world, day string, n int) string {
	started := testday.Now()
	items, count, err := w.svc.Lines(t.Context(), inst, books.Deposits, day, "", n/50, 50)
	if err != nil || count != n || len(items) != 50 {
		t.Errorf("%d of %d lines, %v", len(items), count, err)
	}
	return fmt.Sprint(testday.Now().Sub(started).Round(time.Millisecond))
}

func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
