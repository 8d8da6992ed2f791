package payment

import (
	"context"

	"hospay/flow"
	"hospay/people"
)

// look asks all sides of an order what they know, and keeps what is proved. A
// side that is silent does not keep the others from being asked.
func (t *turn) look(ctx context.Context) error {
	if err := t.lookCash(ctx); err != nil {
		return err
	}
	if err := t.lookMixed(ctx); err != nil {
		return err
	}
	return t.lookCentre(ctx)
}

// halves is how far the two parts of an order are proved to be.
type halves struct {
	cash, insurance bool // paid, or nothing to pay
	cashLost        bool // not paid and never will be, or gone back
	insuranceLost   bool // not settled and never will be, or gone back
}

// halves weighs what is kept of both parts with what was just heard. That a mixed
// order has failed means that the insurance will not be settled through it any
// more, unless the centre says that it was.
func (t *turn) halves() halves {
	o := t.w.Order
	h := halves{cash: o.CashDue() == 0 || o.CashLeg == CashPaid, insurance: !o.Insured || o.Insurance == InsuranceSettled}
	h.cashLost = o.CashDue() > 0 && (o.CashLeg == CashClosed || o.CashLeg == CashReturned)
	if !o.Insured || h.insurance {
		return h
	}
	mixed := MixedState("")
	if t.saw.mixed != nil {
		mixed = t.saw.mixed.State
	}
	over := mixed == MixedFailed || mixed == MixedRefunded
	gone := o.Insurance == InsuranceFailed || o.Insurance == InsuranceUndone || o.Insurance == InsuranceReturned
	h.insuranceLost = over && t.saw.centre != nil || gone && mixed != MixedPaid
	return h
}

// stepPaying asks whether the patient has paid, and decides by what is proved of
// both parts.
func (t *turn) stepPaying(ctx context.Context) (bool, error) {
	if err := t.look(ctx); err != nil {
		return false, err
	}
	if t.odd.Code != "" {
		t.suspendOdd()
		return false, t.commit(ctx, false)
	}
	o, h := &t.w.Order, t.halves()
	target, code := t.unwanted()
	nothing := !(h.cash && o.CashDue() > 0) && !(h.insurance && o.Insured)
	switch {
	case h.cash && h.insurance:
		t.Move(StatusSettled, "order.settled", people.System(), "", "")
		return true, t.commit(ctx, true)
	case h.insuranceLost && o.CashLeg == CashPaid:
		t.lose(CodeInsuranceFailed)
		return true, t.commit(ctx, true)
	case h.cashLost && h.insurance && o.Insured:
		t.lose(CodeChannelRefused)
		return true, t.commit(ctx, true)
	case o.CashLeg == CashReturned:
		t.lose(CodeCashReturned)
		return t.IsDue(), t.commit(ctx, t.IsDue())
	case h.insuranceLost, h.cashLost && nothing:
		if target == "" { // else the channel has closed what nobody has paid in time
			target, code = StatusCancelled, lostCode(h)
		}
		t.abandon(target, "order.lost", people.System(), code, t.saw.why())
		return true, t.commit(ctx, true)
	case target != "" && o.CashLeg != CashPaid:
		t.abandon(target, "order."+string(target), people.System(), code, "")
		return true, t.commit(ctx, true)
	case nothing:
		t.untilExpiry(flow.Step(t.timing.Poll, o.Tries))
		o.Tries++
	default:
		t.Open(t.timing.Pending, t.timing.HalfPaid, CodeHalfPaid, t.saw.silent)
	}
	return false, t.commit(ctx, false)
}

func lostCode(h halves) flow.Code {
	if h.insuranceLost {
		return CodeInsuranceFailed
	}
	return CodeChannelRefused
}

// why is what the channel says of an order that has failed.
func (s sight) why() string {
	if s.mixed != nil {
		return s.mixed.Reason.String()
	}
	return ""
}

// lose gives back what is paid of an order that cannot be paid whole any more.
func (t *turn) lose(code flow.Code) {
	o := &t.w.Order
	o.FailCode, o.FailReason = string(code), t.saw.why()
	if o.Insured && o.Insurance != InsuranceSettled && o.Insurance != InsuranceReturned && o.Insurance != InsuranceUndone {
		o.Insurance = InsuranceFailed
	}
	t.giveBack("order.lost", people.System(), code)
}

// giveBack starts the refund of all that is proved to be paid; where nothing is,
// the order has its end.
func (t *turn) giveBack(event string, by people.By, code flow.Code) {
	o := &t.w.Order
	if o.FailCode == "" {
		o.FailCode = string(code)
	}
	r := &Refund{Kind: RefundAll, ByItself: true, Reason: string(code), By: by, AskedAt: t.At, Cash: o.CashKept()}
	r.Insurance = o.Insurance == InsuranceSettled || o.Status == StatusReversing // there HIS has given it back
	switch {
	case !r.Insurance && r.Cash == 0:
		t.end(StatusRefunded, event, by, code, o.FailReason)
		return
	case !r.Insurance:
		r.Kind = RefundCash
	case r.Cash == 0:
		r.Kind = RefundInsurance
	}
	t.openRefund(r)
	t.Move(StatusRefunding, event, by, string(code), o.FailReason)
}

// openRefund begins a refund.
func (t *turn) openRefund(r *Refund) {
	t.numberRefund(r)
	r.State = RefundOpenState
	t.w.Refund, t.c.Refund = r, r
}

// numberRefund numbers a refund and fills in the insurance's parts.
func (t *turn) numberRefund(r *Refund) {
	o := t.w.Order
	t.w.Refunds++
	r.Seq = t.w.Refunds
	r.No = flow.CallNo(o.No, 'R', r.Seq)
	if r.Insurance {
		r.Fund, r.Account = o.Fund, o.Account
	}
}

// stepSettled writes the intent of telling HIS.
func (t *turn) stepSettled(ctx context.Context) (bool, error) {
	o := &t.w.Order
	if o.PaidAt.IsZero() {
		o.PaidAt = t.At
	}
	o.FailCode, o.FailReason, o.CancelWish = "", "", false
	t.intend(CallCharge, o.Total, func(no string) string { return o.charge(no).Hash() })
	t.Move(StatusWriting, "order.writing", people.System(), "", "")
	return true, t.commit(ctx, true)
}
