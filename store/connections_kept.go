package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/payment"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Connection is one that calls have been sent through, for pages and jobs.
type Connection struct {
	ID          string         `db:"id"`
	Institution string         `db:"institution"`
	Name        string         `db:"name"` // wechat, alipay, his, centre
	MerchantID  string         `db:"merchant_id"`
	AppID       string         `db:"app_id"`
	Base        string         `db:"base"`
	Version     int            `db:"version"`
	Current     bool           `db:"current"`
	Created     types.DateTime `db:"created"`
	LeftAt      types.DateTime `db:"left_at"`
	Held        bool           `db:"held"` // its keys are still here
	Open        int            `db:"open"` // calls that are not at their end
}

// Connections lists an institution's connections by name, those in force first,
// with how many orders under way have a call there; calls that name none
// belong to the first.
func (s *Store) Connections(ctx context.Context, institution string) (out []Connection, err error) {
	open := list(openStatuses())
	err = s.app.ConcurrentDB().NewQuery(`WITH under_way AS (
		SELECT o.id, o.channel AS name, t.connection FROM refund_orders o JOIN transfer_orders t ON t."order" = o.id
			WHERE o.institution = {:i} AND o.status IN (` + open + `)
		UNION SELECT o.id, 'his', h.connection FROM refund_orders o JOIN his_calls h ON h."order" = o.id
			WHERE o.institution = {:i} AND o.status IN (` + open + `)
		UNION SELECT o.id, x.name, p.connection FROM payment_orders o JOIN payment_calls p ON p."order" = o.id
			JOIN connections x ON x.id = p.connection WHERE o.institution = {:i} AND o.status IN (` + list(underWay()) + `))
		SELECT c.id, c.institution, c.name, c.merchant_id, c.app_id, c.base, c.version, c.current, c.created, c.left_at,
			c.secrets_sealed != '' AS held, (SELECT COUNT(DISTINCT u.id) FROM under_way u WHERE u.name = c.name
			AND (u.connection = c.id OR (u.connection = '' AND c.version = 1))) AS open
		FROM connections c WHERE c.institution = {:i} ORDER BY c.name, c.current DESC, c.version DESC`).
		Bind(dbx.Params{"i": institution}).WithContext(ctx).All(&out)
	return out, err
}

// UnderWay counts the orders that are not at their end and went through the
// channel or the HIS of a configuration record.
func (s *Store) UnderWay(ctx context.Context, rec *core.Record) (n int, err error) {
	all, err := s.Connections(ctx, rec.GetString("institution"))
	for _, c := range all {
		if c.Name == connectionName(rec) {
			n += c.Open
		}
	}
	return n, err
}

// Reached names the connections of a channel that were in force at any time
// since then, the present one first.
func (s *Store) Reached(ctx context.Context, institution, channel string, since time.Time) (ids []string, err error) {
	err = s.app.ConcurrentDB().Select("id").From(collections.Connections).
		Where(dbx.And(dbx.HashExp{"institution": institution, "name": channel},
			dbx.NewExp("(current = TRUE OR left_at >= {:since})", dbx.Params{"since": stamp(since)}))).
		OrderBy("current DESC", "version DESC").WithContext(ctx).Column(&ids)
	if err == nil && len(ids) == 0 {
		err = flow.NewError(flow.CodeChannelOff, channel)
	}
	return ids, err
}

// Listening lists the connections of a channel that callbacks may come through,
// the one in force first.
func (s *Store) Listening(ctx context.Context, institution, channel string) (ids []string, err error) {
	err = s.app.ConcurrentDB().Select("id").From(collections.Connections).
		Where(dbx.And(dbx.HashExp{"institution": institution, "name": channel}, dbx.NewExp("(current = TRUE OR secrets_sealed != '')"))).
		OrderBy("current DESC", "version DESC").WithContext(ctx).Column(&ids)
	return ids, err
}

// ListeningCentres lists the connections to the insurance centre that its notices
// may come through, the one in force first.
func (s *Store) ListeningCentres(ctx context.Context, institution string) ([]string, error) {
	return s.Listening(ctx, institution, connectionCentre)
}

// SentThrough is the connection that a number of ours was sent through, empty when
// there is none.
func (s *Store) SentThrough(ctx context.Context, institution, no string) (string, error) {
	if payment.OwnNumber(no) {
		return s.Payments().sentThrough(ctx, institution, no)
	}
	w, err := s.ByPayout(ctx, institution, no)
	if errors.Is(err, flow.ErrNotFound) || w.Transfer == nil || w.Transfer.No != no {
		return "", nil
	}
	return w.Transfer.Connection, err
}

// ForgetAllConnections is ForgetConnections for all institutions; one that
// fails does not stop the others.
func (s *Store) ForgetAllConnections(ctx context.Context) (n int, err error) {
	var ids []string
	if err := s.app.ConcurrentDB().Select("id").From(collections.Institutions).WithContext(ctx).Column(&ids); err != nil {
		return 0, err
	}
	for _, id := range ids {
		gone, failed := s.ForgetConnections(ctx, id)
		n, err = n+gone, errors.Join(err, failed)
	}
	return n, err
}

// connectionTail is how long after its last call a connection that is no longer
// in force keeps its keys: payments come back, receipts and bills are fetched.
const connectionTail = 40 * 24 * time.Hour

// refundTail is for how many days a bill that was paid can still go back, through
// the connection that it was paid through.
const refundTail = 370

// ForgetConnections takes the keys from connections of an institution that are
// no longer in force once nothing needs them any more, and returns how many.
func (s *Store) ForgetConnections(ctx context.Context, institution string) (n int, err error) {
	all, err := s.Connections(ctx, institution)
	if err != nil {
		return 0, err
	}
	before := s.now().Add(-connectionTail)
	for _, c := range all {
		if c.Current || !c.Held || c.Open > 0 || c.LeftAt.Time().After(before) {
			continue
		}
		res, err := s.app.NonconcurrentDB().NewQuery(`UPDATE connections SET secrets_sealed = '', updated = {:now}
			WHERE id = {:c} AND current = FALSE
			AND NOT EXISTS (SELECT 1 FROM transfer_orders WHERE connection = {:c} AND created >= {:before})
			AND NOT EXISTS (SELECT 1 FROM his_calls WHERE connection = {:c} AND created >= {:before})
			AND NOT EXISTS (SELECT 1 FROM payment_calls WHERE connection = {:c} AND created >= {:paid})`).
			Bind(dbx.Params{"now": stamp(s.now()), "c": c.ID, "before": stamp(before), "paid": stamp(s.now().AddDate(0, 0,
				-refundTail))}).WithContext(ctx).Execute()
		if err != nil {
			return n, err
		}
		gone, err := res.RowsAffected()
		if err != nil {
			return n, err
		}
		n += int(gone)
	}
	return n, nil
}

// billTail is how long after its last call a former connection is asked for its
// bills: what waits for its payee, and what comes back, stands in them.
const billTail = 31

// InForceOn is the connection that was in force at the end of a business day;
// of a day before the first, the first.
func (s *Store) InForceOn(ctx context.Context, institution, name, day string) (id string, err error) {
	_, end, err := calendar.ParseDay(day)
	if err != nil {
		return "", err
	}
	err = s.app.ConcurrentDB().NewQuery("SELECT id FROM connections WHERE institution = {:i} AND name = {:n} " +
		"ORDER BY (created < {:end} AND (current OR left_at >= {:end})) DESC, version LIMIT 1").
		Bind(dbx.Params{"i": institution, "n": name, "end": stamp(end)}).WithContext(ctx).Row(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", flow.NewError(flow.CodeChannelOff, name)
	}
	return id, err
}

// FormerOn lists the connections beside those in force whose bills of a business
// day count: they had calls then or shortly before, and still have their keys.
func (s *Store) FormerOn(ctx context.Context, institution, day string) (out []Connection, err error) {
	start, end, err := calendar.ParseDay(day)
	if err != nil {
		return nil, err
	}
	err = s.app.ConcurrentDB().NewQuery(`SELECT id, institution, name, merchant_id FROM connections c WHERE institution = {:i}
		AND created < {:end} AND secrets_sealed != '' AND id NOT IN (SELECT id FROM (SELECT id, ROW_NUMBER() OVER (PARTITION BY name
			ORDER BY (created < {:end} AND (current OR left_at >= {:end})) DESC, version) AS n FROM connections
			WHERE institution = {:i}) WHERE n = 1)
		AND (EXISTS (SELECT 1 FROM transfer_orders WHERE connection = c.id AND connection != '' AND created >= {:since} AND created < {:end})
			OR EXISTS (SELECT 1 FROM his_calls WHERE connection = c.id AND connection != '' AND created >= {:since} AND created < {:end})
			OR EXISTS (SELECT 1 FROM payment_calls WHERE connection = c.id AND connection != '' AND created >= {:since} AND created < {:end}))
		ORDER BY name, version`).
		Bind(dbx.Params{"i": institution, "end": stamp(end), "since": stamp(start.AddDate(0, 0, -billTail))}).WithContext(ctx).All(&out)
	return out, err
}
