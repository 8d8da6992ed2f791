package books

import (
	"context"

	"hospay/collections"
	"hospay/flow"

	"github.com/pocketbase/dbx"
)

// Fit tells whether a verb can be chosen for a difference now.
type Fit struct {
	Verb string
	Why  flow.Code // why not; empty where it fits
}

// counterLimit is how many differences are offered for a rematch.
const counterLimit = 50

// Fitting judges every verb as Resolve would, and lists the differences that a
// rematch could take.
func (s *Service) Fitting(ctx context.Context, d Difference) ([]Fit, []Difference, error) {
	if d.State != Open && d.State != Carried {
		out := []Fit{}
		for _, verb := range allVerbs {
			out = append(out, Fit{verb, CodeDifferenceDone})
		}
		return out, nil, nil
	}
	counters, err := s.counters(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	provable, err := s.wakeable(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	out := []Fit{}
	for _, verb := range allVerbs {
		f := Fit{Verb: verb}
		switch {
		case verb == VerbConfirmArrival && !provable:
			f.Why = CodeVerbUnfit
		case verb == VerbRematch && len(counters) == 0:
			f.Why = CodeRematchUnfit
		}
		out = append(out, f)
	}
	return out, counters, nil
}

var allVerbs = []string{VerbConfirmArrival, VerbBook, VerbCorrect, VerbRematch, VerbIgnore, VerbForce}

// counters lists the differences that cancel one out, the newest day first.
func (s *Service) counters(ctx context.Context, d Difference) ([]Difference, error) {
	var rows, out []Difference
	if d.Sign == "" {
		return nil, nil
	}
	err := s.App.ConcurrentDB().Select("*").From(collections.Differences).
		Where(dbx.HashExp{"institution": d.Institution, "ledger": d.Ledger, "state": []any{Open, Carried}, "amount": d.Amount}).
		AndWhere(dbx.NewExp("sign NOT IN ('', {:s})", dbx.Params{"s": d.Sign})).
		OrderBy("day DESC", "key DESC").Limit(counterLimit).WithContext(ctx).All(&rows)
	for _, r := range rows {
		if opposite(d, r) {
			out = append(out, r)
		}
	}
	return out, err
}
