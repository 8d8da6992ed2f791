package refund

import (
	"context"
	"errors"

	"hospay/flow"
	"hospay/people"
)

// Notification is a callback that a channel has signed and its client has
// verified.
type Notification struct {
	Institution string
	Channel     string
	Connection  string // whose keys verified it; empty when not known
	ID          string
	Kind        string
	No          string
	Answer      PayoutAnswer
	Body        string // masked
}

// The effects of a notification, kept with its record.
const (
	EffectApplied       = "applied"
	EffectRepeat        = "repeat"
	EffectHint          = "hint"
	EffectMismatch      = "mismatch"
	EffectUnknownNo     = "unknown_number"
	EffectContradiction = "contradiction"
	EffectReturned      = "returned"
)

// Notify books a verified notification. Its content is compared with the
// order before it counts; what does not fit only makes the order due, so that
// a query decides. A notification that was seen before changes nothing.
func (s *Service) Notify(ctx context.Context, n Notification) (effect string, err error) {
	err = flow.Retry(func() error {
		w, err := s.store.ByPayout(ctx, n.Institution, n.No)
		if errors.Is(err, flow.ErrNotFound) {
			effect = EffectUnknownNo
			return s.store.Commit(ctx, &Change{Callback: n.row(effect)})
		}
		if err != nil {
			return err
		}
		t, err := s.begin(ctx, w)
		if err != nil {
			return err
		}
		effect, err = t.notified(ctx, n)
		return err
	})
	if errors.Is(err, flow.ErrSeen) {
		return EffectRepeat, nil
	}
	return effect, err
}

func (n Notification) row(effect string) *flow.CallbackRow {
	return &flow.CallbackRow{Institution: n.Institution, Channel: n.Channel, ID: n.ID, Kind: n.Kind, No: n.No, Effect: effect, Body: n.Body}
}

func (t *turn) notified(ctx context.Context, n Notification) (string, error) {
	effect := t.weigh(n)
	if effect == EffectRepeat { // the order stays as it is, and so does the lease of whoever works on it
		return effect, t.store.Commit(ctx, &Change{Callback: n.row(effect)})
	}
	t.c.Callback = n.row(effect)
	by := people.By{Kind: people.ByChannel, ID: n.Channel}
	switch effect {
	case EffectApplied:
		t.c.Transfer = t.w.Transfer
		_, err := t.heardPayout(ctx, n.Answer, by)
		return effect, err
	case EffectReturned:
		t.c.Compensate = t.compensation()
		t.Note("payout.returned", by, n.Answer.Reason.Code, n.Answer.Reason.Message)
	case EffectMismatch, EffectContradiction:
		t.Note("callback."+effect, by, string(n.Answer.State), n.No)
		t.contradict(effect, n)
	case EffectHint:
		t.DueNow()
	}
	return effect, t.commit(ctx, false)
}

// weigh decides what a notification may do to the order. Only a payment that is
// told in full counts by itself; that nothing was paid, or that it came back, is
// asked for before a balance is restored.
func (t *turn) weigh(n Notification) string {
	o, tr := t.w.Order, t.w.Transfer
	differs, enough := n.Answer.Of.against(o)
	switch {
	case tr != nil && tr.No == n.No && n.Connection != "" && n.Connection != tr.Connection: // the number was never sent there
		return EffectMismatch
	case differs.Code != "", n.Channel != o.Channel:
		return EffectMismatch
	case tr == nil || tr.No != n.No, o.Status == StatusSucceeded && tr.State != flow.CallDone:
		// A number that was proved to pay nothing: a new one was made, or people
		// have paid by hand. That it pays after all is news, nothing else is.
		if n.Answer.State == PayoutSucceeded {
			return EffectContradiction
		}
		return EffectRepeat
	case o.Status == StatusSucceeded && n.Answer.State == PayoutSucceeded:
		return EffectRepeat
	// still payable by hand, see heardPayout
	case o.Status == StatusSucceeded && n.Answer.State == PayoutReturned && o.Method == MethodOriginal:
		return EffectContradiction
	case o.Status == StatusSucceeded && n.Answer.State == PayoutReturned:
		return EffectReturned
	case (o.Status == StatusPaying || o.Status == StatusAwaitingPayee) && n.Answer.State == PayoutSucceeded && enough:
		return EffectApplied
	case !Machine.Final(o.Status) && (!o.undoing() || (o.Status == StatusSuspense && n.Answer.State != PayoutSucceeded)):
		return EffectHint
	case n.Answer.State == PayoutFailed && o.Status != StatusSucceeded:
		return EffectRepeat
	}
	return EffectContradiction
}

// undoing reports whether the balance is on its way back, or was when people
// took the order over.
func (o Order) undoing() bool {
	return o.Status == StatusReversing || (o.Status == StatusSuspense && o.SuspendedFrom == StatusReversing)
}

// contradict makes the truth a matter of a query or of people: money that
// arrived although the order counts as unpaid must not also be restored.
func (t *turn) contradict(effect string, n Notification) {
	o, tr := &t.w.Order, t.w.Transfer
	if effect == EffectContradiction && n.Answer.State == PayoutSucceeded && !Machine.Final(o.Status) && tr != nil {
		code := flow.CodePaidOldNumber
		if tr.No == n.No { // the channel has taken back what it had said
			code, tr.State, tr.Reported = flow.CodePaidAfterFailure, flow.CallOpen, PayoutSucceeded
			t.c.Transfer = tr
		}
		if o.FailCode = string(code); o.Status == StatusSuspense { // people have it already
			t.Tell(flow.Notice{Event: flow.NoticeSuspense, Staff: true, At: t.At})
		}
		t.Suspend(code, flow.Reason{Actor: flow.ActorFinance})
		return
	}
	if !Machine.Final(o.Status) {
		t.DueNow()
	}
	t.Tell(flow.Notice{Event: flow.NoticeSuspense, Staff: true, At: t.At})
}

// compensation is the order that gives the balance back after a payout that
// had succeeded came back. The succeeded order itself stays as it is.
func (t *turn) compensation() *Order {
	o := t.w.Order
	c := o
	c.ID = "" // the store's; the index on Compensates keeps it one
	c.No, c.Compensates, c.Created = o.No+"C", o.ID, t.At
	c.Status, c.Target, c.NextAt, c.Version = StatusReversing, StatusFailed, t.At, 0
	c.FailCode, c.FailReason = string(CodePayoutReturned), ""
	c.ChannelNo, c.PaidAt, c.Group, c.GroupSeq = "", noTime, "", 0
	return &c
}
