package payment

import (
	"context"
	"errors"
	"time"

	"hospay/flow"
	"hospay/money"
	"hospay/people"
)

// EventRefundAsked is a refund that somebody has asked for.
const EventRefundAsked = "refund.asked"

// RefundRoles may give a paid bill back.
func RefundRoles() []string { return []string{people.RoleFinance, people.RoleCashier} }

// RefundWish is what somebody wants to be given back of a paid bill.
type RefundWish struct {
	Kind        RefundKind
	Cash        money.Fen // of RefundCash: how much; 0 is what is left of it
	Reason      string
	HISRefundID string // HIS's number, where HIS asks; then it tells what the parts are
	HISRefundAt time.Time
	Fund        money.Fen
	Account     money.Fen
}

// Refund gives a paid bill back, whole or in part: the insurance's part goes back
// whole or not at all. HIS is asked first whether it may. The same number of HIS
// twice is one refund. What one member of the staff may not give back alone is
// proposed, and begins once another has confirmed it.
func (s *Service) Refund(ctx context.Context, id string, wish RefundWish, by people.By) (Refund, error) {
	reason, err := flow.Required(wish.Reason, flow.CodeNoteRequired)
	if err != nil {
		return Refund{}, err
	}
	wish.Reason = reason
	var out Refund
	err = flow.Retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		if before, err := s.askedBefore(ctx, t.w.Order, wish, false); before != nil || err != nil {
			if before != nil {
				out = *before
			}
			return err
		}
		if by.Kind == people.ByStaff && t.w.Wish != nil {
			return flow.NewError(CodeRefundProposed, t.w.Wish.No)
		}
		if by.Kind == people.ByStaff {
			if err := t.mayGiveBack(); err != nil {
				return err
			}
		}
		r, err := t.mayRefund(ctx, wish)
		if err != nil {
			return err
		}
		r.By, r.AskedAt, r.From = by, t.At, t.w.Order.Status
		two, err := t.takesTwo(ctx, r)
		if err != nil {
			return err
		}
		if two {
			t.proposeRefund(r)
		} else {
			t.openRefund(r)
			t.Move(StatusRefunding, EventRefundAsked, by, string(r.Kind), r.Reason)
		}
		out = *r
		return t.commit(ctx, false)
	})
	return out, err
}

// askedBefore is the refund that HIS has asked for, or told of, under the same
// number. With other amounts it is an error.
func (s *Service) askedBefore(ctx context.Context, o Order, wish RefundWish, told bool) (*Refund, error) {
	if wish.HISRefundID == "" {
		return nil, nil
	}
	w, r, err := s.store.RefundByHIS(ctx, o.Institution, wish.HISRefundID)
	switch {
	case errors.Is(err, flow.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case w.Order.ID != o.ID || r.Told != told || r.Kind != wish.Kind, r.Cash != wish.Cash || r.Fund != wish.Fund || r.Account != wish.Account:
		return nil, flow.NewError(CodeRefundIDTaken, r.No)
	}
	return r, nil
}

// hereToRefund checks a wish against what is still here of the money.
func (t *turn) hereToRefund(ctx context.Context, wish RefundWish) (*Refund, error) {
	if err := t.refundable(); err != nil {
		return nil, err
	}
	return t.refundOf(ctx, wish)
}

// mayRefund checks a wish, and asks HIS.
func (t *turn) mayRefund(ctx context.Context, wish RefundWish) (*Refund, error) {
	r, err := t.hereToRefund(ctx, wish)
	if err != nil {
		return nil, err
	}
	o := t.w.Order
	his, err := t.his(ctx)
	if err != nil {
		return nil, err
	}
	if wish.HISRefundID != "" || !his.Can().Refunds { // HIS wants it itself, or cannot be asked
		return r, nil
	}
	charge := ""
	if c := t.w.Calls[CallCharge]; c != nil {
		charge = c.No
	}
	asking, cancel := context.WithTimeout(ctx, t.timing.Call)
	defer cancel()
	switch ans := his.MayRefund(asking, o.reversal(charge, charge)); ans.Verdict {
	case flow.Done:
		return r, nil
	case flow.Refused:
		code := flow.Code(ans.Reason.Code)
		if code == "" {
			code = CodeHISRefused
		}
		return nil, flow.NewError(code, ans.Reason.Message)
	default:
		return nil, flow.NewError(flow.CodeHISUnavailable, ans.Reason.String())
	}
}

// refundable refuses what is not paid, is being refunded, or went back whole.
func (t *turn) refundable() error {
	switch o := t.w.Order; {
	case t.inst.Restored:
		return flow.NewError(CodeRestoredCopy, "")
	case o.Status == StatusDone || o.Status == StatusPartRefunded:
		return nil
	case o.Status == StatusRefunded:
		return flow.NewError(CodeNothingToRefund, "")
	case o.Status == StatusRefunding || o.Status == StatusWaitAuth:
		return flow.NewError(CodeRefundRunning, t.w.Refund.No)
	default:
		return flow.NewError(CodeNothingPaid, string(o.Status))
	}
}

// refundOf is the refund that a wish makes of what is still here.
func (t *turn) refundOf(ctx context.Context, wish RefundWish) (*Refund, error) {
	o := t.w.Order
	kept, insured := o.CashKept(), o.Insurance == InsuranceSettled
	r := &Refund{Kind: wish.Kind, Reason: wish.Reason, HISRefundID: wish.HISRefundID, HISRefundAt: wish.HISRefundAt}
	switch wish.Kind {
	case RefundAll:
		r.Insurance, r.Cash = insured, kept
	case RefundInsurance:
		r.Insurance = insured
	case RefundCash:
		if r.Cash = wish.Cash; r.Cash == 0 {
			r.Cash = kept
		}
	default:
		return nil, flow.NewError(flow.CodeBadRequest, "kind")
	}
	if r.Insurance {
		r.Fund, r.Account = o.Fund, o.Account
	}
	if wish.HISRefundID != "" {
		if err := t.asTold(wish); err != nil {
			return nil, err
		}
	}
	switch {
	case wish.Cash < 0 || wish.Kind == RefundInsurance && wish.Cash != 0:
		return nil, flow.NewError(flow.CodeAmountInvalid, "")
	case r.Cash > kept || wish.Cash > kept:
		return nil, flow.NewError(CodeOverPaid, kept.Yuan())
	case !r.Insurance && r.Cash == 0:
		return nil, flow.NewError(CodeNothingToRefund, "")
	case wish.Kind == RefundAll && wish.Cash != 0 && wish.Cash != r.Cash: // the insurance's part with some of the cash
		return nil, flow.NewError(CodeRefundPartNotTaken, "")
	case r.Insurance && o.BackKind != "" && o.BackKind != o.backKind(*r): // the one number says otherwise
		return nil, flow.NewError(CodeRefundPartNotTaken, "")
	}
	if o.Insured && r.Cash > 0 && r.Cash < kept {
		h, err := t.habits(ctx)
		if err != nil {
			return nil, err
		}
		if !h.PartialCash {
			return nil, flow.NewError(CodeRefundPartNotTaken, "")
		}
	}
	return r, nil
}

// asTold holds what HIS says of a payment's parts against what is here of them.
func (t *turn) asTold(wish RefundWish) error {
	o := t.w.Order
	switch {
	case wish.Fund == 0 && wish.Account == 0:
		return nil
	case o.Insurance != InsuranceSettled:
		return flow.NewError(CodeNothingToRefund, "")
	case wish.Fund != o.Fund || wish.Account != o.Account:
		return flow.NewError(CodeInsuranceWhole, "统筹 "+o.Fund.Yuan()+"，个账 "+o.Account.Yuan())
	}
	return nil
}
