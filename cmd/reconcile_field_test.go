package cmd

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// What comes from the field: each case is a small day of three files, as other
// systems, spreadsheets and people make them, with what must come out.

const (
	fieldHead  = "退款单号,商户单号,HIS退款流水号,就诊卡号,退款金额,退款方式,退款渠道,状态,退款时间\n"
	fieldRow   = "R7,P7,H7,K7,88.00,转账退,微信,成功,2026-11-23 09:20:00\n"
	flowHead   = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n"
	flowPaid   = "`2026-11-23 09:21:00,`14007,`M7,`商家转账,`商家转账,`支出,`88.00,`12.00,`admin,`退预交金,`P7\r\n"
	flowTotals = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n"
	flowGood   = flowHead + flowPaid + flowTotals + "`1,`0,`0.00,`1,`88.00\r\n"

	ledgerTop  = "#支付宝账务明细查询\r\n#账号：[20880000000000000777]\r\n#起始日期：[2026年11月23日 00:00:00]   终止日期：[2026年11月24日 00:00:00]\r\n"
	ledgerHead = "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注\r\n"
	ledgerEnd  = "#---账务明细列表结束---\r\n#支出合计：1笔，共%s元\r\n#收入合计：0笔，共0元\r\n"
	bizTop     = "#支付宝业务明细查询\r\n#账号：[20880000000000000777]\r\n#起始日期：[2026年11月23日 00:00:00]   终止日期：[2026年11月24日 00:00:00]\r\n"
	bizHead    = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,订单金额（元）,商家实收（元）,退款批次号/请求号,备注\r\n"
	bizEnd     = "#---业务明细列表结束---\r\n#交易合计：%d笔，商家实收共%s元\r\n#退款合计：1笔，商家实收退款共-88.00元\r\n"
	tradeBill  = "交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,应结订单金额,微信退款单号,商户退款单号,退款金额,退款类型,退款状态,申请退款金额\r\n"
)

// fieldSet is a case. What is not given is a day on which all agree.
type fieldSet struct {
	name           string
	platform, his  string
	bills          []string
	args           []string
	words          string
	code           int
	kinds          string // of the differences, by number
	rejects        int
	says           []string // in the JSON or on the screen
	silent         []string
	channel, other int // sums in fen, where they matter
}

func changed(pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(fieldHead + fieldRow)
}

func onAlipay(s string) string {
	return strings.NewReplacer("微信", "支付宝", "转账退", "原路退").Replace(s)
}

func fieldGBK(s string) string {
	out, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return out
}

func ledgerOf(lines, sum string) string {
	return ledgerTop + ledgerHead + lines + fmt.Sprintf(ledgerEnd, sum)
}

func bizOf(lines string, trades int, sum string) string {
	return bizTop + bizHead + lines + fmt.Sprintf(bizEnd, trades, sum)
}

// sheetFile packs rows of cells, which are XML already, into the smallest workbook.
func sheetFile(rows ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	sheet := `<worksheet><sheetData>`
	for i, r := range rows {
		sheet += fmt.Sprintf(`<row r="%d">%s</row>`, i+1, r)
	}
	for _, part := range [][2]string{
		{"[Content_Types].xml", `<Types/>`}, {"_rels/.rels", `<Relationships><Relationship Id="a" Type="x/officeDocument" ` +
			`Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook><sheets><sheet name="封面" r:id="c"/><sheet name="明细" r:id="s"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="c" Type="x/worksheet" Target="worksheets/cover.xml"/><Relationship ` +
			`Id="s" Type="x/worksheet" Target="/xl/worksheets/sheet1.xml"/></Relationships>`},
		{"xl/worksheets/cover.xml", `<worksheet><sheetData><row r="1"><c t="inlineStr"><is><t>退款明细，2026 年 11 月 23 日</t></is></c></row>` +
			`</sheetData></worksheet>`},
		{"xl/worksheets/sheet1.xml", sheet + `</sheetData></worksheet>`},
	} {
		f, _ := w.Create(part[0])
		_, _ = f.Write([]byte(part[1]))
	}
	_ = w.Close()
	return b.String()
}

// texts are cells of text.
func texts(line string) string {
	var b strings.Builder
	for c := range strings.SplitSeq(strings.TrimSpace(line), ",") {
		fmt.Fprintf(&b, `<c t="inlineStr"><is><t>%s</t></is></c>`, c)
	}
	return b.String()
}

func textCell(s string) string { return `<c t="inlineStr"><is><t>` + s + `</t></is></c>` }

// pageOf makes an HTML table of comma-separated lines.
func pageOf(table string) string {
	var b strings.Builder
	b.WriteString(`<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"></head><body><p>退款明细</p><table border=1>`)
	for line := range strings.Lines(table) {
		b.WriteString("<tr>")
		for c := range strings.SplitSeq(strings.TrimSpace(line), ",") {
			b.WriteString("<td align=left>&nbsp;" + c)
		}
		b.WriteString("\n")
	}
	return b.String() + "</table></body></html>"
}

func xmlOf(table string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" ` +
		`xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Styles><Style ss:ID="a"/></Styles><Worksheet ss:Name="a"><Table>`)
	for line := range strings.Lines(table) {
		b.WriteString("<Row>")
		for c := range strings.SplitSeq(strings.TrimSpace(line), ",") {
			b.WriteString(`<Cell><Data ss:Type="String">` + c + `</Data></Cell>`)
		}
		b.WriteString("</Row>")
	}
	return b.String() + "</Table></Worksheet></Workbook>"
}

func odsOf(table string, numbers bool) string {
	var x strings.Builder
	x.WriteString(`<?xml version="1.0"?><office:document-content><office:body><office:spreadsheet><table:table table:name="a">`)
	for line := range strings.Lines(table) {
		x.WriteString("<table:table-row>")
		for c := range strings.SplitSeq(strings.TrimSpace(line), ",") {
			if numbers && strings.Trim(c, "0123456789.") == "" {
				fmt.Fprintf(&x, `<table:table-cell office:value-type="float" office:value="%s"><text:p>%s</text:p></table:table-cell>`, c, c)
			} else {
				fmt.Fprintf(&x, `<table:table-cell office:value-type="string"><text:p>%s</text:p></table:table-cell>`, c)
			}
		}
		x.WriteString(`<table:table-cell table:number-columns-repeated="900"/></table:table-row>`)
	}
	x.WriteString(`<table:table-row table:number-rows-repeated="1048570"><table:table-cell table:number-columns-repeated="1024"/>` +
		`</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>`)
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, part := range [][2]string{{"mimetype", "application/vnd.oasis.opendocument.spreadsheet"}, {"content.xml", x.String()}} {
		f, _ := w.Create(part[0])
		_, _ = f.Write([]byte(part[1]))
	}
	_ = w.Close()
	return b.String()
}

var manyRows = func() string {
	out := fieldHead
	for i := range 12 {
		out += fmt.Sprintf("R%d,P%d,H%d,K%d,%d.50,转账退,微信,成功,2026-11-23 1%d:00:00\n", i, i, i, i, i+1, i%10)
	}
	return out
}()

func manyPaid(n int) string {
	out, sum := flowHead, 0
	for i := range n {
		out += fmt.Sprintf("`2026-11-23 1%d:00:30,`15%d,`M%d,`商家转账,`商家转账,`支出,`%d.50,`1.00,`a,`b,`P%d\r\n", i%10, i, i, i+1, i)
		sum += (i+1)*100 + 50
	}
	return out + flowTotals + fmt.Sprintf("`%d,`0,`0.00,`%d,`%d.%02d\r\n", n, n, sum/100, sum%100)
}

func datesOnly(table, clock string) string {
	lines := strings.Split(table, "\n")
	for i, l := range lines {
		if i > 0 && l != "" {
			lines[i] = l[:strings.LastIndexByte(l, ',')+1] + "2026-11-23" + clock
		}
	}
	return strings.Join(lines, "\n")
}

func head(table string, n int) string {
	return strings.Join(strings.Split(table, "\n")[:n+1], "\n") + "\n"
}

// utf16Of is a text as Excel saves it under "Unicode 文本".
func utf16Of(s string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

// reconcileOnce runs the command with arguments.
func reconcileOnce(t *testing.T, args []string) (screen string, code int) {
	t.Helper()
	cmd := reconcileCommand()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(args)
	cmd.SilenceErrors = true
	err := cmd.Execute()
	code, tell := ExitCode(err)
	if tell {
		return out.String() + err.Error(), code
	}
	return out.String(), code
}

func TestReconcile_WordsThatMeanNothing(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"没有等号": "完结\n", "意思没人认识": "完结=了结\n", "前面是空的": "=成功\n", "不是文字": "\xff\xff=\n"} {
		path := filepath.Join(dir, "词表")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readWords(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := readWords(filepath.Join(dir, "没有")); err == nil {
		t.Error("no file")
	}
	path := filepath.Join(dir, "gbk")
	if err := os.WriteFile(path, []byte(fieldGBK("完结=成功\r\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readWords(path); err != nil {
		t.Error(err)
	}
}
