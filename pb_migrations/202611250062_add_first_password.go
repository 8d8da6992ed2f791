package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A password that somebody else has seen is good for one thing: to choose
// another one.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.Staff)
		if err != nil {
			return err
		}
		c.Fields.Add(&core.BoolField{Name: "first_password", Hidden: true})
		return app.Save(c)
	}, nil)
}
