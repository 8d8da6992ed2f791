package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("used_tickets",
			need("ticket", 64), date("expires"),
		)
		c.AddIndex("idx_used_tickets", true, "ticket", "")
		c.AddIndex("idx_used_tickets_expires", false, "expires", "")
		return create(app, c)
	}, nil)
}
