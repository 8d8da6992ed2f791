package refund

import (
	"cmp"
	"context"

	"hospay/calendar"
	"hospay/flow"
	"hospay/people"
)

// Decision is what a person decides about an order under review.
type Decision struct {
	Approve bool
	Note    string
	Stage   ReviewStage // the stage that the person saw; empty: whichever is next
	Batch   bool        // one of many that are decided at a click
}

func (d Decision) outcome() Outcome {
	if d.Approve {
		return OutcomeApprove
	}
	return OutcomeReject
}

// Read trims the words of a decision; a rejection needs some.
func (d *Decision) Read() (err error) {
	if d.Note, err = flow.Optional(d.Note); err == nil && !d.Approve {
		d.Note, err = flow.Required(d.Note, flow.CodeNoteRequired)
	}
	return err
}

// Next is the decision that an order under review waits for.
func (o Order) Next() ReviewStage { return cmp.Or(o.Stage, StageFirst) }

// Review records a person's decision on an order under review. The first
// approval of an order that needs two keeps it under review; a rejection ends
// it at either stage. A decision never counts for another stage than the one
// that stood when it was made.
func (s *Service) Review(ctx context.Context, id string, d Decision, by people.By) error {
	if err := d.Read(); err != nil {
		return err
	}
	return flow.Retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		o := t.w.Order
		if d.Stage == "" && o.Status == StatusReviewing {
			d.Stage = o.Next()
		}
		if err := cmp.Or(t.mayEnd(), t.mayDecide(d, by)); err != nil {
			return err
		}
		t.decide(Review{Stage: d.Stage, Decision: d.outcome(), Reviewer: by.ID, Note: d.Note}, by)
		return t.commit(ctx, false)
	})
}

// mayDecide refuses a decision that the order does not wait for, and a second
// reviewer who was the first.
func (t *turn) mayDecide(d Decision, by people.By) error {
	o := t.w.Order
	switch {
	case o.Status != StatusReviewing:
		return flow.NewError(flow.CodeConflict, string(o.Status))
	case o.Next() != d.Stage:
		return flow.NewError(flow.CodeConflict, string(o.Next()))
	case d.Batch && (o.Proxy != "" || d.Stage == StageSecond):
		return flow.NewError(CodeReviewSingly, string(d.Stage))
	case d.Stage == StageSecond && by.Same(t.w.First):
		return flow.NewError(CodeSameReviewer, "")
	case d.Stage == StageSecond && t.w.First.ID != "" && t.w.First.Person == "":
		return people.PersonUnknown // who has decided first may be the same person
	}
	return nil
}

// toReview opens the review and sets the time of the automatic one.
func (t *turn) toReview() {
	t.move(StatusReviewing, "review.opened", people.System(), "", "")
	t.w.Order.Stage = StageFirst
	t.scheduleReview()
}

func (t *turn) scheduleReview() {
	r := t.inst.Review
	o := &t.w.Order
	if !r.Auto && !r.Shadow {
		o.NextAt = noTime
		return
	}
	o.NextAt = t.At.Add(r.Delay)
	if r.Auto {
		o.NextAt = calendar.NextWindow(o.NextAt, r.From, r.To)
	}
}

// stepReviewing lets the rules decide, or records what they would decide.
func (t *turn) stepReviewing(ctx context.Context) (bool, error) {
	r := t.inst.Review
	if (!r.Auto && !r.Shadow) || t.w.Order.Next() == StageSecond { // a person has decided already
		t.w.Order.NextAt = noTime
		return false, t.commit(ctx, false)
	}
	if r.Auto && !calendar.InWindow(t.At, r.From, r.To) {
		t.w.Order.NextAt = calendar.NextWindow(t.At, r.From, r.To)
		return false, t.commit(ctx, false)
	}
	facts, err := t.store.Facts(ctx, t.w.Order, t.At)
	if err != nil {
		return false, err
	}
	facts.Second = r.NeedsSecond(t.w.Order)
	outcome, verdicts := Evaluate(r.Rules, facts)
	rv := Review{Stage: StageAuto, Decision: outcome, Verdicts: verdicts, Note: failedRules(verdicts)}
	if !r.Auto {
		rv.Stage = StageShadow
	}
	if !r.Auto || outcome == OutcomeManual {
		t.c.Review = &rv
		t.Note("review."+string(rv.Stage), people.System(), string(outcome), rv.Note)
		t.w.Order.NextAt = noTime
		return false, t.commit(ctx, false)
	}
	t.decide(rv, people.System())
	if t.w.Order.Status == StatusApproved { // and the payout's intent joins it
		return t.stepApproved(ctx)
	}
	return true, t.commit(ctx, true)
}

// decide applies a decision to an order under review. Whether a second one is
// needed is judged by the settings of this moment.
func (t *turn) decide(rv Review, by people.By) {
	t.c.Review = &rv
	if rv.Stage != StageSecond && rv.Decision == OutcomeApprove && t.inst.Review.NeedsSecond(t.w.Order) {
		t.Note("review.first_approved", by, "", rv.Note)
		t.w.Order.Stage, t.w.Order.NextAt = StageSecond, noTime
		return
	}
	t.w.Order.ReviewMode = "manual"
	if rv.Stage == StageAuto {
		t.w.Order.ReviewMode = "auto"
	}
	if rv.Decision == OutcomeApprove {
		t.move(StatusApproved, "review.approved", by, "", rv.Note)
		return
	}
	code := "rejected"
	if rv.Stage == StageAuto {
		code = firstFailed(rv.Verdicts)
	}
	t.undo(StatusRejected, "review.rejected", by, code, rv.Note)
}

func failedRules(vs []RuleVerdict) string {
	var out string
	for _, v := range vs {
		if !v.Pass {
			if out != "" {
				out += "；"
			}
			out += v.Detail
		}
	}
	return out
}

// firstFailed is the code of the rule that rejected an order.
func firstFailed(vs []RuleVerdict) string {
	for _, v := range vs {
		if !v.Pass && v.OnFail == OutcomeReject {
			if v.Rule == RuleNameEqual {
				return string(CodeNameMismatch)
			}
			return string(v.Rule)
		}
	}
	return "rejected"
}
