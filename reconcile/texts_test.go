package reconcile

import (
	"fmt"
	"hash/maphash"
	"testing"
)

// TestTexts_SameHashIsNotSameText looks for numbers whose hashes are the same as
// far as the table keeps them.
func TestTexts_SameHashIsNotSameText(t *testing.T) {
	x := texts{seed: maphash.MakeSeed()}
	var data []byte
	var at []uint32
	seen, same := map[uint32]string{}, 0
	for n := 0; same < 3 && n < 5_000_000; n++ {
		s := fmt.Sprintf("N%07d", n)
		hash := uint32(maphash.String(x.seed, s))
		other, ok := seen[hash]
		if seen[hash] = s; !ok {
			continue
		}
		same++
		for _, text := range []string{other, s, other, s} {
			data = append(append(data, byte(len(text))), text...)
			at = append(at, uint32(len(data)-len(text)))
		}
	}
	x.reset(data, len(at))
	for i := 0; i < len(at); i += 4 {
		a, b := x.id(at[i]), x.id(at[i+1])
		if a == b || a != x.id(at[i+2]) || b != x.id(at[i+3]) {
			t.Errorf("%s and %s are %d and %d", x.get(a), x.get(b), a, b)
		}
	}
	if same == 0 {
		t.Error("no hash came twice")
	}
}
