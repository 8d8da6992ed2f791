package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A notice may be about a payment, and institutions word what is told of it.
func init() {
	migrations.Register(func(app core.App) error {
		payments, err := app.FindCollectionByNameOrId("payment_orders")
		if err != nil {
			return err
		}
		notices, err := app.FindCollectionByNameOrId("notifications")
		if err != nil {
			return err
		}
		notices.Fields.Add(mayLink("payment", payments.Id))
		notices.AddIndex("idx_notifications_payment", true, "payment, event, round, via, staff", "payment != ''")
		if err := app.Save(notices); err != nil {
			return err
		}
		texts, err := app.FindCollectionByNameOrId("notification_texts")
		if err != nil {
			return err
		}
		events, ok := texts.Fields.GetByName("event").(*core.SelectField)
		if !ok {
			return fmt.Errorf("notification_texts.event is no select")
		}
		events.Values = append(events.Values, "payment_registered", "payment_paid", "payment_received", "payment_ended", "payment_refunded",
			"payment_part_refunded", "payment_refund_auth", "payment_hold", "payment_suspense")
		return app.Save(texts)
	}, nil)
}
