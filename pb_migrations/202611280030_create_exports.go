package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("exports",
			need("report", 20), object("params"), one("state", "queued", "running", "done", "failed", "interrupted"),
			integer("progress", 0, 100), count("rows"), text("file", 100), count("size"), text("sha256", 64), text("error", 500),
			date("started"), date("finished"), created(), updated(), link("owner", "staff"), link("institution", "institutions"),
		)
		c.AddIndex("idx_exports_owner", false, "owner, created", "")
		c.AddIndex("idx_exports_due", false, "created", "state = 'queued' OR state = 'running'")
		return create(app, c)
	}, nil)
}
