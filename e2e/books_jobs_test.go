package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hospay/books"
	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/sim"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// TestStatements_RetryPlan: a bill that cannot be had is asked for every half
// hour until six, then once a day, and after a week counts as missing; a day
// without movement is empty, which is another thing.
func TestStatements_RetryPlan(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	toMorning(a)
	day := clockDay(a)
	paidOrder(t, a, "P0002", "alipay", 2345)
	if err := a.Sims.HIS.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "statement", Fault: sim.TimeoutBefore, Times: -1}}}); err != nil {
		t.Fatal(err)
	}
	toMorning(a)
	ask := func() (state, next string) {
		runJob(t, a, "statements")
		st := statement(t, a, finance, day, "his", "statement")
		next, _ = st["next_at"].(string)
		return st["state"].(string), next
	}
	at := func(clock string, days int) {
		want := must(time.ParseInLocation(time.DateTime, day+" "+clock, sim.Beijing)).AddDate(0, 0, days)
		a.Advance(want.Sub(a.Now()))
	}
	state, next := ask()
	if want := a.Now().Add(30 * time.Minute); state != "waiting" || must(time.Parse(time.RFC3339, next)).Sub(want).Abs() > 2*time.Minute {
		t.Errorf("in the morning: %s, next %s", state, next)
	}
	for _, c := range []struct {
		source, kind, want string
	}{{"wechat", "trade", "empty"}, {"wechat", "fundflow_operation", "empty"}, {"alipay", "signcustomer", "ready"}} {
		if st := statement(t, a, finance, day, c.source, c.kind); st["state"] != c.want {
			t.Errorf("%s %s is %v: %v", c.source, c.kind, st["state"], st["message"])
		}
	}
	at("18:30:00", 1)
	if state, next = ask(); state != "waiting" || must(time.Parse(time.RFC3339, next)).In(sim.Beijing).
		Format("02 15:04") != must(time.Parse(time.DateOnly, day)).AddDate(0, 0, 2).Format("02")+" 10:00" {
		t.Errorf("in the evening: %s, next %s", state, next)
	}
	runJob(t, a, "reconcile")
	if v := dayView(t, a, finance, day); v.State != "incomplete" || v.Books["his"].Present || !v.Books["alipay"].Present || v.Open != 0 {
		t.Errorf("a day without HIS: %+v", v)
	}
	at("10:30:00", 9)
	for range 5 {
		ask()
	}
	if state, next = ask(); state != "missing" || next != "" {
		t.Errorf("after a week: %s, next %q", state, next)
	}
	a.Sims.HIS.Faults().Clear()
	cal := a.Call("GET", "/api/hospay/recon?month="+day[:7], finance, nil).Body["days"].([]any)
	for _, d := range cal {
		if d := d.(map[string]any); d["date"] == day && (d["colour"] != "amber" || len(d["missing"].([]any)) != 1) {
			t.Errorf("%v", d)
		}
	}
}

// TestReceipts_MissingAreListedAndRetried follows a receipt that failed.
func TestReceipts_MissingAreListedAndRetried(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	toMorning(a)
	w := paidOrder(t, a, "P0001", "wechat", 4321)
	day := clockDay(a)
	list := func() []any {
		res := a.Call("GET", "/api/hospay/receipts/missing?from="+day+"&to="+day, finance, nil)
		items, _ := res.Body["items"].([]any)
		if res.Status != 200 {
			t.Fatalf("%d %s", res.Status, res.Raw)
		}
		return items
	}
	items := list()
	if len(items) != 1 {
		t.Fatalf("%v", items)
	}
	first := items[0].(map[string]any)
	expires := must(time.Parse(time.RFC3339, first["expires"].(string)))
	if first["state"] != "none" || first["out_bill_no"] != w.Transfer.No || first["amount"] != 4321.0 ||
		expires.Sub(w.Order.PaidAt.AddDate(0, 6, 0)).Abs() > time.Second {
		t.Errorf("%v", first)
	}
	runJob(t, a, "receipts")
	if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE receipts SET state = 'failed', tries = 60, next_at = ''").
		Execute(); err != nil {
		t.Fatal(err)
	}
	first = list()[0].(map[string]any)
	if first["state"] != "failed" || first["tries"] != 60.0 {
		t.Errorf("%v", first)
	}
	if res := a.Call("POST", "/api/hospay/receipts/"+first["id"].(string)+"/retry", finance, nil); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	for range 4 {
		runJob(t, a, "receipts")
		a.Advance(5 * time.Second)
		if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE receipts SET next_at = created WHERE next_at != ''").Execute(); err != nil {
			t.Fatal(err)
		}
	}
	if left := list(); len(left) != 0 {
		t.Errorf("%v", left)
	}
	if res := a.Call("POST", "/api/hospay/receipts/"+first["id"].(string)+"/retry", finance, nil); res.Status != 404 {
		t.Errorf("a ready receipt again: %d", res.Status)
	}
	if n := countRows(t, a, collections.Receipts, nil); n != 1 {
		t.Errorf("%d receipts", n)
	}
}

// TestBooks_TheChannelsOfTheDayAreExpected and not those of today: one that was
// switched off since must bring its bill, one that was switched on since need
// not.
func TestBooks_TheChannelsOfTheDayAreExpected(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	only := func(channel string) {
		t.Helper()
		if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE channel_configs SET active = (channel = '" + channel + "')").
			Execute(); err != nil {
			t.Fatal(err)
		}
	}
	toMorning(a)
	day := clockDay(a)
	only("wechat")
	paidOrder(t, a, "P0001", "wechat", 1234)
	only("alipay")
	toMorning(a)
	runJob(t, a, "statements", "reconcile")
	if st := statement(t, a, finance, day, "wechat", "fundflow_operation"); st["state"] != "ready" {
		t.Errorf("a channel that was switched off since: %v", st)
	}
	if v := dayView(t, a, finance, day); v.State != books.Balanced || v.Books["wechat"].Amount != 1234 || !v.Books["wechat"].Present {
		t.Errorf("%+v", v)
	}
	second := clockDay(a)
	only("wechat")
	paidOrder(t, a, "P0003", "wechat", 2345)
	toMorning(a)
	runJob(t, a, "statements", "reconcile")
	toMorning(a)
	only("alipay")
	runJob(t, a, "statements", "reconcile")
	a.Call("POST", "/api/hospay/recon/"+second+"/run", finance, map[string]any{})
	v := dayView(t, a, finance, second)
	if _, expected := v.Books["alipay"]; v.State != books.Balanced || expected || !v.Books["wechat"].Present {
		t.Errorf("a channel that was switched on since: %+v", v)
	}
	if n := countRows(t, a, collections.Statements, dbx.HashExp{"source": "alipay", "day": second}); n != 0 {
		t.Errorf("%d bills of it are asked for", n)
	}
}

// TestStatements_CatchUpAfterALongOutage: the program was away for three weeks;
// no day of them is left out, and none from before the first order is asked for.
func TestStatements_CatchUpAfterALongOutage(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	toMorning(a)
	day := clockDay(a)
	paidOrder(t, a, "P0001", "wechat", 1234)
	for range 21 {
		toMorning(a)
	}
	for range 10 {
		runJob(t, a, "statements")
	}
	runJob(t, a, "reconcile")
	if st := statement(t, a, finance, day, "wechat", "fundflow_operation"); st["state"] != "ready" {
		t.Errorf("%v", st)
	}
	if v := dayView(t, a, finance, day); v.State != books.Balanced {
		t.Errorf("%+v", v)
	}
	var began string // the row of the order is written by the machine's clock
	if err := a.Runtime.App.DB().NewQuery("SELECT MIN(created) FROM refund_orders").Row(&began); err != nil {
		t.Fatal(err)
	}
	first, last := must(time.Parse(time.DateOnly, must(time.Parse(types.DefaultDateLayout, began)).In(sim.Beijing).Format(time.DateOnly))),
		must(time.Parse(time.DateOnly, clockDay(a)))
	for d := first.AddDate(0, 0, -1); d.Before(last); d = d.AddDate(0, 0, 1) {
		want := 6
		if d.Before(first) {
			want = 0
		}
		if n := countRows(t, a, collections.Statements, dbx.HashExp{"day": d.Format(time.DateOnly)}); n != want {
			t.Errorf("%s has %d bills, want %d", d.Format(time.DateOnly), n, want)
		}
	}
}

// TestStatements_ARefusedFileIsKept with its hash and the reason, can be
// fetched, and gives way to the right one.
func TestStatements_ARefusedFileIsKept(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	day, _ := paidDay(t, a)
	finance := a.Staff("finance")
	good := file(t, a, finance, statement(t, a, finance, day, "alipay", "signcustomer"))
	toMorning(a)
	next := clockDay(a)
	paidOrder(t, a, "P0002", "alipay", 999)
	toMorning(a)
	path := filepath.Join(t.TempDir(), "bill.zip")
	if err := os.WriteFile(path, good, 0o600); err != nil { // the day before's
		t.Fatal(err)
	}
	in := books.Incoming{Institution: a.Institution, Day: next, Source: "alipay", Kind: "signcustomer", Path: path, Name: "bill.zip",
		Next: a.Now()}
	for range 2 {
		if _, err := a.Runtime.Books.Fetched(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	refused := statement(t, a, finance, next, "alipay", "signcustomer")
	sum := sha256.Sum256(good)
	if refused["state"] != "refused" || refused["sha256"] != hex.EncodeToString(sum[:]) || !strings.Contains(refused["refusal"].(string),
		"账单是") || refused["version"] != 1.0 {
		t.Errorf("%v", refused)
	}
	if !bytes.Equal(file(t, a, finance, refused), good) {
		t.Error("another file than the one that was refused")
	}
	runJob(t, a, "statements", "reconcile")
	st := statement(t, a, finance, next, "alipay", "signcustomer")
	if st["state"] != "ready" || st["version"] != 2.0 || !bytes.Equal(file(t, a, finance, refused), good) {
		t.Errorf("the right one: %v", st)
	}
	if _, err := a.Runtime.Books.Fetched(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if st = statement(t, a, finance, next, "alipay", "signcustomer"); st["version"] != 2.0 || dayView(t, a, finance, next).
		State != books.Balanced {
		t.Errorf("a refused file took the place of one that was read: %v", st)
	}
}
