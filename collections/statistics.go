package collections

import (
	"context"
	"fmt"
	"strings"

	"hospay/money"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
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

// standingOf is the SQL that tells where an order stands, from its own status
// and that of the order that restores its returned payout (NULL: none).
func (b Basis) standingOf(status, returned string) string {
	r := strings.NewReplacer("$status", status, "$returned", returned, "$finals", b.finals())
	return r.Replace("CASE WHEN $status = 'succeeded' AND $returned IS NULL THEN 'refunded' WHEN $status = 'succeeded' AND $returned IN ($finals) THEN 'undone' " +
		"WHEN $status = 'succeeded' THEN 'outstanding' WHEN $status IN ($finals) THEN 'undone' ELSE 'outstanding' END")
}

// beijingDay is the SQL of the Beijing day of a stored time; NULL without one.
func beijingDay(column string) string { return "date(" + column + ", '+8 hours')" }

// returnOf is the status of the order that restores an order's payout.
func returnOf(id string) string {
	return "(SELECT c.status FROM refund_orders c WHERE c.compensates = " + id + " AND c.compensates != '')"
}

const newRowID = "lower(hex(randomblob(7))) || 'd'"

// book is the statement that adds orders to their day, or takes them off it.
func (b Basis) book(sign, from, prefix, returned string) string {
	p := prefix + "."
	inner := "SELECT " + p + "institution AS institution, " + beijingDay(p+"his_refund_date") + " AS day, " + p + "channel AS channel, " + p + "method AS method, " +
		p + "amount AS amount, " + b.standingOf(p+"status", returned) + " AS standing" + from
	var columns, values, sums []string
	for _, s := range []string{StandingRefunded, StandingOutstanding, StandingUndone} {
		columns = append(columns, s+"_amount", s+"_count")
		values = append(values, fmt.Sprintf("CASE standing WHEN '%s' THEN %samount ELSE 0 END, CASE standing WHEN '%s' THEN %s1 ELSE 0 END", s, sign, s, sign))
		sums = append(sums, fmt.Sprintf("%[1]s_amount = %[1]s_amount + excluded.%[1]s_amount, %[1]s_count = %[1]s_count + excluded.%[1]s_count", s))
	}
	return "INSERT INTO refund_days (id, institution, day, channel, method, " + strings.Join(columns, ", ") + ") SELECT " + newRowID +
		", institution, day, channel, method, " + strings.Join(values, ", ") + " FROM (" + inner + ") WHERE day IS NOT NULL" +
		" ON CONFLICT (institution, day, channel, method) DO UPDATE SET " + strings.Join(sums, ", ") + "; "
}

// statisticsTriggers lists the triggers that keep the summary tables in the
// same transaction as the move of an order.
func (b Basis) statisticsTriggers() []Trigger {
	ofOriginal := " FROM refund_orders o WHERE o.id = NEW.compensates"
	moved := "NEW.his_refund_date != OLD.his_refund_date OR " + b.standingOf("NEW.status", returnOf("NEW.id")) + " != " + b.standingOf("OLD.status", returnOf("NEW.id"))
	one := "INSERT INTO refund_counts (id, institution, status, count) VALUES (" + newRowID + ", NEW.institution, NEW.status, 1) ON CONFLICT (institution, status) DO UPDATE SET count = count + 1; "
	keep := func(name, when, body string) Trigger {
		return Trigger{Name: name, SQL: "CREATE TRIGGER " + name + " " + when + " BEGIN " + body + "END"}
	}
	return []Trigger{
		keep("stat_order_insert", "AFTER INSERT ON refund_orders WHEN NEW.compensates = '' AND NEW.his_refund_date != ''", b.book("", "", "NEW", "NULL")),
		keep("stat_order_move", "AFTER UPDATE OF status, his_refund_date ON refund_orders WHEN NEW.compensates = '' AND ("+moved+")",
			b.book("-", "", "OLD", returnOf("OLD.id"))+b.book("", "", "NEW", returnOf("NEW.id"))),
		keep("stat_return_insert", "AFTER INSERT ON refund_orders WHEN NEW.compensates != ''", b.book("-", ofOriginal, "o", "NULL")+b.book("", ofOriginal, "o", "NEW.status")),
		keep("stat_return_move", "AFTER UPDATE OF status ON refund_orders WHEN NEW.compensates != '' AND NEW.status != OLD.status",
			b.book("-", ofOriginal, "o", "OLD.status")+b.book("", ofOriginal, "o", "NEW.status")),
		keep("stat_count_insert", "AFTER INSERT ON refund_orders", one),
		keep("stat_count_move", "AFTER UPDATE OF status ON refund_orders WHEN NEW.status != OLD.status",
			"UPDATE refund_counts SET count = count - 1 WHERE institution = OLD.institution AND status = OLD.status; "+one),
	}
}

// recount is the query of the days as the orders themselves tell them.
func recount() string {
	var sums []string
	for _, s := range []string{StandingRefunded, StandingOutstanding, StandingUndone} {
		sums = append(sums, fmt.Sprintf("SUM(CASE standing WHEN '%[1]s' THEN amount ELSE 0 END) AS %[1]s_amount, SUM(standing = '%[1]s') AS %[1]s_count", s))
	}
	return "SELECT institution, day, channel, method, " + strings.Join(sums, ", ") + " FROM (SELECT o.institution AS institution, " + beijingDay("o.his_refund_date") +
		" AS day, o.channel AS channel, o.method AS method, o.amount AS amount, " + TheBasis().standingOf("o.status", "c.status") + " AS standing FROM refund_orders o" +
		" LEFT JOIN refund_orders c ON c.compensates = o.id AND c.compensates != '' WHERE o.compensates = '' AND o.his_refund_date != '') GROUP BY institution, day, channel, method"
}

const recountStatuses = "SELECT institution, status, COUNT(*) AS count FROM refund_orders GROUP BY institution, status"

const dayColumns = "refunded_amount, refunded_count, outstanding_amount, outstanding_count, undone_amount, undone_count"

// RebuildStatistics fills the summary tables anew from the orders. It belongs
// into a transaction of its caller.
func RebuildStatistics(db dbx.Builder) error {
	for _, sql := range []string{
		"DELETE FROM refund_days", "DELETE FROM refund_counts",
		"INSERT INTO refund_days (id, institution, day, channel, method, " + dayColumns + ") SELECT " + newRowID + ", r.* FROM (" + recount() + ") r",
		"INSERT INTO refund_counts (id, institution, status, count) SELECT " + newRowID + ", r.* FROM (" + recountStatuses + ") r",
	} {
		if err := exec(db, sql); err != nil {
			return err
		}
	}
	return nil
}

// StatisticsDiff is a row of a summary table that differs from the orders.
type StatisticsDiff struct {
	Institution string `db:"institution" json:"institution"`
	Key         string `db:"k" json:"key"`     // day/channel/method, or the status
	Amount      int64  `db:"a" json:"amount"`  // table minus orders, in fen
	Count       int64  `db:"n" json:"count"`   // table minus orders
	Parts       int64  `db:"p" json:"details"` // how many of its figures differ
}

// VerifyStatistics compares the summary tables with the orders, in one
// statement and so at one moment, and returns what differs.
func (s *Store) VerifyStatistics(ctx context.Context) ([]StatisticsDiff, error) {
	var neg, sums, differs []string
	for _, c := range strings.Split(dayColumns, ", ") {
		neg, sums, differs = append(neg, "-"+c), append(sums, "SUM("+c+") AS "+c), append(differs, "("+c+" != 0)")
	}
	parts := strings.Join(differs, " + ")
	query := "SELECT institution, day || '/' || channel || '/' || method AS k, refunded_amount + outstanding_amount + undone_amount AS a, refunded_count + outstanding_count + undone_count AS n, " +
		parts + " AS p FROM (SELECT institution, day, channel, method, " + strings.Join(sums, ", ") + " FROM (SELECT institution, day, channel, method, " + dayColumns +
		" FROM refund_days UNION ALL SELECT institution, day, channel, method, " + strings.Join(neg, ", ") + " FROM (" + recount() + ")) GROUP BY institution, day, channel, method) WHERE " + parts + " > 0" +
		" UNION ALL SELECT institution, status, 0, SUM(count), 1 FROM (SELECT institution, status, count FROM refund_counts UNION ALL SELECT institution, status, -count FROM (" + recountStatuses +
		")) GROUP BY institution, status HAVING SUM(count) != 0"
	var out []StatisticsDiff
	err := s.app.ConcurrentDB().NewQuery(query).WithContext(ctx).All(&out)
	return out, err
}

// RepairStatistics fills the summary tables anew, on the order of a person
// whose note is kept, and returns what had differed.
func (s *Store) RepairStatistics(ctx context.Context, by AuditEntry, note string) ([]StatisticsDiff, error) {
	diffs, err := s.VerifyStatistics(ctx)
	if err != nil {
		return nil, err
	}
	by.Action, by.Details = "stats.repair", map[string]any{"note": note, "differences": len(diffs)}
	return diffs, s.transact(func(tx core.App) error {
		if err := RebuildStatistics(tx.DB()); err != nil {
			return err
		}
		return Audit(tx, by)
	})
}

// Figure is an amount with the number of orders behind it.
type Figure struct {
	Amount money.Fen `json:"amount"`
	Count  int       `json:"count"`
}

// StatisticsRow is a line of the refund statistics. Of the three dimensions
// only those that were asked for are filled.
type StatisticsRow struct {
	HISDate     string `json:"his_date,omitempty"`
	Channel     string `json:"channel,omitempty"`
	Method      string `json:"method,omitempty"`
	Due         Figure `json:"due"`
	Refunded    Figure `json:"refunded"`
	Outstanding Figure `json:"outstanding"`
	Undone      Figure `json:"undone"`
}

// add adds a line's figures to a total.
func (r *StatisticsRow) add(o StatisticsRow) {
	for _, p := range [][2]*Figure{{&r.Due, &o.Due}, {&r.Refunded, &o.Refunded}, {&r.Outstanding, &o.Outstanding}, {&r.Undone, &o.Undone}} {
		p[0].Amount += p[1].Amount
		p[0].Count += p[1].Count
	}
}

// StatisticsQuery asks for the statistics of an institution. From and To are
// Beijing days, both counted; By lists the dimensions in their order.
type StatisticsQuery struct {
	Institution, From, To string
	By                    []string
	Channel, Method       string // empty: all
}

// StatisticsDimensions are the dimensions with their columns.
func StatisticsDimensions() []string { return []string{"his_date", "channel", "method"} }

var dimensionColumn = map[string]string{"his_date": "day", "channel": "channel", "method": "method"}

type statisticsScan struct {
	Day               string `db:"day"`
	Channel           string `db:"channel"`
	Method            string `db:"method"`
	RefundedAmount    int64  `db:"refunded_amount"`
	RefundedCount     int    `db:"refunded_count"`
	OutstandingAmount int64  `db:"outstanding_amount"`
	OutstandingCount  int    `db:"outstanding_count"`
	UndoneAmount      int64  `db:"undone_amount"`
	UndoneCount       int    `db:"undone_count"`
}

func (r statisticsScan) row() StatisticsRow {
	out := StatisticsRow{
		HISDate: r.Day, Channel: r.Channel, Method: r.Method,
		Refunded: Figure{money.Fen(r.RefundedAmount), r.RefundedCount}, Outstanding: Figure{money.Fen(r.OutstandingAmount), r.OutstandingCount},
		Undone: Figure{money.Fen(r.UndoneAmount), r.UndoneCount},
	}
	out.Due = Figure{out.Refunded.Amount + out.Outstanding.Amount, out.Refunded.Count + out.Outstanding.Count}
	return out
}

// Statistics reads the statistics from the summary table: rows in the order of
// their dimensions, and the total.
func (s *Store) Statistics(ctx context.Context, q StatisticsQuery) ([]StatisticsRow, StatisticsRow, error) {
	var by, sums []string
	for _, d := range q.By {
		by = append(by, dimensionColumn[d])
	}
	for _, c := range strings.Split(dayColumns, ", ") {
		sums = append(sums, "SUM("+c+") AS "+c)
	}
	where := "institution = {:inst} AND day >= {:from} AND day <= {:to}"
	params := dbx.Params{"inst": q.Institution, "from": q.From, "to": q.To, "channel": q.Channel, "method": q.Method}
	for name, v := range map[string]string{"channel": q.Channel, "method": q.Method} {
		if v != "" {
			where += " AND " + name + " = {:" + name + "}"
		}
	}
	dims := strings.Join(by, ", ")
	var scans []statisticsScan
	err := s.app.ConcurrentDB().NewQuery("SELECT " + dims + ", " + strings.Join(sums, ", ") + " FROM refund_days WHERE " + where + " GROUP BY " + dims + " ORDER BY " + dims).
		Bind(params).WithContext(ctx).All(&scans)
	rows, total := make([]StatisticsRow, 0, len(scans)), StatisticsRow{}
	for _, r := range scans {
		row := r.row()
		total.add(row)
		if row.Due.Count+row.Undone.Count > 0 {
			rows = append(rows, row)
		}
	}
	return rows, total, err
}
