package idno

import (
	"regexp"
	"strings"
	"time"
)

// Paper is a kind of identity document by the number that HIS and tickets name
// it with.
type Paper string

// The papers by which patients are known.
const (
	Resident  Paper = "01" // 居民身份证
	Passport  Paper = "03" // 护照
	Permanent Paper = "11" // 外国人永久居留身份证, in its form until 2023 and in that since
	Residence Paper = "12" // 港澳台居民居住证
)

// Papers lists the papers in the order of the pages.
func Papers() []Paper { return []Paper{Resident, Residence, Permanent, Passport} }

var (
	passportForm  = regexp.MustCompile(`^[A-Z0-9]{5,12}$`)
	permanentForm = regexp.MustCompile(`^[A-Z]{3}\d{12}$`) // nationality, where it was issued, birthday without its century, two more
)

// Form brings a number of the paper into its one form.
func (p Paper) Form(no string) string {
	no = strings.ToUpper(Normalize(no))
	if p == Resident {
		return no
	}
	return strings.Map(func(r rune) rune {
		if r >= 'Ａ' && r <= 'Ｚ' {
			r = r - 'Ａ' + 'A'
		}
		if strings.ContainsRune("-‐‑–—－.() ", r) {
			return -1
		}
		return r
	}, no)
}

// Fits reports whether a number in its one form can be one of the paper.
func (p Paper) Fits(no string, now time.Time, zone *time.Location) bool {
	_, whole := Birth(no, now, zone)
	switch p {
	case Resident:
		return whole
	case Residence:
		return whole && (strings.HasPrefix(no, "810000") || strings.HasPrefix(no, "820000") || strings.HasPrefix(no, "830000"))
	case Permanent:
		return whole && no[0] == '9' || permanentForm.MatchString(no) && dayWithoutCentury(no[7:13])
	case Passport:
		return passportForm.MatchString(no) && strings.ContainsAny(no, "0123456789")
	}
	return false
}

// Birth is the birthday in a number of the paper, where there is one and its
// century is known.
func (p Paper) Birth(no string, now time.Time, zone *time.Location) (time.Time, bool) {
	if p == Passport {
		return time.Time{}, false
	}
	return Birth(no, now, zone)
}

// dayWithoutCentury accepts 29 February of any year that may be a leap year.
func dayWithoutCentury(yymmdd string) bool {
	_, a := time.Parse("20060102", "19"+yymmdd)
	_, b := time.Parse("20060102", "20"+yymmdd)
	return a == nil || b == nil
}
