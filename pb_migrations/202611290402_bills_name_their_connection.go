package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A day on which calls went through two merchants, or two HIS, has the bills of
// both. Empty stands for the connection that was in force at the day's end.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("statements")
		if err != nil {
			return err
		}
		c.Fields.Add(text("connection", 15))
		c.RemoveIndex("idx_statements_current")
		c.AddIndex("idx_statements_current", true, "institution, source, kind, day, connection", "superseded = FALSE")
		return app.Save(c)
	}, nil)
}
