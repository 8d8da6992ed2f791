package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("recon_runs",
			need("day", 10), count("seq"), one("state", "balanced", "differences", "incomplete"), object("books"), object("summary"),
			object("files"), text("inputs", 64), date("started"), date("finished"), text("by", 15), text("lines", 100), created(),
			link("institution", "institutions"),
		)
		c.AddIndex("idx_recon_runs_seq", true, "institution, day, seq", "")
		return create(app, c)
	}, nil)
}
