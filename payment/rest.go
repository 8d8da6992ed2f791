package payment

import (
	"context"

	"hospay/flow"
	"hospay/people"
)

// contradicted are the reasons for which only people bring an order back: what
// was told contradicts itself or us.
var contradicted = map[flow.Code]bool{flow.CodeAmountMismatch: true, flow.CodePartyMismatch: true, flow.CodeNumberTaken: true,
	CodeContradicted: true, CodePartsLost: true}

// settled are those where asking on is worth it and sending again is not.
var settled = map[flow.Code]bool{flow.CodeRefusedForGood: true, flow.CodeHeldTooLong: true, flow.CodeHISNotQueryable: true,
	flow.CodePendingTooLong: true, CodeRefundUnclear: true, CodeRefundRefused: true, CodeCashRefundFailed: true, CodeCashGone: true,
	CodeReversalUnproved: true}

// stepSuspense asks once a day and tells once a day; an answer that proves the
// outcome brings the order back to the flow, unless two people are about to
// decide. No step sends anything.
func (t *turn) stepSuspense(ctx context.Context) (bool, error) {
	o := &t.w.Order
	if n := t.Alarms(t.At); n > o.Tries { // Tries counts on the desk what was told beside the first time
		o.Tries = n
		t.Tell(flow.Notice{Event: flow.NoticeSuspense, Staff: true, At: t.At})
	}
	if err := t.askAll(ctx); err != nil && flow.CodeOf(err) == "" {
		return false, err
	}
	if t.odd.Code != "" && !contradicted[flow.Code(o.FailCode)] {
		o.FailCode, o.FailReason = t.odd.Code, t.odd.Message
	}
	if t.w.Proposal == nil && t.proved(ctx) {
		o.FailCode, o.FailReason = "", ""
		t.Move(o.SuspendedFrom, "suspense.proved", people.System(), "", "")
		return true, t.commit(ctx, true)
	}
	t.Wait(t.timing.Daily)
	return false, t.commit(ctx, false)
}

// askAll asks every side of what is not proved yet.
func (t *turn) askAll(ctx context.Context) error {
	o := t.w.Order
	if back := t.w.Calls[CallCashBack]; o.CashBack == 0 && (back == nil || over(back)) {
		if err := t.lookCash(ctx); err != nil {
			return err
		}
	}
	if err := t.lookMixed(ctx); err != nil {
		return err
	}
	if err := t.lookCentre(ctx); err != nil {
		return err
	}
	if err := t.askHIS(ctx); err != nil {
		return err
	}
	return t.askCashBack(ctx)
}

// askHIS asks for the write-back and for its reversal.
func (t *turn) askHIS(ctx context.Context) error {
	charge, reverse := t.w.Calls[CallCharge], t.w.Calls[CallUncharge]
	if charge == nil || charge.State == flow.CallDone {
		return nil
	}
	his, err := t.his(ctx)
	if err != nil || !his.Can().Check {
		return err
	}
	o := t.w.Order
	ask := func(c *flow.Call, request Charge, f func(context.Context, Charge) Receipt) {
		t.heard(c.Kind, t.Ask(ctx, func(ctx context.Context) flow.Answer { return t.judgeReceipt(ctx, c.Kind, f(ctx, request)).answer() }))
	}
	ask(charge, o.charge(charge.No), his.CheckCharge)
	if reverse != nil && reverse.State != flow.CallDone {
		ask(reverse, o.reversal(reverse.No, charge.No), his.CheckReverse)
	}
	return nil
}

// askCashBack asks for the cash refund that is under way.
func (t *turn) askCashBack(ctx context.Context) error {
	c, r := t.w.Calls[CallCashBack], t.w.Refund
	if r == nil || r.State != RefundOpenState || r.Cash == 0 || r.CashDone {
		return nil
	}
	ch, err := t.channel(ctx)
	if err != nil {
		return err
	}
	if c == nil || ended(c) { // of an earlier refund, or over
		_, _, a := t.askNextBack(ctx, ch, 0)
		t.saw.next = a.Verdict == flow.Done
		return nil
	}
	t.heard(CallCashBack, t.Ask(ctx, func(ctx context.Context) flow.Answer {
		return t.judgeCashBack(ch.QueryTradeRefund(ctx, t.w.Order.cashBack(c.No, *t.w.Refund))).answer()
	}))
	return nil
}

// proved reports whether what was just heard brings the order back.
func (t *turn) proved(ctx context.Context) bool {
	o := t.w.Order
	code := flow.Code(o.FailCode)
	if contradicted[code] || t.odd.Code != "" {
		return false
	}
	h := t.halves()
	switch o.SuspendedFrom {
	case StatusOpening, StatusPaying:
		return h.cash && h.insurance || h.cashLost || h.insuranceLost
	case StatusUndoing:
		return t.provedUndone()
	case StatusWriting:
		return t.provedWrite(ctx, t.w.Calls[CallCharge], code)
	case StatusReversing:
		return t.saw.centre != nil && (o.Insurance != InsuranceSettled || t.provedReversal(ctx, code))
	case StatusRefunding:
		return t.provedBack(ctx, code)
	case StatusWaitAuth:
		return t.authorised()
	case StatusCreated, StatusIdentified, StatusUploading, StatusPriced, StatusSettled:
		return true
	}
	return false
}

// provedUndone: what was silent has told an end, or that closing and revoking can
// be tried once more.
func (t *turn) provedUndone() bool {
	o := &t.w.Order
	code := flow.Code(o.FailCode)
	silence := code == flow.CodeUnknownTooLong // which any answer ends
	tries := func(kind string) bool {
		c := t.w.Calls[kind]
		return silence || !settled[code] && (c == nil || !ended(c))
	}
	cash := o.CashLeg != CashOpen || t.saw.trade != nil && (t.saw.trade.State == TradeNotFound || tries(CallClose))
	if o.PayOrdID == "" {
		return cash
	}
	return cash && (t.insuranceOver() || t.saw.centre != nil && (silence || t.saw.centre.Stas.Group() == Processing && tries(CallUndo)))
}

// provedWrite: HIS tells that it has the number, or ends a silence by telling
// anything of it.
func (t *turn) provedWrite(ctx context.Context, c *flow.Call, code flow.Code) bool {
	said := flow.Said("")
	if c != nil {
		said = t.saw.said[c.Kind]
	}
	switch {
	case c == nil:
		return false
	case c.State == flow.CallDone, said == ReceiptDone:
		return true
	case said == "" || code == flow.CodeUnknownTooLong:
	case said == ReceiptNotFound:
		// One that was refused too often is not sent again there either, but people
		// are told so.
		his, err := t.his(ctx)
		return err == nil && his.Can().Idempotent && !settled[code]
	}
	return said != "" && code == flow.CodeUnknownTooLong // one that must not go out twice is for people then
}

// provedReversal: HIS has not been asked for the reversal yet, or tells of it what
// it would tell of the write-back.
func (t *turn) provedReversal(ctx context.Context, code flow.Code) bool {
	c := t.w.Calls[CallUncharge]
	if c == nil || c.State == flow.CallDone { // what the centre shows of it decides
		return code == flow.CodeUnknownTooLong
	}
	return t.provedWrite(ctx, c, code)
}

// provedBack: the part that a refund waits for went back, or whoever was silent
// about it speaks again.
func (t *turn) provedBack(ctx context.Context, code flow.Code) bool {
	o, r := t.w.Order, t.w.Refund
	if r.Insurance && o.Insurance == InsuranceSettled {
		return code == flow.CodeUnknownTooLong && t.saw.centre != nil
	}
	c := t.w.Calls[CallCashBack]
	switch {
	case r.Cash == 0 || r.CashDone:
		return true
	case c == nil || ended(c): // of an earlier refund, or over: nothing was sent for this one
		return code != CodeCashGone && !settled[code] && t.saw.next && (c != nil && c.State == flow.CallDone || t.saw.trade != nil) &&
			o.CashLeg != CashReturned
	case t.saw.said[c.Kind] == RefundDone:
		return true
	case t.saw.said[c.Kind] == RefundNotFound:
		ch, err := t.channel(ctx)
		if err != nil {
			return false
		}
		_, traits := ch.TradeTraits()
		return code == flow.CodeUnknownTooLong && t.Askable(c, traits)
	}
	return t.saw.said[c.Kind] != "" && code == flow.CodeUnknownTooLong
}
