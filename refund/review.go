package refund

import "context"

// toReview opens the review and sets the time of the automatic one.
func (t *turn) toReview() {
	t.move(StatusReviewing, "review.opened", By{Kind: BySystem}, "", "")
	t.scheduleReview()
}

func (t *turn) scheduleReview() {
	r := t.inst.Review
	o := &t.w.Order
	if !r.Auto && !r.Shadow {
		o.NextAt = noTime
		return
	}
	o.NextAt = t.at.Add(r.Delay)
	if r.Auto {
		o.NextAt = nextWindow(o.NextAt, r.From, r.To)
	}
}

// stepReviewing lets the rules decide, or records what they would decide.
func (t *turn) stepReviewing(ctx context.Context) (bool, error) {
	r := t.inst.Review
	if !r.Auto && !r.Shadow {
		t.w.Order.NextAt = noTime
		return false, t.commit(ctx, false)
	}
	if r.Auto && !InWindow(t.at, r.From, r.To) {
		t.w.Order.NextAt = nextWindow(t.at, r.From, r.To)
		return false, t.commit(ctx, false)
	}
	facts, err := t.store.Facts(ctx, t.w.Order, t.at)
	if err != nil {
		return false, err
	}
	outcome, verdicts := Evaluate(r.Rules, facts)
	rv := Review{Stage: StageAuto, Decision: outcome, Verdicts: verdicts, Note: failedRules(verdicts)}
	if !r.Auto {
		rv.Stage = StageShadow
	}
	if !r.Auto || outcome == OutcomeManual {
		t.c.Review = &rv
		t.note("review."+string(rv.Stage), By{Kind: BySystem}, string(outcome), rv.Note)
		t.w.Order.NextAt = noTime
		return false, t.commit(ctx, false)
	}
	t.decide(rv, By{Kind: BySystem})
	if t.w.Order.Status == StatusApproved { // and the payout's intent joins it
		return t.stepApproved(ctx)
	}
	return true, t.commit(ctx, true)
}

// decide applies a decision to an order under review.
func (t *turn) decide(rv Review, by By) {
	t.c.Review = &rv
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
