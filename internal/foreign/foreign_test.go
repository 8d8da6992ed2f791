package foreign_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"hospay/internal/foreign"

	"golang.org/x/text/encoding/simplifiedchinese"
)

var beijing = time.FixedZone("", 8*3600)

func unix(s string) int64 {
	t, err := time.ParseInLocation(time.DateTime, s, beijing)
	if err != nil {
		panic(err)
	}
	return t.Unix()
}

func TestTime_AsOthersWriteIt(t *testing.T) {
	for want, forms := range map[string][]string{
		"2026-11-23 10:00:00": {
			"2026-11-23 10:00:00", "2026/11/23 10:00:00", "2026.11.23 10:00:00", "2026-11-23T10:00:00", "2026-11-23T10:00:00.000",
			"2026-11-23 10:00:00.123456", "2026-11-23 10:00:00,5",
			"2026/11/23 10:00", "2026-11-23 10:0:0", "２０２６－１１－２３　１０：００：００", "2026-11-23 10：00：00", "  2026-11-23   10:00:00 ",
			"2026年11月23日 10时00分00秒", "2026年11月23日10时00分", "2026年11月23日 10:00:00", "2026年11月23日 上午10时", "2026年11月23日 10点", "2026-11-23 10.00.00",
			"2026/11/23 上午 10:00:00", "2026-11-23 上午10:00", "2026-11-23 10:00:00 AM", "2026/11/23 10:00:00 上午", "2026/11/23 星期一 10:00:00",
			"2026-11-23 早上10:00",
			"20261123100000", "202611231000", "20261123100000000", "20261123 100000", "20261123 10:00:00", "20261123T100000", "20261123T100000+0800",
			"2026-11-23T02:00:00Z", "2026-11-23T10:00:00+08:00", "2026-11-23T02:00:00.000+0000", "2026-11-23 10:00:00 +0800",
			"2026-11-22T21:00:00-05:00", "2026-11-23 10:00:00 CST",
			"1795399200", "1795399200000", "/Date(1795399200000)/", "/Date(1795399200000+0800)/",
			"Mon Nov 23 10:00:00 CST 2026", "Mon Nov 23 02:00:00 GMT 2026", "Mon, 23 Nov 2026 02:00:00 GMT", "11/23/2026 10:00:00 AM",
			"Nov 23 2026 10:00AM", "Nov 23, 2026 10:00:00 AM",
			"23-NOV-26 10.00.00.000000 AM", "23-11月-26 10.00.00.000000000 上午", "23-11月-2026 10:00:00", "46349.4166666667",
		},
		"2026-11-23 22:05:09": {"2026/11/23 下午 10:05:09", "2026-11-23 10:05:09 PM", "2026-11-23 下午 22:05:09", "2026-11-23 晚上10:05:09",
			"Nov 23 2026 10:05:09PM"},
		"2026-11-23 12:00:00": {"2026-11-23", "2026/11/23", "2026年11月23日", "20261123", "46349", "23-NOV-26", "23-11月-26", "2026-11-23 中午12:00",
			"2026-11-23 12:00:00 PM", "2026.11.23"},
		"2026-11-23 00:00:00": {"2026-11-23 00:00:00", "2026-11-23 12:00:00 AM", "2026/11/23 0:00", "2026/11/23 上午 12:00:00",
			"2026-11-23T00:00:00"},
		"2026-01-02 03:04:05": {"2026-1-2 3:4:5", "2026/1/2 3:04:05", "Jan  2 2026  3:04:05AM"},
	} {
		for _, s := range forms {
			m, err := foreign.Time(s)
			if err != nil || m.Unix != unix(want) {
				t.Errorf("%q: %s, %v; want %s", s, time.Unix(m.Unix, 0).In(beijing), err, want)
			}
			if day := want == "2026-11-23 12:00:00" && !strings.Contains(s, "12:"); m.Day != day {
				t.Errorf("%q: a date alone: %v", s, m.Day)
			}
		}
	}
}

func TestTime_WhatIsNone(t *testing.T) {
	for want, forms := range map[error][]string{
		foreign.ErrNoTime: {"", "  ", "0001-01-01 00:00:00", "0001-01-01T00:00:00", "0001-01-01 08:05:43", "1900-01-01", "1899-12-30 00:00:00",
			"1970-01-01 08:00:00", "9999-12-31 23:59:59", "/Date(-62135596800000)/", "0", "0000-00-00 00:00:00"},
		foreign.ErrTime: {"now", "昨天", "2026-13-01 00:00:00", "2026-02-30", "1.5", "999999", "2026-11-23 24:00:00", "2026-11-23 25:00",
			"99999-01-01", "23/11/2026 10:00:00", "2026112310", "2026-11-23 上午 下午 1:00",
			"2026-11-23 13:00 上午", "2099-99-99", "12345678901234567890", "/Date(x)/", "2026-11-23 10:00:00 +99:00", "-5", "1e9", "NaN", "Infinity"},
		foreign.ErrNoDate: {"10:00", "１０：００", "上午10:00", "10时05分"},
	} {
		for _, s := range forms {
			if m, err := foreign.Time(s); !errors.Is(err, want) {
				t.Errorf("%q: %+v, %v; want %v", s, m, err, want)
			}
		}
	}
	if m, _ := foreign.Time("10:05:01"); m.Seconds != 36301 {
		t.Errorf("%+v", m)
	}
}

func TestTimeAs_TheLayoutComesFirst(t *testing.T) {
	for _, s := range []string{"05/11/2026 10:00", "2026-11-05 10:00:00", "20261105100000"} {
		if m, err := foreign.TimeAs("02/01/2006 15:04", s); err != nil || m.Unix != unix("2026-11-05 10:00:00") {
			t.Errorf("%q: %+v, %v", s, m, err)
		}
	}
	if m, err := foreign.TimeAs("02/01/2006 15:04", "01/01/0001 00:00"); err == nil {
		t.Errorf("%+v", m)
	}
}

// TestTime_PlainIsPackageTime compares with package time.
func TestTime_PlainIsPackageTime(t *testing.T) {
	for d := time.Date(2000, 1, 1, 7, 8, 9, 0, beijing); d.Year() < 2105; d = d.Add(37*time.Hour + 11*time.Second) {
		for _, layout := range []string{time.DateTime, "2006/1/2 15:4:5", "20060102150405", time.RFC3339, "2006/01/02 03:04:05 PM",
			"02-Jan-06 03.04.05.000000 PM", time.RFC1123Z} {
			if layout[:2] == "02" && d.Year() > 2099 {
				continue
			}
			if m, err := foreign.Time(d.Format(layout)); err != nil || m.Unix != d.Unix() {
				t.Fatalf("%q: %+v, %v", d.Format(layout), m, err)
			}
		}
	}
}

func TestWords(t *testing.T) {
	for _, c := range []struct {
		kind     foreign.Kind
		in, want string
	}{
		{foreign.Status, "成功", "succeeded"}, {foreign.Status, "SUCCESS", "succeeded"}, {foreign.Status, "已退费", "succeeded"},
		{foreign.Status, "正常", "succeeded"}, {foreign.Status, " 成 功 ", "succeeded"},
		{foreign.Status, "退款成功(已到账)", "succeeded"}, {foreign.Status, "退款成功（已到账）", "succeeded"}, {foreign.Status, "退款成功(已撤销)", ""},
		{foreign.Status, "退款未成功", ""},
		{foreign.Status, "1", ""}, {foreign.Status, "", ""}, {foreign.Status, "完结", ""}, {foreign.Status, "作废", "failed"},
		{foreign.Status, "Processing", "pending"},
		{foreign.Channel, "WX", "wechat"}, {foreign.Channel, "微信小程序", "wechat"}, {foreign.Channel, "微信支付-公众号", "wechat"},
		{foreign.Channel, "支付宝生活号", "alipay"}, {foreign.Channel, "ＷＸ", "wechat"},
		{foreign.Channel, "微信或支付宝", ""}, {foreign.Channel, "非微信", ""}, {foreign.Channel, "现金", "cash"}, {foreign.Channel, "POS", "银行卡"},
		{foreign.Channel, "甲乙", ""},
		{foreign.Method, "微信转账", "transfer"}, {foreign.Method, "原路返回", "original"}, {foreign.Method, "非原路退", ""}, {foreign.Method, "原路转账", ""},
		{foreign.Method, "ZZT", ""}, {foreign.Method, "微信原路退", "original"},
	} {
		if got, ok := (*foreign.Words)(nil).Word(c.kind, c.in); got != c.want || ok != (c.want != "") {
			t.Errorf("%d %q: %q %v, want %q", c.kind, c.in, got, ok, c.want)
		}
	}
	own := &foreign.Words{}
	if !own.Add("ZZT", "转账退") || !own.Add("1", "成功") || !own.Add("甲乙", "银行卡") || own.Add("x", "没有这个词") || own.Add("", "成功") {
		t.Error("words of the user")
	}
	for kind, s := range map[foreign.Kind]string{foreign.Method: "zzt", foreign.Status: "1", foreign.Channel: "甲乙"} {
		if _, ok := own.Word(kind, s); !ok {
			t.Errorf("%q is not known", s)
		}
	}
	if _, ok := own.Word(foreign.Channel, "1"); ok {
		t.Error("a state is no channel")
	}
}

// TestGB_EveryCodeBothWays: no valid code of two bytes is lost, and what is
// decoded is encoded as it was.
func TestGB_EveryCodeBothWays(t *testing.T) {
	seen := map[rune]bool{}
	for lead := 0x81; lead <= 0xfe; lead++ {
		for trail := 0x40; trail <= 0xfe; trail++ {
			if trail == 0x7f {
				continue
			}
			in := []byte{byte(lead), byte(trail)}
			text, whole := foreign.DecodeGB(in)
			r, n := utf8.DecodeRuneInString(text)
			if !whole || n != len(text) || r == utf8.RuneError {
				t.Fatalf("%x is lost: %q", in, text)
			}
			if seen[r] && r != '\u3000' {
				t.Errorf("%x is %U again", in, r)
			}
			seen[r] = true
			if out, ok := foreign.EncodeGB(text, false); !ok || string(out) != string(in) && r != '\u3000' {
				t.Errorf("%x is %U, and back %x", in, r, out)
			}
		}
	}
	for code, want := range map[string]rune{"\xaa\xa1": 0xe000, "\xaf\xfe": 0xe233, "\xf8\xa1": 0xe234, "\xfe\xfe": 0xe4c5, "\xa1\x40": 0xe4c6,
		"\xa7\xa0": 0xe765, "\xfe\x59": 0x9fb4, "\xfe\x61": 0x9fb5, "\xa6\xd9": 0xfe10} {
		if text, _ := foreign.DecodeGB([]byte("张" + code)[:0]); text != "" {
			t.Error(text)
		}
		if text, _ := foreign.DecodeGB([]byte("a" + code + "b")); text != "a"+string(want)+"b" {
			t.Errorf("%x: %q", code, text)
		}
	}
}

func TestGB_BrokenBytesAreMarkedAlone(t *testing.T) {
	good, _ := simplifiedchinese.GB18030.NewEncoder().String("张𠮷三")
	for _, c := range []struct{ in, want string }{
		{good + "\xff" + good, "张𠮷三\ufffd张𠮷三"}, {"<" + good + "\x81<", "<张𠮷三\ufffd<"}, {good + "\xd5", "张𠮷三\ufffd"},
		{"\xaa\xa1" + good + "\x80", "\ue000张𠮷三\ufffd"},
	} {
		if text, whole := foreign.DecodeGB([]byte(c.in)); whole || text != c.want {
			t.Errorf("%x: %q %v, want %q", c.in, text, whole, c.want)
		}
	}
	for _, s := range []string{"张\ufffd", "a\xff"} {
		if out, ok := foreign.EncodeGB(s, false); ok {
			t.Errorf("%q became %x", s, out)
		}
	}
	if _, ok := foreign.EncodeGB("𠮷", true); ok {
		t.Error("GBK has no 𠮷")
	}
	if out, ok := foreign.EncodeGB("张\ue000", true); !ok || string(out) != "\xd5\xc5\xaa\xa1" {
		t.Errorf("%x %v", out, ok)
	}
}

func FuzzTime(f *testing.F) {
	for _, s := range []string{"2026-11-23 09:05:00", "2026/1/2 3:4", "46349.5", "2026年1月2日 上午10时", "2026-11-23T01:05:00Z",
		"/Date(1795399200000+0800)/", "23-11月-26 10.00.00 上午", "Mon Nov 23 10:00:00 CST 2026", "20261123100000", "１０：００"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := foreign.Time(s)
		if err != nil {
			return
		}
		at := time.Unix(m.Unix, 0).In(beijing)
		if y := at.Year(); y < 1999 || y > 2200 {
			t.Fatalf("%q is in %d", s, y)
		}
		if again, err := foreign.Time(at.Format(time.DateTime)); at.Year() >= 2000 && at.Year() < 2200 && (err != nil || again.Unix != m.Unix) {
			t.Fatalf("%q is %s, read again %+v, %v", s, at, again, err)
		}
	})
}

func FuzzGB(f *testing.F) {
	f.Add([]byte("\xaa\xa1\xd5\xc5\x81<\x84\x31\xa4\x37"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text, whole := foreign.DecodeGB(data)
		if !utf8.ValidString(text) || whole == strings.ContainsRune(text, utf8.RuneError) {
			t.Fatalf("%x: %q %v", data, text, whole)
		}
		if !whole {
			return
		}
		out, ok := foreign.EncodeGB(text, false)
		if !ok {
			t.Fatalf("%x: %q goes in but not out", data, text)
		}
		if again, _ := foreign.DecodeGB(out); again != text {
			t.Fatalf("%x: %q becomes %q", data, text, again)
		}
	})
}

func FuzzWord(f *testing.F) {
	f.Add("退款成功(已到账)")
	f.Add("微信支付-公众号")
	f.Fuzz(func(t *testing.T, s string) {
		for _, kind := range []foreign.Kind{foreign.Status, foreign.Method, foreign.Channel} {
			got, ok := (*foreign.Words)(nil).Word(kind, s)
			if again, known := (*foreign.Words)(nil).Word(kind, got); ok && (!known || again != got) {
				t.Fatalf("%q is %q, and that is %q", s, got, again)
			}
		}
	})
}
