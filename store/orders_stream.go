package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pocketbase/dbx"
)

// OrderCursor reads the orders of a filter as they are at one moment.
type OrderCursor struct {
	Sum Figure // of all of them
	ctx context.Context
	tx  *dbx.Tx
	f   OrderFilter
}

// ReadOrders gives read a cursor on the orders of a filter, however many they
// are. Writers are not stopped meanwhile.
func (s *Store) ReadOrders(ctx context.Context, f OrderFilter, read func(*OrderCursor) error) error {
	return s.snapshot(ctx, func(tx *dbx.Tx) error {
		sum, err := orderSum(ctx, tx, f)
		if err != nil {
			return err
		}
		return read(&OrderCursor{Sum: sum, ctx: ctx, tx: tx, f: f})
	})
}

// Each reads one order after the other, in the order of the filter's date: what the
// order itself has.
func (c *OrderCursor) Each(each func(OrderLine) error) error {
	where, params := c.f.where()
	rows, err := c.tx.NewQuery("SELECT " + ownColumns + " FROM refund_orders o WHERE " + where + " ORDER BY " + c.f.order() + ", o.id").
		Bind(params).WithContext(c.ctx).Rows()
	if err != nil {
		return err
	}
	return Walk(rows, each)
}

// snapshot reads in one transaction, which sees one moment and stops no
// writer.
func (s *Store) snapshot(ctx context.Context, f func(tx *dbx.Tx) error) error {
	db, ok := s.app.ConcurrentDB().(*dbx.DB)
	if !ok {
		return errors.New("collections: the reading connection is not a database")
	}
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it only read
	return f(tx)
}
