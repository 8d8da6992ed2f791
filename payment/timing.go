package payment

import (
	"time"

	"hospay/flow"
)

// Timing holds every delay of a payment order.
type Timing struct {
	flow.Timing
	Poll         []time.Duration // while nobody has paid
	OrderFor     time.Duration   // an order without insurance that is not paid
	KioskFor     time.Duration   // the same at a kiosk: the code on its screen is scanned at once or never
	HalfPaid     time.Duration   // one half is paid, the other open: then people
	RefundUnsure time.Duration   // a 6203 of which nothing shows: then people
	PendingLimit time.Duration   // a refund of cash without an end: then people
	HoldLimit    time.Duration
	Remind       []time.Duration // of a refund that waits for its patient's authorisation
	Look         time.Duration   // on the desk without any proof: people may go by what they see at the other side
	Uploads      int             // so many 6201 in all
	Prices       int             // so many 6202 in all
	BackSends    int             // so many sends of the one 6203, before people
}

// DefaultTiming is the timing of production.
func DefaultTiming() Timing {
	return Timing{
		Timing: flow.DefaultTiming(),
		Poll: []time.Duration{2 * time.Second, 3 * time.Second, 5 * time.Second, 5 * time.Second, 10 * time.Second, 10 * time.Second,
			15 * time.Second, 30 * time.Second},
		OrderFor:     30 * time.Minute,
		KioskFor:     10 * time.Minute,
		HalfPaid:     2 * time.Hour,
		RefundUnsure: 2 * time.Hour,
		PendingLimit: 7 * 24 * time.Hour,
		HoldLimit:    72 * time.Hour,
		Remind:       []time.Duration{24 * time.Hour, 72 * time.Hour},
		Look:         72 * time.Hour,
		Uploads:      3,
		Prices:       3,
		BackSends:    3,
	}
}

// Scale multiplies every delay but the lease and the call deadline; demo and
// tests run the same rules faster.
func (t Timing) Scale(f float64) Timing {
	t.Timing = t.Timing.Scale(f)
	t.Poll, t.Remind = flow.ScaleAll(t.Poll, f), flow.ScaleAll(t.Remind, f)
	for _, d := range []*time.Duration{&t.OrderFor, &t.KioskFor, &t.HalfPaid, &t.RefundUnsure, &t.PendingLimit, &t.HoldLimit, &t.Look} {
		*d = flow.Scale(*d, f)
	}
	return t
}
