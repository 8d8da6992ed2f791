package files_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/money"
	"hospay/reconcile"
	"hospay/reconcile/files"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// outcome is what a reader made of a file.
type outcome struct {
	lines   []reconcile.Line
	rejects []files.Reject
	info    files.Info
	err     error
}

func (o *outcome) sink() files.Sink {
	return files.Sink{
		Line:   func(l *reconcile.Line) error { o.lines = append(o.lines, *l); return nil },
		Reject: func(r files.Reject) error { o.rejects = append(o.rejects, r); return nil },
	}
}

func readBill(data string) (o outcome) {
	o.info, o.err = files.ReadBill(files.File{Name: "账单", Data: strings.NewReader(data), Size: int64(len(data))}, date, o.sink())
	return o
}

func readTable(which reconcile.Book, data string) (o outcome) {
	o.info, o.err = files.ReadTable(files.File{Name: "表格", Data: strings.NewReader(data), Size: int64(len(data))}, which, date, o.sink())
	return o
}

func gbk(s string) string {
	out, err := simplifiedchinese.GBK.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return out
}

func gzipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

func zipped(members ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, m := range members {
		f, err := w.CreateHeader(&zip.FileHeader{Name: gbk(fmt.Sprintf("2088_明细_%d.csv", i)), NonUTF8: true, Method: zip.Deflate})
		if err != nil {
			panic(err)
		}
		f.Write([]byte(m))
	}
	w.Close()
	return b.String()
}

// locked is a ZIP whose member has a password.
func locked(member string) string {
	z := []byte(zipped(member))
	for _, mark := range []string{"PK\x03\x04", "PK\x01\x02"} {
		i := bytes.Index(z, []byte(mark))
		z[i+map[string]int{"PK\x03\x04": 6, "PK\x01\x02": 8}[mark]] |= 1
	}
	return string(z)
}

const (
	fundHead   = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n"
	fundLine   = "`2026-11-23 10:00:03,`1310001,`F1,`商家转账,`商家转账,`支出,`1234.50,`9.00,`system,`退,预交\"金,`B1\r\n"
	fundIn     = "`2026-11-23 10:00:04,`42001,`F2,`交易,`交易,`收入,`0.50,`9.50,`system,`挂号,`PAY1\r\n"
	fundTotals = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n"
	fundGood   = fundHead + fundLine + fundIn + fundTotals + "`2.0,`1.0,`0.50,`1.0,`1234.50\r\n"

	tradeHead = "交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,应结订单金额,微信退款单号,商户退款单号,退款金额,退款类型,退款状态\r\n"
	tradeGood = tradeHead +
		"`2026-11-23 09:00:00,`wx,`19,`4200,`PAY1,`SUCCESS,`5.00,`0,`0,`0.00,`,`\r\n" +
		"`2026-11-23 09:30:00,`wx,`19,`4200,`PAY1,`REFUND,`0.00,`5030,`B2,`3.00,`ORIGINAL,`PROCESSING\r\n" +
		"总交易单数,应结订单总金额,退款总金额\r\n`2,`5.00,`3.00\r\n"

	ledgerTop   = "#支付宝账务明细查询\r\n#账号：[20880000000000000156]\r\n#起始日期：[2026年11月23日 00:00:00]   终止日期：[2026年11月24日 00:00:00]\r\n#---账务明细列表---\r\n"
	ledgerHead  = "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注\r\n"
	ledgerLine  = "5463\t,2026112300\t,B3\t,预交金\t,2026-11-23 21:02:06,陈**(138****1234)\t,0.00,-2274.00,14533.03,支付宝,转账,\r\n"
	ledgerClose = "#---账务明细列表结束---\r\n"
	ledgerGood  = ledgerTop + ledgerHead + ledgerLine + ledgerClose + "#支出合计：1笔，共-2274.00元\r\n#收入合计：0笔，共0.00元\r\n#导出时间：[2026年11月24日 " +
		"13:19:01]\r\n"

	alipayTop  = "#支付宝业务明细查询\r\n#账号：[20880000000000000156]\r\n#起始日期：[2026年11月23日 00:00:00]   终止日期：[2026年11月24日 00:00:00]\r\n#---业务明细列表---\r\n"
	alipayHead = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,订单金额（元）,商家实收（元）,退款批次号/请求号,备注\r\n"
	alipayGood = alipayTop + alipayHead + "2026T1\t,PAY7\t,交易,挂号,2026-11-23 08:00:00,2026-11-23 08:00:09,9.93,9.93,\t,\r\n" +
		"2026T1\t,PAY7\t,退款,挂号,2026-11-23 09:00:00,2026-11-23 09:00:09,-4.00,-4.00,B4\t,\r\n" +
		"#---业务明细列表结束---\r\n#交易合计：1笔，商家实收共9.93元，商家优惠共0.00元\r\n#退款合计：1笔，商家实收退款共-4.00元，商家优惠退款共0.00元\r\n"

	summary = "#支付宝账务汇总查询\r\n业务类型,收入笔数,收入金额（+元）\r\n合计,0,0.00\r\n"
)

func unix(s string) int64 {
	t, err := time.ParseInLocation(time.DateTime, s, calendar.Beijing)
	if err != nil {
		panic(err)
	}
	return t.Unix()
}

func TestReadBill_EveryForm(t *testing.T) {
	transfer := reconcile.Line{BillNo: "B1", ChannelNo: "1310001", Flow: "F1", Amount: 123450, Method: "transfer", Channel: "wechat",
		Status: reconcile.Succeeded, At: unix("2026-11-23 10:00:03"), Type: "商家转账", Name: "商家转账"}
	refund := reconcile.Line{BillNo: "B2", Of: "PAY1", ChannelNo: "5030", Flow: "5030", Amount: 300, Method: "original", Channel: "wechat",
		Status: reconcile.Succeeded, At: unix("2026-11-23 09:30:00"), Type: "退款", Source: reconcile.Trade}
	payout := reconcile.Line{BillNo: "B3", ChannelNo: "2026112300", Flow: "5463", Amount: 227400, Method: "transfer", Channel: "alipay",
		Status: reconcile.Succeeded, At: unix("2026-11-23 21:02:06"), Type: "转账"}
	part := reconcile.Line{BillNo: "B4", Of: "PAY7", ChannelNo: "2026T1", Flow: "2026T1/B4", Amount: 400, Method: "original",
		Channel: "alipay",
		Status:  reconcile.Succeeded, At: unix("2026-11-23 09:00:09"), Type: "退款", Source: reconcile.Trade}
	lf := strings.NewReplacer("\r\n", "\n")
	for _, c := range []struct {
		name, data, kind string
		want             reconcile.Line
	}{
		{"微信资金账单", fundGood, "微信资金账单", transfer},
		{"微信资金账单 gzip", gzipped(fundGood), "微信资金账单", transfer},
		{"微信资金账单 带 BOM", "\ufeff" + fundGood, "微信资金账单", transfer},
		{"微信资金账单 换行为 LF", lf.Replace(fundGood), "微信资金账单", transfer},
		{"微信资金账单 GBK", gbk(fundGood), "微信资金账单", transfer},
		{"微信资金账单 多一列", strings.NewReplacer("业务凭证号\r\n", "业务凭证号,新列\r\n", "`B1\r\n", "`B1,`x\r\n", "`PAY1\r\n", "`PAY1,`x\r\n").Replace(fundGood),
			"微信资金账单", transfer},
		{"微信交易账单", tradeGood, "微信交易账单", refund},
		{"支付宝账务明细", zipped(gbk(summary), gbk(ledgerGood)), "支付宝账务明细", payout},
		{"支付宝账务明细 单个 CSV", gbk(ledgerGood), "支付宝账务明细", payout},
		{"支付宝账务明细 UTF-8", ledgerGood, "支付宝账务明细", payout},
		{"支付宝账务明细 半角括号", strings.NewReplacer("（", "(", "）", ")").Replace(ledgerGood), "支付宝账务明细", payout},
		{"支付宝账务明细 支出不带负号", strings.ReplaceAll(ledgerGood, "-2274.00", "2274.00"), "支付宝账务明细", payout},
		{"支付宝账务明细 千分位", strings.ReplaceAll(ledgerGood, ",-2274.00,", `,"-2,274.00",`), "支付宝账务明细", payout},
		{"支付宝账务明细 月账单", strings.NewReplacer("11月23日 00", "11月01日 00", "11月24日 00", "12月01日 00").Replace(ledgerGood), "支付宝账务明细", payout},
		{"支付宝业务明细", zipped(gbk(alipayGood)), "支付宝业务明细", part},
		{"支付宝业务明细 退款为正数", strings.ReplaceAll(alipayGood, "-4.00", "4.00"), "支付宝业务明细", part},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := readBill(c.data)
			if o.err != nil || len(o.rejects) > 0 || o.info.Kind != c.kind {
				t.Fatalf("%+v", o)
			}
			found := false
			for _, l := range o.lines {
				found = found || l == c.want
			}
			if !found {
				t.Errorf("got %+v\nwant %+v", o.lines, c.want)
			}
		})
	}
}

func TestReadBill_EmptyDayIsABill(t *testing.T) {
	o := readBill(fundHead + fundTotals + "`0.0,`0.0,`0.00,`0.0,`0.00\r\n")
	if o.err != nil || len(o.lines) != 0 || o.info.Channel != "wechat" {
		t.Errorf("%+v", o)
	}
	o = readBill(zipped(gbk(ledgerTop + ledgerHead + ledgerClose + "#支出合计：0笔，共0.00元\r\n#收入合计：0笔，共0.00元\r\n")))
	if o.err != nil || len(o.lines) != 0 || o.info.Channel != "alipay" {
		t.Errorf("%+v", o)
	}
}

func TestReadBill_OnlyRecordsJustAfterMidnight(t *testing.T) {
	late := strings.NewReplacer("2026-11-23 10:00:03", "2026-11-24 00:03:00", "2026-11-23 10:00:04", "2026-11-24 00:04:00").Replace(fundGood)
	if o := readBill(late); o.err != nil || len(o.lines) != 2 {
		t.Errorf("%+v", o)
	}
}

// TestRead_TotalsMayBeMoreThanAnAmount: a day's lines may come to more than any one
// of them may be.
func TestRead_TotalsMayBeMoreThanAnAmount(t *testing.T) {
	big, both := "6000000000.00", "12000000000.00"
	twice := func(s, line, no string) string {
		return strings.Replace(s, line, line+strings.Replace(line, no, no+"X", 1), 1)
	}
	fund, trade, ledger := strings.Replace(fundLine, "1234.50", big, 1), strings.Split(tradeGood, "\r\n")[1]+"\r\n",
		strings.Replace(ledgerLine, "-2274.00", "-"+big, 1)
	ownHead, own, _ := strings.Cut(strings.Replace(alipayGood, "9.93,9.93", big+","+big, 1), alipayHead)
	own = ownHead + alipayHead + own
	ownLine := strings.Split(own[strings.Index(own, alipayHead)+len(alipayHead):], "\r\n")[0] + "\r\n"
	for name, data := range map[string]string{
		"微信资金": twice(strings.NewReplacer(fundLine, fund,
			"`2.0,`1.0,`0.50,`1.0,`1234.50", "`3.0,`1.0,`0.50,`2.0,`"+both).Replace(fundGood), fund, "F1"),
		"微信交易": twice(strings.NewReplacer("`2,`5.00,`3.00", "`3,`"+both+",`3.00",
			"`SUCCESS,`5.00", "`SUCCESS,`"+big).Replace(tradeGood),
			strings.Replace(trade, "`SUCCESS,`5.00", "`SUCCESS,`"+big, 1), "PAY7"),
		"支付宝账务": twice(strings.NewReplacer(ledgerLine, ledger,
			"支出合计：1笔，共-2274.00", "支出合计：2笔，共-"+both).Replace(ledgerGood), ledger, "5463"),
		"支付宝业务": twice(strings.Replace(own, "交易合计：1笔，商家实收共9.93", "交易合计：2笔，商家实收共"+both, 1), ownLine, "PAY7"),
	} {
		o := readBill(data)
		if o.err != nil || len(o.rejects) > 0 || len(o.info.Notes) > 0 {
			t.Errorf("%s: %v %+v %v", name, o.err, o.rejects, o.info.Notes)
		}
		if o := readBill(strings.Replace(data, both, "12000000000.01", 1)); o.err == nil || !strings.Contains(o.err.Error(), "不可信") {
			t.Errorf("%s, a fen more: %v", name, o.err)
		}
	}
	table := headZh + "R1,B1,H1,C1," + big + ",转账退,微信,成功,2026-11-23 09:05:00\n" +
		"R2,B2,H2,C1," + big + ",转账退,微信,成功,2026-11-23 09:06:00\n"
	if o := readTable(reconcile.HIS, table+"合计,,,,"+both+",,,,\n"); o.err != nil || len(o.info.Notes) > 0 {
		t.Errorf("%v %v", o.err, o.info.Notes)
	}
	if o := readTable(reconcile.HIS, table+"合计,,,,12000000000.01,,,,\n"); len(o.info.Notes) != 1 {
		t.Errorf("%v %v", o.err, o.info.Notes)
	}
	o := readTable(reconcile.HIS, strings.Replace(table, big, both, 1))
	if len(o.rejects) != 1 || !strings.Contains(o.rejects[0].Reason, "大得不合常理") {
		t.Errorf("one amount of that size: %+v", o.rejects)
	}
}

// TestReadBill_Refused lists the files that must be refused as a whole, with
// file, line and reason in Chinese.
func TestReadBill_Refused(t *testing.T) {
	other := func(s string) string { return strings.ReplaceAll(s, "2026-11-23", "2026-11-22") }
	for _, c := range []struct {
		name, data, want string
		line             int
	}{
		{"空文件", "", "空的", 0},
		{"不是账单", "a,b,c\n1,2,3\n", "找不到微信或支付宝账单的表头", 1},
		{"只有汇总", zipped(gbk(summary)), "找不到微信或支付宝账单的表头", 0},
		{"二进制", "a\x00b\x00", "不是文本文件", 0},
		{"没有合计行", fundHead + fundLine, "没有合计行", 2},
		{"只有合计表头", fundHead + fundLine + fundTotals, "没有合计行", 3},
		{"笔数不符", strings.Replace(fundGood, "`2.0", "`3.0", 1), "资金流水总笔数", 5},
		{"支出金额不符", strings.Replace(fundGood, "`1234.50\r\n", "`1234.51\r\n", 1), "支出合计", 5},
		{"收入金额不符", strings.Replace(fundGood, "`1.0,`0.50", "`1.0,`0.05", 1), "收入合计", 5},
		{"金额改坏又少了一行", strings.NewReplacer("`支出,`1234.50", "`支出,`12x4.50", fundIn, "", "`2.0", "`1.0").Replace(fundGood),
			"有 1 行无法识别：第 2 行 金额 \"12x4.50\" 无法识别", 4},
		{"无法识别的行补不上的金额", strings.NewReplacer("`支出,`1234.50", "`支出,`12x4.50", "`1.0,`0.50,", "`1.0,`0.49,").Replace(fundGood),
			"第 2 行 金额 \"12x4.50\" 无法识别", 5},
		{"有密码的压缩包", locked(ledgerGood), "有密码", 0},
		{"有密码的工作簿", "\xd0\xcf\x11\xe0" + strings.Repeat("x", 3000) +
			"E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00", "打开密码", 0},
		{"网页存档", "MIME-Version: 1.0\r\n", "另存为 .xlsx", 0},
		{"少了一行", strings.Replace(fundGood, fundIn, "", 1), "账单不可信", 4},
		{"多了一行", strings.Replace(fundGood, fundIn, fundIn+fundIn, 1), "账单不可信", 6},
		{"合计之后还有一份", fundGood + fundGood, "拼接", 6},
		{"表头缺列", strings.Replace(fundGood, ",业务凭证号", "", 1), "缺少列：业务凭证号", 1},
		{"表头重复", strings.Replace(fundGood, "备注", "业务名称", 1), "出现两次", 1},
		{"别日的账单", other(fundGood), "拿错了日期", 0},
		{"别日的交易账单", other(tradeGood), "拿错了日期", 0},
		{"交易账单退款总额不符", strings.Replace(tradeGood, "`5.00,`3.00\r\n", "`5.00,`3.01\r\n", 1), "退款总金额", 5},
		{"截断的 gzip", gzipped(strings.Repeat(fundGood, 50))[:300], "不完整", 0},
		{"改坏的 gzip", gzipped(fundGood)[:len(gzipped(fundGood))-8] + "00000000", "不完整", 0},
		{"截断的 ZIP", zipped(gbk(ledgerGood))[:200], "不完整", 0},
		{"ZIP 里什么都没有", zipped(), "找不到微信或支付宝账单的表头", 0},
		{"支付宝没有日期", strings.Replace(ledgerGood, "#起始日期", "#日期", 1), "没有起始日期", 5},
		{"支付宝别日", strings.NewReplacer("11月23日 00", "11月22日 00", "11月24日 00", "11月23日 00").Replace(ledgerGood), "不是 2026-11-23 的", 0},
		{"支付宝没有结束行", strings.Replace(ledgerGood, ledgerClose, "", 1), "不完整", 9},
		{"支付宝没有合计", ledgerTop + ledgerHead + ledgerLine + ledgerClose, "不完整", 7},
		{"支付宝支出笔数不符", strings.Replace(ledgerGood, "支出合计：1笔", "支出合计：2笔", 1), "支出合计", 8},
		{"支付宝收入金额不符", strings.Replace(ledgerGood, "收入合计：0笔，共0.00", "收入合计：0笔，共0.01", 1), "收入合计", 9},
		{"支付宝结束后又有记录", ledgerGood + ledgerLine, "拼接", 11},
		{"支付宝交易合计不符", strings.Replace(alipayGood, "商家实收共9.93", "商家实收共9.94", 1), "交易合计", 9},
		{"支付宝退款合计不符", strings.Replace(alipayGood, "退款合计：1笔", "退款合计：0笔", 1), "退款合计", 10},
		{"一行太长", fundHead + "`" + strings.Repeat("x", 300<<10), "一行超过", 2},
		{"gzip 炸弹", gzipped(fundHead + strings.Repeat(fundLine, 700_000)), "大得不合常理", 0},
		{"旧 Excel", "\xd0\xcf\x11\xe0xxxx", ".xls", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := readBill(c.data)
			var r *files.Refusal
			if !errors.As(o.err, &r) {
				t.Fatalf("not refused: %+v", o)
			}
			if r.File != "账单" || r.Line != c.line || !strings.Contains(r.Reason, c.want) {
				t.Errorf("%q line %d: %s", r.File, r.Line, r.Reason)
			}
		})
	}
}

func TestReadBill_LinesThatCannotBeRead(t *testing.T) {
	o := readBill(strings.Replace(fundGood, "`2026-11-23 10:00:04", "`2026-11-23 25:00:04", 1))
	if o.err != nil || len(o.lines) != 1 || len(o.rejects) != 1 || o.rejects[0].Line != 3 ||
		!strings.Contains(o.rejects[0].Reason, "25:00:04") {
		t.Errorf("%+v", o)
	}
	o = readBill(strings.NewReplacer("5463", "", "2026112300\t", "\t", "B3", "").Replace(ledgerGood))
	if o.err != nil || len(o.rejects) != 1 || !strings.Contains(o.rejects[0].Reason, "单号") {
		t.Errorf("%+v", o)
	}
	o = readBill(strings.Replace(ledgerGood, "2026-11-23 21:02:06", "昨天", 1))
	if o.err != nil || len(o.rejects) != 1 || o.rejects[0].Line != 6 {
		t.Errorf("%+v", o)
	}
}

const (
	headZh = "退款单号,商户单号,HIS退款流水号,就诊卡号,退款金额,退款方式,退款渠道,状态,退款时间\n"
	headEn = "order_no,his_refund_no,card_no,amount,method,channel,status,time\n"
)

func TestReadTable_UnderstandsSpreadsheets(t *testing.T) {
	want := reconcile.Line{OrderNo: "R1", BillNo: "B1", HISNo: "H1", CardNo: "0012", Amount: 123450, Method: "transfer", Channel: "wechat",
		Status: reconcile.Succeeded, At: unix("2026-11-23 09:05:00")}
	for _, c := range []struct{ name, data string }{
		{"中文 UTF-8", headZh + "R1,B1,H1,0012,1234.50,转账退,微信,成功,2026-11-23 09:05:00\n"},
		{"带 BOM 和 CRLF", "\ufeff" + strings.ReplaceAll(headZh+"R1,B1,H1,0012,1234.50,转账退,微信,成功,2026-11-23 09:05:00\n", "\n", "\r\n")},
		{"GBK", gbk(headZh + "R1,B1,H1,0012,1234.50,转账退,微信,成功,2026-11-23 09:05:00\n")},
		{"英文表头，中文内容 GBK", gbk("order_no,out_bill_no,his_refund_no,card_no,amount,method,channel,status,time\nR1,B1,H1,0012,1234.50,转账退,微信支付,成功," +
			"2026-11-23 09:05:00\n")},
		{"gzip", gzipped(headZh + "R1,B1,H1,0012,1234.50,转账退,微信,成功,2026-11-23 09:05:00\n")},
		{"列序不同，有多余的列", "备注,退款时间,状态,退款渠道,退款方式,退款金额,就诊卡号,HIS退款流水号,商户单号,退款单号,操作员\n\"a,\"\"b\",2026-11-23 09:05:00,succeeded,WeChat,transfer," +
			"1234.50,0012,H1,B1,R1,张\n"},
		{"千分位、货币符号、单位", headZh + "R1,B1,H1,0012,\"¥1,234.50元\",转账退,微信,成功,2026-11-23 09:05:00\n"},
		{"Excel 日期", headZh + "R1,B1,H1,0012,1234.5,转账退,微信,成功,2026/11/23 9:05\n"},
		{"Excel 序列日期", headZh + "R1,B1,H1,0012,1234.5,转账退,微信,成功,46349.3784722222\n"},
		{"RFC 3339", headZh + "R1,B1,H1,0012,1234.5,转账退,微信,成功,2026-11-23T01:05:00Z\n"},
		{"制表符、反引号、撇号、等号", headZh + "R1\t,`B1,H1,=\"0012\",1234.50\t,转账退,微信,成功,'2026-11-23 09:05:00\n"},
		{"标题、空行、合计、签名", "退款明细表,,,,,,,,\n编制单位：某院,,,,,,,,\n\n" + strings.Replace(headZh, "退款金额", "退款金额（元）", 1) +
			",,,,,,,,\nR1,B1,H1,0012,1234.50,转账退,微信,成功,2026-11-23 09:05:00\n\n合 计,,,,1234.50,,,,\n制表：,,,,复核：,,,,\n"},
		{"引号里换行", "退款单号,商户单号,HIS退款流水号,就诊卡号,退款金额,退款方式,退款渠道,状态,退款时间,备注\nR1,B1,H1,0012,1234.50,转账退,微信,成功,2026-11-23 09:05:00,\"第一行\n第二行\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := readTable(reconcile.HIS, c.data)
			if o.err != nil || len(o.rejects) > 0 || len(o.lines) != 1 || o.lines[0] != want || len(o.info.Notes) > 0 {
				t.Errorf("%+v\nwant %+v", o, want)
			}
		})
	}
}

func TestReadTable_RejectsLineByLine(t *testing.T) {
	good := "R9,B9,H9,C9,1.00,转账退,微信,成功,2026-11-23 09:05:00\n"
	for _, c := range []struct{ name, line, want string }{
		{"金额不是数", "R1,B1,H1,C1,abc,转账退,微信,成功,2026-11-23 09:05:00", "金额"},
		{"金额为零", "R1,B1,H1,C1,0.00,转账退,微信,成功,2026-11-23 09:05:00", "不大于零"},
		{"三位小数", "R1,B1,H1,C1,1.005,转账退,微信,成功,2026-11-23 09:05:00", "两位小数"},
		{"金额太大", "R1,B1,H1,C1,99999999999999,转账退,微信,成功,2026-11-23 09:05:00", "大得不合常理"},
		{"没有单号", ",,H1,C1,1.00,转账退,微信,成功,2026-11-23 09:05:00", "缺少退款单号"},
		{"时间不存在", "R1,B1,H1,C1,1.00,转账退,微信,成功,2026-02-30 09:05:00", "时间"},
		{"没有时间", "R1,B1,H1,C1,1.00,转账退,微信,成功,", "时间"},
		{"状态无法识别", "R1,B1,H1,C1,1.00,转账退,微信,也许,2026-11-23 09:05:00", "状态"},
		{"没有渠道", "R1,B1,H1,C1,1.00,转账退,,成功,2026-11-23 09:05:00", "渠道"},
		{"单号变成科学计数", "1.23457E+18,B1,H1,C1,1.00,转账退,微信,成功,2026-11-23 09:05:00", "科学计数"},
		{"千分位没有引号", "R1,B1,H1,C1,1,234.50,转账退,微信,成功,2026-11-23 09:05:00", "千分位"},
		{"列数不够", "R1,B1,H1", "金额"},
		{"引号没有成对", "R1,B1,H1,C1,1.00,\"转账退,微信,成功,2026-11-23 09:05:00", "引号"},
		{"编码坏了", "R1,B1,H1,C\xff\xfe,1.00,转账退,微信,成功,2026-11-23 09:05:00", "UTF-8"},
		{"控制字符", "R1,B1,H1,C\x07,1.00,转账退,微信,成功,2026-11-23 09:05:00", "无法识别的字符"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := readTable(reconcile.HIS, headZh+good+c.line+"\n"+good)
			if o.err != nil || len(o.lines) != 2 || len(o.rejects) != 1 {
				t.Fatalf("%+v", o)
			}
			if r := o.rejects[0]; r.File != "表格" || r.Line != 3 || !strings.Contains(r.Reason, c.want) {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestReadTable_Refused(t *testing.T) {
	for _, c := range []struct {
		name, data, want string
		line             int
	}{
		{"空文件", "", "空的", 0},
		{"没有表头", "R1,B1,H1,C1,1.00,转账退,微信,成功,2026-11-23 09:05:00\n", "找不到表头", 0},
		{"表头缺列", strings.Replace(headZh, "退款金额,", "", 1), "缺少列：退款金额 amount", 1},
		{"表头重复", strings.Replace(headZh, "HIS退款流水号", "退款金额", 1), "退款", 1},
		{"标题太多", strings.Repeat("标题,x\n", 30) + headZh, "找不到表头", 0},
		{"二进制", "PK\x03\x04garbage", "损坏", 0},
		{"一行太长", headZh + strings.Repeat("x", 300<<10), "一行超过", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r *files.Refusal
			if o := readTable(reconcile.HIS, c.data); !errors.As(o.err, &r) || r.Line != c.line || !strings.Contains(r.Reason, c.want) {
				t.Errorf("%+v", o)
			}
		})
	}
	if o := readTable(reconcile.Platform, headEn); o.err == nil || !strings.Contains(o.err.Error(), "商户单号") {
		t.Errorf("the platform's table must tell the bill number: %+v", o)
	}
	if o := readTable(reconcile.HIS, headEn); o.err != nil {
		t.Errorf("HIS may leave the bill number out: %+v", o)
	}
}

func TestReadTable_RemarksOnSumsAndDates(t *testing.T) {
	o := readTable(reconcile.HIS, headZh+"R1,B1,H1,C1,5.00,转账退,微信,成功,2026-11-22 09:05:00\n合计,,,,6.00,,,,\n")
	if len(o.info.Notes) != 2 || !strings.Contains(o.info.Notes[0], "合计行") || !strings.Contains(o.info.Notes[1], "日期") {
		t.Errorf("%q", o.info.Notes)
	}
}

func checkLines(t *testing.T, o outcome) {
	var sum money.Fen
	for _, l := range o.lines {
		sum += l.Amount
		if l.Amount <= 0 || l.Status < reconcile.Succeeded || l.Status > reconcile.Pending || l.OrderNo+l.BillNo+l.ChannelNo+l.Flow == "" {
			t.Fatalf("wrong accept: %+v", l)
		}
	}
	if o.err == nil && sum != o.info.Sum {
		t.Fatalf("lines are %s, the file says %s", sum, o.info.Sum)
	}
	for _, r := range o.rejects {
		if r.Reason == "" || r.Line < 1 {
			t.Fatalf("%+v", r)
		}
	}
}

func FuzzReadBill(f *testing.F) {
	for _, s := range []string{fundGood, tradeGood, ledgerGood, alipayGood, gbk(ledgerGood), gzipped(fundGood),
		zipped(gbk(summary), gbk(ledgerGood)), zipped(gbk(alipayGood))} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkLines(t, readBill(string(data))) })
}

func FuzzReadTable(f *testing.F) {
	f.Add([]byte(headZh + "R1,B1,H1,C1,\"1,234.50\",转账退,微信,成功,2026-11-23 09:05:00\n合计,,,,1\n"))
	f.Add([]byte(gbk(headZh + "R1,B1,H1,C1,1.00,转账退,微信,失败,2026/11/23 9:5\n")))
	f.Add([]byte(headEn + "R1,H1,C1,1,a,b,pending,46349.5\n\"x\n"))
	f.Fuzz(func(t *testing.T, data []byte) { checkLines(t, readTable(reconcile.HIS, string(data))) })
}
