package demo_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/books"
	"hospay/calendar"
	"hospay/channels"
	"hospay/internal/testday"
	"hospay/lab/demo"
	"hospay/lab/invariant"
	"hospay/lab/testapp"
	"hospay/money"
	"hospay/refund"
)

// TestHistory_HoldsInEveryBook writes a past into a migrated database under all
// triggers: the invariants hold, and the statistics are the sums of the orders.
func TestHistory_HoldsInEveryBook(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	at := demo.Endpoints{WeChat: a.Sims.WeChat.URL(), Alipay: a.Sims.Alipay.URL(), HIS: a.Sims.HIS.URL(), Centre: a.Sims.Centre.URL(),
		Portal: a.Sims.Portal.URL(),
		SMS:    a.Sims.SMS.URL()}
	a.Sims.World.Grow(60)
	review := refund.ReviewSettings{Auto: true, Rules: []refund.Rule{
		{Name: refund.RuleMaxAmount, Limit: 20_000, OnFail: refund.OutcomeManual}}, SecondFrom: demo.SecondFrom}
	h := demo.History{App: a.Runtime.App, Store: a.Runtime.Store, At: at, Review: review, Seed: 1, Days: 12, Now: testday.Now()}
	told, err := h.Write(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if told.Orders < 60 || told.Open == 0 || told.Paid == 0 || len(told.Planted) != 3 {
		t.Errorf("%+v", told)
	}
	books, err := invariant.Load(a.Runtime.App.ConcurrentDB())
	if err != nil {
		t.Fatal(err)
	}
	ledgers, err := invariant.Fetch(invariant.One(at.HIS, at.Centre, at.WeChat, at.Alipay))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range invariant.Check(books, ledgers, true) {
		t.Error(v.String())
	}
	if ways := invariant.Summary(books); ways["succeeded"] == 0 || ways["rejected"] == 0 || ways["cancelled"] == 0 || ways["failed"] == 0 {
		t.Errorf("not every end is there: %v", ways)
	}
	diffs, err := a.Runtime.Store.VerifyStatistics(t.Context())
	if err != nil || len(diffs) > 0 {
		t.Errorf("%v %+v", err, diffs)
	}
	var paid money.Fen
	if err := a.Runtime.App.ConcurrentDB().NewQuery("SELECT SUM(refunded_amount) FROM refund_days").Row(&paid); err != nil ||
		paid != told.Paid {
		t.Errorf("%v: statistics %s, history %s", err, paid.String(), told.Paid.String())
	}
	again, err := h.Write(t.Context())
	if err != nil || again.Orders != 0 {
		t.Errorf("a second past: %v %+v", err, again)
	}
	billsAreTheHistory(t, a, h.Now)
	reconciliationFindsThePlanted(t, a, h.Now, told)
}

// reconciliationFindsThePlanted fetches the bills of every past day from the
// simulators and reconciles them: the planted differences are found on their
// days, and nothing else.
func reconciliationFindsThePlanted(t *testing.T, a *testapp.App, today time.Time, told demo.Told) {
	t.Helper()
	b := a.Runtime.Books
	insts, err := b.Institutions(t.Context())
	if err != nil || len(insts) == 0 {
		t.Fatal(err, insts)
	}
	found := 0
	for back := told.Days; back >= 1; back-- {
		day := today.In(calendar.Beijing).AddDate(0, 0, -back).Format(time.DateOnly)
		if err := b.FetchDay(t.Context(), insts[0], day); err != nil {
			t.Fatal(day, err)
		}
		if _, err := b.Run(t.Context(), insts[0], books.Deposits, day, books.Actor{}); err != nil {
			t.Fatal(day, err)
		}
		list, _, err := b.Differences(t.Context(), insts[0], books.Filter{Day: day}, 1, 50)
		if err != nil {
			t.Fatal(day, err)
		}
		for _, d := range list {
			if d.State == books.Carried {
				continue
			}
			if found++; !slices.ContainsFunc(told.Planted, func(s string) bool { return strings.HasPrefix(s, day+" ") }) {
				t.Errorf("%s: nobody planted %s %s", day, d.Kind, d.Explain)
			}
		}
	}
	if found != len(told.Planted) {
		t.Errorf("found %d of %q", found, told.Planted)
	}
}

// billsAreTheHistory compares the HIS statement and the WeChat fund-flow bill
// of a day without planted differences with the day's orders.
func billsAreTheHistory(t *testing.T, a *testapp.App, today time.Time) {
	t.Helper()
	day := today.In(calendar.Beijing).AddDate(0, 0, -5).Format(time.DateOnly)
	db, inst := a.Runtime.App.ConcurrentDB(), ""
	var want struct {
		HIS    money.Fen `db:"his"`
		WeChat int       `db:"wechat"`
	}
	err := db.NewQuery("SELECT COALESCE(SUM(amount), 0) AS his, (SELECT COUNT(*) FROM transfer_orders WHERE state = 'done' AND channel = " +
		"'wechat' AND method = 'transfer' AND date(paid_at, '+8 hours') = {:d}) AS wechat FROM refund_orders WHERE date(his_refund_date, '+8 " +
		"hours') = {:d}").
		Bind(map[string]any{"d": day}).One(&want)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.NewQuery("SELECT id FROM institutions LIMIT 1").Row(&inst); err != nil {
		t.Fatal(err)
	}
	his, _, err := a.Runtime.Store.HIS(t.Context(), inst)
	if err != nil {
		t.Fatal(err)
	}
	var sum money.Fen
	if err := his.Statement(t.Context(), day, func(l refund.StatementLine) error { sum += l.Amount; return nil }); err != nil ||
		sum != want.HIS || sum == 0 {
		t.Errorf("%v: HIS statement %s, history %s", err, sum.String(), want.HIS.String())
	}
	conn, err := a.Runtime.Store.Connection(t.Context(), inst, "wechat")
	if err != nil {
		t.Fatal(err)
	}
	var bill bytes.Buffer
	bills, err := channels.As[channels.Bills](conn)
	if err != nil {
		t.Fatal(err)
	}
	_, err = bills.DownloadBill(t.Context(), day, channels.BillKind("fundflow_operation"), &bill)
	if rows := bytes.Count(plain(t, bill.Bytes()), []byte("`商家转账,`商家转账,`支出")); (err != nil && want.WeChat > 0) || rows != want.WeChat {
		t.Errorf("%v: WeChat bill has %d transfers, history %d", err, rows, want.WeChat)
	}
}

// plain unpacks a bill that came compressed.
func plain(t *testing.T, raw []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return raw
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
