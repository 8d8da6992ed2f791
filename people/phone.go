package people

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Phone brings a mobile number of the mainland, as people and programs write
// it, into its eleven digits, and reports whether it is one: +86, blanks, dashes
// and full-width digits do not count. What is none comes back as it was.
func Phone(s string) (string, bool) {
	n := strings.Map(func(r rune) rune {
		if r == ' ' || strings.ContainsRune("-()‐‑–—\t", r) {
			return -1
		}
		return r
	}, norm.NFKC.String(s))
	for _, country := range []string{"+86", "0086", "86"} {
		if rest, ok := strings.CutPrefix(n, country); ok && len(rest) == 11 {
			n = rest
		}
	}
	if len(n) != 11 || n[0] != '1' || strings.Trim(n, "0123456789") != "" {
		return strings.TrimSpace(s), false
	}
	return n, true
}
