package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("payment_events",
			count("seq"), text("from", 20), text("to", 20), need("event", 40), text("actor_kind", 10), text("actor", 40),
			text("code", 100), text("message", 1000), text("hash", 64), created(), link("order", "payment_orders"),
			link("institution", "institutions"),
		)
		c.AddIndex("idx_payment_events_seq", true, "`order`, seq", "")
		return create(app, c)
	}, nil)
}
