package payment

import (
	"context"
	"time"

	"hospay/flow"
	"hospay/money"
	"hospay/people"
)

// EventRefundTold is a refund that HIS has made itself.
const EventRefundTold = "refund.told"

// ToldRefund is a refund that HIS has made itself, at a window or through
// connections of its own, and tells of.
type ToldRefund struct {
	RefundWish
	InsuranceNo string // the numbers under which the parts went back
	CashNo      string
	CashAt      time.Time
}

// HISKind is the kind of a refund whose parts HIS tells.
func HISKind(insured, cash money.Fen) RefundKind {
	switch {
	case insured > 0 && cash > 0:
		return RefundAll
	case insured > 0:
		return RefundInsurance
	}
	return RefundCash
}

// HISRefunded books a refund that HIS has made itself, so that the same money cannot go
// back a second time. Nothing moves here: the centre must show that the insurance
// has its part back (6301); that the cash went back is HIS's word, which only ever
// makes less refundable. The channel is told of an insurance part.
func (s *Service) HISRefunded(ctx context.Context, id string, wish ToldRefund, by people.By) (Refund, error) {
	var out Refund
	err := flow.Retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		before, err := s.askedBefore(ctx, t.w.Order, wish.RefundWish, true)
		if before != nil || err != nil {
			if before != nil {
				out = *before
			}
			return err
		}
		r, err := t.mayBook(ctx, wish)
		if err != nil {
			return err
		}
		r.By, r.AskedAt, r.From = by, t.At, t.w.Order.Status
		t.openRefund(r)
		if r.Insurance {
			r.Fund, r.Account = wish.Fund, wish.Account
		}
		if r.Cash > 0 {
			t.bookCashBack(r, wish.CashNo, wish.CashAt)
		}
		t.Move(StatusRefunding, EventRefundTold, by, string(r.Kind), r.Reason)
		out = *r
		return t.commit(ctx, false)
	})
	return out, err
}

// mayBook checks what HIS says against what is here, and asks the centre.
func (t *turn) mayBook(ctx context.Context, wish ToldRefund) (*Refund, error) {
	if err := t.refundable(); err != nil {
		return nil, err
	}
	if err := t.asTold(wish.RefundWish); err != nil {
		return nil, err
	}
	if kept := t.w.Order.CashKept(); wish.Cash > kept {
		return nil, flow.NewError(CodeOverPaid, kept.Yuan())
	}
	r := &Refund{Kind: wish.Kind, Reason: wish.Reason, HISRefundID: wish.HISRefundID, HISRefundAt: wish.HISRefundAt, Told: true,
		Cash: wish.Cash, Insurance: wish.Fund+wish.Account > 0, InsuranceNo: wish.InsuranceNo}
	if !r.Insurance {
		return r, nil
	}
	if err := t.lookCentre(ctx); err != nil {
		return nil, err
	}
	switch {
	case t.saw.centre == nil:
		return nil, flow.NewError(CodeCentreUnavailable, t.saw.silent.String())
	case t.w.Order.Insurance == InsuranceSettled:
		return nil, flow.NewError(CodeRefundUnproved, "")
	}
	return r, nil
}
