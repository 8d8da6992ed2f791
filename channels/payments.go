package channels

import (
	"regexp"
	"slices"

	"hospay/flow"
	"hospay/money"
	"hospay/payment"
	"hospay/refund"
)

// CodeBadTrade: our own check refused a payment before sending it.
const CodeBadTrade = "bad_trade"

// TradeOf carries an outcome over to a trade.
func TradeOf(a refund.PayoutAnswer) payment.TradeAnswer {
	return payment.TradeAnswer{Verdict: a.Verdict, Reason: a.Reason}
}

// MixedOf carries an outcome over to a mixed order.
func MixedOf(a refund.PayoutAnswer) payment.MixedAnswer {
	return payment.MixedAnswer{Verdict: a.Verdict, Reason: a.Reason}
}

// AuthorisationOf carries an outcome over to an authorisation.
func AuthorisationOf(a refund.PayoutAnswer) payment.Authorisation {
	return payment.Authorisation{Verdict: a.Verdict, Reason: a.Reason}
}

// ToldOf carries an outcome over to something that was told.
func ToldOf(a refund.PayoutAnswer) flow.Answer {
	return flow.Answer{Verdict: a.Verdict, Reason: a.Reason}
}

// RefundOf carries an outcome over to the refund of a trade. Where it tells which
// trade went back, that must be the one that was meant.
func RefundOf(a refund.PayoutAnswer, r payment.TradeRefund) payment.RefundAnswer {
	out := payment.RefundAnswer{Verdict: a.Verdict, Reason: a.Reason, State: refundStates[a.State], ChannelNo: a.ChannelNo, At: a.PaidAt,
		Told: a.Of.Told, Amount: a.Of.Amount, Differs: a.Of.Differs}
	of := a.Of.Payment
	if of.TradeNo != "" && of.TradeNo != r.Trade.No || of.ChannelNo != "" && r.ChannelNo != "" && of.ChannelNo != r.ChannelNo {
		out.Differs = "原支付不同"
	}
	return out
}

// refundStates are the states of a payout that is a refund. What came back from
// the payer's side is not refunded.
var refundStates = map[refund.PayoutState]payment.RefundState{
	refund.PayoutProcessing: payment.RefundProcessing, refund.PayoutSucceeded: payment.RefundDone, refund.PayoutFailed: payment.RefundFailed,
	refund.PayoutReturned: payment.RefundFailed, refund.PayoutNotFound: payment.RefundNotFound,
}

// PayoutOf is the refund of a trade in the form that it shares with the refund
// of a deposit's payment.
func PayoutOf(r payment.TradeRefund) refund.Payout {
	return refund.Payout{No: r.No, Method: refund.MethodOriginal, Amount: r.Amount, Remark: r.Reason,
		Original: &refund.Payment{TradeNo: r.Trade.No, ChannelNo: r.ChannelNo, Amount: r.Trade.Amount}}
}

// RecoverTo turns a panic into an unknown outcome. Defer it directly.
func RecoverTo[T any](a *T, as func(refund.PayoutAnswer) T) {
	if r := recover(); r != nil {
		*a = as(doubt(CodePanic, "处理渠道应答时程序出错，按结果未知处理", flow.ActorIT))
	}
}

var tradeNo = regexp.MustCompile(`^[0-9A-Za-z]{6,32}$`)

// BadTrade is the outcome of a payment that must not be sent as it is.
func BadTrade(actor flow.Actor, words string) refund.PayoutAnswer {
	a := BadPayout(actor, words)
	a.Reason.Code = CodeBadTrade
	return a
}

// CheckTrade finds what every channel would refuse: it returns the outcome and
// false, or true when the trade may be sent.
func CheckTrade(t payment.Trade) (refund.PayoutAnswer, bool) {
	switch {
	case !tradeNo.MatchString(t.No):
		return BadTrade(flow.ActorIT, "支付单号只能是 6–32 位的字母和数字"), false
	case t.Amount <= 0 || t.Amount > money.Max:
		return BadTrade(flow.ActorIT, "支付金额必须大于 0"), false
	case !t.Terminal.Valid():
		return BadTrade(flow.ActorIT, "没有说明在哪里支付"), false
	case t.Title == "":
		return BadTrade(flow.ActorIT, "缺少支付标题"), false
	}
	return refund.PayoutAnswer{}, true
}

// CheckTradeRefund does the same for the refund of a trade.
func CheckTradeRefund(r payment.TradeRefund) (refund.PayoutAnswer, bool) {
	switch {
	case !payoutNo.MatchString(r.No):
		return BadTrade(flow.ActorIT, "退款单号只能是 32 位以内的字母和数字"), false
	case r.Trade.No == "":
		return BadTrade(flow.ActorIT, "退款缺少原支付单号"), false
	case r.Amount <= 0 || r.Amount > r.Trade.Amount:
		return BadTrade(flow.ActorReviewer, "退款金额应大于 0，且不超过原支付金额"), false
	}
	return refund.PayoutAnswer{}, true
}

// CheckMixed does the same for an order of insurance and cash: the numbers that
// every channel wants, and sums that fit.
func CheckMixed(m payment.Mixed) (refund.PayoutAnswer, bool) {
	parts := []money.Fen{m.Total, m.Fund, m.Account, m.Other, m.Cash, m.Added, m.Reduced, m.DepositPart, m.Amount}
	wrong := ""
	switch {
	case !tradeNo.MatchString(m.No):
		wrong = "支付单号只能是 6–32 位的字母和数字"
	case m.MedOrgOrd == "" || len(m.MedOrgOrd) > 20:
		wrong = "医院订单号应为 1–20 位"
	case slices.ContainsFunc(parts, func(f money.Fen) bool { return f < 0 || f > money.Max }):
		wrong = "金额不能为负"
	case m.Fund+m.Account+m.Other+m.Cash+m.Added != m.Total:
		wrong = "医保分项与现金之和不等于总额"
	case m.Cash+m.Added-m.Reduced != m.Amount:
		wrong = "渠道应收现金与医保现金、加收、减免不符"
	case m.DepositPart > m.Reduced:
		wrong = "预交金抵扣超过减免总额"
	case m.PayOrdID != "" && m.PayAuthNo == "":
		wrong = "缺少医保支付授权号"
	default:
		return refund.PayoutAnswer{}, true
	}
	return BadTrade(flow.ActorIT, wrong), false
}

// Missing names, in Chinese, the settings that a port needs and does not have.
func Missing(settings map[string]string) (names []string) {
	for label, value := range settings {
		if value == "" {
			names = append(names, label)
		}
	}
	slices.Sort(names)
	return names
}
