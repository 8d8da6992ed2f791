package flow

import (
	"time"

	"hospay/people"
)

// Order is what the ground knows of an order of any domain. A domain's order
// embeds it.
type Order struct {
	ID, No, Institution string

	Status        State
	SuspendedFrom State // where people took it over, and where it goes back to
	Version       int64
	Tries         int       // consecutive open answers in this state
	OpenSince     time.Time // since when the outcome is open; on the desk, since when people have it
	NextAt        time.Time // zero: nothing to do before somebody acts
	LeaseUntil    time.Time
	FailCode      string
	FailReason    string
}

// Move is one event of an order. To equal to From records a fact without a
// change of state.
type Move struct {
	From, To State
	Event    string // order.debited, payout.unknown …
	By       people.By
	Code     string
	Message  string
}

// Change is what every change of an order writes in one transaction: the moves
// with their events, and the messages that go with them. It counts only if the
// order still has Version and From.
type Change struct {
	ID        string
	From      State
	Version   int64
	Moves     []Move
	Notices   []Notice
	KeepLease bool // the same worker goes on with the next step
}
