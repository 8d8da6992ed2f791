package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Batches of reviews (批量审核) that run in the background.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("batches",
			one("decision", "approve", "reject"), text("note", 1000), one("state", "queued", "running", "done", "interrupted"),
			object("orders"), object("results"), count("size"), count("progress"), count("ok"), count("failed"), created(), updated(),
			link("starter", "staff"), link("institution", "institutions"),
		)
		c.AddIndex("idx_batches_starter", false, "starter, created", "")
		c.AddIndex("idx_batches_open", false, "state", "state IN ('queued', 'running')")
		return create(app, c)
	}, nil)
}
