package alipay

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hospay/sim"
	"hospay/sim/world"
)

// transfer is one payment to an Alipay balance.
type transfer struct {
	no, orderID, fundID, userID, party, title, remark, passback, hash string
	status, errorCode, failReason, appID, notifyURL                   string
	amount                                                            int64
	at, returned                                                      time.Time
	fault                                                             sim.Fault
}

type transferForm struct {
	OutBizNo    string `json:"out_biz_no"`
	TransAmount string `json:"trans_amount"`
	ProductCode string `json:"product_code"`
	BizScene    string `json:"biz_scene"`
	OrderTitle  string `json:"order_title"`
	Remark      string `json:"remark"`
	Passback    string `json:"passback_params"`
	SceneName   string `json:"transfer_scene_name"`
	Reports     []struct {
		Type    string `json:"info_type"`
		Content string `json:"info_content"`
	} `json:"transfer_scene_report_infos"`
	Payee struct {
		Identity string `json:"identity"`
		Type     string `json:"identity_type"`
		Name     string `json:"name"`
		CertNo   string `json:"cert_no"`
	} `json:"payee_info"`
}

var outBizNo = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// check looks at the form alone.
func (f *transferForm) check(set *Settings) *answer {
	fen, ok := sim.Fen(f.TransAmount)
	invalid := ""
	switch {
	case !outBizNo.MatchString(f.OutBizNo):
		invalid = "out_biz_no"
	case !ok:
		invalid = "trans_amount"
	case f.ProductCode != "TRANS_ACCOUNT_NO_PWD":
		invalid = "product_code"
	case f.BizScene != "DIRECT_TRANSFER":
		invalid = "biz_scene"
	case f.OrderTitle == "" || utf8.RuneCountInString(f.OrderTitle) > 128:
		invalid = "order_title"
	case utf8.RuneCountInString(f.Remark) > 200:
		invalid = "remark"
	case f.Payee.Identity == "" || !slices.Contains([]string{"ALIPAY_USER_ID", "ALIPAY_OPEN_ID", "ALIPAY_LOGON_ID"}, f.Payee.Type):
		invalid = "payee_info"
	case f.Payee.Type == "ALIPAY_LOGON_ID" && f.Payee.Name == "":
		invalid = "payee_info.name"
	}
	switch {
	case invalid != "":
		return refuse("INVALID_PARAMETER", "参数有误。"+invalid)
	case fen < 10:
		return refuse("EXCEED_LIMIT_SM_MIN_AMOUNT", "单笔最低转账金额0.1元")
	case fen > set.SingleLimit:
		return refuse("EXCEED_LIMIT_PERSONAL_SM_AMOUNT", "转账给个人支付宝账户单笔最多"+sim.Yuan(set.SingleLimit)+"元")
	case fen >= 5_000_000 && f.Remark == "":
		return refuse("MEMO_REQUIRED_IN_TRANSFER_ERROR", "根据监管部门的要求，单笔转账金额达到50000元时，需要填写付款理由")
	}
	return f.checkScene(set)
}

func (f *transferForm) checkScene(set *Settings) *answer {
	switch {
	case f.SceneName == "" && !set.RequireScene:
		return nil
	case f.SceneName == "":
		return refuse("TRANSFER_SCENE_NAME_BLANK", "转账场景不能为空")
	case !slices.Contains(sceneNames, f.SceneName):
		return refuse("TRANSFER_SCENE_NAME_ILLEGAL", "转账场景不合法")
	case len(f.Reports) == 0 || f.Reports[0].Type == "" || f.Reports[0].Content == "":
		return refuse("TRANSFER_SCENE_REPORT_INFO_ILLEGAL", "转账场景上报信息不合法")
	}
	return nil
}

// payee finds the account and compares the name.
func (m *merchant) payee(f *transferForm, fault sim.Fault) (userID string, bad *answer) {
	p, set := m.world.Find(f.Payee.Identity), m.settings.Get()
	if p != nil && !owns(p, f.Payee.Type, f.Payee.Identity) {
		p = nil
	}
	switch {
	case fault.Kind == sim.NameMismatch:
		return "", refuse(set.NameCode, "收款账号不存在或姓名有误，建议核实账号和姓名是否准确")
	case p == nil && set.AnyPayee:
		return "2088000000000000", nil
	case p == nil:
		return "", refuse("PAYEE_NOT_EXIST", "收款账号不存在或姓名有误，建议核实账号和姓名是否准确")
	case f.Payee.Name != "" && f.Payee.Name != p.AlipayName:
		return "", refuse(set.NameCode, "收款账号不存在或姓名有误，建议核实账号和姓名是否准确")
	case f.Payee.CertNo != "" && f.Payee.CertNo != p.IDNo:
		return "", refuse("PAYEE_CERT_INFO_ERROR", "收款方证件信息不匹配")
	}
	return p.AlipayUserID, nil
}

func owns(p *world.Patient, kind, identity string) bool {
	switch kind {
	case "ALIPAY_USER_ID":
		return identity == p.AlipayUserID
	case "ALIPAY_OPEN_ID":
		return identity == p.AlipayOpenID
	}
	return identity == p.Phone || strings.EqualFold(identity, p.AlipayEmail)
}

func (m *merchant) uniTransfer(c *call, fault sim.Fault) *answer {
	var f transferForm
	if bad := c.read(&f); bad != nil {
		return bad
	}
	hash := sim.HashJSON(json.RawMessage(c.biz))
	m.mu.Lock()
	defer m.mu.Unlock()
	if t := m.find(c.app.id, f.OutBizNo); t != nil {
		if t.hash != hash {
			return refuse("PAYMENT_INFO_INCONSISTENCY", "两次请求商户单号一样，但是参数不一致")
		}
		return t.created()
	}
	set := m.settings.Get()
	if bad := f.check(set); bad != nil {
		return bad
	}
	amount, _ := sim.Fen(f.TransAmount)
	t := &transfer{no: f.OutBizNo, party: f.Payee.Identity, title: f.OrderTitle, remark: f.Remark, passback: f.Passback, hash: hash,
		appID:  c.app.id,
		amount: amount, at: m.Clock().Now(), notifyURL: c.form.Get("notify_url")}
	if fault.Callback() {
		t.fault = fault
	}
	userID, bad := m.payee(&f, fault)
	if bad != nil {
		m.keepFailed(t, bad, set)
		return bad
	}
	t.userID = userID
	return m.execute(t, set)
}

// keepFailed stores a refused order when the setting says that Alipay does so.
func (m *merchant) keepFailed(t *transfer, bad *answer, set *Settings) {
	if !set.StoreFailed {
		return
	}
	m.name(t)
	t.status, t.errorCode, t.failReason = "FAIL", bad.subCode, bad.subMsg
}

// name gives a transfer its numbers and keeps it.
func (m *merchant) name(t *transfer) {
	m.seq++
	day := t.at.Format("20060102")
	t.orderID = fmt.Sprintf("%s110070000006%012d", day, m.seq)
	t.fundID = fmt.Sprintf("%s110070001506%012d", day, m.seq)
	m.transfers[m.under(t.appID, t.no)], m.transfers[t.orderID], m.transfers[t.fundID] = t, t, t
}

// execute moves the money.
func (m *merchant) execute(t *transfer, set *Settings) *answer {
	day := t.at.Format(time.DateOnly)
	switch {
	case set.DayLimit > 0 && m.spent[day]+t.amount > set.DayLimit:
		return refuse("EXCEED_LIMIT_DM_AMOUNT", "日累计额度超限")
	case m.balance < t.amount:
		return refuse("PAYER_BALANCE_NOT_ENOUGH", "付款方余额不足")
	}
	m.name(t)
	m.spent[day] += t.amount
	if set.DealingMS > 0 {
		t.status = "DEALING"
		m.Clock().After(time.Duration(set.DealingMS)*time.Millisecond, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.arrive(t)
		})
		return t.created()
	}
	m.arrive(t)
	return t.created()
}

func (m *merchant) arrive(t *transfer) {
	t.status, t.at = "SUCCESS", m.Clock().Now()
	m.post(&logRow{at: t.at, bizNo: t.orderID, merchantNo: t.no, title: t.title, other: t.party, amount: -t.amount,
		kind: m.settings.Get().BillTransferType, memo: t.remark})
	m.Ledger().Add(sim.Entry{At: t.at, Kind: "transfer", No: t.no, Merchant: m.pid, Party: t.party, Amount: t.amount, State: "SUCCESS"})
	m.notifyTransfer(t)
}

// created is the answer to the call that made a transfer, and to its repeats.
func (t *transfer) created() *answer {
	if t.status == "FAIL" {
		return refuse(t.errorCode, t.failReason)
	}
	status := t.status
	if status == "REFUND" {
		status = "SUCCESS"
	}
	return done(struct {
		OutBizNo  string `json:"out_biz_no"`
		OrderID   string `json:"order_id"`
		FundID    string `json:"pay_fund_order_id"`
		Status    string `json:"status"`
		TransDate string `json:"trans_date"`
	}{t.no, t.orderID, t.fundID, status, t.at.Format(time.DateTime)})
}

// giveBack brings the money of a successful transfer back to the merchant.
func (m *merchant) giveBack(t *transfer) {
	t.status, t.returned, t.errorCode, t.failReason = "REFUND", m.Clock().Now(), "PAYEE_ACCOUNT_STATUS_ERROR", "收款账户状态异常，资金已退回"
	m.post(&logRow{at: t.returned, bizNo: t.orderID, merchantNo: t.no, title: t.title, other: t.party, amount: t.amount,
		kind: m.settings.Get().BillTransferType + "退回", memo: t.remark})
	m.Ledger().Add(sim.Entry{At: t.returned, Kind: "return", No: t.no, Merchant: m.pid, Party: t.party, Amount: t.amount, State: "SUCCESS"})
	m.notifyTransfer(t)
}

func (m *merchant) commonQuery(c *call, _ sim.Fault) *answer {
	var f struct {
		ProductCode string `json:"product_code"`
		BizScene    string `json:"biz_scene"`
		OutBizNo    string `json:"out_biz_no"`
		OrderID     string `json:"order_id"`
		FundID      string `json:"pay_fund_order_id"`
	}
	if bad := c.read(&f); bad != nil {
		return bad
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var t *transfer
	switch {
	case f.FundID != "":
		if t = m.transfers[f.FundID]; t != nil && t.fundID != f.FundID {
			t = nil
		}
	case f.OrderID != "":
		if t = m.transfers[f.OrderID]; t != nil && t.orderID != f.OrderID {
			t = nil
		}
	case f.OutBizNo == "" || f.ProductCode != "TRANS_ACCOUNT_NO_PWD" || f.BizScene != "DIRECT_TRANSFER":
		return refuse("INVALID_PARAMETER", "参数有误。")
	default:
		t = m.find(c.app.id, f.OutBizNo)
	}
	if t == nil {
		return refuse("ORDER_NOT_EXIST", "转账订单不存在")
	}
	return done(t.view())
}

// view is the answer to a query.
func (t *transfer) view() map[string]string {
	v := map[string]string{"order_id": t.orderID, "pay_fund_order_id": t.fundID, "out_biz_no": t.no, "status": t.status}
	switch t.status {
	case "SUCCESS":
		v["trans_amount"], v["pay_date"] = sim.Yuan(t.amount), t.at.Format(time.DateTime)
	case "REFUND":
		v["pay_date"] = t.at.Format(time.DateTime)
	}
	for k, x := range map[string]string{"receiver_user_id": t.userID, "error_code": t.errorCode, "fail_reason": t.failReason,
		"passback_params": t.passback} {
		if x != "" {
			v[k] = x
		}
	}
	return v
}
