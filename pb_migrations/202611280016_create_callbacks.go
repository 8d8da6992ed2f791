package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("callbacks",
			one("channel", "wechat", "alipay", "medins"), need("callback_id", 128), text("kind", 20), text("no", 64),
			text("effect", 30), text("body", 4000), created(), link("institution", "institutions"),
		)
		c.AddIndex("idx_callbacks_once", true, "institution, channel, callback_id", "")
		c.AddIndex("idx_callbacks_no", false, "no", "")
		return create(app, c)
	}, nil)
}
