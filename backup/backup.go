// Package backup makes one sealed file of a data folder while it is being used,
// and a folder of such a file again.
//
// What comes out is what was committed at one moment: the databases are copied
// by SQLite within a transaction of their own, then the files that lay beside
// them. The file is a compressed tar, sealed with a key derived from the key
// file. The key file itself is never in it.
package backup

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"hospay/collections"
	"hospay/internal/cluster"
	"hospay/internal/vault"
)

// place binds what is sealed to its use.
const place = "hospay|backup|1"

// manifestName begins every backup; endName closes it.
const (
	manifestName = "hospay.backup"
	endName      = "hospay.end"
)

// databases are copied by SQLite; taken lies beside them. What is in a data
// folder and in neither is made anew (locks, temporary files, where the folder is
// at home) or must not be in a backup (keys, certificates, other backups).
var (
	databases = []string{"data.db", "auxiliary.db"}
	taken     = []string{"storage", collections.ArchiveDir, "exports", "pb_hooks", "verify", "hospay.anchor", "alerts.yml"}
)

// Manifest says what a backup is of.
type Manifest struct {
	Version int              `json:"version"`
	Release string           `json:"release"` // of the program that made it
	Made    time.Time        `json:"made"`    // the moment that the database is of
	Rows    map[string]int64 `json:"rows"`    // of some tables, for comparison
	// Seq and Head are where the audit log ends: what it must still hold when the
	// backup is looked at years later.
	Seq   int64  `json:"audit_seq"`
	Head  string `json:"audit_head"`
	Files int    `json:"files"` // beside the databases; known at the end
	Bytes int64  `json:"bytes"` // all content, uncompressed; known at the end
}

// counted are the tables whose rows a manifest tells.
var counted = []string{collections.RefundOrders, collections.RefundEvents, collections.PaymentOrders, collections.PaymentEvents,
	collections.AuditLog}

// Source is a data folder and what makes a backup of it.
type Source struct {
	Dir     string
	Release string
	Now     func() time.Time
	Keys    *vault.Backups
	// Temp is where the copies of the databases lie for a while; as large as they are.
	Temp string
}

// Write makes a backup. Programs that use the folder go on meanwhile.
func (s Source) Write(ctx context.Context, w io.Writer) (m Manifest, err error) {
	temp, err := os.MkdirTemp(s.Temp, tempBackup)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	m = Manifest{Version: 1, Release: s.Release, Made: s.Now().UTC()}
	for _, name := range databases {
		err := snapshot(ctx, filepath.Join(s.Dir, name), filepath.Join(temp, name))
		if errors.Is(err, fs.ErrNotExist) && cluster.Member(s.Dir) && name != cluster.Database {
			continue // a node that has never led has no log of its own
		}
		if err != nil {
			return m, fmt.Errorf("备份数据库 %s：%w", name, err)
		}
	}
	if err := m.count(ctx, filepath.Join(temp, databases[0])); err != nil {
		return m, err
	}
	sealed, err := s.Keys.SealTo(place, w)
	if err != nil {
		return m, err
	}
	zipped := gzip.NewWriter(sealed)
	a := &archive{ctx: ctx, w: tar.NewWriter(zipped), m: &m}
	if err := a.all(s.Dir, temp); err != nil {
		return m, err
	}
	return m, errors.Join(a.w.Close(), zipped.Close(), sealed.Close())
}

// Copy lays copies of the databases of a folder that is in use into another one.
func Copy(ctx context.Context, from, to string) error {
	for _, name := range databases {
		err := snapshot(ctx, filepath.Join(from, name), filepath.Join(to, name))
		if err != nil && !(name != databases[0] && errors.Is(err, fs.ErrNotExist)) { // logs may have been put away
			return err
		}
	}
	return nil
}

// snapshot copies a database as it was committed at one moment. Writers go on: in
// WAL mode a reader keeps nobody waiting.
func snapshot(ctx context.Context, from, to string) (err error) {
	if dir, name := filepath.Split(from); name == cluster.Database && cluster.Member(dir) {
		return cluster.Copy(ctx, dir, to)
	}
	if _, err := os.Stat(from); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(from)+"?mode=rw&_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
	return err
}

// count reads what the manifest tells from the copied database.
func (m *Manifest) count(ctx context.Context, file string) (err error) {
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(file)+"?mode=ro")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	m.Rows = map[string]int64{}
	for _, table := range counted {
		var n int64
		err := db.QueryRowContext(ctx, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", table).Scan(&n)
		if errors.Is(err, sql.ErrNoRows) && table != counted[0] {
			continue // of a release that did not have it
		}
		n = 0
		if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM "`+table+`"`).Scan(&n); err != nil {
			return fmt.Errorf("数据目录的库不是本程序的：%w", err)
		}
		m.Rows[table] = n
	}
	err = db.QueryRowContext(ctx, "SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1").Scan(&m.Seq, &m.Head)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

type archive struct {
	ctx context.Context
	w   *tar.Writer
	m   *Manifest
}

func (a *archive) all(dir, temp string) error {
	if err := a.note(manifestName); err != nil {
		return err
	}
	for _, name := range databases {
		if _, err := os.Stat(filepath.Join(temp, name)); errors.Is(err, fs.ErrNotExist) && name != databases[0] {
			continue
		}
		if err := a.file(filepath.Join(temp, name), name); err != nil {
			return err
		}
	}
	for _, name := range taken {
		if err := a.tree(filepath.Join(dir, name), name); err != nil {
			return err
		}
	}
	return a.note(endName)
}

// note writes the manifest as it is now.
func (a *archive) note(name string) error {
	text, err := json.Marshal(a.m)
	if err != nil {
		return err
	}
	head := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(text)), ModTime: a.m.Made, Format: tar.FormatPAX}
	if err := a.w.WriteHeader(head); err != nil {
		return err
	}
	_, err = a.w.Write(text)
	return err
}

// tree takes a file or a folder along; the folder may be a link to one on
// another disk, as large folders are.
func (a *archive) tree(from, name string) error {
	info, err := os.Stat(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // there is none, or what lay there is not kept any more
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		a.m.Files++
		return a.file(from, name)
	}
	list, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range list {
		if entry.Type()&fs.ModeSymlink != 0 {
			return fmt.Errorf("%s 是链接，备份不跟随文件夹里的链接；请换成文件本身", filepath.Join(from, entry.Name()))
		}
		if err := a.tree(filepath.Join(from, entry.Name()), path.Join(name, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// file writes one file. One that became longer meanwhile is taken as it was when
// it was looked at; one that became shorter is an error.
func (a *archive) file(from, name string) (err error) {
	if err := a.ctx.Err(); err != nil {
		return err
	}
	f, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) && !slices.Contains(databases, name) {
		a.m.Files--
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	head := &tar.Header{Name: name, Mode: 0o600, Size: info.Size(), ModTime: info.ModTime(), Format: tar.FormatPAX}
	if err := a.w.WriteHeader(head); err != nil {
		return err
	}
	n, err := io.CopyN(a.w, f, info.Size())
	a.m.Bytes += n
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s 在备份时变短了，请再试一次", from)
	}
	return err
}
