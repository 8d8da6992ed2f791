package pb_migrations

import (
	"errors"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// PocketBase brings a collection of users in which anybody may register. Here
// people are patients or staff, and nobody registers.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("users")
		if err != nil {
			return nil //nolint:nilerr // gone already
		}
		n, err := app.CountRecords(c)
		if err != nil {
			return err
		}
		if n > 0 {
			return errors.New("users holds rows")
		}
		return app.Delete(c)
	}, nil)
}
