package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Whom patients call, and whether they may have a transfer where the money could
// go back the way it came.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("institutions")
		if err != nil {
			return err
		}
		c.Fields.Add(text("service_phone", 40), flag("transfer_choice"))
		return app.Save(c)
	}, nil)
}
