package cmd

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// tape keeps what was said to a HIS and what it answered, and shows it to whoever
// works on a mapping, with people and keys masked.
type tape struct {
	show    bool     // of steps that succeed, too
	private []string // texts that are never shown
	heard   []spoken
}

type spoken struct {
	op             string
	sent, received string
	err            error
}

func (t *tape) hear(op string, sent, received []byte, err error) {
	t.heard = append(t.heard, spoken{op, t.mask(sent), t.mask(received), err})
}

// play writes what was heard since the last time.
func (t *tape) play(out io.Writer, ok bool) {
	for _, s := range t.heard {
		if ok && !t.show {
			continue
		}
		fmt.Fprintf(out, "    %s 发出：%s\n", s.op, s.sent)
		if s.received != "" {
			fmt.Fprintf(out, "    %s 收到：%s\n", s.op, s.received)
		}
		if s.err != nil {
			fmt.Fprintf(out, "    %s 没有可用的应答：%v\n", s.op, s.err)
		}
	}
	t.heard = nil
}

// mostSpoken is how much of a message is shown.
const mostSpoken = 1500

var (
	// personal are fields, by their names in JSON and XML, that tell who somebody is.
	personal = regexp.MustCompile(`(?i)("[^"]*(?:name|xm|addr|phone|tel|mobile|dz|id_?no|cert_?no|id_?card|sfz)[^"]*"\s*:\s*")([^"]+)`)
	elements = regexp.MustCompile(`(?i)(<[^<>/]*(?:name|xm|addr|phone|tel|mobile|dz|id_?no|cert_?no|id_?card|sfz)[^<>/]*>)([^<]+)`)
	numbers  = regexp.MustCompile(`[0-9]{9,}[0-9Xx]?`)
)

// mask makes a message fit to be shown: GBK becomes readable, people, keys and
// long numbers are covered.
func (t *tape) mask(message []byte) string {
	text := string(message)
	if !utf8.ValidString(text) {
		if readable, err := simplifiedchinese.GB18030.NewDecoder().String(text); err == nil {
			text = readable
		}
	}
	private := slices.DeleteFunc(slices.Clone(t.private), func(s string) bool { return len(s) < 2 })
	slices.SortFunc(private, func(a, b string) int { return len(b) - len(a) })
	for _, p := range private {
		text = strings.ReplaceAll(text, p, "***")
	}
	for _, field := range []*regexp.Regexp{personal, elements} {
		text = field.ReplaceAllStringFunc(text, func(s string) string {
			m := field.FindStringSubmatch(s)
			first, _ := utf8.DecodeRuneInString(m[2])
			return m[1] + string(first) + "**"
		})
	}
	text = numbers.ReplaceAllStringFunc(text, func(s string) string { return s[:2] + "***" + s[len(s)-2:] })
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > mostSpoken {
		text = string(r[:mostSpoken]) + "…（截断）"
	}
	return text
}
