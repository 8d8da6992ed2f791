package wechat

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

// trade is one payment, made here or lying in the test world's past.
type trade struct {
	m                                                                         *merchant
	kind                                                                      string // JSAPI, NATIVE, MWEB
	no, id, app, openid, attach, description, notifyURL, prepay, hash, closed string
	total, refunded                                                           int64
	refunds                                                                   int
	created, expire, paid, lastRefund                                         time.Time
}

// trade finds a payment by either number; deposits of the test world count as paid. Callers hold the lock.
func (m *merchant) trade(no string) *trade {
	if t := m.trades[no]; t != nil {
		return t
	}
	d := m.world.Trade(world.Wechat, no)
	if d == nil || !m.first() {
		return nil
	}
	t := &trade{m: m, no: d.OutTradeNo, id: d.TransactionID, app: AppID, openid: d.Patient.Openid, description: "门诊预交金充值", total: d.Amount,
		created: d.PaidAt, paid: d.PaidAt}
	m.trades[t.no], m.trades[t.id] = t, t
	return t
}

func (t *trade) state(now time.Time) string {
	switch {
	case t.refunded > 0:
		return "REFUND"
	case !t.paid.IsZero():
		return success
	case t.closed != "" || now.Sub(t.created) > 7*24*time.Hour || !t.expire.IsZero() && now.After(t.expire):
		return "CLOSED"
	}
	return "NOTPAY"
}

type orderForm struct {
	AppID       string    `json:"appid"`
	MchID       string    `json:"mchid"`
	Description string    `json:"description"`
	OutTradeNo  string    `json:"out_trade_no"`
	NotifyURL   string    `json:"notify_url"`
	Attach      string    `json:"attach"`
	TimeExpire  time.Time `json:"time_expire"`
	Amount      struct {
		Total    int64  `json:"total"`
		Currency string `json:"currency"`
	} `json:"amount"`
	Payer struct {
		Openid string `json:"openid"`
	} `json:"payer"`
	Scene struct {
		IP string `json:"payer_client_ip"`
		H5 struct {
			Type string `json:"type"`
		} `json:"h5_info"`
	} `json:"scene_info"`
}

var outTradeNo = regexp.MustCompile(`^[0-9A-Za-z_\-|*]{6,32}$`)

func (f *orderForm) check(mchID, kind string) *apiError {
	switch {
	case f.MchID != mchID:
		return refuse(400, "MCH_NOT_EXISTS", "商户号不存在")
	case apps[f.AppID] == "":
		return refuse(400, "APPID_MCHID_NOT_MATCH", "AppID和mch_id不匹配")
	case !outTradeNo.MatchString(f.OutTradeNo) || f.Description == "" || f.Amount.Total <= 0 || !plainURL(f.NotifyURL):
		return paramError("缺少必填参数或参数格式错误")
	case kind == "JSAPI" && f.Payer.Openid == "":
		return paramError("缺少payer.openid")
	case kind == "MWEB" && (f.Scene.IP == "" || f.Scene.H5.Type == ""):
		return paramError("缺少scene_info")
	}
	return nil
}

func (m *merchant) createOrder(q *request) plan {
	var f orderForm
	kind := tradeTypes[path.Base(q.URL.Path)]
	e := q.read(&f)
	if e == nil {
		e = f.check(m.id, kind)
	}
	if e == nil && kind == "JSAPI" && m.world.Find(f.Payer.Openid) != nil && !m.belongs(f.AppID, f.Payer.Openid) {
		e = refuse(400, "INVALID_REQUEST", "appid和openid不匹配")
	}
	if e != nil {
		return failed(e)
	}
	return plan{no: f.OutTradeNo, hash: f, run: func(sim.Fault) (any, *apiError) {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.order(&f, kind, sim.HashJSON([]any{kind, f}))
	}}
}

// tradeTypes are the products by the end of their paths.
var tradeTypes = map[string]string{"jsapi": "JSAPI", "native": "NATIVE", "h5": "MWEB"}

func (m *merchant) order(f *orderForm, kind, hash string) (any, *apiError) {
	now := m.Clock().Now()
	t := m.trade(f.OutTradeNo)
	switch {
	case t != nil && (t.hash != hash || !t.paid.IsZero()):
		return nil, refuse(403, "OUT_TRADE_NO_USED", "商户订单号重复")
	case t != nil && t.state(now) == "CLOSED":
		return nil, refuse(400, "ORDER_CLOSED", "订单已关闭")
	case t == nil:
		m.seq++
		t = &trade{m: m, no: f.OutTradeNo, id: fmt.Sprintf("4200%s%016d", now.Format("20060102"), m.seq), app: f.AppID,
			openid: f.Payer.Openid, attach: f.Attach,
			description: f.Description, notifyURL: f.NotifyURL, hash: hash, total: f.Amount.Total, created: now, expire: f.TimeExpire}
		t.kind, t.prepay = kind, "wx"+now.Format("20060102150405")+sim.Token(9)
		m.trades[t.no], m.trades[t.id] = t, t
	}
	switch kind {
	case "NATIVE":
		return map[string]string{"code_url": "weixin://wxpay/bizpayurl?pr=" + t.prepay[16:]}, nil
	case "MWEB":
		return map[string]string{"h5_url": m.URL() + payPage + "?no=" + t.no}, nil
	}
	return map[string]string{"prepay_id": t.prepay}, nil
}

var stateText = map[string]string{"SUCCESS": "支付成功", "REFUND": "订单发生过退款，退款详情请查询退款单", "NOTPAY": "订单未支付", "CLOSED": "订单已关闭"}

// view is the answer to a query and the content of the payment callback.
func (t *trade) view(now time.Time) map[string]any {
	state := t.state(now)
	v := map[string]any{"appid": t.app, "mchid": t.m.id, "out_trade_no": t.no, "trade_state": state, "trade_state_desc": stateText[state],
		"attach": t.attach,
		"payer":  map[string]string{"openid": t.openid}}
	if t.paid.IsZero() {
		v["amount"] = map[string]any{"total": t.total, "currency": "CNY"}
		return v
	}
	v["transaction_id"], v["trade_type"], v["bank_type"] = t.id, cmp.Or(t.kind, "JSAPI"), "OTHERS"
	v["success_time"] = t.paid.Format(rfc3339)
	v["amount"] = map[string]any{"total": t.total, "payer_total": t.total, "currency": "CNY", "payer_currency": "CNY"}
	return v
}

func (m *merchant) queryOrder(q *request) plan {
	no := q.PathValue("no")
	if q.URL.Query().Get("mchid") != m.id {
		return failed(paramError("mchid不匹配"))
	}
	return plan{no: no, hash: map[string]string{"no": no}, run: func(sim.Fault) (any, *apiError) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if t := m.trade(no); t != nil {
			return t.view(m.Clock().Now()), nil
		}
		return nil, refuse(404, "ORDER_NOT_EXIST", "订单不存在")
	}}
}

func (m *merchant) closeOrder(q *request) plan {
	var f struct {
		MchID string `json:"mchid"`
	}
	if e := q.read(&f); e != nil {
		return failed(e)
	}
	no := q.PathValue("no")
	return plan{no: no, hash: map[string]string{"out_trade_no": no}, run: func(fault sim.Fault) (any, *apiError) {
		m.mu.Lock()
		defer m.mu.Unlock()
		t := m.trade(no)
		switch {
		case t == nil:
			return nil, refuse(404, "ORDER_NOT_EXIST", "订单不存在")
		case fault.Kind == sim.UserPaying && t.paid.IsZero():
			m.Clock().After(fault.Delay, func() { _ = m.payNo(no, m.id) })
			return nil, tailed(refuse(400, "INVALID_REQUEST", "用户已输入密码，不允许关单"), userPaying)
		case !t.paid.IsZero():
			return nil, refuse(403, "TRADE_ERROR", "订单已支付，不能关闭")
		}
		t.closed = "merchant"
		return nil, nil
	}}
}

// pay lets the patient pay an order. Callers hold the lock.
func (m *merchant) pay(t *trade) error {
	now := m.Clock().Now()
	switch {
	case !t.paid.IsZero():
		return nil
	case t.state(now) == "CLOSED":
		return fmt.Errorf("order %s is closed", t.no)
	}
	t.paid = now
	m.accounts[basic].post(flow{at: now, bizNo: t.id, name: "交易", amount: t.total, remark: t.description, voucher: t.no}, m.flowNo(now))
	m.Ledger().Add(sim.Entry{At: now, Kind: "pay", No: t.no, Merchant: m.id, Party: t.openid, Amount: t.total, State: success})
	m.noteTrade(now, t, nil)
	m.notifyPaid(t)
	return nil
}
