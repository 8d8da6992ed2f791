package e2e

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"

	"github.com/pocketbase/dbx"
)

// TestReceipts_AMonthIsOneFile: named by day and order, with a list that says what is
// missing and why; on record, of the own institution and the month alone.
func TestReceipts_AMonthIsOneFile(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	toMorning(a)
	have, lacks := paidOrder(t, a, "P0001", "wechat", 43_21), paidOrder(t, a, "P0002", "alipay", 12_34)
	month := clockDay(a)[:7]
	for range 4 {
		runJob(t, a, "receipts")
		a.Advance(5 * time.Second)
		if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE receipts SET next_at = created WHERE next_at != ''").Execute(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE receipts SET state = 'failed', message = '=渠道没有这笔' " +
		"WHERE out_bill_no = {:n}").
		Bind(dbx.Params{"n": lacks.Transfer.No}).Execute(); err != nil {
		t.Fatal(err)
	}
	files := packed(t, a, finance, month)
	day := have.Order.PaidAt.In(time.FixedZone("", 8*3600)).Format("2006-01-02")
	name := day + "/" + have.Order.No + "-" + have.Transfer.No + ".pdf"
	if pdf := files[name]; !strings.HasPrefix(pdf, "%PDF") || len(files) != 2 {
		t.Errorf("%q of %d files", pdf[:min(len(pdf), 8)], len(files))
	}
	list := strings.Split(strings.TrimSpace(files["目录.csv"]), "\n")
	if len(list) != 3 || !strings.Contains(list[1], "43.21") || !strings.HasSuffix(list[1], name+",") ||
		!strings.Contains(list[2], lacks.Order.No) || !strings.HasSuffix(list[2], ",,渠道没有给出：=渠道没有这笔") {
		t.Errorf("%s", strings.Join(list, "\n"))
	}
	if other := packed(t, a, finance, "2020-01"); len(other) != 1 {
		t.Errorf("another month has %d files", len(other))
	}
	if n := countRows(t, a, collections.AuditLog, dbx.HashExp{"action": "receipts.download", "target": month}); n != 1 {
		t.Errorf("%d downloads on record", n)
	}
	for _, bad := range []string{"", "2026-13", "2026-1", "x"} {
		if res := a.Call("GET", "/api/hospay/receipts/month.zip?month="+bad, finance, nil); res.Status != 400 {
			t.Errorf("%q: %d", bad, res.Status)
		}
	}
}

// packed fetches the receipts of a month and unpacks them.
func packed(t *testing.T, a *testapp.App, token, month string) map[string]string {
	t.Helper()
	res := a.Fetch("GET", "/api/hospay/receipts/month.zip?month="+month, token, "", nil)
	defer res.Body.Close()
	raw := must(io.ReadAll(res.Body))
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatalf("%d %v", res.StatusCode, err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r := must(f.Open())
		out[f.Name] = string(must(io.ReadAll(r)))
		r.Close()
	}
	return out
}
