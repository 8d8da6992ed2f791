package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.UsedTickets, need("ticket", 64), date("expires"))
		c.AddIndex("idx_used_tickets", true, "ticket", "")
		c.AddIndex("idx_used_tickets_expires", false, "expires", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.UsedTickets) })
}
