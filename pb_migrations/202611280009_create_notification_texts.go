package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("notification_texts",
			one("event", "succeeded", "rejected", "failed", "awaiting_payee", "returned", "hold", "suspense",
				"proxy_approved", "proxy_rejected", "paid_by_hand"),
			need("title", 60), need("body", 1000), flag("sms"), text("wechat_template", 100), text("alipay_template", 100),
			object("keywords"), created(), updated(), link("institution", "institutions"),
		)
		c.AddIndex("idx_notification_texts", true, "institution, event", "")
		return create(app, c)
	}, nil)
}
