package flow

import (
	"time"

	"hospay/money"
)

// CallState is the stored state of an outside call.
type CallState string

// The states of a call. CallIntent: committed, perhaps sent.
const (
	CallIntent  CallState = "intent"
	CallOpen    CallState = "open" // accepted or unknown
	CallHeld    CallState = "held" // refused for now; the same number goes out again
	CallDone    CallState = "done"
	CallRefused CallState = "refused"
)

// Call is the journal row of one number that the other side was given, or will
// be. It is committed before the number leaves, and its content never changes.
type Call struct {
	Kind       string // debit, reverse, payout …
	Attempt    int
	No         string
	Hash       string // of the business content; the same for every send
	Amount     money.Fen
	Connection string // what it was sent through; queries and repeats go there
	State      CallState
	// Reported is what the other side last said of the number; a proof only once no send can still be under way.
	Reported Said
	Theirs   string // the other side's number
	Code     string
	Message  string
	Doubt    bool // a send of this number is unaccounted for
	Denied   int  // how often in a row it was answered with the same words that prove nothing
	Sent     int
	SentAt   time.Time // last send that is booked; before it, when the intent was written
	DoneAt   time.Time
}

// Traits is what the other side's answers about a kind of call are worth.
type Traits struct {
	Queryable     bool // it can be asked for by our number
	Repeatable    bool // the same number twice is one movement
	ConfirmRefuse bool // a refusal counts only once a query does not find the number
	ProofDays     int  // for so many days "no such number" proves something; 0 = always
	Harmless      bool // it moves nothing: what became of it needs no proof, and nobody is asked
}

// Said is what the other side says of a number, in the word of its port: not
// found, pending, succeeded … It is what the journal keeps.
type Said string

// Report is what the other side says of one number, as far as the flow goes by
// it.
type Report int8

// The reports. The zero value is ReportOpen: whatever was forgotten is asked
// for again.
const (
	ReportOpen    Report = iota // known, not at its end
	ReportMissing               // the number is not known (yet)
	ReportDone                  // the money has moved
	ReportFailed                // it has not moved and never will, or has come back
)

// Answer is what one exchange with the other side proved. Report and what
// follows are facts only when Verdict is Done.
type Answer struct {
	Verdict Verdict
	Reason  Reason
	Report  Report
	Said    Said // the report in the word of the port
	Theirs  string
}

// heed counts equal answers that look like refusals and prove nothing.
func (c *Call) heed(r Reason) {
	switch {
	case !r.Denied:
		c.Denied = 0
	case c.Denied > 0 && c.Code == r.Code:
		c.Denied++
	default:
		c.Denied = 1
	}
}

// Futile reports whether a number that the other side does not know is not to be
// sent again by itself: it was refused in the same words, or unanswered, too
// often.
func (t Timing) Futile(c *Call) bool { return c.Denied >= t.Denials || c.Sent >= t.Sends }

// Anew lets a number go out again, because people want it.
func (c *Call) Anew() { c.Denied, c.Sent, c.Reported = 0, 0, "" }
