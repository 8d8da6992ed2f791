package collections

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Program is what a program brings to a data folder.
type Program struct {
	Release    string // as in the changelog: 0.1.0, or 0.2.0-dev before it is cut
	Migrations core.MigrationsList
	Guards     GuardSet
	Clock      func() time.Time // of an app that has none yet
	// Record writes to the audit log that other guards were installed.
	Record func(tx core.App, hash string, details map[string]any) error
}

// folder is what a data folder says about itself: a row of _params beside
// PocketBase's settings, because it must be readable before any migration has
// run.
type folder struct {
	Needs  string `json:"needs"`  // the oldest release that may open it
	Steps  int    `json:"steps"`  // migrations that have run, PocketBase's own included
	Hash   string `json:"hash"`   // of the guards that were installed
	Guards prints `json:"guards"` // each of them, so that one that was changed can be named
}

const (
	paramsTable = "_params"
	folderRow   = "hospay"
)

// ours is how migrations of hospay are named; PocketBase's have ten digits.
var ours = regexp.MustCompile(`^[0-9]{12}_[a-z0-9_]+\.go$`)

// Open brings a data folder to where this program may work on it, and refuses
// one that a newer program has written or whose guards are not those that were
// installed. Migrations that are due and the guards come in one transaction: a
// crash leaves the folder as it was. Another guard set than the installed one
// is written to the audit log.
func (p Program) Open(app core.App) error {
	if !hasClock(app) {
		SetClock(app, p.Clock)
	}
	due, err := p.due(app)
	if err != nil {
		return err
	}
	if due {
		err = p.bring(app)
	}
	return errors.Join(err, showArchives(app))
}

// bring renews a folder, together with its logs.
func (p Program) bring(app core.App) error {
	renew := func() error {
		return app.AuxRunInTransaction(func(tx core.App) error { return tx.RunInTransaction(p.renew) })
	}
	err := renew()
	for tries := 1; busy(err) && tries < patience; tries++ { // somebody else is migrating, which may take long
		err = renew()
	}
	if err != nil {
		// What a rolled back migration has left in memory is not in the database.
		return errors.Join(err, app.ReloadCachedCollections(), app.ReloadSettings())
	}
	return nil
}

// Pending is what Open would do to a data folder.
type Pending struct {
	Fresh  bool   // the folder holds nothing of ours yet
	Needs  string // the oldest release that may open it now
	Files  []string
	Guards bool // other guards than the installed ones
}

// Pending tells what Open would do, or why the folder is refused. It writes
// nothing.
func (p Program) Pending(app core.App) (Pending, error) {
	var out Pending
	due, err := p.due(app)
	if err != nil {
		return out, err
	}
	f, err := readFolder(app.DB())
	if err != nil || f == nil {
		return Pending{Fresh: f == nil}, err
	}
	out.Needs, out.Guards = f.Needs, due && f.Hash != p.Guards.Hash()
	var applied []string
	if err := app.DB().Select("file").From(core.DefaultMigrationsTable).Column(&applied); err != nil {
		return out, err
	}
	for _, m := range p.Migrations.Items() {
		if !slices.Contains(applied, m.File) {
			out.Files = append(out.Files, m.File)
		}
	}
	slices.Sort(out.Files)
	return out, nil
}

// patience is how often a folder that another program is migrating is waited
// for, each time as long as SQLite waits for the writer.
const patience = 30

// busy reports whether a database gave up waiting for the writer.
func busy(err error) bool {
	var failed *sqlite.Error
	return errors.As(err, &failed) && failed.Code()&0xff == sqlite3.SQLITE_BUSY
}

// due reports whether migrations or guards are due, or why the folder is
// refused.
func (p Program) due(app core.App) (bool, error) {
	f, err := readFolder(app.DB())
	if err != nil {
		return false, err
	}
	var applied []string
	if err := app.DB().Select("file").From(core.DefaultMigrationsTable).OrderBy("file").Column(&applied); err != nil {
		return false, err
	}
	if err := p.refuseNewer(f, applied); err != nil {
		return false, err
	}
	if f == nil {
		if slices.ContainsFunc(applied, ours.MatchString) {
			return false, errors.New("数据目录缺少守卫记录，拒绝启动；请从备份恢复或联系技术支持")
		}
		return true, nil
	}
	have, err := present(context.Background(), app.DB())
	if err != nil {
		return false, err
	}
	if err := differs(f.Guards, have); err != nil {
		return false, err
	}
	missing := slices.ContainsFunc(p.Migrations.Items(), func(m *core.Migration) bool { return !slices.Contains(applied, m.File) })
	return missing || f.Steps != len(applied) || f.Hash != p.Guards.Hash() || f.Guards.hash() != f.Hash, nil
}

// refuseNewer refuses a folder that needs another program than this one. What
// a newer program has written this one would not keep whole.
func (p Program) refuseNewer(f *folder, applied []string) error {
	known := map[string]bool{}
	for _, m := range p.Migrations.Items() {
		known[m.File] = true
	}
	needs := "（版本未知）"
	if f != nil {
		needs = f.Needs
	}
	for _, file := range slices.Backward(applied) {
		if ours.MatchString(file) && !known[file] {
			return tooOld(needs, p.Release, "，其中有本程序没有的迁移 "+file)
		}
	}
	if f != nil && older(p.Release, f.Needs) {
		return tooOld(needs, p.Release, "")
	}
	return nil
}

func tooOld(needs, is, why string) error {
	return fmt.Errorf("数据目录由更新的程序写过，需要 hospay %s 或更新的版本%s；当前程序是 %s，拒绝启动。请换用该版本，或恢复升级前的备份", needs, why, is)
}

// older compares two releases. One that is not cut yet (-dev) comes before the
// one that bears its number.
func older(a, b string) bool {
	x, y := numbers(a), numbers(b)
	if c := slices.Compare(x, y); c != 0 {
		return c < 0
	}
	return strings.Contains(a, "-") && !strings.Contains(b, "-")
}

func numbers(release string) []int {
	number, _, _ := strings.Cut(release, "-")
	var out []int
	for _, part := range strings.Split(number, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			n = -1
		}
		out = append(out, n)
	}
	return out
}

// renew is the one transaction of Open. The former guards step aside while
// migrations run, because they name columns and refuse changes of the tables as
// they were.
func (p Program) renew(tx core.App) error {
	due, err := p.due(tx) // somebody else may have been faster
	if err != nil || !due {
		return err
	}
	before, err := readFolder(tx.DB())
	if err != nil {
		return err
	}
	if before == nil {
		before = &folder{}
	}
	if err := lift(tx, before.Guards); err != nil {
		return err
	}
	if _, err := core.NewMigrationsRunner(tx, p.Migrations).Up(); err != nil {
		return err
	}
	if err := errors.Join(p.Guards.install(tx), p.Guards.Verify(context.Background(), tx)); err != nil {
		return err
	}
	after := folder{Needs: p.Release, Hash: p.Guards.Hash(), Guards: p.Guards.prints()}
	if err := tx.DB().Select("COUNT(*)").From(core.DefaultMigrationsTable).Row(&after.Steps); err != nil {
		return err
	}
	if err := after.write(tx.DB(), Now(tx)); err != nil {
		return err
	}
	if before.Hash == after.Hash {
		return nil
	}
	return p.Record(tx, after.Hash, after.changes(before, p.Release))
}

// lift takes away the guards that were installed.
func lift(tx core.App, guards prints) error {
	for key := range guards {
		if name, is := strings.CutPrefix(key, kindTrigger); is {
			if _, err := tx.DB().NewQuery("DROP TRIGGER IF EXISTS `" + name + "`").Execute(); err != nil {
				return err
			}
			continue
		}
		if err := setRules(tx, strings.TrimPrefix(key, kindRules), Rules{}); err != nil {
			return err
		}
	}
	return nil
}

// install lays the guards over the tables.
func (g GuardSet) install(tx core.App) error {
	for _, t := range g.Triggers {
		if _, err := tx.DB().NewQuery(t.SQL).Execute(); err != nil {
			return fmt.Errorf("trigger %s: %w", t.Name, err)
		}
	}
	for name, r := range g.Rules {
		if err := setRules(tx, name, r); err != nil {
			return fmt.Errorf("rules of %s: %w", name, err)
		}
	}
	return nil
}

func setRules(tx core.App, collection string, r Rules) error {
	c, err := tx.FindCollectionByNameOrId(collection)
	if err != nil {
		return err
	}
	if rulesText(Rules{c.ListRule, c.ViewRule, c.CreateRule, c.UpdateRule, c.DeleteRule, c.AuthRule}) == rulesText(r) {
		return nil
	}
	c.ListRule, c.ViewRule, c.CreateRule, c.UpdateRule, c.DeleteRule = r.List, r.View, r.Create, r.Update, r.Delete
	if c.IsAuth() {
		c.AuthRule = r.Auth
	}
	return tx.Save(c)
}

func readFolder(db dbx.Builder) (*folder, error) {
	f := &folder{}
	known, err := readParam(db, folderRow, f)
	if err != nil {
		return nil, fmt.Errorf("数据目录的守卫记录无法读取，拒绝启动：%w", err)
	}
	if !known {
		return nil, nil
	}
	return f, nil
}

func (f folder) write(db dbx.Builder, now time.Time) error { return writeParam(db, folderRow, f, now) }

// changes tells the audit log what is new.
func (f folder) changes(before *folder, release string) map[string]any {
	changed, removed := []string{}, []string{}
	for key, is := range f.Guards {
		if before.Guards[key] != is {
			changed = append(changed, key)
		}
	}
	for key := range before.Guards {
		if f.Guards[key] == "" {
			removed = append(removed, key)
		}
	}
	slices.Sort(changed)
	slices.Sort(removed)
	out := map[string]any{"release": release, "before": before.Hash, "guards": len(f.Guards), "removed": removed}
	if before.Hash != "" { // the first time every guard is new
		out["changed"] = changed
	}
	return out
}
