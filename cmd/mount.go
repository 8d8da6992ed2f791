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

	"hospay/collections"
	"hospay/exports"
	"hospay/hooks"
	"hospay/internal/checkup"
	"hospay/internal/testday"
	"hospay/internal/vault"
	"hospay/jobs"
	"hospay/notify"
	"hospay/recon"
	"hospay/refund"
	"hospay/settings"

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
	Log       *slog.Logger
}

// Runtime is a running program.
type Runtime struct {
	App     core.App
	Store   *collections.Store
	Service *refund.Service
	Worker  *refund.Worker
	Notices *notify.Service
	Jobs    *jobs.Schedule
	Exports *exports.Jobs
	Books   *recon.Service
	log     *slog.Logger
	Health  *checkup.Health
	now     func() time.Time
	stop    context.CancelFunc
	done    chan struct{}
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
	o := Options{Env: os.Getenv(envName), KeyFile: os.Getenv(envKeyFile), Timing: refund.DefaultTiming(), Slots: 16, Poll: 500 * time.Millisecond}
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
	t.Hold, t.Settle = 2*time.Second, 2*time.Second
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
	if err := collections.Verify(app); err != nil {
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
	store := collections.NewStore(app, v)
	store.Transport = o.Transport
	store.Committed = collections.Publish(app)
	if o.Env == EnvProduction {
		if err := store.RefuseSimulators(); err != nil {
			return nil, err
		}
	}
	var kept refund.Store = store
	if o.Wrap != nil {
		kept = o.Wrap(store)
	}
	service := refund.NewService(kept, store, o.Timing, o.Now, log)
	host, _ := os.Hostname()
	rt := &Runtime{
		App: app, Store: store, Service: service,
		Worker:  refund.NewWorker(service, fmt.Sprintf("%s/%d", host, os.Getpid()), max(o.Slots, 1), o.Poll),
		Notices: notify.New(store.Outbox(), senders(app, store, o.Now), o.Now, log),
		Exports: &exports.Jobs{App: app, Store: store}, log: log,
		Books:  &recon.Service{App: app, Store: store, Wake: service.Wake, Clock: o.Now},
		Health: &checkup.Health{}, now: o.Now,
	}
	if rt.Jobs, err = jobs.New(refund.Beijing, o.Now, store, log, rt.jobs()...); err != nil {
		return nil, err
	}
	h := &hooks.Hooks{App: app, Store: store, Service: service, Worker: rt.Worker, Exports: rt.Exports, Books: rt.Books, Production: o.Env == EnvProduction, Log: log}
	h.Settings = &settings.Service{App: app, Store: store, Production: h.Production}
	h.Health, h.Jobs, h.Version = rt.Health, rt.Jobs, version()
	h.Bind(se)
	servePages(se.Router)
	extendDashboard(se)
	if !o.Idle {
		rt.Start()
	}
	return rt, nil
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
	v, err := vault.Open(file, collections.KeyStore{App: app})
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
		{Name: "notices", Every: 2 * time.Second, Run: rt.Notices.Deliver},
		jobs.Receipts(rt.App, rt.Store, rt.now),
		jobs.Statements(rt.Store, rt.Books, rt.now),
		jobs.Reconcile(rt.Books, rt.now),
		jobs.Housekeeping(rt.Store, rt.now),
		jobs.Statistics(rt.Store),
		jobs.Audit(rt.Store, rt.log),
		{Name: "exports", Every: 2 * time.Second, Run: rt.Exports.Run},
		{Name: "old_exports", Every: time.Hour, Run: func(context.Context) (int, error) { return rt.Exports.Purge(rt.now()) }},
		jobs.Health(rt.Store, rt.Health, rt.now),
		jobs.Certificates(rt.Store, rt.now),
	}
}
