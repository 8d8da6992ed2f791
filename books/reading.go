package books

import (
	"strings"

	"hospay/internal/foreign"
	"hospay/reconcile/files"
)

// prefixes are the beginnings of an institution's own numbers, where others use
// its merchant account too; none = all numbers are its own.
func prefixes(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,，、;；\n\t", r) })
}

// table says how the institution's tables are read.
func (s settings) table() (files.Options, error) {
	words, err := foreign.ReadWords(s.Words)
	sign, _ := files.SignOf(s.HISSign)
	return files.Options{Words: words, Sign: sign}, err
}

// told is what the settings add to the inputs of a run; the usual ones add
// nothing.
func (s settings) told() string {
	if s.Prefixes == "" && s.Words == "" && (s.HISSign == "" || s.HISSign == "auto") {
		return ""
	}
	return strings.Join([]string{s.Prefixes, s.Words, s.HISSign}, "\n")
}
