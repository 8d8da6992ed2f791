package jobs

import (
	"context"
	"errors"
	"time"

	"hospay/store"
)

// keptRuns is how long the runs of jobs are kept.
const keptRuns = 90

// mostLogs is how many rows PocketBase's log keeps, whatever days it is told: at
// some 500 bytes each they stay well below 200 MB.
const mostLogs = 200_000

// Housekeeping forgets what has served its time: tickets, sessions, runs of jobs, proxy
// applications past their days and the photos of those that ended, the keys of
// connections that nothing needs any more, and the oldest of too many logs.
func Housekeeping(store *store.Store, clock func() time.Time) Job {
	return Job{Name: "housekeeping", Every: time.Hour, Run: func(ctx context.Context) (int, error) {
		now := clock()
		tickets, e1 := store.PurgeTickets(now)
		runs, e2 := store.PurgeRuns(now.AddDate(0, 0, -keptRuns))
		proxies, e3 := store.KeepProxies(ctx, now)
		keys, e4 := store.ForgetAllConnections(ctx)
		sessions, e5 := store.PurgeSessions(now)
		logs, e6 := store.TrimLogs(mostLogs)
		grants, e7 := store.Payments().ForgetCredentials(ctx)
		return int(tickets+runs+sessions+logs) + proxies + keys + grants, errors.Join(e1, e2, e3, e4, e5, e6, e7)
	}}
}

// Terms makes what a folder of an older program holds be found by names and phones.
func Terms(store *store.Store) Job {
	return Job{Name: "search_terms", Every: time.Minute, Run: store.FillTerms}
}
