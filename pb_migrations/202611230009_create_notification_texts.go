package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.NotificationTexts,
			one("event", "succeeded", "rejected", "failed", "awaiting_payee", "returned", "hold", "suspense"),
			need("title", 60), need("body", 1000), flag("sms"),
			text("wechat_template", 100), text("alipay_template", 100), object("keywords"),
			created(), updated(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_notification_texts", true, "institution, event", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.NotificationTexts) })
}
