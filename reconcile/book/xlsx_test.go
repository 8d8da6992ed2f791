package book_test

import (
	"bytes"
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
	want := reconcile.Line{OrderNo: "R1", BillNo: "B1", HISNo: "H1", CardNo: "0012", Amount: 2999, Method: "transfer", Channel: "wechat", Status: reconcile.Succeeded, At: unix("2026-11-23 09:05:00")}
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
	o := readTable(reconcile.HIS, workbook(t, false, heads(headZh), []any{"R1", "B1", "H1", "1", 0.005, "转账退", "微信", "成功", clock}, []any{"R2", "B2", "H2", "1", 1, "转账退", "微信", "成功", clock}))
	if o.err != nil || len(o.lines) != 1 || len(o.rejects) != 1 || o.rejects[0].Line != 2 {
		t.Errorf("%+v", o)
	}
}

func TestReadTable_BrokenXLSX(t *testing.T) {
	good := workbook(t, false, heads(headZh))
	for name, data := range map[string]string{"cut": good[:len(good)/2], "no header": workbook(t, false, []any{"x", "y"}), "empty": workbook(t, false)} {
		if o := readTable(reconcile.HIS, data); o.err == nil {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if o := readBill(good); o.err == nil || !strings.Contains(o.err.Error(), "XLSX") {
		t.Errorf("%+v", o)
	}
}

func FuzzReadXLSX(f *testing.F) {
	f.Add([]byte(workbook(f, false, heads(headZh), []any{"R1", "B1", "H1", "1", 1, "转账退", "微信", "成功", 46349.5})))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			t.Skip("too long to be quick")
		}
		checkLines(t, readTable(reconcile.Platform, string(data)))
	})
}
