package books

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"hospay/collections"
	"hospay/reconcile/files"
	"hospay/store"
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

// kept names the file of a bill.
func (st Statement) kept() store.KeptFile {
	return store.KeptFile{Collection: collections.Statements, ID: st.ID, Name: st.File, SHA256: st.SHA256}
}

// keptLines names the lines of a run.
func (r Run) keptLines() store.KeptFile {
	return store.KeptFile{Collection: collections.ReconRuns, ID: r.ID, Name: r.Lines}
}

// Original opens the file of a bill as it came; the caller closes it. A file that
// was changed ends with an error instead of its end.
func (s *Service) Original(ctx context.Context, st Statement) (io.ReadCloser, error) {
	return s.Store.OpenFile(ctx, st.kept())
}

func (s *Service) upload(ctx context.Context, f store.KeptFile, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return s.Store.KeepFile(ctx, f, in)
}

// local copies a kept file to where it can be read at any place, reads it and
// removes the copy.
func (s *Service) local(ctx context.Context, st Statement, use func(f files.File, path string) error) error {
	r, err := s.Original(ctx, st)
	if err != nil {
		return err
	}
	defer r.Close()
	dir, err := s.Store.TempDir()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	temp, err := os.OpenFile(filepath.Join(dir, "bill"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer temp.Close()
	size, err := io.Copy(temp, r)
	if err != nil {
		return err
	}
	return use(files.File{Name: st.Name, Data: temp, Size: size}, temp.Name())
}
