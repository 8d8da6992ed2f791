package payment

import (
	"time"

	"hospay/money"
)

// Kind says what a bill is for.
type Kind string

// The kinds of bills.
const (
	KindRegistration Kind = "registration" // 挂号
	KindOutpatient   Kind = "outpatient"   // 门诊缴费
)

// Valid reports whether k is one of the kinds.
func (k Kind) Valid() bool { return k == KindRegistration || k == KindOutpatient }

// Terminal is where the patient pays.
type Terminal string

// The terminals.
const (
	TerminalH5    Terminal = "h5"    // a page inside the channel's app
	TerminalMini  Terminal = "mini"  // a mini program
	TerminalKiosk Terminal = "kiosk" // 自助机
)

// Valid reports whether t is one of the terminals.
func (t Terminal) Valid() bool {
	return t == TerminalH5 || t == TerminalMini || t == TerminalKiosk
}

// Bill is an unpaid bill as HIS tells it.
type Bill struct {
	No         string // HIS's number of the bill (收费单号, 挂号单号)
	CardNo     string
	Kind       Kind
	Title      string
	Department string
	Doctor     string
	Created    time.Time
	PayBefore  time.Time // zero: no end is known
	Amount     money.Fen
	Insurable  bool
	Reason     string // why it cannot be paid by insurance, in HIS's words; for the patient
	OwnOff     bool   // it is not paid here without the insurance
	OwnReason  string // why, for the patient
	Items      []Item
	Visit      *Visit // with what the insurance asks for; nil where HIS gives none, and then Insurable is false
	// Unread names what HIS told and nobody could read. A bill whose number, kind
	// or amount is among it has the amount 0: it is shown and cannot be paid here.
	Unread []string
}

// Item is a line of a bill as the patient reads it.
type Item struct {
	Name   string
	Spec   string
	Unit   string
	Count  string
	Price  string // yuan, up to six decimals
	Amount money.Fen
}

// Visit is what the insurance wants to know of a bill (6201). Codes are the
// insurance's own, as HIS gives them.
type Visit struct {
	No       string // 门诊号
	MdtrtID  string // 就诊 ID, from the registration at the insurance (2201)
	PsnNo    string // 医保人员编号
	Insutype string
	Area     string // 参保地
	MedType  string
	FeeType  string
	Begun    time.Time
	DeptCode string
	DeptName string
	Caty     string // 科别
	DocNo    string // 医保医师编码
	DocName  string
	DiseCode string // 病种, of chronic diseases
	DiseName string
	SetlWay  string // 结算方式; empty: 01 按项目
	Reform   string // 公立医院改革标志; empty: 1
	Parts    *Parts
	Diseases []Disease
	Fees     []Fee
}

// Parts are 全自费, 超限价自费, 先行自付 and 符合政策范围 of a total.
type Parts struct{ SelfPay, OverLimit, Advance, InScope money.Fen }

// Disease is a diagnosis.
type Disease struct {
	Type string // 1 西医诊断，2 中医主病，3 中医主证
	No   string
	Code string
	Name string
	Time time.Time
}

// Fee is a line of a bill as the insurance reads it.
type Fee struct {
	No       string // unique in the visit
	RxNo     string
	Time     time.Time
	ListCode string // 国家医保目录编码
	OwnCode  string // 院内编码
	Name     string
	Spec     string
	Count    string
	Price    string // yuan, up to six decimals
	Sum      money.Fen
	Approved string // 医院审批标志
}

// Department is where one can register.
type Department struct {
	Code string
	Name string
}

// Slot is an appointment that can be taken (号源).
type Slot struct {
	ID         string
	Department string // code
	Day        string // yyyy-MM-dd
	Period     string // 上午, 14:00-14:30
	Doctor     string
	Title      string // 主任医师 …
	Left       int    // 0 also where something of it could not be read
	Amount     money.Fen
	Unread     string
}

// Area is a place of insurance that HIS takes (参保地).
type Area struct {
	Code string
	Name string
	Own  bool // the hospital's own
}

// Insured is a patient as HIS and insurance know them: whom an enrolment, a
// benefit and a bill are asked for.
type Insured struct {
	PatientNo string
	CardNo    string
	IDType    string
	IDNo      string
	Name      string
}

// Enrolment is what HIS found out about a patient's insurance at an area (1101,
// 2001, 5301 behind HIS).
type Enrolment struct {
	Enrolled bool
	Reason   string // why not, in the other side's words; for the patient
	PsnNo    string
	Benefits []Benefit
}

// Benefit is one way in which a visit can be settled (待遇).
type Benefit struct {
	ID           string // HIS's or ours: the same choice has the same id
	Insutype     string
	InsutypeName string
	MedType      string
	MedTypeName  string
	DiseCode     string
	Disease      string
	Balance      money.Fen // of the personal account
	BalanceTold  bool
	Enjoyed      bool
	Reason       string // why it is not enjoyed
}
