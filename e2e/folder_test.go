package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/cmd"
	"hospay/collections"
	"hospay/lab/invariant"
	"hospay/lab/testapp"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// folder is a data folder that a program has opened.
type folder struct {
	*testing.T
	*cmd.Runtime
	dir string
}

// open brings a program up on a data folder, without serving it.
func open(t *testing.T, dir string, p collections.Program) (*folder, error) {
	t.Helper()
	testapp.Register()
	app := testapp.Bare(dir)
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	rt, err := cmd.Prepare(app, cmd.Options{
		Env: cmd.EnvDemo, KeyFile: filepath.Join(dir, folderKey), Timing: refund.DefaultTiming(), Log: slog.New(slog.DiscardHandler), Program: &p,
	})
	if err != nil {
		return nil, errors.Join(err, app.ClearBootstrap())
	}
	return &folder{t, rt, dir}, nil
}

func openFolder(t *testing.T, dir string, p collections.Program) *folder {
	t.Helper()
	f, err := open(t, dir, p)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *folder) close() {
	f.Helper()
	if err := f.App.ClearBootstrap(); err != nil {
		f.Fatal(err)
	}
}

// releases lists the releases whose folders are kept, oldest first.
func releases(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, path := range must(filepath.Glob(folderFile("*"))) {
		out = append(out, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "folder-"), ".tar.gz"))
	}
	slices.SortFunc(out, func(a, b string) int { return slices.Compare(parts(a), parts(b)) })
	if len(out) == 0 {
		t.Fatal("no folder of a release is kept")
	}
	return out
}

func parts(release string) []int {
	var n [3]int
	_, _ = fmt.Sscanf(release, "%d.%d.%d", &n[0], &n[1], &n[2])
	return n[:]
}

// kept unpacks the folder of a release.
func kept(t *testing.T, release string) string {
	t.Helper()
	return unpackFolder(t, must(os.ReadFile(folderFile(release))))
}

// check compares the books with the ledgers that were packed beside them, and
// walks along the chains.
func (f *folder) check() {
	f.Helper()
	var ledgers invariant.Ledgers
	var old struct { // ledgers of 0.1.0 call the moment of a request "at"
		Requests []struct {
			At time.Time `json:"at"`
		}
	}
	text := must(os.ReadFile(filepath.Join(f.dir, folderLedgers)))
	if err := errors.Join(json.Unmarshal(text, &ledgers), json.Unmarshal(text, &old)); err != nil {
		f.Fatal(err)
	}
	for i := range ledgers.Requests {
		if ledgers.Requests[i].At.IsZero() {
			ledgers.Requests[i].At = old.Requests[i].At
		}
	}
	books := must(invariant.Load(f.App.ConcurrentDB()))
	states := invariant.Summary(books)
	events := 0
	for _, o := range books.Orders {
		events += len(o.Events)
		if w := must(f.Store.Get(f.Context(), o.ID)); int64(w.Order.Amount) != o.Amount || w.Order.Payee.Name == "" {
			f.Errorf("%s cannot be read: %+v", o.No, w.Order)
		}
	}
	if len(states) < 8 || events < 40 || len(ledgers.HIS) < 8 || len(ledgers.Channels) < 4 {
		f.Errorf("too little to look at: %v, %d events, ledgers of %d and %d", states, events, len(ledgers.HIS), len(ledgers.Channels))
	}
	for _, v := range invariant.Check(books, ledgers, false) {
		f.Error(v)
	}
	if s := must(f.Store.VerifyAudit(f.Context())); s.Break != nil || s.Rows < 3 {
		f.Errorf("audit: %+v", s)
	}
	if diffs := must(f.Store.VerifyStatistics(f.Context())); len(diffs) > 0 {
		f.Errorf("statistics: %+v", diffs)
	}
}

// TestFolder_OfEachReleaseIsOpened: the newest program opens, migrates and
// keeps whole what every release has left behind, and it comes to the tables of
// a fresh install.
func TestFolder_OfEachReleaseIsOpened(t *testing.T) {
	fresh := freshFolder(t, cmd.ThisProgram())
	want := fresh.schema()
	for _, release := range releases(t) {
		t.Run(release, func(t *testing.T) {
			f := openFolder(t, kept(t, release), cmd.ThisProgram())
			f.check()
			have := f.schema()
			for name, text := range want {
				if have[name] != text {
					t.Errorf("%s\n in the old folder %s\n in a fresh one   %s", name, have[name], text)
				}
			}
			if len(have) != len(want) {
				t.Errorf("%d tables, indexes and collections, want %d", len(have), len(want))
			}
		})
	}
}

// freshFolder installs a program into nothing.
func freshFolder(t *testing.T, p collections.Program) *folder {
	t.Helper()
	dir := t.TempDir()
	var key []byte
	for _, release := range releases(t)[:1] {
		key = must(os.ReadFile(filepath.Join(kept(t, release), folderKey)))
	}
	if err := os.WriteFile(filepath.Join(dir, folderKey), key, 0o400); err != nil {
		t.Fatal(err)
	}
	return openFolder(t, dir, p)
}

// schema tells the columns, indexes and collections by name, without what
// differs from folder to folder: the order of fields, times and secrets.
func (f *folder) schema() map[string]string {
	f.Helper()
	out := map[string]string{}
	var tables []string
	f.read(f.App.DB().NewQuery("SELECT name FROM sqlite_master WHERE type = 'table'").Column(&tables))
	for _, table := range tables {
		var columns []string
		f.read(f.App.DB().NewQuery("SELECT name || ' ' || type || ' ' || COALESCE(dflt_value, '') FROM pragma_table_info({:t}) ORDER BY name").
			Bind(dbx.Params{"t": table}).Column(&columns))
		out["table "+table] = strings.Join(columns, ", ")
	}
	var indexes []struct {
		Name string `db:"name"`
		SQL  string `db:"sql"`
	}
	f.read(f.App.DB().NewQuery("SELECT name, COALESCE(sql, '') AS sql FROM sqlite_master WHERE type IN ('index', 'trigger')").All(&indexes))
	for _, x := range indexes {
		out[x.Name] = x.SQL
	}
	for _, c := range must(f.App.FindAllCollections()) {
		slices.SortFunc(c.Fields, func(a, b core.Field) int { return strings.Compare(a.GetName(), b.GetName()) })
		var told map[string]any
		f.read(json.Unmarshal(must(json.Marshal(c)), &told))
		for _, own := range []string{"created", "updated", "indexes"} {
			delete(told, own)
		}
		out["collection "+c.Name] = string(must(json.Marshal(told)))
	}
	return out
}

func (f *folder) read(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// tries runs SQL and returns how it was refused.
func (f *folder) tries(sql string) string {
	if _, err := f.App.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
		return err.Error()
	}
	return ""
}

// moreMoves is a program of the next release whose machine knows one more legal
// move.
func moreMoves() collections.Program {
	b := collections.TheBasis()
	m := *b.Machine
	m.Table = slices.Clone(m.Table)
	for i, l := range m.Table {
		if l.From == refund.StatusReviewing {
			m.Table[i].To = append(slices.Clone(l.To), refund.StatusPaying)
		}
	}
	b.Machine = &m
	p := cmd.ThisProgram()
	p.Release, p.Guards = "99.0.0", b.Guards()
	return p
}

// moreColumns is a program of the next release that fixes one more column, which
// a migration of its own adds.
func moreColumns(up func(core.App) error) collections.Program {
	b := collections.TheBasis()
	b.Fixed = append(b.Fixed, "trade")
	p := cmd.ThisProgram()
	p.Release, p.Guards = "99.0.0", b.Guards()
	p.Migrations = core.MigrationsList{}
	p.Migrations.Copy(core.AppMigrations)
	p.Migrations.Register(up, nil, nextMigration)
	return p
}

const nextMigration = "999912310001_add_trade.go"

func addTrade(app core.App) error {
	c, err := app.FindCollectionByNameOrId(collections.RefundOrders)
	if err != nil {
		return err
	}
	c.Fields.Add(&core.TextField{Name: "trade", Max: 40})
	return app.Save(c)
}

// installed reads what the audit log says about guards, newest first.
func (f *folder) installed() []string {
	f.Helper()
	var out []string
	f.read(f.App.DB().NewQuery("SELECT target || ' ' || details FROM audit_log WHERE action = 'guards.installed' ORDER BY seq DESC").
		Column(&out))
	return out
}

// TestGuards_OneMoreLegalMove: a program with another machine starts on every
// folder, guards it by its own table and says so in the audit log; started
// again it has nothing to do.
func TestGuards_OneMoreLegalMove(t *testing.T) {
	const move = "UPDATE refund_orders SET status = 'paying' WHERE status = 'reviewing'"
	for _, release := range releases(t) {
		dir := kept(t, release)
		f := openFolder(t, dir, cmd.ThisProgram())
		if got := f.tries(move); !strings.Contains(got, "illegal move") {
			t.Fatalf("before: %q", got)
		}
		before := len(f.installed())
		f.close()
		f = openFolder(t, dir, moreMoves())
		f.check()
		log := f.installed()
		for _, part := range []string{moreMoves().Guards.Hash(), `"changed":["trigger guard_order_move"]`, `"release":"99.0.0"`} {
			if len(log) != before+1 || !strings.Contains(log[0], part) {
				t.Errorf("audit log: %q does not say %s", log, part)
			}
		}
		if got := f.tries(move); got != "" {
			t.Errorf("the new move: %q", got)
		}
		if got := f.tries("UPDATE refund_orders SET status = 'paying' WHERE status = 'rejected'"); !strings.Contains(got, "illegal move") {
			t.Errorf("another move: %q", got)
		}
		f.close()
		f = openFolder(t, dir, moreMoves())
		if again := f.installed(); len(again) != len(log) {
			t.Errorf("installed again: %q", again)
		}
	}
}

// TestGuards_OneMoreFixedColumn: a migration adds a column that a guard names.
// It works for a fresh install, whose first migrations know nothing of it, and
// for every folder.
func TestGuards_OneMoreFixedColumn(t *testing.T) {
	const change = "UPDATE refund_orders SET trade = 'x'"
	folders := map[string]func() *folder{"fresh": func() *folder {
		f := freshFolder(t, moreColumns(addTrade))
		if got := f.tries("INSERT INTO refund_orders (id, no, status, institution, card_no, amount) " +
			"VALUES ('order0000000000', 'R1', 'submitted', 'i', 'C1', 100)"); got != "" {
			t.Fatal(got)
		}
		return f
	}}
	for _, release := range releases(t) {
		folders[release] = func() *folder {
			f := openFolder(t, kept(t, release), moreColumns(addTrade))
			f.check()
			return f
		}
	}
	for name, make := range folders {
		f := make()
		if got := f.tries(change); !strings.Contains(got, "never change") {
			t.Errorf("%s: the new column: %q", name, got)
		}
		if got := f.tries("UPDATE refund_orders SET amount = 1"); !strings.Contains(got, "never change") {
			t.Errorf("%s: the amount: %q", name, got)
		}
	}
}

// TestGuards_ChangedByHandAreRefusedByName changes, one after the other, what
// was installed. Neither this program nor one with other guards starts.
func TestGuards_ChangedByHandAreRefusedByName(t *testing.T) {
	for _, c := range []struct{ name, sql, says string }{
		{"触发器删除", "DROP TRIGGER guard_order_fixed", "触发器 guard_order_fixed 缺失或被改动"},
		{"触发器放宽", "DROP TRIGGER guard_order_move; CREATE TRIGGER guard_order_move BEFORE UPDATE ON refund_orders WHEN 1 = 0 " +
			"BEGIN SELECT RAISE(ABORT, 'illegal move of an order'); END",
			"触发器 guard_order_move 缺失或被改动"},
		{"统计触发器", "DROP TRIGGER stat_count_move", "触发器 stat_count_move 缺失或被改动"},
		{"多出触发器", "CREATE TRIGGER helpful AFTER INSERT ON refund_orders BEGIN UPDATE refund_orders SET card_no = 'C1' WHERE id = NEW.id; END",
			"多出触发器 helpful"},
		{"查看规则", "UPDATE _collections SET listRule = '' WHERE name = 'refund_events'", "集合 refund_events 的访问规则缺失或被改动"},
		{"新增规则", "UPDATE _collections SET createRule = '' WHERE name = 'institutions'", "集合 institutions 的访问规则缺失或被改动"},
		{"登录规则", "UPDATE _collections SET options = json_set(options, '$.authRule', '') WHERE name = 'staff'", "集合 staff 的访问规则缺失或被改动"},
		{"守卫记录删除", "DELETE FROM _params WHERE id = 'hospay'", "缺少守卫记录"},
		{"守卫记录损坏", "UPDATE _params SET value = 'x' WHERE id = 'hospay'", "守卫记录无法读取"},
		{"索引放宽", "DROP INDEX idx_refund_orders_active_card; CREATE UNIQUE INDEX idx_refund_orders_active_card ON refund_orders (id)",
			"索引 idx_refund_orders_active_card 缺失或被改动"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := kept(t, releases(t)[0])
			f := openFolder(t, dir, cmd.ThisProgram())
			rows := len(f.installed())
			for _, sql := range statements(c.sql) {
				if got := f.tries(sql); got != "" {
					t.Fatal(got)
				}
			}
			f.close()
			for _, p := range []collections.Program{cmd.ThisProgram(), moreMoves()} {
				if _, err := open(t, dir, p); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "拒绝启动") {
					t.Errorf("%s: %v, want %s", p.Release, err, c.says)
				}
			}
			if got := raw(t, dir, "SELECT COUNT(*) FROM audit_log WHERE action = 'guards.installed'"); got != fmt.Sprint(rows) {
				t.Errorf("%s installations, want %d", got, rows)
			}
		})
	}
}

// statements splits SQL, but not the body of a trigger.
func statements(sql string) []string {
	if strings.HasPrefix(sql, "CREATE TRIGGER") {
		return []string{sql}
	}
	head, rest, both := strings.Cut(sql, "; ")
	if !both {
		return []string{sql}
	}
	return []string{head, rest}
}

// raw asks a data folder without opening it.
func raw(t *testing.T, dir, sql string) string {
	t.Helper()
	db := must(collections.Connect(filepath.Join(dir, "data.db")))
	defer db.Close()
	var out string
	if err := db.NewQuery(sql).Row(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestFolder_OfANewerProgramIsRefused: what a newer program has written, by a
// migration or by guards alone, an older one leaves alone and says which it
// needs.
func TestFolder_OfANewerProgramIsRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		newer collections.Program
		says  []string
	}{
		{"迁移", moreColumns(addTrade), []string{"需要 hospay 99.0.0 或更新的版本", nextMigration, "当前程序是 " + cmd.Release, "拒绝启动"}},
		{"守卫", moreMoves(), []string{"需要 hospay 99.0.0 或更新的版本", "当前程序是 " + cmd.Release, "拒绝启动"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := kept(t, releases(t)[0])
			openFolder(t, dir, c.newer).close()
			before := raw(t, dir, "SELECT value FROM _params WHERE id = 'hospay'")
			_, err := open(t, dir, cmd.ThisProgram())
			for _, part := range c.says {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("%v does not say %s", err, part)
				}
			}
			if after := raw(t, dir, "SELECT value FROM _params WHERE id = 'hospay'"); after != before {
				t.Errorf("the folder was changed: %s", after)
			}
			later := c.newer
			later.Release = "99.0.1-dev"
			openFolder(t, dir, later).check()
			if needs := raw(t, dir, "SELECT value ->> 'needs' FROM _params WHERE id = 'hospay'"); needs != "99.0.0" {
				t.Errorf("a program that changes nothing asks for %s", needs)
			}
			coming := c.newer
			coming.Release = "99.0.0-dev"
			if _, err := open(t, dir, coming); err == nil {
				t.Error("what came before the release opens it")
			}
		})
	}
}

// TestFolder_CrashInAMigration: a migration that fails half way leaves nothing,
// one in which the power goes neither: the folder is that of the former program,
// and the mended migration runs from its beginning.
func TestFolder_CrashInAMigration(t *testing.T) {
	dir, image := kept(t, releases(t)[0]), filepath.Join(t.TempDir(), "image")
	before := openFolder(t, dir, cmd.ThisProgram())
	want := before.schema()
	before.close()
	broken := moreColumns(func(app core.App) error {
		c := core.NewBaseCollection("half")
		c.Fields.Add(&core.TextField{Name: "x"})
		if err := errors.Join(addTrade(app), app.Save(c)); err != nil {
			return err
		}
		for _, sql := range []string{"UPDATE refund_events SET message = 'half'", "UPDATE refund_orders SET amount = amount + 1"} {
			if _, err := app.DB().NewQuery(sql).Execute(); err != nil {
				return err
			}
		}
		return errors.Join(os.CopyFS(image, os.DirFS(dir)), errors.New("half way"))
	})
	if _, err := open(t, dir, broken); err == nil || !strings.Contains(err.Error(), "half way") {
		t.Fatal(err)
	}
	for name, at := range map[string]string{"failed": dir, "power cut": image} {
		t.Run(name, func(t *testing.T) {
			if err := os.Chmod(filepath.Join(at, folderKey), 0o400); err != nil {
				t.Fatal(err)
			}
			f := openFolder(t, at, cmd.ThisProgram())
			f.check()
			have := f.schema()
			for name, text := range want {
				if have[name] != text {
					t.Errorf("%s is %s, was %s", name, have[name], text)
				}
			}
			if len(have) != len(want) {
				t.Errorf("%d parts, had %d", len(have), len(want))
			}
			f.close()
			f = openFolder(t, at, moreColumns(addTrade))
			f.check()
			if got := f.tries("UPDATE refund_orders SET trade = 'x'"); !strings.Contains(got, "never change") {
				t.Errorf("after the mended migration: %q", got)
			}
		})
	}
}

// TestFolder_OpenedByTwoAtOnce: a server and a command of a new program start
// together; one of them renews the folder.
func TestFolder_OpenedByTwoAtOnce(t *testing.T) {
	dir := kept(t, releases(t)[0])
	p := moreColumns(addTrade)
	var apps []core.App
	for range 3 {
		app := testapp.Bare(dir)
		t.Cleanup(func() { _ = app.ClearBootstrap() })
		if err := app.Bootstrap(); err != nil {
			t.Fatal(err)
		}
		apps = append(apps, app)
	}
	before := raw(t, dir, "SELECT COUNT(*) + 1 FROM audit_log WHERE action = 'guards.installed'")
	var wg sync.WaitGroup
	for _, app := range apps {
		wg.Go(func() {
			if err := errors.Join(p.Open(app), p.Guards.Verify(context.Background(), app)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := raw(t, dir, "SELECT COUNT(*) FROM audit_log WHERE action = 'guards.installed'"); got != before {
		t.Errorf("%s installations, want %s", got, before)
	}
}

// TestRelease_ChangelogProgramAndFoldersAgree: each release of the changelog has
// left a folder, and a program whose tables or guards differ from those of the
// newest release is a later one.
func TestRelease_ChangelogProgramAndFoldersAgree(t *testing.T) {
	var cut []string
	section := regexp.MustCompile(`(?m)^## ([0-9]+\.[0-9]+\.[0-9]+) \([0-9]{4}-[0-9]{2}-[0-9]{2}\)$`)
	for _, m := range section.FindAllStringSubmatch(string(must(os.ReadFile("../CHANGELOG.md"))), -1) {
		cut = append(cut, m[1])
	}
	slices.Reverse(cut)
	have := releases(t)
	if !slices.Equal(cut, have) {
		t.Fatalf("releases in the changelog %v, folders of %v: make fixture", cut, have)
	}
	newest := have[len(have)-1]
	number, _, coming := strings.Cut(cmd.Release, "-")
	switch order := slices.Compare(parts(number), parts(newest)); {
	case order < 0, order == 0 && coming, order > 0 && !coming:
		t.Fatalf("the program calls itself %s, the newest release is %s", cmd.Release, newest)
	case order > 0:
		return
	}
	dir := kept(t, newest)
	if raw(t, dir, "SELECT value ->> 'hash' FROM _params WHERE id = 'hospay'") != cmd.ThisProgram().Guards.Hash() {
		t.Errorf("guards have changed since %s: raise cmd.Release, with -dev", newest)
	}
	for _, m := range core.AppMigrations.Items() {
		if raw(t, dir, "SELECT COUNT(*) FROM _migrations WHERE file = '"+m.File+"'") != "1" {
			t.Errorf("%s came after %s: raise cmd.Release, with -dev", m.File, newest)
		}
	}
}
