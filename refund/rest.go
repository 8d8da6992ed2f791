package refund

import (
	"context"
	"errors"

	"hospay/flow"
	"hospay/people"
)

// Why an order waits for people says what may bring it back by itself.
//
// contradicted: what was told contradicts itself or us; only people decide.
// settled: asking on is worth it, sending again is not; only an end of the call
// brings the order back. Any other reason is silence, which any answer ends.
var (
	contradicted = map[flow.Code]bool{flow.CodeAmountMismatch: true, flow.CodePartyMismatch: true, flow.CodeNumberTaken: true,
		flow.CodeHISNoReversal: true, flow.CodePaidAfterFailure: true, flow.CodePaidOldNumber: true}
	settled = map[flow.Code]bool{flow.CodeRefusedForGood: true, flow.CodeHeldTooLong: true, flow.CodeHISNotQueryable: true,
		flow.CodePendingTooLong: true, CodePayoutReturned: true, CodePayoutLost: true}
)

// differs reports whether the other side speaks of other money than ours.
func (o Order) differs() bool {
	c := flow.Code(o.FailCode)
	return c == flow.CodeAmountMismatch || c == flow.CodePartyMismatch || c == flow.CodeNumberTaken
}

// stepSuspense asks once a day and tells once a day; an answer that proves the
// outcome brings the order back to the flow, unless two people are about to
// decide. What a query cannot settle waits for people. No step sends anything.
func (t *turn) stepSuspense(ctx context.Context) (bool, error) {
	o := &t.w.Order
	t.alarm()
	err := t.refresh(ctx)
	if err != nil && flow.CodeOf(err) == "" {
		return false, err
	}
	t.restate()
	switch {
	case err == nil && o.CancelAsked && t.mayCancel():
		return t.cancelled(ctx)
	case t.w.Proposal == nil && t.proved():
		o.FailCode, o.FailReason = "", ""
		t.move(o.SuspendedFrom, "suspense.proved", people.System(), "", "")
		return true, t.commit(ctx, true)
	}
	t.Wait(t.timing.Daily)
	return false, t.commit(ctx, false)
}

// restate says of an order that waited for an answer what the answer was: that it
// is refused for good, or came back by its original route.
func (t *turn) restate() {
	o := &t.w.Order
	if tr := t.w.Transfer; flow.Code(o.FailCode) == flow.CodeUnknownTooLong && t.heard.channel && tr != nil &&
		tr.Reported == PayoutReturned && o.Method == MethodOriginal {
		o.FailCode, o.FailReason = string(CodePayoutReturned), tr.Message
		return
	}
	call, missing := t.w.Debit, t.heard.ledger
	switch o.SuspendedFrom {
	case StatusPaying, StatusAwaitingPayee:
		call, missing = &t.w.Transfer.Call, t.heard.missing
	case StatusReversing:
		call = t.w.Reversal
	}
	if flow.Code(o.FailCode) == flow.CodeUnknownTooLong && missing && call != nil && call.Reported == PayoutNotFound && t.timing.Futile(call) {
		o.FailCode, o.FailReason = string(flow.CodeRefusedForGood), call.Message
	}
}

// alarm tells finance each day anew of an order that waits for them. Tries
// counts on the desk what was told beside the first time.
func (t *turn) alarm() {
	if n := t.Alarms(t.At); n > t.w.Order.Tries {
		t.w.Order.Tries = n
		t.Tell(flow.Notice{Event: flow.NoticeSuspense, Staff: true, At: t.At})
	}
}

// heard is what the sides of a suspended order have just answered.
type heard struct {
	can             HISTraits
	channel, ledger bool // they have answered
	missing         bool // the channel does not know the number
	next            bool // the channel has answered for the number after the last one
}

// proved reports whether what was just heard brings the order back.
func (t *turn) proved() bool {
	o := t.w.Order
	switch code := flow.Code(o.FailCode); {
	case contradicted[code]:
	case o.SuspendedFrom == StatusPaying, o.SuspendedFrom == StatusAwaitingPayee:
		return t.heard.channel && t.provedPayout(code)
	case o.SuspendedFrom == StatusDebiting:
		return t.heard.ledger && t.provedHIS(t.w.Debit, code)
	case o.SuspendedFrom == StatusReversing && t.w.Reversal == nil: // the channel kept silent before anything was sent to HIS
		return t.heard.next && !settled[code]
	case o.SuspendedFrom == StatusReversing:
		s := t.w.Sides().Payout // a payout that may pay after all must not be undone
		return t.heard.ledger && (s == SideNone || s == SideNot) && t.provedHIS(t.w.Reversal, code)
	}
	return false
}

func (t *turn) provedPayout(code flow.Code) bool {
	tr := t.w.Transfer
	switch {
	case t.heard.missing:
		return !settled[code] && t.Askable(&tr.Call, payoutTraits) && !t.timing.Futile(&tr.Call)
	case tr.Reported == PayoutReturned: // what came back by original route waits for people
		return t.w.Order.Method == MethodTransfer
	case tr.Reported == PayoutSucceeded, tr.Reported == PayoutFailed:
		return true
	}
	return !settled[code]
}

func (t *turn) provedHIS(c *flow.Call, code flow.Code) bool {
	switch {
	case c == nil:
		return false
	case c.State == flow.CallDone, c.Reported == HISDone:
		return true
	case c.Reported == HISNotFound && !t.heard.can.Idempotent:
		// It must not go out twice: that is for people then, and no silence any more.
		return code == flow.CodeUnknownTooLong && t.Askable(c, t.heard.can.traits()) && !t.timing.Futile(c)
	case c.Reported == HISNotFound:
		return !settled[code] && !t.timing.Futile(c)
	}
	return c.Reported == HISPending && !settled[code]
}

// mayCancel reports whether the patient may still take back an order that rests
// on the desk because it is refused or held: nothing has moved, nothing is sent.
func (t *turn) mayCancel() bool {
	o := t.w.Order
	code := flow.Code(o.FailCode)
	rests := code == flow.CodeRefusedForGood || code == flow.CodeHeldTooLong
	return o.Status == StatusSuspense && rests && o.SuspendedFrom != StatusReversing && t.w.Proposal == nil && o.Compensates == ""
}

// cancelOnDesk notes the patient's wish; the worker asks both sides before it
// restores the balance.
func (t *turn) cancelOnDesk(ctx context.Context, by people.By) error {
	if !t.mayCancel() {
		return flow.NewError(flow.CodeConflict, string(StatusSuspense))
	}
	t.w.Order.CancelAsked = true
	t.DueNow()
	t.Note("order.cancel_asked", by, "", "")
	return t.commit(ctx, false)
}

// cancelled ends an order at the patient's wish, once it is proved that nothing
// was paid: by restoring the balance, or at once where HIS has debited nothing.
func (t *turn) cancelled(ctx context.Context) (bool, error) {
	s, o := t.w.Sides(), &t.w.Order
	switch {
	case t.At.Before(o.OpenSince.Add(t.timing.Settle)) || s.Payout != SideNone && s.Payout != SideNot || s.Debit == SideOpen:
		t.Wait(flow.Step(t.timing.Hold, 0))
		return false, t.commit(ctx, false)
	case s.Debit == SideDone:
		t.undo(StatusCancelled, "order.cancelled", people.System(), o.FailCode, o.FailReason)
		return t.goOn(ctx)
	}
	t.nothingMoved(StatusCancelled, "order.cancelled", people.System(), o.FailCode, o.FailReason)
	return false, t.commit(ctx, false)
}

// nothingMoved ends a suspended order whose debit HIS is proved not to know.
func (t *turn) nothingMoved(end Status, event string, by people.By, code, message string) {
	through, last := StatusReversing, "his.nothing_moved"
	if end == StatusRefused {
		through, last = StatusDebiting, "his.refused"
	}
	t.move(through, event, by, code, message)
	t.move(end, last, people.System(), t.w.Order.FailCode, t.w.Order.FailReason)
	t.ended(end)
}

// refresh asks both sides for the evidence that the desk goes by. It moves
// nothing; a side that is silent leaves the evidence as it is.
func (t *turn) refresh(ctx context.Context) error {
	_, can, err := t.his(ctx, nil)
	if err != nil {
		return err
	}
	t.heard.can = can
	return t.askSides(ctx, can)
}

// askSides brings the journal of a suspended order up to date: every number
// that has no proved end is asked for. A side that does not answer proves
// nothing, and does not keep the other from being asked.
func (t *turn) askSides(ctx context.Context, can HISTraits) error {
	return errors.Join(t.askChannel(ctx), t.askLedger(ctx, can))
}

func (t *turn) askChannel(ctx context.Context) error {
	switch tr := t.w.Transfer; {
	case tr != nil && tr.State == flow.CallDone:
		return nil
	case tr == nil:
		return t.askNext(ctx)
	}
	ch, err := t.dir.ChannelOf(ctx, t.w.Transfer.Connection)
	if err != nil {
		return err
	}
	ans := t.askPayout(ctx, ch)
	switch {
	case t.odd.Code != "":
		t.suspendOdd()
		return nil
	case ans.Verdict != flow.Done:
		return flow.NewError(flow.CodeChannelUnavailable, ans.Reason.Code)
	}
	t.heard.channel = true
	t.toldPayout(ans)
	return t.askNext(ctx)
}

// askNext takes a payout over that this folder has forgotten, see nothingPaid.
// Nothing is paid before the debit is done.
func (t *turn) askNext(ctx context.Context) error {
	if s := t.w.Sides(); s.Debit != SideDone || (s.Payout != SideNone && s.Payout != SideNot) {
		return nil
	}
	no, ans, err := t.lostPayout(ctx)
	switch {
	case err != nil:
		return err
	case ans.Verdict != flow.Done:
		return flow.NewError(flow.CodeChannelUnavailable, ans.Reason.Code)
	}
	t.heard.next = true
	if no != "" {
		t.w.Order.SuspendedFrom, t.w.Order.FailCode = StatusPaying, string(CodePayoutLost)
	}
	return nil
}

func (t *turn) askLedger(ctx context.Context, can HISTraits) error {
	if !can.Queryable {
		return nil
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
		t.toldHIS(ctx, kind, call, ans)
	}
	t.heard.ledger = true
	return nil
}
