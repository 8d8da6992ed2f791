package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.ReconRuns,
			need("day", 10), count("seq"), one("state", "balanced", "differences", "incomplete"), object("books"), object("summary"), object("files"),
			text("inputs", 64), date("started"), date("finished"), text("by", 15), text("lines", 100), created(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_recon_runs_seq", true, "institution, day, seq", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.ReconRuns) })
}
