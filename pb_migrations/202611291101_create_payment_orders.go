package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// An order is the payment of one bill by one patient through one channel. The states of
// its select are those of the machine; the guards hold its moves. Names are masks; what
// only the calls need is sealed and goes with the end of the order.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("payment_orders",
			need("no", 32), one("kind", "registration", "outpatient"), need("bill_no", 64), need("card_no", 64), text("title", 128),
			one("channel", "wechat", "alipay"), one("terminal", "h5", "mini", "kiosk"), flag("insured"), text("area", 12),
			text("insutype", 10), text("med_type", 10), fen("total"), fen("fund"), fen("account"), fen("account_own"), fen("account_family"),
			fen("cash"), fen("other"), fen("hospital_part"), fen("deposit"), fen("delivery"), fen("cash_added"), fen("cash_reduced"),
			fen("cash_back"),
			one("status", "created", "identified", "uploading", "priced", "opening", "paying", "settled", "writing", "done", "undoing",
				"reversing", "refunding", "refund_wait_auth", "part_refunded", "suspense", "cancelled", "expired", "refunded"),
			one("insurance_state", "open", "uploaded", "priced", "settled", "failed", "undone", "refunded"),
			one("cash_state", "open", "paid", "closed", "part_refunded", "refunded"),
			text("patient_name", 60), text("payer_name", 60), text("pay_ord_id", 64), text("med_org_ord", 20), text("charge_batch", 30),
			hidden("mdtrt_id"), hidden("fee_type"), text("out_trade_no", 32), text("mix_trade_no", 64), text("channel_no", 64), text("setl_id", 64),
			text("receipt_no", 64), text("guide", 300), date("paid_at"), date("settled_at"), date("written_at"), date("expires_at"),
			text("fail_code", 100), text("fail_reason", 500), hidden("target"), hidden("suspended_from"), hidden("back_kind"),
			&core.DateField{Name: "back_at", Hidden: true}, flag("cancel_wish"), &core.BoolField{Name: "give_back", Hidden: true},
			&core.TextField{Name: "secrets_sealed", Max: 20000, Hidden: true}, &core.TextField{Name: "settlement_sealed", Max: 200000, Hidden: true},
			&core.NumberField{Name: "version", OnlyInt: true, Hidden: true},
			&core.NumberField{Name: "tries", OnlyInt: true, Hidden: true}, &core.DateField{Name: "open_since", Hidden: true},
			&core.DateField{Name: "next_at", Hidden: true}, &core.DateField{Name: "lease_until", Hidden: true}, hidden("lease_owner"),
			created(), updated(), link("patient", "patients"), link("institution", "institutions"),
		)
		c.AddIndex("idx_payment_orders_no", true, "no", "")
		c.AddIndex("idx_payment_orders_open_bill", true, "institution, bill_no",
			"status != 'cancelled' AND status != 'expired' AND status != 'refunded'")
		c.AddIndex("idx_payment_orders_due", false, "next_at", "next_at != ''")
		c.AddIndex("idx_payment_orders_patient", false, "patient, created", "")
		c.AddIndex("idx_payment_orders_status", false, "institution, status, created", "")
		c.AddIndex("idx_payment_orders_created", false, "institution, created", "")
		c.AddIndex("idx_payment_orders_paid", false, "institution, paid_at, channel", "paid_at != ''")
		c.AddIndex("idx_payment_orders_trade", false, "out_trade_no", "out_trade_no != ''")
		c.AddIndex("idx_payment_orders_med", false, "med_org_ord", "med_org_ord != ''")
		c.AddIndex("idx_payment_orders_pay_ord", false, "pay_ord_id", "pay_ord_id != ''")
		c.AddIndex("idx_payment_orders_setl", false, "setl_id", "setl_id != ''")
		c.AddIndex("idx_payment_orders_receipt", false, "receipt_no", "receipt_no != ''")
		c.AddIndex("idx_payment_orders_card", false, "institution, card_no, created", "")
		return create(app, c)
	}, nil)
}
