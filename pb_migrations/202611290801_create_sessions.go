package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A session is one login of a patient or of staff. A token names its session and
// is worth nothing once the session is over.
func init() {
	migrations.Register(func(app core.App) error {
		return create(app, base("sessions",
			need("account", 40), mayLink("institution", "institutions"), date("until"), date("seen"), date("ended"), created(),
		))
	}, nil)
}
