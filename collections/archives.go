package collections

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/internal/prepared"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// What belongs to closed orders of past years can lie in a file of its own, one a
// year, which nobody writes any more. The orders stay where they are, so that lists
// and searches find them; what is moved is their history. Every connection that
// reads has views that bear the names of the moved tables and show both, and the
// writer sees what is alive. The database says which files belong to it, in the
// transaction that takes the rows out of it.

// Archive is such a file.
type Archive struct {
	Year   int              `json:"year"` // of the orders, in Beijing
	File   string           `json:"file"` // below ArchiveDir
	Bytes  int64            `json:"bytes"`
	SHA256 string           `json:"sha256"`
	Made   time.Time        `json:"made"`
	Rows   map[string]int64 `json:"rows"` // by table
}

// ArchiveDir lies in the data folder.
const ArchiveDir = "archives"

const archiveRow = "hospay_archives"

// mostArchives is what SQLite attaches to one connection.
const mostArchives = 10

// Archived lists the tables whose rows can lie in an archive.
func Archived() []string {
	return []string{RefundEvents, PaymentEvents, Reviews, Notifications, Callbacks}
}

// Live names a table without what was archived of it, for questions about what
// is still going on.
func Live(table string) string { return "main." + table }

// Archives lists the archives that belong to a database, in the order in which
// they were made.
func Archives(db dbx.Builder) ([]Archive, error) {
	var out []Archive
	_, err := readParam(db, archiveRow, &out)
	return out, err
}

// Whole compares the file with what the database says of it.
func (a Archive) Whole(dir string) error {
	path := filepath.Join(dir, ArchiveDir, a.File)
	is, size, err := sumOf(path)
	if err != nil {
		return a.missing(path, err)
	}
	if is != a.SHA256 || size != a.Bytes {
		return fmt.Errorf("%d 年的归档文件 %s 与归档时不同（校验值 %s，归档时 %s）；请从备份恢复这个文件", a.Year, path, is, a.SHA256)
	}
	return nil
}

// Lies reports whether the file is where it belongs and can be opened, by its size.
func (a Archive) Lies(dir string) error {
	path := filepath.Join(dir, ArchiveDir, a.File)
	f, err := os.Open(path)
	if err != nil {
		return a.missing(path, err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() != a.Bytes {
		err = fmt.Errorf("%d 字节，应为 %d 字节", info.Size(), a.Bytes)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return a.missing(path, err)
	}
	return nil
}

func (a Archive) missing(path string, err error) error {
	return fmt.Errorf("%d 年的归档文件 %s 不能用，这一年已结单据的处理记录暂时看不到；请从备份恢复这个文件，再重新启动服务：%w",
		a.Year, path, err)
}

// InOneFile refuses a single machine's folder for a cluster, which holds one database
// and no archives.
func InOneFile(dir string) (err error) {
	path := filepath.Join(dir, "data.db")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	raw, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?mode=ro")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	list, err := Archives(dbx.NewFromDB(raw, "sqlite"))
	if err == nil && len(list) > 0 {
		err = fmt.Errorf("%d 年的处理记录在归档文件里，集群不保存它们；这个目录继续单机使用，或用归档以前的备份建立集群", list[0].Year)
	}
	return err
}

// MissingArchives tells of every archive that is not where it belongs.
func MissingArchives(app core.App) error {
	list, err := Archives(app.DB())
	for _, a := range list {
		err = errors.Join(err, a.shown(app))
	}
	return err
}

// shown reports whether the file is where it belongs, and was when the program began:
// one that came back since is read after the next start only.
func (a Archive) shown(app core.App) error {
	if _, out := app.Store().Get(leftOut + a.File).(error); out {
		return a.missing(a.File, errors.New("启动服务时它不在"))
	}
	return a.Lies(app.DataDir())
}

// leftOut marks in an app's memory the archives that its connections do not read.
const leftOut = "hospay.archive."

// ArchiveMissing reports whether what happened at a moment may lie in an archive that
// is not where it belongs.
func ArchiveMissing(app core.App, at time.Time) (bool, error) {
	list, err := Archives(app.DB())
	for _, a := range list {
		if a.Year == at.In(calendar.Beijing).Year() && a.shown(app) != nil {
			return true, err
		}
	}
	return false, err
}

func sumOf(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

// archiveURI is how SQLite opens a file that nobody writes.
func archiveURI(dir, file string) (string, error) {
	path, err := filepath.Abs(filepath.Join(dir, ArchiveDir, file))
	if err != nil {
		return "", err
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/…
		path = "/" + path
	}
	return "file://" + (&url.URL{Path: path}).EscapedPath() + "?mode=ro&immutable=1", nil
}

// shelved is an archive as connections attach it.
type shelved struct {
	schema, uri string
	columns     map[string]map[string]bool // by table
}

// showArchives gives the connections that read an app's data views over what is
// alive and what is archived. An archive that cannot be read is left out, so that
// the rest of the program goes on; MissingArchives tells of it.
func showArchives(app core.App) error {
	list, err := Archives(app.DB())
	if err != nil || len(list) == 0 {
		return err
	}
	db, ok := app.ConcurrentDB().(*dbx.DB)
	if !ok {
		return errors.New("archives are shown to a whole program only")
	}
	columns := map[string][]column{}
	for _, table := range Archived() {
		if columns[table], err = columnsOf(app.ConcurrentDB(), "main", table); err != nil {
			return err
		}
	}
	var shelf []shelved
	for _, a := range list {
		s, err := shelve(app.DataDir(), a)
		if err != nil {
			app.Store().Set(leftOut+a.File, err)
			app.Logger().Error("archive.missing", "year", a.Year, "error", err.Error())
			continue
		}
		shelf = append(shelf, s)
	}
	return prepared.Begin(db.DB(), func(ctx context.Context, c driver.ExecerContext) error { return attach(ctx, c, shelf, columns) })
}

// column is one of a table.
type column struct {
	Name    string         `db:"name"`
	Default sql.NullString `db:"dflt_value"`
}

func columnsOf(db dbx.Builder, schema, table string) ([]column, error) {
	var out []column
	err := db.NewQuery("SELECT name, dflt_value FROM pragma_table_info('" + table + "', '" + schema + "')").All(&out)
	return out, err
}

// shelve looks at an archive.
func shelve(dir string, a Archive) (s shelved, err error) {
	if err := a.Lies(dir); err != nil {
		return s, err
	}
	if s.uri, err = archiveURI(dir, a.File); err != nil {
		return s, err
	}
	raw, err := sql.Open("sqlite", s.uri)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, raw.Close()) }()
	s.schema, s.columns = fmt.Sprintf("past%d", a.Year), map[string]map[string]bool{}
	for _, table := range Archived() {
		list, err := columnsOf(dbx.NewFromDB(raw, "sqlite"), "main", table)
		if err != nil {
			return s, err
		}
		s.columns[table] = map[string]bool{}
		for _, c := range list {
			s.columns[table][c.Name] = true
		}
	}
	return s, nil
}

// attach is what a connection that reads begins with. A file that has gone since is
// left out.
func attach(ctx context.Context, c driver.ExecerContext, shelf []shelved, columns map[string][]column) error {
	var there []shelved
	for _, s := range shelf {
		if _, err := c.ExecContext(ctx, "ATTACH "+quoted(s.uri)+" AS "+s.schema, nil); err == nil {
			there = append(there, s)
		}
	}
	for _, table := range Archived() {
		if _, err := c.ExecContext(ctx, viewSQL(table, columns[table], there), nil); err != nil {
			return err
		}
	}
	return nil
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// viewSQL shows the rows of a table in all files. What a file of former years has
// no column for has the default. PocketBase counts and sorts by _rowid_, which views
// lack; no two files have one in common.
func viewSQL(table string, columns []column, shelf []shelved) string {
	arm := func(schema string, has func(string) bool) string {
		cells := []string{`rowid AS "_rowid_"`}
		for _, c := range columns {
			cell := `"` + c.Name + `"`
			if !has(c.Name) {
				cell = "NULL AS " + cell
				if c.Default.Valid {
					cell = c.Default.String + ` AS "` + c.Name + `"`
				}
			}
			cells = append(cells, cell)
		}
		return "SELECT " + strings.Join(cells, ", ") + " FROM " + schema + "." + table
	}
	arms := []string{arm("main", func(string) bool { return true })}
	for _, s := range shelf {
		arms = append(arms, arm(s.schema, func(name string) bool { return s.columns[table][name] }))
	}
	return "CREATE TEMP VIEW " + table + " AS " + strings.Join(arms, " UNION ALL ")
}
