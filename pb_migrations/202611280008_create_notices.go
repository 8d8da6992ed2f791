package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A notice is the refund notice (退款须知) or the consent text of proxies (授权与隐私告知);
// there is one of each kind in force.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("notices",
			need("version", 20), need("title", 100), &core.EditorField{Name: "content", MaxSize: 200000, Required: true},
			flag("active"), created(), updated(), link("institution", "institutions"), one("kind", "refund", "proxy"),
		)
		c.AddIndex("idx_notices_version", true, "institution, kind, version", "")
		c.AddIndex("idx_notices_active", true, "institution, kind", "active = TRUE")
		return create(app, c)
	}, nil)
}
