package centre

import (
	"context"

	"hospay/calendar"
	"hospay/flow"
	"hospay/money"
	"hospay/payment"
)

// Refund gives back what was settled (6203). The document's answer names neither
// order nor refund, so its signature and age are all that binds it: before cash
// follows, 6301 is asked for the state.
func (c *Client) Refund(ctx context.Context, r payment.InsuranceBack) payment.InsuranceBackAnswer {
	if words := wrongBack(r, c.region); words != "" {
		return payment.InsuranceBackAnswer{Result: badCall(words)}
	}
	d, a := c.call(ctx, c.region.Paths.Refund, backData(r, c.region), append(private(r.Ref), r.PayAuthNo, r.EcToken)...)
	out := payment.InsuranceBackAnswer{Result: a, Status: d.text("refStatus"), No: d.text("refdSn"), DocSn: d.text("hiFefdSn", "hiRefdSn"),
		Time: d.text("hiTrnsDate") + d.text("hiTrnsTime")}
	if a.Verdict != flow.Done {
		return out
	}
	serial := d.text("appRefdSn")
	switch {
	case !d.of(r.PayOrdID, r.MedOrgOrd) || serial != "" && serial != r.Serial:
		out.Result = doubt(CodeMismatch, "应答属于另一笔退款", flow.ActorIT)
	case out.Status == "FAIL":
		out.Result = payment.Result{Verdict: flow.Refused, Reason: flow.Reason{Code: "FAIL", Message: "医保中心拒绝了退费", Actor: flow.ActorReviewer}}
	case out.Status != "SUCC" || out.No == "":
		out.Result = doubt(CodeUnclear, "退费结果不明确", flow.ActorNone)
	}
	return out
}

func wrongBack(r payment.InsuranceBack, region Region) string {
	if words := wrongRef(r.Ref); words != "" {
		return words
	}
	switch {
	case r.Known == nil:
		return "缺少原订单的金额"
	case !r.Single():
		return "退费需要支付授权码或电子凭证令牌，且只能有一个"
	case !serialNo.MatchString(r.Serial) || r.At.IsZero():
		return "缺少退款流水号或退款时间"
	case r.Kind != payment.BackAll && r.Kind != payment.BackCash && r.Kind != payment.BackInsurance:
		return "退费类型应为 ALL、CASH 或 HI"
	case r.Kind == payment.BackCash && (r.Cash <= 0 || r.Cash > r.Known.Cash):
		return "自费退款金额应大于 0 且不超过原自费金额"
	case r.Kind == payment.BackCash && r.Cash < r.Known.Cash && !region.PartialCash:
		return "该地区的自费部分只能全部退回"
	case r.Kind == payment.BackInsurance && r.Known.Insured() == 0:
		return "该订单没有医保支付"
	}
	return ""
}

// backData is the refund as the region writes it. Parts that do not go back are
// told as 0; the bare form leaves the insurance parts of ALL out.
func backData(r payment.InsuranceBack, region Region) map[string]any {
	fund, account, cash, other := r.Known.Fund, r.Known.Account, r.Known.Cash, money.Fen(0)
	switch r.Kind {
	case payment.BackCash:
		fund, account, cash = 0, 0, r.Cash
	case payment.BackInsurance:
		cash = 0
	case payment.BackAll:
		if region.RefundTotalWithOther {
			other = r.Known.Other
		}
	}
	m := map[string]any{"payOrdId": r.PayOrdID, "appRefdSn": r.Serial, "appRefdTime": r.At.In(calendar.Beijing).Format(stampLayout),
		"totlRefdAmt": sum(fund, account, cash, other).Yuan(), "psnAcctRefdAmt": account.Yuan(), "fundRefdAmt": fund.Yuan(),
		"cashRefdAmt": cash.Yuan(), "refdType": string(r.Kind), "ecToken": r.EcToken, "payAuthNo": r.PayAuthNo}
	if r.Kind == payment.BackAll && region.RefundForm == RefundBare {
		delete(m, "psnAcctRefdAmt")
		delete(m, "fundRefdAmt")
	}
	return m
}
