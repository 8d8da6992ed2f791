package store

import (
	"context"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/refund"

	"github.com/pocketbase/dbx"
)

// Overview is what IT sees of an institution at one glance.
type Overview struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Orders   map[string]int  `json:"orders"` // open states: all; final ones: of orders made today
	Paid     map[string]Paid `json:"paid_today"`
	Oldest   *OpenOrder      `json:"oldest_open"`
	Unknown  int             `json:"unknown"` // asked for at least once, and no outcome yet
	Suspense int             `json:"suspense"`
	Frozen   bool            `json:"frozen"`
}

// Paid is the sum of what a channel paid, in fen.
type Paid struct {
	Amount int64 `json:"amount"`
	Count  int   `json:"count"`
}

// OpenOrder is the order that has been under way for longest.
type OpenOrder struct {
	No    string    `json:"no"`
	Since time.Time `json:"since"`
}

// OverviewQueries holds the overview's queries; each goes through an index. A test
// asks the database for its plan.
func OverviewQueries() map[string]string {
	return map[string]string{
		// With MIN, the other columns are those of the oldest row.
		"open": `SELECT o.institution, o.status, COUNT(*) AS n, MIN(o.created) AS since, o.no, SUM(o.tries > 0) AS tried
			FROM institutions i CROSS JOIN refund_orders o INDEXED BY idx_refund_orders_status ON o.institution = i.id AND o.status IN (` + list(
			openStatuses()) + `) GROUP BY o.institution, o.status`,
		"ended": `SELECT o.institution, o.status, COUNT(*) AS n, '' AS since, '' AS no, 0 AS tried
			FROM institutions i CROSS JOIN refund_orders o INDEXED BY idx_refund_orders_status ON o.institution = i.id AND o.status IN (` +
			collections.Finals(refund.Machine) + `) AND o.created >= {:day} GROUP BY o.institution, o.status`,
		"paid": `SELECT institution, channel, SUM(amount) AS amount, COUNT(*) AS n FROM transfer_orders INDEXED BY idx_transfer_orders_paid
			WHERE state = 'done' AND paid_at >= {:day} GROUP BY institution, channel`,
	}
}

func openStatuses() []string {
	var out []string
	for _, s := range refund.Machine.States() {
		if !refund.Machine.Final(s) {
			out = append(out, string(s))
		}
	}
	return out
}

func list(words []string) string { return "'" + strings.Join(words, "','") + "'" }

// asked are the states in which the other side's answer is awaited.
var asked = map[refund.Status]bool{refund.StatusDebiting: true, refund.StatusPaying: true, refund.StatusReversing: true}

// Overviews looks at every institution.
func (s *Store) Overviews(ctx context.Context, now time.Time) ([]*Overview, error) {
	var houses []struct {
		ID     string `db:"id"`
		Name   string `db:"name"`
		Frozen bool   `db:"payouts_frozen"`
	}
	db := s.app.ConcurrentDB()
	if err := db.Select("id", "name", "payouts_frozen").From(collections.Institutions).OrderBy("code").WithContext(ctx).
		All(&houses); err != nil {
		return nil, err
	}
	out, byID := []*Overview{}, map[string]*Overview{}
	for _, h := range houses {
		o := &Overview{ID: h.ID, Name: h.Name, Frozen: h.Frozen, Orders: map[string]int{}, Paid: map[string]Paid{}}
		out, byID[h.ID] = append(out, o), o
	}
	b := now.In(calendar.Beijing)
	day := dbx.Params{"day": stamp(time.Date(b.Year(), b.Month(), b.Day(), 0, 0, 0, 0, calendar.Beijing))}
	for _, name := range []string{"open", "ended"} {
		if err := s.countOrders(ctx, OverviewQueries()[name], day, byID); err != nil {
			return nil, err
		}
	}
	return out, s.sumPaid(ctx, day, byID)
}

func (s *Store) countOrders(ctx context.Context, sql string, day dbx.Params, byID map[string]*Overview) error {
	var rows []struct {
		Institution string `db:"institution"`
		Status      string `db:"status"`
		N           int    `db:"n"`
		Since       string `db:"since"`
		No          string `db:"no"`
		Tried       int    `db:"tried"`
	}
	if err := s.app.ConcurrentDB().NewQuery(sql).Bind(day).WithContext(ctx).All(&rows); err != nil {
		return err
	}
	for _, r := range rows {
		o := byID[r.Institution]
		if o == nil {
			continue
		}
		o.Orders[r.Status] = r.N
		if asked[refund.Status(r.Status)] {
			o.Unknown += r.Tried
		}
		if r.Status == string(refund.StatusSuspense) {
			o.Suspense = r.N
		}
		if since := parseStamp(r.Since); !since.IsZero() && (o.Oldest == nil || since.Before(o.Oldest.Since)) {
			o.Oldest = &OpenOrder{No: r.No, Since: since}
		}
	}
	return nil
}

func (s *Store) sumPaid(ctx context.Context, day dbx.Params, byID map[string]*Overview) error {
	var rows []struct {
		Institution string `db:"institution"`
		Channel     string `db:"channel"`
		Amount      int64  `db:"amount"`
		N           int    `db:"n"`
	}
	if err := s.app.ConcurrentDB().NewQuery(OverviewQueries()["paid"]).Bind(day).WithContext(ctx).All(&rows); err != nil {
		return err
	}
	for _, r := range rows {
		if o := byID[r.Institution]; o != nil {
			o.Paid[r.Channel] = Paid{Amount: r.Amount, Count: r.N}
		}
	}
	return nil
}

// LastRuns returns the last recorded run of every job. Runs that did nothing
// are not recorded.
func (s *Store) LastRuns(ctx context.Context) (map[string]JobState, error) {
	var rows []struct {
		Job      string `db:"job"`
		Started  string `db:"started"`
		Finished string `db:"finished"`
		OK       bool   `db:"ok"`
		Done     int    `db:"done"`
		Message  string `db:"message"`
	}
	err := s.app.ConcurrentDB().NewQuery("SELECT job, MAX(started) AS started, finished, ok, done, message FROM job_runs GROUP BY job").
		WithContext(ctx).All(&rows)
	out := map[string]JobState{}
	for _, r := range rows {
		out[r.Job] = JobState{Name: r.Job, Started: parseStamp(r.Started), Finished: parseStamp(r.Finished), OK: r.OK, Done: r.Done,
			Error: r.Message}
	}
	return out, err
}
