package pb_migrations

import (
	"hospay/collections"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// How the staff of an institution log in: with a second factor or not, and how
// long a session may rest (0: the default).
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.Institutions)
		if err != nil {
			return err
		}
		c.Fields.Add(one("second_factor", "off", store.SecondFactorTOTP), integer("idle_minutes", 0, 480))
		return app.Save(c)
	}, nil)
}
