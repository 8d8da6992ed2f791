package centre

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/money"
	"hospay/payment"
)

// bill is 6201 on the wire.
type bill struct {
	MedOrgOrd string `json:"medOrgOrd"` // our number of the order, at most 20 places
	Batch     string `json:"chrgBchno"` // new for each upload
	PayAuthNo string `json:"payAuthNo,omitempty"`
	EcToken   string `json:"ecToken,omitempty"`
	IDNo      string `json:"idNo"`
	Name      string `json:"userName"`
	IDType    string `json:"idType"`
	OrgCode   string `json:"orgCodg"`

	PsnNo    string `json:"psnNo"`
	Insutype string `json:"insutype"`
	InsuCode string `json:"insuCode"`           // insured area
	Begin    string `json:"begntime"`           // yyyy-MM-dd HH:mm:ss
	Location string `json:"uldLatlnt"`          // 经度,纬度
	CertType string `json:"mdtrtCertType"`      // 01 电子凭证
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
	*parts          // of the total, where HIS tells them
	Diseases []dise `json:"diseinfoList,omitempty"`
	Fees     []fee  `json:"feedetailList"`
}

// parts are 全自费, 超限价自费, 先行自付 and 符合政策范围 of a total.
type parts struct {
	SelfPay   Amount `json:"fulamtOwnpayAmt"`
	OverLimit Amount `json:"overlmtSelfpay"`
	Advance   Amount `json:"preselfpayAmt"`
	InScope   Amount `json:"inscpScpAmt"`
}

// dise is a diagnosis.
type dise struct {
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

// fee is a line of the bill.
type fee struct {
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

// Upload sends the fees of a bill (6201).
func (c *Client) Upload(ctx context.Context, u payment.Upload) payment.Uploaded {
	b := c.bill(u)
	if words := b.wrong(u); words != "" {
		return payment.Uploaded{Result: badCall(words)}
	}
	data, err := plain(b)
	if err != nil {
		return payment.Uploaded{Result: badCall("费用明细无法写成请求")}
	}
	d, a := c.call(ctx, c.region.Paths.Upload, data, u.Name, u.IDNo, u.PayAuthNo, u.EcToken)
	if a.Verdict != flow.Done {
		return payment.Uploaded{Result: a}
	}
	out := payment.Uploaded{Result: done, PayOrdID: d.text("payOrdId"), PayToken: d.text("payToken"), MdtrtID: d.text("mdtrtId")}
	if out.MdtrtID == "" {
		out.MdtrtID = d.within("extData").text("mdtrtId")
	}
	switch {
	case !d.of(out.PayOrdID, u.No):
		return payment.Uploaded{Result: doubt(CodeMismatch, "应答属于另一笔订单", flow.ActorIT)}
	case out.PayOrdID == "" || out.PayToken == "":
		return payment.Uploaded{Result: doubt(CodeUnclear, "应答没有支付订单号或支付令牌", flow.ActorIT)}
	}
	return out
}

// bill writes a visit as the centre reads it. What HIS leaves out has the value
// that public programs send.
func (c *Client) bill(u payment.Upload) bill {
	v := u.Visit
	b := bill{MedOrgOrd: u.No, Batch: u.Batch, PayAuthNo: u.PayAuthNo, EcToken: u.EcToken, IDNo: u.IDNo, Name: u.Name, IDType: u.IDType,
		OrgCode: c.org, PsnNo: v.PsnNo, Insutype: v.Insutype, InsuCode: v.Area, Begin: when(v.Begun), Location: cmp.Or(u.Location, "0,0"),
		CertType: "01", VisitNo: v.No, MdtrtID: v.MdtrtID, MedType: v.MedType, FeeType: cmp.Or(v.FeeType, "01"), DocNo: v.DocNo,
		DocName: v.DocName, DeptCode: v.DeptCode, DeptName: v.DeptName, Caty: v.Caty, DiseCode: v.DiseCode, DiseName: v.DiseName,
		SetlWay: cmp.Or(v.SetlWay, "01"), Account: c.region.AccountFlags[v.Area], Reform: cmp.Or(v.Reform, "1"), Total: Amount(u.Total)}
	if p := v.Parts; p != nil {
		b.parts = &parts{Amount(p.SelfPay), Amount(p.OverLimit), Amount(p.Advance), Amount(p.InScope)}
	}
	for i, d := range v.Diseases {
		b.Diseases = append(b.Diseases, dise{Type: d.Type, No: cmp.Or(d.No, strconv.Itoa(i+1)), Code: d.Code, Name: d.Name, Dept: v.DeptName,
			DocNo: v.DocNo, DocName: v.DocName, Time: when(d.Time), Valid: "1"})
	}
	for _, f := range v.Fees {
		b.Fees = append(b.Fees, fee{No: f.No, MdtrtID: v.MdtrtID, PsnNo: v.PsnNo, Batch: u.Batch, RxNo: f.RxNo, Time: when(f.Time),
			MedType: v.MedType, ListCode: f.ListCode, OwnCode: f.OwnCode, Name: f.Name, Spec: f.Spec, Sum: Amount(f.Sum), Count: f.Count,
			Price: f.Price, DeptCode: v.DeptCode, DeptName: v.DeptName, DocNo: v.DocNo, DocName: v.DocName, Approved: f.Approved})
	}
	return b
}

// when is a time as the centre writes it; one that is not known is nothing.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(calendar.Beijing).Format(time.DateTime)
}

// wrong finds what the centre would refuse: all that it checks of amounts and
// numbers is checked here first.
func (b bill) wrong(u payment.Upload) string {
	for name, v := range map[string]string{"批次号": b.Batch, "证件号": b.IDNo, "姓名": b.Name, "证件类型": b.IDType, "人员编号": b.PsnNo,
		"险种": b.Insutype, "参保地": b.InsuCode, "开始时间": b.Begin, "门诊号": b.VisitNo, "医疗类别": b.MedType, "费用类别": b.FeeType,
		"科室编码": b.DeptCode, "科室名称": b.DeptName, "科别": b.Caty, "结算方式": b.SetlWay, "公立医院改革标志": b.Reform} {
		if v == "" {
			return "缺少" + name
		}
	}
	switch {
	case !orderNo.MatchString(b.MedOrgOrd):
		return "医疗机构订单号只能是 20 位以内的字母和数字"
	case !u.Single():
		return "支付授权码和电子凭证令牌应有且只有一个"
	case b.EcToken == "" && b.MdtrtID == "":
		return "用支付授权码上传时缺少就诊 ID"
	case b.Total <= 0 || b.Total > maxAmount || len(b.Fees) == 0:
		return "没有费用"
	}
	return b.unequal()
}

func (b bill) unequal() string {
	var lines money.Fen
	for _, f := range b.Fees {
		total, err := lines.Add(money.Fen(f.Sum))
		if err != nil {
			return "明细金额过大"
		}
		lines = total
	}
	if lines != money.Fen(b.Total) {
		return "明细之和与总额不符"
	}
	if p := b.parts; p != nil && p.SelfPay+p.OverLimit+p.Advance+p.InScope != b.Total {
		return "自费、超限价、先行自付与政策范围内之和与总额不符"
	}
	return ""
}
