package e2e

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/internal/testday"
	"hospay/lab/testapp"
	"hospay/reconcile"
	"hospay/reconcile/files"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

func content(t *testing.T, a *testapp.App, rec *core.Record) []byte {
	t.Helper()
	r, err := a.Store.OpenFile(t.Context(), store.KeptFile{Collection: rec.Collection().Name, ID: rec.Id, Name: rec.GetString("file"),
		SHA256: rec.GetString("sha256")})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if data, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func paidOrder(t *testing.T, a *testapp.App, no, channel string, fen int64) refund.Work {
	t.Helper()
	p := a.Login(no, channel)
	id := apply(t, p, channel, "transfer", fen, nil)
	a.Drain()
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	a.Drain()
	if channel == "wechat" {
		if err := a.Sims.WeChat.Confirm(a.Order(id).Transfer.No); err != nil {
			t.Fatal(err)
		}
		a.Advance(time.Minute)
		a.Drain()
	}
	return wantStatus(t, a, id, refund.StatusSucceeded)
}

func TestReceipts_AreCollectedForBothChannels(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	for channel, no := range map[string]string{"wechat": "P0001", "alipay": "P0002"} {
		w := paidOrder(t, a, no, channel, 4321)
		for range 4 {
			if _, err := a.Jobs.RunNow(t.Context(), "receipts"); err != nil {
				t.Fatal(err)
			}
			a.Advance(5 * time.Second)
			if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE receipts SET next_at = created WHERE next_at != ''").
				Execute(); err != nil {
				t.Fatal(err)
			}
		}
		rec, err := a.Runtime.App.FindFirstRecordByData(collections.Receipts, "out_bill_no", w.Transfer.No)
		if err != nil {
			t.Fatal(err)
		}
		if rec.GetString("state") != "ready" {
			t.Fatalf("%s: receipt is %s: %s", channel, rec.GetString("state"), rec.GetString("message"))
		}
		if pdf := content(t, a, rec); !bytes.HasPrefix(pdf, []byte("%PDF-")) {
			t.Fatalf("%s: not a PDF", channel)
		}
	}
}

func TestStatements_BillsOfYesterdayAreKept(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	toMorning(a)
	wx := paidOrder(t, a, "P0001", "wechat", 1234)
	ali := paidOrder(t, a, "P0002", "alipay", 2345)
	today := clockDay(a)
	toMorning(a)
	if _, err := a.Jobs.RunNow(t.Context(), "statements"); err != nil {
		t.Fatal(err)
	}
	recs, err := a.Runtime.App.FindRecordsByFilter(collections.Statements,
		`day = {:d} && (kind = "fundflow_operation" || kind = "signcustomer" || kind = "statement")`, "source", 0, 0, map[string]any{"d": today})
	if err != nil || len(recs) != 3 {
		t.Fatalf("%d bills, %v", len(recs), err)
	}
	for _, rec := range recs {
		if rec.GetString("state") != "ready" || rec.GetString("sha256") == "" {
			t.Errorf("%s %s is %s: %s", rec.GetString("source"), rec.GetString("kind"), rec.GetString("state"), rec.GetString("message"))
			continue
		}
		if rec.GetInt("lines") == 0 || rec.GetInt("amount") == 0 || rec.GetInt("rejects") != 0 || rec.GetInt("version") != 1 {
			t.Errorf("%s %s: what was read is not told: %v", rec.GetString("source"), rec.GetString("kind"), rec.FieldsData())
		}
		data := string(content(t, a, rec))
		switch rec.GetString("source") {
		case "wechat":
			if !strings.Contains(data, wx.Transfer.No) {
				t.Error("the WeChat bill does not name the transfer")
			}
		case "his":
			if !strings.Contains(data, ali.Order.No) || strings.Contains(data, wx.Debit.No) {
				t.Error("the HIS statement does not name the order")
			}
		default:
			if !strings.HasPrefix(data, "PK") {
				t.Error("the Alipay bill is no ZIP")
			}
		}
	}
	compareKept(t, a, today, recs, wx, ali)
}

// compareKept reads the kept files as they are and compares them with the
// platform's orders: nothing may differ.
func compareKept(t *testing.T, a *testapp.App, day string, recs []*core.Record, paid ...refund.Work) {
	t.Helper()
	e := must(reconcile.New(reconcile.Defaults(day)))
	for i, rec := range recs {
		which, data := reconcile.Channel, content(t, a, rec)
		sink := files.Sink{
			Line:   func(l *reconcile.Line) error { l.File = uint16(i); return e.Add(which, *l) },
			Reject: func(r files.Reject) error { t.Errorf("%+v", r); return nil },
		}
		f, read := files.File{Name: rec.GetString("file"), Data: bytes.NewReader(data), Size: int64(len(data))}, files.ReadBill
		if rec.GetString("source") == "his" {
			which = reconcile.HIS
			read = func(f files.File, day string, sink files.Sink) (files.Info, error) {
				return files.ReadTable(f, which, day, sink)
			}
		}
		info, err := read(f, day, sink)
		if err != nil {
			t.Fatal(err)
		}
		if info.Channel != "" {
			if err := e.Bill(info.Channel); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, w := range paid {
		err := e.Add(reconcile.Platform, reconcile.Line{OrderNo: w.Order.No, BillNo: w.Transfer.No, CardNo: w.Order.CardNo,
			Amount: w.Order.Amount, Method: string(w.Order.Method), Channel: w.Order.Channel,
			Status: reconcile.Succeeded, At: w.Order.PaidAt.Unix()})
		if err != nil {
			t.Fatal(err)
		}
	}
	if res := must(e.Run()); len(res.Differences) > 0 || res.Summary.Matched != len(paid) {
		t.Errorf("%+v\n%+v", res.Differences, res.Summary)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestJobs_MessagesAreForIT: a job works for all institutions, so that what it
// says may be about another one; staff see when and how often.
func TestJobs_MessagesAreForIT(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	if err := a.Store.RecordRun("statistics", testday.Now(), testday.Now(), 0, errors.New("机构 B 的退款单 R20261124000000000001 不一致")); err != nil {
		t.Fatal(err)
	}
	list := func(token string) string {
		return string(a.Call("GET", "/api/collections/job_runs/records", token, nil).Raw)
	}
	for _, name := range []string{"finance", "auditor", "config"} {
		if got := list(a.Staff(name)); !strings.Contains(got, `"job":"statistics"`) || strings.Contains(got, "R20261124000000000001") {
			t.Errorf("%s: %s", name, got)
		}
		if res := a.Call("GET", `/api/collections/job_runs/records?filter=message~"R2026"`, a.Staff(name), nil); res.Status == 200 &&
			res.Text("totalItems") != "0" {
			t.Errorf("%s finds it by its message: %s", name, res.Raw)
		}
	}
	if got := list(a.Superuser()); !strings.Contains(got, "R20261124000000000001") {
		t.Errorf("superuser: %s", got)
	}
}
