package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		return indexPaid(app, func(c *core.Collection) {
			c.AddIndex("idx_refund_orders_paid", false, "institution, paid_at, channel", "paid_at != ''")
			c.AddIndex("idx_refund_orders_channel", false, "institution, channel, his_refund_date, paid_at", "")
		})
	}, func(app core.App) error {
		return indexPaid(app, func(c *core.Collection) {
			c.AddIndex("idx_refund_orders_paid", false, "institution, paid_at", "paid_at != ''")
			c.RemoveIndex("idx_refund_orders_channel")
		})
	})
}

// indexPaid changes the index of paid orders.
func indexPaid(app core.App, change func(*core.Collection)) error {
	c, err := app.FindCollectionByNameOrId(collections.RefundOrders)
	if err != nil {
		return err
	}
	c.RemoveIndex("idx_refund_orders_paid")
	change(c)
	return app.Save(c)
}
