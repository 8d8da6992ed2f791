package files_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"hospay/reconcile"

	"github.com/xuri/excelize/v2"
)

// workbook writes rows into a sheet behind an empty one.
func workbook(t testing.TB, date1904 bool, rows ...[]any) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	if _, err := f.NewSheet("明细"); err != nil {
		t.Fatal(err)
	}
	if err := f.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &date1904}); err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		at, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SetSheetRow("明细", at, &r); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func heads(line string) (out []any) {
	for _, h := range strings.Split(strings.TrimSpace(line), ",") {
		out = append(out, h)
	}
	return out
}

func TestReadTable_XLSX(t *testing.T) {
	clock := time.Date(2026, 11, 23, 9, 5, 0, 0, time.UTC)
	want := reconcile.Line{OrderNo: "R1", BillNo: "B1", HISNo: "H1", CardNo: "0012", Amount: 2999, Method: "transfer", Channel: "wechat",
		Status: reconcile.Succeeded, At: unix("2026-11-23 09:05:00")}
	for _, c := range []struct {
		name   string
		d1904  bool
		amount any
		at     any
	}{
		{"数字和日期", false, 29.99, clock},
		{"文本", false, "29.99", "2026-11-23 09:05:00"},
		{"浮点误差", false, 29.989999999999998, clock},
		{"另一侧的浮点误差", false, 29.990000000000002, clock},
		{"1904 日期系统", true, 29.99, 46349.3784722222 - 1462},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := readTable(reconcile.HIS, workbook(t, c.d1904, []any{"退款明细表"}, heads(headZh), nil,
				[]any{"R1", "B1", "H1", "0012", c.amount, "转账退", "微信", "成功", c.at}, []any{"合计", "", "", "", 29.99}))
			if o.err != nil || len(o.rejects) > 0 || len(o.lines) != 1 || o.lines[0] != want || len(o.info.Notes) > 0 {
				t.Errorf("%+v\nwant %+v", o, want)
			}
		})
	}
	o := readTable(reconcile.HIS, workbook(t, false, heads(headZh), []any{"R1", "B1", "H1", "1", 0.005, "转账退", "微信", "成功", clock},
		[]any{"R2", "B2", "H2", "1", 1, "转账退", "微信", "成功", clock}))
	if o.err != nil || len(o.lines) != 1 || len(o.rejects) != 1 || o.rejects[0].Line != 2 {
		t.Errorf("%+v", o)
	}
}

func TestReadTable_BrokenXLSX(t *testing.T) {
	good := workbook(t, false, heads(headZh))
	for name, data := range map[string]string{"cut": good[:len(good)/2], "no header": workbook(t, false, []any{"x", "y"}),
		"empty": workbook(t, false)} {
		if o := readTable(reconcile.HIS, data); o.err == nil {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if o := readBill(good); o.err == nil || !strings.Contains(o.err.Error(), "账单的表头") {
		t.Errorf("%+v", o)
	}
}

// sheetOnly packs the XML of a sheet and of its shared texts into the smallest
// workbook.
func sheetOnly(sheet, texts string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, part := range [][2]string{
		{"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ` +
			`ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
			`<Override PartName="/xl/worksheets/sheet1.xml" ` +
			`ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/sharedStrings.xml" ` +
			`ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/></Types>`},
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" ` +
			`Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" ` +
			`xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="rId1"/>` +
			`</sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship ` +
			`Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" ` +
			`Target="sharedStrings.xml"/></Relationships>`},
		{"xl/worksheets/sheet1.xml", sheet},
		{"xl/sharedStrings.xml", texts},
	} {
		f, err := w.Create(part[0])
		if err != nil {
			panic(err)
		}
		f.Write([]byte(part[1]))
	}
	w.Close()
	return b.String()
}

// seedSheet writes records as inline texts.
func seedSheet(records ...string) string {
	var b strings.Builder
	b.WriteString(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>`)
	for i, rec := range records {
		fmt.Fprintf(&b, `<row r="%d">`, i+1)
		for j, c := range strings.Split(strings.TrimSpace(rec), ",") {
			fmt.Fprintf(&b, `<c r="%c%d" t="inlineStr"><is><t>%s</t></is></c>`, 'A'+j, i+1, c)
		}
		b.WriteString("</row>")
	}
	b.WriteString(`</sheetData></worksheet>`)
	return b.String()
}

const seedTexts = `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>R7</t></si></sst>`

func TestReadTable_SmallestXLSX(t *testing.T) {
	sheet := seedSheet(headZh, "R1,B1,H1,C1,1.00,转账退,微信,成功,2026-11-23 09:05:00")
	sheet = strings.Replace(sheet, `<c r="A2" t="inlineStr"><is><t>R1</t></is></c>`, `<c r="A2" t="s"><v>0</v></c>`, 1)
	if o := readTable(reconcile.Platform, sheetOnly(sheet, seedTexts)); o.err != nil || len(o.lines) != 1 || o.lines[0].OrderNo != "R7" {
		t.Errorf("%+v", o)
	}
}

func TestReadTable_XLSXRowNumbersBeyondAllBounds(t *testing.T) {
	sheet := strings.Replace(seedSheet(headZh, "R1,B1,H1,C1,1.00,转账退,微信,成功,2026-11-23 09:05:00"), `<row r="2">`, `<row r="2000000000">`, 1)
	if o := readTable(reconcile.Platform, sheetOnly(sheet, seedTexts)); o.err == nil || !strings.Contains(o.err.Error(), "上限") {
		t.Errorf("%+v", o)
	}
}

// FuzzReadXLSX changes the XML inside a workbook: changes of the packed bytes
// would hardly ever be a ZIP any more.
func FuzzReadXLSX(f *testing.F) {
	f.Add(seedSheet(headZh, "R1,B1,H1,C1,1.00,转账退,微信,成功,2026-11-23 09:05:00"), seedTexts)
	f.Add(strings.ReplaceAll(seedSheet(headZh, "0,0,0,0,1.5,0,0,成功,46349.5"), `t="inlineStr"><is><t>0</t></is>`, `t="s"><v>0</v>`), seedTexts)
	f.Fuzz(func(t *testing.T, sheet, texts string) {
		checkLines(t, readTable(reconcile.Platform, sheetOnly(sheet, texts)))
	})
}
