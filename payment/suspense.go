package payment

import (
	"context"

	"hospay/flow"
	"hospay/people"
)

// Propose records what a person wants to be done with a suspended order. All
// sides are asked first, and only what is safe then can be proposed. Nothing
// moves before another person has confirmed.
func (s *Service) Propose(ctx context.Context, id string, p flow.Proposal, evidence string) error {
	p, err := p.Reasoned(evidence, NeedsEvidence(p.Action))
	if err != nil {
		return err
	}
	return s.suspended(ctx, id, func(t *turn) error {
		if t.w.Proposal != nil {
			return flow.NewError(flow.CodeProposalExists, string(t.w.Proposal.Action))
		}
		if _, err := t.safe(ctx, p.Action); err != nil {
			return err
		}
		t.Note(flow.EventProposed, p.By, string(p.Action), p.Reason)
		return nil
	})
}

// Withdraw takes a proposal back; whoever may propose may also refuse.
func (s *Service) Withdraw(ctx context.Context, id string, by people.By, note string) error {
	note, err := flow.Optional(note)
	if err != nil {
		return err
	}
	return s.suspended(ctx, id, func(t *turn) error {
		if t.w.Proposal == nil {
			return flow.NewError(flow.CodeNoProposal, "")
		}
		t.Note(flow.EventWithdrawn, by, string(t.w.Proposal.Action), note)
		t.DueNow() // it may go back by itself again
		return nil
	})
}

// Confirm carries out a proposal of another person, if it is still safe: all
// sides are asked again, and the order moves by compare-and-set. Another proposal
// than the one that the person saw is ErrConflict.
func (s *Service) Confirm(ctx context.Context, id string, seen flow.Seen, by people.By, note string) error {
	note, err := flow.Optional(note)
	if err != nil {
		return err
	}
	return s.suspended(ctx, id, func(t *turn) error {
		p := t.w.Proposal
		if err := p.Another(t.w.Order.Institution, by, seen); err != nil { // before anybody is asked
			return err
		}
		why, err := t.safe(ctx, p.Action)
		if err != nil {
			return err
		}
		t.act(p.Action, by, note, why)
		return nil
	})
}

// suspended lets f change a suspended order and commits what it did.
func (s *Service) suspended(ctx context.Context, id string, f func(*turn) error) error {
	return flow.Retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		if t.w.Order.Status != StatusSuspense {
			return flow.NewError(flow.CodeConflict, string(t.w.Order.Status))
		}
		if err := f(t); err != nil {
			return err
		}
		return t.commit(ctx, false)
	})
}

// Offers judges every action on an order of the desk as it is now.
func (s *Service) Offers(w Work) []ActionOffer { return w.Offers(s.waited(w.Order)) }

// waited reports whether people have waited long enough for proof.
func (s *Service) waited(o Order) bool {
	return !o.OpenSince.IsZero() && !s.now().Before(o.OpenSince.Add(s.timing.Look))
}

// safe asks all sides and refuses an action that the answers do not carry. A side
// that is silent carries only what people have looked at themselves.
func (t *turn) safe(ctx context.Context, a flow.Action) (Why, error) {
	if t.At.Before(t.w.Order.OpenSince.Add(t.timing.Settle)) { // a send may still be under way
		return "", flow.NewError(flow.CodeActionUnsafe, string(WhySettling))
	}
	if err := t.askAll(ctx); err != nil && flow.CodeOf(err) == "" {
		return "", err
	}
	for _, o := range t.Offers(t.w) {
		switch {
		case o.Action != a:
		case o.Safe:
			return o.Why, nil
		default:
			return "", flow.NewError(flow.CodeActionUnsafe, string(o.Why))
		}
	}
	return "", flow.NewError(flow.CodeBadRequest, "action")
}

// act moves the order on. Each way is one of the table of legal moves; what was
// settled by hand passes through the state that it ends.
func (t *turn) act(a flow.Action, by people.By, note string, why Why) {
	o := &t.w.Order
	reason := t.w.Proposal.Reason
	next := func(to Status) { t.Move(to, flow.EventConfirmed, by, string(a), note) }
	switch a {
	case ActionResume:
		o.FailCode, o.FailReason = "", ""
		t.anew()
		next(o.SuspendedFrom)
	case ActionWrite:
		o.FailCode, o.FailReason = "", ""
		c := t.w.Calls[CallCharge]
		c.Anew()
		c.State, c.Reported = flow.CallOpen, saidAnew
		t.keep(c)
		next(StatusWriting)
	case ActionRefund:
		o.FailCode, o.FailReason = string(CodeHISRefused), ""
		if s := o.SuspendedFrom; s == StatusPaying || s == StatusUndoing {
			o.GiveBack, o.Target, o.FailCode = true, StatusCancelled, string(CodeHalfPaid)
			next(StatusUndoing)
			return
		}
		next(StatusWriting)
		t.giveBack("his.refused_by_hand", by, CodeHISRefused)
	case ActionKeep:
		r := t.w.Refund
		r.State, r.DoneAt, t.c.Refund = RefundWithdrawnState, t.At, r
		o.FailCode, o.FailReason = "", ""
		next(StatusRefunding)
		to := r.From
		if to == "" {
			to = StatusDone
		}
		t.Move(to, "refund.withdrawn", by, string(why), reason)
		o.NextAt = noTime
	case ActionPaid:
		t.paidByHand()
		next(StatusPaying)
		t.Move(StatusSettled, "order.settled_by_hand", by, string(why), reason)
	case ActionWritten:
		c := t.w.Calls[CallCharge]
		t.keep(c)
		next(StatusWriting)
		o.WrittenAt, o.FailCode, o.FailReason = t.At, "", ""
		t.end(StatusDone, "his.written_by_hand", by, flow.Code(why), reason)
	case ActionUnpaid:
		o.Target = StatusCancelled
		next(StatusUndoing)
		t.end(StatusCancelled, "order.unpaid_by_hand", by, flow.Code(why), reason)
	case ActionRefunded:
		t.refundedByHand(next, by, why, reason)
	}
}

// saidAnew is in the journal row of a number that two people send once more, after
// HIS has said that it does not know it.
const saidAnew flow.Said = "anew"

// paidByHand books what two people have seen to be paid.
func (t *turn) paidByHand() {
	o := &t.w.Order
	o.FailCode, o.FailReason, o.Target, o.CancelWish = "", "", "", false
	if o.CashDue() > 0 {
		o.CashLeg = CashPaid
		t.done(CallTrade)
	}
	if o.Insured {
		o.Insurance = InsuranceSettled
		o.SettledAt = t.At
	}
	if o.PaidAt.IsZero() {
		o.PaidAt = t.At
	}
}

// refundedByHand ends an order of which people have made sure that nothing of the
// money is here any more.
func (t *turn) refundedByHand(next func(Status), by people.By, why Why, reason string) {
	o := &t.w.Order
	next(StatusRefunding)
	if r := t.w.Refund; r != nil && r.State == RefundOpenState {
		r.State, r.DoneAt, t.c.Refund = RefundDoneState, t.At, r
	}
	t.end(StatusRefunded, "refund.by_hand", by, flow.Code(why), reason)
	o.Target = ""
}

// anew lets the number at which an order rests go out again, because people have
// changed what it was refused for.
func (t *turn) anew() {
	kinds := map[Status][]string{StatusUploading: {CallUpload, CallPrice}, StatusOpening: {CallTrade, CallMixed}, StatusWriting: {CallCharge},
		StatusUndoing: {CallClose, CallUndo}, StatusReversing: {CallUncharge}, StatusRefunding: {CallBack, CallCashBack}}
	for _, k := range kinds[t.w.Order.SuspendedFrom] {
		if c := t.w.Calls[k]; c != nil && !ended(c) {
			c.Anew()
			t.keep(c)
		}
	}
}
