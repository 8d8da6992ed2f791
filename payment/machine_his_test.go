package payment

import (
	"context"
	"strings"

	"hospay/flow"
)

// Can implements HIS.
func (h hisSide) Can() HISCan { return h.w.can }

// Bills implements HIS.
func (h hisSide) Bills(_ context.Context, card string) (out []Bill, err error) {
	for _, b := range h.bills {
		if !h.paid(b.No) {
			shown := *b
			shown.CardNo = card
			out = append(out, shown)
		}
	}
	return out, nil
}

// Bill implements HIS.
func (h hisSide) Bill(_ context.Context, _, no string) (Bill, error) {
	h.w.meanwhile()
	if h.fixed != nil {
		return h.fixed.bill(no, h.bills)
	}
	if h.w.fault("bill", 8) == 0 {
		return Bill{}, flow.NewError(flow.CodeHISUnavailable, "")
	}
	for _, b := range h.bills {
		if b.No != no {
			continue
		}
		if h.paid(no) {
			return Bill{}, flow.NewError("bill_paid", "")
		}
		out := *b
		if h.w.fault("price changed", 12) == 0 {
			out.Amount++
		}
		return out, nil
	}
	return Bill{}, flow.NewError("bill_gone", "")
}

// paid reports whether a bill is paid: here, or at the window.
func (h hisSide) paid(bill string) bool {
	for _, k := range h.w.store.orders {
		for no, written := range h.charges {
			if written && strings.HasPrefix(no, k.Order.No) && k.Order.BillNo == bill {
				return true
			}
		}
	}
	return h.window[bill]
}

// Departments implements HIS.
func (h hisSide) Departments(context.Context) ([]Department, error) { return nil, nil }

// Slots implements HIS.
func (h hisSide) Slots(context.Context, string, string) ([]Slot, error) { return nil, nil }

// LockSlot implements HIS.
func (h hisSide) LockSlot(context.Context, string, string, string) (Bill, error) { return Bill{}, nil }

// ReleaseSlot implements HIS.
func (h hisSide) ReleaseSlot(context.Context, string, string, string) error { return nil }

// Areas implements HIS.
func (h hisSide) Areas(context.Context) ([]Area, error) { return nil, nil }

// Enrolment implements HIS.
func (h hisSide) Enrolment(context.Context, Insured, string) (Enrolment, error) {
	return Enrolment{}, nil
}

// SaveIdentity implements HIS.
func (h hisSide) SaveIdentity(context.Context, Identity) error { return nil }

// Bearer implements HIS.
func (h hisSide) Bearer(context.Context, Shown) (Bearer, error) { return Bearer{}, nil }

// SettleInsurance implements HIS.
func (h hisSide) SettleInsurance(_ context.Context, x InsuranceSettle) flow.Answer {
	no := flow.CallNo(x.OrderNo, letters[CallMixed], 1)
	h.w.called(CallMixed, no, h.w.store.journal[CallMixed+" "+no])
	if h.w.store.journal[CallMixed+" "+no] == "" || x.EcToken == "" || !h.w.agreed(x.OrderNo) {
		h.w.fail("settling %s without its committed intent, a credential or the patient's will", x.OrderNo)
	}
	if h.settles[x.PayOrdID]++; h.settles[x.PayOrdID] > 1 {
		h.w.fail("HIS is asked to settle %s a second time", x.OrderNo)
	}
	o := h.centres[x.PayOrdID]
	settle := func() {
		if o.stas != StasQuoted && o.stas != StasSettling {
			return
		}
		o.settled, o.stas = true, StasInsuranceDone
		if x.Cash == 0 {
			o.stas = StasComplete
		}
	}
	switch before, after := h.network("settle", settle); {
	case before:
		return flow.Answer{Reason: silence}
	case h.w.fault("settle refused", 10) == 0:
		return flow.Answer{Verdict: flow.Refused, Reason: flow.Reason{Code: "INS", Message: "医保不受理"}}
	case after:
		settle()
		return flow.Answer{Reason: silence}
	}
	settle()
	return flow.Answer{Verdict: flow.Done}
}

// WriteCharge implements HIS.
func (h hisSide) WriteCharge(_ context.Context, c Charge) Receipt {
	h.w.called(CallCharge, c.No, c.Hash())
	if h.fixed != nil {
		h.fixed.sends++
		return h.fixed.write
	}
	h.covered(c)
	write := func() {
		if !h.window[c.BillNo] {
			h.charges[c.No] = true
		}
	}
	if !h.w.can.Idempotent && h.charges[c.No] {
		h.w.fail("%s was written twice", c.No)
	}
	before, after := h.network("write", write)
	if before {
		return Receipt{Reason: silence}
	}
	if !h.charges[c.No] && (h.window[c.BillNo] || h.w.fault("write refused", 8) == 0) {
		return Receipt{Verdict: flow.Refused, Reason: flow.Reason{Code: "BILL_PAID", Message: "已在窗口收费"}}
	}
	write()
	if after {
		return Receipt{Reason: silence}
	}
	return h.receipt(c.No, h.charges)
}

// covered fails where HIS is told of money that is not here.
func (h hisSide) covered(c Charge) {
	for id, k := range h.w.store.orders {
		if o := k.Order; o.No == c.OrderNo && h.w.hands[id] == "" {
			if m := h.moved(o); m.cash-m.back != o.CashDue() || o.Insured && m.insured != c.Fund+c.Account {
				h.w.fail("HIS is told of %s without its money: cash %d of %d, insurance %d", c.OrderNo, m.cash-m.back, o.CashDue(), m.insured)
			}
		}
	}
}

func (h hisSide) receipt(no string, in map[string]bool) Receipt {
	if !in[no] {
		return Receipt{Verdict: flow.Done, State: ReceiptNotFound}
	}
	for _, k := range h.w.store.orders {
		if strings.HasPrefix(no, k.Order.No) {
			return Receipt{Verdict: flow.Done, State: ReceiptDone, HISNo: "H" + no, Told: true, Amount: k.Order.Total, At: h.w.clock}
		}
	}
	return Receipt{}
}

// CheckCharge implements HIS.
func (h hisSide) CheckCharge(_ context.Context, c Charge) Receipt {
	return h.check(c.No, h.charges)
}

func (h hisSide) check(no string, in map[string]bool) Receipt {
	h.w.meanwhile()
	if h.fixed != nil {
		return h.fixed.check
	}
	if h.w.fault("check", 8) == 0 {
		return Receipt{Reason: silence}
	}
	return h.receipt(no, in)
}

// ReverseCharge implements HIS.
func (h hisSide) ReverseCharge(_ context.Context, c Charge) Receipt {
	h.w.called(CallUncharge, c.No, c.Hash())
	if h.fixed != nil {
		h.fixed.sends++
		return h.fixed.write
	}
	reverse := func() {
		if h.gone[c.No] {
			return
		}
		h.gone[c.No] = true
		o := h.centres[c.PayOrdID]
		o.settled, o.stas = false, StasRefundedInsurance
	}
	before, after := h.network("reverse", reverse)
	if before {
		return Receipt{Reason: silence}
	}
	if !h.gone[c.No] && h.w.fault("reverse refused", 6) == 0 {
		return Receipt{Verdict: flow.Refused, Reason: flow.Reason{Code: "NO"}}
	}
	reverse()
	if after {
		return Receipt{Reason: silence}
	}
	return h.receipt(c.No, h.gone)
}

// CheckReverse implements HIS.
func (h hisSide) CheckReverse(_ context.Context, c Charge) Receipt { return h.check(c.No, h.gone) }

// MayRefund implements HIS.
func (h hisSide) MayRefund(context.Context, Charge) flow.Answer {
	return flow.Answer{Verdict: []flow.Verdict{flow.Refused, flow.Unknown, flow.Done}[min(h.w.fault("may", 6), 2)]}
}

// TellRefund implements HIS.
func (h hisSide) Charges(context.Context, string, func(ChargeLine) error) error { return nil }

func (h hisSide) TellRefund(_ context.Context, p PartRefund) flow.Answer {
	h.w.meanwhile()
	if h.fixed != nil {
		h.fixed.sends++
		return flow.Answer{Verdict: h.fixed.told}
	}
	v := []flow.Verdict{flow.Unknown, flow.Refused, flow.Done}[min(h.w.fault("tell HIS", 5), 2)]
	if v != flow.Refused && p.Whole {
		h.charges[p.ChargeNo] = false
	}
	return flow.Answer{Verdict: v}
}
