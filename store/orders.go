package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"hospay/flow"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// orders leases and moves the orders of one machine, whatever its domain: the
// table's names come from the machine, and the guards of the database judge
// every move by the same table.
type orders struct{ *flow.Machine }

// claim leases due orders and reads their rows into dest. It looks with a
// reading connection first, so that an idle worker never takes the writer.
func (o orders) claim(ctx context.Context, app core.App, owner string, now, leaseUntil time.Time, limit int, dest any) error {
	due := `next_at != '' AND next_at <= {:now} AND lease_until < {:now}`
	params := dbx.Params{"now": stamp(now), "until": stamp(leaseUntil), "owner": owner, "limit": limit}
	var one int
	err := app.ConcurrentDB().NewQuery(`SELECT 1 FROM ` + o.Orders + ` WHERE ` + due + ` LIMIT 1`).Bind(params).WithContext(ctx).Row(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	// In a transaction: in a cluster nothing may write and return rows outside of one.
	return app.RunInTransaction(func(tx core.App) error {
		return tx.DB().NewQuery(`UPDATE ` + o.Orders + ` SET lease_until = {:until}, lease_owner = {:owner}, version = version + 1
			WHERE id IN (SELECT id FROM ` + o.Orders + ` WHERE ` + due + ` ORDER BY next_at LIMIT {:limit}) RETURNING *`).Bind(params).
			WithContext(ctx).All(dest)
	})
}

// head are the columns that the ground writes of every order.
func (o orders) head(h flow.Order) dbx.Params {
	return dbx.Params{
		"status": string(h.Status), "suspended_from": string(h.SuspendedFrom), "tries": h.Tries, "open_since": stamp(h.OpenSince),
		"next_at": stamp(h.NextAt), "fail_code": clip(h.FailCode, 100), "fail_reason": clip(h.FailReason, 500),
	}
}

// move writes the summary row by compare-and-set, one move after the other, so
// that the database judges each of them, and appends the events.
func (o orders) move(db dbx.Builder, c flow.Change, institution string, to flow.State, set dbx.Params, now time.Time) error {
	from := c.From
	for _, m := range c.Moves {
		if m.To == m.From || m.To == to {
			continue
		}
		if err := o.cas(db, c.ID, from, c.Version, dbx.Params{"status": string(m.To)}, now); err != nil {
			return err
		}
		from = m.To
	}
	set["version"] = c.Version + 1
	if !c.KeepLease {
		set["lease_until"], set["lease_owner"] = "", ""
	}
	if err := o.cas(db, c.ID, from, c.Version, set, now); err != nil {
		return err
	}
	return o.append(db, c.ID, institution, c.Moves, now)
}

func (o orders) cas(db dbx.Builder, id string, from flow.State, version int64, set dbx.Params, now time.Time) error {
	set["updated"] = stamp(now)
	res, err := db.Update(o.Orders, set, dbx.HashExp{"id": id, "status": string(from), "version": version}).Execute()
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return flow.ErrConflict
	}
	return nil
}

// append continues the order's chain of events. Each hash covers the one
// before, so that a changed or missing row shows.
func (o orders) append(db dbx.Builder, order, institution string, moves []flow.Move, at time.Time) error {
	if len(moves) == 0 {
		return nil
	}
	var last struct {
		Seq  int    `db:"seq"`
		Hash string `db:"hash"`
	}
	err := db.Select("seq", "hash").From(o.Events).Where(dbx.HashExp{"order": order}).OrderBy("seq DESC").Limit(1).One(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	for _, m := range moves {
		last.Seq++
		row := dbx.Params{
			"id": newID(), "order": order, "institution": institution, "seq": last.Seq, "from": string(m.From), "to": string(m.To),
			"event": m.Event, "actor_kind": string(m.By.Kind), "actor": m.By.ID,
			"code": clip(m.Code, 100), "message": clip(m.Message, 1000), "created": stamp(at),
		}
		last.Hash = eventHash(last.Hash, row)
		row["hash"] = last.Hash
		if _, err := db.Insert(o.Events, row).Execute(); err != nil {
			return conflictOnUnique(err)
		}
	}
	return nil
}

func eventHash(prev string, row dbx.Params) string {
	var b strings.Builder
	b.WriteString(prev)
	for _, k := range []string{"order", "seq", "from", "to", "event", "actor_kind", "actor", "code", "message", "created"} {
		fmt.Fprintf(&b, "\x00%v", row[k])
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}
