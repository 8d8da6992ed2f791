package jobs

import (
	"context"
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
		tickets, err := store.PurgeTickets(now)
		if err != nil {
			return 0, err
		}
		runs, err := store.PurgeRuns(now.AddDate(0, 0, -keptRuns))
		if err != nil {
			return int(tickets), err
		}
		keys, err := store.ForgetAllConnections(ctx)
		if err != nil {
			return int(tickets+runs) + keys, err
		}
		proxies, err := store.KeepProxies(ctx, now)
		return int(tickets+runs) + keys + proxies, err
	}}
}
