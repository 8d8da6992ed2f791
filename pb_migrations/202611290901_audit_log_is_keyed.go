package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A row of the audit log names the key of its hash, the order that it is about,
// and the fingerprints of what it has changed. A closed month keeps where the log
// ended when it was closed.
func init() {
	migrations.Register(func(app core.App) error {
		log, err := app.FindCollectionByNameOrId("audit_log")
		if err != nil {
			return err
		}
		log.Fields.Add(text("key", 20), text("order_no", 40), text("before", 64), text("after", 64))
		log.AddIndex("idx_audit_log_order", false, "order_no, seq", "order_no != ''")
		if err := app.Save(log); err != nil {
			return err
		}
		months, err := app.FindCollectionByNameOrId("recon_months")
		if err != nil {
			return err
		}
		months.Fields.Add(count("audit_seq"), text("audit_head", 64))
		return app.Save(months)
	}, nil)
}
