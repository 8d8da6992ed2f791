package wechat

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"hospay/sim"
)

// account is one account of the merchant with its journal by day. Amounts in fen.
type account struct {
	balance, locked int64
	days            map[string][]flow
}

// flow is a row of the fund-flow bill.
type flow struct {
	at                                         time.Time
	bizNo, flowNo, name, remark, voucher, kind string
	amount, after                              int64
	out                                        bool
}

func newAccount(balance int64) *account {
	return &account{balance: balance, days: map[string][]flow{}}
}

func (a *account) post(f flow, flowNo string) {
	if f.out {
		a.balance -= f.amount
	} else {
		a.balance += f.amount
	}
	f.after, f.flowNo, f.kind = a.balance, flowNo, f.name
	day := f.at.Format(time.DateOnly)
	a.days[day] = append(a.days[day], f)
}

func (m *merchant) flowNo(at time.Time) string {
	m.seq++
	return fmt.Sprintf("%s%s%014d", m.id, at.Format("20060102"), m.seq)
}

// tradeRow is a row of the trade bill: a payment, or its refund.
type tradeRow struct {
	at time.Time
	t  *trade
	r  *refund
}

func (m *merchant) noteTrade(at time.Time, t *trade, r *refund) {
	day := at.Format(time.DateOnly)
	m.tradeRows[day] = append(m.tradeRows[day], tradeRow{at, t, r})
}

// download is a file that can be fetched for a while.
type download struct {
	m       *merchant
	expires time.Time
	body    []byte
	kind    string
}

// billDate checks the day that was asked for.
func (m *merchant) billDate(day string) *apiError {
	d, err := time.ParseInLocation(time.DateOnly, day, sim.Beijing)
	if err != nil {
		return paramError("bill_date格式错误")
	}
	set, now := m.settings.Get(), m.Clock().Now()
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, sim.Beijing)
	switch {
	case set.BillAnyDay && !d.After(today):
		return nil
	case !d.Before(today):
		return invalidRequest("账单日期不能晚于昨日")
	case d.Before(today.AddDate(0, -3, 0)):
		return invalidRequest("仅支持下载三个月内的账单")
	case d.Equal(today.AddDate(0, 0, -1)) && now.Hour() < set.BillReadyHour:
		return refuse(400, "STATEMENT_CREATING", "账单生成中")
	}
	return nil
}

func (m *merchant) fundFlowBill(q *request) plan {
	v := q.URL.Query()
	day, acc := v.Get("bill_date"), v.Get("account_type")
	if acc == "" {
		acc = basic
	}
	return plan{no: day, hash: map[string]string{"bill_date": day, "account_type": acc, "tar_type": v.Get("tar_type")},
		run: func(sim.Fault) (any, *apiError) {
			if acc != basic && acc != operation && acc != "FEES" {
				return nil, paramError("account_type不合法")
			}
			return m.offerBill(day, v.Get("tar_type"), func() string { return m.fundFlowText(acc, day) })
		}}
}

func (m *merchant) tradeBill(q *request) plan {
	v := q.URL.Query()
	day, kind := v.Get("bill_date"), v.Get("bill_type")
	if kind == "" {
		kind = "ALL"
	}
	return plan{no: day, hash: map[string]string{"bill_date": day, "bill_type": kind, "tar_type": v.Get("tar_type")},
		run: func(sim.Fault) (any, *apiError) {
			if tradeColumns[kind] == "" {
				return nil, paramError("bill_type不合法")
			}
			return m.offerBill(day, v.Get("tar_type"), func() string { return m.tradeText(kind, day) })
		}}
}

// offerBill builds the file and answers its digest and address.
func (m *merchant) offerBill(day, tar string, build func() string) (any, *apiError) {
	if e := m.billDate(day); e != nil {
		return nil, e
	}
	if tar != "" && tar != "GZIP" {
		return nil, paramError("tar_type不合法")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	text := build()
	if text == "" {
		return nil, refuse(400, "NO_STATEMENT_EXIST", "请求的账单文件不存在")
	}
	sum := sha1.Sum([]byte(text))
	body, suffix := []byte(text), ""
	if tar == "GZIP" {
		body, suffix = zip(body), "&tartype=gzip"
	}
	address := m.keepDownload(&download{m, m.Clock().Now().Add(5 * time.Minute), body, "text/plain;charset=utf-8"},
		"/v3/billdownload/file?token=") + suffix
	return map[string]string{"hash_type": "SHA1", "hash_value": hex.EncodeToString(sum[:]), "download_url": address}, nil
}

func zip(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(body)
	w.Close()
	return b.Bytes()
}

// keepDownload stores a file and drops those that ran out.
func (m *merchant) keepDownload(d *download, path string) string {
	now := m.Clock().Now()
	for k, old := range m.downloads {
		if now.After(old.expires) {
			delete(m.downloads, k)
		}
	}
	token := sim.Token(24)
	m.downloads[token] = d
	host := "https://api.mch.weixin.qq.com"
	if m.settings.Get().DownloadURL == "self" {
		host = m.URL()
	}
	return host + path + token
}

// download serves a file; the request is signed, the answer is not.
func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("token")
	s.mu.Lock()
	d := s.downloads[token]
	expired := d == nil || s.Clock().Now().After(d.expires)
	s.mu.Unlock()
	m := s.merchants[0]
	if s.settings.Get().DownloadSigned {
		var e *apiError
		if m, e = s.authenticate(r, nil); e != nil {
			sim.WriteJSON(w, e.Status, e)
			return
		}
		expired = expired || d.m != m
	}
	q := &request{Request: r, m: m, op: "bill", serial: m.publicKeyID}
	s.Serve(w, q, sim.Call{Op: "bill_download", Alias: "bill"}, func(sim.Fault) *sim.Reply {
		if expired {
			return reply(nil, invalidRequest("下载地址已失效，请重新获取"))
		}
		return &sim.Reply{Status: 200, Type: d.kind, Body: d.body, Raw: true}
	})
}

// line writes cells with the backtick that protects them.
func line(b *strings.Builder, cells ...any) {
	for i, c := range cells {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, "`%v", c)
	}
	b.WriteString("\r\n")
}

func (m *merchant) fundFlowText(acc, day string) string {
	if m.accounts[acc] == nil || len(m.accounts[acc].days[day]) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号\r\n")
	var count, sum [2]int64
	for _, f := range m.accounts[acc].days[day] {
		k, way := 0, "收入"
		if f.out {
			k, way = 1, "支出"
		}
		count[k]++
		sum[k] += f.amount
		line(&b, f.at.Format(time.DateTime), f.bizNo, f.flowNo, f.name, f.kind, way, sim.Yuan(f.amount), sim.Yuan(f.after), "system",
			escape(f.remark), f.voucher)
	}
	b.WriteString("资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n")
	line(&b, fmt.Sprintf("%d.0", count[0]+count[1]), fmt.Sprintf("%d.0", count[0]), sim.Yuan(sum[0]), fmt.Sprintf("%d.0", count[1]),
		sim.Yuan(sum[1]))
	return b.String()
}

// escape keeps one record on one line.
func escape(text string) string {
	return strings.NewReplacer("\r", `\r`, "\n", `\n`).Replace(text)
}

// tradeColumns are the headers by bill type.
var tradeColumns = map[string]string{
	"ALL":     tradeHead + ",微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态," + tradeTail,
	"SUCCESS": tradeHead + ",商品名称,商户数据包,手续费,费率,订单金额,费率备注",
	"REFUND":  tradeHead + ",退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态," + tradeTail,
}

const (
	tradeHead = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额"
	tradeTail = "商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)

// totals are the summary of a trade bill.
type totals struct{ count, settled, refunded, order int64 }

func (m *merchant) tradeText(kind, day string) string {
	var b strings.Builder
	var sum totals
	b.WriteString(tradeColumns[kind] + "\r\n")
	for _, row := range m.tradeRows[day] {
		if kind == "SUCCESS" && row.r != nil || kind == "REFUND" && row.r == nil {
			continue
		}
		line(&b, row.cells(kind, &sum)...)
	}
	if sum.count == 0 {
		return ""
	}
	if kind == "SUCCESS" {
		b.WriteString("总交易单数,应结订单总金额,手续费总金额,订单总金额\r\n")
		line(&b, sum.count, sim.Yuan(sum.settled), "0.00000", sim.Yuan(sum.order))
		return b.String()
	}
	b.WriteString("总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n")
	line(&b, sum.count, sim.Yuan(sum.settled), sim.Yuan(sum.refunded), "0.00", "0.00000", sim.Yuan(sum.order), sim.Yuan(sum.refunded))
	return b.String()
}

// cells writes one row; a refund row is written when it was accepted and never updated.
func (row tradeRow) cells(kind string, sum *totals) []any {
	t, r := row.t, row.r
	state, settled, order := success, t.total, t.total
	if r != nil {
		state, settled, order = "REFUND", 0, 0
	}
	sum.count++
	sum.settled += settled
	sum.order += order
	head := []any{row.at.Format(time.DateTime), t.app, t.m.id, "0", "", t.id, t.no, t.openid, "JSAPI", state, "OTHERS", "CNY",
		sim.Yuan(settled), "0.00"}
	if kind == "SUCCESS" {
		return append(head, escape(t.description), escape(t.attach), "0.00000", "0.00%", sim.Yuan(order), "")
	}
	if kind == "REFUND" {
		head = append(head, r.created.Format(time.DateTime), r.created.Format(time.DateTime))
	}
	id, no, amount, way, status := "0", "0", int64(0), "", ""
	if r != nil {
		id, no, amount, way, status = r.id, r.no, r.amount, "ORIGINAL", processing
		sum.refunded += amount
	}
	return append(head, id, no, sim.Yuan(amount), "0.00", way, status, escape(t.description), escape(t.attach), "0.00000", "0.00%",
		sim.Yuan(order), sim.Yuan(amount), "")
}
