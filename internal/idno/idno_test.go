package idno_test

import (
	"testing"
	"time"

	"hospay/internal/idno"
)

var zone = time.FixedZone("Asia/Shanghai", 8*3600)

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		" 44030019000101123x ": "44030019000101123X", "１１０１０５１９４９１２３１００２ｘ": "11010519491231002X", "110105491231002": "11010519491231002X",
		"E123": "E123", "": "",
	} {
		if got := idno.Normalize(in); got != want {
			t.Errorf("%q → %q, want %q", in, got, want)
		}
	}
}

func TestBirth_OnlyOfRealNumbers(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, zone)
	with := func(body string) string { return body + idno.Checksum(body) }
	for _, c := range []struct {
		name, no string
		ok       bool
	}{
		{"正确", with("11010119900307123"), true},
		{"今天出生", with("11010120260302123"), true},
		{"明天出生", with("11010120260303123"), false},
		{"二月三十日", with("11010119900230123"), false},
		{"平年二月二十九日", with("11010119910229123"), false},
		{"闰年二月二十九日", with("11010119920229123"), true},
		{"十三月", with("11010119901307123"), false},
		{"十九世纪", with("11010118990307123"), false},
		{"少一位", "1101011990030712", false},
		{"字母", "1101011990030712AB", false},
		{"中文", "身份证号", false},
		{"空", "", false},
	} {
		if _, ok := idno.Birth(c.no, now, zone); ok != c.ok {
			t.Errorf("%s %s: %v", c.name, c.no, ok)
		}
	}
	good := with("11010119900307123")
	for _, last := range "0123456789X" {
		no := good[:17] + string(last)
		if _, ok := idno.Birth(no, now, zone); ok != (no == good) {
			t.Errorf("checksum %c: %v", last, ok)
		}
	}
}

func TestAge_CountsBirthdays(t *testing.T) {
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, zone) }
	for _, c := range []struct {
		birth, now time.Time
		want       int
	}{
		{day(2008, 3, 2), day(2026, 3, 1), 17}, {day(2008, 3, 2), day(2026, 3, 2), 18}, {day(2008, 3, 2), day(2026, 3, 3), 18},
		{day(2008, 2, 29), day(2026, 2, 28), 17}, {day(2008, 2, 29), day(2026, 3, 1), 18}, {day(2026, 3, 2), day(2026, 3, 2), 0},
	} {
		if got := idno.Age(c.birth, c.now); got != c.want {
			t.Errorf("born %s, %s: %d, want %d", c.birth.Format(time.DateOnly), c.now.Format(time.DateOnly), got, c.want)
		}
	}
}
