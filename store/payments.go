package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/payment"
	"hospay/people"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// payments are the payment orders.
var payments = orders{payment.Machine}

// paymentJournal keeps all calls of payments.
var paymentJournal = journal{collections.PaymentCalls, "no", "theirs", "done_at", true}

// Payments implements the ports of the domain of payments on a store: the same
// claims, moves, journals and group commits as for refunds, on tables of its own.
type Payments struct{ s *Store }

var (
	_ payment.Store     = (*Payments)(nil)
	_ payment.Directory = (*Payments)(nil)
)

// Payments are the payment orders of the store.
func (s *Store) Payments() *Payments { return &Payments{s} }

// underWay are the states of payments that wait for something.
func underWay() []string {
	var out []string
	for _, s := range payment.Machine.States() {
		if !payment.Resting(s) {
			out = append(out, string(s))
		}
	}
	return out
}

// Create inserts an order with its first event. The index of open bills keeps
// two devices from paying one bill.
func (p *Payments) Create(_ context.Context, o payment.Order) error {
	err := p.s.Together(func(tx core.App) error {
		now := p.s.now()
		row, err := p.columns(o)
		if err != nil {
			return err
		}
		maps.Copy(row, dbx.Params{
			"id": o.ID, "no": o.No, "institution": o.Institution, "patient": o.Patient, "kind": string(o.Kind), "bill_no": o.BillNo,
			"card_no": o.CardNo, "title": clip(o.Title, 128), "channel": o.Channel, "terminal": string(o.Terminal), "kiosk": o.Kiosk,
			"insured": o.Insured,
			"area":    o.Area, "total": int64(o.Total), "created": stamp(o.Created), "updated": stamp(now), "version": 0,
		})
		_, err = tx.DB().Insert(collections.PaymentOrders, row).Execute()
		switch {
		case isUnique(err) && strings.Contains(err.Error(), "bill_no"):
			return flow.NewError(payment.CodeBillOrderExists, "")
		case err != nil:
			return conflictOnUnique(err)
		}
		return payments.append(tx.DB(), o.ID, o.Institution, []flow.Move{{To: o.Status, Event: "order.created",
			By: people.By{Kind: people.ByPatient, ID: o.Patient}}}, now)
	})
	p.changed(o.ID, err)
	return err
}

// changed tells the pages that an order has changed.
func (p *Payments) changed(id string, err error) {
	if err == nil && id != "" && p.s.Committed != nil {
		p.s.Committed(collections.PaymentOrders, id)
	}
}

// Claim leases due orders.
func (p *Payments) Claim(ctx context.Context, owner string, now, leaseUntil time.Time, limit int) ([]payment.Work, error) {
	var rows []paymentRow
	if err := payments.claim(ctx, p.s.app, owner, now, leaseUntil, limit, &rows); err != nil {
		return nil, err
	}
	works := make([]payment.Work, 0, len(rows))
	var unread error
	for _, r := range rows {
		w, err := p.work(ctx, p.s.app.ConcurrentDB(), r)
		if err != nil { // its lease runs out; the others go on
			unread = errors.Join(unread, fmt.Errorf("payment %s: %w", r.No, err))
			continue
		}
		works = append(works, w)
	}
	return works, unread
}

// Get reads an order with its journal rows.
func (p *Payments) Get(ctx context.Context, id string) (payment.Work, error) {
	return p.find(ctx, dbx.HashExp{"id": id})
}

// ByNumber finds an order by its own number, or by one that was sent for it to a
// channel, the centre or HIS.
func (p *Payments) ByNumber(ctx context.Context, institution, no string) (payment.Work, error) {
	if no == "" {
		return payment.Work{}, flow.ErrNotFound
	}
	// that a number is not empty is said, because the indices hold nothing else
	return p.find(ctx, dbx.NewExp("institution = {:inst} AND id = COALESCE((SELECT id FROM payment_orders WHERE no = {:no}), "+
		"(SELECT id FROM payment_orders WHERE out_trade_no = {:no} AND out_trade_no != ''), "+
		"(SELECT id FROM payment_orders WHERE med_org_ord = {:no} AND med_org_ord != ''), (SELECT `order` FROM payment_calls WHERE no = {:no}))",
		dbx.Params{"inst": institution, "no": no}))
}

func (p *Payments) find(ctx context.Context, where dbx.Expression) (payment.Work, error) {
	var r paymentRow
	db := p.s.app.ConcurrentDB()
	err := db.Select("*").From(collections.PaymentOrders).Where(where).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return payment.Work{}, flow.ErrNotFound
	}
	if err != nil {
		return payment.Work{}, err
	}
	return p.work(ctx, db, r)
}

// Commit writes a change of a payment order. Changes that wait at the same time
// share a transaction, with those of refunds too.
func (p *Payments) Commit(_ context.Context, c *payment.Change) error {
	err := p.s.Together(func(tx core.App) error { return p.write(tx, c) })
	p.changed(c.ID, err)
	return err
}

func (p *Payments) write(tx core.App, c *payment.Change) error {
	if c.Callback != nil {
		if err := insertCallback(tx, *c.Callback); err != nil {
			return err
		}
	}
	if c.ID == "" {
		return nil
	}
	now, db := p.s.now(), tx.DB()
	if err := mayPay(tx, c); err != nil {
		return err
	}
	for _, call := range c.Heard {
		used, err := paymentJournal.taken(context.Background(), db, c.Order.Institution, call, call.Theirs, nil)
		if err != nil {
			return err
		}
		if used && call.Theirs != "" {
			return flow.ErrConflict
		}
	}
	set, err := p.columns(c.Order)
	if err != nil {
		return err
	}
	if err := payments.move(db, c.Change, c.Order.Institution, c.Order.Status, set, now); err != nil {
		return err
	}
	if err := auditDesk(tx, c.Change, c.Order.No, payment.EventRefundAsked, payment.EventRefundTold,
		payment.EventRefundProposed, payment.EventRefundConfirmed, payment.EventRefundDeclined, payment.EventWoken); err != nil {
		return err
	}
	if err := p.putRows(db, c, now); err != nil {
		return err
	}
	for _, n := range c.Notices {
		if err := p.tell(tx, c, n); err != nil {
			return err
		}
	}
	return nil
}

// putRows writes the journal rows of a change and its refund.
func (p *Payments) putRows(db dbx.Builder, c *payment.Change, now time.Time) error {
	through := map[*flow.Call]string{}
	for _, call := range c.Calls {
		through[call] = map[string]string{payment.SideChannel: c.Order.Channel, payment.SideCentre: connectionCentre,
			payment.SideHIS: connectionHIS}[payment.CallSide(call.Kind)]
	}
	if err := p.s.nameCalls(context.Background(), db, c.Order.Institution, through); err != nil {
		return err
	}
	for _, call := range c.Calls {
		if err := paymentJournal.put(db, c.Order.Order, call, nil, nil, stamp(now)); err != nil {
			return err
		}
	}
	r := c.Refund
	if r == nil {
		return nil
	}
	fixed := dbx.Params{"order": c.Order.ID, "institution": c.Order.Institution, "seq": r.Seq, "kind": string(r.Kind),
		"insurance": r.Insurance,
		"fund":      int64(r.Fund), "account": int64(r.Account), "cash": int64(r.Cash), "by_itself": r.ByItself, "reason": clip(r.Reason, 500),
		"actor_kind": string(r.By.Kind), "actor": r.By.ID, "his_refund_id": r.HISRefundID,
		"his_refund_at": stamp(r.HISRefundAt), "told": r.Told, "asked_at": stamp(r.AskedAt)}
	changing := dbx.Params{"state": r.State, "cash_done": r.CashDone, "done_at": stamp(r.DoneAt), "updated": stamp(now),
		"from": string(r.From), "cash_no": clip(r.CashNo, 64), "cash_at": stamp(r.CashAt), "insurance_no": clip(r.InsuranceNo, 64)}
	return put(db, collections.PaymentRefunds, dbx.Params{"no": r.No}, fixed, changing)
}

// Taken reports whether the other side has given its number to another call.
func (p *Payments) Taken(ctx context.Context, o payment.Order, c *flow.Call, theirs string) (bool, error) {
	return paymentJournal.taken(ctx, p.s.app.ConcurrentDB(), o.Institution, c, theirs, nil)
}

// RefundByHIS finds the refund that HIS has asked for under a number of its own.
func (p *Payments) RefundByHIS(ctx context.Context, institution, hisRefundID string) (payment.Work, *payment.Refund, error) {
	if hisRefundID == "" {
		return payment.Work{}, nil, flow.ErrNotFound
	}
	return p.refund(ctx, dbx.And(dbx.HashExp{"institution": institution, "his_refund_id": hisRefundID}, dbx.NewExp("his_refund_id != ''")))
}

// Rewind makes up for a clock that has gone back, for all orders.
func (p *Payments) Rewind(ctx context.Context, now time.Time) (time.Duration, int64, error) {
	return p.s.Rewind(ctx, now)
}

// Events returns an order's history in its order.
func (p *Payments) Events(ctx context.Context, order string) ([]Event, error) {
	return payments.history(ctx, p.s.app.ConcurrentDB(), order)
}
