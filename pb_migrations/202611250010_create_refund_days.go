package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Day totals of the refunds, kept by triggers: one row for a Beijing day of
// the debit at HIS, a channel and a method.
func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.RefundDays, need("day", 10), one("channel", "wechat", "alipay"), one("method", "original", "transfer"))
		for _, s := range []string{collections.StandingRefunded, collections.StandingOutstanding, collections.StandingUndone} {
			c.Fields.Add(fen(s+"_amount"), count(s+"_count"))
		}
		if err := links(app, c, map[string]string{"institution": collections.Institutions}); err != nil {
			return err
		}
		c.AddIndex("idx_refund_days_key", true, "institution, day, channel, method", "")
		return app.Save(c)
	}, nil)
}
