package cmd

import (
	"os"
	"path/filepath"
	"testing"

	"hospay/internal/vault"
)

// TestBackup_KeyOfSettingsComesFromItsFile: a backup is opened before it counts,
// which needs the key that serve reads from PB_ENCRYPTION_KEY_FILE.
func TestBackup_KeyOfSettingsComesFromItsFile(t *testing.T) {
	dir := t.TempDir()
	key, settings := filepath.Join(dir, "key.json"), filepath.Join(dir, "settings.key")
	if err := vault.NewKeyFile(vault.AlgSM4, false).Write(key); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(settings, []byte("0123456789abcdef0123456789abcdef\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	t.Setenv(envKeyFile, key)
	t.Setenv(envSealing, "")
	t.Setenv(envSealing+"_FILE", settings)
	if _, err := backupKeys(dir); err != nil || os.Getenv(envSealing) != "0123456789abcdef0123456789abcdef" {
		t.Errorf("%v %q", err, os.Getenv(envSealing))
	}
	t.Setenv(envSealing, "")
	t.Setenv(envSealing+"_FILE", settings+".gone")
	if _, err := backupKeys(dir); err == nil {
		t.Error("a named file that is not there is no trouble")
	}
}
