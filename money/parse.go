package money

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Errors of Parse and Add.
var (
	ErrSyntax   = errors.New("money: not an amount in yuan")
	ErrPrecise  = errors.New("money: more than two decimals")
	ErrOverflow = errors.New("money: amount out of range")
)

// Parse is the one reader of amounts: it reads yuan as people, spreadsheets,
// databases and programs write them, and returns fen. Beside "12", "12.3" and
// "1,234.50" it knows the sign in front, behind and as brackets, ¥ and 元,
// full-width characters, Oracle's ".85", Java's "1.0E7", and the noise of
// binary fractions ("29.990000000000002"). Where digits could mean two amounts
// it reads none.
func Parse(s string) (Fen, error) { return parse(s, Max) }

// ParseTotal reads what many amounts come to: as Parse does, up to MaxTotal.
func ParseTotal(s string) (Fen, error) { return parse(s, MaxTotal) }

func parse(s string, most Fen) (Fen, error) {
	if v, ok := plain(s); ok {
		return v, nil
	}
	text, neg, ok := unsign(halfWidth(strings.TrimSpace(s)))
	if !ok {
		return 0, fmt.Errorf("%w: %q", ErrSyntax, clip(s))
	}
	v, err := number(text, most)
	if err != nil {
		return 0, fmt.Errorf("%w: %q", err, clip(s))
	}
	if neg {
		v = -v
	}
	return v, nil
}

// plain reads digits with two decimals and perhaps a minus, as nearly all
// amounts are written.
func plain(s string) (v Fen, ok bool) {
	if len(s) > 1 && s[0] == '-' {
		v, ok = plain(s[1:])
		return -v, ok && s[1] != '-'
	}
	dot := len(s) - 3
	if dot < 1 || dot > 9 || s[dot] != '.' {
		return 0, false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == dot:
		case c < '0' || c > '9':
			return 0, false
		default:
			v = v*10 + Fen(c-'0')
		}
	}
	return v, true
}

// halfWidth turns full-width characters and foreign blanks into plain ones.
func halfWidth(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - 0xfee0
		case r == '\u3000', r == '\u00a0', r == '\u202f', r == '\u2007':
			return ' '
		case r == '−', r == '–', r == '﹣':
			return '-'
		case r == '￥':
			return '¥'
		}
		return r
	}, s))
}

var currencies = []string{"¥", "CNY", "RMB", "人民币"}

// unsign takes sign and currency off: each at most once.
func unsign(s string) (text string, neg, ok bool) {
	signed, named := false, false
	if strings.HasPrefix(s, "(") && strings.HasSuffix(s, ")") {
		s, signed, neg = strings.TrimSpace(s[1:len(s)-1]), true, true
	}
	for s != "" {
		before := s
		switch {
		case !signed && (s[0] == '-' || s[0] == '+'):
			signed, neg, s = true, s[0] == '-', s[1:]
		case !signed && s[len(s)-1] == '-':
			signed, neg, s = true, true, s[:len(s)-1]
		case !named:
			s, named = uncurrency(s)
		}
		if s = strings.TrimSpace(s); s == before {
			break
		}
	}
	return s, neg, s != ""
}

func uncurrency(s string) (string, bool) {
	for _, c := range currencies {
		if rest, ok := strings.CutPrefix(s, c); ok {
			return strings.TrimSuffix(rest, "元"), true
		}
		if rest, ok := strings.CutSuffix(s, c); ok {
			return rest, true
		}
	}
	return strings.CutSuffix(s, "元")
}

// number reads digits with groups, decimals and an exponent.
func number(s string, most Fen) (Fen, error) {
	mantissa, exp, scientific := strings.Cut(strings.Replace(s, "e", "E", 1), "E")
	whole, frac, dot := strings.Cut(mantissa, ".")
	whole, ok := ungroup(whole, frac != "")
	if !ok || whole+frac == "" || !digits(whole) || !digits(frac) || dot && frac == "" {
		return 0, ErrSyntax
	}
	if scientific {
		n, err := strconv.Atoi(exp)
		if err != nil || n < -20 || n > 20 || len(whole)+len(frac) > 40 {
			return 0, ErrSyntax
		}
		whole, frac = shift(whole, frac, n)
	}
	whole, frac = strings.TrimLeft(whole, "0"), strings.TrimRight(frac, "0")
	up := Fen(0)
	if len(frac) > 2 {
		if up, ok = noise(whole, frac); !ok {
			return 0, ErrPrecise
		}
	}
	v, ok := toFen(whole, (frac + "00")[:2])
	if v += up; !ok || v > most {
		return 0, ErrOverflow
	}
	return v, nil
}

// shift moves the decimal point n places to the right.
func shift(whole, frac string, n int) (string, string) {
	for ; n > 0; n-- {
		if frac == "" {
			frac = "0"
		}
		whole, frac = whole+frac[:1], frac[1:]
	}
	for ; n < 0; n++ {
		if whole == "" {
			whole = "0"
		}
		whole, frac = whole[:len(whole)-1], whole[len(whole)-1:]+frac
	}
	return whole, frac
}

// noise reports whether the decimals behind the second are what is left of a
// binary fraction: as far as a double tells the truth, only zeros or only
// nines. Nines mean one fen more.
func noise(whole, frac string) (up Fen, ok bool) {
	if len(frac) < 10 && len(whole)+len(frac) < 16 {
		return 0, false
	}
	tail := frac[2:min(len(frac), 9, max(2, 15-len(whole)))]
	switch {
	case len(tail) < 3:
		return 0, false
	case strings.Trim(tail, "0") == "":
		return 0, true
	case strings.Trim(tail, "9") == "":
		return 1, true
	}
	return 0, false
}

func toFen(whole, frac string) (Fen, bool) {
	var v uint64
	for _, c := range whole + frac {
		v = v*10 + uint64(c-'0')
		if v > math.MaxInt64/100 {
			return 0, false
		}
	}
	return Fen(v), true
}

// ungroup removes thousands separators. Those that do not stand every three
// digits are separators, too, when a decimal point follows: they cannot be one.
func ungroup(s string, decimals bool) (string, bool) {
	if !strings.Contains(s, ",") {
		return s, true
	}
	parts := strings.Split(s, ",")
	for i, p := range parts {
		if p == "" || !decimals && (i > 0 && len(p) != 3 || len(p) > 3) {
			return "", false
		}
	}
	return strings.Join(parts, ""), true
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
