package alipay

import (
	"fmt"
	"net/http"
	"time"

	"hospay/sim"
	"hospay/sim/medins"
	"hospay/sim/world"
)

// MedIns is what a hospital gets for payments with insurance.
type MedIns struct {
	OrgCert string `json:"org_chnl_crtf_code"`
	City    string `json:"city_code"`
}

const (
	orgCert  = "ALIDEMO/crtf+code=="
	cityCode = "440100"
)

// mixed is one order of insurance and cash.
type mixed struct {
	medins.Mixed
	m                                *merchant
	chnl, backURL, hash              string
	form                             mixedForm
	total, gov, account, other, real int64
	payer, patient                   *world.Patient
	platform                         bool
	created                          time.Time
}

type mixedForm struct {
	OrgNo      string `json:"org_no"`
	MedOrgOrd  string `json:"med_org_ord"`
	OutTradeNo string `json:"out_trade_no"`
	PayOrderID string `json:"pay_order_id"`
	PayAuthNo  string `json:"pay_auth_no"`
	City       string `json:"payment_city_code"`
	Total      string `json:"total_amount"`
	Gov        string `json:"gov_amount"`
	Account    string `json:"account_amount"`
	Other      string `json:"other_amount"`
	Real       string `json:"real_amount"`
	TradeNo    string `json:"trade_no"`
	UserID     string `json:"alipay_user_id"`
	OpenID     string `json:"open_id"`
	CallURL    string `json:"call_url"`
	Callback   string `json:"callback_url"`
	OutCreate  string `json:"gmt_out_create"`
	OrderType  string `json:"order_type"`
	Subject    string `json:"subject"`
	Batch      string `json:"chrg_bch_no"`
}

// Insure lets the simulator settle the insurance's part of its orders.
func (s *Server) Insure(i medins.Insurance) { s.insurance = i }

func (s *Server) insuranceRoutes(m *http.ServeMux) {
	m.HandleFunc("GET "+consentPage, s.consentForm)
	m.HandleFunc("POST "+consentPage, s.consentForm)
	m.HandleFunc("GET "+payPage, s.showPay)
	m.HandleFunc("POST "+payPage, s.showPay)
}

func medical(sub, text string) *answer { return refuse(sub, text) }

func (m *merchant) nationalOpen(c *call, _ sim.Fault) *answer { return m.openMixed(c, false) }
func (m *merchant) platformOpen(c *call, _ sim.Fault) *answer { return m.openMixed(c, true) }

// read fills the order out of its form and looks at the form alone.
func (o *mixed) read(c *call) *answer {
	f := &o.form
	if bad := c.read(f); bad != nil {
		return bad
	}
	lacks := f.MedOrgOrd == "" || !outTradeNo.MatchString(f.OutTradeNo) || f.PayOrderID == "" || f.PayAuthNo == "" || f.OrgNo == ""
	if o.platform {
		lacks = lacks || f.OrderType != "INSURANCE_PAY" || f.Subject == "" || f.Batch == ""
	} else {
		lacks = lacks || f.City == ""
	}
	if _, err := time.ParseInLocation(time.DateTime, f.OutCreate, sim.Beijing); err != nil || lacks {
		return medical("INVALID_PARAMETER", "缺少必填参数")
	}
	for _, x := range []struct {
		text string
		to   *int64
	}{{f.Total, &o.total}, {f.Gov, &o.gov}, {f.Account, &o.account}, {f.Other, &o.other}, {f.Real, &o.real}} {
		fen, ok := sim.Fen(x.text)
		if !ok || fen < 0 {
			return medical("INVALID_PARAMETER", "金额格式错误")
		}
		*x.to = fen
	}
	o.hash, o.backURL = sim.HashJSON(f), f.CallURL+f.Callback
	o.PayOrdID = f.PayOrderID
	return nil
}

// openMixed makes an order; an equal request is answered as before.
func (m *merchant) openMixed(c *call, platform bool) *answer {
	o := &mixed{m: m, Mixed: medins.NewMixed(""), platform: platform, created: m.Clock().Now()}
	if bad := o.read(c); bad != nil {
		return bad
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.mixed[o.form.MedOrgOrd]; known != nil {
		if known.hash != o.hash {
			return medical("CONTEXT_INCONSISTENT", "医院订单号重复")
		}
		return m.opened(known)
	}
	if bad := m.fits(c, o); bad != nil {
		return bad
	}
	m.seq++
	o.chnl = fmt.Sprintf("CHNL%s%012d", o.created.Format("20060102"), m.seq)
	m.mixed[o.form.MedOrgOrd], m.mixed[o.form.OutTradeNo], m.mixed[o.chnl] = o, o, o
	delete(m.consents, o.payer.Code)
	return m.opened(o)
}

// fits compares an order with the payer, the cash trade and the centre.
func (m *merchant) fits(c *call, o *mixed) *answer {
	f := o.form
	if o.payer = m.world.Find(f.UserID + f.OpenID); o.payer == nil {
		return medical("USER_NOT_EXIST", "用户不存在")
	}
	o.patient = o.payer
	if o.platform && o.real > 0 {
		form := &tradeForm{OutTradeNo: f.OutTradeNo, TotalAmount: f.Real, Subject: f.Subject}
		t, bad := m.open(c, form, o.payer.AlipayUserID)
		if bad != nil {
			return bad
		}
		o.form.TradeNo = t.id
	}
	t := m.trades[o.form.TradeNo]
	switch {
	case o.real > 0 && (t == nil || t.total != o.real || t.no != f.OutTradeNo || !t.paid.IsZero()):
		return medical("TRADE_NOT_MATCH", "自费交易与订单不匹配")
	case o.real == 0 && f.TradeNo != "":
		return medical("TRADE_NOT_MATCH", "没有自费部分的订单不应有交易号")
	case m.insurance == nil:
		return nil
	}
	code, _ := m.insurance.Hospital()
	known, ok := m.insurance.Insured(f.PayOrderID)
	switch {
	case !ok || known.No != f.MedOrgOrd || f.OrgNo != code:
		return medical("MEDICAL_ORDER_NOT_MATCH", "医保订单不匹配")
	case known.Total != o.total || known.Fund != o.gov || known.Account != o.account || known.Other != o.other || known.Cash < o.real:
		return medical("AMOUNT_NOT_MATCH", "金额与医保预结算不一致")
	case !m.insurance.Licensed(f.PayAuthNo, known.IDNo):
		return medical("PAY_AUTH_INVALID", "支付授权无效")
	}
	if p := m.world.Find(known.IDNo); p != nil {
		o.patient = p
	}
	return nil
}

// opened is the answer to an order, in data or flat.
func (m *merchant) opened(o *mixed) *answer {
	url := m.URL() + payPage + "?no=" + o.form.OutTradeNo
	if o.platform {
		v := map[string]any{"trade_no": o.chnl, "pay_order_id": o.PayOrdID, "out_trade_no": o.form.OutTradeNo, "pay_url": url}
		if o.real > 0 {
			v["alipay_trade_no"] = o.form.TradeNo
		}
		return done(v)
	}
	return done(map[string]any{"result_code": m.settings.Get().MedicalResult, "data": map[string]any{"chnl_ord_sn": o.chnl,
		"pay_order_id": o.PayOrdID, "med_org_ord": o.form.MedOrgOrd, "out_trade_no": o.form.OutTradeNo, "pay_url": url, "status": "INIT"}})
}

func (m *merchant) nationalQuery(c *call, f sim.Fault) *answer {
	o, bad := m.findMixed(c)
	if bad != nil {
		return bad
	}
	defer m.mu.Unlock()
	v := o.view(f)
	v["trade_no"], v["chnl_ord_sn"] = o.form.TradeNo, o.chnl
	return done(map[string]any{"result_code": m.settings.Get().MedicalResult, "result_data": v})
}

func (m *merchant) platformQuery(c *call, f sim.Fault) *answer {
	o, bad := m.findMixed(c)
	if bad != nil {
		return bad
	}
	defer m.mu.Unlock()
	v := o.view(f)
	v["trade_no"], v["out_trade_no"], v["trade_status"] = o.chnl, o.form.OutTradeNo, v["medical_pay_status"]
	return done(v)
}

// findMixed reads the form and returns the order with the lock held; on a refusal
// the lock is free.
func (m *merchant) findMixed(c *call) (*mixed, *answer) {
	var f struct {
		MedOrgOrd  string `json:"med_org_ord"`
		OutTradeNo string `json:"out_trade_no"`
		TradeNo    string `json:"trade_no"`
		Chnl       string `json:"chnl_order_sn"`
	}
	if bad := c.read(&f); bad != nil {
		return nil, bad
	}
	m.mu.Lock()
	for _, no := range []string{f.Chnl, f.OutTradeNo, f.MedOrgOrd, f.TradeNo} {
		if o := m.mixed[no]; o != nil && no != "" {
			return o, nil
		}
	}
	m.mu.Unlock()
	return nil, medical(m.settings.Get().MedicalMissing, "订单不存在")
}

// cash is how far the cash trade is.
func (o *mixed) cash() string {
	t := o.m.trades[o.form.TradeNo]
	switch {
	case t == nil || t.paid.IsZero() && !t.closed:
		return medins.MixCreated
	case t.paid.IsZero():
		return medins.MixFail
	case t.refunded > 0:
		return medins.MixRefund
	}
	return medins.MixSuccess
}

// view is the answer to a query.
func (o *mixed) view(f sim.Fault) map[string]any {
	words := o.m.settings.Get().MedicalWords
	v := map[string]any{"medical_pay_status": words[o.Ins], "pay_type": "MEDICAL_PAYMENT", "total_amount": sim.Yuan(o.total),
		"gov_amount": sim.Yuan(o.gov), "account_amount": sim.Yuan(o.account), "other_amount": sim.Yuan(o.other), "real_amount": sim.Yuan(o.real),
		"med_org_ord": o.form.MedOrgOrd, "pay_order_id": o.PayOrdID}
	if o.real > 0 {
		v["pay_type"], v["own_pay_status"] = "MIXED_PAYMENT", words[o.cash()]
	}
	if !o.PaidAt.IsZero() {
		v["gmt_paid"] = o.PaidAt.Format(time.DateTime)
	}
	if o.FailReason != "" {
		v["error_reason"] = o.FailReason
	}
	if f.Kind == sim.OddStatus {
		v["medical_pay_status"] = f.Code
	}
	return v
}

// payMixed lets the patient pay an order. Callers hold the lock.
func (m *merchant) payMixed(o *mixed) error {
	fault := m.Faults().Next(sim.Call{Op: "medins_settle", Alias: "settle", No: o.form.OutTradeNo})
	steps := medins.Steps{Now: m.Clock().Now, Done: func() {},
		Later: func(d time.Duration, f func()) {
			m.Clock().After(d, func() {
				m.mu.Lock()
				defer m.mu.Unlock()
				f()
			})
		},
		Back: func() {
			if t := m.trades[o.form.TradeNo]; t != nil && !t.paid.IsZero() && t.refunded == 0 {
				m.refund(t, o.chnl+"BACK", t.total, "医保结算超时，自动退回", sim.Fault{})
			}
		}}
	if o.real > 0 {
		steps.Cash = func() error { return m.payTrade(m.trades[o.form.TradeNo]) }
	}
	return o.Pay(m.insurance, fault, steps)
}
