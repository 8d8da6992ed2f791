// Package notify sends notices from an outbox: rows that were written in the
// same transaction as the event that they tell of. A notice is sent at least
// once and, where the service drops repeats by our id, exactly once; a failing
// sender never holds up money.
package notify

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"
)

// The ways in which a notice goes out.
const (
	ViaInApp  = "in_app"
	ViaWechat = "wechat"
	ViaAlipay = "alipay"
	ViaSMS    = "sms"
	ViaEmail  = "email"
	// Chat groups of the staff, for alarms.
	ViaWeCom    = "wecom"
	ViaDingTalk = "dingtalk"
)

// Message is a notice that is due.
type Message struct {
	ID          string
	Order       string
	Patient     string
	Institution string
	Via         string
	Title       string
	Body        string
	Template    string            // of the channel's message service
	Values      map[string]string // keyword → text
	Link        string            // of the page that it is about
	Tries       int
	Stale       bool // what it asks for has been done meanwhile
}

// State is what became of a notice.
type State string

// The states of a notice.
const (
	StateQueued  State = "queued"
	StateSent    State = "sent"
	StateFailed  State = "failed"
	StateSkipped State = "skipped"
)

// Result is written back after a try.
type Result struct {
	State      State
	Tries      int
	NextAt     time.Time
	ProviderID string
	Error      string
}

// Outbox is the queue of notices.
type Outbox interface {
	Due(ctx context.Context, now time.Time, limit int) ([]Message, error)
	Settle(ctx context.Context, id string, r Result) error
}

// Sender sends one kind of notice and returns the provider's id of it.
// ErrRefused marks what a repeat cannot mend; other errors are tried again.
type Sender interface {
	Send(context.Context, Message) (string, error)
}

// SenderFunc is a function as a Sender.
type SenderFunc func(context.Context, Message) (string, error)

// Send calls f.
func (f SenderFunc) Send(ctx context.Context, m Message) (string, error) { return f(ctx, m) }

// Errors of senders.
var (
	ErrRefused = errors.New("notify: refused for good")
	ErrSkip    = errors.New("notify: nobody to tell this way")
	errPanic   = errors.New("notify: sender panicked")
)

// Later is the error of a sender for which it is the wrong time, such as the
// quiet hours of short messages: the notice waits until At, and this was no try.
type Later struct{ At time.Time }

// Error says until when.
func (l *Later) Error() string { return "notify: not before " + l.At.Format(time.RFC3339) }

// Retries are the waits between tries; after the last one a notice has failed.
var Retries = []time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour}

const (
	sendTimeout   = 10 * time.Second
	settleTimeout = 5 * time.Second
)

// Service delivers what is due.
type Service struct {
	outbox  Outbox
	senders map[string]Sender
	now     func() time.Time
	log     *slog.Logger
}

// New returns a service with senders by way. In-app notices need no sender.
func New(outbox Outbox, senders map[string]Sender, now func() time.Time, log *slog.Logger) *Service {
	return &Service{outbox: outbox, senders: senders, now: now, log: log}
}

// Deliver makes one pass over the queue and returns how many notices it
// settled.
func (s *Service) Deliver(ctx context.Context) (int, error) {
	n := 0
	for ctx.Err() == nil {
		due, err := s.outbox.Due(ctx, s.now(), 100)
		if err != nil || len(due) == 0 {
			return n, err
		}
		settled, err := s.sendAll(ctx, due)
		n += settled
		if err != nil { // what is not settled is due still: not before the next pass
			return n, err
		}
	}
	return n, nil
}

// lanesOfWay is how many notices of a way are under way at a time.
const lanesOfWay = 4

// lane is what goes out one after the other: the notices of an order do, by the
// same way.
type lane struct {
	via  string
	part uint32
}

// sendAll sends notices, of each way a few at a time. A service that gives no
// answer holds up nobody else's: its institution's other notices wait for a minute.
func (s *Service) sendAll(ctx context.Context, due []Message) (settled int, err error) {
	lanes := map[lane][]Message{}
	for _, m := range due {
		h := fnv.New32a()
		_, _ = h.Write([]byte(m.Order))
		l := lane{m.Via, h.Sum32() % lanesOfWay}
		lanes[l] = append(lanes[l], m)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var dumb sync.Map // ways of an institution that gave no answer
	for _, messages := range lanes {
		wg.Go(func() {
			n, e := s.sendLane(ctx, messages, &dumb)
			mu.Lock()
			defer mu.Unlock()
			settled, err = settled+n, errors.Join(err, e)
		})
	}
	wg.Wait()
	return settled, err
}

func (s *Service) sendLane(ctx context.Context, messages []Message, dumb *sync.Map) (settled int, err error) {
	for _, m := range messages {
		if ctx.Err() != nil {
			return settled, errors.Join(err, ctx.Err())
		}
		way := m.Institution + " " + m.Via
		r := s.wait(m, s.now())
		if _, is := dumb.Load(way); !is {
			var silent bool
			if r, silent = s.try(ctx, m); silent {
				dumb.Store(way, true)
			}
		}
		if e := s.settle(ctx, m.ID, r); e != nil { // the others go on
			err = errors.Join(err, fmt.Errorf("notice %s: %w", m.ID, e))
			continue
		}
		settled++
	}
	return settled, err
}

// settle writes a result even while the program is being stopped: a notice that
// went out and is not marked would go out again.
func (s *Service) settle(ctx context.Context, id string, r Result) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	return s.outbox.Settle(ctx, id, r)
}

// try sends a notice, and tells whether the sender gave no answer in its time.
func (s *Service) try(ctx context.Context, m Message) (r Result, silent bool) {
	r.Tries = m.Tries + 1
	if m.Stale {
		r.State = StateSkipped
		return r, false
	}
	if m.Via == ViaInApp {
		r.State = StateSent
		return r, false
	}
	sender, ok := s.senders[m.Via]
	if !ok {
		r.State, r.Error = StateSkipped, "没有配置这种通知方式"
		return r, false
	}
	id, silent, err := send(ctx, sender, m)
	if later, ok := errors.AsType[*Later](err); ok {
		return s.wait(m, later.At), false
	}
	switch {
	case err == nil:
		r.State, r.ProviderID = StateSent, id
	case errors.Is(err, ErrSkip):
		r.State, r.Error = StateSkipped, err.Error()
	case errors.Is(err, ErrRefused), m.Tries >= len(Retries):
		r.State, r.Error = StateFailed, err.Error()
		s.log.Warn("notice.failed", "notice", m.ID, "via", m.Via, "error", err)
	default:
		r.State, r.Error, r.NextAt = StateQueued, err.Error(), s.now().Add(Retries[max(m.Tries, 0)])
	}
	return r, silent
}

// wait puts a notice off without counting a try. A time that has come is moved
// on, so that the queue cannot turn in circles.
func (s *Service) wait(m Message, at time.Time) Result {
	if soonest := s.now().Add(time.Minute); at.Before(soonest) {
		at = soonest
	}
	return Result{State: StateQueued, Tries: m.Tries, NextAt: at}
}

// send gives a sender its time and survives its panic.
func send(ctx context.Context, sender Sender, m Message) (id string, silent bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	defer func() {
		if recover() != nil { // what it says may hold anything
			id, err = "", errPanic
		}
	}()
	id, err = sender.Send(ctx, m)
	return id, err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded), err
}
