package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A wish to give a paid bill back, whole or in part, with what of it went back. HIS's
// number of a wish of its own is one wish.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("payment_refunds",
			integer("seq", 1, 99), need("no", 32), one("kind", "all", "insurance", "cash"), flag("insurance"), fen("fund"), fen("account"),
			fen("cash"), flag("cash_done"), flag("by_itself"), text("reason", 500), text("actor_kind", 10), text("actor", 40),
			text("his_refund_id", 64), one("state", "open", "done", "withdrawn"), text("from", 20), date("asked_at"), date("done_at"),
			created(), updated(), link("order", "payment_orders"), link("institution", "institutions"),
		)
		c.AddIndex("idx_payment_refunds_no", true, "no", "")
		c.AddIndex("idx_payment_refunds_seq", true, "`order`, seq", "")
		c.AddIndex("idx_payment_refunds_his", true, "institution, his_refund_id", "his_refund_id != ''")
		return create(app, c)
	}, nil)
}
