package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		patient, err := link(app, "patient", collections.Patients, false)
		if err != nil {
			return err
		}
		c := base(collections.Receipts,
			patient, need("out_bill_no", 32), one("state", "waiting", "generating", "ready", "failed"), hidden("token"),
			&core.FileField{Name: "file", MaxSelect: 1, MaxSize: 5 << 20, MimeTypes: []string{"application/pdf"}, Protected: true},
			text("sha256", 64), count("tries"), date("next_at"), text("message", 500), created(), updated(),
		)
		if err := links(app, c, map[string]string{"order": collections.RefundOrders, "institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_receipts_no", true, "out_bill_no", "")
		c.AddIndex("idx_receipts_due", false, "next_at", "state != 'ready' AND state != 'failed'")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.Receipts) })
}
