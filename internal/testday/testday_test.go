package testday

import (
	"testing"
	"time"
)

func TestUntil(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		moment string
		want   time.Duration
		bad    bool
	}{
		{"", 0, false},
		{"2026-11-28T20:00:00+08:00", 0, false},
		{"2026-11-29T00:00:00+08:00", 4 * time.Hour, false},
		{"2026-11-28T11:59:00Z", -time.Minute, false},
		{"2028-02-29", 0, true},
		{"2027-02-29T12:00:00+08:00", 0, true}, // no leap year
	} {
		if got, err := until(c.moment, now); got != c.want || (err != nil) != c.bad {
			t.Errorf("%q: %v %v", c.moment, got, err)
		}
	}
}

func TestNow_RunsOn(t *testing.T) {
	first := Now()
	if d := Now().Sub(first); d < 0 || Now().Sub(time.Now().Add(Ahead())).Abs() > time.Minute {
		t.Errorf("%v later, %v ahead", d, Ahead())
	}
}
