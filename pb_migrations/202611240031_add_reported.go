package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// What HIS last said about a number: the proof behind what people may do with
// a suspended order. Since when an order is suspended stands in open_since.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.HISCalls)
		if err != nil {
			return err
		}
		c.Fields.Add(one("reported", "done", "pending", "not_found"))
		if err := app.Save(c); err != nil {
			return err
		}
		_, err = app.NonconcurrentDB().NewQuery(`UPDATE refund_orders SET open_since = COALESCE((SELECT MAX(e.created) FROM refund_events e
			WHERE e.` + "`order`" + ` = refund_orders.id AND e.event = 'order.suspended'), updated) WHERE status = 'suspense' AND open_since = ''`).Execute()
		return err
	}, nil)
}
