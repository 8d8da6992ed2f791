package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Bills get what was read in them, versions, and the states of a day whose bill
// is there, empty, missing or refused.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.Statements)
		if err != nil {
			return err
		}
		if _, err := app.NonconcurrentDB().NewQuery("UPDATE statements SET state = 'missing' WHERE state = 'failed'").Execute(); err != nil {
			return err
		}
		c.Fields.GetByName("state").(*core.SelectField).Values = []string{"waiting", "ready", "empty", "missing", "refused"}
		c.Fields.GetByName("size").(*core.NumberField).Max = types.Pointer(float64(1 << 40))
		c.Fields.Add(count("version"), flag("superseded"),
			text("name", 200), text("form", 60), count("lines"), count("rejects"), fen("amount"), text("refusal", 500), text("by", 15), flag("late"))
		c.RemoveIndex("idx_statements_day")
		c.AddIndex("idx_statements_current", true, "institution, source, kind, day", "superseded = FALSE")
		c.AddIndex("idx_statements_days", false, "institution, day, source, kind, version", "")
		c.AddIndex("idx_statements_due", false, "next_at", "next_at != ''")
		return app.Save(c)
	}, nil)
}
