package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// One row for every outside call: HIS numbers, too, remember a send that is
// unaccounted for (doubt), and each number names what it was sent through.
func init() {
	migrations.Register(func(app core.App) error {
		for name, fields := range map[string][]core.Field{
			"his_calls":       {flag("doubt"), text("connection", 15)},
			"transfer_orders": {text("connection", 15)},
		} {
			c, err := app.FindCollectionByNameOrId(name)
			if err != nil {
				return err
			}
			c.Fields.Add(fields...)
			if err := app.Save(c); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}
