package vault

import (
	"strings"
	"unicode/utf8"
)

// MaskName keeps the first character: 张*.
func MaskName(s string) string {
	r := []rune(strings.TrimSpace(s))
	if len(r) == 0 {
		return ""
	}
	return string(r[0]) + strings.Repeat("*", min(max(len(r)-1, 1), 3))
}

// MaskIDNo keeps the first three and the last four characters.
func MaskIDNo(s string) string { return keepEnds(s, 3, 4) }

// MaskPhone keeps three digits at the start and four at the end.
func MaskPhone(s string) string { return keepEnds(s, 3, 4) }

// MaskAccount masks a payee account: an e-mail keeps two letters and its
// domain, anything else three characters at the start and four at the end.
func MaskAccount(s string) string {
	if user, domain, ok := strings.Cut(s, "@"); ok {
		return keepEnds(user, 2, 0) + "@" + domain
	}
	return keepEnds(s, 3, 4)
}

func keepEnds(s string, head, tail int) string {
	n := utf8.RuneCountInString(s)
	if n == 0 {
		return ""
	}
	if n <= head+tail {
		return strings.Repeat("*", n)
	}
	r := []rune(s)
	return string(r[:head]) + strings.Repeat("*", n-head-tail) + string(r[n-tail:])
}

// NormalizeIDNo brings a resident ID number into its one form: no blanks, ASCII
// digits, capital X, eighteen digits.
func NormalizeIDNo(s string) string {
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
	if len(t) == 15 && strings.Trim(t, "0123456789") == "" {
		t = t[:6] + "19" + t[6:]
		t += IDChecksum(t)
	}
	return t
}

// IDChecksum is the last character of a resident ID number whose first
// seventeen digits are given (GB 11643).
func IDChecksum(first17 string) string {
	weights := []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	if len(first17) != len(weights) {
		return ""
	}
	sum := 0
	for i, w := range weights {
		sum += int(first17[i]-'0') * w
	}
	return string("10X98765432"[sum%11])
}
