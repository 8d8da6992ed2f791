package centre

import "strconv"

// State is ordStas, the state of an order at the centre.
type State int

// NoState is what an answer without a readable state has.
const NoState State = -1

// States of the public table. 18 to 25 exist, and no public text says what
// they mean.
const (
	Saved             State = iota // 已保存
	Quoted                         // 预结算完成
	Settling                       // 结算中（待支付）
	CashDone                       // 自费完成
	InsuranceDone                  // 医保支付完成
	HospitalDone                   // 院内结算完成
	Complete                       // 结算完成
	RefundedAll                    // 已退款
	RefundedInsurance              // 已医保全部退款
	RefundedCash                   // 仅自费全部退款
	RefundedPart                   // 仅自费部分退款
	RefundedMixed                  // 医保全退、自费部分退
	Undone                         // 已撤销
	InsuranceUndone                // 医保已撤销
	Abnormal                       // 异常
	FailedToSettle                 // 结算失败
	FailedBoth                     // 医保结算失败且自费冲正失败
	Refunding                      // 退款中
)

// Group is what a state allows to conclude.
type Group string

// The groups. A candidate has moved money on one side; it counts only with its
// amounts, and once the other half is proven. Unclear is asked for again, and
// is never success.
const (
	Processing Group = "processing"
	Candidate  Group = "candidate"
	Settled    Group = "settled"
	Refunded   Group = "refunded"
	Cancelled  Group = "cancelled"
	Failed     Group = "failed"
	Unclear    Group = "unclear"
)

// Group sorts a state. 14 says that something is wrong and not what, so it
// proves no more than 17; 16 is a failure that has left cash behind.
func (s State) Group() Group {
	switch {
	case s >= Saved && s <= Settling:
		return Processing
	case s >= CashDone && s <= HospitalDone:
		return Candidate
	case s == Complete:
		return Settled
	case s >= RefundedAll && s <= RefundedMixed:
		return Refunded
	case s == Undone || s == InsuranceUndone:
		return Cancelled
	case s == FailedToSettle || s == FailedBoth:
		return Failed
	}
	return Unclear
}

// String is the number as the centre writes it.
func (s State) String() string { return strconv.Itoa(int(s)) }

// readState reads ordStas, as text or number.
func readState(text string) State {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 99 {
		return NoState
	}
	return State(n)
}
