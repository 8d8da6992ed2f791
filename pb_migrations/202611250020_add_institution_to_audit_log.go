package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Auditors read the rows of their own institution. Rows from before have none
// and are for superusers.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.AuditLog)
		if err != nil {
			return err
		}
		institution, err := link(app, "institution", collections.Institutions, false)
		if err != nil {
			return err
		}
		c.Fields.Add(institution)
		c.AddIndex("idx_audit_log_institution", false, "institution, created", "")
		setRules(c)
		return app.Save(c)
	}, nil)
}
