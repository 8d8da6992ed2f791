package books

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/payment"
	"hospay/people"
	"hospay/reconcile"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// The verbs of working off.
const (
	VerbBook           = "book"            // 补记
	VerbCorrect        = "correct"         // 更正
	VerbRematch        = "rematch"         // 换配
	VerbConfirmArrival = "confirm_arrival" // 确认到账
	VerbIgnore         = "ignore"          // 忽略
	VerbForce          = "force"           // 强制平账
)

var verbWords = map[string]string{
	"补记": VerbBook, "更正": VerbCorrect, "换配": VerbRematch, "确认到账": VerbConfirmArrival, "忽略": VerbIgnore, "强制平账": VerbForce,
	VerbBook: VerbBook, VerbCorrect: VerbCorrect, VerbRematch: VerbRematch, VerbConfirmArrival: VerbConfirmArrival, VerbIgnore: VerbIgnore,
	VerbForce: VerbForce,
}

// Decision is what a person wants to do with a difference.
type Decision struct {
	Verb, Reason, With string
}

// Resolve works a difference off, or proposes to where money is concerned;
// a second person then confirms. Orders are never edited: a platform state is
// corrected by making the order due, so that a query proves it.
func (s *Service) Resolve(ctx context.Context, inst, id string, d Decision, by Actor) (Difference, error) {
	d.Verb = verbWords[strings.TrimSpace(d.Verb)]
	if d.Verb == "" {
		return Difference{}, flow.NewError(CodeVerbUnknown, "")
	}
	var err error
	if d.Reason, err = flow.Required(d.Reason, CodeReasonRequired); err != nil {
		return Difference{}, err
	}
	set, err := s.settings(ctx, inst)
	if err != nil {
		return Difference{}, err
	}
	wake := false
	err = s.change(inst, id, func(tx core.App, diff Difference, now time.Time) error {
		db := tx.DB()
		if err := by.mayAsk(tx, inst); err != nil {
			return err
		}
		if diff.State != Open && diff.State != Carried {
			return flow.NewError(CodeDifferenceDone, diff.State)
		}
		if d.Verb == VerbConfirmArrival { // the next run closes it, once the query has proved it
			if wake, err = s.wakeable(ctx, diff); err != nil {
				return err
			}
			if !wake {
				return flow.NewError(CodeVerbUnfit, "")
			}
			return remember(db, inst, id, act{Act: "resolve", Verb: d.Verb, Reason: d.Reason, By: by}, diff.facts(), dbx.Params{"state": diff.State},
				now)
		}
		if d.Verb == VerbIgnore && diff.exposure() <= set.Ignore {
			return finish(db, diff, act{Act: "resolve", Verb: d.Verb, Reason: d.Reason, By: by}, now)
		}
		return propose(db, diff, d, by, now)
	})
	if err == nil && wake {
		err = s.wake(ctx, inst, id, by)
	}
	return s.read(ctx, inst, id, err)
}

// exposure is the amount that a difference is about: its own, or more where two
// books differ by more. A wrong card, channel or method and a repeat, beside
// what names the difference too, are about all of the order.
func (d Difference) exposure() int64 {
	abs := func(n int64) int64 { return max(n, -n) }
	most := max(d.Amount, abs(d.PlatformDay-d.ChannelDay), abs(d.PlatformDay-d.HISDay), abs(d.ChannelDay-d.HISDay))
	for _, k := range []reconcile.Kind{reconcile.Duplicate, reconcile.WrongChannel, reconcile.Method, reconcile.Card} {
		if d.Kind == k.String() || slices.Contains(d.Also, k.String()) {
			return max(most, d.PlatformAmount, d.ChannelAmount, d.HISAmount)
		}
	}
	return most
}

// wakeable reports whether a query can still prove the state of the order.
func (s *Service) wakeable(ctx context.Context, d Difference) (bool, error) {
	if d.Order == "" {
		return false, nil
	}
	if d.Ledger != Deposits {
		w, err := s.Store.Payments().Get(ctx, d.Order)
		if errors.Is(err, flow.ErrNotFound) {
			return false, nil
		}
		return err == nil && !payment.Resting(w.Order.Status), err
	}
	w, err := s.Store.Get(ctx, d.Order)
	if errors.Is(err, flow.ErrNotFound) {
		return false, nil
	}
	return err == nil && !refund.Machine.Final(w.Order.Status) && w.Order.Status != refund.StatusReviewing, err
}

func (s *Service) wake(ctx context.Context, inst, id string, by Actor) error {
	d, err := s.Difference(ctx, inst, id)
	if err != nil {
		return err
	}
	if d.Ledger != Deposits {
		return s.WakePayment(ctx, d.Order, people.By{Kind: people.ByStaff, ID: by.ID, Person: by.Person})
	}
	return s.Wake(ctx, d.Order, people.By{Kind: people.ByStaff, ID: by.ID, Person: by.Person})
}

func propose(db dbx.Builder, d Difference, want Decision, by Actor, now time.Time) error {
	if want.Verb == VerbRematch {
		other, err := find(db, d.Institution, want.With)
		if err != nil || !opposite(d, other) {
			return flow.NewError(CodeRematchUnfit, "")
		}
		if err := set(db, other, dbx.Params{"state": Proposed, "with": d.ID, "proposed_by": by.ID},
			act{Act: "propose", Verb: want.Verb, Reason: want.Reason, With: d.ID, By: by}, now); err != nil {
			return err
		}
	} else {
		want.With = ""
	}
	return set(db, d, dbx.Params{"state": Proposed, "verb": want.Verb, "with": want.With, "proposed_by": by.ID},
		act{Act: "propose", Verb: want.Verb, Reason: want.Reason, With: want.With, By: by}, now)
}

// opposite reports whether two differences cancel each other.
func opposite(a, b Difference) bool {
	return a.ID != b.ID && a.Ledger == b.Ledger && b.State != Resolved && b.State != Proposed && a.Sign != "" && b.Sign != "" &&
		a.Sign != b.Sign &&
		a.Amount == b.Amount
}

// Confirm lets the second person decide on a proposal; seen is the id of the
// one that the person has looked at, empty where it is not told.
func (s *Service) Confirm(ctx context.Context, inst, id, seen, note string, by Actor) (Difference, error) {
	wake := false
	note, err := flow.Optional(note)
	if err != nil {
		return Difference{}, err
	}
	err = s.change(inst, id, func(tx core.App, d Difference, now time.Time) error {
		db := tx.DB()
		first, err := proposalOf(db, d)
		if err != nil {
			return err
		}
		if err := rule.May(people.Confirm, first.of(tx, inst), by.now(tx), people.Seen{Name: seen}); err != nil {
			return err
		}
		a := act{Act: "confirm", Verb: first.Verb, Reason: note, With: d.With, By: by}
		if first.Verb == VerbCorrect && d.PlatformState != "" && d.PlatformState != reconcile.Succeeded.String() {
			if wake, err = s.wakeable(ctx, d); err != nil {
				return err
			}
		}
		if wake { // the next run closes it, once the query has proved it
			return set(db, d, dbx.Params{"state": standing(db, d), "verb": "", "with": "", "proposed_by": ""}, a, now)
		}
		if d.With != "" {
			other, err := find(db, inst, d.With)
			if err != nil {
				return err
			}
			if err := finish(db, other, a, now); err != nil {
				return err
			}
		}
		return finish(db, d, a, now)
	})
	if err == nil && wake {
		err = s.wake(ctx, inst, id, by)
	}
	return s.read(ctx, inst, id, err)
}

// Withdraw takes a proposal back: its author, or whoever refuses it.
func (s *Service) Withdraw(ctx context.Context, inst, id, note string, by Actor) (Difference, error) {
	note, err := flow.Optional(note)
	if err != nil {
		return Difference{}, err
	}
	err = s.change(inst, id, func(tx core.App, d Difference, now time.Time) error {
		db := tx.DB()
		first, err := proposalOf(db, d)
		if err != nil {
			return err
		}
		who, open := by.now(tx), first.of(tx, inst)
		if err := rule.May(open.Ending(who.By), open, who, people.Seen{}); err != nil {
			return err
		}
		back := func(d Difference) error {
			return set(db, d, dbx.Params{"state": standing(db, d), "verb": "", "with": "", "proposed_by": ""},
				act{Act: "withdraw", Verb: first.Verb, Reason: note, By: by}, now)
		}
		if d.With != "" {
			other, err := find(db, inst, d.With)
			if err != nil {
				return err
			}
			if err := back(other); err != nil {
				return err
			}
		}
		return back(d)
	})
	return s.read(ctx, inst, id, err)
}

// standing is where a difference goes back to.
func standing(db dbx.Builder, d Difference) string {
	if closed, err := monthClosed(db, d.Institution, d.Day); err == nil && closed {
		return Carried
	}
	return waiting(d.Kind)
}

// release opens the other half of a rematch, proposed or confirmed, whose
// first half has changed.
func release(db dbx.Builder, d Difference, now time.Time) error {
	if d.With == "" {
		return nil
	}
	other, err := find(db, d.Institution, d.With)
	if err != nil || other.With != d.ID {
		return err
	}
	a := act{Act: "withdraw", Verb: VerbRematch, Reason: "换配的另一笔有变化", With: d.ID}
	if other.State == Resolved {
		a.Act = "reopen"
	}
	return set(db, other, dbx.Params{"state": standing(db, other), "verb": "", "with": "", "proposed_by": "", "resolved_at": ""}, a, now)
}

// Assign gives a difference to somebody of the house, or to nobody.
func (s *Service) Assign(ctx context.Context, inst, id, owner string, by Actor) (Difference, error) {
	if owner != "" {
		staff, err := s.App.FindRecordById(collections.Staff, owner)
		if err != nil || staff.GetString("institution") != inst || !staff.GetBool("active") || !slices.Contains(staff.GetStringSlice("roles"),
			people.RoleFinance) {
			return Difference{}, flow.NewError(flow.CodeBadRequest, "")
		}
	}
	err := s.change(inst, id, func(tx core.App, d Difference, now time.Time) error {
		if d.State == Resolved {
			return flow.NewError(CodeDifferenceDone, d.State)
		}
		return set(tx.DB(), d, dbx.Params{"owner": owner}, act{Act: "assign", By: by}, now)
	})
	return s.read(ctx, inst, id, err)
}

// change runs f on a difference in one transaction. A closed month takes no
// decisions but on what was carried over.
func (s *Service) change(inst, id string, f func(core.App, Difference, time.Time) error) error {
	return s.App.RunInTransaction(func(tx core.App) error {
		d, err := find(tx.DB(), inst, id)
		if err != nil {
			return err
		}
		closed, err := monthClosed(tx.DB(), inst, d.Day)
		if err != nil {
			return err
		}
		if closed && d.State == Resolved {
			return flow.NewError(CodeMonthClosed, d.Day[:7])
		}
		return f(tx, d, s.now())
	})
}

func find(db dbx.Builder, inst, id string) (Difference, error) {
	var d Difference
	err := db.Select("*").From(collections.Differences).Where(dbx.HashExp{"institution": inst, "id": id}).One(&d)
	if errors.Is(err, sql.ErrNoRows) {
		return d, flow.ErrNotFound
	}
	return d, err
}

// Difference reads a difference of an institution.
func (s *Service) Difference(ctx context.Context, inst, id string) (Difference, error) {
	return find(s.App.ConcurrentDB(), inst, id)
}

func (s *Service) read(ctx context.Context, inst, id string, err error) (Difference, error) {
	if err != nil {
		return Difference{}, err
	}
	return s.Difference(ctx, inst, id)
}

func set(db dbx.Builder, d Difference, row dbx.Params, a act, now time.Time) error {
	row["updated"] = stamp(now)
	if _, err := db.Update(collections.Differences, row, dbx.HashExp{"id": d.ID}).Execute(); err != nil {
		return err
	}
	return remember(db, d.Institution, d.ID, a, d.facts(), row, now)
}

func finish(db dbx.Builder, d Difference, a act, now time.Time) error {
	return set(db, d, dbx.Params{"state": Resolved, "verb": a.Verb, "resolved_at": stamp(now), "proposed_by": ""}, a, now)
}

// proposal is what waits for a second person.
type proposal struct {
	ID, Verb, Reason string
	By               Actor
	At               time.Time
}

// of is the proposal with its author as known now.
func (p proposal) of(tx core.App, inst string) people.Proposal {
	return people.Proposal{Institution: inst, Name: p.ID, What: p.Verb, By: p.By.now(tx)}
}

func proposalOf(db dbx.Builder, d Difference) (proposal, error) {
	if d.State != Proposed {
		return proposal{}, flow.NewError(CodeDifferenceDone, d.State)
	}
	var r Resolution
	err := db.Select("*").From(collections.Resolutions).Where(dbx.HashExp{"difference": d.ID, "act": "propose"}).OrderBy("created DESC",
		"rowid DESC").Limit(1).One(&r)
	return proposal{r.ID, r.Verb, r.Reason, Actor{r.By, r.Person}, r.Created.Time()}, err
}
