package store

import (
	"context"

	"hospay/collections"
	"hospay/payment"

	"github.com/pocketbase/dbx"
)

// unknownPayments is the SQL of the payments whose outcome is open; suspendedPayments
// of those that people decide about. The index on the states carries both.
const (
	unknownPayments = "institution = {:i} AND status IN ('uploading', 'opening', 'paying', 'settled', 'writing', 'undoing', 'reversing', " +
		"'refunding') AND open_since != ''"
	suspendedPayments = "institution = {:i} AND status = 'suspense'"
)

// Unknown lists the payments of an institution whose outcome is open, oldest first.
func (p *Payments) Unknown(ctx context.Context, institution string, limit, offset int) ([]payment.Work, int, error) {
	return p.works(ctx, unknownPayments, institution, limit, offset)
}

// Suspended lists the payments of an institution that people decide about, oldest
// first.
func (p *Payments) Suspended(ctx context.Context, institution string, limit, offset int) ([]payment.Work, int, error) {
	return p.works(ctx, suspendedPayments, institution, limit, offset)
}

func (p *Payments) works(ctx context.Context, where, institution string, limit, offset int) ([]payment.Work, int, error) {
	db, on := p.s.app.ConcurrentDB(), dbx.NewExp(where, dbx.Params{"i": institution})
	total, err := p.count(ctx, where, institution)
	if err != nil {
		return nil, 0, err
	}
	var rows []paymentRow
	err = db.Select("*").From(collections.PaymentOrders).Where(on).OrderBy("open_since", "id").Limit(int64(limit)).Offset(int64(offset)).
		WithContext(ctx).All(&rows)
	out := make([]payment.Work, 0, len(rows))
	for _, r := range rows {
		w, err := p.work(ctx, db, r)
		if err != nil {
			return nil, 0, err
		}
		out = append(out, w)
	}
	return out, total, err
}

func (p *Payments) count(ctx context.Context, where, institution string) (n int, err error) {
	err = p.s.app.ConcurrentDB().Select("COUNT(*)").From(collections.PaymentOrders).Where(dbx.NewExp(where, dbx.Params{"i": institution})).
		WithContext(ctx).Row(&n)
	return n, err
}

// DeskCounts counts the payments of an institution on the desks: whose outcome is
// open, that people decide about, and whose refund waits for a second person.
func (p *Payments) DeskCounts(ctx context.Context, institution string) (open, suspended, second int, err error) {
	if open, err = p.count(ctx, unknownPayments, institution); err != nil {
		return 0, 0, 0, err
	}
	if suspended, err = p.count(ctx, suspendedPayments, institution); err != nil {
		return 0, 0, 0, err
	}
	err = p.s.app.ConcurrentDB().Select("COUNT(*)").From(collections.PaymentRefunds).
		Where(dbx.NewExp("institution = {:i} AND state = 'proposed'", dbx.Params{"i": institution})).WithContext(ctx).Row(&second)
	return open, suspended, second, err
}
