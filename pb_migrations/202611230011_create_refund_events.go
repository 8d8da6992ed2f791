package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.RefundEvents,
			count("seq"), text("from", 20), text("to", 20), need("event", 40),
			text("actor_kind", 10), text("actor", 40), text("code", 100), text("message", 1000),
			text("hash", 64), created(),
		)
		if err := links(app, c, map[string]string{"order": collections.RefundOrders, "institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_refund_events_seq", true, "`order`, seq", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.RefundEvents) })
}
