package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(collections.NotificationTexts)
		if err != nil {
			return err
		}
		event := c.Fields.GetByName("event").(*core.SelectField)
		event.Values = append(event.Values, "paid_by_hand")
		return app.Save(c)
	}, nil)
}
