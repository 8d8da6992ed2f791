package it

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/checkup"
	"hospay/store"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// Jobs is the repeated work of the program, as IT sees it.
type Jobs interface {
	States() []store.JobState
	RunNow(ctx context.Context, name string) (int, error)
}

// jobTime bounds a job that a person has started.
const jobTime = 5 * time.Minute

func (h *Hooks) bindOverviewRoutes(se *core.ServeEvent) {
	se.Router.GET("/api/hospay/overview", h.overview).Bind(apis.RequireSuperuserAuth())
	se.Router.POST("/api/hospay/jobs/{name}/run", h.runJob).Bind(apis.RequireSuperuserAuth())
}

// overviewView is what runs, at a glance.
type overviewView struct {
	Institutions []overviewRow `json:"institutions"`
	Jobs         []jobView     `json:"jobs"`
	Version      string        `json:"version"`
}

// overviewRow is an institution with what is known beside the database.
type overviewRow struct {
	store.Overview
	Limits       map[string]channelLimit `json:"limits"`
	Certificates []checkup.Certificate   `json:"certificates"`
	Broken       map[string]string       `json:"broken"` // by channel: what is wrong with its configuration
	HIS          *checkup.Beat           `json:"his"`    // null until it was asked for the first time
}

// channelLimit is what the contract allows in a day, 0 if nobody said, and what
// was paid today.
type channelLimit struct {
	DayLimit int64 `json:"day_limit"`
	Used     int64 `json:"used"`
}

// overview answers from indexes and from memory; it calls nobody.
func (h *Hooks) overview(e *core.RequestEvent) error {
	ctx := e.Request.Context()
	houses, err := h.Store.Overviews(ctx, h.Now())
	if err != nil {
		return h.Fail(e, err)
	}
	links, err := h.Store.ActiveChannels(ctx)
	if err != nil {
		return h.Fail(e, err)
	}
	beats := h.Health.All()
	rows := make([]overviewRow, 0, len(houses))
	for _, o := range houses {
		row := overviewRow{Overview: *o, Limits: map[string]channelLimit{}, Certificates: []checkup.Certificate{}, Broken: map[string]string{}}
		if b, ok := beats[o.ID]; ok {
			row.HIS = &b
		}
		for _, l := range links {
			if l.Institution == o.ID {
				h.addChannel(ctx, &row, l)
			}
		}
		rows = append(rows, row)
	}
	jobs, err := h.jobStates(ctx)
	if err != nil {
		return h.Fail(e, err)
	}
	return e.JSON(http.StatusOK, overviewView{Institutions: rows, Jobs: jobs, Version: h.Version})
}

func (h *Hooks) addChannel(ctx context.Context, row *overviewRow, l store.ChannelLink) {
	limit := channelLimit{Used: row.Paid[l.Channel].Amount}
	conn, err := h.Store.Connection(ctx, l.Institution, l.Channel)
	if err != nil {
		row.Broken[l.Channel] = flow.WordsOf(err)
	} else {
		limit.DayLimit = int64(conn.Capabilities().DayLimit)
		for _, c := range checkup.Certificates(l.Channel, conn, h.Now()) {
			if c.Days != nil {
				row.Certificates = append(row.Certificates, c)
			}
		}
	}
	row.Limits[l.Channel] = limit
}

// jobStates joins what this process has seen with the runs that are recorded.
func (h *Hooks) jobStates(ctx context.Context) ([]jobView, error) {
	last, err := h.Store.LastRuns(ctx)
	if err != nil {
		return nil, err
	}
	out := []jobView{}
	for _, j := range h.Jobs.States() {
		if old, ok := last[j.Name]; ok && j.Started.IsZero() {
			old.Next = j.Next
			j = old
		}
		out = append(out, jobView{
			Name: j.Name, LastStarted: orNil(j.Started), LastFinished: orNil(j.Finished), OK: j.OK || j.Started.IsZero(), Done: j.Done,
			Error: j.Error, Next: orNil(j.Next),
		})
	}
	return out, nil
}

// jobView is a job with its last run; null where there was none.
type jobView struct {
	Name         string  `json:"name"`
	LastStarted  *string `json:"last_started"`
	LastFinished *string `json:"last_finished"`
	OK           bool    `json:"ok"`
	Done         int     `json:"done"`
	Error        string  `json:"error"`
	Next         *string `json:"next"`
}

func orNil(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := calendar.Clock(t)
	return &text
}

// jobRun is what became of a job that a person has started.
type jobRun struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Done  int    `json:"done"`
	Error string `json:"error"`
}

// runJob runs a job on behalf of a superuser and writes down that it did.
func (h *Hooks) runJob(e *core.RequestEvent) error {
	name := e.Request.PathValue("name")
	if !slices.ContainsFunc(h.Jobs.States(), func(j store.JobState) bool { return j.Name == name }) {
		return h.Fail(e, flow.ErrNotFound)
	}
	err := e.App.RunInTransaction(func(tx core.App) error {
		return store.Audit(tx, store.AuditEntry{ActorKind: "superuser", Actor: e.Auth.Id, Action: "job.run", Target: name, Address: e.RealIP()})
	})
	if err != nil {
		return h.Fail(e, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.Request.Context()), jobTime)
	defer cancel()
	done, err := h.Jobs.RunNow(ctx, name)
	if errors.Is(err, store.ErrJobBusy) {
		return kit.Error(http.StatusConflict, "job_running", "")
	}
	out := jobRun{Name: name, OK: err == nil, Done: done}
	if err != nil {
		out.Error = err.Error()
	}
	return e.JSON(http.StatusOK, out)
}

// silent tells people, by institution, of a HIS that did not answer twice in a
// row.
func (h *Hooks) silent() map[string]string {
	out := map[string]string{}
	for id, b := range h.Health.All() {
		if b.Failures >= 2 {
			out[id] = "HIS 没有应答：" + h.houseName(id) + "（" + b.CheckedAt.In(calendar.Beijing).Format("15:04") + "）"
		}
	}
	return out
}

func (h *Hooks) houseName(id string) string {
	rec, err := h.App.FindRecordById(collections.Institutions, id)
	if err != nil {
		return id
	}
	return rec.GetString("name")
}
