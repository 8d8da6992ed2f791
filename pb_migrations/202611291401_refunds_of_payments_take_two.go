package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// How much of a payment one member of the staff may give back alone; 0: every
// refund takes a second person. A refund waits as a row of its own until another
// person has confirmed it. Numbers of all sides are found by an index.
func init() {
	migrations.Register(func(app core.App) error {
		house, err := app.FindCollectionByNameOrId("institutions")
		if err != nil {
			return err
		}
		house.Fields.Add(fen("refund_alone"))
		if err := app.Save(house); err != nil {
			return err
		}
		refunds, err := app.FindCollectionByNameOrId("payment_refunds")
		if err != nil {
			return err
		}
		refunds.Fields.Add(one("state", "open", "done", "withdrawn", "proposed", "declined"))
		refunds.AddIndex("idx_payment_refunds_proposed", true, "`order`", "state = 'proposed'")
		refunds.AddIndex("idx_payment_refunds_waiting", false, "institution", "state = 'proposed'")
		if err := app.Save(refunds); err != nil {
			return err
		}
		orders, err := app.FindCollectionByNameOrId("payment_orders")
		if err != nil {
			return err
		}
		orders.AddIndex("idx_payment_orders_bill", false, "bill_no", "")
		orders.AddIndex("idx_payment_orders_channel_no", false, "channel_no", "channel_no != ''")
		orders.AddIndex("idx_payment_orders_mix", false, "mix_trade_no", "mix_trade_no != ''")
		return app.Save(orders)
	}, nil)
}
