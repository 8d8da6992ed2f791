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
		c.AddIndex("idx_refund_orders_card", false, "institution, card_no, created", "")
		return app.Save(c)
	}, func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.RefundOrders)
		if err != nil {
			return err
		}
		c.RemoveIndex("idx_refund_orders_card")
		return app.Save(c)
	})
}
