package wechat

import (
	"cmp"
	"fmt"
	"net/http"
	"time"

	"hospay/sim"
	"hospay/sim/medins"
)

// mixedGaps: WeChat tells of an order with insurance for half a minute only.
var mixedGaps = []time.Duration{5 * time.Second, 10 * time.Second, 15 * time.Second}

// view is the answer to create and query, and the content of the callback.
func (o *mixed) view() map[string]any {
	self := "SELF_PAY_" + o.cashState()
	if !o.withCash {
		self = "NO_SELF_PAY"
	}
	ins := "MED_INS_PAY_" + o.Ins
	if !o.insurance {
		ins = "NO_MED_INS_PAY"
	}
	whole := "MIX_PAY_" + o.wholeState()
	if o.Whole == medins.MixReversed {
		whole = o.m.settings.Get().ReversedWord
	}
	v := map[string]any{"mix_trade_no": o.id, "mix_pay_status": whole, "self_pay_status": self, "med_ins_pay_status": ins,
		"mix_pay_type": o.f.Kind, "order_type": o.f.OrderType, "appid": o.f.AppID, "openid": o.f.Openid, "out_trade_no": o.f.OutTradeNo,
		"serial_no": o.f.SerialNo, "pay_order_id": o.f.PayOrderID, "city_id": o.f.City, "med_inst_name": o.f.InstName,
		"med_inst_no": o.f.InstNo, "total_fee": *o.f.Total, "med_ins_gov_fee": o.f.Gov, "med_ins_self_fee": o.f.Self,
		"med_ins_other_fee": o.f.Other, "med_ins_cash_fee": o.f.Cash, "wechat_pay_cash_fee": o.f.WechatCash, "prepay_id": o.f.PrepayID}
	if !o.PaidAt.IsZero() {
		v["paid_time"] = o.PaidAt.Format(rfc3339)
	}
	if o.FailReason != "" {
		v["med_ins_fail_reason"] = o.FailReason
	}
	return v
}

// cashState is how far the cash trade is, in the words of the order.
func (o *mixed) cashState() string {
	t := o.m.trade(o.f.OutTradeNo)
	if t == nil {
		return medins.MixCreated
	}
	switch t.state(o.m.Clock().Now()) {
	case "REFUND":
		return medins.MixRefund
	case success:
		return medins.MixSuccess
	case "CLOSED":
		return medins.MixFail
	}
	return medins.MixCreated
}

// wholeState is REFUND when both parts went back.
func (o *mixed) wholeState() string {
	back := o.Ins == medins.MixRefund || !o.insurance
	if o.Whole == medins.MixSuccess && back && (!o.withCash || o.cashState() == medins.MixRefund) {
		return medins.MixRefund
	}
	return o.Whole
}

func (m *merchant) queryMixed(q *request) plan {
	no := q.PathValue("no") + q.PathValue("id")
	m.mu.Lock()
	ours := no
	if o := m.mixed[no]; o != nil {
		ours = o.f.OutTradeNo
	}
	m.mu.Unlock()
	return plan{no: ours, hash: map[string]string{"no": no}, run: func(f sim.Fault) (any, *apiError) {
		m.mu.Lock()
		defer m.mu.Unlock()
		o := m.mixed[no]
		if o == nil || (q.PathValue("id") != "") != (no == o.id) {
			return nil, tailed(refuse(404, m.settings.Get().MixedNotFound, "订单不存在"), orderMissing)
		}
		v := o.view()
		if f.Kind == sim.OddStatus {
			v["mix_pay_status"] = cmp.Or(f.Code, "UNKNOWN_MIX_PAY_STATUS")
		}
		return v, nil
	}}
}

// payMixed lets the patient pay an order. Callers hold the lock.
func (m *merchant) payMixed(o *mixed) error {
	fault := m.Faults().Next(sim.Call{Op: "medins_settle", Alias: "settle", No: o.f.OutTradeNo})
	steps := medins.Steps{Now: m.Clock().Now, Done: func() { m.notifyMixed(o) },
		Later: func(d time.Duration, f func()) { m.Clock().After(d, func() { m.locked(f) }) }, Back: func() { m.takeBack(o) }}
	if o.withCash {
		steps.Cash = func() error { return m.pay(m.trade(o.f.OutTradeNo)) }
	}
	ins := m.insurance
	if !o.insurance {
		ins = nil
	}
	return o.Pay(ins, fault, steps)
}

// takeBack gives the cash of an order back by WeChat's own decision.
func (m *merchant) takeBack(o *mixed) {
	t := m.trade(o.f.OutTradeNo)
	if !o.withCash || t == nil || t.paid.IsZero() || t.refunded > 0 {
		return
	}
	m.seq++
	now := m.Clock().Now()
	r := &refund{no: fmt.Sprintf("WXBACK%012d", m.seq), id: fmt.Sprintf("503%s%019d", now.Format("20060102"), m.seq), reason: "医保结算超时，自动退回",
		status: processing, funds: "AVAILABLE", amount: t.total, trade: t, created: now}
	t.refunded, t.refunds, t.lastRefund = t.total, 1, now
	m.accounts[basic].locked += r.amount
	m.refunds[r.no], m.refundIDs[r.id] = r, r
	m.noteTrade(now, t, r)
	m.finishRefund(r)
}

func (m *merchant) notifyMixed(o *mixed) {
	m.send(notice{no: o.f.OutTradeNo, op: "callback_mixed", alias: "mixed_query", url: o.f.CallbackURL, event: "MEDICAL_INSURANCE.SUCCESS",
		summary: "医保支付成功", kind: "medical_insurance", gaps: mixedGaps, content: o.view()})
}

// mixedRefunded takes the merchant's word that the insurance's part went back.
func (m *merchant) mixedRefunded(q *request) plan {
	var f map[string]any
	if e := q.read(&f); e != nil {
		return failed(e)
	}
	id := q.URL.Query().Get("mix_trade_no")
	no, _ := f["out_refund_no"].(string)
	return plan{no: no, hash: f, run: func(sim.Fault) (any, *apiError) {
		m.mu.Lock()
		defer m.mu.Unlock()
		return nil, m.bookRefund(id, f)
	}}
}

func (m *merchant) bookRefund(id string, f map[string]any) *apiError {
	o := m.mixed[id]
	prefix := "med_refund_"
	if m.settings.Get().MixedRefundFields == "double" {
		prefix += "_"
	}
	var told [4]int64
	for i, name := range []string{"med_refund_total_fee", prefix + "gov_fee", prefix + "self_fee", prefix + "other_fee"} {
		fen, ok := f[name].(float64)
		if !ok {
			return tailed(paramError("缺少"+name), badParameter)
		}
		told[i] = int64(fen)
	}
	no, _ := f["out_refund_no"].(string)
	at, _ := f["refund_time"].(string)
	_, err := time.Parse(time.RFC3339, at)
	switch {
	case o == nil || o.id != id:
		return tailed(refuse(404, m.settings.Get().MixedNotFound, "订单不存在"), orderMissing)
	case err != nil || !outRefundNo.MatchString(no):
		return tailed(paramError("refund_time或out_refund_no"), badParameter)
	case !o.insurance || o.Ins != medins.MixSuccess && o.Ins != medins.MixRefund:
		return ruleLimit(wrongFields, "订单没有可退的医保部分")
	case told[1] > o.f.Gov || told[2] > o.f.Self || told[3] > o.f.Other || min(told[1], told[2], told[3]) < 0:
		return tailed(paramError("退款金额超过医保支付金额"), badParameter)
	case told[0] != told[1]+told[2]+told[3] || told[0] <= 0:
		return ruleLimit(wrongSums, "医保退款总额不等于分项之和")
	}
	if m.insurance != nil {
		if known, ok := m.insurance.Insured(o.PayOrdID); !ok || !known.Back {
			return refuse(403, "RULE_LIMIT", "医保尚未退款成功")
		}
	}
	o.Ins, o.refundNo, o.refunded = medins.MixRefund, no, at
	return nil
}

// payPage stands for WeChat's own cashier: GET shows the order, POST pays it.
const payPage = "/_sim/pay-page"

func (s *Server) showPay(w http.ResponseWriter, r *http.Request) {
	no := r.FormValue("no")
	page := sim.Page{Title: "微信支付", Hidden: map[string]string{"no": no, "back": r.FormValue("back")}}
	s.mu.Lock()
	for _, m := range s.merchants {
		switch o, t := m.mixed[no], m.trade(no); {
		case o != nil:
			page.Lines = o.lines()
		case t != nil:
			page.Lines = []string{t.description, "支付金额 " + sim.Yuan(t.total) + " 元"}
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
	if back := r.FormValue("back"); back != "" {
		page.Choices = []sim.Choice{{Text: "返回", Href: back}}
	}
	page.Show(w, 200)
}

// lines are an order in words.
func (o *mixed) lines() []string {
	return []string{o.f.InstName, "就诊人 " + o.patient.Name + "，付款人 " + o.payer.Name, "总额 " + sim.Yuan(*o.f.Total) + " 元",
		"医保基金 " + sim.Yuan(o.f.Gov) + " 元，个人账户 " + sim.Yuan(o.f.Self) + " 元", "需支付现金 " + sim.Yuan(o.f.WechatCash) + " 元"}
}
