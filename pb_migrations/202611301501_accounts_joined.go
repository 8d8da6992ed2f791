package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Accounts of one person in several institutions, joined by who could enter both.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("staff_security")
		if err != nil {
			return err
		}
		c.Fields.Add(hidden("joined"))
		return app.Save(c)
	}, nil)
}
