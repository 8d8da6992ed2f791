package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.Exports,
			need("report", 20), object("params"), one("state", "queued", "running", "done", "failed", "interrupted"), integer("progress", 0, 100), count("rows"),
			text("file", 100), count("size"), text("sha256", 64), text("error", 500), date("started"), date("finished"), created(), updated(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions, "owner": collections.Staff}); err != nil {
			return err
		}
		c.AddIndex("idx_exports_owner", false, "owner, created", "")
		c.AddIndex("idx_exports_due", false, "created", "state = 'queued' OR state = 'running'")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.Exports) })
}
