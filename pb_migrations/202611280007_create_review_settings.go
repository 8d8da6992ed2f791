package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("review_settings",
			flag("auto"), flag("shadow"), count("delay_seconds"),
			&core.TextField{Name: "window_from", Pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
			&core.TextField{Name: "window_to", Pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$"}, object("rules"), created(), updated(),
			link("institution", "institutions"), fen("second_from"), flag("second_proxy"),
		)
		c.AddIndex("idx_review_settings", true, "institution", "")
		return create(app, c)
	}, nil)
}
