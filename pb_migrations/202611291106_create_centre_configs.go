package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// The connection to an insurance centre. The region is a shipped profile and what
// differs from it.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("centre_configs",
			flag("active"), need("org_code", 32), text("org_name", 128), need("app_id", 64), need("base_url", 300), object("region"),
			count("timeout_ms"), &core.TextField{Name: "secrets_input", Max: 60000, Hidden: true}, // write-only: sealed and emptied on save
			&core.TextField{Name: "secrets_sealed", Max: 120000, Hidden: true}, text("secrets_held", 500), created(), updated(),
			link("institution", "institutions"),
		)
		c.AddIndex("idx_centre_configs", true, "institution", "")
		if err := create(app, c); err != nil {
			return err
		}
		connections, err := app.FindCollectionByNameOrId("connections")
		if err != nil {
			return err
		}
		connections.Fields.Add(text("label", 128))
		return app.Save(connections)
	}, nil)
}
