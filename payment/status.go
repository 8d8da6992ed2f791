package payment

import "hospay/flow"

// Status is the state of a payment order.
type Status = flow.State

// The states of an order.
const (
	StatusCreated      Status = "created"    // 已建单: nothing outside was called
	StatusIdentified   Status = "identified" // 已授权: the patient's credential is here
	StatusUploading    Status = "uploading"  // 6201 and 6202 in flight or unknown
	StatusPriced       Status = "priced"     // 已分摊: who pays what is known
	StatusOpening      Status = "opening"    // orders at the channel in flight or unknown
	StatusPaying       Status = "paying"     // 待支付, or one half is paid
	StatusSettled      Status = "settled"    // both halves are proved
	StatusWriting      Status = "writing"    // HIS 结算回写 in flight or unknown
	StatusDone         Status = "done"       // 已缴费
	StatusUndoing      Status = "undoing"    // closed at the channel, revoked at the centre
	StatusReversing    Status = "reversing"  // HIS 免授权冲正 in flight or unknown
	StatusRefunding    Status = "refunding"  // 退费中
	StatusWaitAuth     Status = "refund_wait_auth"
	StatusPartRefunded Status = "part_refunded" // 部分退费
	StatusSuspense     Status = "suspense"      // 挂账: people decide
	StatusCancelled    Status = "cancelled"     // 未缴费，已取消
	StatusExpired      Status = "expired"       // 未缴费，已过期
	StatusRefunded     Status = "refunded"      // 全部退费
)

// Machine is the one table of legal moves of payment orders; the database
// enforces the same table by triggers generated from it.
var Machine = &flow.Machine{
	Orders: "payment_orders", Events: "payment_events", Desk: StatusSuspense,
	Starts: []Status{StatusCreated},
	Table: []flow.Legal{
		{From: StatusCreated, To: []Status{StatusIdentified, StatusOpening, StatusCancelled, StatusExpired, StatusSuspense}},
		{From: StatusIdentified, To: []Status{StatusUploading, StatusCreated, StatusCancelled, StatusExpired, StatusSuspense}},
		{From: StatusUploading, To: []Status{StatusPriced, StatusUndoing, StatusCancelled, StatusExpired, StatusSuspense}},
		{From: StatusPriced, To: []Status{StatusOpening, StatusUndoing, StatusSuspense}},
		{From: StatusOpening, To: []Status{StatusPaying, StatusUndoing, StatusSuspense}},
		{From: StatusPaying, To: []Status{StatusSettled, StatusUndoing, StatusRefunding, StatusRefunded, StatusSuspense}},
		{From: StatusSettled, To: []Status{StatusWriting, StatusSuspense}},
		{From: StatusWriting, To: []Status{StatusDone, StatusReversing, StatusRefunding, StatusSuspense}},
		{From: StatusDone, To: []Status{StatusRefunding}},
		{From: StatusUndoing, To: []Status{StatusCancelled, StatusExpired, StatusPaying, StatusRefunding, StatusRefunded, StatusSuspense}},
		{From: StatusReversing, To: []Status{StatusRefunding, StatusSuspense}},
		{From: StatusRefunding, To: []Status{StatusWaitAuth, StatusPartRefunded, StatusRefunded, StatusDone, StatusSuspense}},
		{From: StatusWaitAuth, To: []Status{StatusRefunding, StatusSuspense}},
		{From: StatusPartRefunded, To: []Status{StatusRefunding}},
		{From: StatusSuspense, To: []Status{StatusUploading, StatusPriced, StatusOpening, StatusPaying, StatusSettled, StatusWriting,
			StatusUndoing, StatusReversing, StatusRefunding, StatusWaitAuth, StatusCreated, StatusIdentified}},
		{From: StatusCancelled},
		{From: StatusExpired},
		{From: StatusRefunded},
	},
}

// Resting reports whether an order in a state waits for nothing: it has its end,
// or is paid and could still go back.
func Resting(s Status) bool {
	return Machine.Final(s) || s == StatusDone || s == StatusPartRefunded
}

// Unpaid reports whether an order has ended without anybody's money.
func Unpaid(s Status) bool { return s == StatusCancelled || s == StatusExpired }

// InsuranceState is where the insurance's part of an order stands.
type InsuranceState string

// The states of the insurance's part; empty without insurance.
const (
	InsuranceNone     InsuranceState = ""
	InsuranceOpen     InsuranceState = "open"     // nothing is at the centre
	InsuranceUploaded InsuranceState = "uploaded" // 6201
	InsurancePriced   InsuranceState = "priced"   // 6202
	InsuranceSettled  InsuranceState = "settled"  // the insurance has paid, as 6301 says
	InsuranceFailed   InsuranceState = "failed"   // it did not, and will not
	InsuranceUndone   InsuranceState = "undone"   // revoked
	InsuranceReturned InsuranceState = "refunded" // it was paid, and went back
)

// CashState is where the cash part of an order stands.
type CashState string

// The states of the cash part; empty while nothing is to be paid in cash.
const (
	CashNone         CashState = ""
	CashOpen         CashState = "open"
	CashPaid         CashState = "paid"
	CashClosed       CashState = "closed" // not paid, and cannot be any more
	CashPartReturned CashState = "part_refunded"
	CashReturned     CashState = "refunded"
)
