package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A number that was given to the centre, a channel or HIS, with its content, written
// before it is sent. The insurance's part of an order goes back under one number for ever.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("payment_calls",
			one("kind", "upload", "price", "trade", "mixed", "close", "close_mixed", "undo", "charge", "uncharge", "refund_ins", "refund_cash",
				"told", "told_his"),
			integer("attempt", 1, 99), need("no", 32), fen("amount"), need("hash", 64),
			one("state", "intent", "open", "held", "done", "refused"), text("reported", 20), text("theirs", 64), text("code", 100),
			text("message", 500), flag("doubt"), count("denied"), count("sent"), date("sent_at"), date("done_at"), text("connection", 15),
			created(), updated(), link("order", "payment_orders"), link("institution", "institutions"),
		)
		c.AddIndex("idx_payment_calls_no", true, "no", "")
		c.AddIndex("idx_payment_calls_attempt", true, "`order`, kind, attempt", "")
		c.AddIndex("idx_payment_calls_one_refund", true, "`order`", "kind = 'refund_ins'")
		c.AddIndex("idx_payment_calls_connection", false, "connection, created", "connection != ''")
		c.AddIndex("idx_payment_calls_theirs", false, "institution, theirs", "theirs != ''")
		return create(app, c)
	}, nil)
}
