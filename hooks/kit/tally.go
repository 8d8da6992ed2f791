package kit

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
)

// Tally counts what strangers can make happen as often as they like. It is told
// once in a while with its count, instead of being written down each time.
type Tally struct {
	mu     sync.Mutex
	counts map[string]counted
}

type counted struct {
	n    int
	last string
}

// mostTallies bounds how many kinds are told apart.
const mostTallies = 200

// Count notes that something has happened, and what was said of it last.
func (t *Tally) Count(what, said string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[string]counted{}
	}
	if _, known := t.counts[what]; !known && len(t.counts) >= mostTallies {
		what = "other"
	}
	t.counts[what] = counted{t.counts[what].n + 1, Cut(said, 200)}
}

// Tell writes one line for each kind that has happened since it was last told.
func (t *Tally) Tell(log *slog.Logger) {
	t.mu.Lock()
	counts := t.counts
	t.counts = nil
	t.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		log.Warn(what, "count", counts[what].n, "last", counts[what].last)
	}
}

// Cut shortens a text to at most n bytes, between characters.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}
