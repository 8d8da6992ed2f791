package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Batches of reviews (批量审核) that run in the background.
func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.Batches,
			one("decision", "approve", "reject"), text("note", 1000), one("state", "queued", "running", "done", "interrupted"),
			object("orders"), object("results"), count("size"), count("progress"), count("ok"), count("failed"), created(), updated(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions, "starter": collections.Staff}); err != nil {
			return err
		}
		c.AddIndex("idx_batches_starter", false, "starter, created", "")
		c.AddIndex("idx_batches_open", false, "state", "state IN ('queued', 'running')")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.Batches) })
}
