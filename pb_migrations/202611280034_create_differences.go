package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// A difference is one order of one business day. Amounts of a book that lacks the order
// are 0 and its state is empty; …_day is what the day's sum holds.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("differences",
			need("day", 10), need("key", 80), flag("live"), text("order", 15), need("kind", 20), object("also"), text("order_no", 64),
			text("out_bill_no", 64), text("his_refund_no", 64), text("channel", 20), text("method", 20), text("explain", 1000),
			one("sign", "overage", "shortage"), signedFen("amount"), one("state", "open", "proposed", "resolved", "carried"),
			text("verb", 20), text("owner", 15), text("with", 15), text("fingerprint", 64), text("proposed_by", 15), date("opened"),
			date("sla_due"), date("resolved_at"), created(), updated(), signedFen("platform_amount"), text("platform_state", 20),
			date("platform_at"), signedFen("platform_day"), signedFen("channel_amount"), text("channel_state", 20),
			date("channel_at"), signedFen("channel_day"), signedFen("his_amount"), text("his_state", 20), date("his_at"),
			signedFen("his_day"), link("institution", "institutions"),
		)
		c.AddIndex("idx_differences_key", true, "institution, day, key", "")
		c.AddIndex("idx_differences_state", false, "institution, state, day, key", "")
		c.AddIndex("idx_differences_owner", false, "institution, owner, day, key", "")
		c.AddIndex("idx_differences_kind", false, "institution, kind, day, key", "")
		return create(app, c)
	}, nil)
}
