package collections

import (
	"context"
	"time"

	"github.com/pocketbase/dbx"
)

// OpenReceipts makes a row for every successful transfer that has none, so
// that its receipt is collected. Original-route refunds have no receipts.
func (s *Store) OpenReceipts(ctx context.Context, limit int) error {
	now := time.Now()
	_, err := s.app.NonconcurrentDB().NewQuery("INSERT INTO receipts (id, institution, patient, `order`, out_bill_no, state, tries, next_at, created, updated) " +
		"SELECT lower(hex(randomblob(7))) || 'r', t.institution, o.patient, t.`order`, t.out_bill_no, 'waiting', 0, {:now}, {:now}, {:now} " +
		"FROM transfer_orders t JOIN refund_orders o ON o.id = t.`order` " +
		"WHERE t.state = 'done' AND t.method = 'transfer' AND t.created > {:since} AND NOT EXISTS (SELECT 1 FROM receipts r WHERE r.out_bill_no = t.out_bill_no) LIMIT {:limit}").
		Bind(dbx.Params{"now": stamp(now), "since": stamp(now.AddDate(0, -5, 0)), "limit": limit}).WithContext(ctx).Execute()
	return err
}
