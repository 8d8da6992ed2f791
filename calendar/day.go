package calendar

import (
	"time"
)

// Clock is a moment as pages and files show it: RFC 3339 in Beijing, empty for
// the zero time.
func Clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(Beijing).Format(time.RFC3339)
}

// ParseDay reads a Beijing day and returns its beginning and end.
func ParseDay(day string) (from, to time.Time, err error) {
	from, err = time.ParseInLocation(time.DateOnly, day, Beijing)
	return from, from.AddDate(0, 0, 1), err
}

// Shift is the day n days after day; empty when day is no day.
func Shift(day string, n int) string {
	from, _, err := ParseDay(day)
	if err != nil {
		return ""
	}
	return from.AddDate(0, 0, n).Format(time.DateOnly)
}

// Day is the Beijing day of a moment, yyyy-MM-dd.
func Day(t time.Time) string { return t.In(Beijing).Format(time.DateOnly) }

// AddMonths is the moment n months later on the clock in Beijing, on the last day
// of a month that has no such day.
func AddMonths(t time.Time, n int) time.Time {
	b := t.In(Beijing)
	first := time.Date(b.Year(), b.Month(), 1, b.Hour(), b.Minute(), b.Second(), b.Nanosecond(), Beijing)
	last := first.AddDate(0, n+1, -1).Day()
	return first.AddDate(0, n, min(b.Day(), last)-1)
}
