package payment

import (
	"context"
	"strconv"

	"hospay/flow"
	"hospay/money"
	"hospay/people"
)

// The events of a refund that takes two people.
const (
	EventRefundProposed  = "refund.proposed"
	EventRefundConfirmed = "refund.confirmed"
	EventRefundDeclined  = "refund.declined" // withdrawn by who proposed it, or refused by another
)

// RefundRule says who proposes a refund that takes two people, and who confirms or
// refuses it.
var RefundRule = people.Rule{Propose: RefundRoles(), Confirm: []string{people.RoleReviewer, people.RoleFinance}}

// TakesTwo reports whether a refund by the staff takes a second person: what went
// back of the payment already counts, so that nobody gives it back bit by bit.
func TakesTwo(o Order, r Refund, alone money.Fen) bool {
	return o.WentBack()+r.Total() > alone
}

// takesTwo reports whether a refund takes a second person as the institution is set
// now. The store asks once more, where it begins.
func (t *turn) takesTwo(ctx context.Context, r *Refund) (bool, error) {
	if r.By.Kind != people.ByStaff {
		return false, nil
	}
	alone, err := t.dir.RefundAlone(ctx, t.w.Order.Institution)
	return TakesTwo(t.w.Order, *r, alone), err
}

// Of is the proposal of a refund by somebody who is known as a member by now.
func (r Refund) Of(institution string, by people.Member) people.Proposal {
	return people.Proposal{Institution: institution, Name: strconv.Itoa(r.Seq), What: string(r.Kind), By: by}
}

// proposeRefund writes down what one person wants to be given back.
func (t *turn) proposeRefund(r *Refund) {
	t.numberRefund(r)
	r.State = RefundProposedState
	t.w.Wish, t.c.Refund = r, r
	t.Note(EventRefundProposed, r.By, string(r.Kind), r.Reason)
}

// ConfirmRefund begins the refund that another person has proposed, as it was
// proposed: HIS is asked again, and where what would go back is another by now the
// refund is refused. seq names the proposal that was seen; 0 is not told.
func (s *Service) ConfirmRefund(ctx context.Context, id string, seq int, by people.By, note string) error {
	note, err := flow.Optional(note)
	if err != nil {
		return err
	}
	return s.onWish(ctx, id, func(t *turn, r *Refund) error {
		seen := people.Seen{}
		if seq != 0 {
			seen.Name = strconv.Itoa(seq)
		}
		proposal := r.Of(t.w.Order.Institution, people.Member{By: r.By})
		if err := RefundRule.Another(proposal, by, seen); err != nil { // before anybody is asked; the store asks for all of the rule
			return err
		}
		if err := t.asProposed(ctx, *r, t.mayRefund); err != nil {
			return err
		}
		r.State, r.From = RefundOpenState, t.w.Order.Status
		t.w.Refund, t.c.Refund, t.w.Wish = r, r, nil
		t.Move(StatusRefunding, EventRefundConfirmed, by, string(r.Kind), note)
		return nil
	})
}

// DeclineRefund ends a proposal: who has made it withdraws it, another refuses it.
func (s *Service) DeclineRefund(ctx context.Context, id string, by people.By, note string) error {
	note, err := flow.Optional(note)
	if err != nil {
		return err
	}
	return s.onWish(ctx, id, func(t *turn, r *Refund) error {
		r.State, r.DoneAt, t.c.Refund, t.w.Wish = RefundDeclinedState, t.At, r, nil
		t.Note(EventRefundDeclined, by, string(r.Kind), note)
		return nil
	})
}

// onWish lets f decide about the refund that is proposed, and commits what it did.
func (s *Service) onWish(ctx context.Context, id string, f func(*turn, *Refund) error) error {
	return flow.Retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		if t.w.Wish == nil {
			return flow.NewError(CodeNoRefundProposed, "")
		}
		if err := f(t, t.w.Wish); err != nil {
			return err
		}
		return t.commit(ctx, t.w.Order.LeaseUntil.After(t.At))
	})
}

// asProposed refuses a proposed refund that would give back something else by now.
func (t *turn) asProposed(ctx context.Context, r Refund, judge func(context.Context, RefundWish) (*Refund, error)) error {
	wish := RefundWish{Kind: r.Kind, Reason: r.Reason}
	if r.Kind == RefundCash {
		wish.Cash = r.Cash
	}
	now, err := judge(ctx, wish)
	if err != nil {
		return err
	}
	if now.Insurance != r.Insurance || now.Fund != r.Fund || now.Account != r.Account || now.Cash != r.Cash {
		return flow.NewError(CodeRefundChanged, "提出时退 "+r.Total().Yuan()+"，现在退 "+now.Total().Yuan())
	}
	return nil
}

// Wished judges the refund that is proposed as it is now: a nil error may be
// confirmed. HIS, which is asked at the confirmation, may still say no.
func (s *Service) Wished(ctx context.Context, w Work) error {
	t, err := s.begin(ctx, w)
	if err != nil {
		return err
	}
	return t.asProposed(ctx, *w.Wish, t.hereToRefund)
}
