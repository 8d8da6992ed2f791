package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A job works for all institutions, and what it says when it fails may be about any of
// them: the message is for IT, who runs the program.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("job_runs",
			need("job", 40), date("started"), date("finished"), flag("ok"), count("done"), count("failed"),
			&core.TextField{Name: "message", Max: 1000, Hidden: true},
		)
		c.AddIndex("idx_job_runs", false, "job, started", "")
		return create(app, c)
	}, nil)
}
