package books

import (
	"fmt"
	"testing"

	"hospay/reconcile"

	"pgregory.net/rapid"
)

// TestRun_LinesAreSummedAsBefore: a day is run anew when its lines have changed,
// not because the program tells them in another way.
func TestRun_LinesAreSummedAsBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.Make[reconcile.Line]().Draw(t, "line")
		l.Status = reconcile.Status(rapid.IntRange(0, 3).Draw(t, "status"))
		if got, want := string(appendLine(nil, l)), fmt.Sprintf("%v", l); got != want {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}
