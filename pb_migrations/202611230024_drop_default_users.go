package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// PocketBase brings a collection of users in which anybody may register. Here
// people are patients or staff, and nobody registers.
func init() {
	migrations.Register(func(app core.App) error {
		if _, err := app.FindCollectionByNameOrId("users"); err != nil {
			return nil //nolint:nilerr // gone already
		}
		return drop(app, "users")
	}, nil)
}
