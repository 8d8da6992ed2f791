package books

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/money"
	"hospay/reconcile"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// The states of a run and of a day.
const (
	Balanced       = "balanced"
	HasDifferences = "differences"
	Incomplete     = "incomplete" // a bill is not there: nothing is judged
)

// BookSum is one book of a day: the succeeded lines that belong to it.
type BookSum struct {
	Count     int       `json:"count"`
	Amount    money.Fen `json:"amount"`
	Present   bool      `json:"present"`
	Statement string    `json:"statement,omitempty"` // the worst state of its bills
}

// RunSummary is what a run comes to beside its books.
type RunSummary struct {
	Orders   int                      `json:"orders"`
	Matched  int                      `json:"matched"`
	Rejects  int                      `json:"rejects"`
	Moved    movedLines               `json:"moved"` // HIS lines of other days
	Other    reconcile.Sum            `json:"other"`
	Cash     reconcile.Sum            `json:"cash"`
	Returned reconcile.Sum            `json:"returned"`
	Overage  money.Fen                `json:"overage"`
	Shortage money.Fen                `json:"shortage"`
	Aside    map[string]reconcile.Sum `json:"aside"`
	Channels []ChannelRow             `json:"channels"`
	Missing  []string                 `json:"missing"`
}

// ChannelRow is a channel and method of a run.
type ChannelRow struct {
	Channel     string        `json:"channel"`
	Method      string        `json:"method"`
	Platform    reconcile.Sum `json:"platform"`
	Bill        reconcile.Sum `json:"bill"`
	HIS         reconcile.Sum `json:"his"`
	Differences int           `json:"differences"`
}

// Run is one run of a day; runs are never changed.
type Run struct {
	ID          string                    `db:"id"`
	Institution string                    `db:"institution"`
	Ledger      Ledger                    `db:"ledger"`
	Day         string                    `db:"day"`
	Seq         int                       `db:"seq"`
	State       string                    `db:"state"`
	Books       types.JSONMap[BookSum]    `db:"books"`
	Summary     jsonOf[RunSummary]        `db:"summary"`
	Files       types.JSONArray[usedFile] `db:"files"`
	Inputs      string                    `db:"inputs"`
	Started     types.DateTime            `db:"started"`
	Finished    types.DateTime            `db:"finished"`
	By          string                    `db:"by"`
	Lines       string                    `db:"lines"`
}

// jsonOf is a value that a column holds as JSON.
type jsonOf[T any] struct{ V T }

// Scan implements sql.Scanner.
func (j *jsonOf[T]) Scan(v any) error {
	switch v := v.(type) {
	case string:
		return json.Unmarshal([]byte(v), &j.V)
	case []byte:
		return json.Unmarshal(v, &j.V)
	}
	return nil
}

// ErrNoRun says that a day was not reconciled.
var ErrNoRun = errors.New("recon: the day was not reconciled")

// LastRun reads the last run of a day.
func (s *Service) LastRun(ctx context.Context, inst string, ledger Ledger, day string) (Run, error) {
	var r Run
	err := s.App.ConcurrentDB().Select("*").From(collections.ReconRuns).
		Where(dbx.HashExp{"institution": inst, "ledger": ledger, "day": day}).
		OrderBy("seq DESC").Limit(1).WithContext(ctx).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return r, ErrNoRun
	}
	return r, err
}

// Runs lists the runs of a day, the newest first.
func (s *Service) Runs(ctx context.Context, inst string, ledger Ledger, day string) ([]Run, error) {
	out := []Run{}
	err := s.App.ConcurrentDB().Select("*").From(collections.ReconRuns).
		Where(dbx.HashExp{"institution": inst, "ledger": ledger, "day": day}).
		OrderBy("seq DESC").Limit(50).WithContext(ctx).All(&out)
	return out, err
}

// Run reconciles a day, then once more those days that the day's files or new
// answers may have completed: its neighbours, and days with open items. Equal
// inputs change nothing. RunAll does so for every ledger in use.
func (s *Service) Run(ctx context.Context, inst string, ledger Ledger, day string, by Actor) (Run, error) {
	s.running.Lock()
	defer s.running.Unlock()
	if ledger == Insurance {
		return s.runInsurance(ctx, inst, day, by.ID)
	}
	run, err := s.runDay(ctx, inst, ledger, day, by.ID)
	if err != nil {
		return run, err
	}
	others, err := s.touched(ctx, inst, ledger, day)
	if err != nil {
		return run, err
	}
	for _, d := range others {
		if _, err := s.runDay(ctx, inst, ledger, d, ""); err != nil && flow.CodeOf(err) != CodeMonthClosed {
			return run, fmt.Errorf("recon: day %s beside %s: %w", d, day, err)
		}
	}
	return run, nil
}

// touched lists the days that a run of a day may complete: its neighbours; days
// before it with items that wait for another day; and days after it with open
// items, whose orders HIS may have debited on this one.
func (s *Service) touched(ctx context.Context, inst string, ledger Ledger, day string) ([]string, error) {
	var days []string
	err := s.App.ConcurrentDB().NewQuery("SELECT DISTINCT day FROM differences WHERE institution = {:i} AND ledger = {:l} AND live = TRUE " +
		"AND ((state IN " +
		"('carried', 'proposed') AND day >= {:from} AND day < {:d}) OR (" + unresolved + " AND day > {:d} AND day <= {:to}))").
		Bind(dbx.Params{"i": inst, "from": calendar.Shift(day, -near), "to": calendar.Shift(day, near), "d": day,
			"l": ledger}).WithContext(ctx).Column(&days)
	if err != nil {
		return nil, err
	}
	for _, d := range []string{calendar.Shift(day, -1), calendar.Shift(day, 1)} {
		if _, err := s.LastRun(ctx, inst, ledger, d); err == nil && !slices.Contains(days, d) {
			days = append(days, d)
		}
	}
	slices.Sort(days)
	return days, nil
}

func (s *Service) runDay(ctx context.Context, inst string, ledger Ledger, day, by string) (Run, error) {
	started := s.now()
	if closed, err := monthClosed(s.App.ConcurrentDB(), inst, day); err != nil || closed {
		return Run{}, errors.Join(err, closedError(closed))
	}
	bills, err := s.inForce(ctx, inst, ledger, calendar.Shift(day, -longest), calendar.Shift(day, near))
	if err != nil {
		return Run{}, err
	}
	books, missing, err := s.present(ctx, inst, ledger, day, bills)
	if err != nil {
		return Run{}, err
	}
	_, his := books[SourceHIS]
	f, err := s.feeder(ctx, inst, ledger, day, !his)
	if err != nil {
		return Run{}, err
	}
	fmt.Fprintln(f.sum, missing)
	for source, b := range books {
		if source != SourceHIS && b.Present {
			if err := f.engine.Bill(source); err != nil {
				return Run{}, err
			}
		}
	}
	feed := f.feed
	if ledger == Payments {
		feed = (&payFeeder{feeder: f}).feed
	}
	if err := feed(bills); err != nil {
		return Run{}, err
	}
	midnight, err := f.metMidnight()
	if err != nil {
		return Run{}, err
	}
	last, err := s.LastRun(ctx, inst, ledger, day)
	if err != nil && !errors.Is(err, ErrNoRun) {
		return last, err
	}
	if err == nil && last.Inputs == f.inputs(bills, midnight) {
		s.looked.Store(inst+string(ledger)+day, s.Today())
		return last, nil
	}
	res, err := f.engine.Run()
	if err != nil {
		return last, err
	}
	defer f.engine.Close()
	if n := res.Summary.Total(); n > maxDifferences && len(missing) == 0 {
		return last, flow.NewError(CodeTooMany, fmt.Sprint(n))
	}
	if err := f.tell(res.Differences, bills); err != nil {
		return last, err
	}
	f.addReturns(res)
	if len(missing) == 0 { // otherwise the differences stay those of the last run
		midnight = meetsMidnight(res.Differences)
	}
	run := Run{ID: newID(), Institution: inst, Ledger: ledger, Day: day, Seq: last.Seq + 1, Inputs: f.inputs(bills, midnight), By: by,
		Files: f.files,
		Books: books}
	run.sum(res, f, missing)
	return s.save(ctx, run, res.Differences, func(yield func(reconcile.Order) error) error {
		err := res.Each(yield)
		for _, o := range f.back.unknown {
			err = errors.Join(err, yield(o))
		}
		return err
	}, started)
}

// RunAll reconciles a day in every ledger that is in use. What is broken in one
// stops no other.
func (s *Service) RunAll(ctx context.Context, inst, day string, by Actor) error {
	used, err := s.inUse(ctx, inst, day)
	for _, ledger := range used {
		if _, e := s.Run(ctx, inst, ledger, day, by); e != nil {
			err = errors.Join(err, fmt.Errorf("%s：%w", ledger.Chinese(), e))
		}
	}
	return err
}

// net are the books' sums: in the books of payments what went back is taken off.
func (r *Run) net(res *reconcile.Result) [3]reconcile.Sum {
	out := [3]reconcile.Sum(res.Summary.Books)
	if r.Ledger != Payments {
		return out
	}
	for i := range res.Summary.Channels {
		c := &res.Summary.Channels[i]
		for b := range out {
			if c.Method == reconcile.MethodBack {
				out[b].Amount -= 2 * c.Books[b].Amount
				c.Books[b].Amount = -c.Books[b].Amount
			}
		}
	}
	return out
}

// sum takes the figures of a result.
func (r *Run) sum(res *reconcile.Result, f *feeder, missing []string) {
	e := &res.Summary
	put := func(book string, sum reconcile.Sum) {
		b := r.Books[book]
		b.Count, b.Amount = sum.Count, sum.Amount
		r.Books[book] = b
	}
	totals := r.net(res)
	put("platform", totals[reconcile.Platform])
	if _, has := r.Books[SourceHIS]; has || r.Ledger == Deposits {
		put(SourceHIS, totals[reconcile.HIS])
	}
	bills := map[string]reconcile.Sum{}
	out := RunSummary{
		Orders: e.Orders, Matched: e.Matched, Rejects: f.rejects, Moved: f.moved, Other: e.Other, Cash: f.other, Returned: e.Returned,
		Overage: e.Overage, Shortage: e.Shortage,
		Aside: map[string]reconcile.Sum{}, Missing: missing, Channels: []ChannelRow{},
	}
	for _, c := range e.Channels {
		sum := bills[c.Channel]
		sum.Count += c.Books[reconcile.Channel].Count
		sum.Amount += c.Books[reconcile.Channel].Amount
		bills[c.Channel] = sum
		out.Channels = append(out.Channels, ChannelRow{c.Channel, c.Method, c.Books[reconcile.Platform], c.Books[reconcile.Channel],
			c.Books[reconcile.HIS], c.Differences})
	}
	for channel, sum := range bills {
		if _, known := r.Books[channel]; known || sum.Count != 0 {
			put(channel, sum)
		}
	}
	for _, b := range reconcile.Books {
		out.Aside[b.String()] = e.SetAside[b]
	}
	r.Summary.V = out
	switch {
	case len(missing) > 0:
		r.State = Incomplete
	case f.rejects > 0 || slices.ContainsFunc(res.Differences, func(o reconcile.Order) bool { return !settled(o) }):
		r.State = HasDifferences
	default:
		r.State = Balanced
	}
}

// eachOrder tells every order of a run.
type eachOrder func(yield func(reconcile.Order) error) error

// save writes the lines into a file, and run and differences in one
// transaction.
func (s *Service) save(ctx context.Context, run Run, found []reconcile.Order, each eachOrder, started time.Time) (Run, error) {
	if run.State != Incomplete {
		var err error
		if run.Lines, err = s.writeLines(ctx, run, found, each); err != nil {
			return run, err
		}
	}
	set, err := s.settings(ctx, run.Institution)
	if err != nil {
		return run, err
	}
	err = s.App.RunInTransaction(func(tx core.App) error {
		if closed, err := monthClosed(tx.DB(), run.Institution, run.Day); err != nil || closed {
			return errors.Join(err, closedError(closed))
		}
		now := s.now()
		err := one(tx.DB().Insert(collections.ReconRuns, dbx.Params{
			"id": run.ID, "institution": run.Institution, "ledger": run.Ledger, "day": run.Day, "seq": run.Seq, "state": run.State,
			"books":   jsonText(run.Books),
			"summary": jsonText(run.Summary.V), "files": jsonText(run.Files),
			"inputs": run.Inputs, "started": stamp(started), "finished": stamp(now), "by": run.By, "lines": run.Lines, "created": stamp(now),
		}))
		if err != nil || run.State == Incomplete {
			return err
		}
		return s.merge(tx, run, found, set.Days, now)
	})
	if err != nil {
		return run, errors.Join(err, s.Store.DropFile(ctx, run.keptLines()))
	}
	return s.LastRun(ctx, run.Institution, run.Ledger, run.Day)
}
