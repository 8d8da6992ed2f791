package books

import (
	"context"
	"errors"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/reconcile/files"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// A bill that somebody has brought stays in force until somebody says
// otherwise. What the other side gives later is kept beside it, as a later
// version that never was in force; it counts once finance uses it, and is a
// former version like any other once somebody brings another file.

// brought reports whether a bill in force is somebody's own.
func (st Statement) brought() bool { return st.By != "" && st.usable() }

// markBeside finds, among all versions in their order, the downloads that stand
// beside a bill that somebody has brought.
func markBeside(all []Statement) {
	force := map[string]Statement{}
	name := func(st Statement) string { return st.Day + " " + st.Source + " " + st.Kind + " " + st.Connection }
	for _, st := range all {
		if !st.Superseded {
			force[name(st)] = st
		}
	}
	last := map[string]int{}
	for i, st := range all {
		last[name(st)] = i
	}
	for k, i := range last {
		all[i].Beside = all[i].Superseded && force[k].brought()
	}
}

// lastVersion is the number of the last version of a bill, in force or not.
func (s *Service) lastVersion(ctx context.Context, st Statement) (n int, err error) {
	err = s.App.ConcurrentDB().Select("COALESCE(MAX(version), 0)").From(collections.Statements).
		Where(dbx.HashExp{"institution": st.Institution, "source": st.Source, "kind": st.Kind, "day": st.Day, "connection": st.Connection}).
		WithContext(ctx).Row(&n)
	return n, err
}

// askFrom tells when the other side is asked for a bill that somebody brings:
// as it would have been without, as long as it has given none.
func (s *Service) askFrom(st, current Statement, now time.Time) time.Time {
	if current.ID == "" && st.Day >= calendar.Shift(s.Today(), -longest) {
		return now
	}
	return current.NextAt.Time()
}

// keepBeside keeps what was downloaded beside the bill in force, which somebody
// has brought, unless what stands there is the same. The other side has
// answered: it is asked no more.
func (s *Service) keepBeside(ctx context.Context, current, st Statement, rejects []files.Reject, in Incoming) error {
	all, err := s.Statements(ctx, st.Institution, st.Day, st.Day)
	if err != nil {
		return err
	}
	for _, old := range all {
		if old.Beside && old.Source == st.Source && old.Kind == st.Kind && old.SHA256 == st.SHA256 && old.State == st.State {
			return s.noteBrought(ctx, current, Ready, time.Time{})
		}
	}
	last, err := s.lastVersion(ctx, st)
	if err != nil {
		return err
	}
	st.ID, st.Version, st.Superseded = newID(), last+1, true
	_, err = s.put(ctx, st, in, func(tx core.App, st Statement) error {
		now := s.now()
		if err := one(tx.DB().Update(collections.Statements, dbx.Params{"next_at": ""},
			dbx.HashExp{"id": current.ID, "superseded": false})); err != nil {
			return err
		}
		return errors.Join(addVersion(tx.DB(), st, st.row(in, time.Time{}, now), now), keepRejects(tx.DB(), st, rejects, now))
	})
	return err
}

// noteBrought writes down how asking for a bill went that somebody has brought:
// nothing that goes wrong touches it, and an answer ends the asking.
func (s *Service) noteBrought(ctx context.Context, st Statement, state string, next time.Time) error {
	if state == Empty {
		none := Statement{Institution: st.Institution, Source: st.Source, Kind: st.Kind, Day: st.Day, Connection: st.Connection,
			State: Empty}
		return s.keepBeside(ctx, st, none, nil, Incoming{})
	}
	if state == Ready {
		next = time.Time{}
	}
	_, err := s.App.NonconcurrentDB().Update(collections.Statements, dbx.Params{"tries": st.Tries + 1, "next_at": stamp(next)},
		dbx.HashExp{"id": st.ID, "superseded": false}).WithContext(ctx).Execute()
	return err
}

// Use puts a download that stands beside a bill in force, as a new version.
// From then on the bill is the other side's again, which later downloads
// replace.
func (s *Service) Use(ctx context.Context, inst, id string) (used, instead Statement, err error) {
	if used, err = s.Statement(ctx, inst, id); err != nil {
		return used, instead, err
	}
	all, err := s.Statements(ctx, inst, used.Day, used.Day)
	if err != nil {
		return used, instead, err
	}
	if !slices.ContainsFunc(all, func(st Statement) bool { return st.ID == id && st.Beside }) {
		return used, instead, flow.NewError(flow.CodeConflict, "")
	}
	if instead, err = s.current(ctx, used); err != nil {
		return used, instead, err
	}
	in := Incoming{Institution: inst, Day: used.Day, Source: used.Source, Kind: used.Kind, Name: used.Name, Told: used.Told,
		Connection: used.Connection}
	if used.State == Empty {
		used, err = s.replace(ctx, instead, Statement{Institution: inst, Day: used.Day, Source: used.Source, Kind: used.Kind,
			Connection: used.Connection, State: Empty}, nil,
			in)
		return used, instead, err
	}
	err = s.local(ctx, used, func(_ files.File, path string) error {
		in.Path = path
		st, rejects, err := s.examine(ctx, in)
		if err == nil {
			used, err = s.replace(ctx, instead, st, rejects, in)
		}
		return err
	})
	return used, instead, err
}
