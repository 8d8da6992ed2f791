package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// What an institution's books need to know of it: the beginnings of its own
// numbers on a shared merchant account, the words of its HIS, and the sign of
// refunds in HIS's list.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("institutions")
		if err != nil {
			return err
		}
		c.Fields.Add(text("recon_prefixes", 200), text("recon_words", 4000), one("recon_his_sign", "auto", "negative", "positive"))
		return app.Save(c)
	}, nil)
}
