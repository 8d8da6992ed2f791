package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// An order is one card, one amount, one method, one channel. The states of its select are
// those of the machine; the guards hold its moves. Phone, name and account are masks, with
// their sealed values beside them.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("refund_orders",
			need("no", 32), need("card_no", 64), text("deposit_no", 64), fen("amount"), one("method", "original", "transfer"),
			one("channel", "wechat", "alipay"),
			one("status", "submitted", "debiting", "reviewing", "approved", "paying", "awaiting_payee", "reversing",
				"suspense", "succeeded", "refused", "rejected", "cancelled", "failed"),
			&core.TextField{Name: "group", Max: 15, Pattern: "^[a-z0-9]*$"}, count("group_seq"), text("notify_phone", 40),
			text("payee_name", 60), text("payee_account", 128), hidden("notify_phone_sealed"), hidden("payee_name_sealed"),
			hidden("payee_account_sealed"), hidden("payee_type"), hidden("payee_index"),
			&core.JSONField{Name: "original", MaxSize: 2000, Hidden: true}, text("notice_version", 20), text("proxy_application", 15),
			text("compensates", 15), one("review_mode", "auto", "manual"), one("debit_at", "application", "approval"),
			text("his_refund_no", 64), date("his_refund_date"), text("channel_bill_no", 64), date("paid_at"), text("fail_code", 100),
			text("fail_reason", 500), hidden("target"), hidden("suspended_from"),
			&core.NumberField{Name: "version", OnlyInt: true, Hidden: true},
			&core.NumberField{Name: "tries", OnlyInt: true, Hidden: true}, &core.DateField{Name: "open_since", Hidden: true},
			&core.DateField{Name: "next_at", Hidden: true}, &core.DateField{Name: "lease_until", Hidden: true}, hidden("lease_owner"),
			flag("cancel_asked"), created(), updated(), link("patient", "patients"), link("institution", "institutions"),
			one("stage", "first", "second"),
		)
		c.AddIndex("idx_refund_orders_no", true, "no", "")
		c.AddIndex("idx_refund_orders_active_card", true, "institution, card_no, group_seq",
			"compensates = '' AND status != 'succeeded' AND status != 'refused' "+
				"AND status != 'rejected' AND status != 'cancelled' AND status != 'failed'")
		c.AddIndex("idx_refund_orders_compensates", true, "compensates", "compensates != ''")
		c.AddIndex("idx_refund_orders_due", false, "next_at", "next_at != ''")
		c.AddIndex("idx_refund_orders_patient", false, "patient, created", "")
		c.AddIndex("idx_refund_orders_status", false, "institution, status, created", "")
		c.AddIndex("idx_refund_orders_created", false, "institution, created", "")
		c.AddIndex("idx_refund_orders_his_date", false, "institution, his_refund_date, channel, method", "")
		c.AddIndex("idx_refund_orders_payee", false, "payee_index, card_no", "payee_index != ''")
		c.AddIndex("idx_refund_orders_card", false, "institution, card_no, created", "")
		c.AddIndex("idx_refund_orders_proxy", false, "proxy_application, created", "proxy_application != ''")
		c.AddIndex("idx_refund_orders_open", false, "institution, created",
			"(status = 'suspense' OR (open_since != '' AND status != 'awaiting_payee'))")
		c.AddIndex("idx_refund_orders_his_no", false, "his_refund_no", "his_refund_no != ''")
		c.AddIndex("idx_refund_orders_channel_no", false, "channel_bill_no", "channel_bill_no != ''")
		c.AddIndex("idx_refund_orders_paid", false, "institution, paid_at, channel", "paid_at != ''")
		c.AddIndex("idx_refund_orders_channel", false, "institution, channel, his_refund_date, paid_at", "")
		return create(app, c)
	}, nil)
}
