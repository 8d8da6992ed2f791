package books

import (
	"context"
	"errors"
	"slices"
	"time"

	"hospay/reconcile"
)

// monthTotals adds up the last run of every day in every ledger, and lists the days
// without a whole one of the bills that are there, from the institution's first day
// until yesterday.
func (s *Service) monthTotals(ctx context.Context, inst string, first time.Time, out *Month) error {
	begin, err := s.FirstDay(ctx, inst)
	if err != nil {
		return err
	}
	for _, l := range Ledgers() {
		lm := LedgerMonth{Ledger: l, Books: map[string]BookSum{}, Channels: []ChannelRow{}}
		used, err := s.ledgerMonth(ctx, inst, begin, first, &lm, out)
		switch {
		case err != nil:
			return err
		case l == Deposits:
			out.Books, out.Channels = lm.Books, lm.Channels
		case used:
			out.Ledgers = append(out.Ledgers, lm)
		}
	}
	slices.Sort(out.MissingDays)
	out.MissingDays = slices.Compact(out.MissingDays)
	return nil
}

func (s *Service) ledgerMonth(ctx context.Context, inst, begin string, first time.Time, lm *LedgerMonth, out *Month) (used bool,
	err error) {
	if used, err = s.InUse(ctx, inst, lm.Ledger, first.AddDate(0, 1, -1).Format(time.DateOnly)); err != nil || !used {
		return false, err
	}
	bills, err := s.inForce(ctx, inst, lm.Ledger, first.Format(time.DateOnly), first.AddDate(0, 1, -1).Format(time.DateOnly))
	if err != nil {
		return false, err
	}
	channels := map[string]*ChannelRow{}
	for d := first; d.Month() == first.Month(); d = d.AddDate(0, 0, 1) {
		day := d.Format(time.DateOnly)
		if on, err := s.InUse(ctx, inst, lm.Ledger, day); err != nil || !on {
			if err != nil {
				return false, err
			}
			continue
		}
		run, err := s.LastRun(ctx, inst, lm.Ledger, day)
		if err != nil && !errors.Is(err, ErrNoRun) {
			return false, err
		}
		whole, err := s.whole(ctx, run, inst, lm.Ledger, day, bills)
		if err != nil {
			return false, err
		}
		if !whole && day >= begin && day < s.Today() {
			out.MissingDays = append(out.MissingDays, day)
		}
		if run.State == "" || run.State == Incomplete {
			continue
		}
		addBooks(lm.Books, run.Books)
		for _, c := range run.Summary.V.Channels {
			addChannel(channels, lm, c)
		}
	}
	for i, c := range lm.Channels {
		lm.Channels[i] = *channels[c.Channel+" "+c.Method]
	}
	return true, nil
}

// whole reports whether a day's last run has read all of its bills as they are
// now.
func (s *Service) whole(ctx context.Context, run Run, inst string, ledger Ledger, day string, bills []Statement) (bool, error) {
	if run.State == "" || run.State == Incomplete {
		return false, nil
	}
	bills = slices.DeleteFunc(slices.Clone(bills), func(st Statement) bool { return st.Day != day })
	_, missing, err := s.present(ctx, inst, ledger, day, bills)
	return err == nil && !outdated(run, bills, missing), err
}

func addBooks(to, from map[string]BookSum) {
	for name, b := range from {
		sum := to[name]
		sum.Count, sum.Amount, sum.Present = sum.Count+b.Count, sum.Amount+b.Amount, true
		to[name] = sum
	}
}

func addChannel(to map[string]*ChannelRow, out *LedgerMonth, c ChannelRow) {
	k := c.Channel + " " + c.Method
	if to[k] == nil {
		to[k] = &ChannelRow{Channel: c.Channel, Method: c.Method}
		out.Channels = append(out.Channels, *to[k])
	}
	for _, pair := range []struct{ sum, more *reconcile.Sum }{{&to[k].Platform, &c.Platform}, {&to[k].Bill, &c.Bill}, {&to[k].HIS, &c.HIS}} {
		pair.sum.Count += pair.more.Count
		pair.sum.Amount += pair.more.Amount
	}
	to[k].Differences += c.Differences
}
