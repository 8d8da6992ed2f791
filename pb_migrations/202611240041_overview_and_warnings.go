package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// The overview sums what was paid today, and those who configure read the
// warnings about certificates.
func init() {
	migrations.Register(func(app core.App) error {
		transfers, err := app.FindCollectionByNameOrId(collections.TransferOrders)
		if err != nil {
			return err
		}
		transfers.AddIndex("idx_transfer_orders_paid", false, "paid_at, institution, channel, amount", "state = 'done'")
		if err := app.Save(transfers); err != nil {
			return err
		}
		notifications, err := app.FindCollectionByNameOrId(collections.Notifications)
		if err != nil {
			return err
		}
		notifications.AddIndex("idx_notifications_certificate", false, "institution, provider_id", "event = 'certificate'")
		setRules(notifications)
		return app.Save(notifications)
	}, nil)
}
