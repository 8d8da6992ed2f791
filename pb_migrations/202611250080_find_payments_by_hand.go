package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.RefundEvents)
		if err != nil {
			return err
		}
		c.AddIndex("idx_refund_events_by_hand", false, "`order`", "event = 'payout.by_hand'")
		return app.Save(c)
	}, func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.RefundEvents)
		if err != nil {
			return err
		}
		c.RemoveIndex("idx_refund_events_by_hand")
		return app.Save(c)
	})
}
