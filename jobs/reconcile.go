package jobs

import (
	"context"
	"errors"
	"time"

	"hospay/books"
	"hospay/calendar"
	"hospay/flow"
)

// reconcileDays is how far back the job looks for days to reconcile.
const reconcileDays = 31

// Reconcile runs the reconciliation of every day whose bills have come, again
// when a bill was replaced, and once a day while items are open. From six in
// the evening on it also runs days whose bills are not whole, so that they show.
func Reconcile(books *books.Service, now func() time.Time) Job {
	r := reconciliation{books, now}
	return Job{Name: "reconcile", Every: 10 * time.Minute, Run: r.run}
}

type reconciliation struct {
	books *books.Service
	now   func() time.Time
}

func (r reconciliation) run(ctx context.Context) (n int, err error) {
	insts, err := r.books.Institutions(ctx)
	if err != nil {
		return 0, err
	}
	for _, inst := range insts {
		for back := reconcileDays; back > 0 && ctx.Err() == nil; back-- {
			day := r.now().In(calendar.Beijing).AddDate(0, 0, -back).Format(time.DateOnly)
			due, e := r.books.ToRun(ctx, inst, day, r.late(day))
			if e == nil && due {
				_, e = r.books.Run(ctx, inst, day, books.Actor{})
				n++
			}
			if flow.CodeOf(e) != books.CodeMonthClosed {
				err = errors.Join(err, e)
			}
		}
	}
	return n, err
}

// late reports whether nobody waits any longer for the bills of a day.
func (r reconciliation) late(day string) bool {
	from, _, err := calendar.ParseDay(day)
	return err == nil && r.now().After(from.AddDate(0, 0, 1).Add(statementLast*time.Hour))
}
