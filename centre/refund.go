package centre

import (
	"context"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/money"
)

// RefundKind says which parts go back.
type RefundKind string

// The kinds of 6203.
const (
	RefundAll       RefundKind = "ALL"
	RefundCash      RefundKind = "CASH"
	RefundInsurance RefundKind = "HI"
)

// Refund is the order of 6203. Serial is written down before it is sent, and is
// the same for ever: that a repeat under it is harmless is unconfirmed, so after
// an unknown outcome 6301 is asked.
type Refund struct {
	Ref // Known is needed
	Credential
	Serial string // appRefdSn
	Kind   RefundKind
	Cash   money.Fen // of RefundCash; the insurance goes back whole or not at all
	At     time.Time
}

// RefundAnswer is the answer to 6203.
type RefundAnswer struct {
	Answer
	Status string // SUCC, FAIL, EXP
	No     string // refdSn, the centre's number
	DocSn  string // hiFefdSn, the insurance's number
	Time   string // of the insurance, date and time as it writes them
}

// Refund gives back what was settled (6203). The document's answer names neither
// order nor refund, so its signature and age are all that binds it: before cash
// follows, 6301 is asked for the state.
func (c *Client) Refund(ctx context.Context, r Refund) RefundAnswer {
	if words := r.wrong(c.region); words != "" {
		return RefundAnswer{Answer: badCall(words)}
	}
	d, a := c.call(ctx, c.region.Paths.Refund, r.data(c.region), append(r.private(), r.PayAuthNo, r.EcToken)...)
	out := RefundAnswer{Answer: a, Status: d.text("refStatus"), No: d.text("refdSn"), DocSn: d.text("hiFefdSn", "hiRefdSn"),
		Time: d.text("hiTrnsDate") + d.text("hiTrnsTime")}
	if a.Verdict != flow.Done {
		return out
	}
	serial := d.text("appRefdSn")
	switch {
	case !d.of(r.PayOrdID, r.MedOrgOrd) || serial != "" && serial != r.Serial:
		out.Answer = doubt(CodeMismatch, "应答属于另一笔退款", flow.ActorIT)
	case out.Status == "FAIL":
		out.Answer = Answer{flow.Refused, flow.Reason{Code: "FAIL", Message: "医保中心拒绝了退费", Actor: flow.ActorReviewer}}
	case out.Status != "SUCC" || out.No == "":
		out.Answer = doubt(CodeUnclear, "退费结果不明确", flow.ActorNone)
	}
	return out
}

func (r Refund) wrong(region Region) string {
	if words := r.Ref.wrong(); words != "" {
		return words
	}
	switch {
	case r.Known == nil:
		return "缺少原订单的金额"
	case !r.single():
		return "退费需要支付授权码或电子凭证令牌，且只能有一个"
	case !serialNo.MatchString(r.Serial) || r.At.IsZero():
		return "缺少退款流水号或退款时间"
	case r.Kind != RefundAll && r.Kind != RefundCash && r.Kind != RefundInsurance:
		return "退费类型应为 ALL、CASH 或 HI"
	case r.Kind == RefundCash && (r.Cash <= 0 || r.Cash > r.Known.Cash):
		return "自费退款金额应大于 0 且不超过原自费金额"
	case r.Kind == RefundCash && r.Cash < r.Known.Cash && !region.PartialCash:
		return "该地区的自费部分只能全部退回"
	case r.Kind == RefundInsurance && r.Known.Insured() == 0:
		return "该订单没有医保支付"
	}
	return ""
}

// data is the refund as the region writes it. Parts that do not go back are
// told as 0; the bare form leaves the insurance parts of ALL out.
func (r Refund) data(region Region) map[string]any {
	fund, account, cash, other := r.Known.Fund, r.Known.Account, r.Known.Cash, money.Fen(0)
	switch r.Kind {
	case RefundCash:
		fund, account, cash = 0, 0, r.Cash
	case RefundInsurance:
		cash = 0
	case RefundAll:
		if region.RefundTotalWithOther {
			other = r.Known.Other
		}
	}
	m := map[string]any{"payOrdId": r.PayOrdID, "appRefdSn": r.Serial, "appRefdTime": r.At.In(calendar.Beijing).Format(stampLayout),
		"totlRefdAmt": sum(fund, account, cash, other).Yuan(), "psnAcctRefdAmt": account.Yuan(), "fundRefdAmt": fund.Yuan(),
		"cashRefdAmt": cash.Yuan(), "refdType": string(r.Kind), "ecToken": r.EcToken, "payAuthNo": r.PayAuthNo}
	if r.Kind == RefundAll && region.RefundForm == RefundBare {
		delete(m, "psnAcctRefdAmt")
		delete(m, "fundRefdAmt")
	}
	return m
}
