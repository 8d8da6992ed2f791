package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.ReconMonths,
			need("month", 7), one("state", "open", "proposed", "closed", "reopening"), text("note", 500), text("by", 15), hidden("person"), date("at"),
			text("closed_by", 15), date("closed_at"), object("totals"), created(), updated(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_recon_months_key", true, "institution, month", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.ReconMonths) })
}
