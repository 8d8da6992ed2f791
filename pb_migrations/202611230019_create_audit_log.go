package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.AuditLog,
			count("seq"), text("actor_kind", 20), text("actor", 40), need("action", 60), text("target", 100), object("details"),
			text("address", 60), text("prev_hash", 64), text("hash", 64), created(),
		)
		c.ListRule, c.ViewRule = nil, nil // the rule names a column that a later migration adds
		c.AddIndex("idx_audit_log_seq", true, "seq", "")
		c.AddIndex("idx_audit_log_target", false, "target, created", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.AuditLog) })
}
