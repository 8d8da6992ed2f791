package refund

import (
	"context"

	"hospay/flow"
	"hospay/people"
)

// The events of what people have done by another way.
const (
	EventPaidHand = "payout.by_hand" // the payee has the money by another way
	EventHISHand  = "his.by_hand"    // the balance is back on the card by another way
)

// Propose records what a person wants to be done with a suspended order. Both
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
		if t.w.Order.Status == StatusSuspense {
			t.DueNow() // it may go back by itself again
		}
		return nil
	})
}

// Confirm carries out a proposal of another person, if it is still safe: both
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

// suspended lets f change a suspended order, or one whose end was contradicted,
// and commits what it did.
func (s *Service) suspended(ctx context.Context, id string, f func(*turn) error) error {
	return flow.Retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		if t.w.Order.Status != StatusSuspense && !t.w.Contradicted {
			return flow.NewError(flow.CodeConflict, string(t.w.Order.Status))
		}
		if err := f(t); err != nil {
			return err
		}
		return t.commit(ctx, false)
	})
}

// Offers judges every action on an order of the desk as it is now.
func (s *Service) Offers(w Work, can HISTraits) []ActionOffer {
	return w.Offers(can, s.waited(w.Order))
}

// waited reports whether people have waited long enough for proof.
func (s *Service) waited(o Order) bool {
	return !o.OpenSince.IsZero() && !s.now().Before(o.OpenSince.Add(s.timing.Look))
}

// safe asks both sides and refuses an action that the answers do not carry. A
// side that is silent carries only what people have looked at themselves.
func (t *turn) safe(ctx context.Context, a Action) (Why, error) {
	if t.w.Order.Status == StatusSuspense && t.At.Before(t.w.Order.OpenSince.Add(t.timing.Settle)) { // a send may still be under way
		return "", flow.NewError(flow.CodeActionUnsafe, string(WhySettling))
	}
	_, can, err := t.his(ctx, nil)
	if err != nil {
		return "", err
	}
	var silent error
	if !t.w.Contradicted {
		silent = t.askSides(ctx, can)
	}
	for _, o := range t.Offers(t.w, can) {
		switch {
		case o.Action != a:
		case o.Safe && (silent == nil || o.Why == WhyLooked):
			return o.Why, nil
		case silent != nil && t.w.looked(a, t.waited(t.w.Order)): // the proof is old
			return WhyLooked, nil
		case silent != nil:
			return "", silent
		default:
			return "", flow.NewError(flow.CodeActionUnsafe, string(o.Why))
		}
	}
	return "", flow.NewError(flow.CodeBadRequest, "action")
}

// toldPayout books what the channel says about a payout of a suspended order.
// "No such number" ends only what the channel has refused or does not let go
// out, and only while it would still know the number.
func (t *turn) toldPayout(ans PayoutAnswer) {
	tr := t.w.Transfer
	t.c.Transfer = tr
	switch ans.State {
	case PayoutNotFound:
		t.heard.missing = true
		stopped := tr.State == flow.CallRefused || tr.State == flow.CallHeld || t.timing.Futile(&tr.Call)
		if stopped && tr.Reported == "" && t.Askable(&tr.Call, payoutTraits) {
			tr.Reported = PayoutNotFound
		}
		return
	case PayoutFailed:
		tr.State, tr.Code, tr.Message = flow.CallRefused, ans.Reason.Code, ans.Reason.Message
	case PayoutReturned:
		tr.State = flow.CallOpen
		if t.w.Order.Method == MethodTransfer {
			tr.State = flow.CallRefused
		}
	default:
		tr.State = flow.CallOpen
	}
	tr.Reported, tr.Doubt = ans.State, false
}

// toldHIS books what HIS says about a number of a suspended order.
func (t *turn) toldHIS(ctx context.Context, kind string, call *flow.Call, ans HISAnswer) {
	if ans.State != HISDone {
		return
	}
	if odd := t.oddHIS(ctx, kind, call, ans); odd.Code != "" {
		t.w.Order.FailCode, t.w.Order.FailReason = odd.Code, odd.Message
		return
	}
	t.doneCall(kind, call, ans)
}

// act moves the order on. Each way is one of the table of legal moves; what
// was settled by hand passes through the state that it ends.
func (t *turn) act(a Action, by people.By, note string, why Why) {
	o := &t.w.Order
	if t.w.Contradicted { // the end stays as it is; that it was dealt with is a fact of its own
		t.Note(flow.EventConfirmed, by, string(a), t.w.Proposal.Reason)
		return
	}
	next := func(to Status) { t.move(to, flow.EventConfirmed, by, string(a), note) }
	switch a {
	case ActionResume:
		to := t.w.resumeTo()
		o.FailCode, o.FailReason = "", ""
		t.anew(to)
		next(to)
	case ActionRestore:
		if t.w.Sides().Debit == SideNot {
			t.nothingMoved(StatusRefused, flow.EventConfirmed, by, string(a), note)
			return
		}
		t.aim()
		t.reopenReversal()
		next(StatusReversing)
	case ActionPayAgain:
		o.FailCode, o.FailReason, o.Target = "", "", ""
		t.intendPayout()
		next(StatusPaying)
	case ActionPaidByHand:
		o.FailCode, o.FailReason, o.Target, o.PaidAt = "", "", "", t.At
		next(StatusPaying)
		t.move(StatusSucceeded, EventPaidHand, by, string(why), t.w.Proposal.Reason)
		t.Tell(flow.Notice{Event: NoticePaidByHand, At: t.At})
	case ActionRestoredHand:
		t.aim()
		next(StatusReversing)
		t.move(o.Target, EventHISHand, by, string(why), t.w.Proposal.Reason)
		t.ended(o.Target)
	}
}

// anew lets the number at which an order rests go out again, because people
// have changed what it was refused for.
func (t *turn) anew(to Status) {
	switch tr := t.w.Transfer; {
	case to == StatusDebiting:
		t.hisCall(HISDebit).Anew()
	case to == StatusReversing && t.w.Reversal != nil:
		t.hisCall(HISReverse).Anew()
	case tr != nil && (tr.State == flow.CallHeld || tr.Denied > 0 || t.timing.Futile(&tr.Call)):
		tr.Anew()
		t.c.Transfer = tr
	}
}

// aim makes sure that the reversal has an end to come to.
func (t *turn) aim() {
	if t.w.Order.Target == "" {
		t.w.Order.Target = t.failTarget()
	}
}
