package alipay

import (
	"fmt"
	"net/http"
	"regexp"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

// trade is one payment, made here or lying in the test world's past.
type trade struct {
	no, id, appID, subject, buyer, notifyURL, passback string
	total, refunded                                    int64
	created, paid, expire                              time.Time
	closed                                             bool
	refunds                                            map[string]*refund
}

// refund is one refund of a trade.
type refund struct {
	no     string
	amount int64
	at     time.Time
}

// trade finds a payment by either number; deposits of the test world count as paid. Callers hold the lock.
func (m *merchant) trade(outTradeNo, tradeNo string) *trade {
	no := tradeNo
	if no == "" {
		no = outTradeNo
	}
	if t := m.trades[no]; t != nil {
		return t
	}
	d := m.world.Trade(world.Alipay, no)
	if d == nil || !m.first() {
		return nil
	}
	t := &trade{no: d.OutTradeNo, id: d.TransactionID, appID: CertAppID, subject: "门诊预交金充值", buyer: d.Patient.AlipayUserID, total: d.Amount,
		created: d.PaidAt, paid: d.PaidAt, refunds: map[string]*refund{}}
	m.trades[t.no], m.trades[t.id] = t, t
	return t
}

func (m *merchant) tradeStatus(t *trade) string {
	old := m.Clock().Now().Sub(t.paid) > time.Duration(m.settings.Get().RefundDays)*24*time.Hour
	switch {
	case t.closed || t.refunded > 0 && t.refunded == t.total:
		return "TRADE_CLOSED"
	case t.paid.IsZero() && !t.expire.IsZero() && m.Clock().Now().After(t.expire):
		return "TRADE_CLOSED"
	case t.paid.IsZero():
		return "WAIT_BUYER_PAY"
	case old:
		return "TRADE_FINISHED"
	}
	return "TRADE_SUCCESS"
}

type tradeForm struct {
	OutTradeNo   string `json:"out_trade_no"`
	TradeNo      string `json:"trade_no"`
	TotalAmount  string `json:"total_amount"`
	Subject      string `json:"subject"`
	BuyerID      string `json:"buyer_id"`
	BuyerOpenID  string `json:"buyer_open_id"`
	AuthCode     string `json:"auth_code"`
	Scene        string `json:"scene"`
	Passback     string `json:"passback_params"`
	RefundAmount string `json:"refund_amount"`
	RefundReason string `json:"refund_reason"`
	OutRequestNo string `json:"out_request_no"`
	TimeExpire   string `json:"time_expire"`
	Extend       string `json:"extend_params"`
}

var outTradeNo = regexp.MustCompile(`^[0-9A-Za-z_]{1,64}$`)

func invalidTrade(what string) *answer {
	return refuse("ACQ.INVALID_PARAMETER", "参数无效："+what)
}

var noTrade = refuse("ACQ.TRADE_NOT_EXIST", "交易不存在")

// open makes or finds the order that a create or pay call means.
func (m *merchant) open(c *call, f *tradeForm, buyer string) (*trade, *answer) {
	total, ok := sim.Fen(f.TotalAmount)
	switch {
	case !outTradeNo.MatchString(f.OutTradeNo):
		return nil, invalidTrade("out_trade_no")
	case !ok || total <= 0:
		return nil, invalidTrade("total_amount")
	case f.Subject == "":
		return nil, invalidTrade("subject")
	}
	t := m.trade(f.OutTradeNo, "")
	switch {
	case t != nil && (t.total != total || t.subject != f.Subject || t.buyer != buyer):
		return nil, refuse("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
	case t != nil && t.paid.IsZero() && m.tradeStatus(t) == "TRADE_CLOSED":
		return nil, refuse("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
	case t != nil && !t.paid.IsZero():
		return nil, refuse("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
	case t != nil:
		return t, nil
	}
	now := m.Clock().Now()
	m.seq++
	t = &trade{no: f.OutTradeNo, id: fmt.Sprintf("%s2200140000%010d", now.Format("20060102"), m.seq), appID: c.app.id, subject: f.Subject,
		buyer:     buyer,
		notifyURL: c.form.Get("notify_url"), passback: f.Passback, total: total, created: now, refunds: map[string]*refund{}}
	if f.TimeExpire != "" {
		expire, err := time.ParseInLocation(time.DateTime, f.TimeExpire, sim.Beijing)
		if err != nil || !expire.After(now) {
			return nil, invalidTrade("time_expire")
		}
		t.expire = expire
	}
	m.trades[t.no], m.trades[t.id] = t, t
	return t, nil
}

func (m *merchant) tradeCreate(c *call, _ sim.Fault) *answer {
	var f tradeForm
	if bad := c.read(&f); bad != nil {
		return bad
	}
	buyer := f.BuyerID + f.BuyerOpenID
	p := m.world.Find(buyer)
	if p == nil {
		return refuse("ACQ.BUYER_NOT_EXIST", "买家不存在")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	t, bad := m.open(c, &f, p.AlipayUserID)
	if bad != nil {
		return bad
	}
	return done(map[string]string{"out_trade_no": t.no, "trade_no": t.id})
}

func (m *merchant) tradePay(c *call, _ sim.Fault) *answer {
	var f tradeForm
	if bad := c.read(&f); bad != nil {
		return bad
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.payCodes[f.AuthCode]
	if p == nil || f.Scene != "bar_code" {
		return refuse("ACQ.PAYMENT_AUTH_CODE_INVALID", "支付失败，获取顾客账户信息失败，请顾客刷新付款码后重新收款")
	}
	t, bad := m.open(c, &f, p.AlipayUserID)
	if bad != nil {
		return bad
	}
	delete(m.payCodes, f.AuthCode)
	m.settle(t)
	v := m.tradeView(t)
	v["gmt_payment"] = v["send_pay_date"]
	return done(v)
}

func (m *merchant) tradeView(t *trade) map[string]any {
	yuan := sim.Yuan(t.total)
	v := map[string]any{"out_trade_no": t.no, "trade_no": t.id, "trade_status": m.tradeStatus(t), "total_amount": yuan,
		"buyer_user_id": t.buyer, "buyer_logon_id": "199******00"}
	if !t.paid.IsZero() {
		v["send_pay_date"], v["receipt_amount"], v["buyer_pay_amount"], v["invoice_amount"], v["point_amount"] = t.paid.Format(time.DateTime),
			yuan, yuan, yuan, "0.00"
		v["fund_bill_list"] = []map[string]string{{"amount": yuan, "fund_channel": "ALIPAYACCOUNT"}}
	}
	return v
}

func (m *merchant) tradeQuery(c *call, _ sim.Fault) *answer {
	t, bad := m.findTrade(c, &tradeForm{})
	if bad != nil {
		return bad
	}
	defer m.mu.Unlock()
	return done(m.tradeView(t))
}

// findTrade reads the form and returns the trade with the lock held; on a refusal the lock is free.
func (m *merchant) findTrade(c *call, f *tradeForm) (*trade, *answer) {
	if bad := c.read(f); bad != nil {
		return nil, bad
	}
	if f.OutTradeNo == "" && f.TradeNo == "" {
		return nil, invalidTrade("out_trade_no、trade_no不能同时为空")
	}
	m.mu.Lock()
	if t := m.trade(f.OutTradeNo, f.TradeNo); t != nil {
		return t, nil
	}
	m.mu.Unlock()
	return nil, noTrade
}

func (m *merchant) tradeRefund(c *call, fault sim.Fault) *answer {
	var f tradeForm
	t, bad := m.findTrade(c, &f)
	if bad != nil {
		return bad
	}
	defer m.mu.Unlock()
	amount, ok := sim.Fen(f.RefundAmount)
	if !ok || amount <= 0 {
		return invalidTrade("refund_amount")
	}
	no := f.OutRequestNo
	if no == "" {
		if no = t.no; amount != t.total {
			return invalidTrade("部分退款需要传入out_request_no")
		}
	}
	if r := t.refunds[no]; r != nil {
		if r.amount != amount {
			return refuse("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求")
		}
		return done(t.refundView(r, "N"))
	}
	if bad := m.refundable(t, amount); bad != nil {
		return bad
	}
	return done(t.refundView(m.refund(t, no, amount, f.RefundReason, fault), "Y"))
}

func (m *merchant) refundable(t *trade, amount int64) *answer {
	status := m.tradeStatus(t)
	switch {
	case t.paid.IsZero():
		return refuse("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
	case status == "TRADE_CLOSED":
		return refuse("ACQ.TRADE_HAS_CLOSE", "交易已关闭")
	case status == "TRADE_FINISHED":
		return refuse("ACQ.TRADE_HAS_FINISHED", "交易已完结，不可退款")
	case t.refunded+amount > t.total:
		return refuse("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限")
	case m.balance < amount:
		return refuse("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足")
	}
	return nil
}

func (m *merchant) refund(t *trade, no string, amount int64, reason string, fault sim.Fault) *refund {
	r := &refund{no, amount, m.Clock().Now()}
	t.refunds[no] = r
	t.refunded += amount
	m.post(&logRow{at: r.at, bizNo: t.id, merchantNo: t.no, requestNo: no, title: t.subject, other: t.buyer, amount: -amount, kind: "交易退款",
		memo: reason})
	m.noteTrade(tradeRow{r.at, t, r})
	m.Ledger().Add(sim.Entry{At: r.at, Kind: "refund", No: no, Merchant: m.pid, Party: t.buyer, Of: t.no, Amount: amount, State: "SUCCESS"})
	m.notifyTrade(t, r, fault)
	return r
}

func (t *trade) refundView(r *refund, change string) map[string]any {
	return map[string]any{"trade_no": t.id, "out_trade_no": t.no, "buyer_user_id": t.buyer, "fund_change": change,
		"refund_fee":    sim.Yuan(t.refunded),
		"send_back_fee": sim.Yuan(r.amount), "gmt_refund_pay": r.at.Format(time.DateTime)}
}

// refundQuery says REFUND_SUCCESS or nothing; too early it says nothing either.
func (m *merchant) refundQuery(c *call, _ sim.Fault) *answer {
	var f tradeForm
	t, bad := m.findTrade(c, &f)
	if bad != nil {
		return bad
	}
	defer m.mu.Unlock()
	if f.OutRequestNo == "" {
		return invalidTrade("out_request_no")
	}
	r := t.refunds[f.OutRequestNo]
	wait := time.Duration(m.settings.Get().RefundQuerySec) * time.Second
	if r == nil || m.Clock().Now().Sub(r.at) < wait {
		return done(nil)
	}
	return done(map[string]string{"trade_no": t.id, "out_trade_no": t.no, "out_request_no": r.no, "total_amount": sim.Yuan(t.total),
		"refund_amount": sim.Yuan(r.amount), "refund_status": "REFUND_SUCCESS", "gmt_refund_pay": r.at.Format(time.DateTime)})
}

func (m *merchant) tradeClose(c *call, _ sim.Fault) *answer {
	t, bad := m.findTrade(c, &tradeForm{})
	if bad != nil {
		return bad
	}
	defer m.mu.Unlock()
	if !t.paid.IsZero() {
		return refuse("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
	}
	t.closed = true
	return done(map[string]string{"trade_no": t.id, "out_trade_no": t.no})
}

// tradeCancel closes an unpaid trade and refunds a paid one in full.
func (m *merchant) tradeCancel(c *call, fault sim.Fault) *answer {
	t, bad := m.findTrade(c, &tradeForm{})
	if bad != nil {
		return bad
	}
	defer m.mu.Unlock()
	action := "close"
	if left := t.total - t.refunded; !t.paid.IsZero() && left > 0 {
		if bad := m.refundable(t, left); bad != nil {
			return bad
		}
		action = "refund"
		m.refund(t, t.no+"cancel", left, "撤销交易", fault)
	}
	t.closed = true
	return done(map[string]string{"trade_no": t.id, "out_trade_no": t.no, "retry_flag": "N", "action": action})
}

// settle records the buyer's payment.
func (m *merchant) settle(t *trade) {
	t.paid = m.Clock().Now()
	m.post(&logRow{at: t.paid, bizNo: t.id, merchantNo: t.no, title: t.subject, other: t.buyer, amount: t.total, kind: "在线支付"})
	m.noteTrade(tradeRow{t.paid, t, nil})
	m.Ledger().Add(sim.Entry{At: t.paid, Kind: "pay", No: t.no, Merchant: m.pid, Party: t.buyer, Amount: t.total, State: "SUCCESS"})
	m.notifyTrade(t, nil, sim.Fault{})
}

// issuePayCode shows a payment code as the patient's phone would.
func (s *Server) issuePayCode(w http.ResponseWriter, r *http.Request) {
	p := s.world.Find(r.URL.Query().Get("patient"))
	if p == nil {
		sim.WriteJSON(w, 404, map[string]string{"error": "no such patient"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	code := fmt.Sprintf("28%016d", s.seq)
	s.payCodes[code] = p
	sim.WriteJSON(w, 200, map[string]string{"auth_code": code})
}
