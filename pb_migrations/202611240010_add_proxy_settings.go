package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.Institutions)
		if err != nil {
			return err
		}
		c.Fields.Add(flag("proxy_on"), one("proxy_payee", "agent", "principal"), integer("proxy_days", 0, 3650), integer("proxy_photo_days", 0, 3650))
		if err := app.Save(c); err != nil {
			return err
		}
		_, err = app.NonconcurrentDB().Update(collections.Institutions, dbx.Params{"proxy_payee": "agent", "proxy_days": 30, "proxy_photo_days": 30}, nil).Execute()
		return err
	}, nil)
}
