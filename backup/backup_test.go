package backup_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/backup"
	"hospay/collections"
	"hospay/internal/vault"
	"hospay/lab/testapp"
)

func keysOf(t testing.TB, file vault.KeyFile) *vault.Backups {
	t.Helper()
	keys, err := file.Backups()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// used is a program with an order and a file, and the keys of its backups.
func used(t *testing.T) (*testapp.App, backup.Source) {
	t.Helper()
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	if got := p.Apply("wechat", "transfer", 1200, nil); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Raw)
	}
	for _, name := range []string{"storage/pbc_1/one/kept.bin", "exports/job/table.xlsx", "pb_hooks/a.pb.js", "alerts.yml"} {
		path := filepath.Join(a.Dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("内容 "+name), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := collections.ComeHome(a.Runtime.App); err != nil {
		t.Fatal(err)
	}
	file, err := vault.ReadKeyFile(filepath.Join(a.Dir, "key.json"))
	if err != nil {
		t.Fatal(err)
	}
	return a, backup.Source{Dir: a.Dir, Release: "9.9.9", Now: a.Now, Keys: keysOf(t, file), Temp: t.TempDir()}
}

func written(t *testing.T, s backup.Source) ([]byte, backup.Manifest) {
	t.Helper()
	var out bytes.Buffer
	m, err := s.Write(t.Context(), &out)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), m
}

func restore(t *testing.T, s backup.Source, file []byte, dir string) (backup.Manifest, error) {
	t.Helper()
	return backup.Restore(t.Context(), bytes.NewReader(file), s.Keys, dir, s.Now())
}

// TestBackup_WhatComesBack compares a folder with what is made of its backup.
func TestBackup_WhatComesBack(t *testing.T) {
	_, s := used(t)
	file, m := written(t, s)
	if bytes.Contains(file, []byte("SQLite format 3")) || bytes.Contains(file, []byte("内容")) {
		t.Error("a backup is readable without its key")
	}
	if m.Rows["refund_orders"] != 1 || m.Seq == 0 || m.Head == "" || m.Files != 4 || m.Release != "9.9.9" || m.Made.After(s.Now()) {
		t.Errorf("%+v", m)
	}
	dir := filepath.Join(t.TempDir(), "new", "data")
	got, err := restore(t, s, file, dir)
	if err != nil || got.Rows["refund_orders"] != 1 || got.Bytes != m.Bytes {
		t.Fatal(got, err)
	}
	for _, name := range []string{"storage/pbc_1/one/kept.bin", "exports/job/table.xlsx", "pb_hooks/a.pb.js", "alerts.yml"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); string(text) != "内容 "+name {
			t.Errorf("%s: %q %v", name, text, err)
		}
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if info, failed := d.Info(); err == nil && failed == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	db, err := collections.Connect(filepath.Join(dir, "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if mark, err := collections.CopyOf(db); err != nil || mark == nil || mark.Why != "restored" {
		t.Errorf("a restored folder carries no mark: %+v %v", mark, err)
	}
}

// TestBackup_EveryEntryOfAFolderIsKnown fails when the program begins to keep
// something new in its data folder: whoever adds it says whether a backup needs it.
func TestBackup_EveryEntryOfAFolderIsKnown(t *testing.T) {
	a, s := used(t)
	left := []string{"key.json", "hospay.home", "hospay.seen", "hospay.lock", ".notify", ".pb_temp_to_delete", "backups", "temp"}
	file, _ := written(t, s)
	dir := t.TempDir()
	if _, err := restore(t, s, file, dir); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(a.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if strings.HasSuffix(e.Name(), "-wal") || strings.HasSuffix(e.Name(), "-shm") {
			continue // in the database of the backup
		}
		_, err := os.Stat(filepath.Join(dir, e.Name()))
		if taken := err == nil; taken == slices.Contains(left, e.Name()) {
			t.Errorf("%s: in the backup %v", e.Name(), taken)
		}
	}
}

// TestBackup_DamagedIsRefusedAndLeavesNothing changes and cuts a backup at many
// places.
func TestBackup_DamagedIsRefusedAndLeavesNothing(t *testing.T) {
	_, s := used(t)
	file, _ := written(t, s)
	dir := t.TempDir()
	try := func(what string, at int, bad []byte) {
		_, err := restore(t, s, bad, dir)
		if !errors.Is(err, backup.ErrDamaged) && !errors.Is(err, backup.ErrForeign) && !errors.Is(err, backup.ErrKey) {
			t.Errorf("%s %d: %v", what, at, err)
		}
		if list, _ := os.ReadDir(dir); len(list) > 0 {
			t.Fatalf("%s %d leaves %v", what, at, list)
		}
	}
	for i := range 24 {
		at := i * (len(file) - 1) / 23
		bad := bytes.Clone(file)
		bad[at] ^= 1
		try("changed at", at, bad)
		try("cut at", at, file[:at])
	}
	try("longer", len(file), append(bytes.Clone(file), 0))
}

// TestBackup_OpensWithTheKeyThatItWasMadeUnder changes the key file in between.
func TestBackup_OpensWithTheKeyThatItWasMadeUnder(t *testing.T) {
	for _, alg := range []string{vault.AlgSM4, vault.AlgAES} {
		_, s := used(t)
		first := vault.NewKeyFile(alg, true)
		s.Keys = keysOf(t, first)
		file, _ := written(t, s)
		second := first
		second.KEKs = slices.Clone(first.KEKs)
		second.AddKEK()
		s.Keys = keysOf(t, second)
		if _, err := restore(t, s, file, t.TempDir()); err != nil {
			t.Errorf("%s: a later key file does not open an older backup: %v", alg, err)
		}
		second.KEKs = second.KEKs[:1]
		s.Keys = keysOf(t, second)
		if _, err := restore(t, s, file, t.TempDir()); !errors.Is(err, backup.ErrKey) {
			t.Errorf("%s: without the old key: %v", alg, err)
		}
		s.Keys = keysOf(t, vault.NewKeyFile(alg, true))
		if _, err := restore(t, s, file, t.TempDir()); !errors.Is(err, backup.ErrDamaged) && !errors.Is(err, backup.ErrForeign) {
			t.Errorf("%s: with another's key: %v", alg, err)
		}
	}
}

// TestBackup_NothingIsOverwritten: neither a folder by a restore nor a file by a
// backup.
func TestBackup_NothingIsOverwritten(t *testing.T) {
	a, s := used(t)
	file, _ := written(t, s)
	if _, err := restore(t, s, file, a.Dir); !errors.Is(err, backup.ErrInUse) {
		t.Error(err)
	}
	to := filepath.Join(t.TempDir(), "b")
	if err := os.WriteFile(to, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.File(t.Context(), to); err == nil {
		t.Error("a file was overwritten")
	}
	if text, _ := os.ReadFile(to); string(text) != "x" {
		t.Errorf("%q", text)
	}
}

// hostile seals an archive as somebody could who has the key.
func hostile(t testing.TB, keys *vault.Backups, entries ...tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	sealed, err := keys.SealTo("hospay|backup|1", &out)
	if err != nil {
		t.Fatal(err)
	}
	zipped := gzip.NewWriter(sealed)
	w := tar.NewWriter(zipped)
	for _, h := range entries {
		body := []byte(`{"version":1}`)
		if h.Typeflag == tar.TypeReg || h.Typeflag == 0 {
			h.Size = int64(len(body))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			_, _ = w.Write(body)
		}
	}
	if err := errors.Join(w.Close(), zipped.Close(), sealed.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestRestore_NothingOutsideTheFolder tries names that lead elsewhere.
func TestRestore_NothingOutsideTheFolder(t *testing.T) {
	keys := keysOf(t, vault.NewKeyFile(vault.AlgSM4, true))
	s := backup.Source{Keys: keys, Now: func() time.Time { return time.Unix(1795399200, 0) }}
	begin := tar.Header{Name: "hospay.backup"}
	for name, h := range map[string][]tar.Header{
		"above":            {begin, {Name: "../above"}},
		"absolute":         {begin, {Name: "/tmp/hospay-absolute"}},
		"link":             {begin, {Name: "storage/l", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}},
		"hard link":        {begin, {Name: "storage/l", Typeflag: tar.TypeLink, Linkname: "data.db"}},
		"device":           {begin, {Name: "storage/d", Typeflag: tar.TypeChar}},
		"twice":            {begin, {Name: "data.db"}, {Name: "data.db"}},
		"no manifest":      {{Name: "data.db"}},
		"two manifests":    {begin, begin},
		"nothing":          {},
		"no end":           {begin, {Name: "data.db"}},
		"after the end":    {begin, {Name: "hospay.end"}, {Name: "data.db"}},
		"not as many":      {begin, {Name: "storage/x"}, {Name: "hospay.end"}},
		"no database":      {begin, {Name: "hospay.end"}},
		"file as a folder": {begin, {Name: "storage"}, {Name: "storage/x"}},
	} {
		root := t.TempDir()
		dir := filepath.Join(root, "data")
		if _, err := restore(t, s, hostile(t, keys, h...), dir); err == nil {
			t.Errorf("%s is taken", name)
		}
		if list, _ := os.ReadDir(dir); len(list) > 0 {
			t.Errorf("%s leaves %v", name, list)
		}
		if list, _ := os.ReadDir(root); len(list) > 1 {
			t.Errorf("%s writes outside: %v", name, list)
		}
	}
}

// TestKeeper_KeepsTheNewestAndASecondPlace runs for some nights.
// far is a store elsewhere.
type far struct {
	names  []string
	broken error
}

func (f *far) Put(_ context.Context, name, path string) error {
	if _, err := os.Stat(path); err != nil || f.broken != nil {
		return errors.Join(err, f.broken)
	}
	f.names = append(f.names, name)
	return nil
}

func (f *far) Names() ([]string, error) { return slices.Clone(f.names), nil }

func (f *far) Remove(name string) error {
	f.names = slices.DeleteFunc(f.names, func(n string) bool { return n == name })
	return nil
}

// TestKeeper_KeepsTheNewestElsewhere: the place elsewhere has as many, and what is
// not a backup of ours stays; a place that does not take it is told, and the backup
// here counts.
func TestKeeper_KeepsTheNewestElsewhere(t *testing.T) {
	_, s := used(t)
	day := s.Now()
	s.Now = func() time.Time { return day }
	place := &far{names: []string{"hospay-of-somebody", "zeugnis.pdf"}}
	k := backup.Keeper{Source: s, Folder: t.TempDir(), Keep: 2, Far: place, Begin: func(string) error { return nil },
		More: func(context.Context, string, backup.Manifest) error { return nil }}
	for range 3 {
		day = day.AddDate(0, 0, 1)
		if _, err := k.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(place.names) != 4 || place.names[0] != "hospay-of-somebody" || !slices.IsSorted(place.names[2:]) {
		t.Errorf("%v", place.names)
	}
	place.broken = errors.New("no such bucket")
	day = day.AddDate(0, 0, 1)
	if n, err := k.Run(t.Context()); n != 1 || err == nil || !strings.Contains(err.Error(), "S3") {
		t.Errorf("%d %v", n, err)
	}
}

func TestKeeper_KeepsTheNewestAndASecondPlace(t *testing.T) {
	_, s := used(t)
	day := s.Now()
	s.Now = func() time.Time { return day }
	var begun []string
	var broken error
	k := backup.Keeper{Source: s, Folder: t.TempDir(), Second: t.TempDir(), Keep: 2,
		Begin: func(name string) error { begun = append(begun, name); return nil },
		More:  func(context.Context, string, backup.Manifest) error { return broken }}
	k.Temp = ""
	night := func() error {
		day = day.AddDate(0, 0, 1)
		_, err := k.Run(t.Context())
		return err
	}
	for range 4 {
		if err := night(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(k.Folder, "hospay-20200101T000000Z.hospay-backup.part"), []byte("cut"), 0o600); err != nil {
		t.Fatal(err)
	}
	holds := func(want ...string) {
		t.Helper()
		for _, folder := range []string{k.Folder, k.Second} {
			var names []string
			list, _ := os.ReadDir(folder)
			for _, e := range list {
				names = append(names, e.Name())
			}
			if !slices.Equal(names, want) {
				t.Errorf("%v, not %v", names, want)
			}
		}
	}
	if err := os.MkdirAll(filepath.Join(k.Folder, "hospay-verify-123", "storage"), 0o700); err != nil { // of a crash
		t.Fatal(err)
	}
	if err := night(); err != nil {
		t.Fatal(err)
	}
	holds(begun[3:5]...)
	one, two := must(os.ReadFile(filepath.Join(k.Folder, begun[4]))), must(os.ReadFile(filepath.Join(k.Second, begun[4])))
	if !bytes.Equal(one, two) {
		t.Error("the second place has something else")
	}
	broken = errors.New("an order is missing")
	if err := night(); !errors.Is(err, broken) {
		t.Errorf("a backup that cannot be used is none: %v", err)
	}
	for _, old := range begun[3:5] { // the good ones are not given up for a bad one
		if _, err := os.Stat(filepath.Join(k.Second, old)); err != nil {
			t.Error(err)
		}
	}
	broken, k.Second = nil, filepath.Join(t.TempDir(), "gone")
	if err := night(); err == nil || !strings.Contains(err.Error(), "第二处") {
		t.Errorf("a second place that is not there: %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// FuzzRestore: whatever is in a sealed archive, nothing is written outside the
// folder and nothing panics.
func FuzzRestore(f *testing.F) {
	keys := keysOf(f, vault.NewKeyFile(vault.AlgAES, true))
	seal := func(plain []byte) []byte {
		var out bytes.Buffer
		w, err := keys.SealTo("hospay|backup|1", &out)
		if err != nil {
			f.Fatal(err)
		}
		_, _ = w.Write(plain)
		_ = w.Close()
		return out.Bytes()
	}
	var plain bytes.Buffer
	z := gzip.NewWriter(&plain)
	w := tar.NewWriter(z)
	_ = w.WriteHeader(&tar.Header{Name: "hospay.backup", Size: 13})
	_, _ = io.WriteString(w, `{"version":1}`)
	_ = w.WriteHeader(&tar.Header{Name: "storage/a/b", Size: 1})
	_, _ = io.WriteString(w, "x")
	_ = errors.Join(w.Close(), z.Close())
	f.Add(plain.Bytes())
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, plain []byte) {
		root := t.TempDir()
		_, err := backup.Restore(t.Context(), bytes.NewReader(seal(plain)), keys, filepath.Join(root, "data"), time.Unix(1795399200, 0))
		if err == nil {
			t.Error("no database, and taken")
		}
		if list, _ := os.ReadDir(root); len(list) > 1 {
			t.Errorf("%v", list)
		}
	})
}
