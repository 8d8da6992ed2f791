// Package exports makes the reports that people download, from the parameters
// of the list that they look at: small ones at once, long ones as a job whose
// file is fetched later.
package exports

import (
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/people"
	"hospay/report"
	"hospay/store"
)

// The reports.
const (
	Refunds      = "refunds"       // 退款明细
	Stats        = "stats"         // 退款统计
	Payments     = "payments"      // 缴费明细
	PaymentStats = "payment-stats" // 缴费统计
	Audit        = "audit"         // 审计日志, auditors only
)

// DirectRows is how many rows are written while the caller waits.
const DirectRows = 5000

// sheetRows is how many rows fit on a sheet with its frame.
const sheetRows = 1_048_000

// Errors of a report.
var (
	ErrUnknown = errors.New("exports: no such report or filter")
	ErrTooMany = errors.New("exports: more rows than allowed")
)

// Roles lists who may have a report; none means that there is no such report.
func Roles(name string) []string {
	switch name {
	case Refunds, Stats, Payments, PaymentStats:
		return []string{people.RoleReviewer, people.RoleFinance, people.RoleCashier, people.RoleAuditor}
	case Audit:
		return []string{people.RoleAuditor}
	}
	return nil
}

// Request is a report with the filter, for whom and when.
type Request struct {
	Report      string
	Params      url.Values
	Institution string
	Unit        string // the institution's name
	Person      string // who exports
	At          time.Time
	Limit       int                // rows; 0: what fits on a sheet
	Progress    func(done, of int) // may be nil
}

// known are the parameters that a report keeps; others mean nothing to it.
var known = []string{"date", "from", "to", "status", "tab", "method", "channel", "proxy", "amount_min", "amount_max", "card_no", "no",
	"find", "by", "state", "actor", "action", "kind", "insured", "his"}

// Params keeps of a query what a report understands.
func Params(q url.Values) map[string]string {
	out := map[string]string{}
	for _, k := range known {
		if v := q.Get(k); v != "" {
			out[k] = v
		}
	}
	return out
}

// Values turns kept parameters back into a query.
func Values(params map[string]string) url.Values {
	q := url.Values{}
	for k, v := range params {
		if slices.Contains(known, k) {
			q.Set(k, v)
		}
	}
	return q
}

// Check reports whether a request can be understood, without making it.
func Check(s *store.Store, r Request) error {
	var err error
	switch r.Report {
	case Refunds:
		_, err = s.ParseOrderFilter(r.Params, r.Institution)
	case Stats:
		_, err = store.ParseStatisticsQuery(r.Params, r.Institution)
	case Payments:
		_, err = s.ParsePaymentFilter(r.Params, r.Institution)
	case PaymentStats:
		_, err = store.ParsePaymentStatisticsQuery(r.Params, r.Institution)
	case Audit:
		_, err = store.ParseAuditFilter(r.Params, r.Institution)
	default:
		err = ErrUnknown
	}
	if err != nil {
		return ErrUnknown
	}
	return nil
}

// Write writes a report and returns how many rows it has. Too many rows are
// refused before anything is written.
func Write(ctx context.Context, store *store.Store, r Request, w io.Writer) (int, error) {
	if err := Check(store, r); err != nil {
		return 0, err
	}
	m := &maker{Request: r, store: store, ctx: ctx, out: w}
	var err error
	switch r.Report {
	case Refunds:
		err = m.refunds()
	case Stats:
		err = m.stats()
	case Payments:
		err = m.payments()
	case PaymentStats:
		err = m.paymentStats()
	case Audit:
		err = m.audit()
	}
	return m.done, err
}

// maker makes one report.
type maker struct {
	Request
	store    *store.Store
	ctx      context.Context
	out      io.Writer
	done, of int
}

// begin refuses a report that is too long.
func (m *maker) begin(rows int) error {
	limit := m.Limit
	if limit == 0 {
		limit = sheetRows
	}
	if m.of = rows; rows > limit {
		return ErrTooMany
	}
	return nil
}

// row counts a row that has been written.
func (m *maker) row() {
	m.done++
	if m.Progress != nil && m.done%1000 == 0 {
		m.Progress(m.done, m.of)
	}
}

func (m *maker) sheet(name, title, period string, t report.Table, notes ...string) report.Sheet {
	at := m.At.In(calendar.Beijing).Format(time.DateTime)
	return report.Sheet{
		Name: name, Title: title, Unit: m.Unit, Period: period, Printed: at, Watermark: m.Person + " " + at + " 导出", Tables: []report.Table{t},
		Notes: notes,
	}
}

func period(from, to string) string {
	if from == "" && to == "" {
		return "全部"
	}
	return or(from, "最早") + " 至 " + or(to, "今")
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// moment is a time as reports show it, in Beijing.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(calendar.Beijing).Format(time.DateTime)
}
