package files_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"strings"
	"testing"

	"hospay/money"
	"hospay/reconcile"
	"hospay/reconcile/files"
)

// TestReadBill_RejectsLineByLine: the totals still hold, only the line is bad.
func TestReadBill_RejectsLineByLine(t *testing.T) {
	both := strings.NewReplacer("0.00,-2274.00", "2274.00,-2274.00", "支出合计：1笔，共-2274.00", "支出合计：0笔，共0.00").Replace(ledgerGood)
	for _, c := range []struct {
		name, data, want string
		line             int
	}{
		{"微信 缺一列", strings.NewReplacer(",`挂号,`PAY1", ",`PAY1", "`2.0,`1.0,`0.50", "`2.0,`0.0,`0.00").Replace(fundGood), "只有 10 列", 3},
		{"微信 收支类型无法识别", strings.NewReplacer("`收入,`0.50", "`转移,`0.50", "`2.0,`1.0,`0.50", "`2.0,`0.0,`0.00").Replace(fundGood), "收支类型", 3},
		{"微信 金额为负", strings.NewReplacer("`收入,`0.50", "`收入,`-0.50", "`1.0,`0.50,", "`1.0,`-0.50,").Replace(fundGood), "为负", 3},
		{"微信 单号里有乱码", strings.Replace(fundGood, "`PAY1", "`PAY\x01", 1), "无法识别", 3},
		{"微信 单号太长", strings.Replace(fundGood, "`PAY1", "`"+strings.Repeat("长", 60), 1), "过长", 3},
		{"微信交易 时间无法识别", strings.Replace(tradeGood, "2026-11-23 09:30:00", "无", 1), "时间", 3},
		{"微信交易 退款为负", strings.NewReplacer("`B2,`3.00", "`B2,`-3.00", "`5.00,`3.00\r\n", "`5.00,`-3.00\r\n").Replace(tradeGood), "为负", 3},
		{"支付宝 收入支出都有", both, "同时有金额", 6},
		{"支付宝 列数不够", strings.NewReplacer(ledgerLine, "5463\t,1\t,B3\r\n", "支出合计：1笔，共-2274.00", "支出合计：0笔，共0.00").Replace(ledgerGood), "只有 3 列", 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := readBill(c.data)
			if o.err != nil || len(o.rejects) != 1 || o.rejects[0].Line != c.line || !strings.Contains(o.rejects[0].Reason, c.want) {
				t.Errorf("%+v", o)
			}
		})
	}
}

// TestReadBill_OneOddRowNeverCostsTheBill: what the totals hold more is the odd
// row's, and it is told.
func TestReadBill_OneOddRowNeverCostsTheBill(t *testing.T) {
	for name, data := range map[string]string{
		"支付宝":    strings.Replace(ledgerGood, ",-2274.00,", ",-22x4.00,", 1),
		"支付宝业务":  strings.Replace(alipayGood, "-4.00,-4.00", "-4.00,四元", 1),
		"微信交易":   strings.Replace(tradeGood, "`B2,`3.00", "`B2,`三元", 1),
		"微信应结":   strings.Replace(tradeGood, "`SUCCESS,`5.00", "`SUCCESS,`五元", 1),
		"微信资金":   strings.Replace(fundGood, "`支出,`1234.50", "`支出,`12x4.50", 1),
		"微信 少一列": strings.Replace(fundGood, "`system,`退,预交\"金,", "`", 1),
		"微信 多一列": strings.Replace(fundGood, "`退,预交", "`退,`预交", 1),
		"微信 乱码":  strings.Replace(fundGood, "退,预交", "退\xff预交", 1),
		"支付宝 逗号": strings.Replace(ledgerGood, "陈**(138", "LEE, JOHN(138", 1),
		"支付宝 乱码": gbk(ledgerTop+ledgerHead) + "5463,2026112300,B3,\xff,2026-11-23 21:02:06,x,0.00,-2274.00,1.00,a,b,\r\n" +
			gbk(ledgerClose+"#支出合计：1笔，共2274.00元\r\n#收入合计：0笔，共0.00元\r\n"),
	} {
		if o := readBill(data); o.err != nil || len(o.rejects) != 1 || o.rejects[0].Line == 0 {
			t.Errorf("%s: %+v", name, o)
		}
	}
	o := readBill(strings.Replace(fundGood, "`支出,`1234.50", "`支出,`12x4.50", 1))
	if len(o.info.Notes) != 1 || !strings.Contains(o.info.Notes[0], "支出 1 笔 1234.50 元") {
		t.Errorf("%+v", o.info)
	}
}

// TestReadBill_OtherBusinessIsNoReason: types that we do not know are other
// business, whichever total counts them.
func TestReadBill_OtherBusinessIsNoReason(t *testing.T) {
	for name, data := range map[string]string{
		"不计":    strings.NewReplacer(",退款,挂号", ",其他,挂号", "退款合计：1笔，商家实收退款共-4.00", "退款合计：0笔，商家实收退款共0.00").Replace(alipayGood),
		"计入退款":  strings.NewReplacer(",退款,挂号", ",预授权撤销,挂号").Replace(alipayGood),
		"计入交易":  strings.NewReplacer(",交易,挂号", ",预授权转支付,挂号").Replace(alipayGood),
		"更名的退款": strings.NewReplacer(",退款,挂号", ",退款（交易退款）,挂号").Replace(alipayGood),
	} {
		o := readBill(data)
		if o.err != nil || len(o.rejects) != 0 || len(o.lines) != 2 {
			t.Errorf("%s: %+v", name, o)
			continue
		}
		if l := o.lines[1]; l.Back == (name == "更名的退款") && name != "计入交易" {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

func TestReadBill_FailedRefundOfTheTradeBill(t *testing.T) {
	o := readBill(strings.Replace(tradeGood, "PROCESSING", "CLOSED", 1))
	if o.err != nil || len(o.lines) != 2 || o.lines[1].Status != reconcile.Failed {
		t.Errorf("%+v", o)
	}
}

// TestReadBill_RefundKindTellsWhenItSucceeded: the REFUND kind has two more
// columns, and the later one counts.
func TestReadBill_RefundKindTellsWhenItSucceeded(t *testing.T) {
	data := strings.NewReplacer("应结订单金额,微信退款单号", "应结订单金额,退款申请时间,退款成功时间,微信退款单号",
		"`5.00,`0,`0", "`5.00,`,`,`0,`0", "`0.00,`5030", "`0.00,`2026-11-23 09:30:00,`2026-11-23 09:31:00,`5030").Replace(tradeGood)
	o := readBill(data)
	if o.err != nil || len(o.lines) != 2 || o.lines[1].At != unix("2026-11-23 09:31:00") {
		t.Errorf("%+v", o)
	}
}

// TestReadTable_XLSXStoresNoise: spreadsheets store doubles.
func TestReadTable_XLSXStoresNoise(t *testing.T) {
	for stored, want := range map[string]money.Fen{
		"29.989999999999998": 2999, "0.30000000000000004": 30, "19.999999999999996": 2000, "1234.5600000000001": 123456, "1E-2": 1,
		"1.23456E7": 1234560000, "0.0049999999999": 0, "7": 700,
	} {
		sheet := strings.Replace(seedSheet(headZh, "R1,B1,H1,C1,AMOUNT,转账退,微信,成功,2026-11-23 09:05:00"), `t="inlineStr"><is><t>AMOUNT</t></is>`,
			"><v>"+stored+"</v>", 1)
		o := readTable(reconcile.Platform, sheetOnly(sheet, seedTexts))
		if want == 0 {
			if len(o.rejects) != 1 {
				t.Errorf("%s: %+v", stored, o)
			}
			continue
		}
		if o.err != nil || len(o.lines) != 1 || o.lines[0].Amount != want {
			t.Errorf("%s: %+v", stored, o)
		}
	}
}

func TestReadTable_PackedFiles(t *testing.T) {
	good := headZh + "R1,B1,H1,C1,1.00,转账退,微信,成功,2026-11-23 09:05:00\n"
	for name, data := range map[string]string{"zip": zipped(good), "bad text above": "\"\n" + good, "bytes above": "\xff\n" + good} {
		if o := readTable(reconcile.HIS, data); o.err != nil || len(o.lines) != 1 {
			t.Errorf("%s: %+v", name, o)
		}
	}
	for name, data := range map[string]string{"two": zipped(good, good), "none": zipped()} {
		if o := readTable(reconcile.HIS, data); o.err == nil {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if _, err := files.ReadTable(files.File{Name: "x", Data: strings.NewReader(good), Size: int64(len(good))}, reconcile.HIS, "23.11.2026",
		files.Sink{}); err == nil {
		t.Error("a day that is none was taken")
	}
}

func TestSink_ErrorsStopTheReading(t *testing.T) {
	enough := errors.New("enough")
	sink := files.Sink{Line: func(*reconcile.Line) error { return enough }, Reject: func(files.Reject) error { return enough }}
	for name, data := range map[string]string{"line": fundGood, "reject": strings.Replace(fundGood, "10:00:03", "无", 1),
		"packed": zipped(gbk(ledgerGood))} {
		if _, err := files.ReadBill(files.File{Name: name, Data: strings.NewReader(data), Size: int64(len(data))}, date, sink); !errors.Is(err,
			enough) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzReadPage changes pages, XML tables and the inside of OpenDocument files.
func FuzzReadPage(f *testing.F) {
	row := "R1,B1,H1,C1,1.00,转账退,微信,成功,2026-11-23 09:05:00"
	cells := func(open, shut string) string {
		return open + strings.ReplaceAll(strings.TrimSpace(headZh), ",", shut+open) + shut +
			"</tr></Row></table:table-row><tr><Row><table:table-row>" + open + strings.ReplaceAll(row, ",", shut+open) + shut
	}
	f.Add("<html><table><tr>" + cells("<td>", "</td>") + "</tr></table>")
	f.Add(`<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet><Table><Row>` +
		cells(`<Cell><Data ss:Type="Number">`, "</Data></Cell>") + "</Row></Table></Worksheet></Workbook>")
	f.Add(`<office:spreadsheet><table:table table:name="a"><table:table-row>` + cells("<table:table-cell><text:p>",
		"</text:p></table:table-cell>") + `</table:table-row></table:table>`)
	f.Fuzz(func(t *testing.T, text string) {
		checkLines(t, readTable(reconcile.HIS, text))
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, part := range []string{"mimetype", "content.xml"} {
			m, err := w.Create(part)
			if err != nil {
				t.Fatal(err)
			}
			m.Write([]byte(text))
		}
		w.Close()
		checkLines(t, readTable(reconcile.HIS, b.String()))
	})
}
