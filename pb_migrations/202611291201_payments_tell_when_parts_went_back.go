package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A refund of a payment names the numbers under which its parts went back, and
// whether HIS has made it itself. The bill of a day is read by the times at which
// parts moved.
func init() {
	migrations.Register(func(app core.App) error {
		refunds, err := app.FindCollectionByNameOrId("payment_refunds")
		if err != nil {
			return err
		}
		refunds.Fields.Add(date("his_refund_at"), flag("told"), text("cash_no", 64), date("cash_at"), text("insurance_no", 64))
		refunds.AddIndex("idx_payment_refunds_cash", false, "institution, cash_at", "cash_at != ''")
		if err := app.Save(refunds); err != nil {
			return err
		}
		orders, err := app.FindCollectionByNameOrId("payment_orders")
		if err != nil {
			return err
		}
		orders.Fields.Add(date("insurance_back_at"), date("cash_gone_at"))
		orders.AddIndex("idx_payment_orders_settled", false, "institution, settled_at", "settled_at != ''")
		orders.AddIndex("idx_payment_orders_ins_back", false, "institution, insurance_back_at", "insurance_back_at != ''")
		orders.AddIndex("idx_payment_orders_cash_gone", false, "institution, cash_gone_at", "cash_gone_at != ''")
		return app.Save(orders)
	}, nil)
}
