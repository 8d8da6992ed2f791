package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Auditors read the rows of their own institution; rows without one are for superusers.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("audit_log",
			count("seq"), text("actor_kind", 20), text("actor", 40), need("action", 60), text("target", 100), object("details"),
			text("address", 60), text("prev_hash", 64), text("hash", 64), created(), mayLink("institution", "institutions"),
		)
		c.AddIndex("idx_audit_log_seq", true, "seq", "")
		c.AddIndex("idx_audit_log_target", false, "target, created", "")
		c.AddIndex("idx_audit_log_institution", false, "institution, created", "")
		return create(app, c)
	}, nil)
}
