package pb_migrations

import (
	"hospay/collections"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		principal, err := link(app, "principal", collections.Patients, true)
		if err != nil {
			return err
		}
		principal.Hidden = true
		c := base(collections.ProxyApplications,
			need("no", 32), one("case", texts(refund.ProxyCases())...), one("relation", texts(refund.ProxyRelations())...),
			need("card_no", 64), text("principal_name", 60), text("principal_id_no", 40), // masked
			hidden("principal_name_sealed"), hidden("principal_id_no_sealed"), hidden("principal_id_index"), principal,
			text("consent_version", 20), date("consent_at"), one("status", texts(refund.ProxyStatuses())...), text("reason_code", 60), text("note", 500),
			text("reviewer", 15), date("reviewed_at"), date("submitted_at"), date("expires_at"), date("closed_at"), date("purged_at"),
			&core.NumberField{Name: "version", OnlyInt: true, Hidden: true}, created(), updated(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions, "patient": collections.Patients}); err != nil {
			return err
		}
		c.AddIndex("idx_proxy_applications_no", true, "no", "")
		c.AddIndex("idx_proxy_applications_patient", false, "patient, created", "")
		c.AddIndex("idx_proxy_applications_principal", false, "principal", "")
		c.AddIndex("idx_proxy_applications_status", false, "institution, status, created", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.ProxyApplications) })
}

// texts lists named values as select values.
func texts[T ~string](values []T) []string {
	var out []string
	for _, v := range values {
		out = append(out, string(v))
	}
	return out
}
