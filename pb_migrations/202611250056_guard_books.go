package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Institutions say how long a difference may stay open, and up to which amount
// one person may ignore it; the books get their triggers.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.Institutions)
		if err != nil {
			return err
		}
		c.Fields.Add(integer("recon_days", 0, 60), fen("recon_ignore"))
		if err := app.Save(c); err != nil {
			return err
		}
		return setTriggers(app, collections.ReconTriggers())
	}, func(app core.App) error {
		for _, t := range collections.ReconTriggers() {
			if _, err := app.NonconcurrentDB().NewQuery("DROP TRIGGER IF EXISTS " + t.Name).Execute(); err != nil {
				return err
			}
		}
		return nil
	})
}
