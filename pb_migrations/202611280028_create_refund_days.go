package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Day totals of the refunds, kept by triggers: one row for a Beijing day of the debit at
// HIS, a channel and a method.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("refund_days",
			need("day", 10), one("channel", "wechat", "alipay"), one("method", "original", "transfer"), fen("refunded_amount"),
			count("refunded_count"), fen("outstanding_amount"), count("outstanding_count"), fen("undone_amount"),
			count("undone_count"), link("institution", "institutions"),
		)
		c.AddIndex("idx_refund_days_key", true, "institution, day, channel, method", "")
		return create(app, c)
	}, nil)
}
