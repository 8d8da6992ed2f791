package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := core.NewAuthCollection(collections.Patients)
		setRules(c)
		c.PasswordAuth.Enabled = false // patients come by ticket or channel login only
		c.AuthToken.Duration = 12 * 3600
		c.AuthAlert.Enabled = false
		c.Fields.GetByName(core.FieldNameEmail).(*core.EmailField).Required = false
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.Fields.Add(
			need("patient_no", 64), text("name", 60), text("id_type", 4), text("id_no", 40), text("phone", 40), // masked
			hidden("name_sealed"), hidden("id_no_sealed"), hidden("id_index"), hidden("phone_sealed"),
			hidden("wechat_openid_sealed"), hidden("wechat_index"), flag("wechat_bound"),
			hidden("alipay_id_sealed"), hidden("alipay_id_type"), hidden("alipay_index"), flag("alipay_bound"),
			one("via", "wechat", "alipay"), created(), updated(),
		)
		c.AddIndex("idx_patients_no", true, "institution, patient_no", "")
		c.AddIndex("idx_patients_id", false, "institution, id_index", "")
		c.AddIndex("idx_patients_wechat", true, "institution, wechat_index", "wechat_index != ''")
		c.AddIndex("idx_patients_alipay", true, "institution, alipay_index", "alipay_index != ''")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.Patients) })
}
