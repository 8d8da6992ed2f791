// Package sim holds what the simulators share: a virtual clock, an
// append-only ledger, a bounded request log, planned and seeded faults, a
// courier for callbacks and the /_sim control routes.
//
// The simulators stand in for WeChat Pay, Alipay, the HIS and the hospital's
// portal. They share no code with the product's clients, so that a bug on one
// side cannot hide in the other. This package never imports a simulator.
package sim

import (
	"container/heap"
	"sync"
	"sync/atomic"
	"time"
)

// Beijing is the zone of every business day.
var Beijing = time.FixedZone("CST", 8*3600)

// Clock is virtual time: real time plus an offset that only Begin and Advance
// move. Signature timestamps are always checked against real time, never this.
type Clock struct {
	begun  atomic.Int64 // where Begin has put the clock; Clear goes back to it
	offset atomic.Int64
	mu     sync.Mutex // guards timers
	run    sync.Mutex // one firing at a time, in order
	timers timerHeap
	seq    uint64
	wake   chan struct{}
	done   chan struct{}
	once   sync.Once
}

type timer struct {
	at  time.Time
	seq uint64
	f   func()
}

type timerHeap []timer

// Len is part of heap.Interface.
func (h timerHeap) Len() int { return len(h) }

// Less puts the earlier timer first.
func (h timerHeap) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].seq < h[j].seq
	}
	return h[i].at.Before(h[j].at)
}

// Swap is part of heap.Interface.
func (h timerHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push is part of heap.Interface.
func (h *timerHeap) Push(x any) { *h = append(*h, x.(timer)) }

// Pop is part of heap.Interface.
func (h *timerHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = timer{}
	*h = old[:len(old)-1]
	return last
}

// NewClock starts a clock that shows real time.
func NewClock() *Clock {
	c := &Clock{wake: make(chan struct{}, 1), done: make(chan struct{})}
	go c.loop()
	return c
}

// Now is the virtual time, in Beijing's zone.
func (c *Clock) Now() time.Time {
	return time.Now().Add(time.Duration(c.begun.Load() + c.offset.Load())).In(Beijing)
}

// Begin puts the clock ahead of real time by d, for days that are tried out
// before they come. The time that the clock shows is where it begins.
func (c *Clock) Begin(d time.Duration) {
	c.begun.Store(int64(d))
	c.poke()
}

// Offset tells how far virtual time was moved since it began.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// Advance moves virtual time and runs everything that became due before it returns.
func (c *Clock) Advance(d time.Duration) {
	c.offset.Add(int64(d))
	c.fire()
	c.poke()
}

// At runs f once virtual time reaches t. f must be short and must not call Advance.
func (c *Clock) At(t time.Time, f func()) {
	c.mu.Lock()
	c.seq++
	heap.Push(&c.timers, timer{t, c.seq, f})
	first := c.timers[0].seq == c.seq
	c.mu.Unlock()
	if first {
		c.poke()
	}
}

// After runs f when d of virtual time has passed.
func (c *Clock) After(d time.Duration, f func()) { c.At(c.Now().Add(d), f) }

// Clear forgets all timers and goes back to where the clock began.
func (c *Clock) Clear() {
	c.mu.Lock()
	c.timers = nil
	c.mu.Unlock()
	c.offset.Store(0)
	c.poke()
}

// Close stops the clock; timers that are left never run.
func (c *Clock) Close() { c.once.Do(func() { close(c.done) }) }

func (c *Clock) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// fire runs due timers in order of their time.
func (c *Clock) fire() {
	c.run.Lock()
	defer c.run.Unlock()
	for {
		f := c.next()
		if f == nil {
			return
		}
		f()
	}
}

func (c *Clock) next() func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.timers) == 0 || c.timers[0].at.After(c.Now()) {
		return nil
	}
	return heap.Pop(&c.timers).(timer).f
}

func (c *Clock) wait() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.timers) == 0 {
		return time.Hour
	}
	return min(max(c.timers[0].at.Sub(c.Now()), 0), time.Hour)
}

func (c *Clock) loop() {
	t := time.NewTimer(time.Hour)
	defer t.Stop()
	for {
		t.Reset(c.wait())
		select {
		case <-c.done:
			return
		case <-c.wake:
		case <-t.C:
		}
		c.fire()
	}
}
