package testapp

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"

	"hospay/collections"
	"hospay/hooks/kit"
	"hospay/internal/vault"

	"github.com/pocketbase/pocketbase/core"
)

// watcher is the id of the hook by which PocketBase v0.40.4 hears of what other
// programs change in the folder. What it has heard it does 50 ms later, also on
// an app that was closed meanwhile, which ends the whole test run.
const watcher = "__pbNotifyWatcherSystemHook__"

// Bare is an app on a data folder before anything is opened, that does not
// listen for other programs.
func Bare(dir string) *core.BaseApp {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, EncryptionEnv: "PB_ENCRYPTION_KEY", DBConnect: collections.Connect})
	app.OnBootstrap().Unbind(watcher)
	return app
}

func (a *App) serve(build func() (http.Handler, error)) {
	mux, err := build()
	a.must(err)
	srv := httptest.NewServer(mux)
	a.TB.Cleanup(srv.Close)
	a.URL = srv.URL
	inner := httptest.NewUnstartedServer(mux)
	inner.Config.BaseContext = func(net.Listener) context.Context { return kit.Admin(context.Background()) }
	inner.Start()
	a.TB.Cleanup(inner.Close)
	a.AdminURL = inner.URL
}

// limit gives the networks the budgets that the program ships with, of which a
// demo relieves them.
func (a *App) limit(rules []core.RateLimitRule) {
	s := a.Runtime.App.Settings()
	s.RateLimits.Rules = rules
	a.must(a.Runtime.App.Save(s))
}

// realKey makes the demo key one that production accepts, beside the data
// folder.
func (a *App) realKey(demo string) string {
	k, err := vault.ReadKeyFile(demo)
	a.must(err)
	k.Demo = false
	path := filepath.Join(a.TB.TempDir(), "key.json")
	a.must(k.Write(path))
	return path
}
