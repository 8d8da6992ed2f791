package files

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"hospay/internal/foreign"
	"hospay/money"
)

// clean takes away what spreadsheets and channels put around a text: blanks,
// Alipay's tabs, WeChat's backtick, the apostrophe and the ="…" of Excel.
func clean(s string) string {
	if s == "" || plainByte(s[0]) && s[len(s)-1] > ' ' && s[len(s)-1] < utf8.RuneSelf {
		return s
	}
	s = trim(s)
	peeled := false
	if len(s) > 3 && strings.HasPrefix(s, `="`) && strings.HasSuffix(s, `"`) {
		s, peeled = s[2:len(s)-1], true
	}
	if s != "" && (s[0] == '`' || s[0] == '\'') {
		s, peeled = s[1:], true
	}
	if peeled {
		return trim(s)
	}
	return s
}

// plainByte reports whether nothing has to be taken away before a byte.
func plainByte(c byte) bool { return c > ' ' && c < utf8.RuneSelf && c != '=' && c != '`' && c != '\'' }

// trim takes blanks of all kinds off. The bytes at the ends nearly always show
// that there are none but plain ones.
func trim(s string) string {
	for s != "" && blank(s[0]) {
		s = s[1:]
	}
	for s != "" && blank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	if len(s) < 2 || !wide(s[:min(3, len(s))]) && !wide(s[max(0, len(s)-3):]) && !wide(s[len(s)-2:]) {
		return s
	}
	return strings.Trim(s, " \t\r\n\ufeff\u3000\u00a0")
}

// wide reports whether a text begins with one of the blanks of more bytes.
func wide(s string) bool {
	switch s[0] {
	case 0xc2:
		return s[1] == 0xa0
	case 0xe3:
		return strings.HasPrefix(s, "\u3000")
	case 0xef:
		return strings.HasPrefix(s, "\ufeff")
	}
	return false
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// headName is a column's name without what people put around and into it: the
// unit behind (收支金额(元)), stars, blanks and line breaks.
func headName(s string) string {
	s = strings.TrimLeft(clean(s), "*＊※ ")
	if i := strings.IndexAny(s, "(（[【*＊"); i > 0 {
		s = s[:i]
	}
	return strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '_' || r == '\u200b' || r == '\ufeff' {
			return -1
		}
		return r
	}, s))
}

// yuan reads an amount; the error is a Chinese reason.
func yuan(s string) (money.Fen, error) {
	f, err := money.Parse(s)
	return f, whyNot(s, err)
}

// total reads what a file says that its lines come to, which may be more than an
// amount.
func total(s string) (money.Fen, error) {
	f, err := money.ParseTotal(s)
	return f, whyNot(s, err)
}

func whyNot(s string, err error) error {
	switch {
	case err == nil:
		return nil
	case s == "":
		return errors.New("没有金额")
	case errors.Is(err, money.ErrPrecise):
		return fmt.Errorf("金额 %q 超过两位小数", clip(s))
	case errors.Is(err, money.ErrOverflow):
		return fmt.Errorf("金额 %q 大得不合常理", clip(s))
	}
	return fmt.Errorf("金额 %q 无法识别", clip(s))
}

// timeOf reads a time; the error is a Chinese reason.
func timeOf(s string) (foreign.Moment, error) {
	m, err := foreign.Time(s)
	switch {
	case err == nil:
		return m, nil
	case errors.Is(err, foreign.ErrNoDate):
		return m, errClock
	case s == "":
		return m, errors.New("没有时间")
	case errors.Is(err, foreign.ErrNoTime):
		return m, fmt.Errorf("时间 %q 是原系统没有时间时写的空值，请在原系统补上时间后重新导出", clip(s))
	}
	return m, fmt.Errorf("时间 %q 无法识别，应为 yyyy-MM-dd HH:mm:ss", clip(s))
}

// errClock says that a time has no date.
var errClock = errors.New("时间只有时刻，没有日期")

// number reads a number of an order, a bill or a card. One that Java wrote as
// 1.0000000123E10 has all its digits and is expanded.
func number(what, s string) (string, error) {
	if plainNumber(s) {
		return s, nil
	}
	if len(s) > 128 {
		return s, fmt.Errorf("%s过长", what)
	}
	for _, c := range s {
		if c == utf8.RuneError || unicode.IsControl(c) {
			return s, fmt.Errorf("%s %q 含有无法识别的字符", what, clip(s))
		}
	}
	i := strings.IndexAny(s, "eE")
	if i <= 0 || !strings.Contains(s[:i], ".") || strings.Trim(s[:i], "0123456789.") != "" || strings.Trim(s[i+1:], "0123456789+-") != "" {
		return s, nil
	}
	whole, ok := expand(s)
	if strings.Contains(s, "+") || !ok || len(whole) > sureDigits { // the plus is Excel's, which shows six digits; Java shows all
		return s, fmt.Errorf("%s %q 已被 Excel 变成科学计数，请把该列设为文本后重新导出", what, clip(s))
	}
	return whole, nil
}

// sureDigits are the digits that a cell of Excel holds exactly.
const sureDigits = 15

// expand writes a decimal number with an exponent without it, if it is whole.
func expand(s string) (string, bool) {
	mantissa, exp, _ := strings.Cut(strings.ToUpper(s), "E")
	n := 0
	if exp != "" {
		var err error
		if n, err = strconv.Atoi(exp); err != nil || n < -40 || n > 40 {
			return "", false
		}
	}
	whole, frac, _ := strings.Cut(mantissa, ".")
	if len(whole)+len(frac) > 60 {
		return "", false
	}
	for ; n > 0; n-- {
		if frac == "" {
			frac = "0"
		}
		whole, frac = whole+frac[:1], frac[1:]
	}
	if n < 0 || strings.Trim(frac, "0") != "" || strings.Trim(whole, "0123456789") != "" {
		return "", false
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	return whole, true
}

// plainNumber reports whether a number is nothing but letters and digits, as
// nearly all are.
func plainNumber(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(s) <= 128
}

// A cell of a workbook that must not be taken for what it shows begins with a
// NUL; the reason follows.
const spoilt = "\x00"

// stored is the text of a number that a workbook stores: whole numbers without
// exponent and decimals. Beyond fifteen digits the last ones are lost.
func stored(v string) string {
	whole, ok := expand(strings.TrimPrefix(v, "-"))
	switch {
	case !ok:
		return v
	case len(whole) > sureDigits:
		return spoilt + "“" + v + "”存成了数值，超过 15 位的数字已经丢失，请把该列设为文本后重新导出"
	case strings.HasPrefix(v, "-"):
		return "-" + whole
	}
	return whole
}

// spoiltCell names a column whose cell cannot be trusted.
func spoiltCell(column, cell string) error {
	if reason, ok := strings.CutPrefix(cell, spoilt); ok {
		return fmt.Errorf("%s%s", column, reason)
	}
	return nil
}

func clip(s string) string {
	if r := []rune(s); len(r) > 30 {
		return string(r[:30]) + "…"
	}
	return s
}
