package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.TransferOrders,
			integer("attempt", 1, 99), need("out_bill_no", 32), one("method", "original", "transfer"), one("channel", "wechat", "alipay"),
			fen("amount"), need("hash", 64), one("state", "intent", "open", "held", "done", "refused"), text("reported", 20),
			text("channel_no", 64), text("code", 100), text("message", 500), flag("doubt"), count("sent"), date("sent_at"),
			date("paid_at"), hidden("package"), hidden("package_mch"), hidden("package_app"), date("expires_at"), created(), updated(),
		)
		if err := links(app, c, map[string]string{"order": collections.RefundOrders, "institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_transfer_orders_no", true, "out_bill_no", "")
		c.AddIndex("idx_transfer_orders_attempt", true, "`order`, attempt", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.TransferOrders) })
}
