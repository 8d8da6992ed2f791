package collections

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/internal/cluster"
	"hospay/payment"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// ArchiveFrom is how long after its end a year can be archived: bills of a day are
// to be had from the channels for three months.
func ArchiveFrom(year int) time.Time {
	return time.Date(year+1, time.April, 1, 0, 0, 0, 0, calendar.Beijing)
}

// Archive moves the history of a year's closed orders into a file. Nobody else may
// use the folder meanwhile. The file is whole, and compared, before anything is taken
// out of the database, and both the taking out and the word that the file belongs to
// the database come in one transaction, together with what record writes. A crash
// leaves the folder as it was before or as it is after.
func (p Program) Archive(ctx context.Context, app core.App, year int, record func(tx core.App, a Archive) error) (a Archive, err error) {
	if err := archivable(app, year); err != nil {
		return a, err
	}
	dir := filepath.Join(app.DataDir(), ArchiveDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return a, err
	}
	part := filepath.Join(dir, fmt.Sprintf("%d.part", year))
	// Of a time before that ended in the middle: the database has every row of it.
	left, err := os.ReadDir(dir)
	for _, entry := range left {
		if strings.HasPrefix(entry.Name(), strconv.Itoa(year)) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, entry.Name())))
		}
	}
	if err != nil {
		return a, err
	}
	a = Archive{Year: year, Made: Now(app).UTC()}
	if a.Rows, err = copyPast(ctx, filepath.Join(app.DataDir(), "data.db"), part, year); err != nil {
		return a, errors.Join(err, os.Remove(part))
	}
	if a.SHA256, a.Bytes, err = sumOf(part); err != nil {
		return a, err
	}
	a.File = fmt.Sprintf("%d-%s.db", year, a.SHA256[:8])
	to := filepath.Join(dir, a.File)
	if err := errors.Join(syncFile(part), os.Chmod(part, 0o400), os.Rename(part, to), syncDir(dir)); err != nil {
		return a, err
	}
	return a, p.takeOut(ctx, app, a, record)
}

func archivable(app core.App, year int) error {
	now := Now(app)
	if cluster.Member(app.DataDir()) {
		return errors.New("集群的数据库由各节点共同保存，不能归档到文件；单机的数据目录才能")
	}
	copied, err := CopyOf(app.DB())
	if err != nil {
		return err
	}
	if copied != nil { // what has ended in it may have ended otherwise
		return errors.New("这个数据目录是恢复或复制的，还在恢复核对；请先核对，由两人解除，再归档")
	}
	if from := ArchiveFrom(year); now.Before(from) {
		return fmt.Errorf("%d 年的渠道账单到 %s 还能取到，之后才能归档", year, from.Format("2006-01-02"))
	}
	list, err := Archives(app.DB())
	if err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(a Archive) bool { return a.Year == year }) {
		return fmt.Errorf("%d 年已经归档，见 hospay archive list", year)
	}
	if len(list) >= mostArchives {
		return fmt.Errorf("一个数据库最多连 %d 个归档文件，已有 %d 个；请联系技术支持", mostArchives, len(list))
	}
	return nil
}

// bounds are the first moments of a year in Beijing and of the next one, as the
// database writes them.
func bounds(year int) (from, to string) {
	at := func(y int) string {
		return time.Date(y, time.January, 1, 0, 0, 0, 0, calendar.Beijing).UTC().Format(types.DefaultDateLayout)
	}
	return at(year), at(year + 1)
}

// taken says which rows of a table are moved. Of a chain of events the last one
// stays, so that it can be continued. Orders that somebody has settled by hand, or
// whose channel said two things, stay whole: what goes on is asked of them.
func (b Basis) taken() map[string]string {
	of := func(column string) string { return "t.`" + column + "` IN (SELECT id FROM past.closed)" }
	notLast := func(events string) string {
		return of("order") + " AND t.seq < (SELECT MAX(x.seq) FROM main." + events + " x WHERE x.`order` = t.`order`)"
	}
	return map[string]string{
		RefundEvents: notLast(RefundEvents), PaymentEvents: notLast(PaymentEvents), Reviews: of("order"),
		Notifications: "t.state != 'queued' AND (" + of("order") + " OR " + of("payment") + ")",
		Callbacks:     "t.created >= {from} AND t.created < {to}",
	}
}

// closed are the orders whose history is moved: those that wait for nothing.
func (b Basis) closed() []string {
	order := func(table, states string) string {
		return "SELECT o.id FROM main." + table + " o WHERE o.created >= {from} AND o.created < {to} AND o.next_at = '' AND o.status IN (" +
			states + ")"
	}
	refunds := order(RefundOrders, Finals(b.Machine)) + " AND NOT EXISTS (SELECT 1 FROM main.refund_events e WHERE e.`order` = o.id AND " +
		"e.event IN ('payout.by_hand', 'callback.contradiction', 'suspense.confirmed'))"
	return []string{refunds, order(PaymentOrders, resting())}
}

// copyPast copies the rows of a year into a new file and makes sure that they are
// there.
func copyPast(ctx context.Context, database, part string, year int) (rows map[string]int64, err error) {
	raw, err := sql.Open("sqlite", "file:"+filepath.ToSlash(database)+"?mode=rw&_pragma=busy_timeout(10000)&_pragma=temp_store(MEMORY)"+
		"&_pragma=cache_size(-200000)")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	raw.SetMaxOpenConns(1)
	if _, err := raw.ExecContext(ctx, "ATTACH ? AS past", part); err != nil {
		return nil, err
	}
	// Half a file is thrown away, and a whole one is synced.
	for _, fast := range []string{"cache_size = -500000", "journal_mode = OFF", "synchronous = OFF"} {
		if _, err := raw.ExecContext(ctx, "PRAGMA past."+fast); err != nil {
			return nil, err
		}
	}
	tx, err := raw.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	if rows, err = fillPast(ctx, tx, year); err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	var said string
	if err := raw.QueryRowContext(ctx, "PRAGMA past.quick_check(1)").Scan(&said); err != nil || said != "ok" {
		return nil, errors.Join(fmt.Errorf("归档文件写坏了（%s），数据库没有动；请检查磁盘后再试", said), err)
	}
	return rows, nil
}

func fillPast(ctx context.Context, tx *sql.Tx, year int) (map[string]int64, error) {
	from, to := bounds(year)
	dated := strings.NewReplacer("{from}", quoted(from), "{to}", quoted(to))
	b := TheBasis()
	if _, err := tx.ExecContext(ctx, "CREATE TABLE past.closed (id TEXT PRIMARY KEY) WITHOUT ROWID"); err != nil {
		return nil, err
	}
	for _, orders := range b.closed() {
		if _, err := tx.ExecContext(ctx, dated.Replace("INSERT INTO past.closed "+orders)); err != nil {
			return nil, err
		}
	}
	taken := b.taken()
	rows := map[string]int64{}
	for _, table := range Archived() {
		var create string
		err := tx.QueryRowContext(ctx, "SELECT sql FROM main.sqlite_schema WHERE type = 'table' AND name = ?", table).Scan(&create)
		if err != nil {
			return nil, err
		}
		body := create[strings.Index(create, "("):]
		if _, err := tx.ExecContext(ctx, "CREATE TABLE past."+table+" "+body); err != nil {
			return nil, err
		}
		columns, err := namesOf(ctx, tx, table)
		if err != nil {
			return nil, err
		}
		insert := fmt.Sprintf("INSERT INTO past.%s (rowid, %s) SELECT t.rowid - %d, %s FROM main.%s t WHERE %s", table, columns,
			rowsBelow(year), columns, table, taken[table])
		res, err := tx.ExecContext(ctx, dated.Replace(insert))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", table, err)
		}
		if rows[table], err = res.RowsAffected(); err != nil {
			return nil, err
		}
		if err := copyIndexes(ctx, tx, table); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// rowsBelow is how far the numbers of an archive's rows lie below those that they
// had: no two years meet, and a later year is still above an earlier one.
func rowsBelow(year int) int64 { return int64(10_000-year) * 1_000_000_000_000 }

// namesOf lists the columns of a table as SQL.
func namesOf(ctx context.Context, tx *sql.Tx, table string) (out string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT group_concat('"' || name || '"', ', ') FROM pragma_table_info(?)`, table).Scan(&out)
	return out, err
}

func copyIndexes(ctx context.Context, tx *sql.Tx, table string) error {
	list, err := tx.QueryContext(ctx, "SELECT sql FROM main.sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", table)
	if err != nil {
		return err
	}
	var all []string
	for list.Next() {
		var create string
		if err := list.Scan(&create); err != nil {
			return errors.Join(err, list.Close())
		}
		all = append(all, create)
	}
	if err := errors.Join(list.Err(), list.Close()); err != nil {
		return err
	}
	for _, create := range all {
		m := indexHead.FindStringIndex(create)
		if m == nil {
			return fmt.Errorf("index %q", create)
		}
		if _, err := tx.ExecContext(ctx, create[:m[1]]+"past."+create[m[1]:]); err != nil {
			return err
		}
	}
	return nil
}

// takeOut deletes what a file has taken. The guards against deletion step aside for
// these tables within the transaction only, as all guards do when migrations run.
func (p Program) takeOut(ctx context.Context, app core.App, a Archive, record func(core.App, Archive) error) (err error) {
	uri, err := archiveURI(app.DataDir(), a.File)
	if err != nil {
		return err
	}
	writer := app.NonconcurrentDB() // one connection
	if _, err := writer.NewQuery("ATTACH " + quoted(uri) + " AS past").WithContext(ctx).Execute(); err != nil {
		return err
	}
	defer func() {
		_, gone := writer.NewQuery("DETACH past").Execute()
		err = errors.Join(err, gone)
	}()
	return app.RunInTransaction(func(tx core.App) error {
		for _, table := range Archived() {
			if err := p.empty(ctx, tx.DB(), table, a); err != nil {
				return err
			}
		}
		list, err := Archives(tx.DB())
		if err == nil {
			err = writeParam(tx.DB(), archiveRow, append(list, a), Now(tx))
		}
		if err == nil {
			err = record(tx, a)
		}
		if err == nil {
			err = p.Guards.Verify(ctx, tx)
		}
		return err
	})
}

// empty deletes the rows of a table that a file holds, in the order in which they lie.
func (p Program) empty(ctx context.Context, db dbx.Builder, table string, a Archive) error {
	below, want, same := rowsBelow(a.Year), a.Rows[table], int64(0)
	both := "SELECT COUNT(*) FROM past.%s p JOIN main.%s m ON m.rowid = p.rowid + %d AND m.id = p.id"
	err := db.NewQuery(fmt.Sprintf(both, table, table, below)).WithContext(ctx).Row(&same)
	if err != nil || same != want {
		return errors.Join(fmt.Errorf("%s：归档文件有 %d 行，数据库里只有其中 %d 行；数据库没有动，请再试一次", table, want, same), err)
	}
	name := "guard_" + table + "_delete"
	guard := slices.IndexFunc(p.Guards.Triggers, func(t Trigger) bool { return t.Name == name })
	if guard >= 0 {
		if _, err := db.NewQuery("DROP TRIGGER " + name).Execute(); err != nil {
			return err
		}
	}
	_, err = db.NewQuery(fmt.Sprintf("DELETE FROM main.%s WHERE rowid IN (SELECT rowid + %d FROM past.%s)", table, below, table)).
		WithContext(ctx).Execute()
	if err != nil {
		return err
	}
	if guard < 0 {
		return nil
	}
	_, err = db.NewQuery(p.Guards.Triggers[guard].SQL).Execute()
	return err
}

// resting lists the states of payments that wait for nothing as SQL. What is paid can
// still go back; its chain of events goes on from the one that stayed.
func resting() string {
	var out []string
	for _, s := range payment.Machine.States() {
		if payment.Resting(s) {
			out = append(out, quoted(string(s)))
		}
	}
	return strings.Join(out, ",")
}

// indexHead is the part of a statement after which the name of an index stands.
var indexHead = regexp.MustCompile(`(?i)^CREATE (UNIQUE )?INDEX `)

// syncFile makes a file survive a power cut.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncDir makes a new name in a folder survive a power cut.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // which cannot
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
