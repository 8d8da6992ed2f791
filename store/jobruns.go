package store

import (
	"errors"
	"time"

	"hospay/collections"

	"github.com/pocketbase/dbx"
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

// RecordRun keeps a run of a job.
func (s *Store) RecordRun(job string, started, finished time.Time, done int, err error) error {
	message := ""
	if err != nil {
		message = err.Error()
	}
	_, e := s.app.NonconcurrentDB().Insert(collections.JobRuns, dbx.Params{
		"id": newID(), "job": job, "started": stamp(started), "finished": stamp(finished), "ok": err == nil, "done": done,
		"message": clip(message, 1000),
	}).Execute()
	return e
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
