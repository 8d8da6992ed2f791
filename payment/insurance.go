package payment

import "strconv"

// Stas is ordStas, the state of an order at the insurance centre.
type Stas int

// NoStas is what an answer without a readable state has.
const NoStas Stas = -1

// States of the public table. 18 to 25 exist, and no public text says what
// they mean.
const (
	StasSaved             Stas = iota // 已保存
	StasQuoted                        // 预结算完成
	StasSettling                      // 结算中（待支付）
	StasCashDone                      // 自费完成
	StasInsuranceDone                 // 医保支付完成
	StasHospitalDone                  // 院内结算完成
	StasComplete                      // 结算完成
	StasRefundedAll                   // 已退款
	StasRefundedInsurance             // 已医保全部退款
	StasRefundedCash                  // 仅自费全部退款
	StasRefundedPart                  // 仅自费部分退款
	StasRefundedMixed                 // 医保全退、自费部分退
	StasUndone                        // 已撤销
	StasInsuranceUndone               // 医保已撤销
	StasAbnormal                      // 异常
	StasFailedToSettle                // 结算失败
	StasFailedBoth                    // 医保结算失败且自费冲正失败
	StasRefunding                     // 退款中
)

// StasGroup is what a state allows to conclude.
type StasGroup string

// The groups. A candidate has moved money on one side; it counts only with its
// amounts, and once the other half is proven. Unclear is asked for again, and
// is never success.
const (
	Processing StasGroup = "processing"
	Candidate  StasGroup = "candidate"
	Settled    StasGroup = "settled"
	Refunded   StasGroup = "refunded"
	Cancelled  StasGroup = "cancelled"
	Failed     StasGroup = "failed"
	Unclear    StasGroup = "unclear"
)

// Group sorts a state. 14 says that something is wrong and not what, so it
// proves no more than 17; 16 is a failure that has left cash behind.
func (s Stas) Group() StasGroup {
	switch {
	case s >= StasSaved && s <= StasSettling:
		return Processing
	case s >= StasCashDone && s <= StasHospitalDone:
		return Candidate
	case s == StasComplete:
		return Settled
	case s >= StasRefundedAll && s <= StasRefundedMixed:
		return Refunded
	case s == StasUndone || s == StasInsuranceUndone:
		return Cancelled
	case s == StasFailedToSettle || s == StasFailedBoth:
		return Failed
	}
	return Unclear
}

// String is the number as the centre writes it.
func (s Stas) String() string { return strconv.Itoa(int(s)) }

// ReadStas reads ordStas, as text or number.
func ReadStas(text string) Stas {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 99 {
		return NoStas
	}
	return Stas(n)
}
