package alipay

import (
	"slices"
	"time"

	"hospay/sim"
)

// receipt is an electronic receipt that is being made.
type receipt struct {
	lines   []string
	created time.Time
	pdf     []byte
}

func (m *merchant) receiptApply(c *call, _ sim.Fault) *answer {
	var f struct {
		Type string `json:"type"`
		Key  string `json:"key"`
	}
	if bad := c.read(&f); bad != nil {
		return bad
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r := &receipt{created: m.Clock().Now()}
	switch t := m.transfers[f.Key]; {
	case f.Type == "FUND_DETAIL" && t != nil && t.no != f.Key && (t.status == "SUCCESS" || t.status == "REFUND"):
		r.lines = []string{"支付宝电子回单（模拟）", "付款方：" + m.pid, "商户订单号：" + t.no, "支付宝订单号：" + t.orderID, "收款方：" + mask(t.party),
			"金额：" + sim.Yuan(t.amount) + " 元", "时间：" + t.at.Format(time.DateTime), "备注：" + t.remark}
	case f.Type == "FUND_DETAIL":
		return refuse("BIZ_ERROR", "资金单据不存在")
	case slices.Contains([]string{"ACCOUNT_LOG_DETAIL", "ACCOUNT_FLOW_DETAIL", "ACCOUNT_LOG_SUM_DAILY", "ACCOUNT_LOG_SUM_MONTHLY"}, f.Type):
		r.lines = []string{"支付宝电子回单（模拟）", f.Type, f.Key}
	default:
		return refuse("INVALID_PARAMETER", "参数有误。type")
	}
	id := sim.Token(16)
	m.receipts[id] = r
	return done(map[string]string{"file_id": id})
}

// receiptQuery goes through INIT and PROCESS to SUCCESS; a file lives two days, its address 30 seconds.
func (m *merchant) receiptQuery(c *call, _ sim.Fault) *answer {
	var f struct {
		FileID string `json:"file_id"`
	}
	if bad := c.read(&f); bad != nil {
		return bad
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, now := m.receipts[f.FileID], m.Clock().Now()
	if r == nil || now.Sub(r.created) > 48*time.Hour {
		return refuse("INVALID_PARAMETER", "参数有误。file_id")
	}
	delay := time.Duration(m.settings.Get().ReceiptDelayMS) * time.Millisecond
	switch age := now.Sub(r.created); {
	case age < delay/2:
		return done(map[string]string{"status": "INIT"})
	case age < delay:
		return done(map[string]string{"status": "PROCESS"})
	}
	if r.pdf == nil {
		r.pdf = sim.PDF(r.lines)
	}
	address := m.offer(&download{now.Add(30 * time.Second), r.pdf, "application/pdf"}, f.FileID+".pdf", "ereceipt")
	return done(map[string]string{"status": "SUCCESS", "download_url": address})
}

// logView is a row of the online ledger.
func (r *logRow) logView() map[string]string {
	direction, amount := "收入", r.amount
	if amount < 0 {
		direction = "支出"
	}
	v := map[string]string{"trans_dt": r.at.Format(time.DateTime), "account_log_id": r.flowNo, "alipay_order_no": r.bizNo,
		"merchant_order_no": r.merchantNo,
		"trans_amount":      sim.Yuan(amount), "balance": sim.Yuan(r.after), "type": r.kind, "other_account": mask(r.other), "trans_memo": r.memo,
		"direction": direction, "bill_source": "支付宝", "biz_desc": r.title}
	if r.requestNo != "" {
		v["merchant_out_refund_no"] = r.requestNo
	}
	return v
}

func (m *merchant) accountLog(c *call, _ sim.Fault) *answer {
	var f struct {
		Start      string `json:"start_time"`
		End        string `json:"end_time"`
		AlipayNo   string `json:"alipay_order_no"`
		MerchantNo string `json:"merchant_order_no"`
		PageNo     any    `json:"page_no"`
		PageSize   any    `json:"page_size"`
	}
	if bad := c.read(&f); bad != nil {
		return bad
	}
	page, size := whole(f.PageNo, 1), whole(f.PageSize, 2000)
	from, err1 := time.ParseInLocation(time.DateTime, f.Start, sim.Beijing)
	to, err2 := time.ParseInLocation(time.DateTime, f.End, sim.Beijing)
	byNo := f.AlipayNo + f.MerchantNo
	switch {
	case f.AlipayNo != "" && f.MerchantNo != "", byNo == "" && (err1 != nil || err2 != nil || to.Sub(from) > 31*24*time.Hour ||
		!from.Before(to)):
		return refuse("INVALID_PARAMETER", "参数有误。")
	case size < 1000 || size > 2000 || page < 1:
		return refuse("INVALID_PARAMETER", "参数有误。page_size")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rows := m.logIndex[byNo]
	if byNo == "" {
		rows = m.between(from, to)
	}
	return pageOf(rows, page, size)
}

// between collects the movements of a half-open span.
func (m *merchant) between(from, to time.Time) (rows []*logRow) {
	for d := from; !d.After(to.Add(24 * time.Hour)); d = d.AddDate(0, 0, 1) {
		for _, r := range m.logs[d.Format(time.DateOnly)] {
			if !r.at.Before(from) && r.at.Before(to) {
				rows = append(rows, r)
			}
		}
	}
	return rows
}

func pageOf(rows []*logRow, page, size int) *answer {
	first := min((page-1)*size, len(rows))
	last := min(first+size, len(rows))
	v := map[string]any{"page_no": itoa(page), "page_size": itoa(size), "total_size": itoa(len(rows))}
	var list []map[string]string
	for _, r := range rows[first:last] {
		list = append(list, r.logView())
	}
	if len(list) > 0 {
		v["detail_list"] = list
	}
	return done(v)
}
