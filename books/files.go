package books

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"

	"hospay/collections"
	"hospay/reconcile/files"

	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// extension keeps the ending of a name, which spreadsheets go by.
func extension(name string) string {
	for _, e := range []string{".csv.gz", ".csv.zip", ".csv", ".zip", ".xlsx", ".gz"} {
		if len(name) > len(e) && name[len(name)-len(e):] == e {
			return e
		}
	}
	return ".dat"
}

// Reader opens the kept file of a bill or run; the caller closes both.
func (s *Service) Reader(collection, id, file string) (io.ReadCloser, error) {
	fsys, key, err := s.place(collection, id, file)
	if err != nil {
		return nil, err
	}
	r, err := fsys.GetReader(key)
	if err != nil {
		fsys.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{r, closers{r, fsys}}, nil
}

type closers []io.Closer

// Close closes all.
func (c closers) Close() (err error) {
	for _, one := range c {
		err = errors.Join(err, one.Close())
	}
	return err
}

func (s *Service) place(collection, id, file string) (*filesystem.System, string, error) {
	c, err := s.App.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return nil, "", err
	}
	fsys, err := s.App.NewFilesystem()
	return fsys, path.Join(c.BaseFilesPath(), id, file), err
}

func (s *Service) upload(ctx context.Context, collection, id, from, name string) (string, error) {
	fsys, key, err := s.place(collection, id, name)
	if err != nil {
		return "", err
	}
	defer fsys.Close()
	fsys.SetContext(ctx)
	f, err := filesystem.NewFileFromPath(from)
	if err != nil {
		return "", err
	}
	return name, fsys.UploadFile(f, key)
}

// discard deletes a file whose row was not written, and nothing beside it.
func (s *Service) discard(ctx context.Context, collection, id, file string) error {
	if file == "" {
		return nil
	}
	fsys, key, err := s.place(collection, id, file)
	if err != nil {
		return err
	}
	defer fsys.Close()
	fsys.SetContext(ctx)
	return fsys.Delete(key)
}

// local copies a kept file to where it can be read at any place, reads it and
// removes the copy.
func (s *Service) local(st Statement, use func(f files.File, path string) error) error {
	r, err := s.Reader(collections.Statements, st.ID, st.File)
	if err != nil {
		return err
	}
	defer r.Close()
	temp, err := os.CreateTemp("", "hospay-bill")
	if err != nil {
		return err
	}
	defer func() { temp.Close(); os.Remove(temp.Name()) }()
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(temp, sum), r)
	if err != nil {
		return err
	}
	if hex.EncodeToString(sum.Sum(nil)) != st.SHA256 {
		return fmt.Errorf("recon: file of statement %s is not the one that was kept", st.ID)
	}
	return use(files.File{Name: st.Name, Data: temp, Size: size}, temp.Name())
}
