package store_test

import (
	"strings"
	"testing"

	"hospay/store"
)

// TestWalk_EveryColumnHasItsField: a column without a field is told, and nothing of a
// row is left over in the next one.
func TestWalk_EveryColumnHasItsField(t *testing.T) {
	app, _ := bare(t)
	type pair struct {
		A string `db:"a"`
		B bool   `db:"b"`
		C int    `db:"c"`
	}
	read := func(sql string) (out []pair, err error) {
		rows, err := app.ConcurrentDB().NewQuery(sql).Rows()
		if err != nil {
			t.Fatal(err)
		}
		return out, store.Walk(rows, func(p pair) error {
			out = append(out, p)
			return nil
		})
	}
	got, err := read("SELECT 1 AS b, 'x' AS a UNION ALL SELECT 0, ''")
	if err != nil || len(got) != 2 || got[0] != (pair{A: "x", B: true}) || got[1] != (pair{}) {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := read("SELECT 'x' AS a, 2 AS other"); err == nil || !strings.Contains(err.Error(), "other") {
		t.Errorf("%v", err)
	}
	if _, err := read("SELECT NULL AS c"); err == nil {
		t.Error("NULL became a number")
	}
}
