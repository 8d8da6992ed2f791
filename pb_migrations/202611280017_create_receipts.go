package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base("receipts",
			mayLink("patient", "patients"), need("out_bill_no", 32), one("state", "waiting", "generating", "ready", "failed"),
			hidden("token"),
			&core.FileField{Name: "file", MaxSelect: 1, MaxSize: 5 << 20, MimeTypes: []string{"application/pdf"}, Protected: true},
			text("sha256", 64), count("tries"), date("next_at"), text("message", 500), created(), updated(),
			link("order", "refund_orders"), link("institution", "institutions"),
		)
		c.AddIndex("idx_receipts_no", true, "out_bill_no", "")
		c.AddIndex("idx_receipts_due", false, "next_at", "state != 'ready' AND state != 'failed'")
		return create(app, c)
	}, nil)
}
