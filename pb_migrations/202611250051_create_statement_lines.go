package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// statement_lines holds the lines of a bill that could not be read, with number
// and reason. All other lines are in the file, which is kept.
func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.StatementLines, count("line"), text("reason", 300), created())
		if err := links(app, c, map[string]string{"institution": collections.Institutions, "statement": collections.Statements}); err != nil {
			return err
		}
		c.AddIndex("idx_statement_lines_of", false, "statement, line", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.StatementLines) })
}
