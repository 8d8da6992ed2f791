package refund

import "time"

// Timing holds every delay of the worker.
type Timing struct {
	Unknown      []time.Duration // between queries of an unknown outcome; the last one repeats
	SuspendAfter time.Duration   // an outcome unknown for longer goes to suspense
	Pending      []time.Duration // between queries of an accepted payout
	PendingLimit time.Duration   // an accepted payout without an end goes to suspense
	Payee        []time.Duration // between queries while the payee has not confirmed
	PayeeLimit   time.Duration   // past the deadline of confirmation
	Hold         time.Duration   // before a payout on hold is sent again
	Settle       time.Duration   // a number in doubt may still arrive for this long
	Daily        time.Duration   // between queries in suspense
	Lease        time.Duration
	Call         time.Duration // deadline of one outside call
	Reminders    []time.Duration
}

// DefaultTiming is the timing of production.
func DefaultTiming() Timing {
	return Timing{
		Unknown:      []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour},
		SuspendAfter: 24 * time.Hour,
		Pending:      []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour},
		PendingLimit: 72 * time.Hour,
		Payee:        []time.Duration{30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute},
		PayeeLimit:   72 * time.Hour,
		Hold:         5 * time.Minute,
		Settle:       time.Minute,
		Daily:        24 * time.Hour,
		Lease:        2 * time.Minute,
		Call:         10 * time.Second,
		Reminders:    []time.Duration{0, 10 * time.Minute, 12 * time.Hour, 22 * time.Hour},
	}
}

// Scale multiplies every delay but the lease and the call deadline; demo and
// tests run the same rules faster.
func (t Timing) Scale(f float64) Timing {
	one := func(d time.Duration) time.Duration { return time.Duration(float64(d) * f) }
	many := func(ds []time.Duration) []time.Duration {
		out := make([]time.Duration, len(ds))
		for i, d := range ds {
			out[i] = one(d)
		}
		return out
	}
	t.Unknown, t.Pending, t.Payee, t.Reminders = many(t.Unknown), many(t.Pending), many(t.Payee), many(t.Reminders)
	t.SuspendAfter, t.PendingLimit, t.PayeeLimit = one(t.SuspendAfter), one(t.PendingLimit), one(t.PayeeLimit)
	t.Hold, t.Settle, t.Daily = one(t.Hold), one(t.Settle), one(t.Daily)
	return t
}

// step picks the delay of the n-th try; the last delay repeats.
func step(schedule []time.Duration, n int) time.Duration {
	if len(schedule) == 0 {
		return time.Minute
	}
	return schedule[min(max(n, 0), len(schedule)-1)]
}
