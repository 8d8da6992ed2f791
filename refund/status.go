package refund

import "slices"

// Status is the state of a refund order. The zero value is not a state.
type Status string

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

// transitions is the one table of legal moves; the database enforces the same
// table by a trigger generated from it.
var transitions = map[Status][]Status{
	StatusSubmitted:     {StatusDebiting, StatusReviewing, StatusCancelled},
	StatusDebiting:      {StatusReviewing, StatusPaying, StatusRefused, StatusSuspense},
	StatusReviewing:     {StatusApproved, StatusReversing, StatusRejected, StatusCancelled},
	StatusApproved:      {StatusPaying, StatusDebiting, StatusReversing, StatusCancelled},
	StatusPaying:        {StatusAwaitingPayee, StatusSucceeded, StatusReversing, StatusSuspense},
	StatusAwaitingPayee: {StatusPaying, StatusSucceeded, StatusReversing, StatusSuspense},
	StatusReversing:     {StatusRejected, StatusCancelled, StatusFailed, StatusSuspense},
	StatusSuspense:      {StatusDebiting, StatusPaying, StatusAwaitingPayee, StatusReversing},
	StatusSucceeded:     nil,
	StatusRefused:       nil,
	StatusRejected:      nil,
	StatusCancelled:     nil,
	StatusFailed:        nil,
}

// Statuses lists all states in a fixed order.
func Statuses() []Status {
	return []Status{
		StatusSubmitted, StatusDebiting, StatusReviewing, StatusApproved, StatusPaying, StatusAwaitingPayee, StatusReversing,
		StatusSuspense, StatusSucceeded, StatusRefused, StatusRejected, StatusCancelled, StatusFailed,
	}
}

// FinalStatuses lists the states that no order leaves.
func FinalStatuses() []Status {
	return slices.DeleteFunc(Statuses(), func(s Status) bool { return !s.Final() })
}

// Valid reports whether s is a state.
func (s Status) Valid() bool { _, ok := transitions[s]; return ok }

// Final reports whether no order leaves s.
func (s Status) Final() bool { next, ok := transitions[s]; return ok && len(next) == 0 }

// Can reports whether an order may move from s to next.
func (s Status) Can(next Status) bool { return slices.Contains(transitions[s], next) }

// Next lists the states that may follow s.
func (s Status) Next() []Status { return slices.Clone(transitions[s]) }
