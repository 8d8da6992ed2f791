package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("proxy_applications",
			need("no", 32), one("case", "minor", "elderly", "deceased", "incapacitated"),
			one("relation", "parent", "child", "spouse", "sibling", "guardian", "other"), need("card_no", 64),
			text("principal_name", 60), text("principal_id_no", 40), hidden("principal_name_sealed"),
			hidden("principal_id_no_sealed"), hidden("principal_id_index"), hiddenLink("principal", "patients"),
			text("consent_version", 20), date("consent_at"), one("status", "draft", "submitted", "approved", "rejected", "closed"),
			text("reason_code", 60), text("note", 500), text("reviewer", 15), date("reviewed_at"), date("submitted_at"),
			date("expires_at"), date("closed_at"), date("purged_at"), &core.NumberField{Name: "version", OnlyInt: true, Hidden: true},
			created(), updated(), link("patient", "patients"), link("institution", "institutions"),
		)
		c.AddIndex("idx_proxy_applications_no", true, "no", "")
		c.AddIndex("idx_proxy_applications_patient", false, "patient, created", "")
		c.AddIndex("idx_proxy_applications_principal", false, "principal", "")
		c.AddIndex("idx_proxy_applications_status", false, "institution, status, created", "")
		return create(app, c)
	}, nil)
}
