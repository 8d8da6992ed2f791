package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hospay/internal/vault"
	_ "hospay/pb_migrations"
)

// TestServable_ProductionSaysWhoItsProxiesAre, and a word that is nearly
// production is none.
func TestServable_ProductionSaysWhoItsProxiesAre(t *testing.T) {
	for env, ok := range map[string]bool{"": true, "production": true, "demo": true, "prod": false, "Production": false, "DEMO": false,
		"production ": false, "test": false} {
		if err := (Options{Env: env}).known(); (err == nil) != ok {
			t.Errorf("%q: %v", env, err)
		}
	}
	dir := t.TempDir()
	for _, row := range []struct {
		env, proxy string
		ok         bool
	}{{EnvProduction, "", false}, {EnvProduction, " ", false}, {EnvProduction, "none", true}, {EnvProduction, "127.0.0.1", true},
		{EnvDemo, "", true}} {
		err := Options{Env: row.env, Proxy: row.proxy, Idle: true}.servable(dir)
		if (err == nil) != row.ok || err != nil && !strings.Contains(err.Error(), "HOSPAY_PROXY") {
			t.Errorf("%+v: %v", row, err)
		}
	}
	t.Setenv(envName, EnvProduction)
	t.Setenv(envProxy, "10.0.0.1")
	t.Setenv(envHeader, "X-Real-IP")
	if o := FromEnvironment(dir); o.Proxy != "10.0.0.1" || o.Header != "X-Real-IP" || o.Env != EnvProduction {
		t.Errorf("%+v", o)
	}
}

// TestFolder_IsItsOwnersAlone: a fresh one is made so, and one that others may
// read is refused with what to do.
func TestFolder_IsItsOwnersAlone(t *testing.T) {
	keepPrivate()
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	app := NewApp(dir)
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer app.ClearBootstrap()
	for path, want := range map[string]os.FileMode{"": 0o700, "data.db": 0o600, "auxiliary.db": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, path)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	o := Options{Env: EnvProduction, Proxy: "none"}
	if err := o.servable(dir); err != nil {
		t.Error(err)
	}
	for path, mode := range map[string]os.FileMode{"": 0o750, "data.db": 0o640, "auxiliary.db": 0o604} {
		path := filepath.Join(dir, path)
		was, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := o.servable(dir); err == nil || !strings.Contains(err.Error(), "chmod -R go= "+dir) {
			t.Errorf("%s with %o: %v", path, mode, err)
		}
		if err := os.Chmod(path, was.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	// A folder that is in use is not changed behind its owner's back.
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := makePrivate(dir); err != nil || o.servable(dir) == nil {
		t.Errorf("a folder that is in use: %v", err)
	}
}

// TestKeyFile_LiesElsewhere: whoever has the folder does not have its key.
func TestKeyFile_LiesElsewhere(t *testing.T) {
	dir, beside := t.TempDir(), t.TempDir()
	link := filepath.Join(beside, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	app := NewApp(dir)
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer app.ClearBootstrap()
	if err := os.MkdirAll(filepath.Join(dir, "backups"), 0o700); err != nil {
		t.Fatal(err)
	}
	for path, ok := range map[string]bool{
		filepath.Join(dir, "key.json"): false, filepath.Join(dir, "backups", "key.json"): false, filepath.Join(link, "key2.json"): false,
		filepath.Join(beside, "key.json"): true, filepath.Join(beside, "..key.json"): true,
	} {
		if err := vault.NewKeyFile(vault.AlgSM4, false).Write(path); err != nil {
			t.Fatal(err)
		}
		if _, err := openVault(app, Options{Env: EnvProduction, KeyFile: path}); strings.Contains(text(err), "数据目录里") == ok {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
