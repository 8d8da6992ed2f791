package centre

import (
	"context"
	"maps"

	"hospay/flow"
	"hospay/money"
)

// Person is whose bill it is, as the insurance knows them.
type Person struct {
	IDNo   string `json:"idNo"`
	Name   string `json:"userName"`
	IDType string `json:"idType"` // 01 居民身份证; the rest of the table is unconfirmed
}

// Credential is what the patient has authorised with; exactly one is set.
type Credential struct {
	PayAuthNo string `json:"payAuthNo,omitempty"` // from the channel
	EcToken   string `json:"ecToken,omitempty"`   // business_token of 1101
}

func (c Credential) single() bool { return (c.PayAuthNo == "") != (c.EcToken == "") }

// Upload is the bill of 6201. Codes are the insurance's own, as HIS gives them.
type Upload struct {
	MedOrgOrd string `json:"medOrgOrd"` // our number of the order, at most 20 places
	Batch     string `json:"chrgBchno"` // new for each upload
	Credential
	Person

	PsnNo    string `json:"psnNo"`
	Insutype string `json:"insutype"`
	InsuCode string `json:"insuCode"`           // insured area
	Begin    string `json:"begntime"`           // yyyy-MM-dd HH:mm:ss
	Location string `json:"uldLatlnt"`          // 经度,纬度
	CertType string `json:"mdtrtCertType"`      // 01 电子凭证
	OrgID    string `json:"orgId,omitempty"`    // 电子凭证机构号; regional
	VisitNo  string `json:"iptOtpNo"`           // 门诊号
	MdtrtID  string `json:"mdtrtId,omitempty"`  // 就诊ID, needed without EcToken
	MedType  string `json:"medType"`            // 医疗类别
	FeeType  string `json:"feeType"`            // 01; the table is unconfirmed
	DocNo    string `json:"atddrNo,omitempty"`  // 医保医师编码
	DocName  string `json:"drName,omitempty"`   //
	DeptCode string `json:"deptCode"`           //
	DeptName string `json:"deptName"`           //
	Caty     string `json:"caty"`               // 科别
	DiseCode string `json:"diseCodg,omitempty"` // 病种, for chronic diseases
	DiseName string `json:"diseName,omitempty"` //
	SetlWay  string `json:"psnSetlway"`         // 01 按项目
	Account  string `json:"acctUsedFlag,omitempty"`
	Reform   string `json:"pubHospRfomFlag"` // 公立医院改革标志

	Total    Amount `json:"medfeeSumamt"`
	*Parts          // of the total, where HIS tells them
	Diseases []Dise `json:"diseinfoList,omitempty"`
	Fees     []Fee  `json:"feedetailList"`

	// More is what a region asks for besides; it changes none of the above.
	More map[string]string `json:"-"`
}

// Parts are 全自费, 超限价自费, 先行自付 and 符合政策范围 of a total.
type Parts struct {
	SelfPay   Amount `json:"fulamtOwnpayAmt"`
	OverLimit Amount `json:"overlmtSelfpay"`
	Advance   Amount `json:"preselfpayAmt"`
	InScope   Amount `json:"inscpScpAmt"`
}

// Dise is a diagnosis.
type Dise struct {
	Type    string `json:"diagType"` // 1 西医诊断，2 中医主病，3 中医主证
	No      string `json:"diagSrtNo"`
	Code    string `json:"diagCode"`
	Name    string `json:"diagName"`
	Dept    string `json:"diagDept,omitempty"`
	DocNo   string `json:"diseDorNo,omitempty"`
	DocName string `json:"diseDorName,omitempty"`
	Time    string `json:"diagTime,omitempty"`
	Valid   string `json:"valiFlag"` // 1
}

// Fee is a line of the bill.
type Fee struct {
	No       string `json:"feedetlSn"` // unique in the visit
	MdtrtID  string `json:"mdtrtId,omitempty"`
	PsnNo    string `json:"psnNo,omitempty"`
	Batch    string `json:"chrgBchno,omitempty"`
	RxNo     string `json:"rxno,omitempty"`
	Time     string `json:"feeOcurTime"`
	MedType  string `json:"medType"`
	ListCode string `json:"medListCodg"`    // 国家医保目录编码
	OwnCode  string `json:"medinsListCodg"` // 院内编码
	Name     string `json:"medListName,omitempty"`
	Spec     string `json:"medListSpc,omitempty"`
	Sum      Amount `json:"detItemFeeSumamt"`
	Count    string `json:"cnt"`
	Price    string `json:"pric"` // yuan, up to six decimals
	DeptCode string `json:"bilgDeptCodg,omitempty"`
	DeptName string `json:"bilgDeptName,omitempty"`
	DocNo    string `json:"bilgDrCodg,omitempty"`
	DocName  string `json:"bilgDrName,omitempty"`
	Approved string `json:"hospApprFlag,omitempty"`
}

// Uploaded is the answer to 6201. Nothing is charged by it. PayToken is a
// secret: it is kept sealed and never logged.
type Uploaded struct {
	Answer
	PayOrdID string
	PayToken string
	MdtrtID  string // where the centre has made the visit
}

// Upload sends the fees of a bill (6201).
func (c *Client) Upload(ctx context.Context, u Upload) Uploaded {
	if words := u.wrong(); words != "" {
		return Uploaded{Answer: badCall(words)}
	}
	data, err := plain(u)
	if err != nil {
		return Uploaded{Answer: badCall("费用明细无法写成请求")}
	}
	m := data.(map[string]any)
	m["orgCodg"] = c.org
	more := map[string]any{}
	for k, v := range u.More {
		more[k] = v
	}
	maps.Copy(more, m)
	d, a := c.call(ctx, c.region.Paths.Upload, more, u.Name, u.IDNo, u.PayAuthNo, u.EcToken)
	if a.Verdict != flow.Done {
		return Uploaded{Answer: a}
	}
	out := Uploaded{Answer: done, PayOrdID: d.text("payOrdId"), PayToken: d.text("payToken"), MdtrtID: d.text("mdtrtId")}
	if out.MdtrtID == "" {
		out.MdtrtID = d.within("extData").text("mdtrtId")
	}
	switch {
	case !d.of(out.PayOrdID, u.MedOrgOrd):
		return Uploaded{Answer: doubt(CodeMismatch, "应答属于另一笔订单", flow.ActorIT)}
	case out.PayOrdID == "" || out.PayToken == "":
		return Uploaded{Answer: doubt(CodeUnclear, "应答没有支付订单号或支付令牌", flow.ActorIT)}
	}
	return out
}

// wrong finds what the centre would refuse: all that it checks of amounts and
// numbers is checked here first.
func (u Upload) wrong() string {
	for name, v := range map[string]string{"批次号": u.Batch, "证件号": u.IDNo, "姓名": u.Name, "证件类型": u.IDType, "人员编号": u.PsnNo,
		"险种": u.Insutype, "参保地": u.InsuCode, "开始时间": u.Begin, "门诊号": u.VisitNo, "医疗类别": u.MedType, "费用类别": u.FeeType,
		"科室编码": u.DeptCode, "科室名称": u.DeptName, "科别": u.Caty, "结算方式": u.SetlWay, "公立医院改革标志": u.Reform} {
		if v == "" {
			return "缺少" + name
		}
	}
	switch {
	case !orderNo.MatchString(u.MedOrgOrd):
		return "医疗机构订单号只能是 20 位以内的字母和数字"
	case !u.single():
		return "支付授权码和电子凭证令牌应有且只有一个"
	case u.EcToken == "" && u.MdtrtID == "":
		return "用支付授权码上传时缺少就诊 ID"
	case u.Total <= 0 || u.Total > maxAmount || len(u.Fees) == 0:
		return "没有费用"
	}
	return u.unequal()
}

func (u Upload) unequal() string {
	var lines money.Fen
	for _, f := range u.Fees {
		if f.MedType != u.MedType {
			return "明细的医疗类别与整单不同"
		}
		total, err := lines.Add(money.Fen(f.Sum))
		if err != nil {
			return "明细金额过大"
		}
		lines = total
	}
	if lines != money.Fen(u.Total) {
		return "明细之和与总额不符"
	}
	if p := u.Parts; p != nil && p.SelfPay+p.OverLimit+p.Advance+p.InScope != u.Total {
		return "自费、超限价、先行自付与政策范围内之和与总额不符"
	}
	return ""
}
