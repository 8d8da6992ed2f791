package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Folders in which databases lie open for a while.
const (
	tempBackup = "hospay-backup-"
	tempVerify = "hospay-verify-"
)

// suffix ends the names of backups that a Keeper makes and removes.
const suffix = ".hospay-backup"

// Keeper makes a backup in a folder, opens it to see that it can be used, copies
// it to a second place, and removes what is too old.
type Keeper struct {
	Source
	Folder string // where backups lie
	Second string // a second place, of another machine or disk; empty: none
	Keep   int    // how many of each place stay
	Far    Place  // a place that is no folder; nil: none
	// Begin is told the name of a backup before it is made.
	Begin func(name string) error
	// More looks at the folder that a backup was opened into.
	More func(ctx context.Context, dir string, m Manifest) error
}

// Place is a store of files elsewhere.
type Place interface {
	Put(ctx context.Context, name, path string) error
	Names() ([]string, error)
	Remove(name string) error
}

// Run makes one backup. What is old is removed only after the new one was opened.
func (k *Keeper) Run(ctx context.Context) (int, error) {
	name := "hospay-" + k.Now().UTC().Format("20060102T150405Z") + suffix
	if err := k.Begin(name); err != nil {
		return 0, err
	}
	if err := sweep(k.Folder, k.Now().AddDate(0, 0, -1)); err != nil {
		return 0, err
	}
	to := filepath.Join(k.Folder, name)
	if _, err := k.File(ctx, to); err != nil {
		return 0, err
	}
	if err := k.Look(ctx, to); err != nil {
		return 0, fmt.Errorf("备份 %s 已写好，但打开核对时不对：%w", name, err)
	}
	err := prune(k.Folder, k.Keep)
	if k.Second != "" {
		if failed := copyFile(ctx, to, filepath.Join(k.Second, name)); failed != nil {
			return 1, errors.Join(err, fmt.Errorf("备份已写好，但没有复制到第二处：%w", failed))
		}
		err = errors.Join(err, prune(k.Second, k.Keep))
	}
	return 1, errors.Join(err, k.send(ctx, name, to))
}

// send copies a backup that was opened to the place elsewhere, and removes what is
// too old there.
func (k *Keeper) send(ctx context.Context, name, from string) error {
	if k.Far == nil {
		return nil
	}
	if err := k.Far.Put(ctx, name, from); err != nil {
		return fmt.Errorf("备份已写好，但没有传到 S3：%w", err)
	}
	names, err := k.Far.Names()
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, "hospay-") || !strings.HasSuffix(n, suffix) })
	slices.Sort(names)
	for _, old := range names[:max(0, len(names)-k.Keep)] {
		err = errors.Join(err, k.Far.Remove(old))
	}
	return err
}

// Look opens a backup and looks at what is in it.
func (k *Keeper) Look(ctx context.Context, file string) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = Check(ctx, f, k.Keys, k.Folder, func(dir string, m Manifest) error { return k.More(ctx, dir, m) })
	return err
}

// File writes a backup as a file that is there as a whole or not at all, and
// replaces none.
func (s Source) File(ctx context.Context, to string) (m Manifest, err error) {
	if _, err := os.Lstat(to); err == nil {
		return m, fmt.Errorf("%s 已存在，备份不覆盖任何文件", to)
	}
	if s.Temp == "" {
		s.Temp = filepath.Dir(to)
	}
	err = whole(to, func(w io.Writer) (err error) {
		m, err = s.Write(ctx, w)
		return err
	})
	return m, err
}

// whole writes a file beside its place and moves it there when it is on the disk.
func whole(to string, write func(io.Writer) error) (err error) {
	part := to + ".part"
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(part))
		}
	}()
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(part, to)
}

func copyFile(ctx context.Context, from, to string) (err error) {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return whole(to, func(w io.Writer) error {
		_, err := io.Copy(w, reader{ctx, f})
		return err
	})
}

// reader ends when its context does.
type reader struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader.
func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// sweep removes what a crash has left of opened and half-made backups: it is not
// sealed. What is younger may be somebody's who opens a backup now.
func sweep(folder string, before time.Time) error {
	var err error
	for _, form := range []string{tempBackup, tempVerify} {
		left, failed := filepath.Glob(filepath.Join(folder, form+"*"))
		err = errors.Join(err, failed)
		for _, path := range left {
			if info, failed := os.Stat(path); failed == nil && info.ModTime().Before(before) {
				err = errors.Join(err, os.RemoveAll(path))
			}
		}
	}
	return err
}

// prune removes all backups of a folder but the newest, and what a crash has left
// of one.
func prune(folder string, keep int) error {
	list, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range list {
		if strings.HasPrefix(e.Name(), "hospay-") && e.Type().IsRegular() {
			switch {
			case strings.HasSuffix(e.Name(), suffix):
				names = append(names, e.Name())
			case strings.HasSuffix(e.Name(), suffix+".part"):
				err = errors.Join(err, os.Remove(filepath.Join(folder, e.Name())))
			}
		}
	}
	slices.Sort(names) // by time, as they are named
	for _, old := range names[:max(0, len(names)-keep)] {
		if failed := os.Remove(filepath.Join(folder, old)); !errors.Is(failed, fs.ErrNotExist) {
			err = errors.Join(err, failed)
		}
	}
	return err
}
