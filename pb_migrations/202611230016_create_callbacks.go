package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.Callbacks,
			one("channel", "wechat", "alipay", "medins"), need("callback_id", 128), text("kind", 20), text("no", 64),
			text("effect", 30), text("body", 4000), created(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_callbacks_once", true, "institution, channel, callback_id", "")
		c.AddIndex("idx_callbacks_no", false, "no", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.Callbacks) })
}
