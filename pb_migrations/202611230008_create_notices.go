package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.Notices,
			need("version", 20), need("title", 100), &core.EditorField{Name: "content", MaxSize: 200_000, Required: true},
			flag("active"), created(), updated(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_notices_version", true, "institution, version", "")
		c.AddIndex("idx_notices_active", true, "institution", "active = TRUE")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.Notices) })
}
