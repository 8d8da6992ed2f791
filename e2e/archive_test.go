package e2e

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/backup"
	"hospay/calendar"
	"hospay/cmd"
	"hospay/collections"
	"hospay/internal/vault"
	"hospay/lab/testapp"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// archived moves a year of a folder that nobody serves into a file.
func archived(t *testing.T, a *testapp.App, dir string, year int) (collections.Archive, error) {
	t.Helper()
	app := testapp.Bare(dir)
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = app.ClearBootstrap() }()
	if err := cmd.ThisProgram().Open(app); err != nil {
		t.Fatal(err)
	}
	collections.SetClock(app, a.Now)
	store.SetChain(app, must(must(vault.ReadKeyFile(filepath.Join(dir, "key.json"))).Chain()))
	made, err := cmd.ThisProgram().Archive(t.Context(), app, year, func(tx core.App, made collections.Archive) error {
		return store.Audit(tx, store.AuditEntry{ActorKind: "system", Action: "archive.made", Details: map[string]any{"sha256": made.SHA256}})
	})
	if err == nil {
		_, err = app.NonconcurrentDB().NewQuery("VACUUM").Execute()
	}
	return made, err
}

// yearEnds waits until the year of an order can be archived.
func yearEnds(t *testing.T, a *testapp.App, order string) int {
	t.Helper()
	rec := must(a.Runtime.App.FindRecordById(collections.RefundOrders, order))
	year := rec.GetDateTime("created").Time().In(calendar.Beijing).Year()
	a.Advance(collections.ArchiveFrom(year).Sub(a.Now()) + time.Hour)
	return year
}

// allTold is what people read of orders: lists of their history, timelines, evidence,
// messages.
func allTold(t *testing.T, a *testapp.App, orders, payments []string) map[string]string {
	t.Helper()
	reviewer, auditor := a.Staff("reviewer1"), a.Staff("auditor")
	patient := a.Login("P0001", "wechat")
	out := map[string]string{}
	keep := func(path, token string) {
		res := a.Call("GET", path, token, nil)
		if res.Status != 200 {
			t.Fatalf("%s: %d %s", path, res.Status, res.Raw)
		}
		if !strings.HasSuffix(path, ".zip") {
			out[path] = string(res.Raw)
			return
		}
		for name, text := range unzip(t, res.Raw) {
			out[path+" "+name] = regexp.MustCompile(`于 \d{4}-\d\d-\d\d \d\d:\d\d:\d\d 生成`).ReplaceAllString(text, "")
		}
	}
	list := func(table, filter string) {
		for _, more := range []string{"&sort=created,id", "&sort=-created,-id&skipTotal=1", "&sort=-created,id&perPage=2&page=2",
			"&sort=-@rowid"} {
			keep("/api/collections/"+table+"/records?filter="+url.QueryEscape(filter)+more, reviewer)
		}
	}
	for _, id := range orders {
		for _, table := range []string{collections.RefundEvents, collections.Reviews, collections.Notifications} {
			list(table, `order = "`+id+`"`)
		}
		keep("/api/hospay/refunds/"+id+"/timeline", reviewer)
		keep("/api/hospay/refunds/"+id+"/evidence.zip", auditor)
	}
	for _, id := range payments {
		list(collections.PaymentEvents, `order = "`+id+`"`)
		keep("/api/hospay/payments/"+id+"/evidence.zip", auditor)
	}
	keep("/api/collections/refund_orders/records?sort=-created", reviewer)
	keep("/api/collections/callbacks/records?sort=created,id", auditor)
	keep("/api/hospay/refunds/"+orders[0]+"/timeline", patient.Token)
	return out
}

// TestArchive_ListsAndEvidenceReadClosedYears moves a year of refunds and payments
// into a file: the orders are listed, and everything that is told of them is the same
// as before, while the database holds hardly more than the orders. What is still
// going on stays, and can go on.
func TestArchive_ListsAndEvidenceReadClosedYears(t *testing.T) {
	a, _, w := evidenceOrder(t)
	open := apply(t, a.Login("P0003", "wechat"), "wechat", "transfer", 900, nil)
	a.Drain()
	_, bill := paidBill(t, a)
	if _, err := a.Jobs.RunNow(t.Context(), "notices"); err != nil {
		t.Fatal(err)
	}
	year := yearEnds(t, a, w.Order.ID)
	orders, payments := []string{w.Order.ID, open}, []string{bill.ID}
	dir, same := a.Backup(), t.TempDir()
	if err := errors.Join(os.CopyFS(same, os.DirFS(dir)), os.Chmod(filepath.Join(same, "key.json"), 0o400)); err != nil {
		t.Fatal(err)
	}
	before := allTold(t, a.Open(same), orders, payments)

	made, err := archived(t, a, dir, year)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{collections.RefundEvents, collections.PaymentEvents, collections.Reviews, collections.Notifications,
		collections.Callbacks} {
		if made.Rows[table] == 0 {
			t.Errorf("nothing of %s was moved: %v", table, made.Rows)
		}
	}
	b := a.Open(dir)
	after := allTold(t, b, orders, payments)
	for what, was := range before {
		if is := after[what]; is != was {
			t.Errorf("%s\nwas %.600s\nis  %.600s", what, was, is)
		}
	}
	if n := raw(t, dir, "SELECT COUNT(*) FROM refund_events WHERE `order` = '"+w.Order.ID+"'"); n != "1" {
		t.Errorf("%s events of the closed order are left", n)
	}
	if n := raw(t, dir, "SELECT COUNT(*) FROM refund_events WHERE `order` = '"+open+"'"); n != raw(t, same,
		"SELECT COUNT(*) FROM refund_events WHERE `order` = '"+open+"'") {
		t.Errorf("%s events of the open order are left", n)
	}
	for _, table := range []string{collections.RefundEvents, collections.Reviews} {
		if _, err := b.Runtime.App.NonconcurrentDB().NewQuery("DELETE FROM " + table).Execute(); err == nil {
			t.Errorf("rows of %s can be deleted", table)
		}
	}
	if state, err := b.Store.VerifyAudit(t.Context()); err != nil || state.Break != nil {
		t.Errorf("%+v %v", state.Break, err)
	}
	for _, house := range []*testapp.App{a, b} {
		p := house.Login("P0001", "wechat")
		res := house.Call("GET", "/api/hospay/messages", p.Token, nil)
		list, _ := res.Body["items"].([]any)
		if wait := map[*testapp.App]bool{a: true}[house]; len(list) == 0 || (res.Body["unread"] != float64(0)) != wait {
			t.Errorf("%d %s", res.Status, res.Raw)
		}
		for _, m := range list {
			id, _ := m.(map[string]any)["id"].(string)
			if res := house.Call("POST", "/api/hospay/messages/"+id+"/read", p.Token, nil); res.Status/100 != 2 {
				t.Errorf("%d %s", res.Status, res.Raw)
			}
		}
	}
}

// TestArchive_OfTablesAsTheyWere: an upgrade may add a field; what a file of before
// lacks is empty there.
func TestArchive_OfTablesAsTheyWere(t *testing.T) {
	a, _, w := evidenceOrder(t)
	year := yearEnds(t, a, w.Order.ID)
	dir := a.Backup()
	if _, err := archived(t, a, dir, year); err != nil {
		t.Fatal(err)
	}
	app := testapp.Bare(dir)
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	reviews := must(app.FindCollectionByNameOrId(collections.Reviews))
	reviews.Fields.Add(&core.TextField{Name: "later"}, &core.NumberField{Name: "count_later"})
	if err := errors.Join(app.Save(reviews), app.ClearBootstrap()); err != nil {
		t.Fatal(err)
	}
	b := a.Open(dir)
	res := b.Call("GET", "/api/collections/reviews/records?filter="+url.QueryEscape(`order="`+w.Order.ID+`" && later="" && count_later=0`),
		b.Staff("auditor"), nil)
	if res.Status != 200 || res.Body["totalItems"] == float64(0) || !strings.Contains(string(res.Raw), "name_equal") {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}

// TestArchive_IsRefused where it would take away what is needed, and says why.
func TestArchive_IsRefused(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	apply(t, a.Login("P0002", "alipay"), "alipay", "transfer", 700, nil)
	a.Drain()
	year := a.Now().In(calendar.Beijing).Year()
	dir := filepath.Join(t.TempDir(), "data [1]") // what a pattern would read as one letter
	if err := os.Rename(a.Backup(), dir); err != nil {
		t.Fatal(err)
	}
	if _, err := archived(t, a, dir, year); err == nil || !strings.Contains(err.Error(), "才能归档") {
		t.Errorf("a year that goes on: %v", err)
	}
	a.Advance(collections.ArchiveFrom(year).Sub(a.Now()) + time.Hour)
	left := filepath.Join(dir, collections.ArchiveDir, fmt.Sprintf("%d-0123abcd.db", year)) // of a crash
	if err := errors.Join(os.MkdirAll(filepath.Dir(left), 0o700), os.WriteFile(left, []byte("half"), 0o400)); err != nil {
		t.Fatal(err)
	}
	made, err := archived(t, a, dir, year)
	if err != nil {
		t.Fatal(err)
	}
	if files := must(os.ReadDir(filepath.Dir(left))); len(files) != 1 || files[0].Name() != made.File {
		t.Errorf("%v", files)
	}
	copied := a.Backup()
	marked := testapp.Bare(copied)
	if err := marked.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(collections.MarkCopy(marked.NonconcurrentDB(), "restored", a.Now()), marked.ClearBootstrap()); err != nil {
		t.Fatal(err)
	}
	if _, err := archived(t, a, copied, year); err == nil || !strings.Contains(err.Error(), "恢复核对") {
		t.Errorf("a copy that nobody has released: %v", err)
	}
	if err := collections.InOneFile(dir); err == nil || !strings.Contains(err.Error(), "集群不保存它们") {
		t.Errorf("a cluster of it: %v", err)
	}
	if err := collections.InOneFile(a.Dir); err != nil {
		t.Errorf("a cluster without archives: %v", err)
	}
	if _, err := archived(t, a, dir, year); err == nil || !strings.Contains(err.Error(), "已经归档") {
		t.Errorf("a year again: %v", err)
	}
}

// TestArchive_BackupsHoldItAndAMissingOneIsTold: a backup brings the file along, and
// one whose file was changed is not restored. Without its file a folder serves, and
// says of what lies there that it cannot be shown, instead of showing a part.
func TestArchive_BackupsHoldItAndAMissingOneIsTold(t *testing.T) {
	a, _, w := evidenceOrder(t)
	_, bill := paidBill(t, a)
	year := yearEnds(t, a, w.Order.ID)
	dir := a.Backup()
	made, err := archived(t, a, dir, year)
	if err != nil {
		t.Fatal(err)
	}
	keys := must(must(vault.ReadKeyFile(filepath.Join(dir, "key.json"))).Backups())
	write := func() string {
		path := filepath.Join(t.TempDir(), "b")
		f := must(os.Create(path))
		_, err := backup.Source{Dir: dir, Release: "9.9.9", Now: a.Now, Keys: keys, Temp: t.TempDir()}.Write(t.Context(), f)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		return path
	}
	restore := func(path string) (string, error) {
		to := t.TempDir()
		f := must(os.Open(path))
		defer f.Close()
		_, err := backup.Restore(t.Context(), f, keys, to, a.Now())
		return to, err
	}
	file := filepath.Join(dir, collections.ArchiveDir, made.File)
	to, err := restore(write())
	if err != nil {
		t.Fatal(err)
	}
	if is := must(os.ReadFile(filepath.Join(to, collections.ArchiveDir, made.File))); string(is) != string(must(os.ReadFile(file))) {
		t.Error("the restored file is another one")
	}
	good := must(os.ReadFile(file))
	if err := errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, append(good, 0), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := restore(write()); !errors.Is(err, backup.ErrDamaged) || !strings.Contains(err.Error(), made.File) {
		t.Errorf("%v", err)
	}

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	b := a.Open(dir)
	auditor := b.Staff("auditor")
	for _, path := range []string{"/api/hospay/refunds/" + w.Order.ID + "/timeline", "/api/hospay/refunds/" + w.Order.ID + "/evidence.zip",
		"/api/collections/reviews/records?filter=" + url.QueryEscape(`order="`+w.Order.ID+`"`)} {
		if res := b.Call("GET", path, auditor, nil); res.Status != 503 || res.Code() != string(store.CodeArchiveMissing) {
			t.Errorf("%s: %d %.200s", path, res.Status, res.Raw)
		}
	}
	res := b.Call("GET", "/api/collections/refund_orders/records", auditor, nil)
	if res.Status != 200 || res.Body["totalItems"] != float64(1) {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	// What people work on stays workable: an old payment that comes to the desk now is
	// listed with what is there, and with the word that the rest is missing.
	all := collections.AllTriggers()
	guard := all[slices.IndexFunc(all, func(g collections.Trigger) bool { return g.Name == "guard_payment_move" })]
	for _, sql := range []string{"DROP TRIGGER " + guard.Name, "UPDATE payment_orders SET status = 'suspense' WHERE id = '" + bill.ID + "'",
		guard.SQL} {
		if _, err := b.Runtime.App.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/api/hospay/payments/desk/suspense", "/api/hospay/payments/" + bill.ID + "/facts"} {
		res := b.Call("GET", path, b.Staff("finance"), nil)
		if res.Status != 200 || !strings.Contains(string(res.Raw), bill.No) || !strings.Contains(string(res.Raw), store.EventArchiveMissing) {
			t.Errorf("%s: %d %.400s", path, res.Status, res.Raw)
		}
	}
	if err := collections.MissingArchives(b.Runtime.App); err == nil || !strings.Contains(err.Error(), "请从备份恢复这个文件") {
		t.Errorf("%v", err)
	}
	// One that comes back is read after the next start, and not believed before.
	if err := os.WriteFile(file, good, 0o400); err != nil {
		t.Fatal(err)
	}
	res = b.Call("GET", "/api/collections/reviews/records?filter="+url.QueryEscape(`order="`+w.Order.ID+`"`), auditor, nil)
	if err := collections.MissingArchives(b.Runtime.App); err == nil || res.Status != 503 {
		t.Errorf("%v, %d %s", err, res.Status, res.Raw)
	}
	res = a.Open(dir).Call("GET", "/api/collections/reviews/records?filter="+url.QueryEscape(`order="`+w.Order.ID+`"`), auditor, nil)
	if res.Status != 200 || res.Body["totalItems"] == float64(0) {
		t.Errorf("after the next start: %d %s", res.Status, res.Raw)
	}
	if err := b.Runtime.App.RunInTransaction(collections.ReleaseCopy); err != nil { // the test has copied it
		t.Fatal(err)
	}
	b.Store.Forget()
	id := apply(t, b.Login("P0004", "wechat"), "wechat", "transfer", 800, nil)
	b.Drain()
	wantStatus(t, b, id, refund.StatusAwaitingPayee)
	res = b.Call("GET", "/api/collections/refund_events/records?filter="+url.QueryEscape(`order="`+id+`"`), auditor, nil)
	if res.Status != 200 || res.Body["totalItems"] == float64(0) {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}
