package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// The lines of a bill that could not be read, with number and reason. All other lines are
// in the file, which is kept.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("statement_lines",
			count("line"), text("reason", 300), created(), link("statement", "statements"), link("institution", "institutions"),
		)
		c.AddIndex("idx_statement_lines_of", false, "statement, line", "")
		return create(app, c)
	}, nil)
}
