package refund

import (
	"context"
	"fmt"
	"time"

	"hospay/flow"
	"hospay/money"
	"hospay/people"
)

// Finding is one thing that a reviewer would look up, looked up.
type Finding struct {
	Check  string `json:"check"`
	Pass   bool   `json:"pass"`
	Detail string `json:"detail"` // Chinese, no personal data
}

// Looked is what was looked up about an order under review.
type Looked struct {
	Facts       Facts
	Refundable  *money.Fen // as HIS says now; nil when it does not answer
	Proxy       *Proxy
	OtherActive int // other orders of the card under way, those of the same wish aside
	Now         time.Time
}

// Findings judges what was looked up, for the reviewer to decide on.
func (w Work) Findings(l Looked) []Finding {
	f := l.Facts
	debited := w.Debit != nil && w.Debit.State == flow.CallDone
	out := []Finding{
		{"name_equal", people.SameName(f.CardName, f.PayeeName), "收款人姓名与就诊卡姓名比对"},
		w.refundable(l, debited),
		{"shared_payee", f.PayeeCards <= 1, fmt.Sprintf("该收款账户用于 %d 张卡", f.PayeeCards)},
	}
	if w.Order.Proxy != "" {
		out = append(out, Finding{"proxy_approved", l.Proxy != nil && l.Proxy.Usable(l.Now), "代办申请已批准且在有效期内"})
	}
	if w.Order.DebitAt == DebitAtApproval && w.Debit == nil {
		out = append(out, Finding{"his_debited", true, "审核通过后再扣款"})
	} else {
		out = append(out, Finding{"his_debited", debited, "HIS 已证实扣款"})
	}
	return append(out, Finding{"no_other_active", l.OtherActive == 0, fmt.Sprintf("该卡另有 %d 笔在途退款", l.OtherActive)})
}

// refundable compares the amount with what HIS lets go, and adds what this
// order itself has taken from it.
func (w Work) refundable(l Looked, debited bool) Finding {
	const name = "amount_refundable"
	if l.Refundable == nil {
		return Finding{name, false, "HIS 没有应答，可退余额未知"}
	}
	limit := *l.Refundable
	if debited && w.Sides().Reversal != SideDone {
		limit += w.Order.Amount
	}
	return Finding{name, w.Order.Amount <= limit, fmt.Sprintf("金额 %s，可退 %s（含本单已扣）", w.Order.Amount, limit)}
}

// MayReview says whether a person could give an order its next decision.
func (s *Service) MayReview(ctx context.Context, id string, by people.By) error {
	t, err := s.load(ctx, id)
	if err != nil {
		return err
	}
	return t.mayDecide(Decision{Stage: t.w.Order.Next()}, by)
}
