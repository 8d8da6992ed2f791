package vault

import (
	"strings"
	"unicode/utf8"
)

// MaskName keeps the first character: 张*. Blanks are no part of a name.
func MaskName(s string) string {
	r := []rune(strings.Join(strings.Fields(s), ""))
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
