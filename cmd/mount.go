// Package cmd holds hospay's commands and puts a running program together:
// key file, store, domain, edge, worker and jobs on one PocketBase app.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"hospay/backup"
	"hospay/books"
	"hospay/calendar"
	"hospay/collections"
	"hospay/exports"
	"hospay/flow"
	"hospay/hooks/kit"
	"hospay/internal/alerts"
	"hospay/internal/checkup"
	"hospay/internal/cluster"
	"hospay/internal/metrics"
	"hospay/internal/testday"
	"hospay/internal/vault"
	"hospay/jobs"
	"hospay/notify"
	"hospay/payment"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// Options decide how a program runs.
type Options struct {
	Env        string // production, demo
	KeyFile    string
	Proxy      string // who is believed about where requests come from: none, or addresses; empty = nobody said
	Header     string // by which they say it; may be empty
	Backups    BackupOptions
	Admin      string        // address of a listener of its own for dashboard, backups and settings; may be empty
	EdgeListen string        // address at which the edge (前置机) comes in; may be empty
	Node       *cluster.Node // of a cluster; nil: one machine alone
	EdgeKeys   string        // folder with the keys of that connection
	Limits     bool          // budgets of people are kept in a demo, too (tests)
	Timing     refund.Timing
	Payments   payment.Timing // zero: those of production
	Slots      int            // orders advanced at a time
	Poll       time.Duration
	Transport  http.RoundTripper                 // tests only
	Now        func() time.Time                  // the clock of the whole program; nil = time.Now
	Wrap       func(refund.Store) refund.Store   // tests only: stands between domain and store
	WrapBills  func(payment.Store) payment.Store // the same for payments
	Idle       bool                              // do not start worker and jobs (tests drive them)
	Program    *collections.Program              // tests only: another one than ThisProgram
	Log        *slog.Logger
}

// Runtime is a running program.
type Runtime struct {
	App     core.App
	Store   *store.Store
	Service *refund.Service
	Bills   *payment.Service
	Worker  *flow.Worker
	Notices *notify.Service
	Jobs    *jobs.Schedule
	Exports *exports.Jobs
	Books   *books.Service
	Kit     *kit.Kit
	keep    *backup.Keeper // nil: no nightly backups
	log     *slog.Logger
	Health  *checkup.Health
	calls   metrics.Calls
	watch   *alerts.Watch
	samples func(context.Context) ([]alerts.Sample, error) // the figures of this moment
	now     func() time.Time
	stop    context.CancelFunc
	done    chan struct{}
}

func (o Options) program() collections.Program {
	if o.Program != nil {
		return *o.Program
	}
	return ThisProgram()
}

// Environment variables.
const (
	envName    = "HOSPAY_ENV"
	envKeyFile = "HOSPAY_KEY_FILE"
	envLog     = "HOSPAY_LOG"
	envSealing = "PB_ENCRYPTION_KEY"
	envProxy   = "HOSPAY_PROXY"
	envHeader  = "HOSPAY_PROXY_HEADER"
	demoKey    = "demo-key.json"

	EnvProduction = "production"
	EnvDemo       = "demo"
)

// FromEnvironment reads the options of a data folder. A folder that `demo` has
// prepared holds its own key and counts as a demo unless the environment says
// production.
func FromEnvironment(dir string) Options {
	o := Options{Env: os.Getenv(envName), KeyFile: os.Getenv(envKeyFile), Proxy: os.Getenv(envProxy), Header: os.Getenv(envHeader),
		EdgeListen: os.Getenv(envEdgeListen), EdgeKeys: os.Getenv(envEdgeKeys), Backups: backupsFromEnvironment(),
		Timing: refund.DefaultTiming(), Slots: 16, Poll: 500 * time.Millisecond}
	demo := filepath.Join(dir, demoKey)
	if _, err := os.Stat(demo); err == nil && o.Env != EnvProduction {
		o.Env = EnvDemo
		if o.KeyFile == "" {
			o.KeyFile = demo
		}
	}
	if o.Env == "" {
		o.Env = EnvProduction
	}
	if o.Env == EnvDemo {
		o.Timing, o.Payments, o.Now = demoTiming(), demoPayments(), testday.Now
	}
	return o
}

// clock is what a command goes by that opens no program.
func (o Options) clock() func() time.Time {
	if o.Now == nil {
		return time.Now
	}
	return o.Now
}

// demoTiming shortens the waits so that a demo day fits into minutes. The
// rules stay the same.
func demoTiming() refund.Timing {
	t := refund.DefaultTiming().Scale(0.02)
	t.Unknown = []time.Duration{200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second}
	t.Pending, t.Payee = t.Unknown, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second}
	t.SuspendAfter, t.PendingLimit, t.PayeeLimit, t.Daily = 10*time.Minute, time.Hour, time.Hour, 30*time.Second
	t.Hold = []time.Duration{2 * time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second}
	t.Settle, t.Alarm = 2*time.Second, 10*time.Minute
	t.Lease = 15 * time.Second
	t.Call = 5 * time.Second
	return t
}

// demoPayments are the waits of payments in a demo: the ground's are those of
// refunds.
func demoPayments() payment.Timing {
	t := payment.DefaultTiming().Scale(0.02)
	t.Timing, t.OrderFor, t.KioskFor = demoTiming().Timing, 10*time.Minute, 5*time.Minute
	t.Poll = []time.Duration{200 * time.Millisecond, 500 * time.Millisecond, time.Second, time.Second, 2 * time.Second}
	t.HalfPaid, t.RefundUnsure, t.PendingLimit, t.HoldLimit = 5*time.Minute, 5*time.Minute, time.Hour, time.Hour
	return t
}

// Mount puts the program together when the app serves, after its migrations.
func Mount(app core.App, options func() Options, mounted func(*Runtime)) {
	app.OnServe().BindFunc(func(se *core.ServeEvent) error {
		o := options()
		if err := o.servable(app.DataDir()); err != nil {
			return err
		}
		rt, err := Assemble(se, o)
		if err != nil {
			return err
		}
		app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
			rt.Close()
			return e.Next()
		})
		if mounted != nil {
			mounted(rt)
		}
		return listen(se, o)
	})
}

// bills is the store of payments, with what a test puts before it.
func (o Options) bills(st *store.Store) payment.Store {
	if o.WrapBills != nil {
		return o.WrapBills(st.Payments())
	}
	return st.Payments()
}

// Assemble builds the runtime on an app whose migrations have run, and binds it
// to the router of the serve event.
func Assemble(se *core.ServeEvent, o Options) (*Runtime, error) {
	app := se.App
	if err := o.known(); err != nil {
		return nil, err
	}
	o.Now = o.clock()
	collections.SetClock(app, o.Now)
	collections.DateRecords(app)
	if !o.Idle {
		if err := alone(app); err != nil {
			return nil, err
		}
		if err := collections.ComeHome(app); err != nil {
			return nil, err
		}
	}
	guards := o.program().Guards
	if err := guards.Verify(context.Background(), app); err != nil {
		return nil, err
	}
	log := o.Log
	if log == nil {
		log = logger(app)
	}
	v, err := openVault(app, o)
	if err != nil {
		return nil, err
	}
	st := store.New(app, v)
	store.TraceSuperusers(app)
	st.Transport = o.Transport
	st.Committed = store.Publish(app)
	if err := ready(st, o.Env, log); err != nil {
		return nil, err
	}
	if err := st.KeepConnections(context.Background()); err != nil { // one broken configuration keeps nobody from starting
		log.Error("connections", "error", err)
	}
	var kept refund.Store = st
	if o.Wrap != nil {
		kept = o.Wrap(st)
	}
	service := refund.NewService(kept, st, o.Timing, o.Now, log)
	if o.Payments.Lease == 0 {
		o.Payments = payment.DefaultTiming()
	}
	bills := payment.NewService(o.bills(st), st.Payments(), o.Payments, o.Now, log)
	host, _ := os.Hostname()
	rt := &Runtime{
		App: app, Store: st, Service: service, Bills: bills,
		Worker:  flow.NewWorker(fmt.Sprintf("%s/%d", host, os.Getpid()), max(o.Slots, 1), o.Poll, log, service, bills),
		Notices: notify.New(st.Outbox(), senders(app, st, o.Now), o.Now, log),
		Exports: &exports.Jobs{App: app, Store: st}, log: log,
		Books:  &books.Service{App: app, Store: st, Wake: service.Wake, WakePayment: bills.Check, Clock: o.Now},
		Health: &checkup.Health{}, now: o.Now,
	}
	service.Watching, bills.Watching = rt.calls.Watch("refund"), rt.calls.Watch("payment")
	if err := rt.schedule(o, v, guards); err != nil {
		return nil, err
	}
	doors, err := edge(rt, o)
	if err != nil {
		return nil, err
	}
	doors.Bind(se)
	servePages(se.Router, app.DataDir())
	extendDashboard(se)
	if !o.Idle {
		if err := errors.Join(st.SweepTemp(), st.Started(version(), o.Env)); err != nil {
			return nil, err
		}
		rt.Start()
	}
	return rt, nil
}

// schedule builds what is done by the clock.
func (rt *Runtime) schedule(o Options, v *vault.Vault, guards collections.GuardSet) error {
	rules, err := alertRules(rt.App.DataDir())
	if err != nil { // a mistake in them keeps nobody from starting
		rt.log.Error("alarms.rules", "error", err)
	}
	rt.watch = alerts.New(rules)
	if rt.keep, err = rt.keeper(o, v); err != nil {
		return err
	}
	rt.Jobs, err = jobs.New(calendar.Beijing, o.Now, rt.Store, rt.log, rt.jobs(guards)...)
	return err
}

// ready makes sure of what must be so before anything is served.
func ready(st *store.Store, env string, log *slog.Logger) error {
	if err := errors.Join(st.SeedAllTexts(), st.KeepIndex()); err != nil || env != EnvProduction {
		return err
	}
	tests, err := st.TestInsurances(context.Background())
	for _, t := range tests {
		log.Warn("medins.test_env", "institution", t.Institution, "channel", t.Channel)
	}
	return errors.Join(err, refuseSimulators(context.Background(), st))
}

// logger writes to PocketBase's log and, when HOSPAY_LOG says how, also to the
// standard error stream for the service manager to keep.
func logger(app core.App) *slog.Logger {
	var out slog.Handler
	switch os.Getenv(envLog) {
	case "json":
		out = slog.NewJSONHandler(os.Stderr, nil)
	case "text":
		out = slog.NewTextHandler(os.Stderr, nil)
	default:
		return app.Logger()
	}
	return slog.New(slog.NewMultiHandler(app.Logger().Handler(), out))
}

// Start runs the worker and the jobs until Close.
func (rt *Runtime) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	rt.stop, rt.done = cancel, make(chan struct{})
	if err := rt.Exports.Interrupt(); err != nil {
		rt.log.Error("exports.interrupt", "error", err)
	}
	if err := rt.Store.InterruptBatches(ctx); err != nil {
		rt.log.Error("batch.interrupt", "error", err)
	}
	go func() {
		defer close(rt.done)
		rt.Worker.Run(ctx)
	}()
	rt.Jobs.Start()
}

// deliver sends notices, but none of a restored copy, which may have been sent
// after it was made.
func (rt *Runtime) deliver(ctx context.Context) (int, error) {
	mark, err := collections.CopyOf(rt.App.ConcurrentDB())
	if err != nil || mark != nil {
		return 0, err
	}
	return rt.Notices.Deliver(ctx)
}

// Close ends the worker and the jobs and waits for the steps in flight.
func (rt *Runtime) Close() {
	if rt.stop == nil {
		return
	}
	rt.stop()
	<-rt.done
	_ = rt.Jobs.Stop()
	if _, err := rt.Store.CountLogins(); err != nil {
		rt.log.Error("logins.count", "error", err)
	}
	rt.stop = nil
}

// jobs lists the repeated work of a program.
func (rt *Runtime) jobs(guards collections.GuardSet) []jobs.Job {
	return append([]jobs.Job{
		{Name: "notices", Every: 2 * time.Second, Run: rt.deliver},
		jobs.Copy(rt.Store, map[store.CopyDomain]func(context.Context, string) error{
			store.CopyRefunds: rt.Service.Recover, store.CopyPayments: rt.Bills.Recover}),
		jobs.Receipts(rt.Books),
		jobs.Statements(rt.Books),
		jobs.Reconcile(rt.Books),
		jobs.Housekeeping(rt.Store, rt.now),
		jobs.Terms(rt.Store),
		{Name: "tallies", Every: time.Minute, Run: func(context.Context) (int, error) { rt.Kit.Tally.Tell(rt.log); return 0, nil }},
		jobs.Statistics(rt.Store),
		jobs.Audit(rt.Store, rt.log),
		jobs.Guards(rt.Store, func(ctx context.Context) error { return guards.Verify(ctx, rt.App) }, rt.log),
		jobs.Logins(rt.Store),
		jobs.Seal(rt.Store),
		jobs.Trail(rt.Store, rt.now),
		{Name: "exports", Every: 2 * time.Second, Run: rt.Exports.Run},
		{Name: "old_exports", Every: time.Hour, Run: func(context.Context) (int, error) { return rt.Exports.Purge(rt.now()) }},
		jobs.Health(rt.Store, rt.Health, rt.now),
		jobs.Certificates(rt.Store, rt.now),
		jobs.Alarms(rt.Store, rt.watch, func(ctx context.Context) ([]alerts.Sample, error) { return rt.samples(ctx) }, rt.now),
	}, rt.backups()...)
}
