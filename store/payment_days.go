package store

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"hospay/collections"
	"hospay/money"

	"github.com/pocketbase/dbx"
)

// PaidFigure is what HIS took: whole bills with their parts. Account includes
// Family, the part of relatives' accounts.
type PaidFigure struct {
	Count   int       `json:"count"`
	Total   money.Fen `json:"total"`
	Fund    money.Fen `json:"fund"`
	Account money.Fen `json:"account"`
	Family  money.Fen `json:"account_family"`
	Cash    money.Fen `json:"cash"`
	Other   money.Fen `json:"other"`
}

// BackFigure is what of it went back.
type BackFigure struct {
	Count   int       `json:"count"`
	Fund    money.Fen `json:"fund"`
	Account money.Fen `json:"account"`
	Cash    money.Fen `json:"cash"`
}

// PaymentStatisticsRow is a line of the statistics of payments. Of the four
// dimensions only those that were asked for are filled.
type PaymentStatisticsRow struct {
	Day     string     `json:"day,omitempty"`
	Channel string     `json:"channel,omitempty"`
	Kind    string     `json:"kind,omitempty"`
	Insured string     `json:"insured,omitempty"` // yes, no
	Paid    PaidFigure `json:"paid"`
	Back    BackFigure `json:"back"`
}

func (r *PaymentStatisticsRow) Add(o PaymentStatisticsRow) {
	p, b := &r.Paid, &r.Back
	p.Count, p.Total, p.Fund = p.Count+o.Paid.Count, p.Total+o.Paid.Total, p.Fund+o.Paid.Fund
	p.Account, p.Family = p.Account+o.Paid.Account, p.Family+o.Paid.Family
	p.Cash, p.Other = p.Cash+o.Paid.Cash, p.Other+o.Paid.Other
	b.Count, b.Fund, b.Account, b.Cash = b.Count+o.Back.Count, b.Fund+o.Back.Fund, b.Account+o.Back.Account, b.Cash+o.Back.Cash
}

// PaymentStatisticsQuery asks for the statistics of payments of an institution.
// From and To are Beijing days, both counted; By lists the dimensions in their
// order.
type PaymentStatisticsQuery struct {
	Institution, From, To  string
	By                     []string
	Channel, Kind, Insured string // empty: all
}

// PaymentDimensions are the dimensions of the statistics of payments.
func PaymentDimensions() []string { return []string{"day", "channel", "kind", "insured"} }

// ParsePaymentStatisticsQuery reads what statistics are asked for, or returns
// ErrBadFilter.
func ParsePaymentStatisticsQuery(q url.Values, institution string) (PaymentStatisticsQuery, error) {
	s := PaymentStatisticsQuery{Institution: institution, From: q.Get("from"), To: q.Get("to"), By: splitList(q.Get("by")),
		Channel: q.Get("channel"), Kind: q.Get("kind"), Insured: q.Get("insured")}
	if len(s.By) == 0 {
		s.By = PaymentDimensions()
	}
	for i, d := range s.By {
		if slices.Contains(s.By[:i], d) || !slices.Contains(PaymentDimensions(), d) {
			return s, ErrBadFilter
		}
	}
	from, err := time.Parse(time.DateOnly, s.From)
	to, err2 := time.Parse(time.DateOnly, s.To)
	f := PaymentFilter{Channel: s.Channel, Kind: s.Kind, Insured: s.Insured}
	if err != nil || err2 != nil || to.Before(from) || to.Sub(from) > longestRange*24*time.Hour || !f.valid() {
		return s, ErrBadFilter
	}
	return s, nil
}

type paymentDayScan struct {
	Day         string    `db:"day"`
	Channel     string    `db:"channel"`
	Kind        string    `db:"kind"`
	Insured     *bool     `db:"insured"`
	PaidCount   int       `db:"paid_count"`
	PaidTotal   money.Fen `db:"paid_total"`
	PaidFund    money.Fen `db:"paid_fund"`
	PaidAccount money.Fen `db:"paid_account"`
	PaidFamily  money.Fen `db:"paid_family"`
	PaidCash    money.Fen `db:"paid_cash"`
	PaidOther   money.Fen `db:"paid_other"`
	BackCount   int       `db:"back_count"`
	BackFund    money.Fen `db:"back_fund"`
	BackAccount money.Fen `db:"back_account"`
	BackCash    money.Fen `db:"back_cash"`
}

func (r paymentDayScan) row() PaymentStatisticsRow {
	out := PaymentStatisticsRow{Day: r.Day, Channel: r.Channel, Kind: r.Kind,
		Paid: PaidFigure{r.PaidCount, r.PaidTotal, r.PaidFund, r.PaidAccount, r.PaidFamily, r.PaidCash, r.PaidOther},
		Back: BackFigure{r.BackCount, r.BackFund, r.BackAccount, r.BackCash}}
	if r.Insured != nil {
		out.Insured = map[bool]string{true: "yes", false: "no"}[*r.Insured]
	}
	return out
}

// Statistics reads the statistics of payments from the summary table: rows in the
// order of their dimensions, and the total.
func (p *Payments) Statistics(ctx context.Context, q PaymentStatisticsQuery) ([]PaymentStatisticsRow, PaymentStatisticsRow, error) {
	c := &conditions{terms: []string{"institution = {:inst}"}, params: dbx.Params{"inst": q.Institution}}
	c.add("day >=", q.From)
	c.add("day <=", q.To)
	c.equal("channel", q.Channel)
	c.equal("kind", q.Kind)
	if q.Insured != "" {
		c.add("insured =", q.Insured == "yes")
	}
	var sums []string
	for _, f := range collections.PaymentFigures() {
		sums = append(sums, "SUM("+f+") AS "+f)
	}
	dims := strings.Join(q.By, ", ")
	var scans []paymentDayScan
	err := p.s.app.ConcurrentDB().NewQuery("SELECT " + dims + ", " + strings.Join(sums, ", ") + " FROM payment_days WHERE " +
		strings.Join(c.terms, " AND ") + " GROUP BY " + dims + " ORDER BY " + dims).Bind(c.params).WithContext(ctx).All(&scans)
	rows, total := make([]PaymentStatisticsRow, 0, len(scans)), PaymentStatisticsRow{}
	for _, r := range scans {
		row := r.row()
		total.Add(row)
		rows = append(rows, row)
	}
	return rows, total, err
}

// verifyPaymentDays compares the days of payments with the orders.
func (s *Store) verifyPaymentDays(ctx context.Context) (out []StatisticsDiff, err error) {
	figures := collections.PaymentFigures()
	var neg, sums, differs []string
	for _, c := range figures {
		neg, sums, differs = append(neg, "-"+c), append(sums, "SUM("+c+") AS "+c), append(differs, "("+c+" != 0)")
	}
	const keys = "institution, day, channel, kind, insured"
	parts := strings.Join(differs, " + ")
	err = s.app.ConcurrentDB().NewQuery("SELECT institution, day || '/' || channel || '/' || kind || '/' || CASE insured WHEN TRUE THEN " +
		"'insured' ELSE 'own' END AS k, paid_total - back_fund - back_account - back_cash AS a, paid_count + back_count AS n, " + parts +
		" AS p FROM (SELECT " + keys + ", " + strings.Join(sums, ", ") + " FROM (SELECT " + keys + ", " + strings.Join(figures, ", ") +
		" FROM payment_days UNION ALL SELECT " + keys + ", " + strings.Join(neg, ", ") + " FROM (" + collections.RecountPayments() +
		")) GROUP BY " + keys + ") WHERE " + parts + " > 0").WithContext(ctx).All(&out)
	return out, err
}
