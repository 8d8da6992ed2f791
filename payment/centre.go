package payment

import (
	"context"
	"encoding/json"
	"time"

	"hospay/flow"
	"hospay/money"
)

// Result is what a call to the centre proved. The zero value is Unknown.
type Result struct {
	Verdict flow.Verdict
	Reason  flow.Reason
}

// Credential is what the patient has authorised with; exactly one is set. Both
// are secrets.
type Credential struct {
	PayAuthNo string // from the channel
	EcToken   string // business_token of 1101
}

// Single reports whether exactly one of the two is there.
func (c Credential) Single() bool { return (c.PayAuthNo == "") != (c.EcToken == "") }

// Upload is the bill of 6201. Nothing is charged by it.
type Upload struct {
	No    string // medOrgOrd, our number of the order: letters and digits, at most 20
	Batch string // chrgBchno, new for each upload
	Credential
	Person
	Total    money.Fen
	Location string // 经度,纬度
	Visit    Visit
}

// Uploaded is the answer to 6201. PayToken is a secret.
type Uploaded struct {
	Result
	PayOrdID string
	PayToken string
	MdtrtID  string // where the centre has made the visit
}

// Ref names an order at the centre and who it is of. Known holds the amounts
// that 6202 told, once it has: an answer that tells others proves nothing.
type Ref struct {
	PayOrdID  string
	PayToken  string
	MedOrgOrd string
	Person
	Known *Split
}

// Price is the question of 6202. Serial is new for each call, also after an
// unknown outcome, when 6301 is asked instead.
type Price struct {
	Ref
	Serial    string // orgBizSer
	Batch     string // chrgBchno of the upload
	PayAuthNo string
	FeeType   string
	MdtrtID   string
	Area      string    // 参保地
	Total     money.Fen // what was uploaded
}

// Priced is the answer to 6202: who pays what. Nothing has moved yet.
type Priced struct {
	Result
	Stas Stas
	Split
	Info json.RawMessage // with the pre-settlement of the insurance, for HIS
}

// AtCentre is what 6301 tells of an order. A state that is reached may come with
// nothing but itself; candidates and what is settled come with their amounts.
type AtCentre struct {
	Result
	Stas Stas
	Split
	Told bool // amounts were told
	Settlement
}

// Settlement are the numbers of a settlement at the insurance. RevsToken is a
// secret; no public text says how it is used.
type Settlement struct {
	SetlType  string          `json:"setl_type,omitempty"` // ALL, CASH, HI
	CallType  string          `json:"-"`                   // 02 支付成功
	TraceTime string          `json:"-"`
	Time      string          `json:"time,omitempty"`    // hiChrgTime 医保结算时间
	DocSn     string          `json:"doc_sn,omitempty"`  // hiDocSn
	RgstSn    string          `json:"rgst_sn,omitempty"` // hiRgstSn
	SetlID    string          `json:"setl_id,omitempty"`
	CancelNo  string          `json:"cancel_no,omitempty"` // of the way back, where HIS or the centre told them
	CancelSer string          `json:"cancel_ser,omitempty"`
	RevsToken string          `json:"-"`
	Info      json.RawMessage `json:"info,omitempty"` // with setlinfo, for HIS
}

// BackKind says which parts go back at the centre. The cash itself goes back at
// the channel.
type BackKind string

// The kinds of 6203.
const (
	BackAll       BackKind = "ALL"
	BackCash      BackKind = "CASH"
	BackInsurance BackKind = "HI"
)

// InsuranceBack is the order of 6203. Serial is written down before it is sent,
// and is the same for ever: that a repeat under it is harmless is unconfirmed, so
// after an unknown outcome 6301 is asked.
type InsuranceBack struct {
	Ref // Known is needed
	Credential
	Serial string // appRefdSn
	Kind   BackKind
	Cash   money.Fen // of BackCash; the insurance goes back whole or not at all
	At     time.Time // the same for every send
}

// InsuranceBackAnswer is the answer to 6203.
type InsuranceBackAnswer struct {
	Result
	Status string // SUCC, FAIL, EXP
	No     string // refdSn, the centre's number
	DocSn  string // hiFefdSn, the insurance's number
	Time   string // of the insurance, date and time as it writes them
}

// Habits is what the region of a centre and our contract with it decide.
type Habits struct {
	OrgCode          string
	OrgName          string
	AppID            string // orgAppId, of authorisations
	WechatCity       string // WeChat's own code of the city
	Areas            []string
	InsuranceFirst   bool
	HospPartAsReduce bool // hospital's part lowers the cash at the channel
	PartialCash      bool
	HISReverses      bool          // HIS takes a settlement back that it has refused
	AuthFor          time.Duration // life of a credential
	PriceFor         time.Duration // life of an answer of 6202
	OrderFor         time.Duration // an order that is not paid
	RefundWait       time.Duration // how long a refund waits for the credential
}

// Centre is the port to the insurance centre.
type Centre interface {
	Upload(context.Context, Upload) Uploaded
	Price(context.Context, Price) Priced
	// Query asks for an order (6301). It refuses nothing.
	Query(context.Context, Ref) AtCentre
	// Undo revokes an order that nobody has paid (6401). It is sent after a fresh
	// Query only; what it did is proven by the next one.
	Undo(context.Context, Ref) Result
	Refund(context.Context, InsuranceBack) InsuranceBackAnswer
	Habits() Habits
}
