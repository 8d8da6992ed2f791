package testapp

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"hospay/cmd"
	"hospay/collections"
	"hospay/internal/testday"
	"hospay/internal/vault"
	"hospay/lab/demo"
	"hospay/refund"
	"hospay/sim/all"
)

var (
	seedOnce sync.Once
	seedPath string
	seedErr  error
)

// Migrated is a data folder of a test's own in which the migrations have run and
// nothing else: running them takes longer than most tests.
func Migrated(tb testing.TB) string {
	tb.Helper()
	path, err := migrated()
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	if err := os.CopyFS(dir, os.DirFS(path)); err != nil {
		tb.Fatal(err)
	}
	return dir
}

var migrated = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "hospay-migrated")
	if err != nil {
		return "", err
	}
	app := Bare(dir)
	if err := errors.Join(app.Bootstrap(), cmd.ThisProgram().Open(app)); err != nil {
		return "", err
	}
	_, err = app.NonconcurrentDB().NewQuery("PRAGMA wal_checkpoint(TRUNCATE)").Execute()
	return dir, errors.Join(err, app.ClearBootstrap())
})

// seedDir copies a data folder in which the migrations have run and whose
// accounts exist, because hashing passwords takes its time.
func seedDir(tb testing.TB) string {
	tb.Helper()
	seedOnce.Do(func() { seedPath, seedErr = makeSeed() })
	if seedErr != nil {
		tb.Fatal(seedErr)
	}
	dir := tb.TempDir()
	if err := os.CopyFS(dir, os.DirFS(seedPath)); err != nil {
		tb.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "key.json"), 0o400); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func makeSeed() (string, error) {
	dir, err := os.MkdirTemp("", "hospay-seed")
	if err != nil {
		return "", err
	}
	sims, err := all.Start(context.Background(), all.Options{Seed: 1, Ahead: testday.Ahead()})
	if err != nil {
		return "", err
	}
	defer sims.Close()
	key := filepath.Join(dir, "key.json")
	if err := vault.NewKeyFile(vault.AlgSM4, true).Write(key); err != nil {
		return "", err
	}
	app := Bare(dir)
	if _, err := cmd.Prepare(app, cmd.Options{Env: cmd.EnvDemo, KeyFile: key, Timing: refund.DefaultTiming(), Now: testday.Now,
		Log: slog.New(slog.DiscardHandler)}); err != nil {
		return "", err
	}
	at := demo.Endpoints{WeChat: sims.WeChat.URL(), Alipay: sims.Alipay.URL(), HIS: sims.HIS.URL(), Centre: sims.Centre.URL(),
		Portal: sims.Portal.URL(), SMS: sims.SMS.URL()}
	if _, err := demo.Seed(context.Background(), app, at, demo.Settings{}); err != nil {
		return "", err
	}
	// These simulators end here, and others may soon listen where they did.
	for _, c := range []string{collections.ChannelConfigs, collections.HISConfigs, collections.CentreConfigs, collections.SMSConfigs} {
		if _, err := app.NonconcurrentDB().NewQuery("UPDATE " + c + " SET active = FALSE").Execute(); err != nil {
			return "", err
		}
	}
	if _, err := app.NonconcurrentDB().NewQuery("PRAGMA wal_checkpoint(TRUNCATE)").Execute(); err != nil {
		return "", err
	}
	return dir, app.ClearBootstrap()
}
