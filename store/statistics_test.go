package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/cmd"
	"hospay/collections"
	"hospay/internal/testday"
	"hospay/lab/testapp"
	"hospay/money"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// bare returns a migrated database with a store on it, without the program
// around it.
func bare(t *testing.T) (core.App, *store.Store) {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: testapp.Migrated(t), DBConnect: collections.Connect})
	collections.SetClock(app, testday.Now)
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	if err := cmd.ThisProgram().Open(app); err != nil {
		t.Fatal(err)
	}
	return app, store.New(app, nil)
}

// rawOrder is a row of refund_orders as a test reads it.
type rawOrder struct {
	ID          string `db:"id"`
	Institution string `db:"institution"`
	Status      string `db:"status"`
	Amount      int64  `db:"amount"`
	Method      string `db:"method"`
	Channel     string `db:"channel"`
	Compensates string `db:"compensates"`
	HISDate     string `db:"his_refund_date"`
}

func rawOrders(t *testing.T, app core.App) []rawOrder {
	t.Helper()
	var rows []rawOrder
	if err := app.ConcurrentDB().Select("id", "institution", "status", "amount", "method", "channel", "compensates", "his_refund_date").
		From("refund_orders").All(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// recounted counts the orders one by one, in plain Go, as docs/statistics.md
// defines it.
func recounted(t *testing.T, rows []rawOrder, institution string) map[string]store.StatisticsRow {
	t.Helper()
	returned := map[string]string{}
	for _, o := range rows {
		if o.Compensates != "" {
			returned[o.Compensates] = o.Status
		}
	}
	final := func(s string) bool { return slices.Contains([]string{"refused", "rejected", "cancelled", "failed"}, s) }
	out := map[string]store.StatisticsRow{}
	for _, o := range rows {
		if o.Compensates != "" || o.HISDate == "" || o.Institution != institution {
			continue
		}
		at, err := time.Parse("2006-01-02 15:04:05.000Z", o.HISDate)
		if err != nil {
			t.Fatal(err)
		}
		key := at.In(calendar.Beijing).Format(time.DateOnly) + "/" + o.Channel + "/" + o.Method
		row := out[key]
		put := func(f *store.Figure) { f.Amount += money.Fen(o.Amount); f.Count++ }
		back, came := returned[o.ID]
		switch {
		case o.Status == "succeeded" && !came:
			put(&row.Refunded)
			put(&row.Due)
		case final(o.Status), o.Status == "succeeded" && final(back):
			put(&row.Undone)
		default:
			put(&row.Outstanding)
			put(&row.Due)
		}
		out[key] = row
	}
	return out
}

// compare holds the statistics of every institution to the recount, row by row
// and in total, and the summary of states to the rows.
func compare(t *testing.T, app core.App, st *store.Store, step string) {
	t.Helper()
	rows := rawOrders(t, app)
	for _, inst := range []string{"house1", "house2"} {
		want := recounted(t, rows, inst)
		got, total, err := st.Statistics(t.Context(), store.StatisticsQuery{Institution: inst, From: "2000-01-01", To: "2099-12-31",
			By: store.StatisticsDimensions()})
		if err != nil {
			t.Fatal(err)
		}
		var sum store.StatisticsRow
		for _, r := range got {
			key := r.HISDate + "/" + r.Channel + "/" + r.Method
			w := want[key]
			if r.Due != w.Due || r.Refunded != w.Refunded || r.Outstanding != w.Outstanding || r.Undone != w.Undone {
				t.Fatalf("%s: %s is %+v, the orders say %+v", step, key, r, w)
			}
			if r.Due.Amount != r.Refunded.Amount+r.Outstanding.Amount || r.Due.Count != r.Refunded.Count+r.Outstanding.Count {
				t.Fatalf("%s: due is not refunded + outstanding: %+v", step, r)
			}
			sum.Due.Amount += r.Due.Amount
			sum.Due.Count += r.Due.Count
			delete(want, key)
		}
		if len(want) != 0 || sum.Due != total.Due {
			t.Fatalf("%s: rows are missing: %v, total %+v of %+v", step, want, total.Due, sum.Due)
		}
	}
	if diffs, err := st.VerifyStatistics(t.Context()); err != nil || len(diffs) != 0 {
		t.Fatalf("%s: the check finds %v %v", step, diffs, err)
	}
}

// walk drives orders through the table of moves by plain SQL, as any program
// would have to.
type walk struct {
	app  core.App
	rnd  *rand.Rand
	next int
}

func (w *walk) sql(t *testing.T, sql string, p dbx.Params) {
	t.Helper()
	if _, err := w.app.NonconcurrentDB().NewQuery(sql).Bind(p).Execute(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (w *walk) pick(names ...string) string { return names[w.rnd.IntN(len(names))] }

// at is a time near one of the midnights of Beijing.
func (w *walk) at() string {
	t := time.Date(2026, 11, 1+w.rnd.IntN(3), 15, 59, 0, 0, time.UTC).Add(time.Duration(w.rnd.IntN(120)) * time.Second)
	return t.Format("2006-01-02 15:04:05.000Z")
}

func (w *walk) insert(t *testing.T, status, compensates string, from *rawOrder) {
	w.next++
	p := dbx.Params{"id": fmt.Sprintf("walk%011d", w.next), "no": fmt.Sprintf("R%d", w.next), "card": fmt.Sprintf("C%d", w.next),
		"status": status, "comp": compensates,
		"inst": w.pick("house1", "house2"), "amount": 1 + w.rnd.IntN(100_000), "method": w.pick("original", "transfer"),
		"channel": w.pick("wechat", "alipay"), "his": "", "created": w.at()}
	if from != nil {
		p["inst"], p["amount"], p["method"], p["channel"], p["his"] = from.Institution, from.Amount, from.Method, from.Channel, from.HISDate
	}
	w.sql(t, "INSERT INTO refund_orders (id, no, card_no, status, compensates, institution, amount, method, channel, his_refund_date, "+
		"created) VALUES ({:id}, {:no}, {:card}, {:status}, {:comp}, {:inst}, {:amount}, {:method}, {:channel}, {:his}, {:created})", p)
}

// step does one thing to one order: the debit at HIS, a legal move, or the
// return of a payout.
func (w *walk) step(t *testing.T) string {
	rows := rawOrders(t, w.app)
	if len(rows) == 0 || w.rnd.IntN(6) == 0 {
		w.insert(t, "submitted", "", nil)
		return "new order"
	}
	o := rows[w.rnd.IntN(len(rows))]
	p := dbx.Params{"id": o.ID, "at": w.at()}
	if o.HISDate == "" && w.rnd.IntN(3) == 0 {
		w.sql(t, "UPDATE refund_orders SET his_refund_date = {:at} WHERE id = {:id}", p)
		return "debited"
	}
	if o.Status == "succeeded" && o.Compensates == "" && o.HISDate != "" {
		if !slices.ContainsFunc(rows, func(c rawOrder) bool { return c.Compensates == o.ID }) {
			w.insert(t, "reversing", o.ID, &o)
			return "payout returned"
		}
	}
	next := refund.Machine.Next(refund.Status(o.Status))
	if len(next) == 0 {
		return "stays"
	}
	p["to"] = string(next[w.rnd.IntN(len(next))])
	if w.rnd.IntN(4) == 0 && o.HISDate == "" { // both at once
		w.sql(t, "UPDATE refund_orders SET status = {:to}, his_refund_date = {:at} WHERE id = {:id}", p)
	} else {
		w.sql(t, "UPDATE refund_orders SET status = {:to}, amount = amount WHERE id = {:id}", p)
	}
	return o.Status + " to " + fmt.Sprint(p["to"])
}

// TestStatistics_DueIsRefundedPlusOutstanding holds at every moment, for
// orders in all states, returns included.
func TestStatistics_DueIsRefundedPlusOutstanding(t *testing.T) {
	reached := map[string]bool{}
	for seed := range uint64(3) {
		app, st := bare(t)
		w := &walk{app: app, rnd: rand.New(rand.NewPCG(seed, 7))}
		for i := range 300 {
			what := w.step(t)
			compare(t, app, st, fmt.Sprintf("seed %d step %d, %s", seed, i, what))
			reached[what] = true
			if _, to, ok := strings.Cut(what, " to "); ok {
				reached[to] = true
			}
		}
	}
	for _, s := range refund.Machine.States() {
		if s != refund.StatusSubmitted && !reached[string(s)] {
			t.Errorf("no order came to %s", s)
		}
	}
	if !reached["payout returned"] || !reached["debited"] {
		t.Error("nothing was debited or returned")
	}
}

// TestStatistics_EditedSummaryIsFoundAndRepairedOnlyByName edits the summary
// behind the program's back.
func TestStatistics_EditedSummaryIsFoundAndRepairedOnlyByName(t *testing.T) {
	app, st := bare(t)
	w := &walk{app: app, rnd: rand.New(rand.NewPCG(5, 5))}
	for range 200 {
		w.step(t)
	}
	w.sql(t, "UPDATE refund_days SET outstanding_amount = outstanding_amount + 1 WHERE id = (SELECT id FROM refund_days LIMIT 1)", nil)
	w.sql(t, "UPDATE refund_counts SET count = count + 2 WHERE status = 'submitted' AND institution = 'house1'", nil)
	for range 2 { // looking repairs nothing
		diffs, err := st.VerifyStatistics(t.Context())
		if err != nil || len(diffs) != 2 || diffs[0].Amount != 1 || diffs[0].Parts != 1 || diffs[1].Key != "submitted" || diffs[1].Count != 2 {
			t.Fatalf("%+v %v", diffs, err)
		}
	}
	if _, err := st.RepairStatistics(t.Context(), store.AuditEntry{ActorKind: "system", Actor: "it"}, "手工改动后重算"); err != nil {
		t.Fatal(err)
	}
	compare(t, app, st, "after the repair")
	var details string
	if err := app.ConcurrentDB().NewQuery("SELECT details FROM audit_log WHERE action = 'stats.repair'").Row(&details); err != nil ||
		!strings.Contains(details, "手工改动后重算") {
		t.Errorf("audit: %q %v", details, err)
	}
}
