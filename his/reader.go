package his

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"hospay/flow"
	"hospay/money"
)

// reader takes the fields of one row. What the HIS tells and nobody can read is
// named and stays empty; it never repeats the text.
type reader struct {
	e      *Engine
	doc    Document
	fields map[string]string
	values map[string]string
	unread []string
}

func (e *Engine) reader(doc Document, fields, values map[string]string) *reader {
	return &reader{e: e, doc: doc, fields: fields, values: values}
}

func (r *reader) raw(name string) string { return pick(r.doc, r.fields[name]) }

// mapped reports whether the mapping promises a field.
func (r *reader) mapped(name string) bool { return r.fields[name] != "" }

func (r *reader) note(name, why string) { r.unread = append(r.unread, name+": "+why) }

// failed reports whether one of the fields could not be read.
func (r *reader) failed(names ...string) bool {
	return slices.ContainsFunc(r.unread, func(u string) bool {
		name, _, _ := strings.Cut(u, ":")
		return slices.Contains(names, name)
	})
}

// maxText is more than a patient reads.
const maxText = 200

// text is for people: short, and on one line.
func (r *reader) text(name string) string {
	s := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, r.raw(name))
	if long := []rune(s); len(long) > maxText {
		s = string(long[:maxText])
	}
	return strings.TrimSpace(s)
}

// number is a number or code of the other side.
func (r *reader) number(name string) string {
	s := r.raw(name)
	if len(s) > 64 || broken(s) || strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) || unicode.IsSpace(c) }) {
		r.note(name, "is no number or code")
		return ""
	}
	return s
}

// must is a number that has to be there.
func (r *reader) must(name string) string {
	s := r.number(name)
	if s == "" && !r.failed(name) {
		r.note(name, "is missing")
	}
	return s
}

// fen is an amount; told is false where there is none. A mapped amount is
// promised.
func (r *reader) fen(name string) (f money.Fen, told bool) {
	if !r.mapped(name) {
		return 0, false
	}
	text := r.raw(name)
	f, err := r.e.mapping.readAmount(text)
	switch {
	case text == "":
		r.note(name, "is missing")
		return 0, false
	case err != nil:
		r.note(name, err.Error())
		return 0, false
	}
	return f, true
}

// time is a moment that can be true: not before this century, and not later
// than ahead from now.
func (r *reader) time(name string, ahead time.Duration) time.Time {
	at, err := r.e.mapping.readTime(r.raw(name))
	if err == nil && !at.IsZero() && !flow.Plausible(at, r.e.now().Add(ahead-day)) {
		at, err = time.Time{}, errors.New("time cannot be true")
	}
	if err != nil {
		r.note(name, err.Error())
	}
	return at
}

const day = 24 * time.Hour

// word is one of ours: by the mapping under "field=word" or the word alone, else
// by the words that everybody writes.
func (r *reader) word(name string, known map[string]string) (string, bool) {
	told := r.raw(name)
	w, ok := r.values[name+"="+told]
	if !ok {
		w, ok = r.values[told]
	}
	if !ok {
		w, ok = known[strings.ToLower(told)]
	}
	if ok && known[w] == w {
		return w, true
	}
	return "", false
}

// Words that everybody writes. Each of ours stands for itself.
var (
	yesWords = map[string]string{"yes": "yes", "no": "no", "1": "yes", "true": "yes", "y": "yes", "是": "yes",
		"0": "no", "false": "no", "n": "no", "否": "no"}
	kindWords = map[string]string{"registration": "registration", "outpatient": "outpatient", "挂号": "registration", "门诊": "outpatient",
		"门诊缴费": "outpatient"}
	billWords  = map[string]string{"open": "open", "paid": "paid", "gone": "gone"}
	stateWords = map[string]string{"valid": "valid", "paused": "paused", "ended": "ended", "none": "none", // psn_insu_stas
		"1": "valid", "2": "paused", "3": "ended", "0": "none"}
)

// yes is a flag; a word that nobody knows is a no, and told.
func (r *reader) yes(name string, unmapped bool) bool {
	if !r.mapped(name) {
		return unmapped
	}
	w, ok := r.word(name, yesWords)
	if !ok {
		r.note(name, "is a word that is not listed")
	}
	return w == "yes"
}

var decimalForm = regexp.MustCompile(`^[0-9]{0,12}(\.[0-9]{0,20})?$`)

// decimal is a count, with at most six decimals.
func (r *reader) decimal(name string) string { return r.scaled(name, 0) }

// price is yuan with at most six decimals; the HIS tells it in its unit.
func (r *reader) price(name string) string {
	if r.e.mapping.Unit == "fen" {
		return r.scaled(name, 2)
	}
	return r.scaled(name, 0)
}

// scaled is a number divided by a power of ten.
func (r *reader) scaled(name string, down int) string {
	text := r.raw(name)
	if text == "" {
		return ""
	}
	if !decimalForm.MatchString(text) || !strings.ContainsAny(text, "0123456789") {
		r.note(name, "is no number")
		return ""
	}
	whole, fraction, _ := strings.Cut(text, ".")
	digits, _ := new(big.Int).SetString("0"+whole+fraction, 10)
	rat := new(big.Rat).SetFrac(digits, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(fraction)+down)), nil))
	out := rat.FloatString(6)
	return strings.TrimSuffix(strings.TrimRight(out, "0"), ".")
}

// count is a whole number from 0 on.
func (r *reader) count(name string) int {
	text := r.raw(name)
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		r.note(name, "is no whole number")
		return 0
	}
	return n
}

// rows are a list inside of an answer; a mapped one is promised.
func (r *reader) rows(name string, lists map[string]Rows) ([]*reader, bool) {
	l, ok := lists[name]
	if !ok {
		return nil, false
	}
	found, ok := r.doc.List(l.List)
	if !ok {
		r.note(name, "has no list where the mapping says")
		return nil, false
	}
	out := make([]*reader, 0, len(found))
	for _, row := range found {
		out = append(out, r.e.reader(row, l.Fields, l.Values))
	}
	return out, true
}

// take notes what could not be read in the row of a list.
func (r *reader) take(name string, i int, row *reader) bool {
	for _, u := range row.unread {
		r.note(name, fmt.Sprintf("%d: %s", i+1, u))
	}
	return len(row.unread) == 0
}
