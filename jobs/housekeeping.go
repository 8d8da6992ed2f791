package jobs

import (
	"context"
	"errors"
	"time"

	"hospay/store"
)

// keptRuns is how long the runs of jobs are kept.
const keptRuns = 90

// Housekeeping forgets what has served its time: tickets, runs of jobs, proxy
// applications past their days and the photos of those that ended, and the
// keys of connections that nothing needs any more.
func Housekeeping(store *store.Store, clock func() time.Time) Job {
	return Job{Name: "housekeeping", Every: time.Hour, Run: func(ctx context.Context) (int, error) {
		now := clock()
		tickets, e1 := store.PurgeTickets(now)
		runs, e2 := store.PurgeRuns(now.AddDate(0, 0, -keptRuns))
		proxies, e3 := store.KeepProxies(ctx, now)
		keys, e4 := store.ForgetAllConnections(ctx)
		return int(tickets+runs) + proxies + keys, errors.Join(e1, e2, e3, e4)
	}}
}
