package wechat

import (
	"fmt"
	"regexp"
	"time"

	"hospay/sim"
)

// refund is one 原路退款 of a payment.
type refund struct {
	no, id, reason, notifyURL, hash, status, funds string
	amount                                         int64
	trade                                          *trade
	created, done                                  time.Time
	fault                                          sim.Fault
}

type refundForm struct {
	TransactionID string `json:"transaction_id"`
	OutTradeNo    string `json:"out_trade_no"`
	OutRefundNo   string `json:"out_refund_no"`
	Reason        string `json:"reason"`
	NotifyURL     string `json:"notify_url"`
	FundsAccount  string `json:"funds_account"`
	Amount        struct {
		Refund   int64  `json:"refund"`
		Total    int64  `json:"total"`
		Currency string `json:"currency"`
	} `json:"amount"`
}

var outRefundNo = regexp.MustCompile(`^[0-9A-Za-z_\-|*@]{1,64}$`)

func (f *refundForm) check() *apiError {
	switch {
	case f.TransactionID == "" && f.OutTradeNo == "":
		return paramError("transaction_id和out_trade_no必须二选一")
	case !outRefundNo.MatchString(f.OutRefundNo):
		return paramError("out_refund_no不合法")
	case f.Amount.Refund <= 0 || f.Amount.Total <= 0 || f.Amount.Currency != "CNY":
		return paramError("amount不合法")
	case !within(f.Reason, 0, 80):
		return paramError("reason长度不能超过80")
	}
	return nil
}

func (m *merchant) createRefund(q *request) plan {
	var f refundForm
	e := q.read(&f)
	if e == nil {
		e = f.check()
	}
	if e != nil {
		p := failed(e)
		p.no = f.OutRefundNo
		return p
	}
	return plan{no: f.OutRefundNo, hash: f, run: func(fault sim.Fault) (any, *apiError) {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.refund(&f, sim.HashJSON(f), fault)
	}}
}

// refund executes a create call: at most one refund per number.
func (m *merchant) refund(f *refundForm, hash string, fault sim.Fault) (any, *apiError) {
	if r := m.refunds[f.OutRefundNo]; r != nil {
		if r.hash != hash {
			return nil, invalidRequest("订单金额或退款金额与之前请求不一致，请核实后再试")
		}
		return r.view(), nil
	}
	t := m.trade(f.TransactionID)
	if f.TransactionID == "" {
		t = m.trade(f.OutTradeNo)
	}
	now := m.Clock().Now()
	if e := m.refundable(t, f, now); e != nil {
		return nil, e
	}
	m.seq++
	r := &refund{no: f.OutRefundNo, id: fmt.Sprintf("503%s%019d", now.Format("20060102"), m.seq), reason: f.Reason, notifyURL: f.NotifyURL,
		hash:   hash,
		status: processing, funds: "AVAILABLE", amount: f.Amount.Refund, trade: t, created: now}
	if fault.Callback() {
		r.fault = fault
	}
	t.refunded += r.amount
	t.refunds++
	t.lastRefund = now
	m.accounts[basic].locked += r.amount
	m.refunds[r.no], m.refundIDs[r.id] = r, r
	m.noteTrade(now, t, r)
	answer := r.view()
	m.Clock().After(time.Duration(m.settings.Get().RefundMS)*time.Millisecond, func() { m.locked(func() { m.finishRefund(r) }) })
	return answer, nil
}

func (m *merchant) refundable(t *trade, f *refundForm, now time.Time) *apiError {
	set, a := m.settings.Get(), m.accounts[basic]
	switch {
	case t == nil:
		return refuse(404, "RESOURCE_NOT_EXISTS", "订单不存在")
	case t.paid.IsZero():
		return invalidRequest("订单未支付")
	case f.TransactionID != "" && f.OutTradeNo != "" && f.OutTradeNo != t.no:
		return invalidRequest("transaction_id和out_trade_no不匹配")
	case t.paid.AddDate(set.RefundYears, 0, 0).Before(now):
		return invalidRequest("订单已超过可退款的最长期限")
	case f.Amount.Total != t.total:
		return invalidRequest("订单金额或退款金额与之前请求不一致，请核实后再试")
	case f.Amount.Refund > t.total-t.refunded:
		return invalidRequest("申请退款金额大于订单可退款金额")
	case t.refunds >= 50:
		return invalidRequest("部分退款次数超过50次")
	case t.refunds > 0 && now.Sub(t.lastRefund) < time.Duration(set.RefundGapSec)*time.Second:
		return refuse(429, "FREQUENCY_LIMITED", "同一订单的部分退款请间隔1分钟后再试")
	case a.balance-a.locked < f.Amount.Refund:
		return notEnough(false)
	}
	return nil
}

func (m *merchant) finishRefund(r *refund) {
	if r.status != processing {
		return
	}
	now, a := m.Clock().Now(), m.accounts[basic]
	r.status, r.done = success, now
	a.locked -= r.amount
	a.post(flow{at: now, bizNo: r.id, name: "退款", amount: r.amount, out: true, remark: r.reason, voucher: r.no}, m.flowNo(now))
	m.Ledger().Add(sim.Entry{At: now, Kind: "refund", No: r.no, Merchant: m.id, Party: r.trade.openid, Of: r.trade.no, Amount: r.amount,
		State: success})
	m.notifyRefund(r)
}

// returnRefund makes a refund ABNORMAL: the payer's account sent the money back.
func (m *merchant) returnRefund(r *refund) error {
	now, a := m.Clock().Now(), m.accounts[basic]
	switch r.status {
	case processing:
		a.locked -= r.amount
	case success:
		a.post(flow{at: now, bizNo: r.id, name: "退款退回", amount: r.amount, remark: r.reason, voucher: r.no}, m.flowNo(now))
		m.Ledger().Add(sim.Entry{At: now, Kind: "return", No: r.no, Merchant: m.id, Party: r.trade.openid, Amount: r.amount, State: success})
	default:
		return fmt.Errorf("refund %s is %s and cannot be returned", r.no, r.status)
	}
	r.status = "ABNORMAL"
	m.notifyRefund(r)
	return nil
}

// view is the answer to create and query.
func (r *refund) view() map[string]any {
	v := map[string]any{"refund_id": r.id, "out_refund_no": r.no, "transaction_id": r.trade.id, "out_trade_no": r.trade.no,
		"channel":               "ORIGINAL",
		"user_received_account": "支付用户零钱", "create_time": r.created.Format(rfc3339), "status": r.status, "funds_account": r.funds,
		"amount": map[string]any{"total": r.trade.total, "refund": r.amount, "payer_total": r.trade.total, "payer_refund": r.amount,
			"settlement_refund": r.amount, "settlement_total": r.trade.total, "discount_refund": 0, "currency": "CNY"}}
	if r.status == success {
		v["success_time"] = r.done.Format(rfc3339)
	}
	return v
}

func (m *merchant) queryRefund(q *request) plan {
	no := q.PathValue("no")
	return plan{no: no, hash: map[string]string{"out_refund_no": no}, run: func(sim.Fault) (any, *apiError) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if r := m.refunds[no]; r != nil {
			return r.view(), nil
		}
		return nil, refuse(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
	}}
}

// abnormalRefund sends an ABNORMAL refund to another card or account.
func (m *merchant) abnormalRefund(q *request) plan {
	var f struct {
		OutRefundNo string `json:"out_refund_no"`
		Type        string `json:"type"`
	}
	if e := q.read(&f); e != nil {
		return failed(e)
	}
	id := q.PathValue("id")
	return plan{no: f.OutRefundNo, hash: f, run: func(sim.Fault) (any, *apiError) {
		m.mu.Lock()
		defer m.mu.Unlock()
		r := m.refundIDs[id]
		switch {
		case r == nil || r.no != f.OutRefundNo:
			return nil, refuse(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
		case f.Type != "USER_BANK_CARD" && f.Type != "MERCHANT_BANK_CARD":
			return nil, paramError("type不合法")
		case r.status != "ABNORMAL":
			return nil, invalidRequest("退款单不是异常状态")
		}
		r.status = processing
		m.accounts[basic].locked += r.amount
		v := r.view()
		m.Clock().After(0, func() { m.locked(func() { m.finishRefund(r) }) })
		return v, nil
	}}
}
