package books

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/reconcile"
	"hospay/refund"

	"github.com/pocketbase/dbx"
)

// Institutions lists the institutions whose books are kept.
func (s *Service) Institutions(ctx context.Context) ([]string, error) {
	var ids []string
	err := s.App.ConcurrentDB().Select("id").From(collections.Institutions).Where(dbx.HashExp{"active": true}).OrderBy("id").WithContext(ctx).
		Column(&ids)
	return ids, err
}

// reconcileDays is how far back RunDue looks for days to reconcile.
const reconcileDays = 31

// RunDue runs the reconciliation of every day whose bills have come, again when
// a bill was replaced, and once a day while items are open. From six in the
// evening on it also runs days whose bills are not whole, so that they show. What
// is broken at one institution is named in the error and stops no other.
func (s *Service) RunDue(ctx context.Context) (n int, err error) {
	insts, err := s.Institutions(ctx)
	if err != nil {
		return 0, err
	}
	for _, inst := range insts {
		for back := reconcileDays; back > 0 && ctx.Err() == nil; back-- {
			day := s.now().In(calendar.Beijing).AddDate(0, 0, -back).Format(time.DateOnly)
			for _, ledger := range Ledgers() {
				due, e := s.ToRun(ctx, inst, ledger, day, s.late(day))
				if e == nil && due {
					_, e = s.Run(ctx, inst, ledger, day, Actor{})
					n++
				}
				if e != nil && flow.CodeOf(e) != CodeMonthClosed {
					err = errors.Join(err, fmt.Errorf("机构 %s，%s %s：%w", inst, day, ledger.Chinese(), e))
				}
			}
		}
	}
	return n, err
}

// late reports whether nobody waits any longer for the bills of a day.
func (s *Service) late(day string) bool {
	from, _, err := calendar.ParseDay(day)
	return err == nil && s.now().After(from.AddDate(0, 0, 1).Add(statementLast*time.Hour))
}

// ToRun reports whether a day wants a run: its bills are there, or nobody waits
// for them any longer, and it has no run yet, its last run knew other bills, or
// it has open items and was not looked at today. A closed month takes no runs.
func (s *Service) ToRun(ctx context.Context, inst string, ledger Ledger, day string, late bool) (bool, error) {
	if closed, err := monthClosed(s.App.ConcurrentDB(), inst, day); err != nil || closed {
		return false, err
	}
	if used, err := s.InUse(ctx, inst, ledger, day); err != nil || !used {
		return false, err
	}
	bills, err := s.inForce(ctx, inst, ledger, day, day)
	if err != nil || len(bills) == 0 {
		return false, err
	}
	_, missing, err := s.present(ctx, inst, ledger, day, bills)
	if err != nil || (!late && len(missing) > 0) {
		return false, err
	}
	last, err := s.LastRun(ctx, inst, ledger, day)
	if errors.Is(err, ErrNoRun) {
		return true, nil
	}
	if err != nil || outdated(last, bills, missing) {
		return err == nil, err
	}
	if s.lookedAt(last) == s.Today() {
		return false, nil
	}
	var open int
	err = s.App.ConcurrentDB().NewQuery("SELECT COUNT(*) FROM differences WHERE institution = {:i} AND ledger = {:l} AND day = " +
		"{:d} AND live " +
		"= TRUE AND " +
		unresolved).Bind(dbx.Params{"i": inst, "l": ledger, "d": day}).WithContext(ctx).Row(&open)
	return open > 0, err
}

// lookedAt is the day on which a day's books were last compared: that of its
// run, or a later one on which they were found as the run had read them.
func (s *Service) lookedAt(last Run) string {
	if day, ok := s.looked.Load(last.Institution + string(last.Ledger) + last.Day); ok {
		return day.(string)
	}
	return calendar.Day(last.Started.Time())
}

// outdated reports whether a day's bills are not those that its last run knew.
func outdated(last Run, bills []Statement, missing []string) bool {
	return (last.State == Incomplete) != (len(missing) > 0) || slices.ContainsFunc(bills, func(st Statement) bool {
		return st.State == Ready && !slices.ContainsFunc(last.Files, func(f usedFile) bool { return f.ID == st.ID })
	})
}

// present tells for each book whether its bills are all there. Expected are
// HIS, the channels that have a bill of the day, and those that orders went
// through on it, whether the channels are in use today or not.
func (s *Service) present(ctx context.Context, inst string, ledger Ledger, day string, bills []Statement) (books map[string]BookSum,
	missing []string, err error) {
	sources, err := s.Through(ctx, inst, ledger, day)
	if err != nil {
		return nil, nil, err
	}
	switch ledger {
	case Deposits: // in those of payments HIS has a part where it gives its list, or somebody does
		sources = append(sources, SourceHIS)
	case Insurance:
		sources = append(sources, SourceCentre)
	}
	for _, st := range bills {
		if st.Day == day {
			sources = append(sources, st.Source)
		}
	}
	slices.Sort(sources)
	books = map[string]BookSum{"platform": {Present: true}}
	for _, source := range slices.Compact(sources) {
		worst := bookState(bills, source, day)
		books[source] = BookSum{Present: worst == Ready || worst == Empty, Statement: worst}
		if !books[source].Present {
			missing = append(missing, source)
		}
	}
	return books, missing, nil
}

// throughSQL tell whether payouts of a channel were paid on a day, or under way
// on it. One payout is enough, so that neither looks at all orders of a month.
func throughSQL() []string {
	var final []string
	for _, st := range refund.Machine.Finals() {
		final = append(final, "'"+string(st)+"'")
	}
	sent := func(where, when string) string {
		return "SELECT EXISTS (SELECT 1 FROM refund_orders o WHERE o.institution = {:i} AND o.channel = {:c} AND " + where +
			" AND o.compensates = '' AND EXISTS (SELECT 1 FROM transfer_orders t WHERE t.`order` = o.id" + when + "))"
	}
	return []string{
		sent("o.paid_at != '' AND o.paid_at >= {:from} AND o.paid_at < {:to}", ""),
		sent("o.his_refund_date >= {:since} AND o.his_refund_date < {:to} AND (o.paid_at >= {:to} OR (o.paid_at = '' AND (o.updated >= {:from} "+
			"OR o.status NOT IN ("+strings.Join(final, ",")+"))))", " AND t.created < {:to}"),
	}
}

// Through lists the channels with bills that orders were paid through on a day,
// or were under way through.
func (s *Service) Through(ctx context.Context, inst string, ledger Ledger, day string) (names []string, err error) {
	from, to, err := calendar.ParseDay(day)
	if err != nil || ledger == Insurance {
		return nil, err
	}
	asked := throughSQL()
	if ledger == Payments {
		asked = paidThroughSQL
	}
	for _, channel := range []string{reconcile.ChannelAlipay, reconcile.ChannelWeChat} {
		found := false
		for _, sql := range asked {
			p := dbx.Params{"i": inst, "c": channel, "to": stamp(to), "from": stamp(from), "since": stamp(from.AddDate(0, 0, -longest))}
			if ledger == Payments {
				delete(p, "since")
			}
			if err := s.App.ConcurrentDB().NewQuery(sql).Bind(p).WithContext(ctx).Row(&found); err != nil {
				return nil, err
			}
			if found {
				names = append(names, channel)
				break
			}
		}
	}
	return names, nil
}

// bookState is the worst state of a book's bills; missing where there is none.
func bookState(bills []Statement, source, day string) string {
	weight := []string{Empty, Ready, Waiting, Refused, Missing}
	worst := -1
	for _, st := range bills {
		if st.Source == source && st.Day == day {
			worst = max(worst, slices.Index(weight, st.State))
		}
	}
	if worst < 0 {
		return Missing
	}
	return weight[worst]
}
