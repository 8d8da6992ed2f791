package e2e

import (
	"context"
	"database/sql"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/dbx"
)

// growing are the tables that are as long as the years of a hospital.
var growing = []string{collections.RefundOrders, collections.RefundEvents, collections.TransferOrders, collections.HISCalls,
	collections.PaymentOrders, collections.PaymentEvents, collections.PaymentCalls, collections.PaymentRefunds, collections.Callbacks,
	collections.Notifications, collections.Patients, collections.AuditLog, collections.Receipts, collections.Reviews, collections.PatientCards,
	collections.ProxyApplications, collections.ProxyMaterials}

// queries collects the statements that a program sends to its database.
type queries struct {
	mu  sync.Mutex
	all map[string]bool
}

func (q *queries) add(text string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all[text] = true
}

func watch(t *testing.T, a *testapp.App) *queries {
	t.Helper()
	q := &queries{all: map[string]bool{}}
	for _, db := range []dbx.Builder{a.Runtime.App.ConcurrentDB(), a.Runtime.App.NonconcurrentDB()} {
		d, ok := db.(*dbx.DB)
		if !ok {
			t.Fatalf("%T", db)
		}
		d.QueryLogFunc = func(_ context.Context, _ time.Duration, text string, _ *sql.Rows, _ error) { q.add(text) }
		d.ExecLogFunc = func(_ context.Context, _ time.Duration, text string, _ sql.Result, _ error) { q.add(text) }
	}
	return q
}

// TestPlans_NothingIsReadThrough: no step of a refund or a payment reads a table
// from one end to the other. A partial index serves only a query that says its
// condition, which is easily forgotten and shows first after years.
func TestPlans_NothingIsReadThrough(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance, err := a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "finance@demo.hospay")
	if err != nil {
		t.Fatal(err)
	}
	q := watch(t, a)
	for no, channel := range map[string]string{"P0001": "wechat", "P0003": "alipay"} {
		p := newPayer(t, a, no, channel)
		bill := p.bill(payment.KindOutpatient, 12000)
		p.identified(bill)
		p.authorised()
		o := p.until(p.create(bill, true), payment.StatusPaying)
		p.pays(o)
		p.until(o.ID, payment.StatusDone)
		if _, err := a.Runtime.Bills.Refund(t.Context(), o.ID, payment.RefundWish{Kind: payment.RefundCash, Reason: "停诊", HISRefundID: "H" + no},
			people.By{Kind: people.ByStaff, ID: finance.Id}); err != nil {
			t.Fatal(err)
		}
		p.until(o.ID, payment.StatusPartRefunded)
		who := a.Login(no, channel)
		res := who.Apply(channel, "transfer", 1500, nil)
		if res.Status != 200 {
			t.Fatalf("%s", res.Raw)
		}
		for range 20 {
			a.Drain()
			switch w := a.Order(res.Text("id")); w.Order.Status {
			case refund.StatusReviewing:
				a.Review(a.Staff("reviewer1"), res.Text("id"), "approve", "")
			case refund.StatusAwaitingPayee:
				_ = a.Sims.WeChat.Confirm(w.Transfer.No)
			}
			a.Advance(time.Minute)
		}
		if s := a.Order(res.Text("id")).Order.Status; s != refund.StatusSucceeded {
			t.Fatalf("the refund is %s", s)
		}
	}
	for _, path := range []string{"/payments?needs=", "/payments?needs=people", "/payments?needs=second", "/payments?no=P1",
		"/payments?his=open",
		"/payments?status=done,paying&channel=alipay", "/payments/desk/suspense", "/payments/desk/unknown", "/queue/counts",
		"/staff/todo", "/queue?stage=second"} {
		if res := a.Call("GET", "/api/hospay"+path, a.Staff("finance"), nil); res.Status != 200 {
			t.Fatalf("%s: %s", path, res.Raw)
		}
	}
	q.readThrough(t, a)
}

// TestPlans_OfOneOrder opens a refund and a payment as staff and patients do: what is
// told of one order walks through nothing that grows with the years.
func TestPlans_OfOneOrder(t *testing.T) {
	a, p, w := evidenceOrder(t)
	_, bill := paidBill(t, a)
	reviewer, auditor := a.Staff("reviewer1"), a.Staff("auditor")
	list := func(table, by, id string) string {
		return "/api/collections/" + table + "/records?perPage=200&sort=created&filter=" + url.QueryEscape(by+` = "`+id+`"`)
	}
	q := watch(t, a)
	for token, paths := range map[string][]string{
		reviewer: {list("reviews", "order", w.Order.ID), list("his_calls", "order", w.Order.ID), list("transfer_orders", "order", w.Order.ID),
			list("receipts", "order", w.Order.ID), list("notifications", "order", w.Order.ID), list("refund_events", "order", w.Order.ID),
			"/api/hospay/refunds/" + w.Order.ID + "/timeline", list("payment_events", "order", bill.ID),
			"/api/hospay/payments/" + bill.ID + "/facts"},
		auditor: {"/api/hospay/refunds/" + w.Order.ID + "/evidence.zip", "/api/hospay/payments/" + bill.ID + "/evidence.zip"},
		p.Token: {"/api/hospay/refunds/" + w.Order.ID + "/timeline", "/api/hospay/messages"},
	} {
		for _, path := range paths {
			if res := a.Call("GET", path, token, nil); res.Status != 200 {
				t.Fatalf("%s: %d %s", path, res.Status, res.Raw)
			}
		}
	}
	q.readThrough(t, a)
}

// readThrough asks the database how it answers each statement.
func (q *queries) readThrough(t *testing.T, a *testapp.App) {
	t.Helper()
	q.mu.Lock()
	texts := make([]string, 0, len(q.all))
	for text := range q.all {
		texts = append(texts, text)
	}
	q.mu.Unlock()
	slices.Sort(texts)
	told := map[string]bool{}
	for _, text := range texts {
		if first, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(text)), " "); !slices.Contains([]string{"SELECT", "UPDATE", "DELETE",
			"WITH"}, first) || strings.Contains(text, "__pb_create__") { // PocketBase's look at what would be made: told in no SQL
			continue
		}
		for _, detail := range planOf(t, a, text) {
			scan, is := strings.CutPrefix(detail, "SCAN ")
			alias, _, _ := strings.Cut(scan, " ")
			table := tableOf(strings.TrimPrefix(alias, "main."), text)
			key := table + " " + text[:min(len(text), 60)]
			if is && slices.Contains(growing, table) && !strings.Contains(scan, " USING ") && !told[key] &&
				!strings.Contains(text, "ORDER BY rowid DESC LIMIT 1") { // reads one row
				told[key] = true
				t.Errorf("%s: %s", detail, text)
			}
		}
	}
}

// tableOf is the table that a statement calls by another name.
func tableOf(alias, text string) string {
	named := "(?i)\\b(?:FROM|JOIN)\\s+(?:main\\.)?[`{\\[]*(\\w+)[`}\\]]*\\s+(?:AS\\s+)?[`]?" + regexp.QuoteMeta(alias) + "\\b"
	m := regexp.MustCompile(named).FindStringSubmatch(text)
	if m == nil {
		return alias
	}
	return m[1]
}

// quoted are names that dbx has not written for the database yet.
var quoted = regexp.MustCompile(`\[\[(\w+)\.(\w+)\]\]`)

// planOf is how the database answers a statement.
func planOf(t *testing.T, a *testapp.App, text string) (out []string) {
	t.Helper()
	text = strings.NewReplacer("{{", "`", "}}", "`", "[[", "`", "]]", "`").Replace(quoted.ReplaceAllString(text, "`$1`.`$2`")) // as dbx does
	rows, err := a.Runtime.App.ConcurrentDB().(*dbx.DB).DB().Query("EXPLAIN QUERY PLAN " + text)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		out = append(out, detail)
	}
	return out
}
