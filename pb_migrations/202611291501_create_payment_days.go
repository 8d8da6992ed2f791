package pb_migrations

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/migrations"
)

// Day totals of the payments, kept by triggers: one row for a Beijing day, a channel,
// a kind and whether the insurance takes part. A bill counts on the day on which HIS
// took it, a refund on the day on which it was done. What there is already is counted
// here.
func init() {
	migrations.Register(func(app core.App) error {
		c := base("payment_days",
			need("day", 10), one("channel", "wechat", "alipay"), one("kind", "registration", "outpatient"), flag("insured"),
			count("paid_count"), fen("paid_total"), fen("paid_fund"), fen("paid_account"), fen("paid_family"), fen("paid_cash"),
			fen("paid_other"), count("back_count"), fen("back_fund"), fen("back_account"), fen("back_cash"),
			link("institution", "institutions"),
		)
		c.AddIndex("idx_payment_days_key", true, "institution, day, channel, kind, insured", "")
		if err := create(app, c); err != nil {
			return err
		}
		_, err := app.DB().NewQuery(paymentDaysOfOld).Execute()
		return err
	}, nil)
}

const paymentDaysOfOld = "INSERT INTO payment_days (id, institution, day, channel, kind, insured, paid_count, paid_total, paid_fund, " +
	"paid_account, paid_family, paid_cash, paid_other, back_count, back_fund, back_account, back_cash) " +
	"SELECT lower(hex(randomblob(7))) || 'd', institution, day, channel, kind, insured, SUM(n), SUM(total), SUM(fund), SUM(account), " +
	"SUM(family), SUM(cash), SUM(other), SUM(back), SUM(back_fund), SUM(back_account), SUM(back_cash) FROM (" +
	"SELECT institution, date(written_at, '+8 hours') AS day, channel, kind, insured, 1 AS n, total, fund, account, " +
	"account_family AS family, cash + cash_added - cash_reduced AS cash, other, 0 AS back, 0 AS back_fund, 0 AS back_account, " +
	"0 AS back_cash " +
	"FROM payment_orders WHERE written_at != '' UNION ALL " +
	"SELECT o.institution, date(r.done_at, '+8 hours'), o.channel, o.kind, o.insured, 0, 0, 0, 0, 0, 0, 0, 1, r.fund, r.account, r.cash " +
	"FROM payment_refunds r JOIN payment_orders o ON o.id = r.`order` WHERE r.state = 'done' AND r.done_at != '' AND o.written_at != '') " +
	"GROUP BY institution, day, channel, kind, insured"
