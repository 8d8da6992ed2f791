package foreign

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// dateForm is a way in which dates are written, with the places of its groups.
type dateForm struct {
	re         *regexp.Regexp
	year       int
	month, day int
	clock      int  // group of what follows
	latin      bool // only with AM or PM: month, day and year as .NET has them in English
}

// forms are all patterns; most runs meet none but the plain time.
type forms struct {
	dates                                   []dateForm
	clock, packed, zone, weekday, halfOfDay *regexp.Regexp
}

const monthNames = `JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC`

var patterns = sync.OnceValue(func() forms {
	re := regexp.MustCompile
	return forms{
		dates: []dateForm{
			{re(`^(\d{4}) ?[-/.年] ?(\d{1,2}) ?[-/.月] ?(\d{1,2})日?(.*)$`), 1, 2, 3, 4, false},
			{re(`^(\d{4})(\d\d)(\d\d)([ T].*)$`), 1, 2, 3, 4, false},
			{re(`^(\d{1,2})[-/ ](` + monthNames + `|\d{1,2} ?月)[A-Z]*[-/ ](\d{4}|\d\d)( .*)?$`), 3, 2, 1, 4, false},
			{re(`^(` + monthNames + `)[A-Z]* (\d{1,2}),? (\d{4})( .*)?$`), 3, 1, 2, 4, false},
			{re(`^(` + monthNames + `) (\d{1,2}) (\d\d:\d\d:\d\d (?:CST|GMT|UTC|GMT[+-]\d\d:\d\d)) (\d{4})$`), 4, 1, 2, 3, false},
			{re(`^(\d{1,2})/(\d{1,2})/(\d{4})( .*)$`), 3, 1, 2, 4, true},
		},
		clock:     re(`^(\d{1,2}) ?(?:[:.时点] ?(\d{1,2})(?: ?[:.分] ?(\d{1,2})(?:[.,:]\d{1,9})? ?秒?)? ?分?|时|点整?)$`),
		packed:    re(`^(\d\d)(\d\d)(\d\d)(?:\.?\d{1,9})?$`),
		zone:      re(`(?: ?(Z|CST|UTC|GMT)| ?(?:GMT|UTC)?([+-]\d\d?):?(\d\d))$`),
		weekday:   re(`^(?:MON|TUE|WED|THU|FRI|SAT|SUN)[A-Z]*,? |(?:星期|周)[一二三四五六日天] ?`),
		halfOfDay: re(`上午|下午|凌晨|早上|早晨|中午|晚上|A\.M\.|P\.M\.|AM|PM`),
	}
})

var months = map[string]int{"JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6, "JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11,
	"DEC": 12}

// written reads a folded text by the forms of dates and clocks.
func written(s string) (Moment, error) {
	s = strings.TrimSpace(patterns().weekday.ReplaceAllString(s, ""))
	half := ""
	switch at := patterns().halfOfDay.FindAllStringIndex(s, -1); len(at) {
	case 0:
	case 1:
		half = s[at[0][0]:at[0][1]]
		s = strings.Join(strings.Fields(s[:at[0][0]]+" "+s[at[0][1]:]), " ")
	default:
		return Moment{}, ErrTime
	}
	for _, f := range patterns().dates {
		m := f.re.FindStringSubmatch(s)
		if m == nil || f.latin && !strings.HasSuffix(half, "M") {
			continue
		}
		year, month, day := atoi(m[f.year]), months[m[f.month]], atoi(m[f.day])
		if month == 0 {
			month = atoi(strings.TrimRight(m[f.month], " 月"))
		}
		if len(m[f.year]) == 2 {
			year += 2000
		}
		text, zone, ok := unzone(strings.TrimSpace(strings.TrimPrefix(m[f.clock], "T")))
		if text == "" && half == "" && ok && zone == eastern {
			return moment(year, month, day, -1, 0, 0, eastern)
		}
		hour, minute, sec, good := clock(text, half)
		if !ok || !good {
			return Moment{}, ErrTime
		}
		return moment(year, month, day, hour, minute, sec, zone)
	}
	if hour, minute, sec, ok := clock(s, half); ok {
		return Moment{Seconds: hour*3600 + minute*60 + sec}, ErrNoDate
	}
	return Moment{}, ErrTime
}

// unzone takes a zone off the end of a clock.
func unzone(s string) (clock string, zone int, ok bool) {
	m := patterns().zone.FindStringSubmatchIndex(s)
	if m == nil {
		return s, eastern, true
	}
	clock = s[:m[0]]
	if m[2] >= 0 {
		if s[m[2]:m[3]] == "CST" { // China's, on China's servers
			return clock, eastern, true
		}
		return clock, 0, true
	}
	hours, minutes := atoi(s[m[4]+1:m[5]]), atoi(s[m[6]:m[7]])
	zone = hours*3600 + minutes*60
	if s[m[4]] == '-' {
		zone = -zone
	}
	return clock, zone, hours <= 14 && minutes < 60
}

// clock reads hours, minutes and seconds; half names the half of the day.
func clock(s, half string) (hour, minute, sec int, ok bool) {
	m := patterns().clock.FindStringSubmatch(s)
	if m == nil {
		if m = patterns().packed.FindStringSubmatch(s); m == nil {
			return 0, 0, 0, false
		}
	}
	hour, minute, sec = atoi(m[1]), atoi(m[2]), atoi(m[3])
	if hour > 23 || minute > 59 || sec > 59 {
		return 0, 0, 0, false
	}
	switch half {
	case "":
	case "AM", "A.M.", "上午", "凌晨", "早上", "早晨":
		if hour > 12 {
			return 0, 0, 0, false
		}
		hour %= 12 // to programs, 上午 12 时 begins the day
	case "中午":
		if hour < 3 {
			hour += 12
		}
		if hour < 11 || hour > 14 {
			return 0, 0, 0, false
		}
	case "晚上":
		if hour < 5 || hour == 12 {
			return 0, 0, 0, false
		}
		hour = hour%12 + 12
	default: // PM, 下午
		hour = hour%12 + 12
	}
	return hour, minute, sec, true
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
