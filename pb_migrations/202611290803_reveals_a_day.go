package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// How many personal fields a person of the staff may look at in a day; 0 is the
// program's own number. Looks are rows of the audit log and counted by who looked.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("institutions")
		if err != nil {
			return err
		}
		c.Fields.Add(integer("reveals_a_day", 0, 100_000))
		if err := app.Save(c); err != nil {
			return err
		}
		log, err := app.FindCollectionByNameOrId("audit_log")
		if err != nil {
			return err
		}
		log.AddIndex("idx_audit_log_actor", false, "actor, created", "")
		return app.Save(log)
	}, nil)
}
