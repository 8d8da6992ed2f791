// Package flow moves orders of any domain through calls whose outcome may stay
// unknown: what an answer proves, which moves are legal, and when a call is
// asked for, repeated or given to people. It imports no database, no network
// and no domain.
package flow

import "time"

// Verdict is what an outside call proved. The zero value is Unknown, so that
// whatever was forgotten is queried instead of believed.
type Verdict int8

// The three verdicts. Timeouts, 5xx, missing or wrong signatures, unlisted
// codes and unreadable bodies are Unknown; only listed codes are Refused.
const (
	Unknown Verdict = iota
	Done
	Refused
)

// String names the verdict as it is stored and logged.
func (v Verdict) String() string {
	switch v {
	case Done:
		return "done"
	case Refused:
		return "refused"
	}
	return "unknown"
}

// Actor says who must act next after a refusal or a doubt.
type Actor string

// The actors. ActorNone means that hospay goes on by itself.
const (
	ActorNone     Actor = ""
	ActorPatient  Actor = "patient"  // 患者
	ActorReviewer Actor = "reviewer" // 审核员
	ActorFinance  Actor = "finance"  // 财务
	ActorIT       Actor = "it"       // 信息科
)

// Reason explains a refusal or a doubt: the other side's code and words, who
// must act, and whether the same call under the same number may be repeated
// later (Hold: nothing moved yet, for example NOT_ENOUGH). Denied is said of an
// Unknown outcome: the other side has answered, and with words that look like a
// refusal. They prove nothing, but a repeat in equal words says that a further
// repeat will not help.
type Reason struct {
	Code    string // the other side's code, empty when there was none
	Message string // the other side's words or ours; for staff, never with personal data
	Actor   Actor
	Hold    bool
	Denied  bool
}

// Plausible reports whether a time that another side tells can be when
// something happened: not before this century, nor more than a day ahead.
func Plausible(at, now time.Time) bool {
	return at.Year() >= 2000 && at.Before(now.Add(24*time.Hour))
}

// String is the other side's code and words.
func (r Reason) String() string {
	if r.Code == "" {
		return r.Message
	}
	return r.Code + " " + r.Message
}
