package cmd

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// fieldSets are the days. A name tells the kind; the comment of the case what
// is right is its values.
var fieldSets = slices.Concat(fieldBills, fieldTables)

// fieldBills are what the channels' side brings.
var fieldBills = []fieldSet{
	{name: "三方一致"},
	// returns
	{name: "退款关闭，付款在往日", bills: []string{flowHead + flowPaid + "`2026-11-23 18:00:00,`14001,`M1,`退款,`退款关闭,`收入,`30.00,`1.00,`system,`,`P1\r\n" +
		flowTotals + "`2,`1,`30.00,`1,`88.00\r\n"},
		code: 2, kinds: "P1 state", says: []string{"退回了商户账户", "恢复患者余额"}},
	{name: "当日付款又退款关闭", bills: []string{flowHead + flowPaid +
		"`2026-11-23 18:00:00,`14007,`M8,`商家转账,`转账关闭,`收入,`88.00,`1.00,`system,`,`P7\r\n" + flowTotals + "`2,`1,`88.00,`1,`88.00\r\n"}, code: 2,
		kinds: "R7 state"},
	{name: "收入行带着我们的单号，名目没见过", bills: []string{flowHead + flowPaid + "`2026-11-23 18:00:00,`14007,`M8,`其他,`调账,`收入,`88.00,`1.00,`system,`," +
		"`P7\r\n" + flowTotals + "`2,`1,`88.00,`1,`88.00\r\n"}, code: 2, kinds: "R7 state"},
	{name: "退回的手续费", bills: []string{flowHead + flowPaid + "`2026-11-23 18:00:00,`14007,`M8,`退款,`退还交易手续费,`收入,`0.53,`1.00,`system,`,`P7\r\n" +
		flowTotals + "`2,`1,`0.53,`1,`88.00\r\n"}},
	{name: "扣的手续费带着我们的单号", bills: []string{flowHead + flowPaid + "`2026-11-23 09:21:00,`14007,`M7,`退款,`扣除交易手续费,`支出,`0.53,`1.00,`system,`," +
		"`P7\r\n" + flowTotals + "`2,`0,`0.00,`2,`88.53\r\n"}},
	// what we asked for and what the account paid
	{name: "代金券承担一部分", platform: changed("转账退", "原路退"), his: changed("转账退", "原路退"),
		bills: []string{tradeBill + "`2026-11-23 09:21:00,`wx,`19,`4207,`PAY7,`REFUND,`0.00,`5037,`P7,`87.00,`ORIGINAL,`SUCCESS,`88.00\r\n" +
			"总交易单数,应结订单总金额,退款总金额,申请退款总金额\r\n`1,`0.00,`87.00,`88.00\r\n"},
		channel: 8800},
	{name: "代金券承担一部分，HIS 又记错", platform: changed("转账退", "原路退"), his: changed("转账退", "原路退", "88.00", "80.00"), code: 2, kinds: "R7 amount",
		says: []string{"账户实付 ¥87.00"},
		bills: []string{tradeBill +
			"`2026-11-23 09:21:00,`wx,`19,`4207,`PAY7,`REFUND,`0.00,`5037,`P7,`87.00,`ORIGINAL,`SUCCESS,`88.00\r\n总交易单数," +
			"应结订单总金额,退款总金额,申请退款总金额\r\n`1,`0.00,`87.00,`88.00\r\n"}},
	{name: "账务明细少了退回的手续费", platform: onAlipay(fieldHead + fieldRow), his: onAlipay(fieldHead + fieldRow), channel: 8800,
		bills: []string{fieldGBK(ledgerOf("L1\t,2026T7\t,PAY7\t,预交金,2026-11-23 09:21:00,甲(139****0000)\t,0.00,-87.47,500.00,支付宝,交易退款,\r\n",
			"87.47")), fieldGBK(bizOf("2026T7\t,PAY7\t,退款\t,预交金,2026-11-23 09:20:00,2026-11-23 09:21:00,-88.00,-88.00,P7\t,\r\n", 0, "0.00"))}},
	// forms of bills
	{name: "时间用全角冒号", bills: []string{strings.ReplaceAll(flowGood, "09:21:00", "09：21：00")}},
	{name: "起始日期用半角冒号", platform: changed("微信", "支付宝"), his: changed("微信", "支付宝"),
		bills: []string{fieldGBK(strings.ReplaceAll(ledgerOf("L1\t,2026T7\t,P7\t,预交金,2026-11-23 09:21:00,甲\t,0.00,-88.00,500.00,支付宝,转账,\r\n",
			"88.00"), "日期：", "日期:"))}},
	{name: "Excel 另存过的账单", bills: []string{fieldGBK(strings.NewReplacer("支出金额\r\n", "支出金额,,,,,,\r\n", "`1,`88.00\r\n", "`1,`88.00,,,,,,\r\n").
		Replace(flowGood))}},
	{name: "手工付款报渠道单边，充值提现不报", code: 2, kinds: "X1 only_channel", other: 60000,
		bills: []string{flowHead + flowPaid + "`2026-11-23 08:00:00,`1,`M1,`充值/提现,`充值,`收入,`500.00,`1.00,`a,`,`\r\n`2026-11-23 12:00:00,`2,`M2," +
			"`企业付款,`企业付款到零钱,`支出,`66.00,`1.00,`a,`,`X1\r\n`2026-11-23 20:00:00,`3,`M3,`充值/提现,`提现,`支出,`100.00,`1.00,`a,`,`\r\n" + flowTotals +
			"`4,`1,`500.00,`3,`254.00\r\n"}},
	{name: "一行比表头多一格", code: 2, kinds: "R7 missing_channel", rejects: 1, says: []string{"有 12 列，表头只有 11 列"}, silent: []string{"Q7 only"},
		bills: []string{strings.Replace(flowGood, "`退预交金,", "`退预交金,`Q7,", 1)}},
	{name: "没加引号的逗号", platform: changed("微信", "支付宝"), his: changed("微信", "支付宝"), code: 2, kinds: "R7 missing_channel", rejects: 1,
		says:  []string{"有 13 列，表头只有 12 列", "支出 1 笔 88.00 元"},
		bills: []string{ledgerOf("L1\t,2026T7\t,P7\t,预交金,2026-11-23 09:21:00,KIM, A(139****0000)\t,0.00,-88.00,500.00,支付宝,转账,\r\n", "88.00")}},
	{name: "商户平台的 XLSX 账单", bills: []string{sheetFile(texts("微信支付账单"), texts(flowHead), texts(strings.ReplaceAll(flowPaid, ",`", ",")),
		texts(flowTotals), texts("`1,`0,`0.00,`1,`88.00"))}},
	{name: "共用商户号，按单号开头分", args: []string{"--own-prefix", "P"}, other: 3000,
		bills: []string{flowHead + flowPaid + "`2026-11-23 10:00:00,`1,`M1,`退款,`退款,`支出,`10.00,`1.00,`a,`,`MZ1\r\n`2026-11-23 10:00:00,`2,`M2," +
			"`退款,`退款,`支出,`20.00,`1.00,`a,`,`MZ2\r\n" + flowTotals + "`3,`0,`0.00,`3,`118.00\r\n"}},
	{name: "共用商户号，不说就报", code: 2, kinds: "MZ1 only_channel",
		bills: []string{flowHead + flowPaid + "`2026-11-23 10:00:00,`1,`M1,`退款,`退款,`支出,`10.00,`1.00,`a,`,`MZ1\r\n" + flowTotals +
			"`2,`0,`0.00,`2,`98.00\r\n"}},
	{name: "没见过的业务类型是其他业务", platform: onAlipay(fieldHead + fieldRow), his: onAlipay(fieldHead + fieldRow), other: 2000,
		bills: []string{bizOf("2026T7\t,PAY7\t,退款\t,预交金,2026-11-23 09:20:00,2026-11-23 09:21:00,-88.00,-88.00,P7\t,\r\n2026T9\t,PAY9\t,预授权转支付\t,"+
			"预交金,2026-11-23 09:20:00,2026-11-23 09:21:00,20.00,20.00,\t,\r\n", 1, "20.00")}},
	{name: "旧列名 退款批次号", platform: onAlipay(fieldHead + fieldRow), his: onAlipay(fieldHead + fieldRow),
		bills: []string{strings.Replace(bizOf("2026T7\t,PAY7\t,退款\t,预交金,2026-11-23 09:20:00,2026-11-23 09:21:00,-88.00,-88.00,P7\t,\r\n", 0,
			"0.00"), "退款批次号/请求号", "退款批次号", 1)}},
	{name: "支付宝网页下载的账务明细", platform: changed("微信", "支付宝"), his: changed("微信", "支付宝"), says: []string{"没有合计行"},
		bills: []string{fieldGBK(ledgerTop + "序号,入账时间,支付宝交易号,支付宝流水号,商户订单号,账务类型,收入（+元）,支出（-元）,账户余额（元）,服务费（元）,备注\r\n1,2026-11-23 09:21:00," +
			"2026T7\t,L1\t,P7\t,转账,,-88.00,12.00,0.00,退款\r\n#导出时间：[2026年11月24日 08:00:00]\r\n")}},
}

// fieldTables are what HIS and the platform bring.
var fieldTables = []fieldSet{
	// forms of tables
	{name: "HTML 表格", his: fieldGBK(pageOf(fieldHead + fieldRow))},
	{name: "HTML 表格 UTF-8", his: strings.Replace(pageOf(fieldHead+fieldRow), "gb2312", "utf-8", 1)},
	{name: "2003 的 XML 表格", his: xmlOf(fieldHead + fieldRow)},
	{name: "只有表头的 XML 表格", his: xmlOf(fieldHead), code: 2, kinds: "R7 missing_his"},
	{name: "制表符", his: fieldGBK(strings.ReplaceAll(fieldHead+fieldRow, ",", "\t"))},
	{name: "分号", his: strings.ReplaceAll(fieldHead+fieldRow, ",", ";")}, {name: "竖线", his: strings.ReplaceAll(fieldHead+fieldRow, ",", "|")},
	{name: "OpenDocument", his: odsOf(fieldHead+fieldRow, false)},
	{name: "UTF-16", his: utf16Of(strings.ReplaceAll(fieldHead+fieldRow, ",", "\t"))},
	{name: "封面在前的工作簿", his: sheetFile(texts(fieldHead), texts(fieldRow))},
	{name: "表头里有换行、空格、星号", his: sheetFile(texts(strings.NewReplacer("退款单号", "*退款单号", "退款金额", "退款\n金额(元)", "退款渠道", "退款 渠道＊").
		Replace(fieldHead)), texts(fieldRow))},
	// stored numbers
	{name: "公式没有存结果", his: sheetFile(texts(fieldHead), strings.Replace(texts(fieldRow), textCell("88.00"), "<c><f>SUM(E3:E9)</f></c>", 1)),
		code: 2, kinds: "R7 missing_his", rejects: 1, says: []string{"是公式，没有存下结果", "没有一行读得懂"}, silent: []string{"拿错了日期"}},
	{name: "公式存了结果", his: sheetFile(texts(fieldHead), strings.Replace(texts(fieldRow), textCell("88.00"), "<c><f>SUM(E3:E9)</f><v>88</v></c>",
		1))},
	{name: "卡号存成小数", platform: changed("K7", "60000000121"),
		his: sheetFile(texts(fieldHead), strings.Replace(texts(fieldRow), textCell("K7"), "<c><v>6.0000000121E10</v></c>", 1))},
	{name: "卡号在 CSV 里存成小数", platform: changed("K7", "60000000120"), his: changed("K7", "6.000000012E10")},
	{name: "28 位单号存成数值", platform: sheetFile(texts(fieldHead), strings.Replace(texts(fieldRow), textCell("P7"),
		"<c><v>4200002345202611281234567890</v></c>", 1)), code: 2, kinds: "R7 missing_platform", rejects: 1, says: []string{"超过 15 位的数字已经丢失"}},
	{name: "18 位单号存成数值", platform: sheetFile(texts(fieldHead), strings.Replace(texts(fieldRow), textCell("R7"),
		"<c><v>202611281234567900</v></c>", 1), strings.Replace(texts(fieldRow), textCell("R7"), "<c><v>202611281234567900</v></c>", 1)), code: 2,
		kinds: "R7 missing_platform", rejects: 2, silent: []string{"duplicate"}},
	{name: "15 位单号存成数值", platform: changed("R7", "123456789012345"),
		his: sheetFile(texts(fieldHead), strings.Replace(texts(fieldRow), textCell("R7"), "<c><v>123456789012345</v></c>", 1))},
	{name: "OpenDocument 里的长数值", his: odsOf(changed("R7", "202611281234567890"), true), code: 2, kinds: "R7 missing_his", rejects: 1,
		says: []string{"超过 15 位"}},
	// times
	{name: "全是 0 点", platform: head(manyRows, 10), bills: []string{manyPaid(10)}, his: datesOnly(manyRows, " 00:00:00"), code: 2,
		kinds: "R10 only_his,R11 only_his", says: []string{"只有日期"}},
	{name: "全是 0:00", platform: head(manyRows, 10), bills: []string{manyPaid(10)}, his: strings.ReplaceAll(datesOnly(manyRows, " 0:00"),
		"2026-11-23", "2026/11/23"), code: 2, kinds: "R10 only_his,R11 only_his"},
	{name: "只有日期", platform: head(manyRows, 10), bills: []string{manyPaid(10)}, his: datesOnly(manyRows, ""), code: 2,
		kinds: "R10 only_his,R11 only_his"},
	{name: "只有时刻", his: changed("2026-11-23 09:20:00", "０９：２０"), says: []string{"只有时刻没有日期"}},
	{name: "空时间 0001-01-01", his: changed("2026-11-23 09:20:00", "0001-01-01 08:05:43"), code: 2, kinds: "R7 missing_his", rejects: 1,
		says: []string{"没有时间时写的空值"}},
	{name: "记在前一日", his: changed("2026-11-23 09:20:00", "2026-11-22 20:00:00"), code: 2, kinds: "R7 time",
		says: []string{"相差 13 小时 21 分，不在同一个业务日"}},
	// signs
	{name: "HIS 的退款是负数", platform: head(manyRows, 3), bills: []string{manyPaid(3)}, his: strings.NewReplacer(",1.50", ",-1.50", ",2.50",
		",-2.50", ",3.50", ",-3.50").Replace(head(manyRows, 3))},
	{name: "充值为正，退款为负", his: changed("88.00", "-88.00") + "R8,P8,H8,K8,500.00,转账退,微信,成功,2026-11-23 10:00:00\n",
		says: []string{"正数 1 笔（500.00 元）当作充值"}},
	{name: "充值为正，退款为负，已说明", args: []string{"--his-sign", "negative"},
		his: changed("88.00", "-88.00") + "R8,P8,H8,K8,500.00,转账退,微信,成功,2026-11-23 10:00:00\n", says: []string{"金额为正的 1 笔（500.00 元）不是退款"}},
	{name: "退款为正，负数是冲正", his: fieldHead + fieldRow + strings.Replace(fieldRow, "88.00", "-88.00", 1), code: 2, kinds: "R7 state",
		says: []string{"已冲正"}},
	// words
	{name: "没人认识的状态", his: changed("成功", "完结"), code: 2, kinds: "R7 missing_his", rejects: 1, says: []string{"状态“完结”（1 行）", "--words"},
		silent: []string{"拿错了日期"}},
	{name: "用户的词表", his: changed("成功", "完结", "微信", "WXP", "转账退", "ZZT"), words: "# 我院的词\n完结=成功\nWXP = 微信\nZZT＝转账退 # 自助转\n"},
	{name: "没人认识的方式", his: changed("转账退", "ZZT"), code: 2, kinds: "R7 missing_his", rejects: 1, says: []string{"退款方式“ZZT”"}},
	{name: "没人认识的渠道", his: changed("微信", "甲乙丙"), code: 2, kinds: "R7 missing_his", rejects: 1, says: []string{"退款渠道“甲乙丙”"}},
	{name: "状态是代码", his: changed("成功", "1"), code: 2, kinds: "R7 missing_his", rejects: 1}, {name: "状态是空的", his: changed("成功", ""), code: 2,
		kinds: "R7 missing_his", rejects: 1, says: []string{"状态是空的"}},
	{name: "三方明细说明什么算数", platform: fieldHead + fieldRow + "R9,P9,,K9,5.00,转账退,微信,失败,2026-11-23 10:00:00\n",
		says: []string{"一致 2 笔（其中 1 笔失败或处理中，没有动钱）"}},
}

func init() {
	one := func(name, from, to string) {
		fieldSets = append(fieldSets, fieldSet{name: name + " " + to, his: changed(from, to)})
	}
	for _, at := range []string{"20261123092000", "2026/11/23 上午 9:20:00", "2026-11-23 09:20:00 AM", "20261123", "2026.11.23 09:20:00",
		"2026年11月23日 09时20分00秒", "1795396800", "2026-11-23T09:20:00+08:00"} {
		one("时间", "2026-11-23 09:20:00", at)
	}
	for _, amount := range []string{"-88.00", "(88.00)", "（88.00）", "88.00元", "+88", "￥88.00", "88.000000000000002", "87.999999999999986",
		"8.8E1", "８８.００", "\"8,8.00\""} {
		one("金额", "88.00", amount)
	}
	for _, status := range []string{"已退费", "正常", "退款成功(已到账)", "SUCCESS"} {
		one("状态", "成功", status)
	}
	for _, channel := range []string{"WX", "微信小程序", "微信支付-公众号", "WeChat"} {
		one("渠道", "微信", channel)
	}
	one("方式", "转账退", "微信转账")
	half := fieldSet{name: "金额 .50", platform: changed("88.00", "0.50"), his: changed("88.00", ".50"),
		bills: []string{strings.ReplaceAll(flowGood, "88.00", "0.50")}}
	original := fieldSet{name: "方式 原路返回", platform: changed("转账退", "原路退"), his: changed("转账退", "原路返回"),
		bills: []string{strings.ReplaceAll(flowGood, "商家转账", "退款")}}
	fieldSets = append(fieldSets, half, original)
}

func TestReconcile_FromTheField(t *testing.T) {
	for _, c := range fieldSets {
		t.Run(c.name, func(t *testing.T) { c.run(t) })
	}
}

func (c fieldSet) run(t *testing.T) {
	dir := t.TempDir()
	write := func(name, data, usual string) string {
		if data == "" {
			data = usual
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	out := filepath.Join(dir, "out.json")
	args := append([]string{"--date", reconDate, "--platform", write("平台", c.platform, fieldHead+fieldRow), "--his",
		write("HIS", c.his, fieldHead+fieldRow), "--out", filepath.Join(dir, "out.xlsx"), "--json", out}, c.args...)
	if c.bills == nil {
		c.bills = []string{flowGood}
	}
	for i, b := range c.bills {
		args = append(args, "--channel", write(fmt.Sprint("账单", i), b, ""))
	}
	if c.words != "" {
		args = append(args, "--words", write("词表", c.words, ""))
	}
	screen, code := reconcileOnce(t, args)
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatalf("%d %s", code, screen)
	}
	var kinds []string
	rejects, sum := 0, struct {
		Channel, Other struct{ Amount int }
	}{}
	for line := range strings.Lines(string(data)) {
		var o struct {
			Kind    string
			OrderNo string `json:"order_no"`
			BillNo  string `json:"out_bill_no"`
			Reject  any
			Summary *struct {
				Channel struct{ Amount int }
				Other   struct{ Amount int } `json:"other_business"`
			}
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		switch {
		case o.Reject != nil:
			rejects++
		case o.Summary != nil:
			sum.Channel, sum.Other = o.Summary.Channel, o.Summary.Other
		default:
			no := o.OrderNo
			if no == "" {
				no = o.BillNo
			}
			kinds = append(kinds, no+" "+o.Kind)
		}
	}
	slices.Sort(kinds)
	if got := strings.Join(kinds, ","); code != c.code || got != c.kinds || rejects != c.rejects || c.channel != 0 &&
		sum.Channel.Amount != c.channel || sum.Other.Amount != c.other && c.other != 0 {
		t.Errorf("exit %d, %q, %d rejects, %+v\n%s%s", code, got, rejects, sum, data, screen)
	}
	all := string(data) + screen
	for _, s := range c.says {
		if !strings.Contains(all, s) {
			t.Errorf("nothing says %q\n%s", s, all)
		}
	}
	for _, s := range c.silent {
		if strings.Contains(all, s) {
			t.Errorf("%q is said\n%s", s, all)
		}
	}
}
