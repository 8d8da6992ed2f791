// Package cmd holds hospay's commands and puts a running program together:
// key file, store, domain, edge, worker and jobs on one PocketBase app.
package cmd

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"hospay/books"
	"hospay/calendar"
	"hospay/collections"
	"hospay/config"
	"hospay/exports"
	"hospay/flow"
	"hospay/hooks"
	"hospay/hooks/finance"
	"hospay/hooks/inbound"
	"hospay/hooks/it"
	"hospay/hooks/kit"
	"hospay/hooks/patient"
	"hospay/hooks/staff"
	"hospay/internal/checkup"
	"hospay/internal/testday"
	"hospay/internal/vault"
	"hospay/jobs"
	"hospay/notify"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// Options decide how a program runs.
type Options struct {
	Env       string // production, demo
	KeyFile   string
	Timing    refund.Timing
	Slots     int // orders advanced at a time
	Poll      time.Duration
	Transport http.RoundTripper               // tests only
	Now       func() time.Time                // the clock of the whole program; nil = time.Now
	Wrap      func(refund.Store) refund.Store // tests only: stands between domain and store
	Idle      bool                            // do not start worker and jobs (tests drive them)
	Program   *collections.Program            // tests only: another one than ThisProgram
	Log       *slog.Logger
}

// Runtime is a running program.
type Runtime struct {
	App     core.App
	Store   *store.Store
	Service *refund.Service
	Worker  *flow.Worker
	Notices *notify.Service
	Jobs    *jobs.Schedule
	Exports *exports.Jobs
	Books   *books.Service
	log     *slog.Logger
	Health  *checkup.Health
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
	demoKey    = "demo-key.json"

	EnvProduction = "production"
	EnvDemo       = "demo"
)

// FromEnvironment reads the options of a data folder. A folder that `demo` has
// prepared holds its own key and counts as a demo unless the environment says
// production.
func FromEnvironment(dir string) Options {
	o := Options{Env: os.Getenv(envName), KeyFile: os.Getenv(envKeyFile), Timing: refund.DefaultTiming(), Slots: 16,
		Poll: 500 * time.Millisecond}
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
		o.Timing, o.Now = demoTiming(), testday.Now
	}
	return o
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

// Mount puts the program together when the app serves, after its migrations.
func Mount(app core.App, options func() Options, mounted func(*Runtime)) {
	app.OnServe().BindFunc(func(se *core.ServeEvent) error {
		rt, err := Assemble(se, options())
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
		return se.Next()
	})
}

// Assemble builds the runtime on an app whose migrations have run, and binds it
// to the router of the serve event.
func Assemble(se *core.ServeEvent, o Options) (*Runtime, error) {
	app := se.App
	if o.Now == nil {
		o.Now = time.Now
	}
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
	if err := guards.Verify(app); err != nil {
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
	st.Transport = o.Transport
	st.Committed = store.Publish(app)
	if err := st.SeedAllTexts(); err != nil {
		return nil, err
	}
	if o.Env == EnvProduction {
		if err := st.RefuseSimulators(); err != nil {
			return nil, err
		}
	}
	if err := st.KeepConnections(context.Background()); err != nil { // one broken configuration keeps nobody from starting
		log.Error("connections", "error", err)
	}
	var kept refund.Store = st
	if o.Wrap != nil {
		kept = o.Wrap(st)
	}
	service := refund.NewService(kept, st, o.Timing, o.Now, log)
	host, _ := os.Hostname()
	rt := &Runtime{
		App: app, Store: st, Service: service,
		Worker:  flow.NewWorker(fmt.Sprintf("%s/%d", host, os.Getpid()), max(o.Slots, 1), o.Poll, log, service),
		Notices: notify.New(st.Outbox(), senders(app, st, o.Now), o.Now, log),
		Exports: &exports.Jobs{App: app, Store: st}, log: log,
		Books:  &books.Service{App: app, Store: st, Wake: service.Wake, Clock: o.Now},
		Health: &checkup.Health{}, now: o.Now,
	}
	if rt.Jobs, err = jobs.New(calendar.Beijing, o.Now, st, log, rt.jobs()...); err != nil {
		return nil, err
	}
	edge(rt, o).Bind(se)
	servePages(se.Router)
	extendDashboard(se)
	if !o.Idle {
		rt.Start()
	}
	return rt, nil
}

// edge puts the doors together.
func edge(rt *Runtime, o Options) *hooks.Hooks {
	production := o.Env == EnvProduction
	intake := refund.NewIntake(rt.Store, rt.Store, o.Now, rt.log)
	settings := &config.Service{App: rt.App, Store: rt.Store, Production: production}
	return &hooks.Hooks{
		Kit:     &kit.Kit{App: rt.App, Store: rt.Store, Log: rt.log, Production: production},
		Patient: patient.Hooks{Service: rt.Service, Worker: rt.Worker, Intake: intake},
		Staff: staff.Hooks{Service: rt.Service, Worker: rt.Worker, Intake: intake, Exports: rt.Exports, Settings: settings,
			Batches: &store.BatchRunner{Store: rt.Store, Log: rt.log}},
		Finance: finance.Hooks{Books: rt.Books, Worker: rt.Worker},
		IT: it.Hooks{Worker: rt.Worker, Settings: settings, Health: rt.Health, Jobs: rt.Jobs, Version: version(),
			Guards: o.program().Guards},
		Inbound: inbound.Hooks{Inbox: inbox(rt)},
	}
}

// inbox says who reads which callbacks. What was booked is worked on at once.
func inbox(rt *Runtime) *flow.Inbox {
	in := &flow.Inbox{}
	in.Handle(func(ctx context.Context, c flow.Callback) (string, error) {
		effect, err := rt.Service.Heard(ctx, c)
		if err == nil {
			rt.Worker.Kick()
		}
		return effect, err
	}, refund.CallbackTransfer, refund.CallbackRefund)
	return in
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

func openVault(app core.App, o Options) (*vault.Vault, error) {
	if o.KeyFile == "" {
		return nil, fmt.Errorf("没有密钥文件：请先运行 hospay vault init --out FILE，再用环境变量 %s 指明它", envKeyFile)
	}
	file, err := vault.ReadKeyFile(o.KeyFile)
	if err != nil {
		return nil, err
	}
	if file.Demo && o.Env == EnvProduction {
		return nil, fmt.Errorf("%s 是演示密钥，生产环境拒绝使用", o.KeyFile)
	}
	v, err := vault.Open(file, store.KeyStore{App: app})
	if err != nil {
		return nil, err
	}
	return v, v.Ensure(vault.Person, vault.Secret, vault.Message, vault.File)
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
	rt.stop = nil
}

// jobs lists the repeated work of a program.
func (rt *Runtime) jobs() []jobs.Job {
	return []jobs.Job{
		{Name: "notices", Every: 2 * time.Second, Run: rt.deliver},
		jobs.Copy(rt.Store, rt.Service.Recover),
		jobs.Receipts(rt.Books),
		jobs.Statements(rt.Books),
		jobs.Reconcile(rt.Books),
		jobs.Housekeeping(rt.Store, rt.now),
		jobs.Statistics(rt.Store),
		jobs.Audit(rt.Store, rt.log),
		{Name: "exports", Every: 2 * time.Second, Run: rt.Exports.Run},
		{Name: "old_exports", Every: time.Hour, Run: func(context.Context) (int, error) { return rt.Exports.Purge(rt.now()) }},
		jobs.Health(rt.Store, rt.Health, rt.now),
		jobs.Certificates(rt.Store, rt.now),
	}
}
