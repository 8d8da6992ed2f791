package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A notice names the page of the portal that it is about, and an in-app one
// knows when its reader has opened it.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("notifications")
		if err != nil {
			return err
		}
		c.Fields.Add(text("page", 100), date("read_at"))
		return app.Save(c)
	}, nil)
}
