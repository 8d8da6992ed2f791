package refund

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/money"
	"hospay/people"
)

// DebitAt says when HIS is debited.
type DebitAt string

// The two settings: at application (the rule), or after the approval, for a
// HIS that cannot reverse.
const (
	DebitAtApplication DebitAt = "application"
	DebitAtApproval    DebitAt = "approval"
)

// Order is one refund: one card, one amount, one method, one channel.
type Order struct {
	ID, No, Institution, Patient string

	CardNo    string
	DepositNo string // the deposit that goes back by original route
	Amount    money.Fen
	Method    Method
	Channel   string
	Group     string // orders of one wish
	GroupSeq  int
	Payee     Payee
	Original  *Payment // with MethodOriginal
	DebitAt   DebitAt
	Proxy     string // proxy application (代办), empty for oneself
	// Compensates is the order whose payout came back after success; such an
	// order starts at reversing and only restores the balance.
	Compensates string
	Created     time.Time

	Status        Status
	Target        Status // where reversing ends
	SuspendedFrom Status // where suspense goes back to
	Version       int64
	Tries         int       // consecutive open answers in this state
	OpenSince     time.Time // since when the outcome is open, in suspense since when people have it
	NextAt        time.Time // zero: nothing to do before somebody acts
	LeaseUntil    time.Time
	CancelAsked   bool

	Stage       ReviewStage // under review: the decision that is next, first or second
	ReviewMode  string      // auto, manual
	HISRefundNo string
	HISRefundAt time.Time
	ChannelNo   string
	PaidAt      time.Time
	FailCode    string
	FailReason  string
}

// CallState is the stored state of an outside call.
type CallState string

// The states of HISCall and Transfer rows. CallIntent: committed, perhaps sent.
const (
	CallIntent  CallState = "intent"
	CallOpen    CallState = "open" // accepted or unknown
	CallHeld    CallState = "held" // refused for now; the same number goes out again
	CallDone    CallState = "done"
	CallRefused CallState = "refused"
)

// The kinds of HIS calls.
const (
	HISDebit   = "debit"
	HISReverse = "reverse"
)

// HISCall is the journal row of one HIS number.
type HISCall struct {
	Kind    string // debit, reverse
	Attempt int
	No      string
	Hash    string // of the business content; the same for every send
	Amount  money.Fen
	State   CallState
	HISNo   string
	// Reported is what HIS last said when it was asked for the number; a proof
	// only once no send can still be under way.
	Reported HISState
	Code     string
	Message  string
	Sent     int
	SentAt   time.Time // last send
	DoneAt   time.Time
}

// Transfer is the journal row of one channel number (转账单).
type Transfer struct {
	Attempt   int
	No        string
	Hash      string
	Amount    money.Fen
	State     CallState
	Reported  PayoutState // what the channel last said
	ChannelNo string
	Code      string
	Message   string
	Doubt     bool // a send of this number is unaccounted for
	Sent      int
	SentAt    time.Time // last send that is booked; before it, when the intent was written
	PaidAt    time.Time
	Confirm   Confirmation
	ExpiresAt time.Time
}

// Work is an order with the journal rows that its next step needs.
type Work struct {
	Order    Order
	Debit    *HISCall
	Reversal *HISCall
	Transfer *Transfer
	Proposal *Proposal // what somebody proposes to do with a suspended order
	First    people.By // who gave the first approval of an order that stands at the second
}

// OrderNo derives the human order number: R, the Beijing date, twelve digits
// from the record id.
func OrderNo(id string, at time.Time) string {
	sum := sha256.Sum256([]byte("order|" + id))
	return fmt.Sprintf("R%s%012d", at.In(calendar.Beijing).Format("20060102"), binary.BigEndian.Uint64(sum[:8])%1_000_000_000_000)
}

// Hash is the fingerprint of a payout's business content, stored with the
// intent. It says nothing about the payee to anybody without the content.
func (p Payout) Hash() string {
	parts := []string{p.No, string(p.Method), fmt.Sprint(int64(p.Amount)), p.Payee.Account, string(p.Payee.Type), p.Payee.Name}
	if p.Original != nil {
		parts = append(parts, p.Original.TradeNo, p.Original.ChannelNo)
	}
	return flow.Fingerprint(parts)
}

// Hash is the fingerprint of a HIS call's business content.
func (d Debit) Hash() string {
	return flow.Fingerprint([]string{d.No, d.OrderNo, d.CardNo, fmt.Sprint(int64(d.Amount)), d.DepositNo, d.DebitNo})
}

// payout builds the channel request of an order under a number.
func (o Order) payout(no string) Payout {
	return Payout{No: no, Method: o.Method, Amount: o.Amount, Payee: o.Payee, Original: o.Original, Remark: "预交金退款"}
}

// debit builds the HIS request of an order under a number.
func (o Order) debit(no string) Debit {
	return Debit{No: no, OrderNo: o.No, CardNo: o.CardNo, Amount: o.Amount, Method: o.Method, Channel: o.Channel, DepositNo: o.DepositNo}
}

// reversal builds the HIS request that undoes an order's debit.
func (o Order) reversal(no, debitNo string) Debit {
	d := o.debit(no)
	d.DebitNo, d.HISNo = debitNo, o.HISRefundNo
	return d
}
