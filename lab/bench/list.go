package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"hospay/collections"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// look opens the database of the folder that is served, to read only. What lies
// there at the first look is the past.
func (b *bench) look() (*dbx.DB, error) {
	if db := b.looks[b.dir]; db != nil {
		return db, nil
	}
	db, err := openData(b.dir)
	if err != nil {
		return nil, err
	}
	var last int64
	if err := db.NewQuery("SELECT COALESCE(MAX(rowid), 0) FROM refund_orders").Row(&last); err != nil {
		return nil, err
	}
	if b.looks == nil {
		b.looks, b.past = map[string]*dbx.DB{}, map[string]int64{}
	}
	b.looks[b.dir], b.past[b.dir] = db, last
	return db, nil
}

// forget closes the look, so that what was planted is of the past.
func (b *bench) forget() {
	if db := b.looks[b.dir]; db != nil {
		db.Close()
		delete(b.looks, b.dir)
	}
}

// count counts those orders that a filter has and that are not of the past.
func (b *bench) count(filter string) (n int, err error) {
	db, err := b.look()
	if err != nil {
		return 0, err
	}
	err = db.NewQuery("SELECT COUNT(*) FROM refund_orders WHERE rowid > {:past} AND " + filter).Bind(dbx.Params{"past": b.past[b.dir]}).Row(&n)
	return n, err
}

// quiet waits until nobody is told of anything any more, which goes on after
// the money.
func (b *bench) quiet(most time.Duration) error {
	db, err := b.look()
	if err != nil {
		return err
	}
	for begin := time.Now(); time.Since(begin) < most; time.Sleep(100 * time.Millisecond) {
		var waiting int
		err := db.Select("COUNT(*)").From("notifications").Where(dbx.NewExp("state = 'queued' AND next_at <= {:now}",
			dbx.Params{"now": time.Now().UTC().Format(types.DefaultDateLayout)})).Row(&waiting)
		if err != nil || waiting == 0 {
			return err
		}
	}
	return errors.New("messages stay queued")
}

func (b *bench) settled() (int, error) { return b.count("status = 'succeeded'") }

// drain waits until no order is under way.
func (b *bench) drain() error {
	for range 600 {
		n, err := b.count("status NOT IN ('succeeded', 'failed', 'refused', 'rejected', 'reviewing')")
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("orders stay under way")
}

// measureList plants past orders until the table has n of them, and times the
// list as the work queue asks for it.
func (b *bench) measureList(n int) error {
	b.stopServer()
	if err := b.plant(n); err != nil {
		return err
	}
	if _, err := b.start(); err != nil {
		return err
	}
	staff, err := b.api.Staff(context.Background(), "reviewer1")
	if err != nil {
		return err
	}
	if err := b.measureStatistics(n, staff); err != nil {
		return err
	}
	if err := b.measurePaymentList(n, staff); err != nil {
		return err
	}
	for _, q := range []struct{ name, query string }{
		{"newest first", "sort=-created"},
		{"one state, oldest first", "sort=created&filter=" + url.QueryEscape(`status = "rejected"`)},
		{"one card", "sort=-created&filter=" + url.QueryEscape(`card_no = "`+cardOfPast+`"`)},
	} {
		var took []time.Duration
		for range 60 {
			begin := time.Now()
			if err := b.api.Call(context.Background(), "GET", "/api/collections/refund_orders/records?perPage=50&skipTotal=1&"+q.query, staff, nil,
				nil); err != nil {
				return err
			}
			took = append(took, time.Since(begin))
		}
		b.add(fmt.Sprintf("list p95, %dk orders, %s", n/1000, q.name), ms(took, 95), "ms", "≤ 30")
	}
	return nil
}

// plant inserts settled orders of the past.
func (b *bench) plant(n int) error {
	b.forget()
	db, err := openData(b.dir)
	if err != nil {
		return err
	}
	defer db.Close()
	var have, paid int
	err = db.NewQuery("SELECT (SELECT COUNT(*) FROM refund_orders), (SELECT COUNT(*) FROM payment_orders)").Row(&have, &paid)
	if err != nil || have >= n && paid >= n {
		return err
	}
	return unguarded(db, func() error {
		tables := []string{collections.Patients, collections.PatientCards, collections.PersonTerms, collections.RefundOrders,
			collections.PaymentOrders, collections.PaymentCalls}
		return unindexed(db, tables, func() error {
			if err := insertPastPeople(db, n/ordersOfOne); err != nil {
				return err
			}
			if err := insertPast(db, have, n-have, n/ordersOfOne); err != nil {
				return err
			}
			return insertPastPayments(db, n)
		})
	})
}

// unindexed plants into tables whose indexes are made at the end, at once.
func unindexed(db *dbx.DB, tables []string, plant func() error) error {
	var indexes []struct{ Name, SQL string }
	err := db.Select("name", "sql").From("sqlite_master").Where(dbx.And(dbx.HashExp{"type": "index"}, dbx.NewExp("sql IS NOT NULL"),
		dbx.In("tbl_name", anys(tables)...))).All(&indexes)
	if err != nil {
		return err
	}
	for _, x := range indexes {
		if _, err := db.NewQuery("DROP INDEX `" + x.Name + "`").Execute(); err != nil {
			return err
		}
	}
	if err := plant(); err != nil {
		return err
	}
	for _, x := range indexes {
		if _, err := db.NewQuery(x.SQL).Execute(); err != nil {
			return err
		}
	}
	return nil
}

func anys(names []string) (out []any) {
	for _, n := range names {
		out = append(out, n)
	}
	return out
}

// unguarded plants: the triggers forbid that, so they are dropped for the while
// and created again.
func unguarded(db *dbx.DB, plant func() error) error {
	db.DB().SetMaxOpenConns(1)
	for _, p := range []string{"synchronous = OFF", "cache_size = -800000"} {
		if _, err := db.NewQuery("PRAGMA " + p).Execute(); err != nil {
			return err
		}
	}
	for _, t := range collections.AllTriggers() {
		if _, err := db.NewQuery("DROP TRIGGER " + t.Name).Execute(); err != nil {
			return err
		}
	}
	if err := plant(); err != nil {
		return err
	}
	if err := store.RebuildStatistics(db); err != nil {
		return err
	}
	for _, t := range collections.AllTriggers() {
		if _, err := db.NewQuery(t.SQL).Execute(); err != nil {
			return err
		}
	}
	if _, err := db.NewQuery("PRAGMA analysis_limit = 1000").Execute(); err != nil {
		return err
	}
	_, err := db.NewQuery("ANALYZE").Execute()
	return err
}

// Numbers of the past lie as far from each other as real ones do.
const (
	spread = "(({:from} + x) * 2654435761) & 4294967295, {:from} + x"
	pastID = "printf('b%08x%06x', " + spread + ")"
)

func insertPast(db *dbx.DB, from, n, people int) error {
	const past = "strftime('%Y-%m-%d %H:%M:%fZ', 'now', printf('-%d seconds', ({:from} + x) * 31))"
	return copied(db, "refund_orders", "(SELECT * FROM refund_orders WHERE status = 'succeeded' LIMIT 1) m", map[string]string{
		"id": pastID, "no": "printf('B%020d', {:from} + x)", "patient": somebody("bq", people),
		"card_no":       somebody("C", people),
		"his_refund_no": "printf('HT%018d', {:from} + x)", "channel_bill_no": "printf('50%018d', {:from} + x)",
		"payee_index": "printf('%064x', " + someone(people) + ")",
		"status":      "CASE x % 10 WHEN 0 THEN 'rejected' WHEN 1 THEN 'failed' ELSE 'succeeded' END", "next_at": "''",
		"created": past, "group_seq": "0", "lease_until": "''", "compensates": "''",
		"amount": "100 + x % 100000", "his_refund_date": past, "paid_at": "CASE WHEN x % 10 > 1 THEN " + past + " ELSE '' END",
		"channel": "CASE x % 2 WHEN 0 THEN 'wechat' ELSE 'alipay' END",
	}, from, n)
}
