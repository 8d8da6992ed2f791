package wechat

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"hospay/sim"
	"hospay/sim/medins"
	"hospay/sim/world"
)

const medInsOrders = "/v3/med-ins/orders"

// Finer codes at the end of Request-ID.
const (
	badParameter = "268435461"
	wrongFields  = "268529476"
	wrongSums    = "268529477"
	orderExists  = "268512536"
	orderMissing = "268529515"
	wrongOpenid  = "268510603"
	wrongDigest  = "268545961"
	wrongName    = "268545962"
	noRelative   = "268545964"
	wrongAuth    = "268547120"
	notSettled   = "268510610"
	userPaying   = "268560650"
)

func tailed(e *apiError, tail string) *apiError { e.Tail = tail; return e }

func ruleLimit(tail, message string) *apiError {
	return tailed(refuse(403, "RULE_LIMIT", message), tail)
}

// mixed is one order of insurance and cash.
type mixed struct {
	medins.Mixed
	m                   *merchant
	f                   mixedForm
	id                  string
	created             time.Time
	payer, patient      *world.Patient
	refundNo, refunded  string
	insurance, withCash bool
}

type mixedPerson struct {
	Name   string `json:"name"`
	Digest string `json:"id_digest"`
	Card   string `json:"card_type"`
}

type mixedForm struct {
	Kind        string       `json:"mix_pay_type"`
	OrderType   string       `json:"order_type"`
	AppID       string       `json:"appid"`
	Openid      string       `json:"openid"`
	Payer       *mixedPerson `json:"payer"`
	ForRelative bool         `json:"pay_for_relatives"`
	Relative    *mixedPerson `json:"relative"`
	OutTradeNo  string       `json:"out_trade_no"`
	SerialNo    string       `json:"serial_no"`
	PayOrderID  string       `json:"pay_order_id"`
	PayAuthNo   string       `json:"pay_auth_no"`
	Location    string       `json:"geo_location"`
	City        string       `json:"city_id"`
	InstName    string       `json:"med_inst_name"`
	InstNo      string       `json:"med_inst_no"`
	CreateTime  time.Time    `json:"med_ins_order_create_time"`
	Total       *int64       `json:"total_fee"`
	Gov         int64        `json:"med_ins_gov_fee"`
	Self        int64        `json:"med_ins_self_fee"`
	Other       int64        `json:"med_ins_other_fee"`
	Cash        int64        `json:"med_ins_cash_fee"`
	WechatCash  int64        `json:"wechat_pay_cash_fee"`
	Add         []struct {
		Fee  int64  `json:"cash_add_fee"`
		Type string `json:"cash_add_type"`
	} `json:"cash_add_detail"`
	Reduce []struct {
		Fee  int64  `json:"cash_reduce_fee"`
		Type string `json:"cash_reduce_type"`
	} `json:"cash_reduce_detail"`
	CallbackURL string `json:"callback_url"`
	PrepayID    string `json:"prepay_id"`
	PassThrough string `json:"passthrough_request_content"`
	TestEnv     bool   `json:"med_ins_test_env"`
}

func (m *merchant) createMixed(q *request) plan {
	var f mixedForm
	e := q.read(&f)
	for _, p := range []*mixedPerson{f.Payer, f.Relative} {
		if e == nil && p != nil {
			if p.Name, e = q.decrypt(p.Name); e == nil {
				p.Digest, e = q.decrypt(p.Digest)
			}
		}
	}
	if e == nil {
		e = f.check(m.settings.Get())
	}
	if e != nil {
		q.tail = e.Tail
		p := failed(e)
		p.no = f.OutTradeNo
		return p
	}
	return plan{no: f.OutTradeNo, hash: f, run: func(sim.Fault) (any, *apiError) {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.openMixed(f)
	}}
}

var orderTypes = " REG_PAY DIAG_PAY COVID_EXAM_PAY IN_HOSP_PAY PHARMACY_PAY INSURANCE_PAY INT_REG_PAY INT_RE_DIAG_PAY INT_RX_PAY " +
	"COVID_ANTIGEN_PAY MED_PAY "

var cardTypes = " ID_CARD HOUSEHOLD_REGISTRATION FOREIGNER_PASSPORT MAINLAND_TRAVEL_PERMIT_FOR_TW MAINLAND_TRAVEL_PERMIT_FOR_MO " +
	"MAINLAND_TRAVEL_PERMIT_FOR_HK FOREIGN_PERMANENT_RESIDENT "

func (p *mixedPerson) whole() bool {
	return p != nil && p.Name != "" && len(p.Digest) == 32 && strings.ToLower(p.Digest) == p.Digest && strings.Contains(cardTypes,
		" "+p.Card+" ")
}

// check looks at the form alone.
func (f *mixedForm) check(set *Settings) *apiError {
	param := func(what string) *apiError { return tailed(paramError("参数错误："+what), badParameter) }
	switch {
	case apps[f.AppID] == "" || f.Openid == "":
		return param("appid或openid")
	case !strings.Contains(orderTypes, " "+f.OrderType+" "):
		return param("order_type")
	case !f.Payer.whole() || f.ForRelative != (f.Relative != nil) || f.Relative != nil && !f.Relative.whole():
		return param("payer或relative")
	case !outTradeNo.MatchString(f.OutTradeNo) || f.SerialNo == "" || len(f.SerialNo) > 20:
		return param("out_trade_no或serial_no")
	case f.City == "" || len(f.City) > 8 || f.InstName == "" || f.InstNo == "":
		return param("city_id或med_inst")
	case f.Total == nil || f.CreateTime.IsZero() || !plainURL(f.CallbackURL):
		return param("total_fee、med_ins_order_create_time或callback_url")
	}
	if e := f.pass(set); e != nil {
		return e
	}
	return f.sums()
}

// pass looks at what is handed on to the insurance; the documents disagree
// whether the numbers are repeated in it.
func (f *mixedForm) pass(set *Settings) *apiError {
	var in map[string]string
	if f.PassThrough != "" && json.Unmarshal([]byte(f.PassThrough), &in) != nil {
		return tailed(paramError("passthrough_request_content不是JSON"), badParameter)
	}
	repeated := in["payAuthNo"] != "" || in["payOrdId"] != ""
	if set.MixedPassThrough == "required" && (in["payAuthNo"] != f.PayAuthNo || in["payOrdId"] != f.PayOrderID) ||
		set.MixedPassThrough == "forbidden" && repeated {
		return ruleLimit(wrongFields, "passthrough_request_content不符合要求")
	}
	return nil
}

// sums checks what each kind must and must not have, and the three equations.
func (f *mixedForm) sums() *apiError {
	add, reduce := int64(0), int64(0)
	for _, a := range f.Add {
		add += a.Fee
	}
	for _, r := range f.Reduce {
		reduce += r.Fee
	}
	insured := f.PayOrderID != "" && f.PayAuthNo != ""
	four := f.Gov + f.Self + f.Other + f.Cash
	fits := false
	switch f.Kind {
	case "CASH_ONLY":
		fits = f.PrepayID != "" && f.WechatCash > 0 && four == 0
	case "INSURANCE_ONLY":
		fits = f.PrepayID == "" && f.WechatCash == 0 && insured
	case "CASH_AND_INSURANCE":
		fits = f.PrepayID != "" && f.WechatCash > 0 && four != 0 && insured
	}
	base := f.Gov + f.Self + f.Other
	switch {
	case !fits:
		return ruleLimit(wrongFields, "mix_pay_type与字段不匹配")
	case f.Kind == "CASH_ONLY" && *f.Total == f.WechatCash+reduce:
		return nil
	case *f.Total != base+f.WechatCash+reduce || *f.Total != base+f.Cash+add || f.WechatCash != f.Cash+add-reduce:
		return ruleLimit(wrongSums, "金额不满足等式")
	}
	return nil
}

// openMixed makes an order, once per number. Callers hold the lock.
func (m *merchant) openMixed(f mixedForm) (any, *apiError) {
	if m.mixed[f.OutTradeNo] != nil {
		return nil, tailed(refuse(400, "ALREADY_EXISTS", "订单已存在"), orderExists)
	}
	o := &mixed{Mixed: medins.NewMixed(f.PayOrderID), m: m, f: f, created: m.Clock().Now(), insurance: f.Kind != "CASH_ONLY",
		withCash: f.Kind != "INSURANCE_ONLY"}
	if e := m.people(o); e != nil {
		return nil, e
	}
	if e := m.fitsTrade(o); e != nil {
		return nil, e
	}
	if e := m.fitsCentre(o); e != nil {
		return nil, e
	}
	m.seq++
	o.id = fmt.Sprintf("MIX%s%018d", o.created.Format("20060102"), m.seq)
	m.mixed[f.OutTradeNo], m.mixed[o.id] = o, o
	return o.view(), nil
}

// people finds out who pays and who is treated.
func (m *merchant) people(o *mixed) *apiError {
	refuse := func(tail, message string) *apiError { return tailed(invalidRequest(message), tail) }
	byDigest := func(p *mixedPerson) *world.Patient {
		for _, w := range m.world.Patients() {
			if Digest(w.IDNo) == p.Digest {
				return w
			}
		}
		return nil
	}
	o.payer = byDigest(o.f.Payer)
	o.patient = o.payer
	switch {
	case o.payer == nil:
		return refuse(wrongDigest, "证件号与医保电子凭证不一致")
	case o.payer.Name != o.f.Payer.Name:
		return refuse(wrongName, "姓名与医保电子凭证不一致")
	case openidIn(o.f.AppID, o.payer) != o.f.Openid && !m.settings.Get().AnyOpenid:
		return refuse(wrongOpenid, "openid与付款人不匹配")
	}
	if o.f.Relative == nil {
		return nil
	}
	if o.patient = byDigest(o.f.Relative); o.patient == nil || o.patient.Name != o.f.Relative.Name {
		return refuse(noRelative, "亲属不存在")
	}
	return nil
}

// Digest is the form in which an ID number is sent.
func Digest(idNo string) string {
	sum := md5.Sum([]byte(strings.ToUpper(idNo)))
	return hex.EncodeToString(sum[:])
}

// fitsTrade compares the order with its cash trade.
func (m *merchant) fitsTrade(o *mixed) *apiError {
	if !o.withCash {
		return nil
	}
	t := m.trade(o.f.OutTradeNo)
	if t == nil || t.prepay != o.f.PrepayID || t.app != o.f.AppID || t.total != o.f.WechatCash || t.state(m.Clock().Now()) != "NOTPAY" {
		return tailed(invalidRequest("prepay_id与订单不匹配"), notSettled)
	}
	return nil
}

// fitsCentre compares the order with what the centre knows.
func (m *merchant) fitsCentre(o *mixed) *apiError {
	if m.insurance == nil || !o.insurance {
		return nil
	}
	code, _ := m.insurance.Hospital()
	known, ok := m.insurance.Insured(o.f.PayOrderID)
	switch {
	case !ok || known.No != o.f.SerialNo || o.f.InstNo != code:
		return tailed(invalidRequest("医保订单校验失败"), notSettled)
	case known.Fund != o.f.Gov || known.Account != o.f.Self || known.Other != o.f.Other || known.Cash != o.f.Cash:
		return tailed(invalidRequest("金额与医保预结算不一致"), notSettled)
	case known.IDNo != o.patient.IDNo:
		return tailed(invalidRequest("就诊人与医保订单不一致"), wrongDigest)
	case !m.insurance.Licensed(o.f.PayAuthNo, known.IDNo):
		return tailed(invalidRequest("pay_auth_no校验失败"), wrongAuth)
	}
	return nil
}
