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
	flow.Order
	Patient string

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

	Target      Status // where reversing ends
	CancelAsked bool

	Stage       ReviewStage // under review: the decision that is next, first or second
	ReviewMode  string      // auto, manual
	HISRefundNo string
	HISRefundAt time.Time
	ChannelNo   string
	PaidAt      time.Time
}

// Transfer is the journal row of one channel number (转账单), with what the
// payee's phone needs to confirm it.
type Transfer struct {
	flow.Call
	Confirm   Confirmation
	ExpiresAt time.Time
}

// Work is an order with the journal rows that its next step needs.
type Work struct {
	Order    Order
	Debit    *flow.Call
	Reversal *flow.Call
	Transfer *Transfer
	Proposal *flow.Proposal // what somebody proposes to do with a suspended order
	First    people.By      // who gave the first approval of an order that stands at the second
	// Contradicted: the order has its end, and the channel has told since that it
	// paid; people have not dealt with that yet.
	Contradicted bool
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
