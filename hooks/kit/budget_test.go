package kit

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

func TestBudgets_EachHasTheirOwn(t *testing.T) {
	var b Budgets
	two := Budget{Name: "two", Most: 2, Span: time.Minute}
	took := func(who string, at time.Duration) bool { return b.Take(two, who, noon.Add(at)) }
	for i, want := range []bool{true, true, false} {
		if took("a", 0) != want || !b.Left(two, "b", noon) {
			t.Errorf("%d", i)
		}
	}
	if b.Left(two, "a", noon) || took("a", time.Minute-1) || !took("a", time.Minute) {
		t.Error("the span of a minute")
	}
	if !b.Take(Budget{Name: "other", Most: 1, Span: time.Hour}, "a", noon) {
		t.Error("budgets are mixed up")
	}
	if took("c", 0); !took("c", 0) || took("c", 0) || !took("c", -24*time.Hour) {
		t.Error("a clock that was set back keeps somebody out")
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	got := 0
	for range 100 {
		all.Go(func() {
			if took("many", 0) {
				mu.Lock()
				got++
				mu.Unlock()
			}
		})
	}
	if all.Wait(); got != 2 {
		t.Errorf("%d at once", got)
	}
}

// TestBudgets_AreBounded, and nobody is kept out by those who come in masses.
func TestBudgets_AreBounded(t *testing.T) {
	var b Budgets
	one := Budget{Name: "one", Most: 1, Span: time.Minute}
	for i := range mostSpenders + 10 {
		if !b.Take(one, fmt.Sprint(i), noon) {
			t.Fatal(i)
		}
	}
	if len(b.spent) > mostSpenders {
		t.Errorf("%d are remembered", len(b.spent))
	}
}

// TestTally_ToldOnceWithItsCount, however often it happened and whatever
// strangers put into it.
func TestTally_ToldOnceWithItsCount(t *testing.T) {
	var tally Tally
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	for i := range 10_000 {
		tally.Count("callback.refused wechat", strings.Repeat("签", i%3000))
		tally.Count(fmt.Sprint("odd ", i), "")
	}
	tally.Tell(log)
	if n := strings.Count(out.String(), "\n"); n > mostTallies+1 || out.Len() > 64<<10 ||
		!strings.Contains(out.String(), `msg="callback.refused wechat" count=10000`) {
		t.Errorf("%d lines, %d bytes: %.300s", n, out.Len(), out.String())
	}
	out.Reset()
	if tally.Tell(log); out.Len() != 0 {
		t.Errorf("told again: %s", out.String())
	}
}

func TestCut_BetweenCharacters(t *testing.T) {
	for _, row := range []struct {
		text string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc…"}, {"签名错", 4, "签…"}, {"签名错", 2, "…"}, {"", 0, ""}} {
		if got := Cut(row.text, row.n); got != row.want {
			t.Errorf("%q at %d: %q", row.text, row.n, got)
		}
	}
}
