package sms

import (
	"errors"
	"time"

	"hospay/calendar"
)

// quiet are the hours in which nobody is woken by a message, as minutes of the
// day in Beijing.
type quiet struct{ from, to int }

func parseQuiet(from, to string) (quiet, error) {
	f, err1 := time.Parse("15:04", from)
	t, err2 := time.Parse("15:04", to)
	if err1 != nil || err2 != nil {
		return quiet{}, errors.New("短信设置的 quiet_from、quiet_to 应写成 22:00 的样子")
	}
	return quiet{f.Hour()*60 + f.Minute(), t.Hour()*60 + t.Minute()}, nil
}

// until returns when the quiet hours that hold at now end; zero when now is not
// in them.
func (q quiet) until(now time.Time) time.Time {
	b := now.In(calendar.Beijing)
	minute := b.Hour()*60 + b.Minute()
	day := time.Date(b.Year(), b.Month(), b.Day(), q.to/60, q.to%60, 0, 0, calendar.Beijing)
	switch {
	case q.from == q.to:
		return time.Time{}
	case q.from < q.to && minute >= q.from && minute < q.to, q.from > q.to && minute < q.to:
		return day
	case q.from > q.to && minute >= q.from:
		return day.AddDate(0, 0, 1)
	}
	return time.Time{}
}
