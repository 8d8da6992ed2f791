package collections

import (
	"fmt"
	"strings"
)

// Where an order that HIS has debited stands for the statistics. Due is what
// is refunded or outstanding.
const (
	StandingRefunded    = "refunded"    // 已退: paid, and the payout did not come back
	StandingOutstanding = "outstanding" // 待退: debited, neither paid nor restored
	StandingUndone      = "undone"      // 已撤销: debited and restored
	StandingDue         = "due"         // 应退: refunded or outstanding
)

// Standings lists what an order may be filtered by.
func Standings() []string {
	return []string{StandingDue, StandingRefunded, StandingOutstanding, StandingUndone}
}

// StandingOf is the SQL that tells where an order stands, from its own status
// and that of the order that restores its returned payout (NULL: none).
func (b Basis) StandingOf(status, returned string) string {
	r := strings.NewReplacer("$status", status, "$returned", returned, "$finals", Finals(b.Machine))
	return r.Replace("CASE WHEN $status = 'succeeded' AND $returned IS NULL THEN 'refunded' WHEN $status = 'succeeded' AND $returned IN " +
		"($finals) THEN 'undone' " +
		"WHEN $status = 'succeeded' THEN 'outstanding' WHEN $status IN ($finals) THEN 'undone' ELSE 'outstanding' END")
}

// beijingDay is the SQL of the Beijing day of a stored time; NULL without one.
func beijingDay(column string) string { return "date(" + column + ", '+8 hours')" }

// ReturnOf is the status of the order that restores an order's payout.
func ReturnOf(id string) string {
	return "(SELECT c.status FROM refund_orders c WHERE c.compensates = " + id + " AND c.compensates != '')"
}

// NewRowID is the SQL of a fresh record id.
const NewRowID = "lower(hex(randomblob(7))) || 'd'"

// book is the statement that adds orders to their day, or takes them off it.
func (b Basis) book(sign, from, prefix, returned string) string {
	p := prefix + "."
	inner := "SELECT " + p + "institution AS institution, " + beijingDay(p+"his_refund_date") + " AS day, " + p + "channel AS channel, " + p +
		"method AS method, " +
		p + "amount AS amount, " + b.StandingOf(p+"status", returned) + " AS standing" + from
	var columns, values, sums []string
	for _, s := range []string{StandingRefunded, StandingOutstanding, StandingUndone} {
		columns = append(columns, s+"_amount", s+"_count")
		values = append(values, fmt.Sprintf("CASE standing WHEN '%s' THEN %samount ELSE 0 END, CASE standing WHEN '%s' THEN %s1 ELSE 0 END", s,
			sign, s, sign))
		sums = append(sums, fmt.Sprintf("%[1]s_amount = %[1]s_amount + excluded.%[1]s_amount, %[1]s_count = %[1]s_count + excluded.%[1]s_count",
			s))
	}
	return "INSERT INTO refund_days (id, institution, day, channel, method, " + strings.Join(columns, ", ") + ") SELECT " + NewRowID +
		", institution, day, channel, method, " + strings.Join(values, ", ") + " FROM (" + inner + ") WHERE day IS NOT NULL" +
		" ON CONFLICT (institution, day, channel, method) DO UPDATE SET " + strings.Join(sums, ", ") + "; "
}

// statisticsTriggers lists the triggers that keep the summary tables in the
// same transaction as the move of an order.
func (b Basis) statisticsTriggers() []Trigger {
	ofOriginal := " FROM refund_orders o WHERE o.id = NEW.compensates"
	moved := "NEW.his_refund_date != OLD.his_refund_date OR " + b.StandingOf("NEW.status", ReturnOf("NEW.id")) + " != " +
		b.StandingOf("OLD.status", ReturnOf("NEW.id"))
	one := "INSERT INTO refund_counts (id, institution, status, count) VALUES (" + NewRowID +
		", NEW.institution, NEW.status, 1) ON CONFLICT " +
		"(institution, status) DO UPDATE SET count = count + 1; "
	keep := func(name, when, body string) Trigger {
		return Trigger{Name: name, SQL: "CREATE TRIGGER " + name + " " + when + " BEGIN " + body + "END"}
	}
	return []Trigger{
		keep("stat_order_insert", "AFTER INSERT ON refund_orders WHEN NEW.compensates = '' AND NEW.his_refund_date != ''",
			b.book("", "", "NEW", "NULL")),
		keep("stat_order_move", "AFTER UPDATE OF status, his_refund_date ON refund_orders WHEN NEW.compensates = '' AND ("+moved+")",
			b.book("-", "", "OLD", ReturnOf("OLD.id"))+b.book("", "", "NEW", ReturnOf("NEW.id"))),
		keep("stat_return_insert", "AFTER INSERT ON refund_orders WHEN NEW.compensates != ''", b.book("-", ofOriginal, "o", "NULL")+b.book("",
			ofOriginal, "o", "NEW.status")),
		keep("stat_return_move", "AFTER UPDATE OF status ON refund_orders WHEN NEW.compensates != '' AND NEW.status != OLD.status",
			b.book("-", ofOriginal, "o", "OLD.status")+b.book("", ofOriginal, "o", "NEW.status")),
		keep("stat_count_insert", "AFTER INSERT ON refund_orders", one),
		keep("stat_count_move", "AFTER UPDATE OF status ON refund_orders WHEN NEW.status != OLD.status",
			"UPDATE refund_counts SET count = count - 1 WHERE institution = OLD.institution AND status = OLD.status; "+one),
	}
}

// Recount is the query of the days as the orders themselves tell them.
func Recount() string {
	var sums []string
	for _, s := range []string{StandingRefunded, StandingOutstanding, StandingUndone} {
		sums = append(sums, fmt.Sprintf("SUM(CASE standing WHEN '%[1]s' THEN amount ELSE 0 END) AS %[1]s_amount, SUM(standing = '%[1]s') AS "+
			"%[1]s_count", s))
	}
	return "SELECT institution, day, channel, method, " + strings.Join(sums, ", ") + " FROM (SELECT o.institution AS institution, " +
		beijingDay("o.his_refund_date") +
		" AS day, o.channel AS channel, o.method AS method, o.amount AS amount, " + TheBasis().StandingOf("o.status", "c.status") +
		" AS standing FROM refund_orders o" +
		" LEFT JOIN refund_orders c ON c.compensates = o.id AND c.compensates != '' WHERE o.compensates = '' AND o.his_refund_date != '') " +
		"GROUP " +
		"BY institution, day, channel, method"
}

// RecountStatuses is the query of the orders of each status.
const RecountStatuses = "SELECT institution, status, COUNT(*) AS count FROM refund_orders GROUP BY institution, status"

// DayColumns are the figures of a day.
const DayColumns = "refunded_amount, refunded_count, outstanding_amount, outstanding_count, undone_amount, undone_count"
