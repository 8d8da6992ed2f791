// Package testday lets tests and the demo day begin at another moment than now:
// a month's end, New Year's Eve, 29 February. The clock runs on from there with
// real time, so that waiting works as ever.
//
// It moves the clock of the business only. What two machines hold against each
// other's clocks (timestamps in signatures, tickets, tokens, certificates of
// connections) stays real time on both sides.
package testday

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// Env names the moment in RFC 3339, for example 2028-02-29T23:59:30+08:00.
const Env = "HOSPAY_TEST_DAY"

var begun = sync.OnceValues(func() (time.Duration, error) { return until(os.Getenv(Env), time.Now()) })

// until is how far a moment lies ahead of now; an empty one is now.
func until(moment string, now time.Time) (time.Duration, error) {
	if moment == "" {
		return 0, nil
	}
	at, err := time.Parse(time.RFC3339, moment)
	if err != nil {
		return 0, fmt.Errorf("%s is not a time like 2028-02-29T23:59:30+08:00: %w", Env, err)
	}
	return at.Sub(now), nil
}

// Check reports whether the environment names a moment that cannot be read.
func Check() error {
	_, err := begun()
	return err
}

// Ahead is how far the clock runs ahead of real time, the same for the whole
// life of the process. It panics where Check would fail.
func Ahead() time.Duration {
	d, err := begun()
	if err != nil {
		panic(err)
	}
	return d
}

// Noon is how far a clock runs ahead of real time that shows noon of the day.
// Tests of one day's bills begin there, so that midnight does not come between.
func Noon() time.Duration {
	zone := time.FixedZone("Beijing", 8*3600)
	now := Now().In(zone)
	return Ahead() + time.Date(now.Year(), now.Month(), now.Day(), 12, 0, 0, 0, zone).Sub(now)
}

// Now is the clock.
func Now() time.Time { return time.Now().Add(Ahead()) }
