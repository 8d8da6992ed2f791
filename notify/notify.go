// Package notify sends notices from an outbox: rows that were written in the
// same transaction as the event that they tell of. A notice is sent at least
// once and, where the service drops repeats by our id, exactly once; a failing
// sender never holds up money.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
		var unsettled error
		for _, m := range due {
			if ctx.Err() != nil {
				return n, errors.Join(unsettled, ctx.Err())
			}
			if err := s.settle(ctx, m.ID, s.try(ctx, m)); err != nil { // the others go on
				unsettled = errors.Join(unsettled, fmt.Errorf("notice %s: %w", m.ID, err))
				continue
			}
			n++
		}
		if unsettled != nil { // they are due still: not before the next pass
			return n, unsettled
		}
	}
	return n, nil
}

// settle writes a result even while the program is being stopped: a notice that
// went out and is not marked would go out again.
func (s *Service) settle(ctx context.Context, id string, r Result) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	return s.outbox.Settle(ctx, id, r)
}

func (s *Service) try(ctx context.Context, m Message) Result {
	r := Result{Tries: m.Tries + 1}
	if m.Stale {
		r.State = StateSkipped
		return r
	}
	if m.Via == ViaInApp {
		r.State = StateSent
		return r
	}
	sender, ok := s.senders[m.Via]
	if !ok {
		r.State, r.Error = StateSkipped, "没有配置这种通知方式"
		return r
	}
	id, err := send(ctx, sender, m)
	if later, ok := errors.AsType[*Later](err); ok {
		return s.wait(m, later.At)
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
	return r
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
func send(ctx context.Context, sender Sender, m Message) (id string, err error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	defer func() {
		if recover() != nil { // what it says may hold anything
			id, err = "", errPanic
		}
	}()
	return sender.Send(ctx, m)
}
