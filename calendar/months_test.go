package calendar

import (
	"testing"
	"time"
)

// TestAddMonths goes by the clock in Beijing, where the day begins eight hours earlier,
// and stays in the month.
func TestAddMonths(t *testing.T) {
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-11-30T18:44:00Z", 6, "2027-06-01T02:44:00+08:00"},
		{"2026-11-30T10:00:00Z", 6, "2027-05-30T18:00:00+08:00"},
		{"2026-08-31T12:00:00+08:00", 6, "2027-02-28T12:00:00+08:00"},
		{"2027-08-31T12:00:00+08:00", 6, "2028-02-29T12:00:00+08:00"},
		{"2026-12-31T23:59:59+08:00", 2, "2027-02-28T23:59:59+08:00"},
		{"2026-07-31T00:00:00+08:00", -5, "2026-02-28T00:00:00+08:00"},
		{"2026-03-15T00:00:00+08:00", -5, "2025-10-15T00:00:00+08:00"},
		{"2026-03-15T00:00:00+08:00", 0, "2026-03-15T00:00:00+08:00"},
	} {
		from, err := time.Parse(time.RFC3339, c.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := Clock(AddMonths(from, c.n)); got != c.want {
			t.Errorf("%s and %d months: %s, want %s", c.from, c.n, got, c.want)
		}
	}
}
