package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// The list of payments is filtered from one index; the days of the statistics and what
// HIS has not taken have theirs.
func init() {
	migrations.Register(func(app core.App) error {
		for _, of := range []struct {
			name   string
			change func(*core.Collection)
		}{
			{"payment_orders", func(c *core.Collection) {
				c.RemoveIndex("idx_payment_orders_created")
				c.AddIndex("idx_payment_orders_list", false, "institution, created, id, channel, kind, insured, status", "")
				c.AddIndex("idx_payment_orders_written", false, "institution, written_at", "written_at != ''")
			}},
			{"payment_refunds", func(c *core.Collection) {
				c.AddIndex("idx_payment_refunds_done", false, "institution, done_at", "state = 'done'")
			}},
			{"payment_calls", func(c *core.Collection) {
				c.AddIndex("idx_payment_calls_charge", false, "institution, state", "kind = 'charge' AND state != 'done'")
				c.AddIndex("idx_payment_calls_uncharge", false, "institution", "kind = 'uncharge'")
			}},
		} {
			c, err := app.FindCollectionByNameOrId(of.name)
			if err != nil {
				return err
			}
			of.change(c)
			if err := app.Save(c); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}
