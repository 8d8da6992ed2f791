package store_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"hospay/collections"
	"hospay/store"
)

// page reads the first page of a filter, and its sum.
func page(t *testing.T, st *store.Store, f store.OrderFilter) ([]store.OrderLine, store.Figure, error) {
	t.Helper()
	lines, err := st.OrderPage(t.Context(), f, 1, 500)
	if err != nil {
		return nil, store.Figure{}, err
	}
	sum, err := st.OrderSum(t.Context(), f)
	return lines, sum, err
}

// TestStatistics_DetailIsItsCell holds every cell of the statistics to the
// orders behind it.
func TestStatistics_DetailIsItsCell(t *testing.T) {
	app, st := bare(t)
	w := &walk{app: app, rnd: rand.New(rand.NewPCG(3, 3))}
	for range 600 {
		w.step(t)
	}
	rows, _, err := st.Statistics(t.Context(), store.StatisticsQuery{Institution: "house1", From: "2026-11-01", To: "2026-11-30",
		By: store.StatisticsDimensions()})
	if err != nil || len(rows) < 4 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, r := range rows {
		for standing, cell := range map[string]store.Figure{
			collections.StandingDue: r.Due, collections.StandingRefunded: r.Refunded, collections.StandingOutstanding: r.Outstanding,
			collections.StandingUndone: r.Undone,
		} {
			f := store.OrderFilter{Institution: "house1", By: store.ByHISDate, From: r.HISDate, To: r.HISDate, Channel: r.Channel, Method: r.Method,
				Standing: standing}
			lines, sum, err := page(t, st, f)
			if err != nil || sum != cell || len(lines) != cell.Count {
				t.Errorf("%+v: %d lines, %+v, cell %+v, %v", f, len(lines), sum, cell, err)
			}
		}
	}
}

// TestQueue_CountsAreTheListsAndWalkNothing compares each tab with its list.
func TestQueue_CountsAreTheListsAndWalkNothing(t *testing.T) {
	app, st := bare(t)
	w := &walk{app: app, rnd: rand.New(rand.NewPCG(4, 4))}
	for range 1000 {
		w.step(t)
	}
	w.sql(t, "UPDATE refund_orders SET open_since = '2026-11-02 00:00:00.000Z' WHERE status IN ('paying', 'awaiting_payee', 'debiting')", nil)
	held := map[string]int{}
	for _, inst := range []string{"house1", "house2"} {
		counts, err := st.QueueCounts(t.Context(), inst)
		if err != nil {
			t.Fatal(err)
		}
		for _, tab := range store.Tabs() {
			f := store.OrderFilter{Institution: inst, Tab: tab}
			lines, sum, err := page(t, st, f)
			if err != nil || sum.Count != counts[tab].Count {
				t.Errorf("%s: %d, the list has %d, %v", tab, counts[tab].Count, sum.Count, err)
			}
			if len(lines) > 0 && !lines[0].Created.Time().Equal(counts[tab].Oldest) {
				t.Errorf("%s: oldest %v, the list begins with %v", tab, counts[tab].Oldest, lines[0].Created)
			}
			held[tab] += sum.Count
		}
	}
	for _, tab := range store.Tabs() {
		if held[tab] == 0 {
			t.Errorf("nothing was in %s", tab)
		}
	}
}

// TestFilter_FollowsAnIndex asks SQLite how it goes about each question.
func TestFilter_FollowsAnIndex(t *testing.T) {
	app, st := bare(t)
	w := &walk{app: app, rnd: rand.New(rand.NewPCG(6, 6))}
	for range 150 {
		w.step(t)
	}
	if _, err := app.NonconcurrentDB().NewQuery("ANALYZE").Execute(); err != nil {
		t.Fatal(err)
	}
	day := store.OrderFilter{Institution: "house1", From: "2026-11-02", To: "2026-11-02"}
	paid, his := day, day
	paid.By, his.By = store.ByPaid, store.ByHISDate
	his.Standing = collections.StandingOutstanding
	for name, c := range map[string]struct {
		f     store.OrderFilter
		index string
	}{
		"application day": {day, "idx_refund_orders_created"},
		"paid day":        {paid, "idx_refund_orders_paid"},
		"cell of a day":   {his, "idx_refund_orders_his_date"},
		"one state":       {store.OrderFilter{Institution: "house1", Statuses: []string{"reviewing"}}, "idx_refund_orders_status"},
		"exceptions":      {store.OrderFilter{Institution: "house1", Tab: store.TabExceptions}, "idx_refund_orders_open"},
		"a number":        {store.OrderFilter{Institution: "house1", No: "R7"}, "idx_refund_orders_no"},
		"HIS's number":    {store.OrderFilter{Institution: "house1", No: "HT7"}, "idx_refund_orders_his_no"},
		"channel number":  {store.OrderFilter{Institution: "house1", No: "1330"}, "idx_refund_orders_channel_no"},
		"a card":          {store.OrderFilter{Institution: "house1", CardNo: "C7"}, "idx_refund_orders_card"},
	} {
		plan, err := st.ExplainOrders(t.Context(), c.f)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan, c.index) || strings.Contains(plan, "SCAN o") {
			t.Errorf("%s: %s", name, plan)
		}
	}
}

// TestFilter_FindsAnOrderByAnyOfItsNumbers: a clerk has the number that stands
// on a bill, in HIS, or in a notice.
func TestFilter_FindsAnOrderByAnyOfItsNumbers(t *testing.T) {
	app, st := bare(t)
	w := &walk{app: app, rnd: rand.New(rand.NewPCG(7, 7))}
	for range 80 {
		w.step(t)
	}
	var o struct {
		ID string `db:"id"`
		No string `db:"no"`
	}
	if err := app.DB().NewQuery("SELECT id, no FROM refund_orders WHERE institution = 'house1' LIMIT 1").One(&o); err != nil {
		t.Fatal(err)
	}
	w.sql(t, "UPDATE refund_orders SET his_refund_no = 'HT77', channel_bill_no = '133000777' WHERE id = {:id}", map[string]any{"id": o.ID})
	for _, no := range []string{o.No, o.No + "D01", o.No + "T02", "HT77", "133000777"} {
		lines, _, err := st.QueuePage(t.Context(), store.OrderFilter{Institution: "house1", No: no}, true, "", 10)
		if err != nil || len(lines) != 1 || lines[0].ID != o.ID {
			t.Errorf("%s: %v %+v", no, err, lines)
		}
	}
	for _, f := range []store.OrderFilter{{Institution: "house1", No: "HT7"}, {Institution: "house2", No: "HT77"}} {
		if lines, _, err := st.QueuePage(t.Context(), f, true, "", 10); err != nil || len(lines) != 0 {
			t.Errorf("%+v: %v %+v", f, err, lines)
		}
	}
}

// TestFilter_RefusesWhatItDoesNotKnow: a misspelt value must not choose
// everything.
func TestFilter_RefusesWhatItDoesNotKnow(t *testing.T) {
	for _, f := range []store.OrderFilter{
		{By: "x"}, {From: "2026-13-01"}, {To: "1; DROP"}, {From: "2026-02-02", To: "2026-02-01"}, {Statuses: []string{"paid"}}, {Tab: "x"},
		{Standing: "x"},
		{Method: "x"}, {Channel: "' OR 1=1"}, {Proxy: "x"}, {Min: -1}, {Max: -1},
	} {
		if f.Valid() {
			t.Errorf("%+v passes", f)
		}
	}
}

// TestQueue_PagesMeetEveryOrderOnce walks the pages of every tab, in both
// directions, and compares with the whole list.
func TestQueue_PagesMeetEveryOrderOnce(t *testing.T) {
	app, st := bare(t)
	w := &walk{app: app, rnd: rand.New(rand.NewPCG(5, 5))}
	for range 600 {
		w.step(t)
	}
	w.sql(t, "UPDATE refund_orders SET open_since = '2026-11-02 00:00:00.000Z' WHERE status = 'paying'", nil)
	filters := []store.OrderFilter{{}, {Channel: "wechat"}, {Statuses: []string{"rejected", "succeeded"}}}
	for _, tab := range store.Tabs() {
		filters = append(filters, store.OrderFilter{Tab: tab})
	}
	for _, f := range filters {
		f.Institution = "house1"
		sum, err := st.OrderSum(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, newest := range []bool{false, true} {
			seen, last, place := map[string]bool{}, "", ""
			for {
				if at, err := st.QueuePlace(t.Context(), f, newest, len(seen)); len(seen) > 0 && (err != nil || at != place) {
					t.Fatalf("%+v newest=%v: the page after %d begins at %q, by its number at %q (%v)", f, newest, len(seen), place, at, err)
				}
				lines, next, err := st.QueuePage(t.Context(), f, newest, place, 7)
				if err != nil {
					t.Fatal(err)
				}
				for _, l := range lines {
					at := l.Created.String() + l.ID
					if seen[l.ID] || (last != "" && (at < last) != newest) {
						t.Fatalf("%+v: %s comes twice or out of turn", f, l.ID)
					}
					seen[l.ID], last = true, at
				}
				if place = next; next == "" {
					break
				}
			}
			if len(seen) != sum.Count {
				t.Errorf("%+v newest=%v: %d orders on the pages, %d in all", f, newest, len(seen), sum.Count)
			}
			if _, err := st.QueuePlace(t.Context(), f, newest, len(seen)+1); err != store.ErrCursor {
				t.Errorf("%+v: a page beyond the last one: %v", f, err)
			}
		}
	}
	if _, _, err := st.QueuePage(t.Context(), filters[0], false, "nonsense", 7); err != store.ErrCursor {
		t.Errorf("a place that no page named: %v", err)
	}
}

// TestReadOrders_TellsWhatThePageTells: a report and a page read the same of an order,
// but for the people beside it, of whom a report does not tell.
func TestReadOrders_TellsWhatThePageTells(t *testing.T) {
	app, st := bare(t)
	w := &walk{app: app, rnd: rand.New(rand.NewPCG(6, 6))}
	for range 300 {
		w.step(t)
	}
	w.sql(t, "UPDATE refund_orders SET his_refund_no = 'H' || no, channel_bill_no = 'C' || no, review_mode = 'auto', stage = 'first', "+
		"notify_phone = '138****0000', payee_name = '欧阳·明' WHERE status = 'reviewing'", nil)
	f := store.OrderFilter{Institution: "house1"}
	lines, sum, err := page(t, st, f)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = st.ReadOrders(t.Context(), f, func(c *store.OrderCursor) error {
		if c.Sum != sum {
			t.Errorf("%+v, the page sums %+v", c.Sum, sum)
		}
		return c.Each(func(l store.OrderLine) error {
			want := lines[n]
			want.Applicant, want.Holder = "", ""
			if l != want {
				t.Errorf("%+v\nwant %+v", l, want)
			}
			n++
			return nil
		})
	})
	if err != nil || n != len(lines) || n == 0 {
		t.Errorf("%d of %d, %v", n, len(lines), err)
	}
}
