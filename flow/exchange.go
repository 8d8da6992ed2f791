package flow

import (
	"context"
	"time"

	"hospay/people"
)

// Exchange is one call with the ways to send it and to ask for it.
type Exchange struct {
	Call   *Call
	Traits Traits
	Event  string // begins its events: payout, his.debit …
	// Before says how long sending has to wait; the number then stays unsent.
	Before func(context.Context) (time.Duration, error)
	// Again says of an accepted call that does not move that the equal request
	// is to be sent once more; nil means never.
	Again func(Answer) bool
	Send  func(context.Context) Answer
	Ask   func(context.Context) Answer
	// HoldLimit is how long it may stay on hold before people get it.
	HoldLimit time.Duration
}

// Outcome is where an exchange has come to.
type Outcome int8

// The outcomes. The zero value means that nothing is proved.
const (
	OutcomeOpen    Outcome = iota // the order waits, or people have it
	OutcomeAsk                    // a query may follow at once
	OutcomeHeard                  // an authentic answer about the number
	OutcomeRefused                // proved: the number moved nothing and never will
	OutcomeLost                   // a harmless call that was not answered
)

// Exchange takes a call one step on. It is the one place that knows how an
// unknown outcome is asked for, repeated, or given to people:
//
//   - a number goes out only after its intent was committed (Fresh), or after a
//     query has proved that the other side does not know it;
//   - only a listed refusal is a refusal, and where the other side may change
//     its mind or an earlier send is unaccounted for, only after a query;
//   - "no such number" proves nothing while a send may still be under way, nor
//     after the other side has stopped answering for old numbers;
//   - what cannot be asked for, or not be repeated, is given to people, and so
//     is a number that is refused in the same words again and again, or stays
//     on hold;
//   - what moves nothing (Harmless) is not asked for.
//
// The caller commits, whatever the outcome; OutcomeAsk under the same lease.
func (t *Turn) Exchange(ctx context.Context, x Exchange) (Outcome, Answer, error) {
	fresh := t.Fresh
	t.Fresh = false
	if x.Call.SentAt.After(t.At) { // by a clock that was ahead
		x.Call.SentAt = t.At
	}
	if x.Traits.Harmless {
		return t.say(ctx, x, fresh)
	}
	if fresh || (x.Call.State == CallHeld && x.Traits.Repeatable && x.Traits.Queryable) {
		return t.send(ctx, x, fresh)
	}
	if !x.Traits.Queryable {
		t.Suspend(CodeHISNotQueryable, Reason{Actor: ActorFinance})
		return OutcomeOpen, Answer{}, nil
	}
	ans := t.Ask(ctx, x.Ask)
	switch {
	case ans.Verdict != Done:
		t.unknown(x, ans)
		return OutcomeOpen, ans, nil
	case ans.Report == ReportMissing:
		return t.missing(ctx, x, ans)
	}
	t.Hear(x.Call, ans)
	if x.Again != nil && x.Again(ans) {
		return t.repeat(ctx, x, ans)
	}
	return OutcomeHeard, ans, nil
}

// repeat sends the equal request of a call that the other side knows once more.
// Only an answer about the number says more than the query before did.
func (t *Turn) repeat(ctx context.Context, x Exchange, known Answer) (Outcome, Answer, error) {
	if wait, err := x.before(ctx); err != nil || wait > 0 {
		return OutcomeHeard, known, err
	}
	if t.Stale() {
		return OutcomeOpen, Answer{}, ErrConflict
	}
	c := x.Call
	c.Sent++
	ans := t.call(ctx, x.Call.Kind, x.Send)
	if ans.Verdict != Done {
		if ans.Verdict == Refused && ans.Reason.Hold && c.Code != ans.Reason.Code {
			t.Note(x.Event+".held", people.System(), ans.Reason.Code, ans.Reason.Message)
			t.Tell(Notice{Event: NoticeHold, Staff: true, At: t.At})
			c.Code, c.Message = ans.Reason.Code, ans.Reason.Message
		}
		return OutcomeHeard, known, nil
	}
	t.Hear(c, ans)
	return OutcomeHeard, ans, nil
}

// before is how long sending has to wait.
func (x Exchange) before(ctx context.Context) (time.Duration, error) {
	if x.Before == nil {
		return 0, nil
	}
	return x.Before(ctx)
}

// call is one call under its deadline.
func (t *Turn) call(ctx context.Context, kind string, f func(context.Context) Answer) Answer {
	ctx, cancel := context.WithTimeout(ctx, t.Timing.Call)
	defer cancel()
	begin := t.Clock()
	ans := f(ctx)
	t.At = t.Clock()
	if t.Watch != nil {
		t.Watch(kind, ans, t.At.Sub(begin))
	}
	return ans
}

// Ask asks for a number. A refused question says nothing about the money.
func (t *Turn) Ask(ctx context.Context, ask func(context.Context) Answer) Answer {
	ans := t.call(ctx, KindQuery, ask)
	if ans.Verdict == Refused {
		ans.Verdict = Unknown
	}
	return ans
}

// send sends, unless sending has to wait or the lease is too old to be sure
// that nobody else has taken the order over.
func (t *Turn) send(ctx context.Context, x Exchange, first bool) (Outcome, Answer, error) {
	wait, err := x.before(ctx)
	if err != nil {
		return OutcomeOpen, Answer{}, err
	}
	if wait > 0 {
		t.Wait(wait)
		return OutcomeOpen, Answer{}, nil
	}
	if t.Stale() {
		return OutcomeOpen, Answer{}, ErrConflict
	}
	c, before := x.Call, x.Call.SentAt
	c.Sent++
	c.SentAt, c.Reported = t.Clock(), "" // what was told before this send proves nothing
	c.Doubt = c.Doubt || !first          // another send may be under way, unbooked
	ans := t.call(ctx, x.Call.Kind, x.Send)
	switch {
	case ans.Verdict == Refused && ans.Reason.Hold:
		t.hold(x, ans.Reason, before)
		return OutcomeOpen, ans, nil
	case ans.Verdict == Refused:
		return t.refused(x, ans), ans, nil
	case ans.Verdict == Unknown:
		c.Doubt = true
		c.heed(ans.Reason)
		c.Code, c.Message = ans.Reason.Code, ans.Reason.Message
		t.unknown(x, ans)
		return OutcomeOpen, ans, nil
	}
	t.Hear(c, ans)
	return OutcomeHeard, ans, nil
}

// refused books a listed refusal. Where it needs a query to count, that one is
// due at once when every send of the number was answered, else when none can
// still be under way.
func (t *Turn) refused(x Exchange, ans Answer) Outcome {
	c := x.Call
	c.State, c.Code, c.Message = CallRefused, ans.Reason.Code, ans.Reason.Message
	clean := !c.Doubt
	if clean && !x.Traits.ConfirmRefuse {
		return OutcomeRefused
	}
	t.Note(x.Event+".refused", people.System(), c.Code, c.Message)
	if clean {
		t.DueNow()
		return OutcomeAsk
	}
	t.Order.NextAt = c.SentAt.Add(t.Timing.Settle)
	return OutcomeOpen
}

// hold keeps the call for a later send under the same number. Finance is told
// once per reason and once a day; after HoldLimit people decide. What follows
// the hold has its own time.
func (t *Turn) hold(x Exchange, r Reason, before time.Time) {
	c, o := x.Call, t.Order
	if c.State != CallHeld {
		o.OpenSince, o.Tries = time.Time{}, 0
	}
	if c.State != CallHeld || c.Code != r.Code {
		t.Note(x.Event+".held", people.System(), r.Code, r.Message)
		t.Tell(Notice{Event: NoticeHold, Staff: true, At: t.At})
	} else if t.Alarms(t.At) > t.Alarms(before) {
		t.Tell(Notice{Event: NoticeHold, Staff: true, At: t.At})
	}
	c.State, c.Code, c.Message, c.Denied = CallHeld, r.Code, r.Message, 0
	t.Open(t.Timing.Hold, x.HoldLimit, CodeHeldTooLong, r)
	if o.Status == t.Machine.Desk { // that nothing has moved is soon proved
		t.Wait(t.Timing.Settle)
	}
}

// missing follows "no such number": a refusal is thereby confirmed, any other
// number goes out again unchanged.
func (t *Turn) missing(ctx context.Context, x Exchange, ans Answer) (Outcome, Answer, error) {
	c := x.Call
	switch {
	case (c.State != CallRefused || c.Doubt) && !t.Askable(c, x.Traits):
		t.Suspend(CodeUnknownTooLong, Reason{Message: "对方已不再回答这个单号的查询", Actor: ActorFinance})
	case c.State != CallRefused && !x.Traits.Repeatable:
		c.Reported = ans.Said
		t.Suspend(CodeHISNotQueryable, Reason{Code: c.Code, Message: c.Message, Actor: ActorFinance})
	case c.State != CallRefused && t.Timing.Futile(c):
		c.Reported = ans.Said
		t.Suspend(CodeRefusedForGood, Reason{Code: c.Code, Message: c.Message, Actor: ActorFinance})
	case c.State != CallRefused:
		return t.send(ctx, x, false)
	case c.Doubt && t.At.Before(c.SentAt.Add(t.Timing.Settle)):
		t.Order.NextAt = c.SentAt.Add(t.Timing.Settle)
	default:
		c.Reported = ans.Said
		return OutcomeRefused, ans, nil
	}
	return OutcomeOpen, ans, nil
}

// unknown waits for the next query of a call whose outcome nobody has told.
func (t *Turn) unknown(x Exchange, ans Answer) {
	c := x.Call
	t.unheld(c)
	if c.State == CallIntent {
		c.State = CallOpen
	}
	if c.State != CallRefused && c.Denied == 0 {
		c.Code, c.Message = ans.Reason.Code, ans.Reason.Message
	}
	if t.Order.Tries == 0 {
		t.Note(x.Event+".unknown", people.System(), ans.Reason.Code, ans.Reason.Message)
	}
	t.Open(t.Timing.Unknown, t.Timing.SuspendAfter, CodeUnknownTooLong, ans.Reason)
}

// Hear keeps what an authentic answer tells of a number.
func (t *Turn) Hear(c *Call, ans Answer) {
	t.unheld(c)
	c.Reported, c.Doubt, c.Denied = ans.Said, false, 0
	if ans.Theirs != "" {
		c.Theirs = ans.Theirs
	}
	if c.State != CallDone {
		c.State = CallOpen
	}
}

// unheld ends a hold: what follows it has its own time.
func (t *Turn) unheld(c *Call) {
	if c.State == CallHeld {
		c.State, t.Order.OpenSince, t.Order.Tries = CallOpen, time.Time{}, 0
	}
}

// Askable reports whether the other side must still know the number if it ever
// reached it.
func (t *Turn) Askable(c *Call, traits Traits) bool {
	return traits.ProofDays == 0 || t.At.Before(c.SentAt.AddDate(0, 0, traits.ProofDays))
}
