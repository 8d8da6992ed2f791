package flow

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// CodeTextInvalid is the refusal of a text that holds what nobody can see.
const CodeTextInvalid Code = "text_invalid"

// shortestText is the fewest letters, signs and digits that say something.
const shortestText = 2

// Required reads a text that somebody must give: a reason, a note, a name. It
// comes back trimmed. One that says nothing is refused with the code missing,
// one with control characters with CodeTextInvalid.
func Required(s string, missing Code) (string, error) {
	s, err := Optional(s)
	if err != nil {
		return "", err
	}
	says := 0
	for _, r := range s {
		if (unicode.IsLetter(r) || unicode.IsNumber(r)) && !unseen(r) {
			says++
		}
	}
	if says < shortestText {
		return "", NewError(missing, "")
	}
	return s, nil
}

// Optional reads a text that may be left out, trimmed; control characters are
// refused, but for the line breaks and tabs of people who write more.
func Optional(s string) (string, error) {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Noncharacter_Code_Point,
			r) {
			return "", NewError(CodeTextInvalid, "")
		}
	}
	if !utf8.ValidString(s) {
		return "", NewError(CodeTextInvalid, "")
	}
	return strings.TrimFunc(s, unseen), nil
}

// unseen are the characters that leave a text empty: blanks of all kinds, and
// letters that are drawn as blanks.
func unseen(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("\u115f\u1160\u3164\uffa0\u2800\u034f", r)
}
