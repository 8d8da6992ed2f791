package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// The hash of a payout covers the payee's account and name. Whoever reads it
// beside their masks could try out what is masked.
func init() {
	hide := func(hidden bool) func(core.App) error {
		return func(app core.App) error {
			c, err := app.FindCollectionByNameOrId(collections.TransferOrders)
			if err != nil {
				return err
			}
			c.Fields.GetByName("hash").SetHidden(hidden)
			return app.Save(c)
		}
	}
	migrations.Register(hide(true), hide(false))
}
