package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.RefundOrders)
		if err != nil {
			return err
		}
		c.AddIndex("idx_refund_orders_his_no", false, "his_refund_no", "his_refund_no != ''")
		c.AddIndex("idx_refund_orders_channel_no", false, "channel_bill_no", "channel_bill_no != ''")
		return app.Save(c)
	}, func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.RefundOrders)
		if err != nil {
			return err
		}
		c.RemoveIndex("idx_refund_orders_his_no")
		c.RemoveIndex("idx_refund_orders_channel_no")
		return app.Save(c)
	})
}
