package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A closed month lets the half of a rematch be carried again whose other half
// has changed.
func init() {
	migrations.Register(func(app core.App) error { return setTriggers(app, collections.ReconTriggers()) }, nil)
}
