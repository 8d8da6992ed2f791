package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Receipts and notices are looked up by their order whenever somebody opens it. No
// filter of a list can say the condition of a partial index (PocketBase writes != as
// IS NOT), so that these are whole.
func init() {
	migrations.Register(func(app core.App) error {
		for _, table := range []string{"receipts", "notifications"} {
			c, err := app.FindCollectionByNameOrId(table)
			if err != nil {
				return err
			}
			c.AddIndex("idx_"+table+"_order", false, "`order`", "")
			if err := app.Save(c); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}
