package testapp

import (
	"os"
	"path/filepath"

	"hospay/cmd"
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
)

// scripts lays scripts into the data folder and loads them, as serve does.
func (a *App) scripts(app core.App, files map[string]string) {
	a.TB.Helper()
	for name, text := range files {
		a.must(os.MkdirAll(filepath.Join(a.Dir, "pb_hooks"), 0o700))
		a.must(os.WriteFile(filepath.Join(a.Dir, "pb_hooks", name), []byte(text), 0o600))
	}
	a.ScriptFault = cmd.UseScripts(app)
}

// forgetConnections takes out the simulators that only the template of the folder
// knew: each test has its own.
func forgetConnections(app core.App) error {
	for _, t := range collections.AllTriggers() {
		if t.Name != "guard_connection_delete" {
			continue
		}
		for _, sql := range []string{"DROP TRIGGER " + t.Name, "DELETE FROM connections", t.SQL} {
			if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
				return err
			}
		}
	}
	return nil
}
