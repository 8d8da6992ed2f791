package sim

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Message is one callback to deliver.
type Message struct {
	No       string
	Op       string // what the callback is about, for plans that mean one of several; callback without
	URL      string
	Fault    Fault           // planned together with the request that caused it; a lie stays the same in every attempt
	Gaps     []time.Duration // waits before each resend
	Scale    float64         // factor on the gaps; 0 means 1
	Make     func(lie Fault, how Seal) (http.Header, []byte)
	Accepted func(status int, body string) bool
}

// Delivery is one attempt to deliver, for GET /_sim/callbacks.
type Delivery struct {
	At       time.Time `json:"at"`
	No       string    `json:"no"`
	Attempt  int       `json:"attempt"`
	Seal     string    `json:"seal"`
	Status   int       `json:"status"`
	Accepted bool      `json:"accepted"`
}

// Courier sends callbacks in the background and resends refused ones.
type Courier struct {
	clock  *Clock
	faults *Faults
	client *http.Client
	slots  chan struct{}
	gen    atomic.Int64
	ctx    context.Context // ends with Close
	stop   context.CancelFunc
	mu     sync.Mutex // orders wg.Add and Close
	wg     sync.WaitGroup
	Log    Ring[Delivery]
}

// NewCourier makes a courier with at most 32 deliveries at a time; an answer must come within 5 s.
func NewCourier(c *Clock, f *Faults) *Courier {
	t := &http.Transport{MaxIdleConnsPerHost: 32, IdleConnTimeout: 30 * time.Second}
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ctx, stop := context.WithCancel(context.Background())
	return &Courier{clock: c, faults: f, slots: make(chan struct{}, 32), ctx: ctx, stop: stop,
		client: &http.Client{Transport: t, Timeout: 5 * time.Second, CheckRedirect: noRedirect}}
}

// Send starts the delivery of m; nothing happens without a URL.
func (c *Courier) Send(m Message) {
	if m.URL == "" {
		return
	}
	f := m.Fault
	if !f.Callback() && !f.Lie() {
		f = c.faults.Next(Call{Op: cmp.Or(m.Op, "callback"), Alias: "callback", No: m.No})
	}
	if m.Scale == 0 {
		m.Scale = 1
	}
	m.Fault = f
	switch f.Kind {
	case NoCallback:
	case LateCallback:
		time.AfterFunc(f.Delay, func() { c.start(m, 0) })
	case DuplicateCallback:
		c.start(m, 0)
		c.start(m, len(m.Gaps))
	case ForgedCallback, BadSignature:
		c.extra(m, SealBad)
	case WrongKeyCallback:
		c.extra(m, SealOtherKey)
	case SignTest:
		c.extra(m, SealProbe)
	default:
		c.start(m, 0)
	}
}

// extra sends a wrongly signed copy and then the true one.
func (c *Courier) extra(m Message, how Seal) {
	c.spawn(func() {
		c.post(m, how, 0)
		c.start(m, 0)
	})
}

func (c *Courier) start(m Message, attempt int) {
	gen := c.gen.Load()
	c.spawn(func() {
		if c.post(m, SealGood, attempt) || attempt >= len(m.Gaps) || c.gen.Load() != gen {
			return
		}
		gap := time.Duration(float64(m.Gaps[attempt]) * m.Scale)
		c.clock.After(gap, func() { c.start(m, attempt+1) })
	})
}

func (c *Courier) spawn(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return
	}
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		c.slots <- struct{}{}
		defer func() { <-c.slots }()
		f()
	}()
}

func (c *Courier) post(m Message, how Seal, attempt int) bool {
	header, body := m.Make(m.Fault, how)
	req, err := http.NewRequestWithContext(c.ctx, http.MethodPost, m.URL, bytes.NewReader(body))
	if err != nil {
		return true
	}
	req.Header = header
	req.Header.Set("User-Agent", "Mozilla/4.0")
	d := Delivery{At: time.Now(), No: m.No, Attempt: attempt + 1, Seal: [...]string{"good", "bad", "none", "probe", "other_key"}[how]}
	if res, err := c.client.Do(req); err == nil {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<16))
		res.Body.Close()
		d.Status, d.Accepted = res.StatusCode, m.Accepted(res.StatusCode, string(text))
	}
	c.Log.Add(d)
	return d.Accepted
}

// Reset forgets resends that are still to come.
func (c *Courier) Reset() { c.gen.Add(1); c.Log.Clear() }

// Close stops all deliveries and waits for those on their way.
func (c *Courier) Close() {
	c.mu.Lock()
	c.stop()
	c.mu.Unlock()
	c.client.CloseIdleConnections()
	c.wg.Wait()
}
