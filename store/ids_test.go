package store

import (
	"regexp"
	"testing"
)

// TestIDs_FollowEachOther: they are ids to PocketBase, none comes twice, and a later
// one stands behind all of an earlier moment.
func TestIDs_FollowEachOther(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	last := ""
	shape := regexp.MustCompile(`^[a-z0-9]{15}$`)
	for range 20_000 {
		id := nextID()
		if seen[id] || !shape.MatchString(id) || id[:8] < last {
			t.Fatalf("%s after %s", id, last)
		}
		seen[id], last = true, id[:8]
	}
}
