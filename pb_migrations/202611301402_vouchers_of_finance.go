package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// In which layout the hospital's finance software reads vouchers.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("institutions")
		if err != nil {
			return err
		}
		c.Fields.Add(object("voucher_layout"))
		return app.Save(c)
	}, nil)
}
