package e2e

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"hospay/collections"
	"hospay/exports"
	"hospay/internal/testday"
	"hospay/lab/testapp"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/xuri/excelize/v2"
)

// past plants settled orders whose fields a test chooses; the triggers stay.
func past(t *testing.T, a *testapp.App, n int, fields map[string]string) {
	t.Helper()
	db := a.Runtime.App.NonconcurrentDB()
	var patient string
	if err := db.NewQuery("SELECT id FROM patients LIMIT 1").Row(&patient); err != nil {
		t.Fatal(err)
	}
	base := a.Institution
	columns, values := "", ""
	for k, v := range fields {
		columns, values = columns+", "+k, values+", "+v
	}
	steps := []string{"INSERT INTO refund_orders (id, no, card_no, institution, patient, status, amount, method, channel, created" + columns +
		") WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {:n}) " +
		"SELECT printf('past%011d', x), printf('R20261101%012d', x), printf('PC%06d', x), {:inst}, {:patient}, 'submitted', x, 'transfer', " +
		"'alipay', '2026-11-01 02:00:00.000Z'" + values + " FROM n"}
	for _, to := range []refund.Status{refund.StatusDebiting, refund.StatusReviewing, refund.StatusApproved, refund.StatusPaying,
		refund.StatusSucceeded} {
		steps = append(steps, "UPDATE refund_orders SET status = '"+string(to)+"', his_refund_date = '2026-11-01 02:00:01.000Z', next_at = '' "+
			"WHERE id LIKE 'past%'")
	}
	for _, sql := range steps {
		if _, err := db.NewQuery(sql).Bind(dbx.Params{"n": n, "inst": base, "patient": patient}).Execute(); err != nil {
			t.Fatal(err)
		}
	}
}

// workbook fetches a report.
func workbook(t *testing.T, a *testapp.App, token, path string) (*excelize.File, []byte) {
	t.Helper()
	res := a.Call("GET", path, token, nil)
	if res.Status != 200 {
		t.Fatalf("%s: %d %s", path, res.Status, res.Raw)
	}
	f, err := excelize.OpenReader(bytes.NewReader(res.Raw))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, res.Raw
}

// sheetRows reads the first sheet as it is shown.
func sheetRows(t *testing.T, f *excelize.File) [][]string {
	t.Helper()
	rows, err := f.GetRows(f.GetSheetName(0))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// rowOf finds the row that begins with a text and returns its number.
func rowOf(t *testing.T, rows [][]string, begin string) int {
	t.Helper()
	for i, r := range rows {
		if len(r) > 0 && strings.HasPrefix(r[0], begin) {
			return i + 1
		}
	}
	t.Fatalf("no row begins with %q: %v", begin, rows)
	return 0
}

// TestReport_RefundsInThePrintedForm reads the list back: frame, filter, total
// by formula, capitals, watermark, and the entry in the audit log.
func TestReport_RefundsInThePrintedForm(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	a.Login("P0001", "wechat")
	past(t, a, 20, nil)
	finance := a.Staff("finance")
	f, raw := workbook(t, a, finance, "/api/hospay/reports/refunds.xlsx?date=his_date&from=2026-11-01&to=2026-11-01&amount_min=11&"+
		"status=succeeded")
	rows := sheetRows(t, f)
	if rows[0][0] != "预交金退款明细表" || !strings.Contains(rows[1][0], "编制单位：演示医院") || !strings.Contains(rows[1][0], "2026-11-01 至 2026-11-01") ||
		!strings.Contains(rows[1][0], "单位：元") {
		t.Errorf("%v", rows[:2])
	}
	head, total := rowOf(t, rows, "退款单号"), rowOf(t, rows, "合计")
	if total-head-1 != 10 {
		t.Errorf("%d rows, want those of 11 to 20 fen", total-head-1)
	}
	sheet := f.GetSheetName(0)
	formula, _ := f.GetCellFormula(sheet, fmt.Sprintf("F%d", total))
	sum, err := f.CalcCellValue(sheet, fmt.Sprintf("F%d", total))
	if formula != fmt.Sprintf("SUM(F%d:F%d)", head+1, total-1) || err != nil || sum != "1.55" {
		t.Errorf("%s = %s %v", formula, sum, err)
	}
	if !strings.Contains(rows[total][0], "壹元伍角伍分") {
		t.Errorf("capitals: %v", rows[total])
	}
	rowOf(t, rows, "筛选条件：日期口径=HIS退款日期，状态=已到账，金额不低于=0.11元")
	rowOf(t, rows, "制表：")
	if foot := part(t, raw, "xl/worksheets/sheet1.xml"); !strings.Contains(foot, "&amp;L&amp;9 财务员 20") ||
		!strings.Contains(foot, "导出&amp;R&amp;9 第") {
		t.Error("no watermark in the footer")
	}
	var details string
	err = a.Runtime.App.ConcurrentDB().NewQuery("SELECT details FROM audit_log WHERE action = 'report.export' AND institution = {:i}").
		Bind(dbx.Params{"i": a.Institution}).Row(&details)
	if err != nil || !strings.Contains(details, `"amount_min":"11"`) || !strings.Contains(details, `"rows":10`) {
		t.Errorf("audit: %q %v", details, err)
	}
}

func part(t *testing.T, raw []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return string(must(io.ReadAll(r)))
}

// TestReport_StatsAddUp: the sheet of the statistics is the statistics.
func TestReport_StatsAddUp(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	a.Login("P0001", "wechat")
	past(t, a, 20, nil)
	f, _ := workbook(t, a, a.Staff("auditor"), "/api/hospay/reports/stats.xlsx?from=2026-11-01&to=2026-11-30&by=channel,method")
	rows := sheetRows(t, f)
	total := rowOf(t, rows, "合计")
	line := rows[rowOf(t, rows, "渠道")]
	if strings.Join(line, "|") != "支付宝|转账退|2.10|20|2.10|20|0.00|0|0.00|0" {
		t.Errorf("%v", line)
	}
	if sum, err := f.CalcCellValue(f.GetSheetName(0), fmt.Sprintf("C%d", total)); err != nil || sum != "2.10" && sum != "2.1" {
		t.Errorf("%s %v", sum, err)
	}
}

// TestExport_FormulaInjectionIsHarmless writes formulas where foreign texts
// stand: the sheet shows them as text.
func TestExport_FormulaInjectionIsHarmless(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	a.Login("P0001", "wechat")
	past(t, a, 4, map[string]string{
		"payee_name": "CASE x WHEN 1 THEN '=1+1' WHEN 2 THEN '+SUM(A1)' WHEN 3 THEN '@cmd' ELSE '-2' END", "fail_code": "'X'",
		"fail_reason": "'=HYPERLINK(\"http://x\")'",
	})
	f, raw := workbook(t, a, a.Staff("finance"), "/api/hospay/reports/refunds.xlsx?date=his_date&from=2026-11-01&to=2026-11-01")
	rows := sheetRows(t, f)
	first := rowOf(t, rows, "退款单号") + 1
	for i, want := range []string{"'=1+1", "'+SUM(A1)", "'@cmd", "'-2"} {
		for _, c := range []struct{ at, want string }{{"E", want}, {"N", `'=HYPERLINK("http://x")`}} {
			at := fmt.Sprintf("%s%d", c.at, first+i)
			formula, _ := f.GetCellFormula(f.GetSheetName(0), at)
			if v, _ := f.GetCellValue(f.GetSheetName(0), at); v != c.want || formula != "" {
				t.Errorf("%s is %q, formula %q", at, v, formula)
			}
		}
	}
	if n := strings.Count(part(t, raw, "xl/worksheets/sheet1.xml"), "<f>"); n != 1 {
		t.Errorf("%d formulas, want the total's", n)
	}
}

// TestExport_LongReportsAreJobs goes the way of a report that is too long to
// wait for.
func TestExport_LongReportsAreJobs(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	a.Login("P0001", "wechat")
	past(t, a, exports.DirectRows+1, nil)
	finance, reviewer := a.Staff("finance"), a.Staff("reviewer1")
	if res := a.Call("GET", "/api/hospay/reports/refunds.xlsx?date=his_date&from=2026-11-01&to=2026-11-01", finance, nil); res.Status != 400 ||
		res.Code() != "too_many_rows" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	body := map[string]any{"report": "refunds", "params": map[string]any{"date": "his_date", "from": "2026-11-01", "to": "2026-11-01",
		"status": "succeeded"}}
	id := a.Call("POST", "/api/hospay/exports", finance, body).Text("id")
	if s := a.Call("GET", "/api/hospay/exports/"+id, finance, nil); s.Text("state") != "queued" {
		t.Fatalf("%s", s.Raw)
	}
	if res := a.Call("GET", "/api/hospay/exports/"+id+"/file", finance, nil); res.Status != 409 || res.Code() != "export_not_ready" {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	if _, err := a.Jobs.RunNow(t.Context(), "exports"); err != nil {
		t.Fatal(err)
	}
	s := a.Call("GET", "/api/hospay/exports/"+id, finance, nil)
	if s.Text("state") != "done" || s.Text("progress") != "100" || s.Text("rows") != fmt.Sprint(exports.DirectRows+1) ||
		!strings.HasPrefix(s.Text("file"), "退款明细-") {
		t.Fatalf("%s", s.Raw)
	}
	f, _ := workbook(t, a, finance, "/api/hospay/exports/"+id+"/file")
	if total := rowOf(t, sheetRows(t, f), "合计"); total < exports.DirectRows {
		t.Errorf("合计 stands in row %d", total)
	}
	for _, path := range []string{"/api/hospay/exports/" + id, "/api/hospay/exports/" + id + "/file"} {
		if res := a.Call("GET", path, reviewer, nil); res.Status != 404 {
			t.Errorf("another one gets %s: %d", path, res.Status)
		}
	}
	if n := a.Call("GET", "/api/hospay/exports", reviewer, nil); strings.Contains(string(n.Raw), id) {
		t.Error("another one lists it")
	}
	var acts string
	if err := a.Runtime.App.ConcurrentDB().NewQuery("SELECT group_concat(action) FROM audit_log WHERE action LIKE 'report.%'").
		Row(&acts); err != nil || acts != "report.export,report.download" {
		t.Errorf("audit: %s %v", acts, err)
	}
}

// TestExport_DiesWithTheProcessAndIsTold: what a former run left behind is
// interrupted; a new run of the program does not go on with half a file.
func TestExport_DiesWithTheProcessAndIsTold(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	id := a.Call("POST", "/api/hospay/exports", finance, map[string]any{"report": "refunds", "params": map[string]any{}}).Text("id")
	rec := must(a.Runtime.App.FindRecordById(collections.Exports, id))
	rec.Set("state", exports.Running)
	if err := a.Runtime.App.Save(rec); err != nil {
		t.Fatal(err)
	}
	half := a.Exports.Path(rec) + ".part"
	if err := errors.Join(os.MkdirAll(a.Exports.Folder(), 0o700), os.WriteFile(half, []byte("half"), 0o600)); err != nil {
		t.Fatal(err)
	}
	a.Runtime.Start()
	t.Cleanup(a.Runtime.Close)
	if _, err := os.Stat(half); err == nil {
		t.Error("half a file is left")
	}
	s := a.Call("GET", "/api/hospay/exports/"+id, finance, nil)
	if s.Text("state") != exports.Interrupted || s.Text("error") == "" {
		t.Errorf("%s", s.Raw)
	}
}

// TestExport_FilesAreDeletedAfterSevenDays keeps the record and not the file.
func TestExport_FilesAreDeletedAfterSevenDays(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	id := a.Call("POST", "/api/hospay/exports", finance, map[string]any{"report": "refunds", "params": map[string]any{}}).Text("id")
	if _, err := a.Jobs.RunNow(t.Context(), "exports"); err != nil {
		t.Fatal(err)
	}
	path := a.Exports.Path(must(a.Runtime.App.FindRecordById(collections.Exports, id)))
	if n, err := a.Exports.Purge(testday.Now().AddDate(0, 0, 6)); n != 0 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	if n, err := a.Exports.Purge(testday.Now().AddDate(0, 0, 8)); n != 1 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is still there")
	}
	if res := a.Call("GET", "/api/hospay/exports/"+id+"/file", finance, nil); res.Status != 409 {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}

// TestExport_ThreeAtOnceForOnePerson: nobody fills the disk alone.
func TestExport_ThreeAtOnceForOnePerson(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance, body := a.Staff("finance"), map[string]any{"report": "refunds", "params": map[string]any{}}
	for i := range 4 {
		res := a.Call("POST", "/api/hospay/exports", finance, body)
		if busy := res.Status == 429 && res.Code() == "export_busy"; busy != (i == 3) {
			t.Errorf("export %d: %d %s", i+1, res.Status, res.Raw)
		}
	}
	if res := a.Call("POST", "/api/hospay/exports", a.Staff("cashier"), body); res.Status != 200 {
		t.Errorf("another one: %d", res.Status)
	}
	if _, err := a.Jobs.RunNow(t.Context(), "exports"); err != nil {
		t.Fatal(err)
	}
	if res := a.Call("POST", "/api/hospay/exports", finance, body); res.Status != 200 {
		t.Errorf("after they are done: %d %s", res.Status, res.Raw)
	}
}

// TestExports_TheAuditLogGoesOnMeanwhile: rows that are written while the log is
// exported neither repeat nor push out one that was there.
func TestExports_TheAuditLogGoesOnMeanwhile(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	act := func(n int) {
		err := a.Runtime.App.RunInTransaction(func(tx core.App) (err error) {
			for range n {
				err = errors.Join(err, store.Audit(tx, store.AuditEntry{Institution: a.Institution, Action: "test"}))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	const n = 4500
	act(n)
	var file bytes.Buffer
	req := exports.Request{Report: exports.Audit, Institution: a.Institution, Params: exports.Values(map[string]string{"action": "test"}),
		At: testday.Now(), Progress: func(int, int) { act(7) }}
	if rows, err := exports.Write(t.Context(), a.Runtime.Store, req, &file); err != nil || rows != n {
		t.Errorf("%d rows, %v", rows, err)
	}
	f := must(excelize.OpenReader(&file))
	defer f.Close()
	seen := map[string]bool{}
	for _, row := range sheetRows(t, f) {
		if len(row) > 3 && row[3] == "test" {
			seen[row[0]] = true
		}
	}
	if len(seen) != n {
		t.Errorf("%d different rows of %d", len(seen), n)
	}
}
