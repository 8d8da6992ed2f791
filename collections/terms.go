package collections

import (
	"maps"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// termRow says how far the rows from before there were terms have theirs.
const termRow = "hospay_terms"

// TermMark is the last row of each sealed field that has its terms; the empty one
// is the end of the table.
type TermMark map[string]string

// Done reports whether every row has the terms of a field.
func (m TermMark) Done(table, field string) bool {
	last, begun := m[table+"."+field]
	return begun && last == ""
}

// After is the row behind which a field is to be gone on with.
func (m TermMark) After(table, field string) string { return m[table+"."+field] }

// With is the mark with another last row of a field.
func (m TermMark) With(table, field, last string) TermMark {
	out := maps.Clone(m)
	out[table+"."+field] = last
	return out
}

// ReadTermMark tells how far the terms are.
func ReadTermMark(db dbx.Builder) (TermMark, error) {
	m := TermMark{}
	_, err := readParam(db, termRow, &m)
	return m, err
}

// KeepTermMark remembers how far the terms are, in the transaction that made them.
func KeepTermMark(tx core.App, m TermMark) error { return writeParam(tx.DB(), termRow, m, Now(tx)) }
