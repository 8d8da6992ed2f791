package store

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"

	"hospay/collections"
	"hospay/internal/vault"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// Bills, receipts and the lines of runs lie sealed in the storage, each bound to
// its row, as the photos of proxies do. This is the one way in and out; files
// from before are read as they are until SealFiles has come to them.

// ErrFileChanged is a file that is not the one that was kept.
var ErrFileChanged = errors.New("store: the file is not the one that was kept")

// KeptFile names a file of a row. SHA256 is of its content before it was sealed;
// empty where the row tells none.
type KeptFile struct{ Collection, ID, Name, SHA256 string }

func (f KeptFile) place() string { return vault.Place(f.Collection, "file", f.ID) }

// where finds a file in the storage; the caller closes it.
func (s *Store) where(ctx context.Context, f KeptFile) (*filesystem.System, string, error) {
	c, err := s.app.FindCachedCollectionByNameOrId(f.Collection)
	if err != nil {
		return nil, "", err
	}
	fsys, err := s.app.NewFilesystem()
	if err != nil {
		return nil, "", err
	}
	fsys.SetContext(ctx)
	return fsys, path.Join(c.BaseFilesPath(), f.ID, f.Name), nil
}

// KeepFile seals what is read and puts it into the storage.
func (s *Store) KeepFile(ctx context.Context, f KeptFile, from io.Reader) error {
	sealed, err := s.sealed(f, from)
	if err != nil {
		return err
	}
	defer os.Remove(sealed)
	fsys, key, err := s.where(ctx, f)
	if err != nil {
		return err
	}
	defer fsys.Close()
	file, err := filesystem.NewFileFromPath(sealed)
	if err != nil {
		return err
	}
	return fsys.UploadFile(file, key)
}

// sealed writes the sealed form of what is read to a temporary file.
func (s *Store) sealed(f KeptFile, from io.Reader) (name string, err error) {
	out, err := os.CreateTemp("", "hospay-sealed")
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, out.Close()); err != nil {
			os.Remove(out.Name())
		}
	}()
	w, err := s.vault.SealTo(vault.File, f.place(), out)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(w, from)
	return out.Name(), errors.Join(err, w.Close())
}

// SealReceipt is the file that keeps a receipt of a record, sealed.
func (s *Store) SealReceipt(id, name string, pdf io.Reader) (*filesystem.File, error) {
	path, err := s.sealed(KeptFile{Collection: collections.Receipts, ID: id}, pdf)
	if err != nil {
		return nil, err
	}
	defer os.Remove(path)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return filesystem.NewFileFromBytes(data, name)
}

// maxReceipt bounds a receipt that is held in memory.
const maxReceipt = 8 << 20

// Receipt reads the receipt of a record whole, so that nothing of a changed one
// is told.
func (s *Store) Receipt(ctx context.Context, rec *core.Record) ([]byte, error) {
	r, err := s.OpenFile(ctx, KeptFile{collections.Receipts, rec.Id, rec.GetString("file"), rec.GetString("sha256")})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxReceipt+1))
	if len(data) > maxReceipt {
		err = ErrFileChanged
	}
	return data, err
}

// OpenFile reads a kept file as it was before it was sealed. Where the row tells
// its hash, another content ends with ErrFileChanged instead of io.EOF.
func (s *Store) OpenFile(ctx context.Context, f KeptFile) (io.ReadCloser, error) {
	fsys, key, err := s.where(ctx, f)
	if err != nil {
		return nil, err
	}
	raw, err := fsys.GetReader(key)
	if err != nil {
		return nil, errors.Join(err, fsys.Close())
	}
	in := bufio.NewReaderSize(raw, 64<<10)
	out := &keptReader{r: in, want: f.SHA256, sum: sha256.New(), close: []io.Closer{raw, fsys}}
	head, _ := in.Peek(vault.SealedHead)
	if vault.Sealed(head) {
		if out.r, err = s.vault.OpenFrom(f.place(), in); err != nil {
			return nil, errors.Join(fmt.Errorf("file of %s %s: %w", f.Collection, f.ID, err), out.Close())
		}
	}
	return out, nil
}

// keptReader compares what was read with the hash of the row.
type keptReader struct {
	r     io.Reader
	sum   hash.Hash
	want  string
	close []io.Closer
}

// Read implements io.Reader.
func (k *keptReader) Read(p []byte) (int, error) {
	n, err := k.r.Read(p)
	k.sum.Write(p[:n])
	if err == io.EOF && k.want != "" && hex.EncodeToString(k.sum.Sum(nil)) != k.want {
		return n, ErrFileChanged
	}
	return n, err
}

// Close closes the file and the storage.
func (k *keptReader) Close() (err error) {
	for _, c := range k.close {
		err = errors.Join(err, c.Close())
	}
	return err
}

// DropFile deletes a file whose row was not written, and nothing beside it.
func (s *Store) DropFile(ctx context.Context, f KeptFile) error {
	if f.Name == "" {
		return nil
	}
	fsys, key, err := s.where(ctx, f)
	if err != nil {
		return err
	}
	defer fsys.Close()
	return fsys.Delete(key)
}

// keptFiles say where kept files lie: table, column of the name, column of the
// hash.
var keptFiles = [][3]string{{collections.Statements, "file", "sha256"}, {collections.Receipts, "file", "sha256"},
	{collections.ReconRuns, "lines", "''"}}

// sealedUpTo keeps, beside PocketBase's settings, up to which row of a table
// files are known to be sealed.
const sealedUpTo = "hospay_sealed"

const sealBatch = 200

// SealFiles seals what was kept before files were sealed: a bounded number of
// files in a run, until none is left. It may be interrupted anywhere: the sealed
// file takes the place of the other as a whole.
func (s *Store) SealFiles(ctx context.Context) (int, error) {
	total := 0
	var failed error
	for _, t := range keptFiles {
		n, err := s.sealTable(ctx, t[0], t[1], t[2])
		total, failed = total+n, errors.Join(failed, err)
	}
	return total, failed
}

func (s *Store) sealTable(ctx context.Context, table, column, sum string) (n int, failed error) {
	param := sealedUpTo + "_" + table
	var last string
	if _, err := collections.Param(s.app.ConcurrentDB(), param, &last); err != nil {
		return 0, err
	}
	if last == sealedAll {
		return 0, nil
	}
	var rows []struct {
		ID   string `db:"id"`
		Name string `db:"name"`
		Sum  string `db:"sum"`
	}
	err := s.app.ConcurrentDB().NewQuery("SELECT id, `" + column + "` AS name, " + sum + " AS sum FROM " + table +
		" WHERE id > {:last} AND `" + column + "` != '' ORDER BY id LIMIT {:n}").
		Bind(dbx.Params{"last": last, "n": sealBatch}).WithContext(ctx).All(&rows)
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		did, err := s.sealKept(ctx, KeptFile{table, r.ID, r.Name, r.Sum})
		if err != nil { // named, and the others go on; its row is looked at again after all
			failed = errors.Join(failed, fmt.Errorf("%s %s：%w", table, r.ID, err))
		}
		if did {
			n++
		}
		last = r.ID
	}
	if len(rows) < sealBatch {
		last = sealedAll
		if failed != nil {
			last = ""
		}
	}
	return n, errors.Join(failed, s.transact(func(tx core.App) error { return collections.SetParam(tx, param, last) }))
}

// sealedAll is the mark of a table of which every file was looked at: new ones
// are sealed as they come.
const sealedAll = "all"

// sealKept seals one file, unless it is.
func (s *Store) sealKept(ctx context.Context, f KeptFile) (bool, error) {
	fsys, key, err := s.where(ctx, f)
	if err != nil {
		return false, err
	}
	defer fsys.Close()
	raw, err := fsys.GetReader(key)
	if errors.Is(err, filesystem.ErrNotFound) { // a row without its file has nothing to seal
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer raw.Close()
	in := bufio.NewReader(raw)
	if head, _ := in.Peek(vault.SealedHead); vault.Sealed(head) {
		return false, nil
	}
	plain := &keptReader{r: in, want: f.SHA256, sum: sha256.New()}
	return true, s.KeepFile(ctx, f, plain)
}

// tempFolder is where, within the data folder, something lies open for a moment:
// a start sweeps up what a crash has left there, and no backup takes it along.
const tempFolder = "temp"

// TempDir makes a folder for what must lie open for a moment. The caller removes
// it.
func (s *Store) TempDir() (string, error) {
	root := filepath.Join(s.app.DataDir(), tempFolder)
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", err
	}
	return os.MkdirTemp(root, "open")
}

// SweepTemp removes what a crash has left. It runs before anything else does, in
// the one program that serves a folder.
func (s *Store) SweepTemp() error { return os.RemoveAll(filepath.Join(s.app.DataDir(), tempFolder)) }

// NotInBackups are the parts of the data folder that no backup takes along.
func NotInBackups() []string { return []string{tempFolder} }
