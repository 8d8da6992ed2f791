package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// The totals of a month are those of its runs; nothing ever stood in the field.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.ReconMonths)
		if err != nil {
			return err
		}
		c.Fields.RemoveByName("totals")
		return app.Save(c)
	}, nil)
}
