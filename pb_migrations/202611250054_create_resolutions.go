package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.Resolutions,
			one("act", "propose", "confirm", "withdraw", "resolve", "assign", "auto", "changed", "reopen", "carry"), text("verb", 20), text("reason", 500), text("by", 15),
			hidden("person"), text("with", 15), object("before"), object("after"), created(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions, "difference": collections.Differences}); err != nil {
			return err
		}
		c.AddIndex("idx_resolutions_of", false, "difference, created", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.Resolutions) })
}
