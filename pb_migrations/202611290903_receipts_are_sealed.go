package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A receipt lies sealed: what is stored is no PDF, and a little larger.
func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId("receipts")
		if err != nil {
			return err
		}
		file := c.Fields.GetByName("file").(*core.FileField)
		file.MimeTypes, file.MaxSize = nil, 6<<20
		return app.Save(c)
	}, nil)
}
