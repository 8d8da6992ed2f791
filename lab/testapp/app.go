package testapp

import (
	"hospay/collections"

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
