package flow

import (
	"sync/atomic"
	"time"
)

// Retry repeats f while it loses the race for an order's version.
func Retry(f func() error) error {
	var err error
	for range 8 {
		if err = f(); err != ErrConflict { //nolint:errorlint // the sentinel itself: a coded conflict is final
			return err
		}
	}
	return err
}

// ClockWatch sees that the clock has gone back, in this process or since the one
// before it.
type ClockWatch struct{ latest atomic.Int64 }

// Look compares the time with the latest that was seen. Where the clock has gone
// back, and the first time, it lets rewind look at what is stored.
func (w *ClockWatch) Look(now time.Time, rewind func() error) error {
	latest := w.latest.Load()
	if latest != 0 && now.UnixNano() >= latest-int64(time.Minute) {
		w.latest.Store(max(latest, now.UnixNano()))
		return nil
	}
	if err := rewind(); err != nil {
		return err
	}
	w.latest.Store(now.UnixNano())
	return nil
}
