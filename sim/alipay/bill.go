package alipay

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"hospay/sim"
)

// logRow is one movement of the merchant's balance; money out is negative.
type logRow struct {
	at                                                             time.Time
	flowNo, bizNo, merchantNo, requestNo, title, other, kind, memo string
	amount, after                                                  int64
}

// tradeRow is a row of the trade bill: a payment, or its refund.
type tradeRow struct {
	at time.Time
	t  *trade
	r  *refund
}

// post books a movement. Callers hold the lock.
func (m *merchant) post(r *logRow) {
	m.seq++
	m.balance += r.amount
	r.after, r.flowNo = m.balance, fmt.Sprintf("%s%012d", r.at.Format("060102"), m.seq)
	day := r.at.Format(time.DateOnly)
	m.logs[day] = append(m.logs[day], r)
	m.logIndex[r.bizNo] = append(m.logIndex[r.bizNo], r)
	m.logIndex[r.merchantNo] = append(m.logIndex[r.merchantNo], r)
}

func (m *merchant) noteTrade(r tradeRow) {
	day := r.at.Format(time.DateOnly)
	m.tradeRows[day] = append(m.tradeRows[day], r)
}

// download is a file that can be fetched for 30 seconds.
type download struct {
	expires time.Time
	body    []byte
	kind    string
}

// billDays checks the date and lists its days; a month has several.
func (m *merchant) billDays(date string) (days []string, from, to time.Time, bad *answer) {
	set, now := m.settings.Get(), m.Clock().Now()
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, sim.Beijing)
	from, err := time.ParseInLocation(time.DateOnly, date, sim.Beijing)
	to = from.AddDate(0, 0, 1)
	if err != nil {
		if from, err = time.ParseInLocation("2006-01", date, sim.Beijing); err != nil {
			return nil, from, to, refuse("INVAILID_ARGUMENTS", "入参不合法")
		}
		to = from.AddDate(0, 1, 0)
	}
	ready := to.Add(time.Duration(set.BillReadyHour) * time.Hour)
	switch {
	case from.Before(now.AddDate(-6, 0, 0)):
		return nil, from, to, refuse("BILL_DATE_BEFORE_REGISTRATION", "账单日期早于签约日期")
	case now.Before(ready) && !(set.BillAnyDay && !from.After(today)):
		return nil, from, to, refuse("BILL_NOT_EXIST", "账单不存在")
	}
	for d := from; d.Before(to); d = d.AddDate(0, 0, 1) {
		days = append(days, d.Format(time.DateOnly))
	}
	return days, from, to, nil
}

func (m *merchant) billURL(c *call, _ sim.Fault) *answer {
	var f struct {
		Type string `json:"bill_type"`
		Date string `json:"bill_date"`
	}
	if bad := c.read(&f); bad != nil {
		return bad
	}
	days, from, to, bad := m.billDays(f.Date)
	if bad != nil {
		return bad
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b := billFile{pid: m.pid, from: from, to: to, now: m.Clock().Now()}
	stem := m.pid + "0156_" + strings.ReplaceAll(f.Date, "-", "")
	var count int
	switch f.Type {
	case "signcustomer":
		count = b.ledger(m, days)
		b.name = stem + "_账务明细"
	case "trade":
		count = b.trades(m, days)
		b.name = stem + "_业务明细"
	default:
		return refuse("TYPE_NOT_SUPPORTED", "不支持的账单类型")
	}
	v := map[string]string{}
	if count == 0 {
		if m.settings.Get().EmptyBill == "none" {
			return refuse("BILL_NOT_EXIST", "账单不存在")
		}
		v["bill_file_code"] = "EMPTY_DATA_WITH_BILL_FILE"
	}
	v["bill_download_url"] = m.offer(&download{b.now.Add(30 * time.Second), b.zip(), "application/zip"}, stem+".csv.zip", f.Type)
	return done(v)
}

// offer keeps a file for its short life and drops those that ran out.
func (m *merchant) offer(d *download, name, kind string) string {
	now := m.Clock().Now()
	for k, old := range m.downloads {
		if now.After(old.expires) {
			delete(m.downloads, k)
		}
	}
	token := sim.Token(24)
	m.downloads[token] = d
	host := m.URL()
	if m.settings.Get().DownloadURL == "official" {
		host = "https://dwbillcenter.alipay.com"
	}
	q := url.Values{"bizType": {kind}, "downloadFileName": {name}, "fileId": {token}}
	return host + "/downloadBillFile.resource?" + q.Encode()
}

// fileDialect serves files: nothing is signed.
type fileDialect struct{}

// Fail answers a planned error.
func (fileDialect) Fail(sim.Failure) *sim.Reply {
	return &sim.Reply{Status: 500, Type: "text/plain", Raw: true, Body: []byte("system error")}
}

// Seal sends the body as it is.
func (fileDialect) Seal(_ http.Header, r *sim.Reply, _ sim.Seal) []byte { return r.Body }

func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	d := s.downloads[r.URL.Query().Get("fileId")]
	expired := d == nil || s.Clock().Now().After(d.expires)
	s.mu.Unlock()
	s.Serve(w, fileDialect{}, sim.Call{Op: "bill_download", Alias: "bill"}, func(sim.Fault) *sim.Reply {
		if expired {
			return &sim.Reply{Status: 403, Type: "text/html;charset=utf-8", Raw: true, Body: []byte("<html><body>链接已失效</body></html>")}
		}
		return &sim.Reply{Status: 200, Type: d.kind, Raw: true, Body: d.body}
	})
}

// billFile is a bill while it is written.
type billFile struct {
	pid             string
	name            string
	from, to, now   time.Time
	detail, summary strings.Builder
}

const chineseStamp = "2006年01月02日 15:04:05"

func (b *billFile) head(title string) {
	fmt.Fprintf(&b.detail, "#支付宝%s查询\r\n#账号：[%s0156]\r\n#起始日期：[%s]   终止日期：[%s]\r\n"+
		"#-----------------------------------------%s列表----------------------------------------\r\n",
		title, b.pid, b.from.Format(chineseStamp), b.to.Format(chineseStamp), title)
}

// ledger writes the account bill (账务明细): the one that contains transfers.
func (b *billFile) ledger(m *merchant, days []string) (count int) {
	b.head("账务明细")
	b.detail.WriteString("账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注\r\n")
	var in, out [2]int64
	for _, day := range days {
		for _, r := range m.logs[day] {
			income, spend := max(r.amount, 0), min(r.amount, 0)
			k := &in
			if r.amount < 0 {
				k = &out
			}
			k[0]++
			k[1] += income - spend
			count++
			fmt.Fprintf(&b.detail, "%s\t,%s\t,%s\t,%s\t,%s,%s\t,%s,%s,%s,支付宝,%s,%s\r\n", r.flowNo, r.bizNo, r.merchantNo, clean(r.title),
				r.at.Format(time.DateTime), mask(r.other), sim.Yuan(income), sim.Yuan(spend), sim.Yuan(r.after), r.kind, clean(r.memo))
		}
	}
	fmt.Fprintf(&b.detail, "#----------------------------------------账务明细列表结束-------------------------------------\r\n#支出合计：%d笔，共%s元\r\n"+
		"#收入合计：%d笔，共%s元\r\n#导出时间：[%s]\r\n",
		out[0], sim.Yuan(out[1]), in[0], sim.Yuan(in[1]), b.now.Format(chineseStamp))
	fmt.Fprintf(&b.summary, "#支付宝账务汇总查询\r\n#账号：[%s0156]\r\n业务类型,收入笔数,收入金额（+元）,支出笔数,支出金额（-元）\r\n合计,%d,%s,%d,%s\r\n", b.pid, in[0],
		sim.Yuan(in[1]), out[0], sim.Yuan(out[1]))
	return count
}

// clean keeps one record on one line of cells.
func clean(text string) string {
	return strings.NewReplacer(",", "，", "\r", " ", "\n", " ").Replace(text)
}

// mask hides the middle of an account.
func mask(account string) string {
	r := []rune(account)
	if len(r) < 7 {
		return account
	}
	return string(r[:3]) + "****" + string(r[len(r)-4:])
}

// trades writes the business bill (业务明细).
func (b *billFile) trades(m *merchant, days []string) (count int) {
	b.head("业务明细")
	b.detail.WriteString("支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）," +
		"券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\r\n")
	var paid, refunded [2]int64
	for _, day := range days {
		for _, r := range m.tradeRows[day] {
			kind, amount, no, sum := "交易", r.t.total, "", &paid
			if r.r != nil {
				kind, amount, no, sum = "退款", r.r.amount, r.r.no, &refunded
			}
			sum[0]++
			sum[1] += amount
			count++
			if r.r != nil && m.settings.Get().BillRefundSign != "positive" {
				amount = -amount
			}
			y := sim.Yuan(amount)
			fmt.Fprintf(&b.detail, "%s\t,%s\t,%s,%s,%s,%s,,,,,%s,%s,%s,0.00,0.00,0.00,0.00,0.00,,0.00,0.00,%s\t,0.00,0.00,\r\n", r.t.id, r.t.no,
				kind, clean(r.t.subject),
				r.t.created.Format(time.DateTime), r.at.Format(time.DateTime), mask(r.t.buyer), y, y, no)
		}
	}
	net := paid[1] - refunded[1]
	fmt.Fprintf(&b.detail, "#-----------------------------------------业务明细列表结束------------------------------------\r\n#交易合计：%d笔，商家实收共%s元，"+
		"商家优惠共0.00元\r\n#退款合计：%d笔，商家实收退款共%s元，商家优惠退款共0.00元\r\n#导出时间：[%s]\r\n",
		paid[0], sim.Yuan(paid[1]), refunded[0], sim.Yuan(-refunded[1]), b.now.Format(chineseStamp))
	fmt.Fprintf(&b.summary, "#支付宝业务汇总查询\r\n#账号：[%s0156]\r\n门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,卡消费金额（元）,服务费（元）,分润（元）,"+
		"实收净额（元）\r\n合计,,%d,%d,%s,%s,0.00,0.00,0.00,0.00,0.00,%s\r\n",
		b.pid, paid[0], refunded[0], sim.Yuan(net), sim.Yuan(net), sim.Yuan(net))
	return count
}

// zip packs the summary first, with GBK names and contents and no UTF-8 flag.
func (b *billFile) zip() []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, part := range []struct{ name, text string }{{b.name + "(汇总).csv", b.summary.String()}, {b.name + ".csv", b.detail.String()}} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: string(gbk(part.name)), NonUTF8: true, Method: zip.Deflate})
		if err == nil {
			f.Write(gbk(part.text))
		}
	}
	w.Close()
	return out.Bytes()
}

// gbk encodes text; characters outside GBK become question marks.
func gbk(text string) []byte {
	e := simplifiedchinese.GBK.NewEncoder()
	if raw, err := e.String(text); err == nil {
		return []byte(raw)
	}
	var out []byte
	for _, r := range text {
		raw, err := simplifiedchinese.GBK.NewEncoder().String(string(r))
		if err != nil {
			raw = "?"
		}
		out = append(out, raw...)
	}
	return out
}
