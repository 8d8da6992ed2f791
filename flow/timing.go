package flow

import "time"

// Timing holds the delays that every domain's calls share.
type Timing struct {
	Unknown      []time.Duration // between queries of an unknown outcome; the last one repeats
	SuspendAfter time.Duration   // an outcome unknown for longer goes to the desk
	Pending      []time.Duration // between queries of an accepted call
	Hold         []time.Duration // before a call on hold is sent again; the last one repeats
	Settle       time.Duration   // a number in doubt may still arrive for this long
	Daily        time.Duration   // between queries on the desk
	Alarm        time.Duration   // between alarms about what is on hold or on the desk
	Lease        time.Duration
	Call         time.Duration // deadline of one outside call
	Denials      int           // so many equal answers that prove nothing, each followed by "no such number", and people decide
	Sends        int           // so many sends in all, none of which arrived, and people decide
}

// DefaultTiming is the timing of production.
func DefaultTiming() Timing {
	return Timing{
		Unknown: []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
			time.Hour},
		SuspendAfter: 24 * time.Hour,
		Pending:      []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour},
		Hold: []time.Duration{5 * time.Minute, 5 * time.Minute, 5 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute,
			time.Hour, 2 * time.Hour, 4 * time.Hour},
		Settle:  time.Minute,
		Daily:   24 * time.Hour,
		Alarm:   24 * time.Hour,
		Lease:   2 * time.Minute,
		Call:    10 * time.Second,
		Denials: 3,
		Sends:   120,
	}
}

// Scale multiplies every delay but the lease and the call deadline; demo and
// tests run the same rules faster.
func (t Timing) Scale(f float64) Timing {
	t.Unknown, t.Pending, t.Hold = ScaleAll(t.Unknown, f), ScaleAll(t.Pending, f), ScaleAll(t.Hold, f)
	for _, d := range []*time.Duration{&t.SuspendAfter, &t.Settle, &t.Daily, &t.Alarm} {
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
