// Package jobs runs what is due by the clock: notices, receipts, statements
// and housekeeping. It only decides when; what a job does lives where its data
// lives. Every run that did or failed something is recorded in job_runs.
package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

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
	cron gocron.Scheduler
	jobs map[string]Job
	rec  Recorder
	log  *slog.Logger
}

// New returns a schedule in the zone of business days. A job never runs twice
// at the same time.
func New(zone *time.Location, rec Recorder, log *slog.Logger, jobs ...Job) (*Schedule, error) {
	cron, err := gocron.NewScheduler(gocron.WithLocation(zone))
	if err != nil {
		return nil, err
	}
	s := &Schedule{cron: cron, jobs: map[string]Job{}, rec: rec, log: log}
	for _, j := range jobs {
		when := gocron.DurationJob(j.Every)
		if j.At != "" {
			when = gocron.CronJob(j.At, false)
		}
		_, err := cron.NewJob(when, gocron.NewTask(func(ctx context.Context) { _, _ = s.run(ctx, j) }),
			gocron.WithName(j.Name), gocron.WithSingletonMode(gocron.LimitModeReschedule))
		if err != nil {
			return nil, fmt.Errorf("job %s: %w", j.Name, err)
		}
		s.jobs[j.Name] = j
	}
	return s, nil
}

// Start begins to run jobs.
func (s *Schedule) Start() { s.cron.Start() }

// Stop waits for running jobs and ends the schedule.
func (s *Schedule) Stop() error { return s.cron.Shutdown() }

// RunNow runs a job at once and returns how many things it did.
func (s *Schedule) RunNow(ctx context.Context, name string) (int, error) {
	j, ok := s.jobs[name]
	if !ok {
		return 0, fmt.Errorf("没有名为 %q 的任务", name)
	}
	return s.run(ctx, j)
}

func (s *Schedule) run(ctx context.Context, j Job) (n int, err error) {
	started := time.Now()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			s.log.Error("job.failed", "job", j.Name, "error", err)
		}
		if n > 0 || err != nil {
			if e := s.rec.RecordRun(j.Name, started, time.Now(), n, err); e != nil {
				s.log.Error("job.record", "job", j.Name, "error", e)
			}
		}
	}()
	return j.Run(ctx)
}
