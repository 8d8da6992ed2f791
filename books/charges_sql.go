package books

// goneSuffix makes the number of what a channel has given back by itself.
const goneSuffix = "R"

// The columns of a cashLine. An order that HIS has refused, and that is over with
// nothing of its cash left, stands apart: HIS must not hold it.
const (
	isApart = "o.written_at = '' AND o.status IN ('refunded', 'cancelled', 'expired') AS apart, o.status"

	payColumns = "SELECT o.no AS no, o.no AS of, o.out_trade_no AS bill, o.channel_no, o.receipt_no AS his_no, o.card_no, " +
		"o.cash + o.cash_added - o.cash_reduced AS amount, o.cash AS split, 'pay' AS method, o.channel, o.paid_at AS at, " +
		"o.written_at AS his_at, " + isApart + ", o.cash_state IN ('paid', 'part_refunded', 'refunded') AS moved"

	// A refund of ours is known at the channel by the number of its call: the nth
	// that was done is that of the nth refund whose cash we gave back.
	backColumns = "SELECT r.no AS no, o.no AS of, CASE WHEN r.told THEN r.cash_no ELSE COALESCE((SELECT c.no FROM payment_calls c WHERE " +
		"c.`order` = r.`order` AND c.kind = 'refund_cash' AND c.state = 'done' AND (SELECT COUNT(*) FROM payment_calls x WHERE " +
		"x.`order` = c.`order` AND x.kind = 'refund_cash' AND x.state = 'done' AND x.attempt < c.attempt) = (SELECT COUNT(*) FROM " +
		"payment_refunds p WHERE p.`order` = r.`order` AND p.seq < r.seq AND p.cash_done = TRUE AND p.cash_no != '' AND p.told = FALSE)" +
		" LIMIT 1), '') END AS bill, '' AS channel_no, r.his_refund_id AS his_no, o.card_no, r.cash AS amount, r.cash AS split, " +
		"'back' AS method, o.channel, r.cash_at AS at, r.done_at AS his_at, " + isApart + ", r.cash_done AS moved"

	goneColumns = "SELECT o.no || 'R' AS no, o.no AS of, o.no || 'R' AS bill, '' AS channel_no, '' AS his_no, o.card_no, " +
		"o.cash + o.cash_added - o.cash_reduced AS amount, o.cash AS split, 'back' AS method, o.channel, o.cash_gone_at AS at, " +
		"'' AS his_at, " + isApart + ", TRUE AS moved"

	refundsOf = " FROM payment_refunds r JOIN payment_orders o ON o.id = r.`order` WHERE r.institution = {:i} AND r.cash > 0 AND " +
		"(r.cash_no != '' OR r.cash_done = FALSE) AND "
	cashOrder = " ORDER BY at, no"
)

// cashSQL walk what moved around a day, along their indexes.
var cashSQL = []string{
	payColumns + " FROM payment_orders o WHERE o.institution = {:i} AND o.paid_at >= {:from} AND o.paid_at < {:to} AND o.paid_at != '' AND " +
		"o.cash_state IN ('paid', 'part_refunded', 'refunded') AND o.cash + o.cash_added - o.cash_reduced > 0",
	backColumns + refundsOf + "r.cash_at >= {:from} AND r.cash_at < {:to} AND r.cash_at != ''",
	goneColumns + " FROM payment_orders o WHERE o.institution = {:i} AND o.cash_gone_at >= {:from} AND o.cash_gone_at < {:to} AND " +
		"o.cash_gone_at != '' AND o.cash + o.cash_added - o.cash_reduced > 0",
}

// foundSQL find a movement by one of its numbers, the day's rows apart.
var foundSQL = []string{
	payColumns + " FROM payment_orders o WHERE o.institution = {:i} AND o.no = {:n} AND o.cash + o.cash_added - o.cash_reduced > 0",
	// another number of the order than the one that paid is not what paid
	"SELECT o.no AS no, o.no AS of, c.no AS bill, o.channel_no, '' AS his_no, o.card_no, c.amount, o.cash AS split, 'pay' AS method, " +
		"o.channel, " +
		"CASE WHEN c.no = o.out_trade_no THEN o.paid_at ELSE '' END AS at, o.written_at AS his_at, " + isApart +
		", c.no = o.out_trade_no AND o.cash_state IN ('paid', 'part_refunded', 'refunded') AS moved FROM payment_calls c JOIN payment_orders o " +
		"ON o.id = c.`order` WHERE c.institution = {:i} AND c.no = {:n} AND c.kind = 'trade' AND c.amount > 0",
	backColumns + refundsOf + "r.no = {:n}",
	"SELECT * FROM (" + backColumns + refundsOf + "r.`order` = (SELECT c.`order` FROM payment_calls c WHERE c.no = {:n} AND " +
		"c.kind = 'refund_cash')) WHERE bill = {:n}",
	// a number under which nothing went back, by our book
	"SELECT COALESCE((SELECT r.no FROM payment_refunds r WHERE r.`order` = o.id AND r.cash_done = FALSE AND " +
		"r.state NOT IN ('proposed', 'declined') ORDER BY r.seq DESC LIMIT 1), c.no) AS no, " +
		"o.no AS of, c.no AS bill, '' AS channel_no, '' AS his_no, o.card_no, c.amount, c.amount AS split, 'back' AS method, o.channel, " +
		"'' AS at, '' AS his_at, " + isApart + ", FALSE AS moved FROM payment_calls c JOIN payment_orders o ON o.id = c.`order` WHERE " +
		"c.institution = {:i} AND c.no = {:n} AND c.kind = 'refund_cash' AND c.amount > 0",
	backColumns + refundsOf + "r.his_refund_id = {:n}",
	"SELECT * FROM (" + goneColumns + " FROM payment_orders o WHERE o.institution = {:i} AND o.cash_gone_at != '' AND o.no || 'R' = {:n})",
}

// paidThroughSQL tell whether cash of payments moved through a channel on a day.
var paidThroughSQL = []string{
	"SELECT EXISTS (SELECT 1 FROM payment_orders o WHERE o.institution = {:i} AND o.channel = {:c} AND o.paid_at >= {:from} AND " +
		"o.paid_at < {:to} AND o.paid_at != '' AND o.cash + o.cash_added - o.cash_reduced > 0)",
	"SELECT EXISTS (SELECT 1 FROM payment_refunds r JOIN payment_orders o ON o.id = r.`order` WHERE r.institution = {:i} AND " +
		"o.channel = {:c} AND r.cash_at >= {:from} AND r.cash_at < {:to} AND r.cash_at != '')",
}
