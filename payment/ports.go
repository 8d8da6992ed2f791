package payment

import (
	"context"
	"strings"
	"time"

	"hospay/flow"
	"hospay/money"
)

// Trade is an ordinary payment at a channel: the cash of a bill. Its number is
// written down before it is sent; the equal trade may be sent again.
type Trade struct {
	No       string // our number (out_trade_no): letters and digits, at most 32
	Kind     Kind
	Amount   money.Fen
	Payer    string // who pays, as the channel knows them (openid, user id); empty at a kiosk
	Terminal Terminal
	Title    string // the payer reads it
	Begun    time.Time
	Expires  time.Time // it cannot be paid afterwards
	// Handle is what the channel gave to open its payment page with (prepay_id,
	// trade_no, code_url); empty before it did.
	Handle  string
	IP      string // of the payer's device; only pages outside the channel's app need it
	Insured bool   // the cash of an order with insurance
}

// TradeState is what a channel says of a trade.
type TradeState = flow.Said

// The states of a trade.
const (
	TradeOpen     TradeState = "open"     // nobody has paid (yet)
	TradePaid     TradeState = "paid"     // the money is here
	TradeClosed   TradeState = "closed"   // not paid, and never will be
	TradeRefunded TradeState = "refunded" // paid, and gone back in whole or in part
	TradeNotFound TradeState = "not_found"
)

// TradeAnswer is the outcome of a call about a trade. State and what follows are
// facts only when Verdict is Done.
type TradeAnswer struct {
	Verdict   flow.Verdict
	Reason    flow.Reason
	State     TradeState
	Handle    string
	ChannelNo string // transaction_id, trade_no
	PaidAt    time.Time
	Told      bool // an amount was told, be it 0
	Amount    money.Fen
	Payer     string // who has paid, where told
	Differs   string // what the client knows to be another's: merchant, application; in Chinese
}

// TradeRefund gives back what was paid for a trade, in whole or in part.
type TradeRefund struct {
	No        string // our number (out_refund_no)
	Trade     Trade
	ChannelNo string // the channel's number of the trade
	Amount    money.Fen
	Reason    string // the payer reads it
}

// The kinds of callbacks that are about payments. What they tell is a
// TradeAnswer, a MixedAnswer and a RefundAnswer: hints, never more.
const (
	CallbackTrade       flow.CallbackKind = "trade"
	CallbackMixed       flow.CallbackKind = "mixed"
	CallbackTradeRefund flow.CallbackKind = "trade_refund"
)

// NumberPrefix begins every number that payments send to a channel. A channel's
// word about a refund names nothing but the number: by this letter it is known
// whether a bill or a deposit went back.
const NumberPrefix = "P"

// OwnNumber reports whether a number is one of payments.
func OwnNumber(no string) bool { return strings.HasPrefix(no, NumberPrefix) }

// RefundState is what a channel says of the refund of a trade.
type RefundState = flow.Said

// The states of a refund.
const (
	RefundProcessing RefundState = "processing"
	RefundDone       RefundState = "refunded"
	RefundFailed     RefundState = "failed" // closed or abnormal: the money is still here
	RefundNotFound   RefundState = "not_found"
)

// RefundAnswer is the outcome of a call about a refund.
type RefundAnswer struct {
	Verdict   flow.Verdict
	Reason    flow.Reason // also set with Done when State is RefundFailed
	State     RefundState
	ChannelNo string
	At        time.Time
	Told      bool
	Amount    money.Fen
	Differs   string
}

// Page is what the payer's client needs to open the channel's payment page.
type Page struct {
	// Form says how it is opened: wechat_jsapi (WeixinJSBridge, wx.requestPayment),
	// wechat_medins (requestMedicalInsurancePay), alipay_trade (my.tradePay with
	// tradeNO), link (open url), code (show url as QR code).
	Form   string
	Values map[string]string
}

// Trades is the channel port for ordinary payments.
type Trades interface {
	OpenTrade(context.Context, Trade) TradeAnswer
	// QueryTrade asks by our number; one that the channel does not know is Done
	// with TradeNotFound.
	QueryTrade(context.Context, Trade) TradeAnswer
	// CloseTrade makes a trade that nobody has paid unpayable. What it did is
	// proved by the next query; a refusal because the payer is paying is Unknown.
	CloseTrade(context.Context, Trade) TradeAnswer
	RefundTrade(context.Context, TradeRefund) RefundAnswer
	QueryTradeRefund(context.Context, TradeRefund) RefundAnswer
	// TradePage signs what the client opens the payment page with. It calls nobody.
	TradePage(Trade) (Page, error)
	// TradeTraits is what the channel's answers are worth: of trades, of refunds.
	TradeTraits() (trade, refund flow.Traits)
}

// Person is somebody with a paper.
type Person struct {
	Name   string
	IDType string // 01 居民身份证
	IDNo   string
}

// Mixed is an order of insurance and cash at a channel. Its number is that of
// the cash trade.
type Mixed struct {
	Trade                 // Amount is what the channel takes, 0 where the insurance pays all; Handle is that of the cash trade
	MedOrgOrd   string    // our number at the centre, at most 20 places
	PayOrdID    string    // the centre's
	PayAuthNo   string    // secret
	Total       money.Fen // Fund + Account + Other + Cash + Added
	Fund        money.Fen
	Account     money.Fen // own and family
	Other       money.Fen
	Cash        money.Fen // by the centre's count; Amount = Cash + Added - Reduced
	Added       money.Fen // delivery
	Reduced     money.Fen // hospital's part, deposit set off
	DepositPart money.Fen // of Reduced, set off against a deposit
	Holder      Person    // whose credential pays
	Patient     *Person   // who is treated, when that is another (亲情付)
	City        string    // the channel's code of the city
	OrgCode     string    // 定点医药机构编码
	OrgName     string
	Location    string // 经度,纬度
	MixNo       string // the channel's number of the order, once told
	URL         string // where the payer goes on, once told
	Back        string // where the payer comes back to
	ChargeBatch string // chrgBchno of the upload
}

// MixedState is what a channel says of a mixed order.
type MixedState = flow.Said

// The states of a mixed order.
const (
	MixedOpen     MixedState = "open"
	MixedPaying   MixedState = "paying"   // one side has moved, or the payer is paying
	MixedPaid     MixedState = "paid"     // both sides, by the channel's word
	MixedFailed   MixedState = "failed"   // the insurance was not settled; the cash is asked for apart
	MixedRefunded MixedState = "refunded" // went back
	MixedUnclear  MixedState = "unclear"  // a word that proves nothing; the centre decides
	MixedNotFound MixedState = "not_found"
)

// MixedAnswer is the outcome of a call about a mixed order. It never proves the
// insurance's part: the centre does.
type MixedAnswer struct {
	Verdict   flow.Verdict
	Reason    flow.Reason // with Done and MixedFailed: why
	State     MixedState
	CashPart  TradeState // the cash as the mixed order tells it; empty: not told, or no cash part
	MixNo     string
	URL       string // where the payer goes on, where the channel gives one
	ChannelNo string // of the cash trade, where told
	PaidAt    time.Time
	Told      bool
	Total     money.Fen
	Fund      money.Fen
	Account   money.Fen
	Cash      money.Fen
	Differs   string
}

// MixedRefund tells a channel that the insurance's part went back.
type MixedRefund struct {
	Mixed
	No string // out_refund_no of the cash refund, or a number of its own
	At time.Time
	// CancelNo and CancelSer are the insurance's numbers of the reversal, where HIS
	// or the centre told them; one form of Alipay asks for them.
	CancelNo  string
	CancelSer string
}

// AuthorisationAsk asks a channel for the way to a patient's credential (授权).
type AuthorisationAsk struct {
	Payer    string
	Terminal Terminal
	Back     string // where the patient comes back to
	OrgCode  string
	AppID    string // orgAppId: the hospital's application at the centre
	City     string
	No       string // our number of the request
	Patient  *Person
}

// Authorisation is how far a patient's authorisation is. PayAuthNo is a secret.
type Authorisation struct {
	Verdict   flow.Verdict
	Reason    flow.Reason
	Granted   bool
	URL       string // where the patient authorises
	MiniAppID string // the mini program to jump to, where there is one
	MiniPath  string
	PayAuthNo string
	Family    bool   // the number is of a relative's credential
	Payer     Person // whose credential it is, as far as told
	Masked    bool   // the channel tells the payer's name in part only
	Area      string // 参保地, where told
	City      string
	Location  string // 经度,纬度
}

// MedIns is the channel port for insurance payments.
type MedIns interface {
	// Authorisation says where the patient authorises, or that they have (Alipay).
	Authorisation(context.Context, AuthorisationAsk) Authorisation
	// Credential turns what the patient came back with into the payment
	// authorisation.
	Credential(ctx context.Context, ask AuthorisationAsk, code string) Authorisation
	OpenMixed(context.Context, Mixed) MixedAnswer
	QueryMixed(context.Context, Mixed) MixedAnswer
	// CloseMixed cancels an order that nobody has paid where the channel can;
	// "not_supported" where closing the trade is enough.
	CloseMixed(context.Context, Mixed) MixedAnswer
	TellRefund(context.Context, MixedRefund) flow.Answer
	MixedPage(Mixed) (Page, error)
	MixedTraits() flow.Traits
}

// Charge is what HIS is told of a bill that was paid (结算回写).
type Charge struct {
	No        string // our number of this HIS call
	ChargeNo  string // our number of the charge that the call is about; empty: No
	HISNo     string // HIS's number of the receipt, once it was told
	OrderNo   string
	BillNo    string
	CardNo    string
	Kind      Kind
	Channel   string
	Terminal  Terminal
	Total     money.Fen
	Fund      money.Fen
	Account   money.Fen
	Family    money.Fen // of Account
	Other     money.Fen
	Cash      money.Fen
	TradeNo   string // our number at the channel
	ChannelNo string // the channel's number of the payment
	PaidAt    time.Time
	PayOrdID  string
	MedOrgOrd string
	SetlID    string
	MdtrtID   string
	SetlTime  string // 医保结算时间, as the insurance writes it
	SetlInfo  []byte // setlinfo as the centre told it, JSON
}

// Receipt is what HIS answered to a charge, or to the question for it.
type Receipt struct {
	Verdict   flow.Verdict
	Reason    flow.Reason
	State     ReceiptState
	HISNo     string // 收据号
	Guide     string // where to go now, for the patient (到 3 号窗口取药)
	At        time.Time
	Told      bool // an amount was told
	Amount    money.Fen
	CancelNo  string // of a reversal: numbers of the insurance's side
	CancelSer string
	Differs   string // what the answer tells of another bill or card, in Chinese
	Unread    string
}

// ReceiptState is what HIS says of one of our numbers.
type ReceiptState = flow.Said

// The states of a HIS call.
const (
	ReceiptDone     ReceiptState = "done"
	ReceiptPending  ReceiptState = "pending"
	ReceiptNotFound ReceiptState = "not_found"
)

// Identity is what a patient has chosen, for HIS to price the bill again (身份回写).
type Identity struct {
	Insured
	BillNo  string
	Area    string
	PsnNo   string
	Benefit Benefit
	Channel string
}

// PartRefund tells HIS what went back of a paid bill.
type PartRefund struct {
	Charge
	RefundNo string // ours
	Whole    bool
	FundBack money.Fen
	AccBack  money.Fen
	CashBack money.Fen
	At       time.Time
}

// HISCan is what a HIS offers for bills. What it does not offer, the order does
// in another way.
type HISCan struct {
	Bills      bool // bills can be read
	Slots      bool // registration
	Areas      bool
	Enrolment  bool
	Identity   bool // takes the chosen benefit
	Check      bool // trade_check: a charge can be asked for by our number
	Idempotent bool // the same charge twice is one
	Reverse    bool // 免授权冲正: reverses the insurance's part without the patient
	Refunds    bool // says whether a bill may go back, and is told that it did
	Charges    bool // lists what it has booked on a day
	Bearer     bool // knows people by what they show at a kiosk
	Settle     bool // settles the insurance with what was shown at a kiosk
}

// ChargeLine is what HIS has booked on a day: the cash of a paid bill, or what of
// it went back.
type ChargeLine struct {
	OrderNo  string // ours
	RefundNo string // ours, of what went back; empty where HIS has made the refund itself
	TradeNo  string // our number at the channel, where told
	HISNo    string
	CardNo   string
	Cash     money.Fen // zero where the insurance has borne all; never below
	Back     bool
	Channel  string
	Status   string // as reconcile/files reads it
	At       time.Time
	Unread   string // a field that could not be read
}

// HIS is the port for bills to a hospital information system. Errors of what is
// read carry a Code (flow): his_unavailable, card_not_found, bill_gone …
type HIS interface {
	Can() HISCan

	Bills(ctx context.Context, cardNo string) ([]Bill, error)
	// Bill reads one bill of a card with its Visit. One that is not open any more
	// is the error bill_paid or bill_gone.
	Bill(ctx context.Context, cardNo, billNo string) (Bill, error)
	Departments(context.Context) ([]Department, error)
	Slots(ctx context.Context, department, day string) ([]Slot, error)
	// LockSlot keeps a slot for a card and makes its bill; the same no again is
	// the same lock.
	LockSlot(ctx context.Context, no, slot, cardNo string) (Bill, error)
	ReleaseSlot(ctx context.Context, no, slot, cardNo string) error
	Areas(context.Context) ([]Area, error)
	Enrolment(ctx context.Context, who Insured, area string) (Enrolment, error)
	SaveIdentity(context.Context, Identity) error
	// Bearer says who has shown something; nobody's is the error patient_not_found.
	Bearer(context.Context, Shown) (Bearer, error)
	// SettleInsurance settles the insurance's part of an order that is priced at the
	// centre. Done says that HIS has taken it; the centre proves the rest. It is sent
	// once.
	SettleInsurance(context.Context, InsuranceSettle) flow.Answer

	WriteCharge(context.Context, Charge) Receipt
	CheckCharge(context.Context, Charge) Receipt // trade_check
	ReverseCharge(context.Context, Charge) Receipt
	CheckReverse(context.Context, Charge) Receipt
	// MayRefund asks whether a paid bill may go back; Refused says why not.
	MayRefund(context.Context, Charge) flow.Answer
	TellRefund(context.Context, PartRefund) flow.Answer
	// Charges tells what was booked on a business day (yyyy-MM-dd). After an error
	// the lines so far are not the whole day.
	Charges(ctx context.Context, day string, each func(ChargeLine) error) error
}
