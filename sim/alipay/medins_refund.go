package alipay

import (
	"encoding/json"
	"net/http"
	"time"

	"hospay/sim"
	"hospay/sim/medins"
)

// tradePrecreate makes a code; its trade begins when somebody scans it.
func (m *merchant) tradePrecreate(c *call, _ sim.Fault) *answer {
	var f tradeForm
	if bad := c.read(&f); bad != nil {
		return bad
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.trade(f.OutTradeNo, "") == nil {
		t, bad := m.open(c, &f, "")
		if bad != nil {
			return bad
		}
		delete(m.trades, t.no)
		delete(m.trades, t.id)
		if known := m.codes[t.no]; known != nil && (known.total != t.total || known.subject != t.subject) {
			return refuse("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
		}
		m.codes[t.no] = t
	} else if _, bad := m.open(c, &f, m.trade(f.OutTradeNo, "").buyer); bad != nil {
		return bad
	}
	return done(map[string]string{"out_trade_no": f.OutTradeNo, "qr_code": "https://qr.alipay.com/bax" + f.OutTradeNo})
}

// scan begins the trade of a code. Callers hold the lock.
func (m *merchant) scan(no, patient string) {
	t := m.codes[no]
	if t == nil || !t.expire.IsZero() && m.Clock().Now().After(t.expire) {
		return
	}
	p := m.world.Find(patient)
	if p == nil {
		p = m.world.Patients()[0]
	}
	t.buyer = p.AlipayUserID
	delete(m.codes, no)
	m.trades[t.no], m.trades[t.id] = t, t
}

// refundApply gives back one asset of a trade: the cash, or the insurance's part,
// which must have gone back at the centre already.
func (m *merchant) refundApply(c *call, fault sim.Fault) *answer {
	var f tradeForm
	if bad := c.read(&f); bad != nil {
		return bad
	}
	var extend map[string]string
	if json.Unmarshal([]byte(f.Extend), &extend) != nil {
		return invalidTrade("extend_params")
	}
	amount, ok := sim.Fen(f.RefundAmount)
	if !ok || amount <= 0 || f.OutRequestNo == "" {
		return invalidTrade("refund_amount或out_request_no")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, t := m.mixed[f.OutTradeNo], m.trade(f.OutTradeNo, f.TradeNo)
	if o == nil && t != nil {
		o = m.mixed[t.no]
	}
	switch extend["DESIGNATED_REFUND_ASSET"] {
	case "INNER_ASSET":
		return m.refundCash(t, f, amount, fault)
	case "OUTSIDE_ASSET":
		return m.refundInsurance(o, f, extend, amount)
	}
	return invalidTrade("DESIGNATED_REFUND_ASSET")
}

func (m *merchant) refundCash(t *trade, f tradeForm, amount int64, fault sim.Fault) *answer {
	if t == nil {
		return noTrade
	}
	if r := t.refunds[f.OutRequestNo]; r != nil && r.amount != amount {
		return refuse("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求")
	} else if r == nil {
		if bad := m.refundable(t, amount); bad != nil {
			return bad
		}
		m.refund(t, f.OutRequestNo, amount, f.RefundReason, fault)
	}
	return done(map[string]string{"trade_no": t.id, "out_trade_no": t.no, "out_request_no": f.OutRequestNo,
		"refund_status": m.settings.Get().ApplyStatus, "refund_amount": sim.Yuan(amount)})
}

func (m *merchant) refundInsurance(o *mixed, f tradeForm, extend map[string]string, amount int64) *answer {
	switch {
	case o == nil:
		return noTrade
	case extend["cancel_bill_no"] == "" || extend["cancel_serial_no"] == "":
		return invalidTrade("cancel_bill_no或cancel_serial_no")
	case amount != o.gov+o.account:
		return refuse("ACQ.NOT_ALLOW_PARTIAL_REFUND", "医保部分不支持部分退款")
	case o.Ins != medins.MixSuccess && o.Ins != medins.MixRefund:
		return refuse("ACQ.REASON_ILLEGAL_STATUS", "医保部分未支付")
	}
	if m.insurance != nil {
		if known, ok := m.insurance.Insured(o.PayOrdID); !ok || !known.Back {
			return refuse("ACQ.REASON_ILLEGAL_STATUS", "医保尚未退款")
		}
	}
	o.Ins = medins.MixRefund
	return done(map[string]string{"out_trade_no": o.form.OutTradeNo, "out_request_no": f.OutRequestNo, "refund_status": "REFUND_SUCCESS",
		"refund_amount": sim.Yuan(amount)})
}

// platformForm is a refund of the platform's cash.
type platformForm struct {
	OutTradeNo string `json:"out_trade_no"`
	RequestNo  string `json:"refund_request_no"`
	Amount     string `json:"refund_amount"`
	Reason     string `json:"refund_reason"`
}

func (m *merchant) platformRefund(c *call, fault sim.Fault) *answer {
	var f platformForm
	if bad := c.read(&f); bad != nil {
		return bad
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, amount := m.mixed[f.OutTradeNo], int64(0)
	var ok bool
	if amount, ok = sim.Fen(f.Amount); !ok || amount <= 0 || f.RequestNo == "" || o == nil {
		return medical("INVALID_PARAMETER", "退款参数不正确")
	}
	back := m.refundCash(m.trades[o.form.TradeNo], tradeForm{OutRequestNo: f.RequestNo, RefundReason: f.Reason}, amount, fault)
	if back.code != "10000" {
		return back
	}
	return m.platformBack(o, f)
}

func (m *merchant) platformRefundQuery(c *call, _ sim.Fault) *answer {
	var f platformForm
	if bad := c.read(&f); bad != nil {
		return bad
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.mixed[f.OutTradeNo]
	if o == nil {
		return medical(m.settings.Get().MedicalMissing, "订单不存在")
	}
	return m.platformBack(o, f)
}

func (m *merchant) platformBack(o *mixed, f platformForm) *answer {
	t := m.trades[o.form.TradeNo]
	if t == nil || t.refunds[f.RequestNo] == nil {
		return medical(m.settings.Get().MedicalMissing, "退款不存在")
	}
	r := t.refunds[f.RequestNo]
	return done(map[string]string{"out_trade_no": o.form.OutTradeNo, "refund_request_no": r.no, "refund_amount": sim.Yuan(r.amount),
		"refund_status": m.settings.Get().MedicalWords[medins.MixRefund], "refund_time": r.at.Format(time.DateTime)})
}

// orderSync takes the word about an order that was settled with a code.
func (m *merchant) orderSync(c *call, _ sim.Fault) *answer {
	var f struct {
		Code    string `json:"qr_code"`
		No      string `json:"out_biz_no"`
		OrgNo   string `json:"medical_org_no"`
		Kind    string `json:"biz_type"`
		Total   string `json:"fee_sumamt"`
		Fund    string `json:"fund_pay"`
		Account string `json:"psn_acct_pay"`
		Cash    string `json:"own_pay_amt"`
	}
	if bad := c.read(&f); bad != nil {
		return bad
	}
	total, ok1 := sim.Fen(f.Total)
	fund, ok2 := sim.Fen(f.Fund)
	account, ok3 := sim.Fen(f.Account)
	cash, ok4 := sim.Fen(f.Cash)
	known := map[string]bool{"OUTPATIENT_REGISTRATION": true, "OUTPATIENT_PAYMENT": true, "HOSPITAL_DEPOSIT": true,
		"HOSPITAL_SETTLEMENT": true}
	if len(f.Code) != 28 || f.No == "" || f.OrgNo == "" || !known[f.Kind] || !ok1 || !ok2 || !ok3 || !ok4 || fund+account+cash > total {
		return medical("INVALID_PARAMETER", "参数不正确")
	}
	return done(map[string]string{"result_code": m.settings.Get().MedicalResult})
}

// payPage is the middle page of an order, or the cashier of a trade.
const payPage = "/_sim/pay-page"

func (s *Server) showPay(w http.ResponseWriter, r *http.Request) {
	no, back := r.FormValue("no"), r.FormValue("back")
	page := sim.Page{Title: "支付宝付款", Hidden: map[string]string{"no": no, "back": back}}
	s.mu.Lock()
	for _, m := range s.merchants {
		switch o, t := m.mixed[no], m.trade(no, ""); {
		case o != nil:
			page.Lines = o.lines()
			if back == "" {
				back = o.backURL
			}
		case t != nil:
			page.Lines = []string{t.subject, "支付金额 " + sim.Yuan(t.total) + " 元"}
		}
	}
	s.mu.Unlock()
	if page.Lines == nil {
		sim.Page{Title: "没有这笔订单"}.Show(w, http.StatusNotFound)
		return
	}
	if r.Method == http.MethodGet {
		page.Button = "确认支付"
		page.Show(w, 200)
		return
	}
	page.Lines = []string{"支付成功，可以返回医院页面。"}
	if err := s.Pay(no); err != nil {
		page.Lines = []string{"订单不能支付：已支付、已关闭或已过期。"}
	}
	if back != "" {
		page.Choices = []sim.Choice{{Text: "返回", Href: back}}
	}
	page.Show(w, 200)
}

// lines are an order in words.
func (o *mixed) lines() []string {
	return []string{"就诊人 " + o.patient.Name + "，付款人 " + o.payer.Name, "总额 " + sim.Yuan(o.total) + " 元",
		"医保基金 " + sim.Yuan(o.gov) + " 元，个人账户 " + sim.Yuan(o.account) + " 元", "需支付现金 " + sim.Yuan(o.real) + " 元"}
}
