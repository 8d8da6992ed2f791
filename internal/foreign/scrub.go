package foreign

import (
	"regexp"
	"strings"
)

// maxWords is how much of the other side's text is kept.
const maxWords = 120

// opaque finds what may be an account, a phone, an ID number, an e-mail or a
// number of ours: long runs with a digit, and everything around an @.
var opaque = regexp.MustCompile(`[0-9A-Za-z._\-|*=+/%]*@[0-9A-Za-z._\-]*|[0-9A-Za-z_\-|*+/=]{6,}`)

// Scrub makes the other side's words fit for records and staff: known private
// texts and anything that looks like an account are masked, echoed signing
// strings are cut off, and the rest is kept to one short line.
func Scrub(text string, private ...string) string {
	for _, p := range private {
		if p != "" {
			text = strings.ReplaceAll(text, p, "***")
		}
	}
	if i := strings.Index(text, "验签字符串"); i >= 0 {
		text = text[:i]
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	text = opaque.ReplaceAllStringFunc(text, func(s string) string {
		if strings.ContainsAny(s, "0123456789@") {
			return "***"
		}
		return s
	})
	if r := []rune(text); len(r) > maxWords {
		text = string(r[:maxWords]) + "…"
	}
	return text
}
