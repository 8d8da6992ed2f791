package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A payout number with its content, written before it is sent. The hash covers the payee's
// account and name: whoever reads it beside their masks could try out what is masked.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("transfer_orders",
			integer("attempt", 1, 99), need("out_bill_no", 32), one("method", "original", "transfer"),
			one("channel", "wechat", "alipay"), fen("amount"), &core.TextField{Name: "hash", Max: 64, Required: true, Hidden: true},
			one("state", "intent", "open", "held", "done", "refused"), text("reported", 20), text("channel_no", 64),
			text("code", 100), text("message", 500), flag("doubt"), count("sent"), date("sent_at"), date("paid_at"),
			hidden("package"), hidden("package_mch"), hidden("package_app"), date("expires_at"), created(), updated(),
			link("order", "refund_orders"), link("institution", "institutions"),
		)
		c.AddIndex("idx_transfer_orders_no", true, "out_bill_no", "")
		c.AddIndex("idx_transfer_orders_attempt", true, "`order`, attempt", "")
		c.AddIndex("idx_transfer_orders_paid", false, "paid_at, institution, channel, amount", "state = 'done'")
		return create(app, c)
	}, nil)
}
