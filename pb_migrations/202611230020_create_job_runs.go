package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.JobRuns,
			need("job", 40), date("started"), date("finished"), flag("ok"), count("done"), count("failed"), text("message", 1000),
		)
		c.AddIndex("idx_job_runs", false, "job, started", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.JobRuns) })
}
