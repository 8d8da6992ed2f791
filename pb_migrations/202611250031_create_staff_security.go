package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.StaffSecurity,
			hidden("totp_sealed"), flag("totp_on"), &core.NumberField{Name: "last_step", OnlyInt: true, Hidden: true},
			&core.JSONField{Name: "recovery", MaxSize: 5000, Hidden: true}, count("failures"), date("failed_at"), date("locked_until"), date("last_seen"), created(), updated(),
		)
		if err := links(app, c, map[string]string{"staff": collections.Staff, "institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_staff_security_staff", true, "staff", "")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.StaffSecurity) })
}
