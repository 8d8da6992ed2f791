package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("his_configs",
			text("kind", 30), flag("active"), need("base_url", 300), object("mapping"), count("timeout_ms"), flag("queryable"),
			flag("idempotent"), flag("reversible"), hidden("secrets_input"), // write-only: sealed and emptied on save
			hidden("secrets_sealed"), text("secrets_held", 500), created(), updated(), link("institution", "institutions"),
		)
		c.AddIndex("idx_his_configs", true, "institution", "active = TRUE")
		return create(app, c)
	}, nil)
}
