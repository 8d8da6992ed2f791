package store

import (
	"context"
	"time"

	"hospay/calendar"
	"hospay/flow"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// OpenReceipts makes a row for every successful transfer that has none, so
// that its receipt is collected. Original-route refunds have no receipts.
func (s *Store) OpenReceipts(ctx context.Context, limit int) error {
	now := s.now()
	_, err := s.app.NonconcurrentDB().NewQuery(
		"INSERT INTO receipts (id, institution, patient, `order`, out_bill_no, state, tries, next_at, " +
			"created, updated) " +
			"SELECT lower(hex(randomblob(7))) || 'r', t.institution, o.patient, t.`order`, t.out_bill_no, 'waiting', 0, {:now}, {:now}, {:now} " +
			"FROM transfer_orders t JOIN refund_orders o ON o.id = t.`order` " +
			"WHERE t.state = 'done' AND t.method = 'transfer' AND t.created > {:since} AND NOT EXISTS (SELECT 1 FROM receipts r WHERE " +
			"r.out_bill_no " +
			"= t.out_bill_no) LIMIT {:limit}").
		Bind(dbx.Params{"now": stamp(now), "since": stamp(calendar.AddMonths(now, 1-receiptMonths)), "limit": limit}).WithContext(ctx).Execute()
	return err
}

// receiptMonths is how long WeChat gives out a receipt after the payment.
const receiptMonths = 6

// MissingReceipt is a successful transfer whose receipt is not there. ID is the
// receipt's row, empty before the first try.
type MissingReceipt struct {
	ID      string         `db:"id"`
	Order   string         `db:"order"`
	OrderNo string         `db:"no"`
	No      string         `db:"out_bill_no"`
	Channel string         `db:"channel"`
	Amount  int64          `db:"amount"`
	PaidAt  types.DateTime `db:"paid_at"`
	State   string         `db:"state"`
	Tries   int            `db:"tries"`
	Message string         `db:"message"`
	NextAt  types.DateTime `db:"next_at"`
}

// Expires is when the channel no longer gives the receipt out; zero where no
// limit is known (Alipay).
func (m MissingReceipt) Expires() time.Time {
	if m.Channel != "wechat" {
		return time.Time{}
	}
	return calendar.AddMonths(m.PaidAt.Time(), receiptMonths)
}

const missingReceipts = "FROM refund_orders o JOIN transfer_orders t ON t.`order` = o.id AND t.state = 'done' AND t.method = 'transfer' " +
	"LEFT JOIN receipts r ON r.out_bill_no = t.out_bill_no " +
	"WHERE o.institution = {:i} AND o.paid_at != '' AND o.paid_at >= {:from} AND o.paid_at < {:to} AND COALESCE(r.state, '') != 'ready'"

// MissingReceipts lists successful transfers of days without a ready receipt,
// the one that expires first first.
func (s *Store) MissingReceipts(ctx context.Context, inst, from, to string, page, perPage int) ([]MissingReceipt, int, error) {
	p := dbx.Params{"i": inst, "from": dayStart(from, 0), "to": dayStart(to, 1), "limit": perPage, "offset": (page - 1) * perPage}
	var n int
	if err := s.app.ConcurrentDB().NewQuery("SELECT COUNT(*) " + missingReceipts).Bind(p).WithContext(ctx).Row(&n); err != nil {
		return nil, 0, err
	}
	rows := []MissingReceipt{}
	err := s.app.ConcurrentDB().NewQuery("SELECT COALESCE(r.id, '') AS id, o.id AS `order`, o.no, t.out_bill_no, t.channel, t.amount, " +
		"o.paid_at, COALESCE(r.state, 'none') AS state, " +
		"COALESCE(r.tries, 0) AS tries, COALESCE(r.message, '') AS message, COALESCE(r.next_at, '') AS next_at " + missingReceipts +
		" ORDER BY o.paid_at, o.id LIMIT {:limit} OFFSET {:offset}").
		Bind(p).WithContext(ctx).All(&rows)
	return rows, n, err
}

// RetryReceipt makes a receipt that is not ready due again.
func (s *Store) RetryReceipt(ctx context.Context, inst, id string) error {
	now := stamp(s.now())
	res, err := s.app.NonconcurrentDB().NewQuery("UPDATE receipts SET state = 'waiting', tries = 0, message = '', token = '', next_at = " +
		"{:now}, updated = {:now} WHERE id = {:id} AND institution = {:i} AND state != 'ready'").
		Bind(dbx.Params{"now": now, "id": id, "i": inst}).WithContext(ctx).Execute()
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return flow.ErrNotFound
	}
	return nil
}
