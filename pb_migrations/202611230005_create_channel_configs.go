package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.ChannelConfigs,
			one("channel", "wechat", "alipay"), flag("active"), need("merchant_id", 64), need("app_id", 64),
			text("api_base", 300), text("notify_base", 300), object("settings"),
			&core.TextField{Name: "secrets_input", Max: 60000, Hidden: true}, // write-only: sealed and emptied on save
			hidden("secrets_sealed"), text("secrets_held", 500), created(), updated(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.Fields.GetByName("secrets_sealed").(*core.TextField).Max = 120000
		c.AddIndex("idx_channel_configs", true, "institution, channel", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.ChannelConfigs) })
}
