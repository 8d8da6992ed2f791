// Package store is the repository: it implements the domains' ports on the
// database, under the guards of package collections, and answers what pages and
// jobs ask for. It is the only place that knows how rows become orders.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/his"
	"hospay/internal/vault"
	"hospay/people"
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
	// Committed is called after a commit with the order's collection and id, when set.
	Committed func(collection, id string)
	// Transport carries the calls of channels and HIS, when set (tests).
	Transport http.RoundTripper
	// HISTap hears what is said to a HIS and what it answers, when set (probes).
	HISTap his.Tap
	cache  configCache
	logins failedLogins
	// termsKept: every row of the folder has its terms.
	termsKept atomic.Bool
	tampered  atomic.Bool // the guards are not those of the program: nothing is paid
}

var (
	_ refund.Store     = (*Store)(nil)
	_ refund.Directory = (*Store)(nil)
)

// New returns a store on the app's database.
func New(app core.App, v *vault.Vault) *Store {
	if v != nil {
		if c, err := v.Chain(); err == nil { // a vault that is open has a whole key file
			SetChain(app, c)
		}
	}
	return &Store{app: app, vault: v, group: newCommitGroup()}
}

// Vault returns the vault of the store.
func (s *Store) Vault() *vault.Vault { return s.vault }

func (s *Store) now() time.Time { return collections.Now(s.app) }

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

// refunds are the refund orders.
var refunds = orders{refund.Machine}

// Claim leases due refund orders.
func (s *Store) Claim(ctx context.Context, owner string, now, leaseUntil time.Time, limit int) ([]refund.Work, error) {
	var rows []orderRow
	if err := refunds.claim(ctx, s.app, owner, now, leaseUntil, limit, &rows); err != nil {
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
	return s.find(ctx, dbx.NewExp("institution = {:inst} AND id = (SELECT `order` FROM transfer_orders WHERE out_bill_no = {:no})",
		dbx.Params{"inst": institution, "no": no}))
}

func (s *Store) find(ctx context.Context, where dbx.Expression) (refund.Work, error) {
	var r orderRow
	db := s.app.ConcurrentDB()
	err := db.Select("*").From(collections.RefundOrders).Where(where).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return refund.Work{}, flow.ErrNotFound
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
	if err := untaken(db, c); err != nil {
		return err
	}
	if c.Review != nil { // before the move, which a trigger compares with it
		if err := insertReview(db, c.Order, *c.Review, now); err != nil {
			return err
		}
	}
	if err := auditReview(tx, c); err != nil {
		return err
	}
	if err := refunds.move(db, c.Change, c.Order.Institution, c.Order.Status, orderColumns(c.Order), now); err != nil {
		return err
	}
	if err := auditDesk(tx, c.Change, c.Order.No); err != nil {
		return err
	}
	if err := s.nameConnections(context.Background(), db, c); err != nil {
		return err
	}
	if err := putCalls(db, c, stamp(now)); err != nil {
		return err
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

func insertCallback(tx core.App, cb flow.CallbackRow) error {
	_, err := tx.DB().Insert(collections.Callbacks, dbx.Params{
		"id": newID(), "institution": cb.Institution, "channel": cb.Channel, "callback_id": cb.ID, "kind": cb.Kind, "no": cb.No,
		"effect": cb.Effect, "body": clip(cb.Body, 4000), "created": stamp(collections.Now(tx)),
	}).Execute()
	if isUnique(err) {
		return flow.ErrSeen
	}
	return err
}

func insertReview(db dbx.Builder, o refund.Order, r refund.Review, at time.Time) error {
	verdicts := r.Verdicts
	if verdicts == nil {
		verdicts = []refund.RuleVerdict{}
	}
	_, err := db.Insert(collections.Reviews, dbx.Params{
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
		return flow.ErrConflict
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
	_, err := s.app.NonconcurrentDB().Update(collections.RefundOrders, dbx.Params{"next_at": stamp(s.now())}, dbx.And(
		dbx.HashExp{"institution": institution}, dbx.In("status", string(refund.StatusApproved), string(refund.StatusPaying)))).WithContext(ctx).
		Execute()
	return err
}

// FirstEvent writes the event of an order's submission, and by whose phone it is found.
func (s *Store) FirstEvent(tx core.App, order *core.Record) error {
	if err := s.keepContact(tx, order); err != nil {
		return err
	}
	return refunds.append(tx.DB(), order.Id, order.GetString("institution"), []flow.Move{{
		To: refund.StatusSubmitted, Event: "order.submitted", By: people.By{Kind: people.ByPatient, ID: order.GetString("patient")},
	}}, collections.Now(tx))
}
