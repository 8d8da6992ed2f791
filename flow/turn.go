package flow

import (
	"time"

	"hospay/people"
)

// Turn is one hold on an order: what was read of it, and the change that will
// be committed next. A domain's turn embeds it.
type Turn struct {
	Machine *Machine
	Timing  Timing
	Clock   func() time.Time
	At      time.Time // when this step began, or the last answer came
	Order   *Order    // the order as it will be written
	Change  Change
	// Watch is told of every call and question, with what it brought; may be nil.
	Watch Watch
	// Worker: this turn holds the order's lease. Fresh: the intent of the current
	// call was committed in this turn, so it has not been sent yet.
	Worker, Fresh bool
}

// KindQuery is the kind under which questions about calls are watched.
const KindQuery = "query"

// Watch is told what a call of a kind has brought.
type Watch func(kind string, ans Answer, took time.Duration)

// NewTurn begins a turn on an order as it was read.
func NewTurn(m *Machine, timing Timing, clock func() time.Time, o *Order) *Turn {
	t := &Turn{Machine: m, Timing: timing, Clock: clock, At: clock(), Order: o}
	if o.OpenSince.After(t.At) { // by a clock that was ahead
		o.OpenSince = t.At
	}
	t.reset()
	return t
}

func (t *Turn) reset() {
	t.Change = Change{ID: t.Order.ID, From: t.Order.Status, Version: t.Order.Version}
}

// Committed follows the commit of the collected change and starts the next.
func (t *Turn) Committed() {
	t.Order.Version++
	t.reset()
}

// Move changes the state and records why.
func (t *Turn) Move(to State, event string, by people.By, code, message string) {
	o := t.Order
	t.Change.Moves = append(t.Change.Moves, Move{From: o.Status, To: to, Event: event, By: by, Code: code, Message: message})
	o.Status, o.Tries, o.OpenSince, o.NextAt = to, 0, time.Time{}, time.Time{}
	if !t.Machine.Final(to) {
		o.NextAt = t.At
	}
}

// Note records a fact without a change of state.
func (t *Turn) Note(event string, by people.By, code, message string) {
	s := t.Order.Status
	t.Change.Moves = append(t.Change.Moves, Move{From: s, To: s, Event: event, By: by, Code: code, Message: message})
}

// Tell asks for a message.
func (t *Turn) Tell(n Notice) { t.Change.Notices = append(t.Change.Notices, n) }

// DueNow makes the order due now.
func (t *Turn) DueNow() { t.Order.NextAt = t.At }

// Wait makes the order due later.
func (t *Turn) Wait(d time.Duration) { t.Order.NextAt = t.At.Add(d) }

// IsDue reports whether the order has something to do now.
func (t *Turn) IsDue() bool {
	o := t.Order
	return !o.NextAt.IsZero() && !o.NextAt.After(t.At) && !t.Machine.Final(o.Status)
}

// Open waits for the next query of an open outcome, or gives the order to
// people once it has been open for too long.
func (t *Turn) Open(schedule []time.Duration, limit time.Duration, code Code, r Reason) {
	o := t.Order
	if o.OpenSince.IsZero() {
		o.OpenSince = t.At
	}
	if limit > 0 && t.At.Sub(o.OpenSince) >= limit {
		t.Suspend(code, r)
		return
	}
	t.Wait(Step(schedule, o.Tries))
	o.Tries++
}

// Suspend gives the order to people (挂账) with the reason.
func (t *Turn) Suspend(code Code, r Reason) {
	o := t.Order
	if o.Status == t.Machine.Desk {
		t.Wait(t.Timing.Daily)
		return
	}
	o.SuspendedFrom = o.Status
	o.FailCode, o.FailReason = string(code), r.Message
	t.Move(t.Machine.Desk, "order.suspended", people.System(), string(code), r.String())
	o.OpenSince = t.At
	t.Wait(t.Timing.Daily)
	t.Tell(Notice{Event: NoticeSuspense, Staff: true, At: t.At})
}

// Alarms counts the alarms that were due until a time about an outcome that is
// open, beside the first.
func (t *Turn) Alarms(at time.Time) int {
	if t.Order.OpenSince.IsZero() || t.Timing.Alarm <= 0 || at.Before(t.Order.OpenSince) {
		return 0
	}
	return int(at.Sub(t.Order.OpenSince) / t.Timing.Alarm)
}

// Stale reports whether the lease is too old to be sure that nobody else has
// taken the order over: then nothing that moves money may leave any more.
func (t *Turn) Stale() bool {
	lease := t.Order.LeaseUntil
	return !lease.IsZero() && t.Clock().After(lease.Add(-t.Timing.Call))
}
