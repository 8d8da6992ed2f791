package refund

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestAsking_OnceForAll: whoever asks the same at the same time gets the same
// answer of one question, and for a while nobody asks again.
func TestAsking_OnceForAll(t *testing.T) {
	now := noon
	a := asking{now: func() time.Time { return now }}
	var asked atomic.Int32
	let := make(chan struct{})
	ask := func(context.Context) error {
		asked.Add(1)
		<-let
		return nil
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if err := a.once(t.Context(), "cards P", ask); err != nil {
				t.Error(err)
			}
		})
	}
	for asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(let)
	all.Wait()
	for _, step := range []struct {
		after time.Duration
		want  int32
	}{{0, 1}, {cardAge - time.Millisecond, 1}, {time.Millisecond, 2}, {-time.Minute, 3}} {
		now = now.Add(step.after)
		if err := a.once(t.Context(), "cards P", ask); err != nil || asked.Load() != step.want {
			t.Errorf("after %v: asked %d times, %v", step.after, asked.Load(), err)
		}
	}
	a.forget("cards P")
	_ = a.once(t.Context(), "cards P", ask)
	_ = a.once(t.Context(), "cards Q", ask)
	if asked.Load() != 5 {
		t.Errorf("asked %d times after one was forgotten and another came", asked.Load())
	}
}

// TestAsking_AFailureIsToldToAllAndSoonForgotten, also one that falls over, and
// who waits may leave.
func TestAsking_AFailureIsToldToAllAndSoonForgotten(t *testing.T) {
	now, down := noon, errors.New("down")
	a := asking{now: func() time.Time { return now }}
	n := 0
	fail := func(context.Context) error { n++; return down }
	for range 20 {
		if err := a.once(t.Context(), "x", fail); !errors.Is(err, down) {
			t.Fatal(err)
		}
	}
	if n != 1 {
		t.Errorf("asked %d times within a moment", n)
	}
	if now = now.Add(failAge); !errors.Is(a.once(t.Context(), "x", fail), down) || n != 2 {
		t.Errorf("asked %d times", n)
	}
	func() {
		defer func() { _ = recover() }()
		_ = a.once(t.Context(), "y", func(context.Context) error { panic("falls over") })
	}()
	now = now.Add(failAge)
	if err := a.once(t.Context(), "y", func(context.Context) error { return nil }); err != nil {
		t.Errorf("after one that fell over: %v", err)
	}
	started, let := make(chan struct{}), make(chan struct{})
	gone, leave := context.WithCancel(t.Context())
	leave()
	go func() {
		_ = a.once(gone, "z", func(ctx context.Context) error { close(started); <-let; return ctx.Err() })
	}()
	<-started
	if err := a.once(gone, "z", fail); !errors.Is(err, context.Canceled) {
		t.Errorf("who left got %v", err)
	}
	close(let)
	if err := a.once(t.Context(), "z", fail); err != nil {
		t.Errorf("the first asker left, and took the answer along: %v", err)
	}
}

// TestAsking_ForgetsWhatHasAged, so that many people cost no memory for ever.
func TestAsking_ForgetsWhatHasAged(t *testing.T) {
	now := noon
	a := asking{now: func() time.Time { return now }}
	ok := func(context.Context) error { return nil }
	for i := range mostAsked {
		_ = a.once(t.Context(), time.Duration(i).String(), ok)
	}
	now = now.Add(cardAge)
	if _ = a.once(t.Context(), "one more", ok); len(a.by) != 1 {
		t.Errorf("%d remembered", len(a.by))
	}
}
