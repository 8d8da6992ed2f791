package refund

import (
	"hospay/flow"
)

// Action is what people may do with a suspended order (挂账处理).
type Action = flow.Action

// The actions, in the order in which they are offered.
const (
	ActionResume       Action = "resume"           // 继续查询: back to where it was, ask again
	ActionRestore      Action = "restore"          // 退回就诊卡: give the balance back at HIS
	ActionPayAgain     Action = "pay_again"        // 重新付款: a new payout under a new number
	ActionPaidByHand   Action = "paid_by_hand"     // 已线下付款: the patient has the money
	ActionRestoredHand Action = "restored_by_hand" // 已线下退回: the balance is back on the card
)

// Actions lists all actions in a fixed order.
func Actions() []Action {
	return []Action{ActionResume, ActionRestore, ActionPayAgain, ActionPaidByHand, ActionRestoredHand}
}

// NeedsEvidence reports whether an action is about what was done outside of
// hospay, so that a voucher must be named.
func NeedsEvidence(a Action) bool { return a == ActionPaidByHand || a == ActionRestoredHand }

// Side is what the journal proves about one movement of money.
type Side string

// The states of a side. SideNot: it was proved that the number moved nothing
// and never will.
const (
	SideNone Side = "none" // no number was ever written down
	SideOpen Side = "open" // nothing is proved
	SideNot  Side = "not"
	SideDone Side = "done"
)

// Sides is the whole evidence about a suspended order.
type Sides struct{ Debit, Reversal, Payout Side }

// Sides reads the evidence from the journal.
func (w Work) Sides() Sides {
	s := Sides{Debit: sideOf(w.Debit), Reversal: sideOf(w.Reversal), Payout: w.Transfer.side(w.Order.Method)}
	if s.Reversal == SideOpen && w.Order.FailCode == string(flow.CodeHISNoReversal) && w.Reversal.State == flow.CallRefused &&
		w.Reversal.Reported == "" {
		s.Reversal = SideNot // the refusal was believed when the order was suspended
	}
	return s
}

func sideOf(c *flow.Call) Side {
	switch {
	case c == nil:
		return SideNone
	case c.State == flow.CallDone, c.Reported == HISDone:
		return SideDone
	case c.Reported == HISNotFound:
		return SideNot
	}
	return SideOpen
}

// side follows the rule of new numbers: only the channel's query says that a
// payout is over. What came back by original route can be paid again under its
// number by hand, so it is not over.
func (t *Transfer) side(m Method) Side {
	switch {
	case t == nil:
		return SideNone
	case t.State == flow.CallDone, t.Reported == PayoutSucceeded:
		return SideDone
	case t.Reported == PayoutNotFound: // booked only of what is refused, on hold, or does not go out any more
		return SideNot
	case t.State != flow.CallRefused:
		return SideOpen
	case t.Reported == PayoutFailed, t.Reported == PayoutReturned && m == MethodTransfer:
		return SideNot
	}
	return SideOpen
}

// Why says, in a word that the language files turn into a sentence, why an
// action is safe or is not offered.
type Why string

// The reasons.
const (
	WhySafe         Why = ""
	WhyState        Why = "not_suspended"
	WhySettling     Why = "settling"            // a send may still be under way
	WhyMismatch     Why = "amount_mismatch"     // the other side moved another amount
	WhyPaid         Why = "paid"                // the channel says that the money is with the payee
	WhyMayPay       Why = "may_pay"             // a payout may still pay
	WhyNoPayout     Why = "no_payout"           // nothing was ever to be paid
	WhyNotDebited   Why = "not_debited"         // HIS's debit is not proved
	WhyReversal     Why = "reversal_open"       // HIS may have given the balance back
	WhyReversed     Why = "reversed"            // HIS has given the balance back
	WhyUnwanted     Why = "rejected"            // people or the patient have decided against paying
	WhyUnderWay     Why = "reversal_resume"     // the reversal has its number: resume asks for it
	WhyIrreversible Why = "his_cannot_reverse"  // HIS offers none, or cannot be asked about a second one
	WhyUnasked      Why = "his_cannot_be_asked" // two people look at HIS themselves
	WhyLooked       Why = "looked"              // nothing is proved: two people look at both sides themselves
	WhyNothing      Why = "nothing_moved"       // there is nothing to give back
	WhyEnded        Why = "ended"               // the order has its end
)

// ActionOffer says whether an action is safe now, and why or why not.
type ActionOffer struct {
	Action Action
	Safe   bool
	Why    Why
}

// Offers judges every action on an order of the desk. It is a function of the
// order, its journal, of what HIS can do, and of whether people have waited long
// enough for proof; nothing else counts. Where no proof allows an end, or none
// has come for long, two people may go by what they see at the other side.
func (w Work) Offers(can HISTraits, waited bool) []ActionOffer {
	out := make([]ActionOffer, 0, len(Actions()))
	ends := false
	for _, a := range Actions() {
		o := ActionOffer{Action: a, Why: w.refusal(a, can)}
		o.Safe = o.Why == WhySafe || o.Why == WhyUnasked || o.Why == WhyNothing
		ends = ends || o.Safe && a != ActionResume
		out = append(out, o)
	}
	for i, o := range out {
		if !o.Safe && (waited || !ends) && w.looked(o.Action, waited) {
			out[i] = ActionOffer{Action: o.Action, Safe: true, Why: WhyLooked}
		}
	}
	return out
}

// looked reports whether two people may end an order by what they have seen at
// the other side, with a voucher: where the other side speaks of other money
// than ours, where a refund came back and stays payable, after an end that was
// contradicted, and where long enough nobody has told anything.
func (w Work) looked(a Action, waited bool) bool {
	s, o := w.Sides(), w.Order
	back := w.Transfer != nil && w.Transfer.Reported == PayoutReturned
	switch {
	case !NeedsEvidence(a):
		return false
	case w.Contradicted:
		return true
	case o.Status != StatusSuspense || !o.differs() && !back && !waited:
		return false
	case a == ActionPaidByHand:
		return s.Payout != SideNone
	}
	return o.differs() || s.Payout != SideDone
}

// refusal is why an action would not be safe.
func (w Work) refusal(a Action, can HISTraits) Why {
	s, o := w.Sides(), w.Order
	switch {
	case w.Contradicted:
		return WhyEnded
	case o.Status != StatusSuspense:
		return WhyState
	case o.FailCode == string(flow.CodePaidOldNumber):
		return s.paidBefore(a, o)
	case o.Compensates != "" && w.Reversal == nil && a != ActionResume: // that the money came back is not proved
		return WhyPaid
	case a == ActionResume:
		return s.resume(o)
	case o.differs():
		return WhyMismatch
	case a == ActionRestoredHand && w.unasked(can):
		return WhyUnasked
	case s.Payout == SideDone:
		return WhyPaid
	case s.Payout == SideOpen:
		return WhyMayPay
	case s.Debit == SideNot && s.Payout == SideNone && s.Reversal == SideNone && a == ActionRestore:
		return WhyNothing
	case s.Debit != SideDone:
		return WhyNotDebited
	case s.Reversal == SideDone:
		return WhyReversed
	case s.Reversal == SideOpen && a == ActionRestore:
		return WhyUnderWay
	case a == ActionRestore && (!can.Reversible || (s.Reversal != SideNone && (!can.Queryable || !can.Idempotent))):
		return WhyIrreversible
	case s.Reversal == SideOpen:
		return WhyReversal
	case a == ActionPayAgain || a == ActionPaidByHand:
		return s.payable(o)
	}
	return WhySafe
}

// resume asks again where the order was. Asking for a reversal may send it
// again, which must not happen while the channel may pay or once it has paid.
func (s Sides) resume(o Order) Why {
	switch {
	case o.CancelAsked && s.Payout == SideNot && o.SuspendedFrom != StatusReversing:
		return WhyUnwanted
	case o.SuspendedFrom != StatusReversing:
		return WhySafe
	case s.Payout == SideOpen:
		return WhyMayPay
	case s.Payout == SideDone && s.Reversal == SideOpen:
		return WhyReversal
	case s.Payout == SideDone && s.Reversal == SideDone:
		return WhyReversed
	}
	return WhySafe
}

// paidBefore judges an order that an earlier number has paid: it is settled as
// paid once the newest number is proved to pay nothing and the balance is not
// back. Nothing else is safe.
func (s Sides) paidBefore(a Action, o Order) Why {
	switch {
	case a != ActionPaidByHand || s.Payout == SideDone:
		return WhyPaid
	case s.Payout != SideNot:
		return WhyMayPay
	case s.Reversal == SideDone:
		return WhyReversed
	case s.Reversal == SideOpen:
		return WhyReversal
	case s.Debit != SideDone:
		return WhyNotDebited
	}
	return s.payable(o)
}

// payable refuses to pay what was never approved, or what was taken back.
func (s Sides) payable(o Order) Why {
	switch {
	case s.Payout == SideNone:
		return WhyNoPayout
	case o.CancelAsked, o.Target == StatusRejected, o.Target == StatusCancelled:
		return WhyUnwanted
	}
	return WhySafe
}

// unasked reports whether the only doubt is about a HIS that nobody can ask by
// number: then people look there themselves.
func (w Work) unasked(can HISTraits) bool {
	s := w.Sides()
	return !can.Queryable && (s.Payout == SideNone || s.Payout == SideNot) && (s.Debit == SideOpen || s.Reversal == SideOpen)
}

// resumeTo is where a resumed order goes on: where it was, or, when the
// channel has paid what counted as failed, back to the payout.
func (w Work) resumeTo() Status {
	if w.Order.SuspendedFrom == StatusReversing && w.Sides().Payout == SideDone {
		return StatusPaying
	}
	return w.Order.SuspendedFrom
}

// Where names, in a word that the language files turn into a sentence, on
// which side the amount of a suspended order lies.
func (w Work) Where() string {
	s := w.Sides()
	switch {
	case w.Contradicted:
		return "contradicted"
	case w.Order.differs():
		return "mismatch"
	case w.Order.FailCode == string(flow.CodePaidOldNumber) && s.Reversal != SideDone:
		return "payee"
	case s.Payout == SideDone && s.Reversal == SideDone:
		return "both"
	case s.Payout == SideDone:
		return "payee"
	case s.Reversal == SideDone:
		return "card"
	case s.Debit == SideOpen:
		return "debit_open"
	case s.Payout == SideOpen:
		return "payout_open"
	case s.Reversal == SideOpen:
		return "reversal_open"
	case s.Debit == SideDone:
		return "house"
	}
	return "card"
}
