package pb_migrations

import (
	"hospay/collections"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// The summary tables are filled from the orders that exist, and kept from then
// on. Orders whose outcome is open get an index: they are few.
func init() {
	migrations.Register(func(app core.App) error {
		orders, err := app.FindCollectionByNameOrId(collections.RefundOrders)
		if err != nil {
			return err
		}
		orders.AddIndex("idx_refund_orders_open", false, "institution, created", store.ExceptionCondition())
		orders.AddIndex("idx_refund_orders_paid", false, "institution, paid_at", "paid_at != ''")
		if err := app.Save(orders); err != nil {
			return err
		}
		if err := store.RebuildStatistics(app.NonconcurrentDB()); err != nil {
			return err
		}
		for _, t := range collections.StatisticsTriggers() {
			for _, sql := range []string{"DROP TRIGGER IF EXISTS " + t.Name, t.SQL} {
				if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
					return err
				}
			}
		}
		return nil
	}, func(app core.App) error {
		for _, t := range collections.StatisticsTriggers() {
			if _, err := app.NonconcurrentDB().NewQuery("DROP TRIGGER IF EXISTS " + t.Name).Execute(); err != nil {
				return err
			}
		}
		return nil
	})
}
