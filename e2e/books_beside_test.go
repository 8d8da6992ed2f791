package e2e

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"
	"time"

	"hospay/books"
	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/refund"
	"hospay/sim"

	"github.com/pocketbase/dbx"
)

// beside lists the downloads of a day that stand beside an upload.
func beside(t *testing.T, a *testapp.App, token, day string) (out []map[string]any) {
	t.Helper()
	for _, i := range a.Call("GET", "/api/hospay/statements?from="+day+"&to="+day, token, nil).Body["items"].([]any) {
		if s := i.(map[string]any); s["beside"] == true {
			out = append(out, s)
		}
	}
	return out
}

// use puts a download in force.
func use(a *testapp.App, token string, id any) testapp.Answer {
	a.TB.Helper()
	return a.Call("POST", "/api/hospay/statements/"+id.(string)+"/use", token, nil)
}

// hisTable is what a clerk takes out of HIS by hand.
func hisTable(t *testing.T, day string, orders []refund.Work) []byte {
	t.Helper()
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	rows := [][]string{{"退款单号", "商户单号", "HIS退款流水号", "就诊卡号", "退款金额", "退款方式", "退款渠道", "状态", "退款时间"}}
	for _, o := range orders {
		rows = append(rows, []string{o.Order.No, "", "H" + o.Order.No, o.Order.CardNo, o.Order.Amount.Yuan(), "transfer", o.Order.Channel,
			"succeeded", day + " 12:00:00"})
	}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestStatements_AnUploadStaysInForce: what a clerk has brought is not replaced
// by what the job gets later. The download is kept beside it, is told, and
// counts once finance says so.
func TestStatements_AnUploadStaysInForce(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance, auditor := a.Staff("finance"), a.Staff("auditor")
	if err := a.Sims.HIS.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "statement", Fault: sim.TimeoutBefore, Times: -1}}}); err != nil {
		t.Fatal(err)
	}
	day, orders := paidDay(t, a)
	if st := statement(t, a, finance, day, "his", "statement"); st["state"] != "waiting" {
		t.Fatalf("%v", st)
	}
	brought := upload(t, a, finance, day, "his", "his.csv", spoilt(t, hisTable(t, day, orders), orders))
	if brought.Text("state") != "ready" {
		t.Fatalf("%d %s", brought.Status, brought.Raw)
	}
	a.Advance(time.Hour)
	runJob(t, a, "statements", "reconcile")
	if st := statement(t, a, finance, day, "his", "statement"); st["id"] != brought.Text("id") || st["state"] != "ready" ||
		st["message"] != "" || st["next_at"] == "" {
		t.Errorf("while HIS does not answer: %v", st)
	}
	a.Sims.HIS.Faults().Clear()
	for range 2 { // what is the same once more is not kept again
		a.Advance(time.Hour)
		runJob(t, a, "statements", "reconcile")
	}
	if st := statement(t, a, finance, day, "his", "statement"); st["id"] != brought.Text("id") || st["next_at"] != "" {
		t.Errorf("the upload is no longer in force: %v", st)
	}
	kept := beside(t, a, finance, day)
	if len(kept) != 1 || kept[0]["state"] != "ready" || kept[0]["lines"] != 3.0 || kept[0]["by"] != "" || kept[0]["version"] != 2.0 {
		t.Fatalf("beside it: %v", kept)
	}
	if v := dayView(t, a, finance, day); v.Open != 3 || v.State != books.HasDifferences {
		t.Errorf("the upload does not count: %+v", v)
	}
	if res := use(a, auditor, kept[0]["id"]); res.Status != 403 {
		t.Errorf("an auditor switched: %d %s", res.Status, res.Raw)
	}
	res := use(a, finance, kept[0]["id"])
	if res.Status != 200 || res.Text("sha256") != kept[0]["sha256"] || res.Text("by") != "" || res.Text("version") != "3" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	if len(beside(t, a, finance, day)) != 0 || statement(t, a, finance, day, "his", "statement")["id"] != res.Text("id") {
		t.Error("the download is not in force")
	}
	for _, id := range []any{kept[0]["id"], brought.Text("id"), res.Text("id")} {
		if res := use(a, finance, id); res.Status != 409 {
			t.Errorf("one that does not stand beside another: %d %s", res.Status, res.Raw)
		}
	}
	if n := countRows(t, a, collections.AuditLog, dbx.HashExp{"action": "statement.use", "target": res.Text("id")}); n != 1 {
		t.Errorf("%d entries in the audit log", n)
	}
	runJob(t, a, "reconcile")
	if v := dayView(t, a, finance, day); v.State != books.Balanced {
		t.Errorf("%+v", v)
	}
}

// TestStatements_ADownloadUnderWayYields to the upload that came meanwhile; the
// next upload is the clerk's last word.
func TestStatements_ADownloadUnderWayYields(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	day, orders := paidDay(t, a)
	original := file(t, a, finance, statement(t, a, finance, day, "his", "statement"))
	bad := spoilt(t, original, orders)
	brought := upload(t, a, finance, day, "his", "his.csv", bad).Text("id")
	fetched := func(data []byte, want int) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "bill")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		in := books.Incoming{Institution: a.Institution, Day: day, Source: "his", Kind: "statement", Path: path, Name: "his.csv",
			Next: a.Now().Add(time.Hour)}
		if _, err := a.Runtime.Books.Fetched(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if st := statement(t, a, finance, day, "his", "statement"); st["id"] != brought || st["state"] != "ready" {
			t.Errorf("the upload is no longer in force: %v", st)
		}
		if kept := beside(t, a, finance, day); len(kept) != want {
			t.Errorf("%d beside it, want %d: %v", len(kept), want, kept)
		}
	}
	fetched(bad, 0)
	fetched([]byte("not a table"), 0)
	fetched(append(original, '\n'), 1)
	fetched(append(original, '\n'), 1)
	fetched(append(original, '\n', '\n'), 1) // the newest stands for all
	brought = upload(t, a, finance, day, "his", "his.csv", append(bad, '\n')).Text("id")
	if kept := beside(t, a, finance, day); len(kept) != 0 {
		t.Errorf("after another upload: %v", kept)
	}
	if st := statement(t, a, finance, day, "his", "statement"); st["id"] != brought || st["version"] != 5.0 {
		t.Errorf("%v", st)
	}
}

// TestStatements_NothingBesideAnUpload: that the other side knows of no
// movement is kept beside an upload as well.
func TestStatements_NothingBesideAnUpload(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	toMorning(a)
	day := clockDay(a)
	table := hisTable(t, day, []refund.Work{{Order: refund.Order{No: "X1", CardNo: "C9999", Amount: 100, Channel: "wechat"}}})
	if res := upload(t, a, finance, day, "his", "his.csv", table); res.Status != 200 { // before anybody has asked
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	toMorning(a)
	runJob(t, a, "statements")
	kept := beside(t, a, finance, day)
	if len(kept) != 1 || kept[0]["state"] != "empty" {
		t.Fatalf("%v", kept)
	}
	if res := use(a, finance, kept[0]["id"]); res.Text("state") != "empty" || res.Text("superseded") != "false" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	runJob(t, a, "reconcile")
	if v := dayView(t, a, finance, day); v.State != books.Balanced || v.Books["his"].Statement != "empty" {
		t.Errorf("%+v", v)
	}
}
