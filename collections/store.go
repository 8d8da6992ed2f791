package collections

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"hospay/internal/vault"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Store implements the domain's ports on the database. It writes orders with
// plain SQL under the database's triggers, because a record save would write
// every column of a stale copy.
type Store struct {
	app   core.App
	vault *vault.Vault
	open  atomic.Int32
	group commitGroup
	// Committed is called after a commit with the order's id, when set.
	Committed func(orderID string)
	// Transport carries the calls of channels and HIS, when set (tests).
	Transport http.RoundTripper
	cache     configCache
}

var (
	_ refund.Store     = (*Store)(nil)
	_ refund.Directory = (*Store)(nil)
)

// NewStore returns a store on the database of an app that has its clock.
func NewStore(app core.App, v *vault.Vault) *Store {
	return &Store{app: app, vault: v}
}

// Vault returns the vault of the store.
func (s *Store) Vault() *vault.Vault { return s.vault }

// InTransaction tells how many write transactions of the store are open. Tests
// use it to prove that no network call is made inside one.
func (s *Store) InTransaction() int { return int(s.open.Load()) }

// transact runs f in one write transaction.
func (s *Store) transact(f func(tx core.App) error) error {
	return s.app.RunInTransaction(func(tx core.App) error {
		s.open.Add(1)
		defer s.open.Add(-1)
		return f(tx)
	})
}

// Claim leases due orders. It looks with a reading connection first, so that
// an idle worker never takes the writer.
func (s *Store) Claim(ctx context.Context, owner string, now, leaseUntil time.Time, limit int) ([]refund.Work, error) {
	due := `next_at != '' AND next_at <= {:now} AND lease_until < {:now}`
	params := dbx.Params{"now": stamp(now), "until": stamp(leaseUntil), "owner": owner, "limit": limit}
	var one int
	err := s.app.ConcurrentDB().NewQuery(`SELECT 1 FROM refund_orders WHERE ` + due + ` LIMIT 1`).Bind(params).WithContext(ctx).Row(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var rows []orderRow
	err = s.app.NonconcurrentDB().NewQuery(`UPDATE refund_orders SET lease_until = {:until}, lease_owner = {:owner}, version = version + 1
		WHERE id IN (SELECT id FROM refund_orders WHERE ` + due + ` ORDER BY next_at LIMIT {:limit}) RETURNING *`).Bind(params).WithContext(ctx).All(&rows)
	if err != nil {
		return nil, err
	}
	works := make([]refund.Work, 0, len(rows))
	var unread error
	for _, r := range rows {
		w, err := s.work(ctx, s.app.ConcurrentDB(), r)
		if err != nil { // its lease runs out; the others go on
			unread = errors.Join(unread, fmt.Errorf("order %s: %w", r.No, err))
			continue
		}
		works = append(works, w)
	}
	return works, unread
}

// Get reads an order with its journal rows.
func (s *Store) Get(ctx context.Context, id string) (refund.Work, error) {
	return s.find(ctx, dbx.HashExp{"id": id})
}

// ByPayout finds the order of a payout number of an institution.
func (s *Store) ByPayout(ctx context.Context, institution, no string) (refund.Work, error) {
	return s.find(ctx, dbx.NewExp("institution = {:inst} AND id = (SELECT `order` FROM transfer_orders WHERE out_bill_no = {:no})", dbx.Params{"inst": institution, "no": no}))
}

func (s *Store) find(ctx context.Context, where dbx.Expression) (refund.Work, error) {
	var r orderRow
	db := s.app.ConcurrentDB()
	err := db.Select("*").From(RefundOrders).Where(where).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return refund.Work{}, refund.ErrNotFound
	}
	if err != nil {
		return refund.Work{}, err
	}
	return s.work(ctx, db, r)
}

func (s *Store) apply(tx core.App, c *refund.Change, now time.Time) error {
	db := tx.DB()
	if err := entitled(tx, c); err != nil {
		return err
	}
	if err := stillProxy(db, c); err != nil {
		return err
	}
	if c.Review != nil { // before the move, which a trigger compares with it
		if err := insertReview(db, c.Order, *c.Review, now); err != nil {
			return err
		}
	}
	if err := s.updateOrder(db, c, now); err != nil {
		return err
	}
	if err := appendEvents(db, c.ID, c.Order.Institution, c.Moves, now); err != nil {
		return err
	}
	if err := auditDesk(tx, c); err != nil {
		return err
	}
	for _, call := range []*refund.HISCall{c.Debit, c.Reversal} {
		if call != nil && (call != c.Debit || c.Order.Compensates == "") {
			if err := putHISCall(db, c.Order, call, now); err != nil {
				return err
			}
		}
	}
	if c.Transfer != nil {
		if err := putTransfer(db, c.Order, c.Transfer, now); err != nil {
			return err
		}
	}
	for _, n := range c.Notices {
		if err := s.queueNotice(tx, c.Order, n); err != nil {
			return err
		}
	}
	if c.Compensate != nil {
		return s.insertCompensation(db, *c.Compensate, now)
	}
	return nil
}

// updateOrder moves the summary row by compare-and-set, one move after the
// other, so that the database judges each of them.
func (s *Store) updateOrder(db dbx.Builder, c *refund.Change, now time.Time) error {
	from := c.From
	for _, m := range c.Moves {
		if m.To == m.From || m.To == c.Order.Status {
			continue
		}
		if err := s.cas(db, c.ID, from, c.Version, dbx.Params{"status": string(m.To)}, now); err != nil {
			return err
		}
		from = m.To
	}
	set := orderColumns(c.Order)
	set["version"] = c.Version + 1
	if !c.KeepLease {
		set["lease_until"], set["lease_owner"] = "", ""
	}
	return s.cas(db, c.ID, from, c.Version, set, now)
}

func (s *Store) cas(db dbx.Builder, id string, from refund.Status, version int64, set dbx.Params, now time.Time) error {
	set["updated"] = stamp(now)
	res, err := db.Update(RefundOrders, set, dbx.HashExp{"id": id, "status": string(from), "version": version}).Execute()
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return refund.ErrConflict
	}
	return nil
}

// appendEvents continues the order's chain of events. Each hash covers the one
// before, so that a changed or missing row shows.
func appendEvents(db dbx.Builder, order, institution string, moves []refund.Move, at time.Time) error {
	if len(moves) == 0 {
		return nil
	}
	var last struct {
		Seq  int    `db:"seq"`
		Hash string `db:"hash"`
	}
	err := db.Select("seq", "hash").From(RefundEvents).Where(dbx.HashExp{"order": order}).OrderBy("seq DESC").Limit(1).One(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	for _, m := range moves {
		last.Seq++
		row := dbx.Params{
			"id": newID(), "order": order, "institution": institution, "seq": last.Seq, "from": string(m.From), "to": string(m.To), "event": m.Event,
			"actor_kind": string(m.By.Kind), "actor": m.By.ID, "code": clip(m.Code, 100), "message": clip(m.Message, 1000), "created": stamp(at),
		}
		last.Hash = eventHash(last.Hash, row)
		row["hash"] = last.Hash
		if _, err := db.Insert(RefundEvents, row).Execute(); err != nil {
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

func insertCallback(tx core.App, c *refund.Change) error {
	cb := c.Callback
	_, err := tx.DB().Insert(Callbacks, dbx.Params{
		"id": newID(), "institution": cb.Institution, "channel": cb.Channel, "callback_id": cb.ID, "kind": cb.Kind, "no": cb.No,
		"effect": cb.Effect, "body": clip(cb.Body, 4000), "created": stamp(Now(tx)),
	}).Execute()
	if isUnique(err) {
		return refund.ErrSeen
	}
	return err
}

func insertReview(db dbx.Builder, o refund.Order, r refund.Review, at time.Time) error {
	verdicts := r.Verdicts
	if verdicts == nil {
		verdicts = []refund.RuleVerdict{}
	}
	_, err := db.Insert(Reviews, dbx.Params{
		"id": newID(), "order": o.ID, "institution": o.Institution, "stage": string(r.Stage), "decision": string(r.Decision),
		"reviewer": r.Reviewer, "note": clip(r.Note, 1000), "verdicts": jsonText(verdicts), "created": stamp(at),
	}).Execute()
	return conflictOnUnique(err)
}

// isUnique reports whether a unique index refused a row.
func isUnique(err error) bool {
	return err != nil && strings.Contains(err.Error(), "UNIQUE constraint failed")
}

func conflictOnUnique(err error) error {
	if isUnique(err) {
		return refund.ErrConflict
	}
	return err
}

func newID() string { return core.GenerateDefaultRandomId() }

// stamp is a time as PocketBase stores it; the zero time is empty.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(types.DefaultDateLayout)
}

func clip(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	return string(r[:limit])
}

// WakeStopped makes the orders of an institution due that waited for the end
// of a freeze.
func (s *Store) WakeStopped(ctx context.Context, institution string) error {
	_, err := s.app.NonconcurrentDB().Update(RefundOrders, dbx.Params{"next_at": stamp(s.now())}, dbx.And(
		dbx.HashExp{"institution": institution}, dbx.In("status", string(refund.StatusApproved), string(refund.StatusPaying)))).WithContext(ctx).Execute()
	return err
}

// FirstEvent writes the event of an order's submission.
func FirstEvent(tx core.App, order *core.Record) error {
	return appendEvents(tx.DB(), order.Id, order.GetString("institution"), []refund.Move{{
		To: refund.StatusSubmitted, Event: "order.submitted", By: refund.By{Kind: refund.ByPatient, ID: order.GetString("patient")},
	}}, Now(tx))
}
