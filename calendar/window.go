package calendar

import "time"

// InWindow reports whether t's Beijing time of day lies in [from, to). A
// window may cross midnight; one without ends, or with equal ends, covers the
// whole day.
func InWindow(t time.Time, from, to string) bool {
	if from == to {
		return true
	}
	if to == "" {
		to = "24:00"
	}
	now := t.In(Beijing).Format("15:04")
	if from <= to {
		return now >= from && now < to
	}
	return now >= from || now < to
}

// NextWindow returns the first moment from t on that lies in the window.
func NextWindow(t time.Time, from, to string) time.Time {
	if InWindow(t, from, to) {
		return t
	}
	if from == "" {
		from = "00:00"
	}
	open, err := time.ParseInLocation("15:04", from, Beijing)
	if err != nil {
		return t
	}
	b := t.In(Beijing)
	at := time.Date(b.Year(), b.Month(), b.Day(), open.Hour(), open.Minute(), 0, 0, Beijing)
	if at.Before(t) {
		at = at.AddDate(0, 0, 1)
	}
	return at
}
