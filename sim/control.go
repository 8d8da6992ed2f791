package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Core is the common part of every simulator.
type Core struct {
	name     string
	clock    *Clock
	ledger   *Ledger
	requests *Requests
	faults   *Faults
	courier  *Courier
	mux      *http.ServeMux
	url      atomic.Pointer[string]
	server   *http.Server
}

// NewCore makes the common part; name seeds its random faults.
func NewCore(name string) *Core {
	c := &Core{name: name, clock: NewClock(), ledger: &Ledger{}, requests: &Requests{}, faults: NewFaults(name), mux: http.NewServeMux()}
	c.courier = NewCourier(c.clock, c.faults)
	return c
}

// Clock is the simulator's virtual time.
func (c *Core) Clock() *Clock { return c.clock }

// Ledger is what really happened to money.
func (c *Core) Ledger() *Ledger { return c.ledger }

// Requests is the log of received calls.
func (c *Core) Requests() *Requests { return c.requests }

// Faults plans what goes wrong.
func (c *Core) Faults() *Faults { return c.faults }

// Courier delivers callbacks.
func (c *Core) Courier() *Courier { return c.courier }

// Mux is where a simulator registers its real paths.
func (c *Core) Mux() *http.ServeMux { return c.mux }

// URL is the base address after Listen or SetURL, without a slash at the end.
func (c *Core) URL() string {
	if p := c.url.Load(); p != nil {
		return *p
	}
	return ""
}

// SetURL tells the simulator its own address when a test serves the handler itself.
func (c *Core) SetURL(u string) { c.url.Store(&u) }

// ServeHTTP makes the simulator a handler.
func (c *Core) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mux.ServeHTTP(timed{w, time.Now()}, r)
}

// Listen serves on host:port (port 0 takes a free one).
func (c *Core) Listen(host string, port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("simulator %s: %w", c.name, err)
	}
	c.SetURL("http://" + l.Addr().String())
	c.server = &http.Server{Handler: c, ReadHeaderTimeout: 10 * time.Second}
	go c.server.Serve(l)
	return nil
}

// Close stops serving, the clock and all deliveries.
func (c *Core) Close() error {
	var err error
	if c.server != nil {
		err = c.server.Close()
	}
	c.clock.Close()
	c.courier.Close()
	return err
}

// Action is a control verb on one number: confirm, expire, return, pay.
type Action func(no string, q url.Values) error

// Control lists what a simulator adds to the common control routes.
type Control struct {
	Config   func(q url.Values) (any, error)
	Settings interface {
		View() any
		Patch([]byte) error
		Reset()
	}
	Balance func(account string) int64
	SetBal  func(account string, fen int64)
	Actions map[string]Action
	History func([]Past) ([]string, error) // puts movements of the past into the books
	Reset   func()
}

// MountControl registers /_sim/*; it must be called once.
func (c *Core) MountControl(k Control) {
	c.mux.HandleFunc("GET /_sim/ledger", c.getLedger)
	c.mux.HandleFunc("GET /_sim/requests", c.getRequests)
	c.mux.HandleFunc("GET /_sim/faults", c.getFaults)
	c.mux.HandleFunc("POST /_sim/faults", c.postFaults)
	c.mux.HandleFunc("DELETE /_sim/faults", func(w http.ResponseWriter, r *http.Request) { c.faults.Clear(); c.getFaults(w, r) })
	c.mux.HandleFunc("GET /_sim/clock", c.getClock)
	c.mux.HandleFunc("POST /_sim/clock", c.postClock)
	c.mux.HandleFunc("GET /_sim/callbacks", func(w http.ResponseWriter, _ *http.Request) {
		rows, next := c.courier.Log.Since(0)
		WriteJSON(w, 200, map[string]any{"callbacks": rows, "next": next})
	})
	c.mux.HandleFunc("GET /_sim/config", func(w http.ResponseWriter, r *http.Request) {
		v, err := k.Config(r.URL.Query())
		if err != nil {
			WriteJSON(w, http.StatusNotFound, map[string]string{"error": err.Error()})
			return
		}
		WriteJSON(w, 200, v)
	})
	c.mux.HandleFunc("POST /_sim/reset", func(w http.ResponseWriter, _ *http.Request) { c.reset(k); WriteJSON(w, 200, ok) })
	for verb, act := range k.Actions {
		c.mux.HandleFunc("POST /_sim/"+verb+"/{no}", actionHandler(act))
	}
	c.mountSettings(k)
	c.mountBalance(k)
	c.mountHistory(k.History)
}

var ok = map[string]any{"ok": true}

func (c *Core) getLedger(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.URL.Query().Get("since"))
	WriteJSON(w, 200, map[string]any{"entries": c.ledger.Since(n), "next": c.ledger.Len()})
}

func (c *Core) getRequests(w http.ResponseWriter, r *http.Request) {
	rows, next := c.requests.Since(r.URL.Query().Get("since"))
	WriteJSON(w, 200, map[string]any{"requests": rows, "next": next})
}

func (c *Core) postFaults(w http.ResponseWriter, r *http.Request) {
	var p Plan
	err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&p)
	if err == nil {
		err = c.faults.Set(p)
	}
	if err != nil {
		bad(w, err)
		return
	}
	c.getFaults(w, r)
}

// getFaults shows what is planned, and which faults there are.
func (c *Core) getFaults(w http.ResponseWriter, _ *http.Request) {
	WriteJSON(w, 200, struct {
		Plan
		Kinds    []Kind              `json:"kinds"`
		Families map[string][]string `json:"families"`
	}{c.faults.View(), Kinds, families})
}

func bad(w http.ResponseWriter, err error) {
	WriteJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
}

func (c *Core) getClock(w http.ResponseWriter, _ *http.Request) {
	WriteJSON(w, 200, map[string]any{"now": c.clock.Now().Format(time.RFC3339), "offset": c.clock.Offset().String()})
}

func (c *Core) postClock(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Advance string `json:"advance"`
	}
	err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&in)
	var d time.Duration
	if err == nil {
		d, err = time.ParseDuration(in.Advance)
	}
	if err == nil && d < 0 {
		err = fmt.Errorf("virtual time only goes forward, got %s", d)
	}
	if err != nil {
		bad(w, err)
		return
	}
	c.clock.Advance(d)
	c.getClock(w, r)
}

func actionHandler(act Action) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := act(r.PathValue("no"), r.URL.Query()); err != nil {
			WriteJSON(w, http.StatusConflict, map[string]string{"error": err.Error()})
			return
		}
		WriteJSON(w, 200, ok)
	}
}

func (c *Core) reset(k Control) {
	c.clock.Clear()
	c.courier.Reset()
	c.faults.Clear()
	c.ledger.clear()
	c.requests.ring.Clear()
	if k.Settings != nil {
		k.Settings.Reset()
	}
	if k.Reset != nil {
		k.Reset()
	}
}

func (c *Core) mountSettings(k Control) {
	if k.Settings == nil {
		return
	}
	get := func(w http.ResponseWriter, _ *http.Request) { WriteJSON(w, 200, k.Settings.View()) }
	c.mux.HandleFunc("GET /_sim/settings", get)
	c.mux.HandleFunc("POST /_sim/settings", func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err == nil {
			err = k.Settings.Patch(raw)
		}
		if err != nil {
			bad(w, err)
			return
		}
		get(w, r)
	})
}

// mountBalance serves the merchant's account: {"amount"} sets it, {"add"} tops it up, in fen.
func (c *Core) mountBalance(k Control) {
	if k.Balance == nil {
		return
	}
	c.mux.HandleFunc("GET /_sim/balance", func(w http.ResponseWriter, r *http.Request) {
		WriteJSON(w, 200, map[string]int64{"amount": k.Balance(r.URL.Query().Get("account"))})
	})
	c.mux.HandleFunc("POST /_sim/balance", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Amount  *int64 `json:"amount"`
			Add     int64  `json:"add"`
			Account string `json:"account"`
		}
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&in); err != nil {
			bad(w, err)
			return
		}
		now := k.Balance(in.Account)
		if in.Amount != nil {
			now = *in.Amount
		}
		k.SetBal(in.Account, now+in.Add)
		WriteJSON(w, 200, map[string]int64{"amount": k.Balance(in.Account)})
	})
}

// Settings is a value that control routes patch while requests read it.
type Settings[T any] struct {
	mu  sync.Mutex
	def T
	cur atomic.Pointer[T]
}

// NewSettings starts with the defaults.
func NewSettings[T any](def T) *Settings[T] {
	s := &Settings[T]{def: def}
	s.cur.Store(&def)
	return s
}

// Get returns the current value; it must not be changed.
func (s *Settings[T]) Get() *T { return s.cur.Load() }

// View returns the value for JSON.
func (s *Settings[T]) View() any { return s.cur.Load() }

// Patch overlays JSON on the current value; unknown names are refused.
func (s *Settings[T]) Patch(raw []byte) error {
	return s.Update(func(v *T) error {
		var known, given map[string]any
		json.Unmarshal(JSON(v), &known)
		if err := json.Unmarshal(raw, &given); err != nil {
			return err
		}
		for k := range given {
			if _, found := known[k]; !found {
				return fmt.Errorf("no setting named %q", k)
			}
		}
		return json.Unmarshal(raw, v)
	})
}

// Update changes a copy and publishes it.
func (s *Settings[T]) Update(f func(*T) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := *s.cur.Load()
	if err := f(&next); err != nil {
		return err
	}
	s.cur.Store(&next)
	return nil
}

// Reset goes back to the defaults.
func (s *Settings[T]) Reset() { def := s.def; s.cur.Store(&def) }
