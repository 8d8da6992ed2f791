// Package idno reads resident ID numbers (居民身份证号, GB 11643): their one
// form, their checksum, the birthday in them. It knows nobody and stores
// nothing.
package idno

import (
	"strings"
	"time"
)

// Length is the number of characters of a resident ID number.
const Length = 18

// Normalize brings a resident ID number into its one form: no blanks, ASCII
// digits, capital X, eighteen digits.
func Normalize(s string) string {
	var b strings.Builder
	for _, c := range strings.TrimSpace(s) {
		switch {
		case c >= '０' && c <= '９':
			c = '0' + c - '０'
		case c == 'x' || c == 'ｘ' || c == 'Ｘ':
			c = 'X'
		case c == ' ' || c == '\u3000':
			continue
		}
		b.WriteRune(c)
	}
	t := b.String()
	if len(t) == 15 && digits(t) {
		t = t[:6] + "19" + t[6:]
		t += Checksum(t)
	}
	return t
}

// Checksum is the last character of a resident ID number whose first seventeen
// digits are given; "" when they are not seventeen digits.
func Checksum(first17 string) string {
	weights := []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	if len(first17) != len(weights) || !digits(first17) {
		return ""
	}
	sum := 0
	for i, w := range weights {
		sum += int(first17[i]-'0') * w
	}
	return string("10X98765432"[sum%11])
}

// Birth returns the birthday in a number in its one form, in zone, and whether
// the number is one: eighteen characters, the right checksum, a day that
// exists, neither before 1900 nor after now.
func Birth(no string, now time.Time, zone *time.Location) (time.Time, bool) {
	if len(no) != Length || Checksum(no[:Length-1]) != no[Length-1:] {
		return time.Time{}, false
	}
	day, err := time.ParseInLocation("20060102", no[6:14], zone)
	if err != nil || day.Year() < 1900 || day.After(now) {
		return time.Time{}, false
	}
	return day, true
}

// Age is the number of birthdays since birth; who is born on 29 February has
// it on 1 March of other years.
func Age(birth, now time.Time) int {
	now = now.In(birth.Location())
	age := now.Year() - birth.Year()
	if now.Month() < birth.Month() || (now.Month() == birth.Month() && now.Day() < birth.Day()) {
		age--
	}
	return age
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }
