package books

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/money"
	"hospay/reconcile"

	"github.com/pocketbase/dbx"
)

// DayView is a day as the console shows it.
type DayView struct {
	Date        string                   `json:"date"`
	Ledger      Ledger                   `json:"ledger"`
	Ledgers     []Ledger                 `json:"ledgers"` // that are in use on the day
	State       string                   `json:"state"`   // balanced, differences, incomplete, none
	Colour      string                   `json:"colour"`  // as on the calendar
	Books       map[string]BookSum       `json:"books"`
	Differences map[string]reconcile.Sum `json:"differences"` // by kind, resolved ones included
	Open        int                      `json:"open"`
	CarriedIn   int                      `json:"carried_in"` // open items of earlier days
	Summary     *RunSummary              `json:"summary"`
	Runs        []RunView                `json:"runs"`
}

// RunView is a run in a list.
type RunView struct {
	ID       string `json:"id"`
	Seq      int    `json:"seq"`
	State    string `json:"state"`
	Started  string `json:"started"`
	Finished string `json:"finished"`
	By       string `json:"by"`
	ByName   string `json:"by_name"`
}

// Day tells how a day stands: the last run, and what people have done since.
func (s *Service) Day(ctx context.Context, inst string, ledger Ledger, day string) (DayView, error) {
	v := DayView{Date: day, Ledger: ledger, State: "none", Books: map[string]BookSum{}, Differences: map[string]reconcile.Sum{},
		Runs: []RunView{}}
	var err error
	if v.Ledgers, err = s.inUse(ctx, inst, day); err != nil {
		return v, err
	}
	runs, err := s.Runs(ctx, inst, ledger, day)
	if err != nil {
		return v, err
	}
	names, err := s.Store.StaffNames(ctx, inst)
	if err != nil {
		return v, err
	}
	for _, r := range runs {
		v.Runs = append(v.Runs, RunView{r.ID, r.Seq, r.State, calendar.Clock(r.Started.Time()), calendar.Clock(r.Finished.Time()), r.By,
			names[r.By]})
	}
	if err := s.count(ctx, inst, &v); err != nil {
		return v, err
	}
	if v.Colour, err = s.colourOf(ctx, inst, ledger, day); err != nil {
		return v, err
	}
	if len(runs) > 0 {
		v.Books, v.Summary = runs[0].Books, &runs[0].Summary.V
		v.State = dayState(runs[0].State, v.Open, v.Summary.Rejects)
		return v, nil
	}
	bills, err := s.inForce(ctx, inst, ledger, day, day)
	if err != nil {
		return v, err
	}
	v.Books, _, err = s.present(ctx, inst, ledger, day, bills)
	return v, err
}

// colourOf is the colour that the calendar gives a day of a ledger.
func (s *Service) colourOf(ctx context.Context, inst string, ledger Ledger, day string) (string, error) {
	first, _, err := calendar.ParseDay(day)
	if err != nil {
		return "", err
	}
	marks, err := s.marks(ctx, dbx.Params{"i": inst, "f": day, "t": first.AddDate(0, 0, 1).Format(time.DateOnly)})
	if m := marks[dayOf{day, ledger}]; m != nil {
		return m.colour(), err
	}
	return "none", err
}

// dayState is a day's state with what people have done since its run.
func dayState(run string, open, rejects int) string {
	switch {
	case run == "" || run == Incomplete:
		return run
	case open > 0 || rejects > 0:
		return HasDifferences
	}
	return Balanced
}

const unresolved = "state IN ('open', 'proposed', 'carried')"

func (s *Service) count(ctx context.Context, inst string, v *DayView) error {
	var rows []struct {
		Kind   string `db:"kind"`
		Count  int    `db:"n"`
		Amount int64  `db:"a"`
		Open   int    `db:"open"`
	}
	err := s.App.ConcurrentDB().NewQuery("SELECT kind, COUNT(*) AS n, COALESCE(SUM(amount), 0) AS a, SUM(" + unresolved +
		") AS open FROM differences WHERE institution = {:i} AND ledger = {:l} AND day = {:d} AND (live = TRUE OR kind = 'late') GROUP BY kind").
		Bind(dbx.Params{"i": inst, "l": v.Ledger, "d": v.Date}).WithContext(ctx).All(&rows)
	if err != nil {
		return err
	}
	for _, r := range rows {
		v.Differences[r.Kind] = reconcile.Sum{Count: r.Count, Amount: money.Fen(r.Amount)}
		v.Open += r.Open
	}
	return s.App.ConcurrentDB().NewQuery("SELECT COUNT(*) FROM differences WHERE institution = {:i} AND ledger = {:l} AND " + unresolved +
		" AND day < {:d}").Bind(dbx.Params{"i": inst, "l": v.Ledger, "d": v.Date}).WithContext(ctx).Row(&v.CarriedIn)
}

// CalendarDay is a day of the calendar: all ledgers together, and each by itself.
type CalendarDay struct {
	Date string `json:"date"`
	DayMark
	Ledgers []LedgerDay `json:"ledgers"` // those that have a run or an open item
}

// LedgerDay is a day of one ledger.
type LedgerDay struct {
	Ledger Ledger `json:"ledger"`
	DayMark
}

// DayMark is how a day stands.
type DayMark struct {
	Colour  string   `json:"colour"` // green, amber, red, none
	State   string   `json:"state"`
	Open    int      `json:"open"`
	Waiting int      `json:"waiting"` // of them: across midnight, or waiting for the payee
	Count   int      `json:"count"`   // orders
	Rejects int      `json:"rejects"` // lines that could not be read
	Missing []string `json:"missing"`
}

// Calendar tells how every day of a month stands: green where the books
// balance, amber where only time is missing or lines were refused, red where people are wanted.
func (s *Service) Calendar(ctx context.Context, inst, month string) ([]CalendarDay, error) {
	first, _, err := calendar.ParseDay(month + "-01")
	if err != nil {
		return nil, err
	}
	next := first.AddDate(0, 1, 0).Format(time.DateOnly)
	marks, err := s.marks(ctx, dbx.Params{"i": inst, "f": month + "-01", "t": next})
	if err != nil {
		return nil, err
	}
	days := []CalendarDay{}
	for d := first; d.Format(time.DateOnly) < next; d = d.AddDate(0, 0, 1) {
		c := CalendarDay{Date: d.Format(time.DateOnly), DayMark: DayMark{Missing: []string{}}, Ledgers: []LedgerDay{}}
		for _, l := range Ledgers() {
			if m := marks[dayOf{c.Date, l}]; m != nil {
				m.Colour = m.colour()
				c.Ledgers = append(c.Ledgers, LedgerDay{l, *m})
				c.with(*m)
			}
		}
		c.Colour = c.colour()
		days = append(days, c)
	}
	return days, nil
}

// dayOf names a day of a ledger.
type dayOf struct {
	day    string
	ledger Ledger
}

// marks reads the last runs and the open items of a span of days.
func (s *Service) marks(ctx context.Context, p dbx.Params) (map[dayOf]*DayMark, error) {
	var runs []struct {
		Day     string             `db:"day"`
		Ledger  Ledger             `db:"ledger"`
		State   string             `db:"state"`
		Summary jsonOf[RunSummary] `db:"summary"`
	}
	err := s.App.ConcurrentDB().NewQuery(
		"SELECT r.day, r.ledger, r.state, r.summary FROM recon_runs r WHERE r.institution = {:i} AND r.day >= {:f} AND r.day < " +
			"{:t} AND r.seq = " +
			"" +
			"(SELECT MAX(l.seq) FROM recon_runs l WHERE l.institution = r.institution AND l.ledger = r.ledger AND l.day = r.day)").
		Bind(p).WithContext(ctx).All(&runs)
	if err != nil {
		return nil, err
	}
	var open []struct {
		Day     string `db:"day"`
		Ledger  Ledger `db:"ledger"`
		Open    int    `db:"open"`
		Waiting int    `db:"waiting"`
	}
	err = s.App.ConcurrentDB().NewQuery(
		"SELECT day, ledger, COUNT(*) AS open, SUM(state = 'carried') AS waiting FROM differences WHERE institution " +
			"= {:i} AND day >= {:f} AND day < {:t} AND " + unresolved + " GROUP BY day, ledger").Bind(p).WithContext(ctx).All(&open)
	out := map[dayOf]*DayMark{}
	for _, r := range open {
		out[dayOf{r.Day, r.Ledger}] = &DayMark{Open: r.Open, Waiting: r.Waiting, Missing: []string{}}
	}
	for _, r := range runs {
		m := out[dayOf{r.Day, r.Ledger}]
		if m == nil {
			m = &DayMark{Missing: []string{}}
			out[dayOf{r.Day, r.Ledger}] = m
		}
		sum := r.Summary.V
		m.State, m.Count, m.Rejects = dayState(r.State, m.Open, sum.Rejects), sum.Orders, sum.Rejects
		m.Missing = append(m.Missing, sum.Missing...)
	}
	return out, err
}

// with adds a ledger to the day's mark: the worst state names it.
func (m *DayMark) with(o DayMark) {
	weight := []string{"", "none", Balanced, HasDifferences, Incomplete}
	if slices.Index(weight, o.State) > slices.Index(weight, m.State) {
		m.State = o.State
	}
	m.Open, m.Waiting, m.Count, m.Rejects = m.Open+o.Open, m.Waiting+o.Waiting, m.Count+o.Count, m.Rejects+o.Rejects
	for _, source := range o.Missing {
		if !slices.Contains(m.Missing, source) {
			m.Missing = append(m.Missing, source)
		}
	}
}

func (m *DayMark) colour() string {
	if m.State == "" {
		m.State = "none"
	}
	switch {
	case m.Open > m.Waiting:
		return "red"
	case m.State == Incomplete || m.Waiting > 0 || m.Rejects > 0:
		return "amber"
	case m.State == Balanced:
		return "green"
	}
	return "none"
}

// Filter chooses differences; empty fields choose everything.
type Filter struct{ Ledger, Day, From, To, Kind, State, Owner string }

// where is the condition, every value bound.
func (f Filter) where(inst string) (string, dbx.Params) {
	terms, p := []string{"institution = {:i}", "(live = TRUE OR state != 'resolved' OR kind = 'late')"}, dbx.Params{"i": inst}
	for _, c := range []struct{ term, name, value string }{
		{"ledger = {:ledger}", "ledger", f.Ledger}, {"day = {:day}", "day", f.Day}, {"day >= {:from}", "from", f.From}, {"day <= {:to}", "to",
			f.To}, {"kind = {:kind}", "kind", f.Kind},
		{"owner = {:owner}", "owner", f.Owner},
	} {
		if c.value != "" {
			terms, p[c.name] = append(terms, c.term), c.value
		}
	}
	if f.State != "" {
		terms, p["state"] = append(terms, "state = {:state}"), f.State
	}
	return strings.Join(terms, " AND "), p
}

// Valid reports whether the fields are known ones.
func (f Filter) Valid() bool {
	for _, d := range []string{f.Day, f.From, f.To} {
		if _, _, err := calendar.ParseDay(d); d != "" && err != nil {
			return false
		}
	}
	if _, err := ReadLedger(f.Ledger); err != nil {
		return false
	}
	kinds := []string{"", KindLate}
	for _, k := range reconcile.Kinds() {
		kinds = append(kinds, k.String())
	}
	return slices.Contains(kinds, f.Kind) && slices.Contains([]string{"", Open, Proposed, Resolved, Carried}, f.State)
}

// Differences lists differences, the newest day first, with how many there are.
func (s *Service) Differences(ctx context.Context, inst string, f Filter, page, perPage int) ([]Difference, int, error) {
	where, p := f.where(inst)
	var n int
	if err := s.App.ConcurrentDB().NewQuery("SELECT COUNT(*) FROM differences WHERE " + where).Bind(p).WithContext(ctx).Row(&n); err != nil {
		return nil, 0, err
	}
	p["limit"], p["offset"] = perPage, (page-1)*perPage
	out := []Difference{}
	err := s.App.ConcurrentDB().NewQuery("SELECT * FROM differences WHERE " + where + " ORDER BY day DESC, key DESC LIMIT {:limit} OFFSET " +
		"{:offset}").Bind(p).WithContext(ctx).All(&out)
	return out, n, err
}

// eachDifference walks all differences of a filter, the newest day first. It
// reads page by page along the key, so that what changes meanwhile moves no page.
func (s *Service) eachDifference(ctx context.Context, inst string, f Filter, each func(Difference) error) error {
	where, p := f.where(inst)
	for p["d"], p["k"] = "9999", ""; ; {
		var page []Difference
		err := s.App.ConcurrentDB().NewQuery("SELECT * FROM differences WHERE " + where + " AND (day, key) < ({:d}, {:k}) ORDER BY day DESC, " +
			"key DESC LIMIT 1000").Bind(p).WithContext(ctx).All(&page)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, d := range page {
			if err := each(d); err != nil {
				return err
			}
			p["d"], p["k"] = d.Day, d.Key
		}
	}
}

// end is when the waiting for people ended, or now.
func (d Difference) end(now time.Time) time.Time {
	if d.State == Resolved {
		return d.ResolvedAt.Time()
	}
	return now
}

func (d Difference) daysOpen(end time.Time) int {
	return int(end.Sub(d.Opened.Time()) / (24 * time.Hour))
}

// Lines reads a page of the three-way view of a day's last run: all orders,
// those that match, or those that differ.
func (s *Service) Lines(ctx context.Context, inst string, ledger Ledger, day, state string, page, perPage int) (items []Line, count int,
	err error) {
	items = []Line{}
	r, err := s.LastRun(ctx, inst, ledger, day)
	if errors.Is(err, ErrNoRun) || (err == nil && r.Lines == "") {
		return items, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	err = s.eachLine(ctx, r, func(line []byte) error {
		matched := strings.HasSuffix(string(line), `"kind":""}`)
		if (state == "matched" && !matched) || (state == "differences" && matched) {
			return nil
		}
		if count >= (page-1)*perPage && count < page*perPage {
			var l Line
			if err := json.Unmarshal(line, &l); err != nil {
				return err
			}
			items = append(items, l)
		}
		count++
		return ctx.Err()
	})
	return items, count, err
}

func (s *Service) eachLine(ctx context.Context, r Run, each func([]byte) error) error {
	file, err := s.Store.OpenFile(ctx, r.keptLines())
	if err != nil {
		return err
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	in := bufio.NewReader(plain)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := each(line[:len(line)-1]); err != nil {
			return err
		}
	}
}
