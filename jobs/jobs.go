// Package jobs runs what is due by the clock: notices, receipts, statements
// and housekeeping. It only decides when; what a job does lives where its data
// lives. Every run that did or failed something is recorded in job_runs.
package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"hospay/store"

	"github.com/go-co-op/gocron/v2"
)

// Job is one piece of repeated work. Run reports how many things it did.
type Job struct {
	Name  string
	Every time.Duration // or
	At    string        // cron expression, Beijing time
	Run   func(context.Context) (int, error)
}

// Recorder keeps the runs of jobs.
type Recorder interface {
	RecordRun(job string, started, finished time.Time, done int, err error) error
}

// Schedule is the set of jobs of a running program.
type Schedule struct {
	cron  gocron.Scheduler
	jobs  map[string]*work
	names []string
	now   func() time.Time
	rec   Recorder
	log   *slog.Logger
}

// work is a job with its timer and what its last run came to.
type work struct {
	Job
	busy  sync.Mutex // held while it runs
	mu    sync.Mutex
	last  store.JobState
	timer gocron.Job
}

// New returns a schedule in the zone of business days. A job never runs twice
// at the same time. Timers are those of the machine; now is the clock by which
// runs are recorded.
func New(zone *time.Location, now func() time.Time, rec Recorder, log *slog.Logger, jobs ...Job) (*Schedule, error) {
	cron, err := gocron.NewScheduler(gocron.WithLocation(zone))
	if err != nil {
		return nil, err
	}
	s := &Schedule{cron: cron, jobs: map[string]*work{}, now: now, rec: rec, log: log}
	for _, j := range jobs {
		w := &work{Job: j, last: store.JobState{Name: j.Name}}
		when := gocron.DurationJob(j.Every)
		if j.At != "" {
			when = gocron.CronJob(j.At, false)
		}
		w.timer, err = cron.NewJob(when, gocron.NewTask(func(ctx context.Context) { _, _ = s.run(ctx, w) }),
			gocron.WithName(j.Name), gocron.WithSingletonMode(gocron.LimitModeReschedule))
		if err != nil {
			return nil, fmt.Errorf("job %s: %w", j.Name, err)
		}
		s.jobs[j.Name] = w
		s.names = append(s.names, j.Name)
	}
	return s, nil
}

// Start begins to run jobs.
func (s *Schedule) Start() { s.cron.Start() }

// Stop waits for running jobs and ends the schedule.
func (s *Schedule) Stop() error { return s.cron.Shutdown() }

// RunNow runs a job at once and returns how many things it did. A job that is
// running already is ErrJobBusy.
func (s *Schedule) RunNow(ctx context.Context, name string) (int, error) {
	w, ok := s.jobs[name]
	if !ok {
		return 0, fmt.Errorf("没有名为 %q 的任务", name)
	}
	return s.run(ctx, w)
}

// States tells, for each job, its last run in this process and its next one.
func (s *Schedule) States() []store.JobState {
	out := make([]store.JobState, 0, len(s.names))
	for _, name := range s.names {
		w := s.jobs[name]
		w.mu.Lock()
		st := w.last
		w.mu.Unlock()
		if next, err := w.timer.NextRun(); err == nil {
			st.Next = next
		}
		out = append(out, st)
	}
	return out
}

func (s *Schedule) run(ctx context.Context, w *work) (n int, err error) {
	if !w.busy.TryLock() {
		return 0, store.ErrJobBusy
	}
	defer w.busy.Unlock()
	started := s.now()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			s.log.Error("job.failed", "job", w.Name, "error", err)
		}
		failed := w.note(started, s.now(), n, err)
		if n > 0 || err != nil || failed {
			if e := s.rec.RecordRun(w.Name, started, s.now(), n, err); e != nil {
				s.log.Error("job.record", "job", w.Name, "error", e)
			}
		}
	}()
	return w.Run(ctx)
}

// note keeps what a run came to, and reports whether the one before has failed.
func (w *work) note(started, finished time.Time, n int, err error) (failed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	failed = !w.last.Started.IsZero() && !w.last.OK
	w.last.Started, w.last.Finished, w.last.Done, w.last.OK, w.last.Error = started, finished, n, err == nil, ""
	if err != nil {
		w.last.Error = err.Error()
	}
	return failed
}
