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
	slots  []uint32 // hash table of texts; 0 = free
	found  int      // texts in the table
}

func newTexts() *texts {
	return &texts{seed: maphash.MakeSeed(), at: make([]uint32, 1), slots: make([]uint32, 1024)}
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
	slot, id := t.find(s)
	if id != 0 {
		return id
	}
	id = t.keep(s)
	t.slots[slot] = id
	if t.found++; t.found > len(t.slots)/2 {
		t.grow()
	}
	return id
}

// look returns the number of a string, 0 when it is not known.
func (t *texts) look(s string) uint32 {
	if s == "" {
		return 0
	}
	_, id := t.find(s)
	return id
}

func (t *texts) find(s string) (slot, id uint32) {
	s = s[:min(len(s), maxText)]
	mask := uint32(len(t.slots) - 1)
	for i := uint32(maphash.String(t.seed, s)) & mask; ; i = (i + 1) & mask {
		id := t.slots[i]
		if id == 0 || string(t.bytes(id)) == s {
			return i, id
		}
	}
}

func (t *texts) grow() {
	old := t.slots
	t.slots = make([]uint32, 4*len(old))
	mask := uint32(len(t.slots) - 1)
	for _, id := range old {
		if id == 0 {
			continue
		}
		i := uint32(maphash.Bytes(t.seed, t.bytes(id))) & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = id
	}
}
