package store

import (
	"context"
	"strings"

	"hospay/collections"
	"hospay/money"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// RebuildStatistics fills the summary tables anew from the orders. It belongs
// into a transaction of its caller.
func RebuildStatistics(db dbx.Builder) error {
	for _, sql := range []string{
		"DELETE FROM refund_days", "DELETE FROM refund_counts",
		"INSERT INTO refund_days (id, institution, day, channel, method, " + collections.DayColumns + ") SELECT " + collections.NewRowID +
			", r.* FROM (" + collections.Recount() + ") r",
		"INSERT INTO refund_counts (id, institution, status, count) SELECT " + collections.NewRowID + ", r.* FROM (" +
			collections.RecountStatuses + ") r",
		"DELETE FROM payment_days",
		"INSERT INTO payment_days (id, institution, day, channel, kind, insured, " + strings.Join(collections.PaymentFigures(), ", ") +
			") SELECT " + collections.NewRowID + ", r.* FROM (" + collections.RecountPayments() + ") r",
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
	Key         string `db:"k" json:"key"`     // day/channel/method, day/channel/kind/insured, or the status
	Amount      int64  `db:"a" json:"amount"`  // table minus orders, in fen
	Count       int64  `db:"n" json:"count"`   // table minus orders
	Parts       int64  `db:"p" json:"details"` // how many of its figures differ
}

// VerifyStatistics compares the summary tables with the orders, those of a domain
// in one statement and so at one moment, and returns what differs.
func (s *Store) VerifyStatistics(ctx context.Context) ([]StatisticsDiff, error) {
	refunds, err := s.verifyRefundDays(ctx)
	if err != nil {
		return nil, err
	}
	payments, err := s.verifyPaymentDays(ctx)
	return append(refunds, payments...), err
}

func (s *Store) verifyRefundDays(ctx context.Context) ([]StatisticsDiff, error) {
	var neg, sums, differs []string
	for _, c := range strings.Split(collections.DayColumns, ", ") {
		neg, sums, differs = append(neg, "-"+c), append(sums, "SUM("+c+") AS "+c), append(differs, "("+c+" != 0)")
	}
	parts := strings.Join(differs, " + ")
	query := "SELECT institution, day || '/' || channel || '/' || method AS k, refunded_amount + outstanding_amount + undone_amount AS a, " +
		"refunded_count + outstanding_count + undone_count AS n, " +
		parts + " AS p FROM (SELECT institution, day, channel, method, " + strings.Join(sums, ", ") +
		" FROM (SELECT institution, day, channel, method, " + collections.DayColumns +
		" FROM refund_days UNION ALL SELECT institution, day, channel, method, " + strings.Join(neg, ", ") + " FROM (" + collections.Recount() +
		")) GROUP BY institution, day, channel, method) WHERE " + parts + " > 0" +
		" UNION ALL SELECT institution, status, 0, SUM(count), 1 FROM (SELECT institution, status, count FROM refund_counts UNION ALL SELECT " +
		"institution, status, -count FROM (" + collections.RecountStatuses +
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

// Add adds a line's figures to a total.
func (r *StatisticsRow) Add(o StatisticsRow) {
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
	for _, c := range strings.Split(collections.DayColumns, ", ") {
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
	err := s.app.ConcurrentDB().NewQuery("SELECT " + dims + ", " + strings.Join(sums, ", ") + " FROM refund_days WHERE " + where +
		" GROUP BY " + dims + " ORDER BY " + dims).
		Bind(params).WithContext(ctx).All(&scans)
	rows, total := make([]StatisticsRow, 0, len(scans)), StatisticsRow{}
	for _, r := range scans {
		row := r.row()
		total.Add(row)
		if row.Due.Count+row.Undone.Count > 0 {
			rows = append(rows, row)
		}
	}
	return rows, total, err
}
