package store

import (
	"context"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// clockSlack is how far clocks may go back without anybody noticing: waits
// become that much longer.
const clockSlack = time.Minute

// waiting are the tables with work that is due at a time. What waits there and
// was written by a clock that was ahead would be due only when that time comes.
var waiting = []string{collections.RefundOrders, collections.PaymentOrders, collections.Notifications, collections.Receipts,
	collections.Statements, collections.AuditSinks}

// leased are those whose rows a worker holds.
var leased = []string{collections.RefundOrders, collections.PaymentOrders}

// Rewind makes up for a clock that has gone back: what was written later than
// now waits as long as it was meant to, from now on, and leases from the future
// end. It returns by how much the clock has gone back, 0 when it has not, and
// tells every institution.
func (s *Store) Rewind(ctx context.Context, now time.Time) (back time.Duration, moved int64, err error) {
	newest, err := s.newest(ctx)
	if err != nil {
		return 0, 0, err
	}
	if back = newest.Sub(now); back <= clockSlack {
		return 0, 0, nil
	}
	err = s.transact(func(tx core.App) error {
		for _, table := range waiting {
			n, err := rewind(tx.DB(), table, now)
			if err != nil {
				return err
			}
			moved += n
		}
		for _, table := range leased {
			if _, err := tx.DB().Update(table, dbx.Params{"lease_until": ""},
				dbx.NewExp("next_at != '' AND lease_until > {:t}", dbx.Params{"t": stamp(now.Add(time.Hour))})).Execute(); err != nil {
				return err
			}
		}
		return s.tellClock(tx, now, back)
	})
	return back, moved, err
}

// rewind keeps how long rows of the future were to wait.
func rewind(db dbx.Builder, table string, now time.Time) (int64, error) {
	version := ""
	if slices.Contains(leased, table) {
		version = ", lease_until = '', version = version + 1"
	}
	res, err := db.NewQuery("UPDATE " + table + " SET next_at = strftime('%Y-%m-%d %H:%M:%fZ', julianday({:now}) + " +
		"max(0, julianday(next_at) - julianday(updated))), updated = {:now}" + version + " WHERE next_at != '' AND updated > {:ahead}").
		Bind(dbx.Params{"now": stamp(now), "ahead": stamp(now.Add(clockSlack))}).Execute()
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// newest is the latest time at which anything was written about an order that
// waits, or at which the last event was.
func (s *Store) newest(ctx context.Context) (time.Time, error) {
	var newest time.Time
	for _, o := range []orders{refunds, payments} {
		var at struct {
			Row   string `db:"row"`
			Event string `db:"event"`
		}
		err := s.app.ConcurrentDB().NewQuery("SELECT COALESCE((SELECT MAX(updated) FROM " + o.Orders + " WHERE next_at != ''), '') AS row, " +
			"COALESCE((SELECT created FROM " + collections.Live(o.Events) + " ORDER BY rowid DESC LIMIT 1), '') AS event").WithContext(ctx).One(&at)
		if err != nil {
			return time.Time{}, err
		}
		for _, text := range []string{at.Row, at.Event} {
			if t, err := types.ParseDateTime(text); err == nil && t.Time().After(newest) {
				newest = t.Time()
			}
		}
	}
	return newest, nil
}

func (s *Store) tellClock(tx core.App, now time.Time, back time.Duration) error {
	var institutions []string
	if err := tx.DB().Select("id").From(collections.Institutions).Column(&institutions); err != nil {
		return err
	}
	values := map[string]string{"by": back.Round(time.Second).String(), "time": now.In(calendar.Beijing).Format("2006-01-02 15:04")}
	for _, id := range institutions {
		n := flow.Notice{Event: flow.NoticeClock, Staff: true, At: now}
		if err := s.tell(tx, told{institution: id, values: values}, n); err != nil {
			return err
		}
	}
	return Audit(tx, AuditEntry{ActorKind: "system", Action: "clock.back", Details: map[string]any{"by": back.String()}})
}
