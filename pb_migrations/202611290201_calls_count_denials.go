package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A call counts how often in a row it was answered in the same words that prove
// nothing. Foreign numbers are looked up, to find one that was given twice, and so
// are ends that a channel has contradicted.
func init() {
	migrations.Register(func(app core.App) error {
		for name, change := range map[string]func(*core.Collection){
			"his_calls": func(c *core.Collection) {
				c.Fields.Add(count("denied"))
				c.AddIndex("idx_his_calls_theirs", false, "institution, his_no", "his_no != ''")
			},
			"transfer_orders": func(c *core.Collection) {
				c.Fields.Add(count("denied"))
				c.AddIndex("idx_transfer_orders_theirs", false, "institution, channel_no", "channel_no != ''")
			},
			"refund_events": func(c *core.Collection) {
				c.AddIndex("idx_refund_events_contradiction", false, "`order`, seq", "event = 'callback.contradiction'")
			},
		} {
			c, err := app.FindCollectionByNameOrId(name)
			if err != nil {
				return err
			}
			change(c)
			if err := app.Save(c); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}
