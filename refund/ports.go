package refund

import (
	"context"
	"time"

	"hospay/flow"
	"hospay/money"
)

// Method is how money goes back (退款方式).
type Method string

// The two methods.
const (
	MethodOriginal Method = "original" // 原路退: the channel's refund of the payment itself
	MethodTransfer Method = "transfer" // 转账退: the channel's payout to a balance
)

// Valid reports whether m is one of the two methods.
func (m Method) Valid() bool { return m == MethodOriginal || m == MethodTransfer }

// AccountType says what Payee.Account holds.
type AccountType string

// The account types of the channels.
const (
	AccountWechatOpenID  AccountType = "wechat_openid"
	AccountAlipayUserID  AccountType = "alipay_user_id"  // 2088…
	AccountAlipayOpenID  AccountType = "alipay_open_id"  // newer apps
	AccountAlipayLogonID AccountType = "alipay_logon_id" // phone or e-mail; the channel then demands the name
)

// Payee is the person who gets the money.
type Payee struct {
	Account string
	Type    AccountType
	Name    string // real name; the channel compares it with the account's
}

// Payment is the payment behind a deposit, as the channel knows it.
type Payment struct {
	TradeNo   string // merchant's number of the payment (out_trade_no); may be empty when ChannelNo is known
	ChannelNo string // channel's number (transaction_id, trade_no); may be empty
	Amount    money.Fen
	PaidAt    time.Time
}

// Payout is one attempt to give money back through a channel. Its number is
// stored before the first call and never changes while its outcome is open.
type Payout struct {
	No       string // letters and digits, at most 32
	Method   Method
	Amount   money.Fen
	Payee    Payee    // MethodTransfer
	Original *Payment // MethodOriginal
	Remark   string   // the payee sees it; at most 32 characters
}

// PayoutState is what a channel says about one payout number.
type PayoutState = flow.Said

// The states of a payout at the channel.
const (
	PayoutProcessing    PayoutState = "processing"     // accepted, not final
	PayoutAwaitingPayee PayoutState = "awaiting_payee" // the payee must confirm (待确认收款)
	PayoutConfirmed     PayoutState = "confirmed"      // the payee has confirmed, the money is on its way
	PayoutSucceeded     PayoutState = "succeeded"      // money is with the payee
	PayoutFailed        PayoutState = "failed"         // final: failed, closed, expired or cancelled
	PayoutReturned      PayoutState = "returned"       // succeeded earlier, then sent back by the payee's side
	PayoutNotFound      PayoutState = "not_found"      // the channel does not know the number (yet)
)

// Confirmation is what the payee's phone needs to open the channel's
// confirmation page (WeChat requestMerchantTransfer).
type Confirmation struct {
	MchID   string
	AppID   string
	Package string
}

// PayoutAnswer is the outcome of a Pay, Query or Cancel call. State and the
// fields after it are facts only when Verdict is Done.
type PayoutAnswer struct {
	Verdict   flow.Verdict
	Reason    flow.Reason // also set with Done when State is PayoutFailed: why it failed
	State     PayoutState
	ChannelNo string
	PaidAt    time.Time // zero when not told
	Confirm   Confirmation
	Deadline  time.Time // until when the payee can confirm; zero when not told
	Of        Movement
}

// Movement is what an answer says of the movement itself. It is compared with
// the order before a payment is believed: what is not told is asked for, what
// differs is for people.
type Movement struct {
	Told    bool // an amount was told, be it 0
	Amount  money.Fen
	Payees  map[AccountType]string // whom the money goes to, in each form that was told
	Payment Payment                // MethodOriginal: the payment that goes back, as far as told
	Differs string                 // what the client knows to be another's: merchant, application; in Chinese
}

// Channel pays money back. Implementations never panic, never follow
// redirects, honour the context's deadline and cap what they read.
type Channel interface {
	// Capabilities tells what the channel can do, as data.
	Capabilities() Capabilities
	// Pay sends the payout. Repeating it with equal contents is safe.
	Pay(context.Context, Payout) PayoutAnswer
	// Query asks for the payout by its number. A number that the channel does
	// not know is Done with PayoutNotFound.
	Query(context.Context, Payout) PayoutAnswer
	// Cancel asks the channel to close a payout that the payee has not
	// confirmed; the outcome comes from Query. Channels that cannot cancel
	// answer Refused with code "not_supported".
	Cancel(context.Context, Payout) PayoutAnswer
}

// Capabilities describes a configured channel.
type Capabilities struct {
	Methods        []Method
	PayeeConfirms  bool          // transfers wait for the payee (WeChat)
	MinAmount      money.Fen     // smallest transfer
	SingleLimit    money.Fen     // largest single transfer by contract; 0 = none known
	DayLimit       money.Fen     // what the contract allows in a day, told to IT; 0 = none known
	OriginalWindow time.Duration // how old a payment may be for MethodOriginal
	NameFrom       money.Fen     // transfers from this amount on must carry the payee's name
	Receipts       bool
	Bills          []string // kinds of bills it can download
}

// Identity asks the identity source for a person (实名信息).
type Identity struct {
	PatientNo string // the portal's subject, e.g. P0001
	IDType    string // an idno.Paper
	IDNo      string
	Name      string
}

// Person is what the identity source knows.
type Person struct {
	PatientNo string
	Name      string
	IDType    string
	IDNo      string
	Phone     string
}

// Card is a patient card (就诊卡) with its prepaid deposit.
type Card struct {
	No         string
	Name       string    // name on the card
	Balance    money.Fen // deposit balance
	Refundable money.Fen // what HIS lets go now
	IssuedAt   time.Time
	Deposits   []Deposit
	Unread     []string // fields and deposits that HIS told in a way that cannot be read
}

// Deposit is one prepayment (预交金) on a card.
type Deposit struct {
	No         string
	Amount     money.Fen
	Refundable money.Fen
	Channel    string // wechat, alipay, cash, bank …
	Payment    Payment
}

// Debit is one HIS withdrawal of a deposit (退预交金) or, when reversing, the
// withdrawal to be undone (撤销). No is stored before the first call.
type Debit struct {
	No        string // our number of this HIS call
	OrderNo   string
	CardNo    string
	Amount    money.Fen
	Method    Method
	Channel   string
	DepositNo string // the deposit that an original-route refund returns; may be empty
	DebitNo   string // reversing only: our number of the debit
	HISNo     string // reversing only: HIS's number of the debit
}

// HISState is what HIS says about one of our numbers.
type HISState = flow.Said

// The states of a HIS call.
const (
	HISDone     HISState = "done"
	HISPending  HISState = "pending"
	HISNotFound HISState = "not_found"
)

// HISAnswer is the outcome of a HIS call that moves money, or of its query.
// State and the fields after it are facts only when Verdict is Done.
type HISAnswer struct {
	Verdict flow.Verdict
	Reason  flow.Reason
	State   HISState
	HISNo   string
	Amount  money.Fen // 0 when not told
	CardNo  string    // empty when not told
	At      time.Time
	Unread  string // a field that proves nothing and could not be read
}

// HISLedger moves deposits in HIS.
type HISLedger interface {
	Debit(context.Context, Debit) HISAnswer
	QueryDebit(context.Context, Debit) HISAnswer
	Reverse(context.Context, Debit) HISAnswer
	QueryReverse(context.Context, Debit) HISAnswer
}

// HISRecords reads people, cards and statements. Its errors carry a Code
// (errors.go): "his_unavailable" when HIS did not answer properly,
// "patient_not_found" or "card_not_found" when it does not know them.
type HISRecords interface {
	Person(context.Context, Identity) (Person, error)
	Cards(context.Context, Person) ([]Card, error) // without deposits
	Card(ctx context.Context, cardNo string) (Card, error)
	Statement(ctx context.Context, day string, each func(StatementLine) error) error
}

// StatementLine is one line of the HIS statement of a business day.
type StatementLine struct {
	OrderNo string
	No      string // our number of the HIS call
	HISNo   string
	CardNo  string
	Amount  money.Fen // always told with HISDone
	Method  Method
	Channel string
	Status  string // succeeded, reversed, pending
	At      time.Time
	Unread  string // a field that could not be read, and is empty
}

// HIS is the whole port to a hospital information system.
type HIS interface {
	HISLedger
	HISRecords
}
