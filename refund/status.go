package refund

import "hospay/flow"

// Status is the state of a refund order.
type Status = flow.State

// The states of an order.
const (
	StatusSubmitted     Status = "submitted"      // 已提交: recorded, nothing called yet
	StatusDebiting      Status = "debiting"       // HIS 退预交金 in flight or unknown
	StatusReviewing     Status = "reviewing"      // 待审核
	StatusApproved      Status = "approved"       // 审核通过, payout not started
	StatusPaying        Status = "paying"         // channel call in flight, accepted or unknown
	StatusAwaitingPayee Status = "awaiting_payee" // 待确认收款
	StatusReversing     Status = "reversing"      // HIS 撤销 in flight or unknown
	StatusSuspense      Status = "suspense"       // 挂账: people decide
	StatusSucceeded     Status = "succeeded"      // 已到账
	StatusRefused       Status = "refused"        // HIS refused the debit; nothing moved
	StatusRejected      Status = "rejected"       // 审核驳回, balance restored
	StatusCancelled     Status = "cancelled"      // 已撤销 by the patient, balance restored
	StatusFailed        Status = "failed"         // payout failed, balance restored
)

// Machine is the one table of legal moves of refund orders; the database
// enforces the same table by triggers generated from it.
var Machine = &flow.Machine{
	Orders: "refund_orders", Events: "refund_events", Desk: StatusSuspense,
	Starts: []Status{StatusSubmitted},
	Table: []flow.Legal{
		{From: StatusSubmitted, To: []Status{StatusDebiting, StatusReviewing, StatusCancelled, StatusSuspense}},
		{From: StatusDebiting, To: []Status{StatusReviewing, StatusPaying, StatusRefused, StatusSuspense}},
		{From: StatusReviewing, To: []Status{StatusApproved, StatusReversing, StatusRejected, StatusCancelled, StatusSuspense}},
		{From: StatusApproved, To: []Status{StatusPaying, StatusDebiting, StatusReversing, StatusCancelled, StatusSuspense}},
		{From: StatusPaying, To: []Status{StatusAwaitingPayee, StatusSucceeded, StatusReversing, StatusSuspense}},
		{From: StatusAwaitingPayee, To: []Status{StatusPaying, StatusSucceeded, StatusReversing, StatusSuspense}},
		{From: StatusReversing, To: []Status{StatusRejected, StatusCancelled, StatusFailed, StatusSuspense}},
		{From: StatusSuspense, To: []Status{StatusDebiting, StatusPaying, StatusAwaitingPayee, StatusReversing}},
		{From: StatusSucceeded},
		{From: StatusRefused},
		{From: StatusRejected},
		{From: StatusCancelled},
		{From: StatusFailed},
	},
}
