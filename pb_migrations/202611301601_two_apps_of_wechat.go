package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A patient may have two accounts at WeChat, in the official account and in the
// mini program, which the unionid joins where WeChat tells it.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("patients")
		if err != nil {
			return err
		}
		sealed, index := hidden("mini_openid_sealed"), hidden("mini_index")
		union, last := hidden("union_index"), hidden("wechat_app")
		sealed.Help, index.Help = "密文：系统写入，不要修改", "查找用的指纹：系统写入，不可逆"
		union.Help, last.Help = "查找用的指纹：系统写入，不可逆", "最近一次从公众号（空）还是小程序（mini）进入：系统写入"
		c.Fields.Add(sealed, index, union, last)
		c.AddIndex("idx_patients_mini", true, "institution, mini_index", "mini_index != ''")
		c.AddIndex("idx_patients_union", true, "institution, union_index", "union_index != ''")
		return app.Save(c)
	}, nil)
}
