package store

import (
	"context"
	"time"

	"hospay/collections"
	"hospay/payment"

	"github.com/pocketbase/dbx"
)

// Standing is how many payments of an institution stand in a state that is not
// their end, and since when the oldest is there.
type Standing struct {
	Institution string
	Status      payment.Status
	Count       int
	Since       time.Time
	Desk        bool // it waits for people
}

// openPayments is the query of the standing: one that is paid waits for nothing.
func openPayments() string {
	var open []string
	for _, s := range payment.Machine.States() {
		if !payment.Resting(s) {
			open = append(open, string(s))
		}
	}
	return "SELECT o.institution, o.status, COUNT(*) AS n, MIN(o.created) AS since FROM institutions i CROSS JOIN payment_orders o " +
		"INDEXED BY idx_payment_orders_status ON o.institution = i.id AND o.status IN (" + list(open) + ") GROUP BY o.institution, o.status"
}

// Standing counts what is under way, by institution and state.
func (p *Payments) Standing(ctx context.Context) ([]Standing, error) {
	var rows []struct {
		Institution string `db:"institution"`
		Status      string `db:"status"`
		N           int    `db:"n"`
		Since       string `db:"since"`
	}
	err := p.s.app.ConcurrentDB().NewQuery(openPayments()).WithContext(ctx).All(&rows)
	out := make([]Standing, 0, len(rows))
	for _, r := range rows {
		status := payment.Status(r.Status)
		out = append(out, Standing{r.Institution, status, r.N, parseStamp(r.Since), status == payment.Machine.Desk})
	}
	return out, err
}

// LastSuccess is when each job last came to its end without an error.
func (s *Store) LastSuccess(ctx context.Context) (map[string]time.Time, error) {
	var rows []struct {
		Job string `db:"job"`
		At  string `db:"at"`
	}
	err := s.app.ConcurrentDB().Select("job", "MAX(finished) AS at").From(collections.JobRuns).Where(dbx.HashExp{"ok": true}).
		GroupBy("job").WithContext(ctx).All(&rows)
	out := make(map[string]time.Time, len(rows))
	for _, r := range rows {
		out[r.Job] = parseStamp(r.At)
	}
	return out, err
}
