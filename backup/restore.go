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
	"path/filepath"
	"time"

	"hospay/collections"
	"hospay/internal/vault"
)

// What is wrong with a backup or with where it should go.
var (
	ErrForeign = errors.New("不是 hospay 的备份文件，或不是用这把密钥加密的")
	ErrDamaged = errors.New("备份文件不完整或被改动过，不能使用；请换用另一份备份")
	ErrKey     = errors.New("密钥文件里没有做这份备份时的密钥；请用当时的密钥文件（HOSPAY_KEY_FILE）")
	ErrInUse   = errors.New("目标目录不是空的；备份只恢复到新的目录，不覆盖任何东西")
)

// Restore makes a data folder of a backup. dir must not exist or be empty. The
// folder carries the mark of a restored copy: what serves from it moves no money
// until two people have released it.
func Restore(ctx context.Context, r io.Reader, keys *vault.Backups, dir string, now time.Time) (m Manifest, err error) {
	if err := fresh(dir); err != nil {
		return m, err
	}
	defer func() {
		if err != nil { // half a folder is none
			err = errors.Join(err, empty(dir))
		}
	}()
	if m, err = extract(ctx, r, keys, dir); err != nil {
		return m, err
	}
	db, err := collections.Connect(filepath.Join(dir, databases[0]))
	if err != nil {
		return m, err
	}
	err = collections.MarkCopy(db, "restored", now)
	return m, errors.Join(err, db.Close())
}

func fresh(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	list, err := os.ReadDir(dir)
	if err == nil && len(list) > 0 {
		return fmt.Errorf("%s：%w", dir, ErrInUse)
	}
	return errors.Join(err, os.Chmod(dir, 0o700))
}

func empty(dir string) error {
	list, err := os.ReadDir(dir)
	for _, entry := range list {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, entry.Name())))
	}
	return err
}

// extract unpacks a backup and compares what is in it with what it says.
func extract(ctx context.Context, r io.Reader, keys *vault.Backups, dir string) (m Manifest, err error) {
	plain, err := keys.OpenFrom(place, r)
	switch {
	case errors.Is(err, vault.ErrKey):
		return m, ErrKey
	case err != nil:
		return m, ErrForeign
	}
	zipped, err := gzip.NewReader(plain)
	if err != nil {
		return m, ErrDamaged
	}
	x := &extraction{ctx: ctx, dir: dir}
	if err := x.run(tar.NewReader(zipped)); err != nil {
		return x.begun, err
	}
	if _, err := io.Copy(io.Discard, zipped); err != nil { // to the end: only there it is known that nothing was cut off
		return x.begun, ErrDamaged
	}
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return x.begun, ErrDamaged
	}
	if x.ended == nil || x.files != x.ended.Files || x.bytes != x.ended.Bytes {
		return x.begun, ErrDamaged
	}
	if err := look(ctx, filepath.Join(dir, databases[0]), *x.ended); err != nil {
		return *x.ended, err
	}
	return *x.ended, lookAtArchives(dir)
}

type extraction struct {
	ctx   context.Context
	dir   string
	begun Manifest
	ended *Manifest
	files int
	bytes int64
}

func (x *extraction) run(r *tar.Reader) error {
	for first := true; ; first = false {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil || x.ended != nil || first != (h.Name == manifestName) || h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) {
			return ErrDamaged
		}
		switch h.Name {
		case manifestName:
			err = read(r, &x.begun)
			if err == nil && x.begun.Version != 1 {
				err = fmt.Errorf("备份的格式是 %d，此程序只认得 1；请用新的程序恢复", x.begun.Version)
			}
		case endName:
			x.ended = &Manifest{}
			err = read(r, x.ended)
		default:
			err = x.file(r, h)
		}
		if err != nil {
			return err
		}
	}
}

func read(r io.Reader, m *Manifest) error {
	if err := json.NewDecoder(io.LimitReader(r, 1<<20)).Decode(m); err != nil {
		return ErrDamaged
	}
	return nil
}

func (x *extraction) file(r io.Reader, h *tar.Header) (err error) {
	to := filepath.Join(x.dir, filepath.FromSlash(h.Name))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return ErrDamaged
	}
	if err != nil {
		return err
	}
	n, err := io.Copy(f, r)
	x.bytes += n
	if h.Name != databases[0] && h.Name != databases[1] {
		x.files++
	}
	var path *fs.PathError // of this disk, not of the backup
	if err != nil && !errors.As(err, &path) {
		err = ErrDamaged
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// look opens the database of a backup and compares it with its manifest.
func look(ctx context.Context, file string, m Manifest) (err error) {
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(file)+"?mode=ro")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var said string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&said); err != nil || said != "ok" {
		return errors.Join(ErrDamaged, err)
	}
	var is Manifest
	if err := is.count(ctx, file); err != nil {
		return errors.Join(ErrDamaged, err)
	}
	for table, n := range m.Rows {
		if is.Rows[table] != n {
			return fmt.Errorf("%w：%s 有 %d 行，备份时是 %d 行", ErrDamaged, table, is.Rows[table], n)
		}
	}
	if is.Seq != m.Seq || is.Head != m.Head {
		return fmt.Errorf("%w：审计日志的末行不同", ErrDamaged)
	}
	return nil
}

// lookAtArchives compares the files of former years with what the database says.
func lookAtArchives(dir string) (err error) {
	db, err := collections.Connect(filepath.Join(dir, databases[0]))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	list, err := collections.Archives(db)
	if err != nil {
		return err
	}
	for _, a := range list {
		if err := a.Whole(dir); err != nil {
			return fmt.Errorf("%w：%w", ErrDamaged, err)
		}
	}
	return nil
}

// Check opens a backup as Restore would, in a temporary folder below temp, and
// hands the folder to more checks before it is removed.
func Check(ctx context.Context, r io.Reader, keys *vault.Backups, temp string,
	more func(dir string, m Manifest) error) (m Manifest, err error) {
	dir, err := os.MkdirTemp(temp, tempVerify)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if m, err = extract(ctx, r, keys, dir); err != nil || more == nil {
		return m, err
	}
	return m, more(dir, m)
}
