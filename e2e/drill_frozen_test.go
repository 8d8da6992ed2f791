package e2e

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/refund"
	"hospay/sim"
)

// unpackBackup lays a backup that PocketBase has made into a fresh folder, as the
// guide tells operators to, with the key file, which no backup holds.
func unpackBackup(t *testing.T, a *testapp.App, name string) string {
	t.Helper()
	z := must(zip.OpenReader(filepath.Join(a.Dir, "backups", name)))
	defer z.Close()
	dir := t.TempDir()
	for _, f := range z.File {
		to := filepath.Join(dir, filepath.FromSlash(f.Name))
		if f.FileInfo().IsDir() {
			continue
		}
		in := must(f.Open())
		data := must(io.ReadAll(in))
		in.Close()
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	key := filepath.Join(dir, "key.json")
	if _, err := os.Stat(key); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(key, must(os.ReadFile(filepath.Join(a.Dir, "key.json"))), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestDrill_ARestoredBackupIsFrozen restores backups of PocketBase and plain
// copies of the folder, by turns, while the original goes on and pays: no copy
// moves anything, takes or decides an application.
func TestDrill_ARestoredBackupIsFrozen(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	super, reviewer := a.Superuser(), a.Staff("reviewer1")
	for i := range often(3, 20) {
		p := a.Login(fmt.Sprintf("P%04d", i%10+1), "alipay")
		waiting := reviewing(t, a, p, int64(100+i))
		other := a.Login(fmt.Sprintf("P%04d", i%10+11), "alipay")
		open := other.Apply("alipay", "transfer", int64(200+i), nil)
		var dir string
		if i%2 == 0 {
			name := fmt.Sprintf("drill%02d.zip", i)
			if err := collections.ComeHome(a.Runtime.App); err != nil { // as one that serves
				t.Fatal(err)
			}
			if res := a.Call("POST", "/api/backups", super, map[string]any{"name": name}); res.Status != 204 {
				t.Fatalf("backup: %d %s", res.Status, res.Raw)
			}
			dir = unpackBackup(t, a, name)
		} else {
			dir = a.Backup()
		}
		a.Drain()
		if res := a.Review(reviewer, waiting, "approve", ""); res.Status != 200 {
			t.Fatalf("review: %d %s", res.Status, res.Raw)
		}
		a.Drain()
		wantStatus(t, a, waiting, refund.StatusSucceeded)
		drilled(t, a, dir, waiting)
		if id := open.Text("id"); open.Status == 200 { // the original ends what is open
			a.Review(reviewer, id, "reject", "演练")
			a.Drain()
		}
	}
	booksAgree(t, a)
}

// drilled opens a copy, lets it work, and wants nothing to have moved.
func drilled(t *testing.T, a *testapp.App, dir, waiting string) {
	t.Helper()
	sum := func() (n int) {
		for what, core := range map[string]*sim.Core{"debit": a.Sims.HIS.Core, "reverse": a.Sims.HIS.Core, "transfer": a.Sims.Alipay.Core} {
			n += moved(core, what)
		}
		return n
	}
	before := sum()
	b := a.Open(dir)
	if c := must(collections.CopyOf(b.Runtime.App.DB())); c == nil {
		t.Fatal("the copy is not recognised")
	}
	b.Drain()
	wantRefusal(t, "复核", b.Review(b.Staff("reviewer1"), waiting, "approve", ""), 503, "restored_copy")
	wantRefusal(t, "申请", b.Login("P0020", "alipay").Apply("alipay", "transfer", 100, nil), 503, "restored_copy")
	if _, err := b.Jobs.RunNow(t.Context(), "restored_copy"); err != nil {
		t.Errorf("the job that asks: %v", err)
	}
	b.Drain()
	if n := sum(); n != before {
		t.Errorf("a copy has moved money: %d movements, before %d", n, before)
	}
	if c := must(collections.CopyOf(b.Runtime.App.DB())); c == nil {
		t.Error("the mark is gone without two people")
	}
	if err := b.Runtime.App.ClearBootstrap(); err != nil {
		t.Fatal(err)
	}
}
