package flow

import (
	"context"

	"hospay/people"
)

// say sends a call that moves nothing. What became of it needs no proof, so that
// nobody is asked: one that may be sent again goes out again while it is
// unanswered, Denials times in all; any other is lost, and nothing depends on it.
func (t *Turn) say(ctx context.Context, x Exchange, fresh bool) (Outcome, Answer, error) {
	c := x.Call
	if !fresh && (!x.Traits.Repeatable || c.Sent >= t.Timing.Denials) {
		return OutcomeLost, Answer{}, nil
	}
	if wait, err := x.before(ctx); err != nil || wait > 0 {
		t.Wait(wait)
		return OutcomeOpen, Answer{}, err
	}
	if t.Stale() {
		return OutcomeOpen, Answer{}, ErrConflict
	}
	c.Sent++
	c.SentAt = t.Clock()
	ans := t.call(ctx, c.Kind, x.Send)
	switch {
	case ans.Verdict == Done:
		t.Hear(c, ans)
		return OutcomeHeard, ans, nil
	case ans.Verdict == Refused && !ans.Reason.Hold:
		c.State, c.Code, c.Message = CallRefused, ans.Reason.Code, ans.Reason.Message
		return OutcomeRefused, ans, nil
	}
	c.State, c.Code, c.Message = CallOpen, ans.Reason.Code, ans.Reason.Message
	t.Note(x.Event+".unknown", people.System(), ans.Reason.Code, ans.Reason.Message)
	if !x.Traits.Repeatable || c.Sent >= t.Timing.Denials {
		return OutcomeLost, ans, nil
	}
	t.Wait(Step(t.Timing.Unknown, c.Sent-1))
	return OutcomeOpen, ans, nil
}
