package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// What the login keeps of a staff account.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("staff_security",
			hidden("totp_sealed"), flag("totp_on"), &core.NumberField{Name: "last_step", OnlyInt: true, Hidden: true},
			&core.JSONField{Name: "recovery", MaxSize: 5000, Hidden: true}, count("failures"), date("failed_at"),
			date("locked_until"), date("last_seen"), created(), updated(), link("staff", "staff"),
			link("institution", "institutions"),
		)
		c.AddIndex("idx_staff_security_staff", true, "staff", "")
		return create(app, c)
	}, nil)
}
