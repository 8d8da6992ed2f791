package recon

import (
	"context"
	"errors"
	"slices"

	"hospay/collections"

	"github.com/pocketbase/dbx"
)

// Institutions lists the institutions whose books are kept.
func (s *Service) Institutions(ctx context.Context) ([]string, error) {
	var ids []string
	err := s.App.ConcurrentDB().Select("id").From(collections.Institutions).Where(dbx.HashExp{"active": true}).OrderBy("id").WithContext(ctx).Column(&ids)
	return ids, err
}

// FirstDay is the first day of an institution's books.
func (s *Service) FirstDay(ctx context.Context, inst string) (string, error) {
	return s.firstDay(ctx, inst)
}

// ToRun reports whether a day wants a run: its bills are there, or nobody waits
// for them any longer, and it has no run yet, a bill has changed since, or it
// has open items and no run today.
func (s *Service) ToRun(ctx context.Context, inst, day string, late bool) (bool, error) {
	bills, err := s.inForce(ctx, inst, day, day)
	if err != nil || len(bills) == 0 {
		return false, err
	}
	if !late && slices.ContainsFunc(bills, func(st Statement) bool { return !st.usable() }) {
		return false, nil
	}
	last, err := s.LastRun(ctx, inst, day)
	if errors.Is(err, ErrNoRun) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(bills, func(st Statement) bool { return st.Updated.Time().After(last.Started.Time()) && st.usable() }) {
		return true, nil
	}
	var open int
	err = s.App.ConcurrentDB().NewQuery("SELECT COUNT(*) FROM differences WHERE institution = {:i} AND day = {:d} AND live = TRUE AND " + unresolved).Bind(dbx.Params{"i": inst, "d": day}).WithContext(ctx).Row(&open)
	return open > 0 && beijingDay(last.Started.Time()) < s.Today(), err
}
