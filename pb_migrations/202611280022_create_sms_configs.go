package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("sms_configs",
			flag("active"), need("url", 300), object("settings"), hidden("secrets_input"), // write-only: sealed and emptied on save
			hidden("secrets_sealed"), text("secrets_held", 500), created(), updated(), link("institution", "institutions"),
		)
		c.AddIndex("idx_sms_configs", true, "institution", "")
		return create(app, c)
	}, nil)
}
