package store

import (
	"context"

	"hospay/collections"
	"hospay/flow"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// MonthReceipt is a successful transfer of a month with its electronic receipt, or
// with where that stands.
type MonthReceipt struct {
	Receipt string         `db:"receipt"` // the row's id, empty before the first try
	OrderNo string         `db:"no"`
	No      string         `db:"out_bill_no"`
	Channel string         `db:"channel"`
	Amount  int64          `db:"amount"`
	PaidAt  types.DateTime `db:"paid_at"`
	State   string         `db:"state"`
	Message string         `db:"message"`
}

const monthReceipts = "FROM refund_orders o JOIN transfer_orders t ON t.`order` = o.id AND t.state = 'done' AND t.method = 'transfer' " +
	"LEFT JOIN receipts r ON r.out_bill_no = t.out_bill_no WHERE o.institution = {:i} AND o.paid_at != '' AND o.paid_at >= {:from} AND " +
	"o.paid_at < {:to}"

// MonthReceipts lists the successful transfers between two days, the first paid
// first.
func (s *Store) MonthReceipts(ctx context.Context, inst, from, to string) ([]MonthReceipt, error) {
	rows := []MonthReceipt{}
	err := s.app.ConcurrentDB().NewQuery("SELECT COALESCE(r.id, '') AS receipt, o.no, t.out_bill_no, t.channel, t.amount, o.paid_at, " +
		"COALESCE(r.state, 'none') AS state, COALESCE(r.message, '') AS message " + monthReceipts + " ORDER BY o.paid_at, o.id").
		Bind(dbx.Params{"i": inst, "from": dayStart(from, 0), "to": dayStart(to, 1)}).WithContext(ctx).All(&rows)
	return rows, err
}

// ReceiptFile reads a receipt of an institution.
func (s *Store) ReceiptFile(ctx context.Context, inst, id string) ([]byte, error) {
	rec, err := s.app.FindRecordById(collections.Receipts, id)
	if err != nil || rec.GetString("institution") != inst {
		return nil, flow.ErrNotFound
	}
	return s.Receipt(ctx, rec)
}
