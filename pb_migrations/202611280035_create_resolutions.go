package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("resolutions",
			one("act", "propose", "confirm", "withdraw", "resolve", "assign", "auto", "changed", "reopen", "carry"), text("verb", 20),
			text("reason", 500), text("by", 15), hidden("person"), text("with", 15), object("before"), object("after"), created(),
			link("institution", "institutions"), link("difference", "differences"),
		)
		c.AddIndex("idx_resolutions_of", false, "difference, created", "")
		return create(app, c)
	}, nil)
}
