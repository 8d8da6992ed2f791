package wechat

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"hospay/sim"
)

type reportInfo struct {
	Type    string `json:"info_type"`
	Content string `json:"info_content"`
}

// transferForm is the body of a transfer.
type transferForm struct {
	AppID      string       `json:"appid"`
	OutBillNo  string       `json:"out_bill_no"`
	SceneID    string       `json:"transfer_scene_id"`
	Openid     string       `json:"openid"`
	UserName   string       `json:"user_name"`
	Amount     int64        `json:"transfer_amount"`
	Remark     string       `json:"transfer_remark"`
	NotifyURL  string       `json:"notify_url"`
	Perception string       `json:"user_recv_perception"`
	Reports    []reportInfo `json:"transfer_scene_report_infos"`
	Style      *struct {
		Type string `json:"type"`
	} `json:"user_recv_style,omitempty"`
}

var outBillNo = regexp.MustCompile(`^[0-9A-Za-z]{1,32}$`)

func (m *merchant) createTransfer(q *request) plan {
	var f transferForm
	e := q.read(&f)
	if e == nil {
		f.UserName, e = q.decrypt(f.UserName)
	}
	if e == nil {
		e = f.check()
	}
	if e != nil {
		p := failed(e)
		p.no = f.OutBillNo
		return p
	}
	return plan{no: f.OutBillNo, hash: f, run: func(fault sim.Fault) (any, *apiError) { return m.transfer(f, fault) }}
}

// check looks at the form alone.
func (f *transferForm) check() *apiError {
	switch {
	case f.AppID == "" || f.Openid == "" || f.SceneID == "":
		return paramError("缺少必填参数")
	case !outBillNo.MatchString(f.OutBillNo):
		return paramError("out_bill_no只能由数字、大小写字母组成，长度1到32")
	case !within(f.Remark, 1, 32):
		return paramError("transfer_remark长度需在1到32个字符之间")
	case f.Amount <= 0:
		return paramError("transfer_amount必须为正整数")
	case f.UserName != "" && f.Amount < 30:
		return paramError("转账金额小于0.3元时，不允许传入收款用户姓名")
	case f.UserName == "" && f.Amount >= 200_000:
		return paramError("转账金额大于等于2000元时，收款用户姓名必填")
	case f.NotifyURL != "" && !plainURL(f.NotifyURL):
		return paramError("notify_url必须为不带参数的完整地址")
	case f.Style != nil && f.Style.Type != "CONFIRM_PAGE" && f.Style.Type != "RED_PACKET":
		return paramError("user_recv_style.type不合法")
	}
	return nil
}

func within(text string, least, most int) bool {
	n := utf8.RuneCountInString(text)
	return n >= least && n <= most
}

func plainURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && u.RawQuery == "" && len(text) <= 256
}

// checkProduct looks at scene, limits and payee.
func (m *merchant) checkProduct(f *transferForm) *apiError {
	set, sc := m.settings.Get(), findScene(f.SceneID)
	switch {
	case apps[f.AppID] == "":
		return invalidRequest("APPID不存在")
	case sc == nil:
		return invalidRequest("你尚未获取该转账场景")
	case len(f.Reports) == 0:
		return paramError("需传入转账场景报备信息，请检查")
	case !sc.reported(f.Reports):
		return paramError("未传入完整且对应的转账场景报备信息，请根据接口文档检查")
	case f.Perception != "" && !slices.Contains(sc.Perceptions, f.Perception):
		return invalidRequest("暂不支持展示当前传入的用户收款感知")
	case f.Amount < 10 || f.Amount > set.SingleLimit:
		return invalidRequest("超过单笔转账上下限，核实产品设置是否准确")
	}
	if !m.belongs(f.AppID, f.Openid) && set.UnknownOpenid != "fail" && !set.AnyOpenid {
		return invalidRequest("openid与商户appid不匹配")
	}
	return nil
}

// reported tells whether exactly the scene's infos were given.
func (sc *scene) reported(infos []reportInfo) bool {
	var types []string
	for _, i := range infos {
		if !within(i.Content, 1, 32) {
			return false
		}
		types = append(types, i.Type)
	}
	want := slices.Clone(sc.InfoTypes)
	sort.Strings(types)
	sort.Strings(want)
	return slices.Equal(types, want)
}

// transfer executes a create call: at most one bill per number.
func (m *merchant) transfer(f transferForm, fault sim.Fault) (any, *apiError) {
	hash := sim.HashJSON(f)
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.bills[f.OutBillNo]; b != nil {
		return m.repeat(b, hash)
	}
	if e := m.checkProduct(&f); e != nil {
		return nil, e
	}
	b := &bill{m: m, no: f.OutBillNo, appid: f.AppID, scene: f.SceneID, openid: f.Openid, userName: f.UserName, remark: f.Remark,
		notifyURL: f.NotifyURL,
		amount:    f.Amount, hash: hash, nameFault: fault.Kind == sim.NameMismatch}
	if fault.Callback() {
		b.fault = fault
	}
	if e := m.accept(b); e != nil {
		return nil, e
	}
	a := b.created200()
	if fault.Kind == sim.AcceptedFirst {
		a.State, a.PackageInfo = accepted, ""
	}
	return a, nil
}

// repeat answers a second POST under one number.
func (m *merchant) repeat(b *bill, hash string) (any, *apiError) {
	set := m.settings.Get()
	if b.hash != hash {
		return nil, refuse(400, set.DifferentParamsCode, "单号已存在但信息不一致，请查单后比较确认")
	}
	m.fund(b, set)
	if b.state == waitConfirm && !set.SamePackage {
		m.newPackage(b)
	}
	return b.created200(), nil
}

type createAnswer struct {
	OutBillNo      string `json:"out_bill_no"`
	TransferBillNo string `json:"transfer_bill_no"`
	CreateTime     string `json:"create_time"`
	State          string `json:"state"`
	FailReason     string `json:"fail_reason,omitempty"`
	PackageInfo    string `json:"package_info,omitempty"`
}

func (b *bill) created200() createAnswer {
	a := createAnswer{OutBillNo: b.no, TransferBillNo: b.id, CreateTime: b.created.Format(rfc3339), State: b.state, FailReason: b.reason}
	if b.state == waitConfirm {
		a.PackageInfo = b.pkg
	}
	return a
}

type queryAnswer struct {
	MchID          string `json:"mch_id"`
	OutBillNo      string `json:"out_bill_no"`
	TransferBillNo string `json:"transfer_bill_no"`
	AppID          string `json:"appid"`
	State          string `json:"state"`
	TransferAmount int64  `json:"transfer_amount"`
	TransferRemark string `json:"transfer_remark"`
	FailReason     string `json:"fail_reason,omitempty"`
	Openid         string `json:"openid,omitempty"`
	UserName       string `json:"user_name,omitempty"`
	CreateTime     string `json:"create_time"`
	UpdateTime     string `json:"update_time"`
}

func (m *merchant) queryTransfer(q *request) plan {
	no := q.PathValue("no")
	return plan{no: no, hash: map[string]string{"out_bill_no": no}, run: func(sim.Fault) (any, *apiError) {
		return m.showBill(func() *bill { return m.bills[no] })
	}}
}

func (m *merchant) queryTransferByID(q *request) plan {
	id := q.PathValue("id")
	return plan{no: m.numberOf(id), hash: map[string]string{"transfer_bill_no": id}, run: func(sim.Fault) (any, *apiError) {
		return m.showBill(func() *bill { return m.byID[id] })
	}}
}

// numberOf gives the merchant's number of a WeChat number, for the log.
func (m *merchant) numberOf(id string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.byID[id]; b != nil {
		return b.no
	}
	return ""
}

// showBill answers a query; bills are found for 30 days.
func (m *merchant) showBill(find func() *bill) (any, *apiError) {
	m.mu.Lock()
	b := find()
	if b == nil || m.Clock().Now().Sub(b.created) > 30*24*time.Hour {
		m.mu.Unlock()
		return nil, refuse(m.settings.Get().NotFoundStatus, "NOT_FOUND", "记录不存在")
	}
	a := queryAnswer{MchID: m.id, OutBillNo: b.no, TransferBillNo: b.id, AppID: b.appid, State: b.state, TransferAmount: b.amount,
		TransferRemark: b.remark,
		FailReason:     b.reason, Openid: b.openid, UserName: b.userName, CreateTime: b.created.Format(rfc3339),
		UpdateTime: b.updated.Format(rfc3339)}
	m.mu.Unlock()
	a.UserName = m.encryptForMerchant(a.UserName)
	return a, nil
}

// encryptForMerchant closes a name with the merchant certificate.
func (m *merchant) encryptForMerchant(text string) string {
	if text == "" {
		return ""
	}
	raw, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, &m.mchKey.PublicKey, []byte(text), nil)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(raw)
}

type cancelAnswer struct {
	OutBillNo      string `json:"out_bill_no"`
	TransferBillNo string `json:"transfer_bill_no"`
	State          string `json:"state"`
	UpdateTime     string `json:"update_time"`
}

func (m *merchant) cancelTransfer(q *request) plan {
	no := q.PathValue("no")
	if body := strings.TrimSpace(string(q.body)); body != "" && body[0] != '{' {
		return failed(paramError("请求体不是合法的JSON"))
	}
	return plan{no: no, hash: map[string]string{"out_bill_no": no}, run: func(sim.Fault) (any, *apiError) {
		m.mu.Lock()
		defer m.mu.Unlock()
		b := m.bills[no]
		if b == nil {
			return nil, invalidRequest("单据不存在")
		}
		if e := m.cancel(b); e != nil {
			return nil, e
		}
		return cancelAnswer{b.no, b.id, b.state, b.updated.Format(rfc3339)}, nil
	}}
}
