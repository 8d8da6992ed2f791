package refund

import (
	"time"

	"hospay/flow"
)

// Timing holds every delay of the refund of an order.
type Timing struct {
	flow.Timing
	PendingLimit time.Duration   // an accepted payout without an end goes to suspense
	Payee        []time.Duration // between queries while the payee has not confirmed
	PayeeLimit   time.Duration   // past the deadline of confirmation
	Reminders    []time.Duration
	HoldLimit    time.Duration // a payout on hold goes to people
	Look         time.Duration // on the desk without any proof: people may go by what they see at the other side
}

// DefaultTiming is the timing of production.
func DefaultTiming() Timing {
	return Timing{
		Timing:       flow.DefaultTiming(),
		PendingLimit: 72 * time.Hour,
		Payee:        []time.Duration{30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute},
		PayeeLimit:   72 * time.Hour,
		Reminders:    []time.Duration{0, 10 * time.Minute, 12 * time.Hour, 22 * time.Hour},
		HoldLimit:    72 * time.Hour,
		Look:         72 * time.Hour,
	}
}

// Scale multiplies every delay but the lease and the call deadline; demo and
// tests run the same rules faster.
func (t Timing) Scale(f float64) Timing {
	t.Timing = t.Timing.Scale(f)
	t.Payee, t.Reminders = flow.ScaleAll(t.Payee, f), flow.ScaleAll(t.Reminders, f)
	for _, d := range []*time.Duration{&t.PendingLimit, &t.PayeeLimit, &t.HoldLimit, &t.Look} {
		*d = flow.Scale(*d, f)
	}
	return t
}
