package store

import (
	"database/sql"
	"errors"
	"time"

	"hospay/collections"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// JobState is where a job stands; times are zero where nothing is known.
type JobState struct {
	Name     string
	Started  time.Time
	Finished time.Time
	OK       bool
	Done     int
	Error    string
	Next     time.Time
}

// ErrJobBusy refuses to run a job that is running.
var ErrJobBusy = errors.New("collections: the job is running")

// RecordRun keeps a run of a job. The audit log has that a job begins to fail,
// and that it works again.
func (s *Store) RecordRun(job string, started, finished time.Time, done int, err error) error {
	message := ""
	if err != nil {
		message = err.Error()
	}
	return s.transact(func(tx core.App) error {
		worked := true
		e := tx.DB().Select("ok").From(collections.JobRuns).Where(dbx.HashExp{"job": job}).OrderBy("started DESC", "rowid DESC").Limit(1).
			Row(&worked)
		if e != nil && !errors.Is(e, sql.ErrNoRows) {
			return e
		}
		_, e = tx.DB().Insert(collections.JobRuns, dbx.Params{
			"id": newID(), "job": job, "started": stamp(started), "finished": stamp(finished), "ok": err == nil, "done": done,
			"message": clip(message, 1000),
		}).Execute()
		if e != nil || worked == (err == nil) {
			return e
		}
		action := "job.failed"
		if err == nil {
			action = "job.recovered"
		}
		return Audit(tx, AuditEntry{ActorKind: "system", Action: action, Target: job})
	})
}

// PurgeRuns forgets runs older than t.
func (s *Store) PurgeRuns(t time.Time) (int64, error) {
	res, err := s.app.NonconcurrentDB().Delete(collections.JobRuns, dbx.NewExp("started < {:t}", dbx.Params{"t": stamp(t)})).Execute()
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// parseStamp reads a time as PocketBase stores it.
func parseStamp(s string) time.Time {
	t, err := time.Parse(types.DefaultDateLayout, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
