package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.Notifications)
		if err != nil {
			return err
		}
		setRules(c)
		return app.Save(c)
	}, nil)
}
