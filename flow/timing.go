package flow

import "time"

// Timing holds the delays that every domain's calls share.
type Timing struct {
	Unknown      []time.Duration // between queries of an unknown outcome; the last one repeats
	SuspendAfter time.Duration   // an outcome unknown for longer goes to the desk
	Pending      []time.Duration // between queries of an accepted call
	Hold         time.Duration   // before a call on hold is sent again
	Settle       time.Duration   // a number in doubt may still arrive for this long
	Daily        time.Duration   // between queries on the desk
	Lease        time.Duration
	Call         time.Duration // deadline of one outside call
}

// DefaultTiming is the timing of production.
func DefaultTiming() Timing {
	return Timing{
		Unknown: []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
			time.Hour},
		SuspendAfter: 24 * time.Hour,
		Pending:      []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour},
		Hold:         5 * time.Minute,
		Settle:       time.Minute,
		Daily:        24 * time.Hour,
		Lease:        2 * time.Minute,
		Call:         10 * time.Second,
	}
}

// Scale multiplies every delay but the lease and the call deadline; demo and
// tests run the same rules faster.
func (t Timing) Scale(f float64) Timing {
	t.Unknown, t.Pending = ScaleAll(t.Unknown, f), ScaleAll(t.Pending, f)
	for _, d := range []*time.Duration{&t.SuspendAfter, &t.Hold, &t.Settle, &t.Daily} {
		*d = Scale(*d, f)
	}
	return t
}

// Scale multiplies a delay.
func Scale(d time.Duration, f float64) time.Duration { return time.Duration(float64(d) * f) }

// ScaleAll multiplies delays.
func ScaleAll(ds []time.Duration, f float64) []time.Duration {
	out := make([]time.Duration, len(ds))
	for i, d := range ds {
		out[i] = Scale(d, f)
	}
	return out
}

// Step picks the delay of the n-th try; the last delay repeats.
func Step(schedule []time.Duration, n int) time.Duration {
	if len(schedule) == 0 {
		return time.Minute
	}
	return schedule[min(max(n, 0), len(schedule)-1)]
}
