package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A job works for all institutions, and what it says when it fails may be about
// any of them: the message is for IT, who runs the program.
func init() {
	hide := func(hidden bool) func(core.App) error {
		return func(app core.App) error {
			c, err := app.FindCollectionByNameOrId(collections.JobRuns)
			if err != nil {
				return err
			}
			c.Fields.GetByName("message").SetHidden(hidden)
			return app.Save(c)
		}
	}
	migrations.Register(hide(true), hide(false))
}
