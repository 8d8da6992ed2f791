package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Orders by status, kept by triggers.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("refund_counts",
			need("status", 20), count("count"), link("institution", "institutions"),
		)
		c.AddIndex("idx_refund_counts_key", true, "institution, status", "")
		return create(app, c)
	}, nil)
}
