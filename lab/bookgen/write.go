package bookgen

import (
	"archive/zip"
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Files are the paths of a written day.
type Files struct {
	Platform, HIS string
	Channels      []string
}

// Write writes all files of the day into the folder.
func (d *Day) Write(dir string) (Files, error) {
	f := Files{Platform: filepath.Join(dir, "platform.csv"), HIS: filepath.Join(dir, "his.csv")}
	jobs := []struct {
		path  string
		write func(io.Writer) error
	}{
		{f.Platform, func(w io.Writer) error { return d.Table(w, d.Platform, true) }},
		{f.HIS, func(w io.Writer) error { return d.Table(w, d.HIS, false) }},
		{filepath.Join(dir, "fundflow_operation.csv"), func(w io.Writer) error { return FundFlow(w, d.Operation) }},
		{filepath.Join(dir, "fundflow_basic.csv.gz"), packed(func(w io.Writer) error { return FundFlow(w, d.Basic) })},
		{filepath.Join(dir, "trade.csv"), func(w io.Writer) error { return WeChatTrade(w, d.WeChatTrade) }},
		{filepath.Join(dir, "alipay_ledger.csv.zip"), func(w io.Writer) error { return d.zip(w, "账务明细", d.ledger) }},
		{filepath.Join(dir, "alipay_trade.csv.zip"), func(w io.Writer) error { return d.zip(w, "业务明细", d.alipayTrade) }},
	}
	for i, j := range jobs {
		if err := write(j.path, j.write); err != nil {
			return f, err
		}
		if i >= 2 {
			f.Channels = append(f.Channels, j.path)
		}
	}
	return f, nil
}

func write(path string, f func(io.Writer) error) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	buf := bufio.NewWriterSize(out, 1<<20)
	if err := f(buf); err != nil {
		return err
	}
	return buf.Flush()
}

func packed(f func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			return err
		}
		if err := f(z); err != nil {
			return err
		}
		return z.Close()
	}
}

func yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }

// Table writes the platform's table in Chinese, or HIS's in English.
func (d *Day) Table(w io.Writer, rows []Row, platform bool) error {
	head := "order_no,out_bill_no,his_refund_no,card_no,amount,method,channel,status,time\n"
	if platform {
		head = "退款单号,商户单号,HIS退款流水号,就诊卡号,退款金额,退款方式,退款渠道,状态,退款时间\n"
	}
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	zh := map[string]string{"transfer": "转账退", "original": "原路退", "wechat": "微信", "alipay": "支付宝", "cash": "现金", "succeeded": "成功",
		"failed": "失败", "pending": "处理中"}
	for _, r := range rows {
		method, channel, status := r.Method, r.Channel, r.Status
		if platform {
			method, channel, status = zh[method], zh[channel], zh[status]
		}
		_, err := fmt.Fprintf(w, "%s,%s,%s,%s,%s,%s,%s,%s,%s\n", r.Order, r.Bill, r.HIS, r.Card, yuan(r.Fen), method, channel, status,
			r.At.Format(time.DateTime))
		if err != nil {
			return err
		}
	}
	return nil
}

// FundFlow writes WeChat's fund-flow bill.
func FundFlow(w io.Writer, rows []Row) error {
	fmt.Fprint(w, "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n")
	var count, sum [2]int64
	for _, r := range rows {
		way, k, name := "支出", 1, r.Name
		if r.In {
			way, k = "收入", 0
		}
		if name == "" {
			name = map[string]string{"transfer": "商家转账", "original": "退款"}[r.Method]
		}
		count[k]++
		sum[k] += r.Fen
		fmt.Fprintf(w, "`%s,`%s,`%s,`%s,`%s,`%s,`%s,`0.00,`system,`预交金,退\"款,`%s\r\n", r.At.Format(time.DateTime), r.No, r.Flow, name, name, way,
			yuan(r.Fen), r.Bill)
	}
	_, err := fmt.Fprintf(w, "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`%d.0,`%d.0,`%s,`%d.0,`%s\r\n", count[0]+count[1], count[0], yuan(sum[0]),
		count[1], yuan(sum[1]))
	return err
}

// WeChatTrade writes WeChat's trade bill, kind ALL.
func WeChatTrade(w io.Writer, rows []Row) error {
	fmt.Fprint(w, "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,"+
		"商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n")
	var paid, back int64
	for _, r := range rows {
		state, settled, no, refund, fen := "SUCCESS", r.Fen, "0", "0", int64(0)
		if !r.In {
			state, settled, no, refund, fen = "REFUND", 0, r.No, r.Bill, r.Fen
		}
		paid, back = paid+settled, back+fen
		fmt.Fprintf(w, "`%s,`wx1,`1900009231,`0,`,`42%s,`PAY%s,`o1,`JSAPI,`%s,`OTHERS,`CNY,`%s,`0.00,`%s,`%s,`%s,`0.00,`ORIGINAL,`PROCESSING,"+
			"`门诊预交金,`,`0.00000,`0.00%%,`%s,`%s,`\r\n",
			r.At.Format(time.DateTime), r.No, r.Bill, state, yuan(settled), no, refund, yuan(fen), yuan(settled), yuan(fen))
	}
	_, err := fmt.Fprintf(w, "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n`%d,`%s,`%s,`0.00,`0.00000,`%s,`%s\r\n", len(rows),
		yuan(paid), yuan(back), yuan(paid), yuan(back))
	return err
}

const stamp = "2006年01月02日 15:04:05"

func (d *Day) head(w io.Writer, title string) {
	fmt.Fprintf(w, "#支付宝%s查询\r\n#账号：[20880000000000000156]\r\n#起始日期：[%s]   终止日期：[%s]\r\n#-----%s列表-----\r\n", title, d.Date.Format(stamp),
		d.Date.AddDate(0, 0, 1).Format(stamp), title)
}

// ledger writes Alipay's account bill. Refunds name the payment, not the refund.
func (d *Day) ledger(w io.Writer) error {
	d.head(w, "账务明细")
	fmt.Fprint(w, "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注\r\n")
	var count, sum [2]int64
	for _, r := range d.Ledger {
		in, out, k, no, name := "0.00", "-"+yuan(r.Fen), 1, r.Bill, r.Name
		if r.In {
			in, out, k = yuan(r.Fen), "0.00", 0
		}
		switch {
		case name != "":
		case r.Method == "transfer":
			name = "转账"
		default:
			name, no = "交易退款", "PAY"+r.Bill
		}
		count[k]++
		sum[k] += r.Fen
		fmt.Fprintf(w, "%s\t,%s\t,%s\t,预交金\t,%s,138****1234\t,%s,%s,0.00,支付宝,%s,\r\n", r.Flow, r.No, no, r.At.Format(time.DateTime), in, out,
			name)
	}
	_, err := fmt.Fprintf(w, "#-----账务明细列表结束-----\r\n#支出合计：%d笔，共-%s元\r\n#收入合计：%d笔，共%s元\r\n#导出时间：[%s]\r\n", count[1], yuan(sum[1]), count[0],
		yuan(sum[0]), d.Date.AddDate(0, 0, 1).Format(stamp))
	return err
}

// alipayTrade writes Alipay's business bill.
func (d *Day) alipayTrade(w io.Writer) error {
	d.head(w, "业务明细")
	fmt.Fprint(w, "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,"+
		"商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\r\n")
	var count, sum [2]int64
	for _, r := range d.AlipayTrade {
		kind, request, amount, k := "退款", r.Bill, "-"+yuan(r.Fen), 1
		if r.In {
			kind, request, amount, k = "交易", "", yuan(r.Fen), 0
		}
		count[k]++
		sum[k] += r.Fen
		fmt.Fprintf(w, "%s\t,PAY%s\t,%s,预交金,%s,%s,,,,,138****1234\t,%s,%s,0.00,0.00,0.00,0.00,0.00,,0.00,0.00,%s\t,0.00,0.00,\r\n",
			r.No, r.Bill, kind, r.At.Format(time.DateTime), r.At.Format(time.DateTime), amount, amount, request)
	}
	_, err := fmt.Fprintf(w, "#-----业务明细列表结束-----\r\n#交易合计：%d笔，商家实收共%s元，商家优惠共0.00元\r\n#退款合计：%d笔，商家实收退款共-%s元，商家优惠退款共0.00元\r\n", count[0],
		yuan(sum[0]), count[1], yuan(sum[1]))
	return err
}

// zip packs a bill as the gateway does: the summary first, all in GBK.
func (d *Day) zip(w io.Writer, title string, detail func(io.Writer) error) error {
	z := zip.NewWriter(w)
	stem := "20880000000000000156_" + d.Date.Format("20060102") + "_" + title
	summary := func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "#支付宝%s汇总查询\r\n#账号：[20880000000000000156]\r\n业务类型,收入笔数,收入金额（+元）\r\n合计,0,0.00\r\n", title[:6])
		return err
	}
	for _, m := range []struct {
		name  string
		write func(io.Writer) error
	}{{stem + "(汇总).csv", summary}, {stem + ".csv", detail}} {
		name, err := simplifiedchinese.GBK.NewEncoder().String(m.name)
		if err != nil {
			return err
		}
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, NonUTF8: true, Method: zip.Deflate})
		if err != nil {
			return err
		}
		enc := simplifiedchinese.GBK.NewEncoder().Writer(f)
		buf := bufio.NewWriterSize(enc, 1<<16)
		if err := m.write(buf); err != nil {
			return err
		}
		if err := buf.Flush(); err != nil {
			return err
		}
	}
	return z.Close()
}
