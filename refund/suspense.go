package refund

import (
	"context"
	"strconv"

	"hospay/flow"
	"hospay/people"
)

// The events of what two people do with a suspended order.
const (
	EventProposed  = EventSuspense + "proposed"
	EventWithdrawn = EventSuspense + "withdrawn"
	EventConfirmed = EventSuspense + "confirmed"
	EventPaidHand  = "payout.by_hand" // the payee has the money by another way
	EventHISHand   = "his.by_hand"    // the balance is back on the card by another way
)

// DeskRule says who proposes what is done with a suspended order, and who
// confirms or refuses it.
var DeskRule = people.Rule{
	Propose: []string{people.RoleReviewer, people.RoleFinance}, Confirm: []string{people.RoleReviewer, people.RoleFinance},
}

// Of is the proposal by somebody who is known as a member by now.
func (p Proposal) Of(institution string, by people.Member) people.Proposal {
	return people.Proposal{Institution: institution, Name: strconv.Itoa(p.Seq), What: string(p.Action), By: by}
}

// Propose records what a person wants to be done with a suspended order. Both
// sides are asked first, and only what is safe then can be proposed. Nothing
// moves before another person has confirmed.
func (s *Service) Propose(ctx context.Context, id string, p Proposal, evidence string) error {
	var err error
	if p.Reason, err = flow.Required(p.Reason, flow.CodeNoteRequired); err != nil {
		return err
	}
	read := flow.Optional
	if p.Action.NeedsEvidence() {
		read = func(s string) (string, error) { return flow.Required(s, flow.CodeEvidenceRequired) }
	}
	if evidence, err = read(evidence); err != nil {
		return err
	}
	if evidence != "" {
		p.Reason += "（凭证 " + evidence + "）"
	}
	return s.suspended(ctx, id, func(t *turn) error {
		if t.w.Proposal != nil {
			return flow.NewError(flow.CodeProposalExists, string(t.w.Proposal.Action))
		}
		if _, err := t.safe(ctx, p.Action); err != nil {
			return err
		}
		t.Note(EventProposed, p.By, string(p.Action), p.Reason)
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
		t.Note(EventWithdrawn, by, string(t.w.Proposal.Action), note)
		return nil
	})
}

// Confirm carries out a proposal of another person, if it is still safe: both
// sides are asked again, and the order moves by compare-and-set. Another proposal
// than the one that the person saw is ErrConflict.
func (s *Service) Confirm(ctx context.Context, id string, seen Seen, by people.By, note string) error {
	note, err := flow.Optional(note)
	if err != nil {
		return err
	}
	return s.suspended(ctx, id, func(t *turn) error {
		p := t.w.Proposal
		if p == nil {
			return flow.NewError(flow.CodeNoProposal, "")
		}
		open := p.Of(t.w.Order.Institution, people.Member{By: p.By})
		if err := DeskRule.Another(open, by, seen.named()); err != nil { // before anybody is asked; the store asks for all of the rule
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
	return s.retry(func() error {
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

// safe asks both sides and refuses an action that the answers do not carry.
func (t *turn) safe(ctx context.Context, a Action) (Why, error) {
	if t.At.Before(t.w.Order.OpenSince.Add(t.timing.Settle)) { // a send may still be under way
		return "", flow.NewError(flow.CodeActionUnsafe, string(WhySettling))
	}
	_, can, err := t.his(ctx, nil)
	if err != nil {
		return "", err
	}
	if err := t.askSides(ctx, can); err != nil {
		return "", err
	}
	for _, o := range t.w.Offers(can) {
		if o.Action == a {
			if !o.Safe {
				return "", flow.NewError(flow.CodeActionUnsafe, string(o.Why))
			}
			return o.Why, nil
		}
	}
	return "", flow.NewError(flow.CodeBadRequest, "action")
}

// refresh asks both sides for the evidence that people decide on. It moves
// nothing; a side that is silent leaves the evidence as it is.
func (t *turn) refresh(ctx context.Context) error {
	_, can, err := t.his(ctx, nil)
	if err != nil {
		return err
	}
	return t.askSides(ctx, can)
}

// askSides brings the journal of a suspended order up to date: every number
// that has no proved end is asked for. A side that does not answer proves
// nothing, so nothing is done.
func (t *turn) askSides(ctx context.Context, can HISTraits) error {
	if t.w.Transfer != nil && t.w.Transfer.State != flow.CallDone {
		ch, err := t.dir.ChannelOf(ctx, t.w.Transfer.Connection)
		if err != nil {
			return err
		}
		ans := t.askPayout(ctx, ch)
		if ans.Verdict != flow.Done {
			return flow.NewError(flow.CodeChannelUnavailable, ans.Reason.Code)
		}
		t.toldPayout(ans)
	}
	if err := t.askLost(ctx); err != nil || !can.Queryable {
		return err
	}
	for _, kind := range []string{HISDebit, HISReverse} {
		call := t.hisCall(kind)
		if call == nil || call.State == flow.CallDone {
			continue
		}
		his, _, err := t.his(ctx, call)
		if err != nil {
			return err
		}
		ans := t.askHIS(ctx, his, kind, call)
		if ans.Verdict != flow.Done {
			return flow.NewError(flow.CodeHISUnavailable, ans.Reason.Code)
		}
		t.toldHIS(kind, call, ans)
	}
	return nil
}

// askLost takes a payout over that this folder has forgotten, see nothingPaid.
func (t *turn) askLost(ctx context.Context) error {
	if o := t.w.Order; o.Compensates != "" || (t.w.Transfer != nil && t.w.Transfer.side(o.Method) != SideNot) {
		return nil
	}
	next, ans, err := t.askNext(ctx)
	switch {
	case err != nil:
		return err
	case ans.Verdict != flow.Done:
		return flow.NewError(flow.CodeChannelUnavailable, ans.Reason.Code)
	case ans.paysOrMay(t.w.Order.Method):
		t.takeOver(next, ans)
		t.w.Order.SuspendedFrom = StatusPaying
	}
	return nil
}

// toldPayout books what the channel says about a payout of a suspended order.
// "No such number" ends only what the channel has refused, and only while it
// would still know the number.
func (t *turn) toldPayout(ans PayoutAnswer) {
	tr := t.w.Transfer
	t.c.Transfer = tr
	switch ans.State {
	case PayoutNotFound:
		if tr.State == flow.CallRefused && tr.Reported == "" && t.Askable(&tr.Call, payoutTraits) {
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
	if ans.State == PayoutSucceeded && ans.Amount != 0 && ans.Amount != t.w.Order.Amount {
		t.w.Order.FailCode = string(flow.CodeAmountMismatch)
	}
}

// toldHIS books what HIS says about a number of a suspended order.
func (t *turn) toldHIS(kind string, call *flow.Call, ans HISAnswer) {
	if ans.State != HISDone {
		return
	}
	o := &t.w.Order
	if (ans.Amount != 0 && ans.Amount != o.Amount) || (ans.CardNo != "" && ans.CardNo != o.CardNo) {
		o.FailCode = string(flow.CodeAmountMismatch)
		return
	}
	call.State, call.Theirs, call.DoneAt = flow.CallDone, ans.HISNo, t.At
	if kind == HISDebit && o.Compensates == "" {
		o.HISRefundNo, o.HISRefundAt = ans.HISNo, ans.At
		if ans.At.IsZero() {
			o.HISRefundAt = t.At
		}
	}
}

// act moves the order on. Each way is one of the table of legal moves; what
// was settled by hand passes through the state that it ends.
func (t *turn) act(a Action, by people.By, note string, why Why) {
	o := &t.w.Order
	next := func(to Status) { t.move(to, EventConfirmed, by, string(a), note) }
	switch a {
	case ActionResume:
		to := t.w.resumeTo()
		o.FailCode, o.FailReason = "", ""
		next(to)
	case ActionRestore:
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

// aim makes sure that the reversal has an end to come to.
func (t *turn) aim() {
	if t.w.Order.Target == "" {
		t.w.Order.Target = t.failTarget()
	}
}
