package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("notifications",
			mayLink("order", "refund_orders"), mayLink("patient", "patients"), need("event", 30), count("round"),
			one("via", "in_app", "wechat", "alipay", "sms", "email"), flag("staff"), text("to", 128), text("title", 60),
			text("body", 1000), hidden("data"), one("state", "queued", "sent", "failed", "skipped"), count("tries"), date("next_at"),
			date("sent_at"), text("provider_id", 100), text("error", 500), created(), updated(), link("institution", "institutions"),
		)
		c.AddIndex("idx_notifications_once", true, "`order`, event, round, via, staff", "`order` != ''")
		c.AddIndex("idx_notifications_due", false, "next_at", "state = 'queued'")
		c.AddIndex("idx_notifications_patient", false, "patient, created", "")
		c.AddIndex("idx_notifications_certificate", false, "institution, provider_id", "event = 'certificate'")
		return create(app, c)
	}, nil)
}
