package reconcile

import "hash/maphash"

const chunkBits = 20 // texts are kept in pieces of 1 MiB

// texts keeps strings without a pointer for each: millions of numbers cost
// their bytes, eight more, and nothing for the garbage collector to look at.
// The number 0 is the empty string.
type texts struct {
	seed   maphash.Seed
	chunks [][]byte
	at     []uint32 // text → place in the chunks
	slots  []slot   // hash table of texts
	found  int      // texts in the table
}

// slot is a place of the hash table. The hash saves most looks at the text
// itself, which is rarely in the processor's cache.
type slot struct{ id, hash uint32 }

func newTexts() *texts {
	return &texts{seed: maphash.MakeSeed(), at: make([]uint32, 1), slots: make([]slot, 1024)}
}

// get returns the string of a number.
func (t *texts) get(id uint32) string { return string(t.bytes(id)) }

func (t *texts) bytes(id uint32) []byte {
	if id == 0 {
		return nil
	}
	c, off := t.chunks[t.at[id]>>chunkBits], t.at[id]&(1<<chunkBits-1)
	n := uint32(c[off])
	return c[off+1 : off+1+n]
}

// keep stores a string without looking whether it is known. Longer ones than
// maxText are cut; the readers refuse such lines.
func (t *texts) keep(s string) uint32 {
	if s == "" {
		return 0
	}
	s = s[:min(len(s), maxText)]
	last := len(t.chunks) - 1
	if last < 0 || cap(t.chunks[last])-len(t.chunks[last]) < len(s)+1 {
		t.chunks = append(t.chunks, make([]byte, 0, 1<<chunkBits))
		last++
	}
	c := t.chunks[last]
	t.at = append(t.at, uint32(last)<<chunkBits|uint32(len(c)))
	t.chunks[last] = append(append(c, byte(len(s))), s...)
	return uint32(len(t.at) - 1)
}

const maxText = 255

// id returns the number of a string and makes one when it is new.
func (t *texts) id(s string) uint32 {
	if s == "" {
		return 0
	}
	s = s[:min(len(s), maxText)]
	hash, mask := uint32(maphash.String(t.seed, s)), uint32(len(t.slots)-1)
	i := hash
	for ; ; i++ {
		found := &t.slots[i&mask]
		if found.id == 0 {
			break
		}
		if found.hash == hash && string(t.bytes(found.id)) == s {
			return found.id
		}
	}
	id := t.keep(s)
	t.slots[i&mask] = slot{id, hash}
	if t.found++; t.found > len(t.slots)/4*3 {
		t.grow()
	}
	return id
}

func (t *texts) grow() {
	old := t.slots
	t.slots = make([]slot, 2*len(old))
	mask := uint32(len(t.slots) - 1)
	for _, was := range old {
		if was.id == 0 {
			continue
		}
		i := was.hash
		for t.slots[i&mask].id != 0 {
			i++
		}
		t.slots[i&mask] = was
	}
}
