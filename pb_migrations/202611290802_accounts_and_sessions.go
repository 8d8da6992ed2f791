package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Patients stay for two hours. Whoever has enrolled a second factor is asked for
// it, whatever the institution demands. An ID number entered in the dashboard
// becomes the index of a person. What rests is the session, no longer the account.
func init() {
	migrations.Register(func(app core.App) error {
		patients, err := app.FindCollectionByNameOrId("patients")
		if err != nil {
			return err
		}
		patients.AuthToken.Duration = 2 * 3600
		if err := app.Save(patients); err != nil {
			return err
		}
		security, err := app.FindCollectionByNameOrId("staff_security")
		if err != nil {
			return err
		}
		security.Fields.RemoveByName("last_seen")
		if err := app.Save(security); err != nil {
			return err
		}
		staff, err := app.FindCollectionByNameOrId("staff")
		if err != nil {
			return err
		}
		staff.MFA.Rule = `institution.second_factor = "totp" || staff_security_via_staff.totp_on ?= true`
		staff.Fields.Add(&core.TextField{Name: "id_no_input", Max: 40, Hidden: true,
			Help: "身份证号：保存后只留下不可逆的指纹；没有登记的账号不能参与需要两个人的操作"})
		return app.Save(staff)
	}, nil)
}
