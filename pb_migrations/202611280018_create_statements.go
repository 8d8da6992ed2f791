package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A bill of a day, with its versions and what was read in it.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("statements",
			one("source", "wechat", "alipay", "his"), need("kind", 30), need("day", 10),
			one("state", "waiting", "ready", "empty", "missing", "refused"),
			&core.FileField{Name: "file", MaxSelect: 1, MaxSize: 1 << 30, Protected: true}, text("sha256", 64),
			text("told_digest", 100), integer("size", 0, 1<<40), count("tries"), date("next_at"), text("message", 500), created(),
			updated(), link("institution", "institutions"), count("version"), flag("superseded"), text("name", 200), text("form", 60),
			count("lines"), count("rejects"), fen("amount"), text("refusal", 500), text("by", 15), flag("late"),
		)
		c.AddIndex("idx_statements_current", true, "institution, source, kind, day", "superseded = FALSE")
		c.AddIndex("idx_statements_days", false, "institution, day, source, kind, version", "")
		c.AddIndex("idx_statements_due", false, "next_at", "next_at != ''")
		return create(app, c)
	}, nil)
}
