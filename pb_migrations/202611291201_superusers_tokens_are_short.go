package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A superuser's token is worth nothing two hours after it was made or renewed.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(core.CollectionNameSuperusers)
		if err != nil {
			return err
		}
		c.AuthToken.Duration = 2 * 60 * 60
		return app.Save(c)
	}, nil)
}
