package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Whether a patient whom no portal sends may come in by what HIS knows of them.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("institutions")
		if err != nil {
			return err
		}
		c.Fields.Add(flag("self_entry"))
		return app.Save(c)
	}, nil)
}
