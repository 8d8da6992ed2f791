package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A person is told when an account registers as them.
func init() {
	migrations.Register(func(app core.App) error {
		texts, err := app.FindCollectionByNameOrId("notification_texts")
		if err != nil {
			return err
		}
		events, ok := texts.Fields.GetByName("event").(*core.SelectField)
		if !ok {
			return fmt.Errorf("notification_texts.event is no select")
		}
		events.Values = append(events.Values, "entered")
		return app.Save(texts)
	}, nil)
}
