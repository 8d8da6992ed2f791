package flow

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// steps runs n steps of a tenth of a second each, and tells how many were under way at
// most, and how long all took.
func steps(t *testing.T, w *Worker, n int) (most int64, took time.Duration) {
	var now, peak atomic.Int64
	began := time.Now()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			defer w.step(t.Context())()
			for m := now.Add(1); ; {
				p := peak.Load()
				if m <= p || peak.CompareAndSwap(p, m) {
					break
				}
			}
			time.Sleep(100 * time.Millisecond)
			now.Add(-1)
		})
	}
	wg.Wait()
	return peak.Load(), time.Since(began)
}

func crowd(w *Worker, n int) (leave func()) {
	var done []func()
	for range n {
		done = append(done, w.PersonWaits())
	}
	return func() {
		for _, f := range done {
			f()
		}
	}
}

func TestCourtesy_NobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &Worker{}
		defer crowd(w, runtime.GOMAXPROCS(0)-1)()
		if most, took := steps(t, w, 16); most != 16 || took != 100*time.Millisecond {
			t.Error(most, took)
		}
	})
}

// While people wait few steps go on; they all go on when the people have left.
func TestCourtesy_PeopleGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &Worker{}
		leave := crowd(w, runtime.GOMAXPROCS(0))
		if most, took := steps(t, w, 3*CourtesySteps); most != CourtesySteps || took != 300*time.Millisecond {
			t.Error("three times as many:", most, took)
		}
		time.AfterFunc(150*time.Millisecond, leave)
		if most, took := steps(t, w, 16); most != 16-CourtesySteps || took != 250*time.Millisecond {
			t.Error("after they left:", most, took)
		}
		if w.people != 0 || w.steps != 0 {
			t.Error("left behind:", w.people, w.steps)
		}
	})
}

// Whoever keeps coming, and whoever does not answer a step, money moves on.
func TestCourtesy_ForSoLongAndNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &Worker{}
		defer crowd(w, 10*runtime.GOMAXPROCS(0))()
		for range CourtesySteps { // of orders whose other side gives no answer
			defer w.step(t.Context())()
		}
		if most, took := steps(t, w, 16); most != 16 || took != CourtesyMost+100*time.Millisecond {
			t.Error(most, took)
		}
	})
}
