package people

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// SameName reports whether two real names are one, however they were typed. It
// is the only rule of names: pages hold it too (web/shared/names.ts), with the
// same table of cases. Nothing is equal to an empty name, and the order of a
// foreigner's names is not guessed.
func SameName(a, b string) bool {
	a, b = NameKey(a), NameKey(b)
	return a != "" && a == b
}

// WrittenName is a name as it leaves us, to the channels and on forms: plain
// characters, one middle dot (U+00B7, as on identity cards) without blanks
// around it, no blanks between Chinese characters and one between others.
func WrittenName(s string) string {
	s = norm.NFKC.String(strings.Map(dotOrMark, s))
	return norm.NFC.String(closeUp(strings.Map(dotOrMark, s)))
}

// NameForm reports whether a written name can be one: letters of any script,
// the marks that names have, digits and brackets, as hospitals tell newborn and
// namesakes apart, and nothing that a program could take for its own.
func NameForm(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.Nd) && !strings.ContainsRune("·'- ()", r)
	}) < 0
}

// NameKey is what all writings of one name have in common.
func NameKey(s string) string { return WrittenName(strings.ToUpper(WrittenName(s))) }

// marks are the characters of names that keyboards, fonts and programs write in
// several ways.
var marks = map[rune]string{
	'·':  ".。·•∙⋅・･‧․﹒．｡●᛫⸱ꞏ˙⸳◦",
	'\'': "’‘ʼ＇`´",
	'-':  "‐‑‒–—－",
}

var written = func() map[rune]rune {
	out := map[rune]rune{}
	for ours, theirs := range marks {
		for _, r := range theirs {
			out[r] = ours
		}
	}
	return out
}()

// dotOrMark gives a mark its one form and drops what has no width: joiners,
// directions, selectors of a glyph.
func dotOrMark(r rune) rune {
	if ours, ok := written[r]; ok {
		return ours
	}
	if unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) {
		return -1
	}
	return r
}

// closeUp leaves one blank between words of letters and none elsewhere.
func closeUp(s string) string {
	var b strings.Builder
	last, blank := rune(0), false
	for _, r := range s {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			blank = last != 0
			continue
		}
		if blank && spaced(last) && spaced(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		last, blank = r, false
	}
	return b.String()
}

func spaced(r rune) bool { return r != '·' && !unicode.Is(unicode.Han, r) }
