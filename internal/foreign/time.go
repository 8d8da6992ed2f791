// Package foreign reads what other programs write: times, words for states,
// methods and channels, and the characters of GB18030. Books and HIS adapters
// read with it and with money.Parse, and with nothing else.
package foreign

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// Errors of Time.
var (
	ErrTime   = errors.New("foreign: not a time")
	ErrNoTime = errors.New("foreign: an empty time") // what programs write where they have none: 0001-01-01, 1900-01-01 …
	ErrNoDate = errors.New("foreign: a clock without a date")
)

// Moment is a time that was read.
type Moment struct {
	Unix    int64 // seconds
	Day     bool  // a date alone, taken as noon: it says nothing about midnight
	Seconds int   // with ErrNoDate: the clock, as seconds of the day
}

const (
	eastern = 8 * 3600 // Beijing; China has had no summer time since 1991
	daySecs = 86400
)

// Time is the one reader of times, in Beijing where they name no zone. It
// knows the ways of databases (Oracle, SQL Server), of .NET and Java, of
// spreadsheets and of people: yyyy-MM-dd HH:mm:ss with any separators, single
// digits, 年月日 and 时分秒, 上午 and PM, compact digits, epochs in seconds and
// milliseconds, /Date(…)/, serial numbers of Excel, and full-width characters.
func Time(s string) (Moment, error) {
	if at, ok := plainTime(s); ok {
		return Moment{Unix: at}, nil
	}
	s = fold(s)
	switch {
	case s == "":
		return Moment{}, ErrNoTime
	case isDigits(s):
		return compact(s)
	case strings.HasPrefix(s, "/DATE(") && strings.HasSuffix(s, ")/"):
		return jsonDate(s[len("/DATE(") : len(s)-len(")/")])
	}
	if days, err := strconv.ParseFloat(s, 64); err == nil && strings.Trim(s, "0123456789.") == "" {
		return serial(days)
	}
	return written(s)
}

// TimeAs reads a time of a layout of package time, and by Time what is not of it.
func TimeAs(layout, s string) (Moment, error) {
	if layout != "" && layout != time.DateTime {
		t, err := time.ParseInLocation(layout, strings.TrimSpace(s), time.FixedZone("", eastern))
		if err == nil && plausible(t.Year()) {
			return Moment{Unix: t.Unix()}, nil
		}
	}
	return Time(s)
}

func plausible(year int) bool { return year >= 2000 && year < 2200 }

// noYear reports whether a year is one that programs write where they have no
// time.
func noYear(year int) bool {
	return year <= 1 || year == 1753 || year == 1899 || year == 1900 || year == 1970 || year == 9999
}

// moment checks the parts of a time. A hour below zero means a date alone.
func moment(y, m, d, hour, minute, sec int, zone int) (Moment, error) {
	switch {
	case noYear(y):
		return Moment{}, ErrNoTime
	case !plausible(y) || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) || hour > 23 || minute > 59 || sec > 59:
		return Moment{}, ErrTime
	case hour < 0:
		return Moment{Unix: int64(daysSince1970(y, m, d))*daySecs + 12*3600 - eastern, Day: true}, nil
	}
	return Moment{Unix: int64(daysSince1970(y, m, d))*daySecs + int64(hour*3600+minute*60+sec-zone)}, nil
}

// compact reads nothing but digits: yyyyMMdd with or without a clock, seconds
// or milliseconds since 1970, a serial day of Excel. Ten digits are seconds
// only up to 2033: after that they could be yyyyMMddHH.
func compact(s string) (Moment, error) {
	n := func(from, to int) int { v, _ := strconv.Atoi(s[from:to]); return v }
	switch len(s) {
	case 5:
		return serial(float64(n(0, 5)))
	case 8:
		return moment(n(0, 4), n(4, 6), n(6, 8), -1, 0, 0, eastern)
	case 12:
		return moment(n(0, 4), n(4, 6), n(6, 8), n(8, 10), n(10, 12), 0, eastern)
	case 14, 17:
		return moment(n(0, 4), n(4, 6), n(6, 8), n(8, 10), n(10, 12), n(12, 14), eastern)
	case 10, 13:
		if s[0] == '1' {
			return epoch(int64(n(0, 10)))
		}
	}
	if strings.Trim(s, "0") == "" {
		return Moment{}, ErrNoTime
	}
	return Moment{}, ErrTime
}

func epoch(sec int64) (Moment, error) {
	switch y := time.Unix(sec, 0).UTC().Year(); {
	case plausible(y):
		return Moment{Unix: sec}, nil
	case noYear(y):
		return Moment{}, ErrNoTime
	}
	return Moment{}, ErrTime
}

// jsonDate reads the inside of .NET's /Date(ms)/. The offset behind the
// milliseconds tells where the writer lives; the time does not change by it.
func jsonDate(s string) (Moment, error) {
	if i := strings.LastIndexAny(s, "+-"); i > 0 {
		if !isDigits(s[i+1:]) || len(s[i+1:]) != 4 {
			return Moment{}, ErrTime
		}
		s = s[:i]
	}
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return Moment{}, ErrTime
	}
	return epoch(int64(math.Floor(float64(ms) / 1000)))
}

// serial turns Excel's days since 1899-12-30 into a time.
func serial(days float64) (Moment, error) {
	if days < 36526 || days >= 109575 {
		if days == 0 {
			return Moment{}, ErrNoTime
		}
		return Moment{}, ErrTime
	}
	whole := math.Floor(days)
	m := Moment{Unix: (int64(whole)-25569)*daySecs - eastern, Day: days == whole}
	if m.Day {
		m.Unix += 12 * 3600
	} else {
		m.Unix += int64(math.Round((days - whole) * daySecs))
	}
	return m, nil
}

// plainTime reads yyyy-MM-dd HH:mm:ss without the cost of looking further.
func plainTime(s string) (int64, bool) {
	if len(s) != 19 || s[4] != s[7] || (s[4] != '-' && s[4] != '/') || s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	good := true
	two := func(i int) int {
		a, b := s[i]-'0', s[i+1]-'0'
		good = good && a <= 9 && b <= 9
		return int(a)*10 + int(b)
	}
	v := [...]int{two(0)*100 + two(2), two(5), two(8), two(11), two(14), two(17)}
	if !good {
		return 0, false
	}
	y, m, d := v[0], v[1], v[2]
	if !plausible(y) || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) || v[3] > 23 || v[4] > 59 || v[5] > 59 {
		return 0, false
	}
	return int64(daysSince1970(y, m, d))*daySecs + int64(v[3]*3600+v[4]*60+v[5]) - eastern, true
}

func daysIn(y, m int) int {
	if m == 2 && y%4 == 0 && (y%100 != 0 || y%400 == 0) {
		return 29
	}
	return [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[m-1]
}

// daysSince1970 counts the days of the proleptic Gregorian calendar, the year
// beginning in March so that the leap day comes last.
func daysSince1970(y, m, d int) int {
	if m <= 2 {
		y, m = y-1, m+12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468
}

// fold makes text comparable: plain instead of full-width characters, capitals,
// single blanks, nothing around.
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - 0xfee0
		case r == '\u3000', r == '\u00a0', r == '\u202f', r == '\u2007', r == '\ufeff', r == '\t':
			return ' '
		}
		return r
	}, s)
	return strings.ToUpper(strings.Join(strings.Fields(s), " "))
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
