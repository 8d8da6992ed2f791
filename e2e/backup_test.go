package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hospay/backup"
	"hospay/cmd"
	"hospay/collections"
	"hospay/internal/vault"
	"hospay/lab/testapp"
)

// TestBackup_NightlyOneOpensAndKnowsWhereTheAuditLogEnded runs the job that serve
// runs every night, and works on from what it has made.
func TestBackup_NightlyOneOpensAndKnowsWhereTheAuditLogEnded(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	a := testapp.New(t, testapp.Config{Backups: cmd.BackupOptions{Folder: first, Second: second, Keep: 3}})
	p := a.Login("P0001", "wechat")
	order := p.Apply("wechat", "transfer", 1200, nil).Text("id")
	a.Drain()
	if n, err := a.Jobs.RunNow(t.Context(), "backup"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	made := must(filepath.Glob(filepath.Join(second, "*")))
	if len(made) != 1 || !strings.HasSuffix(made[0], ".hospay-backup") {
		t.Fatalf("%v", made)
	}
	if got := raw(t, a.Dir, "SELECT COUNT(*) FROM audit_log WHERE action = 'backup.create'"); got != "1" {
		t.Errorf("%s rows tell of the backup", got)
	}

	dir := t.TempDir()
	key := filepath.Join(a.Dir, "key.json")
	keys := must(must(vault.ReadKeyFile(key)).Backups())
	f := must(os.Open(made[0]))
	defer f.Close()
	m, err := backup.Restore(t.Context(), f, keys, dir, a.Now())
	if err != nil {
		t.Fatal(err)
	}
	if got := raw(t, a.Dir, "SELECT hash FROM audit_log WHERE action = 'backup.create'"); m.Head != got {
		t.Errorf("the backup ends at %s, the log told of it at %s", m.Head, got)
	}
	if err := os.WriteFile(filepath.Join(dir, "key.json"), must(os.ReadFile(key)), 0o400); err != nil {
		t.Fatal(err)
	}
	b := a.Open(dir)
	if mark, err := collections.CopyOf(b.Runtime.App.ConcurrentDB()); err != nil || mark == nil || mark.Why != "restored" {
		t.Errorf("%+v %v", mark, err)
	}
	if was, is := a.Order(order).Order, b.Order(order).Order; was.No != is.No || was.Status != is.Status {
		t.Errorf("%+v became %+v", was, is)
	}
	if state, err := b.Store.VerifyAudit(t.Context()); err != nil || state.Break != nil {
		t.Errorf("%+v %v", state.Break, err)
	}
}

// TestBackup_FoldersThatCannotHoldThem are refused when the program starts.
func TestBackup_FoldersThatCannotHoldThem(t *testing.T) {
	dir, key := t.TempDir(), keyFile(t)
	if err := os.Mkdir(filepath.Join(dir, "storage"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]cmd.BackupOptions{
		"in the data folder": {Folder: filepath.Join(dir, "storage"), Keep: 1},
		"not there":          {Folder: filepath.Join(t.TempDir(), "nowhere"), Keep: 1},
		"second not there":   {Folder: t.TempDir(), Second: filepath.Join(t.TempDir(), "nowhere"), Keep: 1},
		"keeps none":         {Folder: t.TempDir()},
	} {
		app := testapp.Bare(dir)
		_, err := cmd.Prepare(app, cmd.Options{Env: cmd.EnvDemo, KeyFile: key, Backups: o})
		if err == nil || !strings.Contains(err.Error(), "备份目录") && !strings.Contains(err.Error(), "HOSPAY_BACKUP_KEEP") {
			t.Errorf("%s: %v", name, err)
		}
		_ = app.ClearBootstrap()
	}
}

func keyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.json")
	if err := vault.NewKeyFile(vault.AlgAES, true).Write(path); err != nil {
		t.Fatal(err)
	}
	return path
}
