package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// The reasons from which a reviewer picks are the institution's own.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("review_settings")
		if err != nil {
			return err
		}
		c.Fields.Add(object("reject_reasons"))
		return app.Save(c)
	}, nil)
}
