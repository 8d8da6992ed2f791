package pb_migrations

import (
	"slices"

	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// The proxy application of an order joins its fixed columns, and the tables of
// proxies get their own triggers.
func init() {
	migrations.Register(func(app core.App) error {
		orders, err := app.FindCollectionByNameOrId(collections.RefundOrders)
		if err != nil {
			return err
		}
		orders.AddIndex("idx_refund_orders_proxy", false, "proxy_application, created", "proxy_application != ''")
		if err := app.Save(orders); err != nil {
			return err
		}
		return setTriggers(app, slices.Concat(collections.Triggers(), collections.ProxyTriggers()))
	}, nil)
}

// setTriggers brings triggers to their present form.
func setTriggers(app core.App, triggers []collections.Trigger) error {
	for _, t := range triggers {
		for _, sql := range []string{"DROP TRIGGER IF EXISTS " + t.Name, t.SQL} {
			if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
				return err
			}
		}
	}
	return nil
}
