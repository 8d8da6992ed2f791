package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.ReviewSettings,
			flag("auto"), flag("shadow"), count("delay_seconds"),
			&core.TextField{Name: "window_from", Pattern: `^([01][0-9]|2[0-3]):[0-5][0-9]$`},
			&core.TextField{Name: "window_to", Pattern: `^([01][0-9]|2[0-3]):[0-5][0-9]$`},
			object("rules"), created(), updated(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_review_settings", true, "institution", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.ReviewSettings) })
}
