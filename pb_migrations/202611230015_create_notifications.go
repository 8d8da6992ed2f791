package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		order, err := link(app, "order", collections.RefundOrders, false)
		if err != nil {
			return err
		}
		patient, err := link(app, "patient", collections.Patients, false)
		if err != nil {
			return err
		}
		c := base(collections.Notifications,
			order, patient, need("event", 30), count("round"), one("via", "in_app", "wechat", "alipay", "sms", "email"),
			flag("staff"), text("to", 128), text("title", 60), text("body", 1000), hidden("data"),
			one("state", "queued", "sent", "failed", "skipped"), count("tries"), date("next_at"), date("sent_at"),
			text("provider_id", 100), text("error", 500), created(), updated(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_notifications_once", true, "`order`, event, round, via, staff", "`order` != ''")
		c.AddIndex("idx_notifications_due", false, "next_at", "state = 'queued'")
		c.AddIndex("idx_notifications_patient", false, "patient, created", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.Notifications) })
}
