package collections

import "strings"

// PaymentFigures are the figures of a day of payments: what HIS took, and what of
// it went back.
func PaymentFigures() []string {
	return []string{"paid_count", "paid_total", "paid_fund", "paid_account", "paid_family", "paid_cash", "paid_other",
		"back_count", "back_fund", "back_account", "back_cash"}
}

// The parts of a bill that HIS took, and those of a refund, as figures of a day.
const (
	paidFigures = "1, o.total, o.fund, o.account, o.account_family, o.cash + o.cash_added - o.cash_reduced, o.other, 0, 0, 0, 0"
	backFigures = "0, 0, 0, 0, 0, 0, 0, 1, r.fund, r.account, r.cash"
)

// paidRows and backRows are the queries of what belongs into days: a bill on the
// day on which HIS took it, a refund on the day on which it was done. What HIS
// never took is in no figure, neither as it came nor as it went.
func paidRows(where string) string {
	return "SELECT o.institution, " + beijingDay("o.written_at") + ", o.channel, o.kind, o.insured, " + paidFigures +
		" FROM payment_orders o WHERE o.written_at != ''" + where
}

func backRows(where string) string {
	return "SELECT o.institution, " + beijingDay("r.done_at") + ", o.channel, o.kind, o.insured, " + backFigures +
		" FROM payment_refunds r JOIN payment_orders o ON o.id = r.`order` WHERE r.state = 'done' AND r.done_at != '' AND " +
		"o.written_at != ''" + where
}

const paymentKeys = "institution, day, channel, kind, insured"

// bookPayments is the statement that adds rows to their days.
func bookPayments(rows string) string {
	figures := PaymentFigures()
	names, sums := strings.Join(figures, ", "), make([]string, 0, len(figures))
	for _, f := range figures {
		sums = append(sums, f+" = "+f+" + excluded."+f)
	}
	return "INSERT INTO payment_days (id, " + paymentKeys + ", " + names + ") SELECT " + NewRowID + ", x.* FROM (" + rows + ") x WHERE TRUE" +
		" ON CONFLICT (" + paymentKeys + ") DO UPDATE SET " + strings.Join(sums, ", ") + "; "
}

// paymentDayTriggers lists the triggers that keep the statistics of payments in
// the transaction of what they count. A refund may be done before HIS takes the
// bill after all.
func paymentDayTriggers() []Trigger {
	keep := func(name, when, body string) Trigger {
		return Trigger{Name: name, SQL: "CREATE TRIGGER " + name + " " + when + " BEGIN " + body + "END"}
	}
	back := bookPayments(backRows(" AND r.id = NEW.id"))
	return []Trigger{
		keep("stat_payment_written", "AFTER UPDATE OF written_at ON payment_orders WHEN OLD.written_at = '' AND NEW.written_at != ''",
			bookPayments(paidRows(" AND o.id = NEW.id"))+bookPayments(backRows(" AND o.id = NEW.id"))),
		keep("stat_payment_back", "AFTER UPDATE OF state ON payment_refunds WHEN OLD.state != 'done' AND NEW.state = 'done'", back),
		keep("stat_payment_back_told", "AFTER INSERT ON payment_refunds WHEN NEW.state = 'done'", back),
	}
}

// RecountPayments is the query of the days as payments and refunds tell them.
func RecountPayments() string {
	figures := PaymentFigures()
	sums := make([]string, 0, len(figures))
	for _, f := range figures {
		sums = append(sums, "SUM("+f+") AS "+f)
	}
	return "WITH moved (" + paymentKeys + ", " + strings.Join(figures, ", ") + ") AS (" + paidRows("") + " UNION ALL " + backRows("") +
		") SELECT " + paymentKeys + ", " + strings.Join(sums, ", ") + " FROM moved GROUP BY " + paymentKeys
}
