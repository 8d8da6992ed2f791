package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("recon_months",
			need("month", 7), one("state", "open", "proposed", "closed", "reopening"), text("note", 500), text("by", 15),
			hidden("person"), date("at"), text("closed_by", 15), date("closed_at"), created(), updated(),
			link("institution", "institutions"),
		)
		c.AddIndex("idx_recon_months_key", true, "institution, month", "")
		return create(app, c)
	}, nil)
}
