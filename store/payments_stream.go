package store

import (
	"context"

	"hospay/money"

	"github.com/pocketbase/dbx"
)

// PaymentCursor reads the payments of a filter at one moment.
type PaymentCursor struct {
	Sum PaymentSum
	ctx context.Context
	tx  *dbx.Tx
	f   PaymentFilter
}

// PaymentSum is what the payments of a filter add up to.
type PaymentSum struct {
	Count int       `db:"n" json:"count"`
	Total money.Fen `db:"total" json:"total"`
	Fund  money.Fen `db:"fund" json:"fund"`
	Cash  money.Fen `db:"cash" json:"cash"`
}

// Read gives read a cursor on the payments of a filter, however many they are.
// Writers are not stopped meanwhile.
func (p *Payments) Read(ctx context.Context, f PaymentFilter, read func(*PaymentCursor) error) error {
	return p.s.snapshot(ctx, func(tx *dbx.Tx) error {
		c := &PaymentCursor{ctx: ctx, tx: tx, f: f}
		where, params := f.where()
		err := tx.NewQuery("SELECT COUNT(*) AS n, COALESCE(SUM(o.total), 0) AS total, COALESCE(SUM(o.fund), 0) AS fund, " +
			"COALESCE(SUM(o.cash), 0) AS cash FROM payment_orders o WHERE " + where).Bind(params).WithContext(ctx).One(&c.Sum)
		if err != nil {
			return err
		}
		return read(c)
	})
}

// Each reads one payment after the other, oldest first.
func (c *PaymentCursor) Each(each func(PaymentLine) error) error {
	where, params := c.f.where()
	rows, err := c.tx.NewQuery("SELECT " + paymentColumns + " FROM payment_orders o WHERE " + where + " ORDER BY o.created, o.id").
		Bind(params).WithContext(c.ctx).Rows()
	if err != nil {
		return err
	}
	return Walk(rows, each)
}
