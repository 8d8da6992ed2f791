package report_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hospay/money"
	"hospay/reconcile"
	"hospay/report"

	"github.com/xuri/excelize/v2"
)

var update = flag.Bool("update", false, "write the golden files")

func open(t *testing.T, sheets ...report.Sheet) *excelize.File {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, sheets...); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func cell(t *testing.T, f *excelize.File, sheet, at string) string {
	t.Helper()
	v, err := f.GetCellValue(sheet, at)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func rows(list ...[]any) func(func(...any) error) error {
	return func(yield func(...any) error) error {
		for _, r := range list {
			if err := yield(r...); err != nil {
				return err
			}
		}
		return nil
	}
}

func form(list ...[]any) report.Sheet {
	return report.Sheet{
		Name: "退款", Title: "退款统计表", Unit: "某某医院", Period: "2026-11-23", Printed: "2026-11-24 09:00", Notes: []string{"附注一"},
		Tables: []report.Table{{
			Columns: []report.Column{{Name: "退款单号", Width: 24}, {Name: "笔数", Type: report.Count, Sum: true},
				{Name: "金额", Type: report.Money, Sum: true}, {Name: "成功金额", Type: report.Money, Sum: true, If: "状态"}, {Name: "状态"}},
			Total: true, Capital: "金额", Rows: rows(list...),
		}},
	}
}

func TestForm_LooksAsFinancePrintsIt(t *testing.T) {
	f := open(t, form(
		[]any{"202611230000000001", 1, money.Fen(123450), money.Fen(123450), "成功"},
		[]any{"202611230000000002", 2, money.Fen(5), money.Fen(5), "失败"},
		[]any{"=HYPERLINK(\"x\")", nil, money.Fen(-100), money.Fen(100), "成功"},
	))
	for at, want := range map[string]string{
		"A1": "退款统计表", "A2": "编制单位：某某医院　　期间：2026-11-23　　单位：元", "A3": "退款单号", "A4": "202611230000000001", "B4": "1", "C4": "1,234.50",
		"C6": "-1.00",
		"A6": "'=HYPERLINK(\"x\")", "A7": "合计", "B7": "3", "C7": "1,233.55", "D7": "1,235.50", "A8": "金额合计（大写）：壹仟贰佰叁拾叁元伍角伍分", "A9": "附注一",
	} {
		if got := cell(t, f, "退款", at); got != want {
			t.Errorf("%s: %q, want %q", at, got, want)
		}
	}
	for at, want := range map[string]string{"C7": "SUM(C4:C6)", "D7": `SUMIF(E4:E6,"成功",D4:D6)`, "B7": "SUM(B4:B6)", "A6": ""} {
		if got, err := f.GetCellFormula("退款", at); err != nil || got != want {
			t.Errorf("formula of %s: %q, %v", at, got, err)
		}
	}
	for at, want := range map[string]string{"C7": "1,233.55", "D7": "1,235.50"} {
		if got, err := f.CalcCellValue("退款", at); err != nil || got != want {
			t.Errorf("%s calculates to %q, %v; want %q", at, got, err, want)
		}
	}
	if kind, err := f.GetCellType("退款", "A4"); err != nil || kind == excelize.CellTypeNumber || kind == excelize.CellTypeUnset {
		t.Errorf("order number is of type %v, %v", kind, err)
	}
	if !strings.Contains(cell(t, f, "退款", "A11"), "制表") || !strings.Contains(cell(t, f, "退款", "A11"), "打印时间：2026-11-24 09:00") {
		t.Error(cell(t, f, "退款", "A11"))
	}
}

func TestForm_PrintsOnA4(t *testing.T) {
	f := open(t, form([]any{"R1", 1, money.Fen(1), money.Fen(1), "成功"}))
	layout, err := f.GetPageLayout("退款")
	if err != nil || *layout.Size != 9 || *layout.Orientation != "landscape" || *layout.FitToWidth != 1 {
		t.Errorf("%+v, %v", layout, err)
	}
	foot, err := f.GetHeaderFooter("退款")
	if err != nil || foot.OddFooter != "&R&9 第 &P 页 / 共 &N 页" {
		t.Errorf("%+v, %v", foot, err)
	}
	names := f.GetDefinedName()
	if len(names) != 2 || names[0].RefersTo != "'退款'!$1:$3" || names[1].RefersTo != "'退款'!$A$1:$E$9" {
		t.Errorf("%+v", names)
	}
	merged, err := f.GetMergeCells("退款")
	if err != nil || len(merged) == 0 || merged[0].GetStartAxis() != "A1" || merged[0].GetEndAxis() != "E1" {
		t.Errorf("%v, %v", merged, err)
	}
}

func TestForm_WithoutRowsHasNoFormula(t *testing.T) {
	f := open(t, form())
	if got, err := f.GetCellFormula("退款", "C4"); err != nil || got != "" || cell(t, f, "退款", "A4") != "合计" ||
		cell(t, f, "退款", "C4") != "0.00" {
		t.Errorf("%q %q %q", got, cell(t, f, "退款", "A4"), cell(t, f, "退款", "C4"))
	}
}

func TestForm_TotalsAreChecked(t *testing.T) {
	s := form([]any{"R1", 1, money.Fen(1), money.Fen(1), "成功"})
	s.Tables[0].Check = map[string]money.Fen{"金额": 2}
	if err := report.Write(io.Discard, s); err == nil {
		t.Error("a wrong total was written")
	}
	s.Tables[0].Check = map[string]money.Fen{"金额": 1, "成功金额": 1, "笔数": 1}
	if err := report.Write(io.Discard, s); err != nil {
		t.Error(err)
	}
}

func TestSafe(t *testing.T) {
	for in, want := range map[string]string{"": "", "张三": "张三", "=1+1": "'=1+1", "+86": "'+86", "-1": "'-1", "@x": "'@x", "\tx": "'\tx",
		"1=1": "1=1"} {
		if got := report.Safe(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// sample is a small day with one difference of several kinds.
func sample(t *testing.T, extra int) report.Recon {
	t.Helper()
	e, err := reconcile.New(reconcile.Defaults("2026-11-23"))
	if err != nil {
		t.Fatal(err)
	}
	noon := int64(1795406400) // 2026-11-23 12:00:00 in Beijing
	line := func(no string, f money.Fen) reconcile.Line {
		return reconcile.Line{OrderNo: no, BillNo: "B" + no, HISNo: "H" + no, CardNo: "C1", Amount: f, Method: "transfer", Channel: "wechat",
			Status: reconcile.Succeeded, At: noon}
	}
	bill := func(no string, f money.Fen) reconcile.Line {
		l := line(no, f)
		l.OrderNo, l.HISNo, l.CardNo, l.Type, l.Flow = "", "", "", "商家转账", "F"+no
		return l
	}
	add := func(b reconcile.Book, l reconcile.Line) {
		if err := e.Add(b, l); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Bill("wechat"); err != nil {
		t.Fatal(err)
	}
	for i, f := range [][3]money.Fen{{100, 100, 100}, {200, 200, 201}, {300, 0, 300}, {0, 400, 0}, {500, 500, 0}} {
		no := fmt.Sprintf("R%d", i+1)
		for b, v := range f {
			if v > 0 && reconcile.Book(b) == reconcile.Channel {
				add(reconcile.Channel, bill(no, v))
			} else if v > 0 {
				add(reconcile.Book(b), line(no, v))
			}
		}
	}
	failed := line("=R6", 600)
	failed.Status = reconcile.Failed
	add(reconcile.Platform, failed)
	add(reconcile.HIS, line("=R6", 600))
	for i := range extra {
		l := line(fmt.Sprintf("X%07d", i), 1)
		l.Channel = "cash"
		add(reconcile.Platform, l)
		add(reconcile.HIS, l)
	}
	res, err := e.Run()
	if err != nil {
		t.Fatal(err)
	}
	return report.Recon{Result: res, Unit: "某某医院", Printed: "2026-11-24 09:00", Notes: []string{"注意一"},
		Files: []report.ReconFile{{Name: "platform.csv", Kind: "平台明细表", SHA256: "ab", Lines: 6},
			{Name: "again.csv", SHA256: "ab", Repeated: true}},
		Rejects: []report.Rejected{{File: "his.csv", Line: 7, Reason: "金额 \"abc\" 无法识别"}}}
}

// dump writes every cell of a workbook as text.
func dump(t *testing.T, f *excelize.File) string {
	t.Helper()
	var b strings.Builder
	for _, sheet := range f.GetSheetList() {
		fmt.Fprintf(&b, "== %s\n", sheet)
		list, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			fmt.Fprintln(&b, strings.TrimRight(strings.Join(r, " | "), " |"))
		}
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s", name, got)
	}
}

func TestRecon_Workbook(t *testing.T) {
	f := open(t, sample(t, 0).Sheets()...)
	golden(t, "recon.xlsx.txt", dump(t, f))
	if got, err := f.CalcCellValue("差异明细", "D9"); err != nil || got != "10.00" {
		t.Errorf("sum of the platform: %q, %v", got, err)
	}
	var head []string
	for c := 'A'; c <= 'J'; c++ {
		head = append(head, cell(t, f, "差异明细", string(c)+"3"))
	}
	if got := strings.Join(head, ","); got != "差异类型,退款单号,商户单号,平台金额,渠道金额,HIS金额,平台状态,渠道状态,HIS状态,说明" {
		t.Error(got)
	}
}

func TestRecon_JSON(t *testing.T) {
	var b bytes.Buffer
	if err := sample(t, 0).WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "recon.json", b.String())
	for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		if !json.Valid([]byte(line)) {
			t.Error(line)
		}
	}
}

func TestRecon_Lines(t *testing.T) {
	var b bytes.Buffer
	if err := sample(t, 0).WriteLines(&b); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "recon.csv", string(text))
	if recs, err := csv.NewReader(bytes.NewReader(text)).ReadAll(); err != nil || len(recs) != 7 {
		t.Errorf("%d records, %v", len(recs), err)
	}
}

func TestRecon_BeyondAHundredThousandOrdersTheSheetSaysSo(t *testing.T) {
	listed := sample(t, report.MaxLines-6).Sheets()[3]
	if listed.Name != "三方明细" || len(listed.Tables) != 1 || len(listed.Notes) != 1 || !strings.Contains(listed.Notes[0], "没有动钱") {
		t.Errorf("%s: %d tables, %q", listed.Name, len(listed.Tables), listed.Notes)
	}
	beyond := sample(t, report.MaxLines-5).Sheets()[3]
	if len(beyond.Tables) != 0 || len(beyond.Notes) != 1 {
		t.Fatalf("%d tables, %q", len(beyond.Tables), beyond.Notes)
	}
	if got := cell(t, open(t, beyond), "三方明细", "A3"); got != "共 100001 笔，超过 100000 笔，本表不列；请用 --lines 导出全部明细（CSV.gz）。" {
		t.Error(got)
	}
}
