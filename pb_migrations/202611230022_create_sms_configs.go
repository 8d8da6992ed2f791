package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.SMSConfigs,
			flag("active"), need("url", 300), object("settings"),
			&core.TextField{Name: "secrets_input", Max: 20000, Hidden: true}, // write-only: sealed and emptied on save
			hidden("secrets_sealed"), text("secrets_held", 500), created(), updated(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_sms_configs", true, "institution", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.SMSConfigs) })
}
