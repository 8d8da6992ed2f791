package payment

import (
	"hospay/flow"
)

// The actions that people may do with a suspended order (挂账处理), in the order in
// which they are offered.
const (
	ActionResume   flow.Action = "resume"           // 继续处理: back to where it was, ask again
	ActionRefund   flow.Action = "refund"           // 退回患者: give back all that is paid
	ActionWrite    flow.Action = "write_again"      // 重新回写: tell HIS once more, after its trade_check
	ActionKeep     flow.Action = "keep"             // 不再退: the payment stays as it was
	ActionPaid     flow.Action = "paid_by_hand"     // 已核实到账: both parts are paid
	ActionWritten  flow.Action = "written_by_hand"  // HIS 已入账
	ActionUnpaid   flow.Action = "unpaid_by_hand"   // 已核实未付款
	ActionRefunded flow.Action = "refunded_by_hand" // 已另行退回
)

// Actions lists all actions in a fixed order.
func Actions() []flow.Action {
	return []flow.Action{ActionResume, ActionWrite, ActionRefund, ActionKeep, ActionPaid, ActionWritten, ActionUnpaid, ActionRefunded}
}

// NeedsEvidence reports whether an action is about what was seen or done outside
// of hospay, so that a voucher must be named.
func NeedsEvidence(a flow.Action) bool {
	return a == ActionPaid || a == ActionWritten || a == ActionUnpaid || a == ActionRefunded
}

// Why says, in a word that the language files turn into a sentence, why an
// action is safe or is not offered.
type Why string

// The reasons.
const (
	WhySafe       Why = ""
	WhyState      Why = "not_suspended"
	WhySettling   Why = "settling"     // a send may still be under way
	WhyLooked     Why = "looked"       // two people look at the other side themselves
	WhyOpen       Why = "still_open"   // the patient may still pay, or HIS may still write
	WhyPaid       Why = "paid"         // something is proved to be paid
	WhyNotPaid    Why = "not_paid"     // nothing is proved to be paid
	WhyNoCharge   Why = "not_written"  // HIS was never told
	WhyWritten    Why = "written"      // HIS has the payment
	WhyMoved      Why = "part_is_back" // something went back already, or may have
	WhyOwnRefund  Why = "own_refund"   // the refund is not people's wish: HIS does not take the payment
	WhyNoRefund   Why = "no_refund"    // nothing is being refunded
	WhyAskedFirst Why = "wait_for_proof"
)

// ActionOffer says whether an action is safe now, and why or why not.
type ActionOffer struct {
	Action flow.Action
	Safe   bool
	Why    Why
}

// Facts is the evidence about an order, as the books have it.
type Facts struct {
	CashOpen, CashPaid           bool // of the channel
	InsuranceOpen, InsurancePaid bool // of the centre
	Charge                       Side // of HIS
	Refunding                    bool // a refund is open
	Back                         bool // something of it went back, or may have
}

// Side is what is proved about one movement at HIS.
type Side string

// The states of a side. SideNot: it moved nothing and never will.
const (
	SideNone Side = "none" // no number was ever written down
	SideOpen Side = "open" // nothing is proved
	SideNot  Side = "not"
	SideDone Side = "done"
)

// Facts reads the evidence from the order and its journal.
func (w Work) Facts() Facts {
	o := w.Order
	f := Facts{CashOpen: o.CashLeg == CashOpen, CashPaid: o.CashKept() > 0, InsurancePaid: o.Insurance == InsuranceSettled,
		Charge: sideOf(w.Calls[CallCharge])}
	f.InsuranceOpen = o.Insured && (o.Insurance == InsuranceUploaded || o.Insurance == InsurancePriced)
	if r := w.Refund; r != nil && r.State == RefundOpenState {
		f.Refunding = true
		f.Back = r.Insurance && o.Insurance != InsuranceSettled || r.CashDone
		if c := w.Calls[CallBack]; r.Insurance && c != nil && !over(c) {
			f.Back = true
		}
		if c := w.Calls[CallCashBack]; r.Cash > 0 && c != nil && !ended(c) {
			f.Back = true
		}
	}
	return f
}

func sideOf(c *flow.Call) Side {
	switch {
	case c == nil:
		return SideNone
	case c.State == flow.CallDone, c.Reported == ReceiptDone:
		return SideDone
	case over(c), c.Reported == ReceiptNotFound:
		return SideNot
	}
	return SideOpen
}

// Offers judges every action on an order of the desk. It is a function of the
// order, its journal, and of whether people have waited long enough for proof.
// What is proved to be otherwise is refused; where nothing is proved for long, or
// the other side speaks of other money, two people may go by what they see there.
func (w Work) Offers(waited bool) []ActionOffer {
	out := make([]ActionOffer, 0, len(Actions()))
	waited = waited || w.differs()
	for _, a := range Actions() {
		o := ActionOffer{Action: a, Why: w.refusal(a)}
		o.Safe = o.Why == WhySafe
		if waited && NeedsEvidence(a) && (o.Why == WhySafe || o.Why == WhyAskedFirst || o.Why == WhyOpen) {
			o.Safe, o.Why = true, WhyLooked
		}
		if waited && (a == ActionRefund || a == ActionWrite) && o.Why == WhyOpen {
			o.Safe, o.Why = true, WhyLooked
		}
		out = append(out, o)
	}
	return out
}

// differs reports whether the other side speaks of other money than ours.
func (w Work) differs() bool { return contradicted[flow.Code(w.Order.FailCode)] }

// refusal is why an action would not be safe.
func (w Work) refusal(a flow.Action) Why {
	f, from := w.Facts(), w.Order.SuspendedFrom
	paid := f.CashPaid || f.InsurancePaid
	after := from == StatusWriting || from == StatusSettled || from == StatusReversing
	switch {
	case w.Order.Status != StatusSuspense:
		return WhyState
	case a == ActionResume:
		return WhySafe
	case a == ActionKeep:
		return w.keep(f)
	case a == ActionWrite:
		switch {
		case from != StatusWriting:
			return WhyNoCharge
		case f.Charge == SideDone:
			return WhyWritten
		case f.Charge == SideOpen:
			return WhyOpen
		}
		return WhySafe
	case a == ActionWritten:
		switch {
		case f.Charge == SideNone:
			return WhyNoCharge
		case !after:
			return WhyMoved
		case f.Charge == SideNot:
			return WhyNotPaid
		case f.Charge == SideOpen:
			return WhyAskedFirst
		}
		return WhySafe
	case a == ActionRefund:
		switch {
		case f.Refunding || !after && from != StatusPaying && from != StatusUndoing:
			return WhyNoRefund
		case f.Charge == SideDone:
			return WhyWritten
		case f.Charge == SideOpen:
			return WhyOpen
		case !paid:
			return WhyNotPaid
		}
		return WhySafe
	case a == ActionPaid:
		switch {
		case from != StatusPaying && from != StatusOpening && from != StatusUndoing:
			return WhyState
		case w.Order.CashLeg == CashClosed || w.Order.CashLeg == CashReturned || w.lostInsurance():
			return WhyNotPaid
		case w.Order.Insurance == InsuranceOpen || w.Order.Insurance == InsuranceUploaded: // who pays what is not known
			return WhyState
		}
		return WhyAskedFirst
	case a == ActionUnpaid:
		switch {
		case after || f.Refunding:
			return WhyPaid
		case paid:
			return WhyPaid
		case f.CashOpen || f.InsuranceOpen:
			return WhyOpen
		}
		return WhySafe
	}
	if f.Charge == SideDone && !f.Refunding {
		return WhyWritten
	}
	return WhyAskedFirst
}

func (w Work) lostInsurance() bool {
	switch w.Order.Insurance {
	case InsuranceFailed, InsuranceUndone, InsuranceReturned:
		return true
	}
	return false
}

// keep lets a refund be that people have asked for, while nothing of it went back.
func (w Work) keep(f Facts) Why {
	switch {
	case !f.Refunding:
		return WhyNoRefund
	case w.Refund.ByItself:
		return WhyOwnRefund
	case f.Back:
		return WhyMoved
	}
	return WhySafe
}

// Where names, in a word that the language files turn into a sentence, where the
// money of a suspended order lies.
func (w Work) Where() string {
	f := w.Facts()
	switch {
	case w.differs():
		return "mismatch"
	case f.Refunding && f.Back:
		return "on_the_way_back"
	case f.Charge == SideDone:
		return "written"
	case f.CashPaid && f.InsurancePaid, f.CashPaid && !w.Order.Insured, f.InsurancePaid && w.Order.CashDue() == 0:
		return "paid"
	case f.CashPaid:
		return "cash_only"
	case f.InsurancePaid:
		return "insurance_only"
	case f.CashOpen || f.InsuranceOpen:
		return "open"
	}
	return "patient"
}
