package report_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"hospay/lab/paper"
	"hospay/money"
	"hospay/report"

	"github.com/xuri/excelize/v2"
)

// long is the longest that a form has to hold in its cells.
const (
	longName  = "阿卜杜热西提·麦麦提敏买买提江"
	longBill  = "HP20261123000000000123456789012A"
	longHash  = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	longWords = "渠道记成功 ¥9,999,999.99，HIS 无此笔；同一商户单号另有一笔失败，已于次日退回；请核对 HIS 流水后补记或更正，金额以渠道账单为准"
)

// wide is a form with several tables of different widths, one of many rows.
func wide() report.Sheet {
	var many [][]any
	for i := range 60 {
		many = append(many, []any{fmt.Sprintf("2026-11-%02d", i%30+1), longName, money.Fen(999_999_999), longWords})
	}
	few := report.Listed("一、各方总额", []report.Column{{Name: "账本", Width: 14}, {Name: "校验值", Width: 18}, {Name: "金额", Type: report.Money,
		Width: 14, Sum: true}, {Name: "说明", Width: 40}}, many[:2])
	few.Total, few.Capital = true, "金额"
	second := report.Listed("二、账单", []report.Column{{Name: "账单"}, {Name: "SHA-256"}}, [][]any{{"微信资金账单（基本账户）", longHash},
		{"支付宝", longHash}})
	third := report.Listed("三、逐日", []report.Column{{Name: "业务日", Width: 12}, {Name: "负责人", Width: 16},
		{Name: "金额", Type: report.Money, Width: 14}, {Name: "说明", Width: 40}}, many[:5])
	return report.Sheet{Name: "月结", Title: "对账月结表", Unit: "某某医科大学附属第一人民医院（东院区）", Period: "2026-11", Printed: "2026-12-01 09:00",
		Watermark: longName + " 2026-12-01 09:00:00 导出", Tables: []report.Table{few, second, third},
		Notes: []string{"打印时审计日志到第 1234567 行，校验值 " + longHash + "。" + longWords}}
}

// TestForm_EveryPageHasItsOwnHeading: with several tables the header of the first
// is not repeated above the others, and no table but the first is torn apart.
func TestForm_EveryPageHasItsOwnHeading(t *testing.T) {
	f, raw := written(t, wide())
	for _, n := range f.GetDefinedName() {
		want := map[string]string{"_xlnm.Print_Titles": "'月结'!$1:$2", "_xlnm.Print_Area": "'月结'!$A$1:$D$"}[n.Name]
		if want == "" || !strings.HasPrefix(n.RefersTo, want) {
			t.Errorf("%s: %s", n.Name, n.RefersTo)
		}
	}
	rows, err := f.GetRows("月结")
	if err != nil {
		t.Fatal(err)
	}
	third := slices.IndexFunc(rows, func(r []string) bool { return len(r) > 0 && r[0] == "三、逐日" })
	if got := breaks(t, raw); !slices.Contains(got, third-1) {
		t.Errorf("pages end after rows %v, the third table begins at %d", got, third+1)
	}
}

func TestForm_HoldsTheLongestTexts(t *testing.T) {
	one := wide()
	one.Name, one.Tables = "逐日", one.Tables[2:]
	one.Tables[0].Columns = append(one.Tables[0].Columns, report.Column{Name: "指纹", Width: 250, Aside: true})
	recon := sample(t, 0)
	recon.Files[0].SHA256, recon.Files[0].Name, recon.Notes = longHash, "微信支付-基本账户-"+longBill+".csv", []string{longWords + longWords}
	f, _ := written(t, append(recon.Sheets(), wide(), one)...)
	if faults := paper.Faults(f); len(faults) > 0 {
		t.Errorf("%s", strings.Join(faults, "\n"))
	}
}

// TestPaper_FindsWhatIsWrong keeps the judge honest.
func TestPaper_FindsWhatIsWrong(t *testing.T) {
	s := form([]any{longBill, 1, money.Fen(999_999_999_99), money.Fen(1), "成功"})
	s.Unit = ""
	s.Tables[0].Columns[2].Width = 8
	s.Tables[0].Columns[0].Width = 240
	f, _ := written(t, s)
	faults := strings.Join(paper.Faults(f), "\n")
	for _, want := range []string{"printed in", "wider than its column"} {
		if !strings.Contains(faults, want) {
			t.Errorf("not found: %s in %s", want, faults)
		}
	}
}

func written(t *testing.T, sheets ...report.Sheet) (*excelize.File, []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, sheets...); err != nil {
		t.Fatal(err)
	}
	raw := b.Bytes()
	if dir := os.Getenv("HOSPAY_FORMS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, t.Name()+".xlsx"), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := excelize.OpenReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, raw
}

// breaks are the rows of the first sheet after which a page ends.
func breaks(t *testing.T, raw []byte) (out []int) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := z.Open("xl/worksheets/sheet1.xml")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`<brk id="(\d+)"`).FindAllSubmatch(text, -1) {
		n, _ := strconv.Atoi(string(m[1]))
		out = append(out, n)
	}
	return out
}
