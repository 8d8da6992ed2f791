package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.Statements,
			one("source", "wechat", "alipay", "his"), need("kind", 30), need("day", 10), one("state", "waiting", "ready", "empty", "failed"),
			&core.FileField{Name: "file", MaxSelect: 1, MaxSize: 1 << 30, Protected: true},
			text("sha256", 64), text("told_digest", 100), count("size"), count("tries"), date("next_at"), text("message", 500), created(), updated(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_statements_day", true, "institution, source, kind, day", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.Statements) })
}
