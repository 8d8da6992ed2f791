package payment

import (
	"context"
	"errors"

	"hospay/flow"
	"hospay/money"
	"hospay/people"
)

// refund is what the staff give back of an order, alone where they may, else by
// two of them.
func (w *world) refund() {
	id := w.anyOrder()
	if id == "" {
		return
	}
	by := people.By{Kind: people.ByStaff, ID: []string{"s", "t"}[w.draw("person", 2)]}
	var err error
	switch w.draw("refund", 4) {
	case 0:
		err = w.svc.ConfirmRefund(context.Background(), id, 0, by, "n")
	case 1:
		err = w.svc.DeclineRefund(context.Background(), id, by, "n")
	default:
		wish := RefundWish{Kind: []RefundKind{RefundAll, RefundInsurance, RefundCash}[w.draw("kind", 3)], Reason: "核对"}
		if wish.Kind == RefundCash {
			wish.Cash = money.Fen(w.draw("part", 3) * 300)
		}
		if _, err = w.svc.Refund(context.Background(), id, wish, by); err == nil && w.draw("at once", 2) == 0 {
			err = w.svc.ConfirmRefund(context.Background(), id, 0, people.By{Kind: people.ByStaff, ID: "u"}, "n")
		}
	}
	if code := flow.CodeOf(err); err != nil && code == "" && !errors.Is(err, errCrash) && !errors.Is(err, people.SamePerson) {
		w.fail("refund: %v", err)
	}
}

// twoPeople holds a refund that is written against the rule of two: the store keeps
// the content of what was proposed, and what one person wants beyond what they may
// begins only by another.
func (w *world) twoPeople(k *Work, c *Change) {
	r := c.Refund
	var was *Refund
	if all := w.store.refunds[c.ID]; len(all) >= r.Seq {
		was = &all[r.Seq-1]
	}
	switch {
	case was != nil && (was.Cash != r.Cash || was.Fund != r.Fund || was.Account != r.Account || was.Kind != r.Kind || was.By != r.By):
		w.fail("refund %s: other content", r.No)
	case r.State == RefundOpenState && was == nil && r.By.Kind == people.ByStaff && !r.ByItself && !r.Told && TakesTwo(k.Order, *r, w.alone):
		w.fail("refund %s of %d began by one person", r.No, r.Total())
	case r.State == RefundOpenState && was != nil && was.State == RefundProposedState:
		if by := c.Moves[len(c.Moves)-1].By; by.Same(r.By) {
			w.fail("refund %s was confirmed by who proposed it", r.No)
		}
	}
}
