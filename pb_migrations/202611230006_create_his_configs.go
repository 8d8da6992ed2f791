package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.HISConfigs,
			text("kind", 30), flag("active"), need("base_url", 300), object("mapping"),
			count("timeout_ms"), flag("queryable"), flag("idempotent"), flag("reversible"),
			&core.TextField{Name: "secrets_input", Max: 20000, Hidden: true}, // write-only: sealed and emptied on save
			hidden("secrets_sealed"), text("secrets_held", 500), created(), updated(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_his_configs", true, "institution", "active = TRUE")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.HISConfigs) })
}
