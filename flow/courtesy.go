package flow

import (
	"context"
	"runtime"
	"sync"
	"time"
)

const (
	// CourtesySteps is how many steps of orders go on while people wait.
	CourtesySteps = 6
	// CourtesyMost is how long another step lets people go first.
	CourtesyMost = 500 * time.Millisecond
)

// courtesy lets people who wait for an answer go before the steps of orders,
// which nobody watches: while as many people wait as there are processors, few
// steps go on, and none of the others waits for long. Work is not lost by it,
// only done in another order.
type courtesy struct {
	mu     sync.Mutex
	people int
	steps  int
	free   chan struct{} // closed when a step may go on
}

// PersonWaits tells that somebody waits for an answer that is being worked out,
// until done is called.
func (w *Worker) PersonWaits() (done func()) {
	c := &w.courtesy
	c.mu.Lock()
	defer c.mu.Unlock()
	c.people++
	return sync.OnceFunc(func() { c.change(&c.people, -1) })
}

// step waits for its turn and returns what ends it.
func (c *courtesy) step(ctx context.Context) (done func()) {
	for end := time.Now().Add(CourtesyMost); ; {
		wait := c.enter(time.Now().Before(end))
		if wait == nil {
			return func() { c.change(&c.steps, -1) }
		}
		timer := time.NewTimer(time.Until(end))
		select {
		case <-wait:
		case <-timer.C:
		case <-ctx.Done():
			end = time.Time{}
		}
		timer.Stop()
	}
}

// enter takes a step in, or says what it has to wait for.
func (c *courtesy) enter(polite bool) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !polite || !c.full() {
		c.steps++
		return nil
	}
	if c.free == nil {
		c.free = make(chan struct{})
	}
	return c.free
}

func (c *courtesy) full() bool { return c.people >= runtime.GOMAXPROCS(0) && c.steps >= CourtesySteps }

func (c *courtesy) change(n *int, by int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*n += by
	if c.free != nil && !c.full() {
		close(c.free)
		c.free = nil
	}
}
