package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		for _, t := range collections.Triggers() {
			if _, err := app.NonconcurrentDB().NewQuery(t.SQL).Execute(); err != nil {
				return err
			}
		}
		return nil
	}, func(app core.App) error {
		for _, t := range collections.Triggers() {
			if _, err := app.NonconcurrentDB().NewQuery("DROP TRIGGER IF EXISTS " + t.Name).Execute(); err != nil {
				return err
			}
		}
		return nil
	})
}
