package pb_migrations

import (
	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

func init() {
	migrations.Register(func(app core.App) error {
		c := base(collections.RefundOrders,
			need("no", 32), need("card_no", 64), text("deposit_no", 64), fen("amount"),
			one("method", "original", "transfer"), one("channel", "wechat", "alipay"),
			one("status", statusNames()...), &core.TextField{Name: "group", Max: 15, Pattern: "^[a-z0-9]*$"}, count("group_seq"),
			text("notify_phone", 40), text("payee_name", 60), text("payee_account", 128), // masked
			hidden("notify_phone_sealed"), hidden("payee_name_sealed"), hidden("payee_account_sealed"),
			hidden("payee_type"), hidden("payee_index"), &core.JSONField{Name: "original", MaxSize: 2000, Hidden: true},
			text("notice_version", 20), text("proxy_application", 15), text("compensates", 15),
			one("review_mode", "auto", "manual"), one("debit_at", "application", "approval"),
			text("his_refund_no", 64), date("his_refund_date"), text("channel_bill_no", 64), date("paid_at"),
			text("fail_code", 100), text("fail_reason", 500),
			hidden("target"), hidden("suspended_from"), &core.NumberField{Name: "version", OnlyInt: true, Hidden: true},
			&core.NumberField{Name: "tries", OnlyInt: true, Hidden: true}, hiddenDate("open_since"), hiddenDate("next_at"), hiddenDate("lease_until"), hidden("lease_owner"),
			flag("cancel_asked"), created(), updated(),
		)
		if err := links(app, c, map[string]string{"institution": collections.Institutions, "patient": collections.Patients}); err != nil {
			return err
		}
		c.AddIndex("idx_refund_orders_no", true, "no", "")
		c.AddIndex("idx_refund_orders_active_card", true, "institution, card_no, group_seq", "compensates = '' AND "+notFinal())
		c.AddIndex("idx_refund_orders_compensates", true, "compensates", "compensates != ''")
		c.AddIndex("idx_refund_orders_due", false, "next_at", "next_at != ''")
		c.AddIndex("idx_refund_orders_patient", false, "patient, created", "")
		c.AddIndex("idx_refund_orders_status", false, "institution, status, created", "")
		c.AddIndex("idx_refund_orders_created", false, "institution, created", "")
		c.AddIndex("idx_refund_orders_his_date", false, "institution, his_refund_date, channel, method", "")
		c.AddIndex("idx_refund_orders_payee", false, "payee_index, card_no", "payee_index != ''")
		return app.Save(c)
	}, func(app core.App) error { return drop(app, collections.RefundOrders) })
}
