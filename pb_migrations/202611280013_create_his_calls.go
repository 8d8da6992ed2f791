package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A HIS number with its content, written before it is sent. What HIS last said about it
// (reported) is the proof behind what people may do with a suspended order.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("his_calls",
			one("kind", "debit", "reverse"), integer("attempt", 1, 99), need("no", 32), fen("amount"), need("hash", 64),
			one("state", "intent", "open", "held", "done", "refused"), text("his_no", 64), text("code", 100), text("message", 500),
			count("sent"), date("sent_at"), date("done_at"), created(), updated(), link("order", "refund_orders"),
			link("institution", "institutions"), one("reported", "done", "pending", "not_found"),
		)
		c.AddIndex("idx_his_calls_no", true, "no", "")
		c.AddIndex("idx_his_calls_attempt", true, "`order`, kind, attempt", "")
		return create(app, c)
	}, nil)
}
