package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Patients come by a ticket of the hospital's portal or by a channel's login; they have
// no password. What is sealed is also shown as a mask, and found by a blind index.
func init() {
	migrations.Register(func(app core.App) error {
		c := core.NewAuthCollection("patients")
		c.PasswordAuth.Enabled = false
		c.AuthToken.Duration = 12 * 3600
		c.AuthAlert.Enabled = false
		c.Fields.GetByName("email").(*core.EmailField).Required = false
		c.Fields.Add(
			link("institution", "institutions"), need("patient_no", 64), text("name", 60), text("id_type", 4), text("id_no", 40),
			text("phone", 40), hidden("name_sealed"), hidden("id_no_sealed"), hidden("id_index"), hidden("phone_sealed"),
			hidden("wechat_openid_sealed"), hidden("wechat_index"), flag("wechat_bound"), hidden("alipay_id_sealed"),
			hidden("alipay_id_type"), hidden("alipay_index"), flag("alipay_bound"), one("via", "wechat", "alipay"), created(),
			updated(),
		)
		c.AddIndex("idx_patients_no", true, "institution, patient_no", "")
		c.AddIndex("idx_patients_id", false, "institution, id_index", "")
		c.AddIndex("idx_patients_wechat", true, "institution, wechat_index", "wechat_index != ''")
		c.AddIndex("idx_patients_alipay", true, "institution, alipay_index", "alipay_index != ''")
		return create(app, c)
	}, nil)
}
