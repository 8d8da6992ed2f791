package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestUpgrade_IsRehearsedThenBackedUp: of every release's folder the new program
// tells what it would change without changing it, and makes a backup that brings
// the folder back before it changes anything.
func TestUpgrade_IsRehearsedThenBackedUp(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "hospay")
	if out, err := exec.Command("go", "build", "-o", bin, "hospay").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, release := range releases(t) {
		dir := unpackFolder(t, must(os.ReadFile(folderFile(release))))
		key := filepath.Join(t.TempDir(), "key.json")
		if err := os.Rename(filepath.Join(dir, folderKey), key); err != nil {
			t.Fatal(err)
		}
		run := func(env string, args ...string) (string, error) {
			c := exec.Command(bin, args...)
			c.Env = append(os.Environ(), "HOSPAY_ENV=demo", "HOSPAY_KEY_FILE="+key, env)
			out, err := c.CombinedOutput()
			return string(out), err
		}
		before := must(os.ReadFile(filepath.Join(dir, "data.db")))
		out, err := run("", "upgrade", "check", "--dir", dir)
		if err != nil || !strings.Contains(out, "新表 payment_orders") || !strings.Contains(out, "在副本上预演：用时") ||
			!strings.Contains(out, "可以升级") || !strings.Contains(out, "由 "+release+" 或更新") {
			t.Fatalf("%s: %v\n%s", release, err, out)
		}
		if string(before) != string(must(os.ReadFile(filepath.Join(dir, "data.db")))) {
			t.Errorf("%s: the check has changed the folder", release)
		}
		if out, err := run("HOSPAY_KEY_FILE=", "audit", "verify", "--dir", dir); err == nil || !strings.Contains(out, "升级前要先备份") {
			t.Errorf("%s: upgraded without a backup: %v %s", release, err, out)
		}
		out, err = run("", "audit", "verify", "--dir", dir)
		if err != nil || !strings.Contains(out, "先备份到") {
			t.Fatalf("%s: %v\n%s", release, err, out)
		}
		kept := must(filepath.Glob(filepath.Join(dir, "before-upgrade", "before-*.backup")))
		if len(kept) != 1 {
			t.Fatalf("%s: backups %v", release, kept)
		}
		if out, err := run("", "upgrade", "check", "--dir", dir); err != nil || !strings.Contains(out, "没有要改的表和守卫") {
			t.Errorf("%s, once more: %v\n%s", release, err, out)
		}
		back := filepath.Join(t.TempDir(), "back")
		if out, err := run("", "restore", "--from", kept[0], "--dir", back); err != nil {
			t.Fatalf("%s: %v\n%s", release, err, out)
		}
		if out, err := run("", "upgrade", "check", "--dir", back); err != nil || !strings.Contains(out, "新表 payment_orders") {
			t.Errorf("%s: what came back is not the folder as it was: %v\n%s", release, err, out)
		}
	}
}

// TestUpgrade_NothingIsDueOnTheDayAfter: a folder of this program is served without
// another backup.
func TestUpgrade_NothingIsDueOnTheDayAfter(t *testing.T) {
	k := newKillRun(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, k.bin, "config", "check", "--dir", k.dir).CombinedOutput()
	if strings.Contains(string(out), "先备份到") {
		t.Errorf("%v\n%s", err, out)
	}
	if exists(filepath.Join(k.dir, "before-upgrade")) {
		t.Error("a backup that nothing asked for")
	}
}
