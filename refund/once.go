package refund

import (
	"context"
	"sync"
	"time"
)

const (
	failAge   = time.Second // how long a failure to ask HIS is told to whoever asks the same
	mostAsked = 10_000      // answers remembered at a time
)

// asking has each question put to HIS once at a time, and not again while its
// answer is young: one person who asks without end costs HIS no more than one
// who does not.
type asking struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[string]*question
}

type question struct {
	done chan struct{}
	at   time.Time // when it was answered
	err  error
}

// once asks, unless the same is being asked, or was answered a moment ago. The
// one who asks first asks for all: it does not end with the request that began
// it, but with its own deadline.
func (a *asking) once(ctx context.Context, what string, ask func(context.Context) error) error {
	q, mine := a.begin(what)
	if !mine {
		select {
		case <-q.done:
			return q.err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), intakeHIS)
	defer cancel()
	err := context.Canceled // of an asker that falls over
	defer func() { a.end(q, err) }()
	err = ask(asking)
	return err
}

// begin finds the question as it stands, or makes it the caller's to ask.
func (a *asking) begin(what string) (q *question, mine bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if q, ok := a.by[what]; ok && !a.aged(q) {
		return q, false
	}
	if len(a.by) >= mostAsked {
		for k, q := range a.by {
			if a.aged(q) {
				delete(a.by, k)
			}
		}
	}
	q = &question{done: make(chan struct{})}
	if a.by == nil {
		a.by = map[string]*question{}
	}
	a.by[what] = q
	return q, true
}

func (a *asking) end(q *question, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q.at, q.err = a.now(), err
	close(q.done)
}

// aged reports whether an answer has served its time; a.mu is held. A clock
// that was set back makes it so, too.
func (a *asking) aged(q *question) bool {
	if q.at.IsZero() {
		return false
	}
	age := a.now().Sub(q.at)
	return age < 0 || age >= cardAge || q.err != nil && age >= failAge
}

// forget makes the next one ask anew.
func (a *asking) forget(what string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if q, ok := a.by[what]; ok && !q.at.IsZero() {
		delete(a.by, what)
	}
}
