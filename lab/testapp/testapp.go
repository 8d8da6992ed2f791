// Package testapp runs the whole program for tests: a real database, real
// routes on a loopback server, and the simulators as the other side. Only
// tests import it.
package testapp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hospay/channels"
	"hospay/channels/alipay"
	"hospay/channels/wechat"
	"hospay/cmd"
	"hospay/his"
	"hospay/his/rest"
	"hospay/his/soap"
	"hospay/internal/testday"
	"hospay/lab/demo"
	"hospay/payment"
	_ "hospay/pb_migrations"
	"hospay/refund"
	"hospay/sim/all"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/pocketbase/pocketbase/tools/types"
)

var registerOnce sync.Once

// Register makes the channels and HIS adapters known, as main does.
func Register() {
	registerOnce.Do(func() {
		channels.Register(wechat.Name, wechat.Factory, wechat.Fields()...)
		channels.Register(alipay.Name, alipay.Factory, alipay.Fields()...)
		his.Register("rest", rest.New)
		his.Register("soap", soap.New)
	})
}

// Config changes the program under test.
type Config struct {
	Production bool // with a key file that is no demo key
	Settings   demo.Settings
	Timing     *refund.Timing
	Transport  http.RoundTripper
	Wrap       func(refund.Store) refund.Store
	WrapBills  func(payment.Store) payment.Store
	Payments   payment.Timing
	Patients   int
	Live       bool // run worker and jobs; otherwise the test drives them
	Limits     bool // people and networks have the budgets that they have in production
	Proxy      string
	Admin      bool // the dashboard is at AdminURL only
	Backups    cmd.BackupOptions
	Log        *slog.Logger
	Sims       *all.Set
	Scripts    map[string]string // files of pb_hooks
}

// App is a running program with its simulators.
type App struct {
	*cmd.Runtime
	TB          testing.TB
	Sims        *all.Set
	Router      *router.Router[*core.RequestEvent]
	Dir         string // the data folder
	ScriptFault error  // what kept a script from being loaded
	URL         string
	AdminURL    string
	Institution string
	offset      atomic.Int64
}

// New starts a program for a test and ends it with the test.
func New(tb testing.TB, c Config) *App {
	tb.Helper()
	Register()
	a := &App{TB: tb, Sims: c.Sims}
	if a.Sims == nil {
		sims, err := all.Start(tb.Context(), all.Options{Seed: 1, Patients: max(c.Patients, 20), Ahead: testday.Ahead()})
		a.must(err)
		tb.Cleanup(func() { _ = sims.Close() })
		a.Sims = sims
	}
	dir := seedDir(tb)
	a.Dir = dir
	app := Bare(dir)
	a.must(app.Bootstrap())
	tb.Cleanup(func() { _ = app.ClearBootstrap() })
	a.must(cmd.ThisProgram().Open(app))
	a.scripts(app, c.Scripts)
	var err error
	a.Router, err = apis.NewRouter(app)
	a.must(err)
	a.Runtime, err = cmd.Assemble(&core.ServeEvent{App: app, Router: a.Router}, a.options(dir, c))
	a.must(err)
	a.serve(a.Router.BuildMux)
	rules := app.Settings().RateLimits.Rules
	c.Settings.PublicURL = a.URL
	a.Institution, err = demo.Seed(tb.Context(), app, a.endpoints(), c.Settings)
	a.must(err)
	if c.Limits {
		a.limit(rules)
	}
	a.must(forgetConnections(app))
	a.Store.Forget()
	a.must(a.Store.KeepConnections(tb.Context()))
	if c.Live {
		a.Runtime.Start()
		tb.Cleanup(a.Runtime.Close)
	}
	return a
}

func (a *App) options(dir string, c Config) cmd.Options {
	o := cmd.Options{
		Env: cmd.EnvDemo, KeyFile: filepath.Join(dir, "key.json"), Timing: refund.DefaultTiming(), Slots: 8, Poll: 20 * time.Millisecond,
		Idle:      true,
		Transport: c.Transport, Now: a.Now, Wrap: c.Wrap, WrapBills: c.WrapBills, Payments: c.Payments, Log: slog.New(slog.DiscardHandler),
		Proxy: c.Proxy, Limits: c.Limits, Backups: c.Backups,
	}
	if c.Admin {
		o.Admin = "beside"
	}
	if os.Getenv("HOSPAY_TEST_LOG") != "" {
		o.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if c.Log != nil {
		o.Log = c.Log
	}
	if c.Timing != nil {
		o.Timing = *c.Timing
	}
	if c.Production {
		o.Env = cmd.EnvProduction
		o.KeyFile = a.realKey(o.KeyFile)
	}
	return o
}

func (a *App) endpoints() demo.Endpoints {
	return demo.Endpoints{WeChat: a.Sims.WeChat.URL(), Alipay: a.Sims.Alipay.URL(), HIS: a.Sims.HIS.URL(), Centre: a.Sims.Centre.URL(),
		Portal: a.Sims.Portal.URL(), SMS: a.Sims.SMS.URL()}
}

// Now is the program's clock, which begins at the test's day and which Advance
// moves.
func (a *App) Now() time.Time { return testday.Now().Add(time.Duration(a.offset.Load())) }

// Advance moves the clocks of the program and of every simulator. Those who are
// logged in stay meanwhile.
func (a *App) Advance(d time.Duration) {
	a.TB.Helper()
	a.offset.Add(int64(d))
	a.Sims.Advance(d)
	_, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE sessions SET seen = {:now}, " +
		"until = strftime('%Y-%m-%d %H:%M:%fZ', until, {:by}) WHERE ended = '' AND kind = ''").
		Bind(dbx.Params{"now": a.Now().UTC().Format(types.DefaultDateLayout), "by": fmt.Sprintf("%d seconds", int64(d.Seconds()))}).Execute()
	a.must(err)
}

// Skew moves the clock of the program alone, as a wrong machine's clock does.
func (a *App) Skew(d time.Duration) { a.offset.Add(int64(d)) }

// Drain lets the worker do everything that is due now.
func (a *App) Drain() {
	a.TB.Helper()
	_, err := a.Worker.Drain(a.TB.Context())
	a.must(err)
}

func (a *App) must(err error) {
	a.TB.Helper()
	if err != nil {
		a.TB.Fatal(err)
	}
}

// Answer is a decoded HTTP answer.
type Answer struct {
	Status int
	Body   map[string]any
	Raw    []byte
}

// Code is the stable error code of an answer.
func (r Answer) Code() string {
	data, _ := r.Body["data"].(map[string]any)
	code, _ := data["code"].(string)
	return code
}

// Text returns a field of the answer as text.
func (r Answer) Text(field string) string {
	if v, ok := r.Body[field]; ok && v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// Call sends a JSON request, with a token when one is given.
func (a *App) Call(method, path, token string, body any) Answer {
	a.TB.Helper()
	return a.CallWith(method, path, map[string]string{"Authorization": token}, body)
}

// CallWith sends a JSON request with headers, of which empty ones are left out.
func (a *App) CallWith(method, path string, headers map[string]string, body any) Answer {
	a.TB.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		a.must(err)
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(a.TB.Context(), method, a.URL+path, in)
	a.must(err)
	req.Header.Set("Content-Type", "application/json")
	for name, v := range headers {
		if v != "" {
			req.Header.Set(name, v)
		}
	}
	res, err := http.DefaultClient.Do(req)
	a.must(err)
	defer res.Body.Close()
	out := Answer{Status: res.StatusCode}
	out.Raw, err = io.ReadAll(res.Body)
	a.must(err)
	_ = json.Unmarshal(out.Raw, &out.Body)
	return out
}

// Patient is a test person who is logged in.
type Patient struct {
	*App
	No, Name, Token, ID, Phone, Alipay string
	Card                               string
}

// Login brings a test person in through the portal's ticket.
func (a *App) Login(no, via string) *Patient {
	a.TB.Helper()
	return a.LoginOn(no, via, no)
}

// LoginOn brings a test person in who uses somebody else's phone.
func (a *App) LoginOn(no, via, phone string) *Patient {
	a.TB.Helper()
	ticket, err := a.Sims.Portal.TicketOn(no, via, phone)
	a.must(err)
	res := a.Call("POST", "/api/hospay/auth/ticket", "", map[string]any{"ticket": ticket.Ticket})
	if res.Status != 200 {
		a.TB.Fatalf("login of %s: %d %s", no, res.Status, res.Raw)
	}
	who := a.Sims.World.Find(no)
	if who == nil {
		a.TB.Fatalf("no patient %s", no)
	}
	rec, _ := res.Body["record"].(map[string]any)
	return &Patient{App: a, No: no, Name: who.Name, Phone: who.Phone, Alipay: who.AlipayLogon, Card: who.Cards[0], Token: res.Text("token"),
		ID: fmt.Sprint(rec["id"])}
}

// Staff logs a demo staff account in and returns its token.
func (a *App) Staff(name string) string {
	a.TB.Helper()
	res := a.Call("POST", "/api/collections/staff/auth-with-password", "", map[string]any{"identity": name + "@demo.hospay",
		"password": demo.Password})
	if res.Status != 200 {
		a.TB.Fatalf("staff login of %s: %d %s", name, res.Status, res.Raw)
	}
	return res.Text("token")
}

// Superuser logs the demo superuser in and returns its token.
func (a *App) Superuser() string {
	a.TB.Helper()
	res := a.Call("POST", "/api/collections/_superusers/auth-with-password", "",
		map[string]any{"identity": demo.Superuser, "password": demo.Password})
	if res.Status != 200 {
		a.TB.Fatalf("superuser login: %d %s", res.Status, res.Raw)
	}
	return res.Text("token")
}

// Apply sends an application with the patient's own card and name; changes
// override single fields.
func (p *Patient) Apply(channel, method string, fen int64, changes map[string]any) Answer {
	p.TB.Helper()
	body := map[string]any{
		"card_no": p.Card, "amount": fen, "method": method, "channel": channel, "payee_name": p.Name, "notify_phone": p.Phone,
		"notice_version": "1",
	}
	if channel == "alipay" && method == "transfer" {
		body["payee_account"] = p.Alipay
	}
	for k, v := range changes {
		body[k] = v
	}
	return p.Call("POST", "/api/collections/refund_orders/records", p.Token, body)
}

// Order reads an order from the store.
func (a *App) Order(id string) refund.Work {
	a.TB.Helper()
	w, err := a.Store.Get(a.TB.Context(), id)
	a.must(err)
	return w
}

// Review sends a decision as a staff member.
func (a *App) Review(token, order, decision, note string) Answer {
	a.TB.Helper()
	return a.Call("POST", "/api/collections/reviews/records", token, map[string]any{"order": order, "decision": decision, "note": note})
}
