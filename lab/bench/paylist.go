package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
)

// insertPastPayments plants payments of the past after the pattern of one that is
// done, each with the calls that its kind of pattern has.
func insertPastPayments(db *dbx.DB, n int) error {
	var have int
	if err := db.NewQuery("SELECT COUNT(*) FROM payment_orders").Row(&have); err != nil {
		return err
	}
	const past = "strftime('%Y-%m-%d %H:%M:%fZ', 'now', printf('-%d seconds', ({:from} + x) * 31))"
	id := func(mark string) string { return "printf('" + mark + "%013d', {:from} + x)" }
	pattern := "(SELECT * FROM payment_orders WHERE status = 'done' AND insured = TRUE ORDER BY created LIMIT 1) m"
	order := map[string]string{
		"id": id("bp"), "no": "printf('PB%018d', {:from} + x)", "bill_no": "printf('BB%010d', {:from} + x)",
		"card_no": somebody("C", n/ordersOfOne), "patient": somebody("bq", n/ordersOfOne),
		"status":  "CASE x % 20 WHEN 0 THEN 'cancelled' WHEN 1 THEN 'refunded' ELSE 'done' END",
		"channel": "CASE x % 2 WHEN 0 THEN 'wechat' ELSE 'alipay' END", "kind": "CASE x % 5 WHEN 0 THEN 'registration' ELSE 'outpatient' END",
		"insured": "x % 3 > 0", "created": past, "paid_at": past, "settled_at": past,
		"written_at":   "CASE x % 20 WHEN 0 THEN '' ELSE " + past + " END",
		"out_trade_no": "printf('PBC%017d', {:from} + x)", "med_org_ord": "printf('PBM%017d', {:from} + x)",
		"pay_ord_id": "printf('ORD%020d', {:from} + x)", "setl_id": "printf('S%020d', {:from} + x)",
		"receipt_no": "printf('HR%014d', {:from} + x)",
		"channel_no": "printf('42%018d', {:from} + x)", "mix_trade_no": "''", "next_at": "''", "lease_until": "''",
	}
	if err := copied(db, "payment_orders", pattern, order, have, n-have); err != nil {
		return err
	}
	for _, kind := range []string{"trade", "charge"} {
		call := map[string]string{"id": id(kind[:2]), "no": "printf('PB" + strings.ToUpper(kind[:1]) + "C%016d', {:from} + x)", "order": id("bp"),
			"theirs": "printf('T" + kind[:1] + "%017d', {:from} + x)", "created": past, "sent_at": past, "done_at": past}
		pattern := "(SELECT * FROM payment_calls WHERE kind = '" + kind + "' AND state = 'done' ORDER BY created LIMIT 1) m"
		if err := copied(db, "payment_calls", pattern, call, have, n-have); err != nil {
			return err
		}
	}
	return nil
}

// planted is how many rows a statement inserts.
const planted = 50_000

// copied inserts n rows of a table after a pattern, with columns of their own.
func copied(db *dbx.DB, table, pattern string, own map[string]string, from, n int) error {
	var columns []string
	if err := db.NewQuery("SELECT name FROM pragma_table_info('" + table + "')").Column(&columns); err != nil {
		return err
	}
	var exprs, names []string
	for _, c := range columns {
		names = append(names, "`"+c+"`")
		if e, ok := own[c]; ok {
			exprs = append(exprs, e)
			continue
		}
		exprs = append(exprs, "m.`"+c+"`")
	}
	if _, err := db.NewQuery("CREATE TEMP TABLE pattern AS SELECT * FROM " + pattern).Execute(); err != nil {
		return err
	}
	query := "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {:n}) INSERT INTO " + table + " (" +
		strings.Join(names, ",") + ") SELECT " + strings.Join(exprs, ",") + " FROM n, pattern m"
	for ; n > 0; n -= planted { // what a statement changes lies in memory until it ends
		if _, err := db.NewQuery(query).Bind(dbx.Params{"n": min(n, planted), "from": from}).Execute(); err != nil {
			return err
		}
		from += planted
	}
	_, err := db.NewQuery("DROP TABLE temp.pattern").Execute()
	return err
}

// measurePaymentList times the list of payments and their statistics, as the
// console asks for them.
func (b *bench) measurePaymentList(n int, staff string) error {
	now := time.Now()
	day := "from=" + now.AddDate(0, 0, -30).Format(time.DateOnly) + "&to=" + now.AddDate(0, 0, -30).Format(time.DateOnly)
	year := "from=" + now.AddDate(-1, 0, 0).Format(time.DateOnly) + "&to=" + now.Format(time.DateOnly)
	for _, q := range []struct{ name, path, aim string }{
		{"who needs people", "payments?needs=people", "≤ 30"},
		{"newest", "payments?", "≤ 30"},
		{"page 200 of the newest", "payments?page=200", "≤ 30"},
		{"a day", "payments?" + day, "≤ 30"},
		{"a state", "payments?status=cancelled", "≤ 30"},
		{"a channel and a scene", "payments?channel=alipay&kind=registration", "≤ 30"},
		{"what HIS has refused", "payments?his=refused", "≤ 30"},
		{"a number of the channel", "payments?no=42000000000000050000", "≤ 30"},
		{"a card", "payments?no=" + cardOfPast, "≤ 30"},
		{"statistics of a year", "stats/payments?" + year, "≤ 500"},
	} {
		var took []time.Duration
		for range 30 {
			begin := time.Now()
			if err := b.api.Call(context.Background(), "GET", "/api/hospay/"+q.path, staff, nil, nil); err != nil {
				return err
			}
			took = append(took, time.Since(begin))
		}
		b.add(fmt.Sprintf("payments p95, %dk, %s", n/1000, q.name), ms(took, 95), "ms", q.aim)
	}
	return nil
}
