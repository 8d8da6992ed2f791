package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("channel_configs",
			one("channel", "wechat", "alipay"), flag("active"), need("merchant_id", 64), need("app_id", 64), text("api_base", 300),
			text("notify_base", 300), object("settings"),
			&core.TextField{Name: "secrets_input", Max: 60000, Hidden: true}, // write-only: sealed and emptied on save
			&core.TextField{Name: "secrets_sealed", Max: 120000, Hidden: true}, text("secrets_held", 500), created(), updated(),
			link("institution", "institutions"),
		)
		c.AddIndex("idx_channel_configs", true, "institution, channel", "")
		return create(app, c)
	}, nil)
}
