package testapp

import (
	"os"
	"path/filepath"

	"hospay/cmd"
	"hospay/collections"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// Backup copies the data folder as it is now, as one that serves.
func (a *App) Backup() string {
	a.TB.Helper()
	a.must(collections.ComeHome(a.Runtime.App))
	_, err := a.Runtime.App.NonconcurrentDB().NewQuery("PRAGMA wal_checkpoint(TRUNCATE)").Execute()
	a.must(err)
	dir := a.TB.TempDir()
	a.must(os.CopyFS(dir, os.DirFS(a.Dir)))
	a.must(os.Chmod(filepath.Join(dir, "key.json"), 0o400))
	return dir
}

// Open serves from another data folder, beside the same simulators and with the
// same clock.
func (a *App) Open(dir string) *App {
	a.TB.Helper()
	b := &App{TB: a.TB, Sims: a.Sims, Dir: dir, Institution: a.Institution}
	b.offset.Store(a.offset.Load())
	app := Bare(dir)
	b.must(app.Bootstrap())
	b.TB.Cleanup(func() { _ = app.ClearBootstrap() })
	b.must(cmd.ThisProgram().Open(app))
	var err error
	b.Router, err = apis.NewRouter(app)
	b.must(err)
	b.Runtime, err = cmd.Assemble(&core.ServeEvent{App: app, Router: b.Router}, b.options(dir, Config{}))
	b.must(err)
	b.must(collections.ComeHome(app))
	b.Store.Forget()
	b.serve(b.Router.BuildMux)
	return b
}
