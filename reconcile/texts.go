package reconcile

import "hash/maphash"

// texts numbers the texts of a part, which stay where they lie among the packed
// lines: millions of numbers cost nothing for the garbage collector to look at.
// The number 0 is the empty string.
type texts struct {
	seed  maphash.Seed
	data  []byte
	at    []uint32 // text → place in the data; its length is in the byte before
	slots []slot   // hash table of texts
	found int      // texts in the table
}

// slot is a place of the hash table. The hash saves most looks at the text.
type slot struct{ id, hash uint32 }

// reset begins with other data, which so many lines are in.
func (t *texts) reset(data []byte, lines int) {
	t.data, t.at, t.found = data, append(t.at[:0], 0), 0
	size := 1024
	for size < 2*lines {
		size *= 2
	}
	if len(t.slots) != size {
		t.slots = make([]slot, size)
		return
	}
	clear(t.slots)
}

// get returns the string of a number.
func (t *texts) get(id uint32) string { return string(t.bytes(id)) }

func (t *texts) bytes(id uint32) []byte {
	if id == 0 {
		return nil
	}
	return t.lying(t.at[id])
}

func (t *texts) lying(at uint32) []byte { return t.data[at : at+uint32(t.data[at-1])] }

// keep numbers a text without looking whether it is known.
func (t *texts) keep(at uint32) uint32 {
	if t.data[at-1] == 0 {
		return 0
	}
	t.at = append(t.at, at)
	return uint32(len(t.at) - 1)
}

// id numbers a text; the same one has the same number.
func (t *texts) id(at uint32) uint32 {
	s := t.lying(at)
	if len(s) == 0 {
		return 0
	}
	hash, mask := uint32(maphash.Bytes(t.seed, s)), uint32(len(t.slots)-1)
	i := hash
	for ; ; i++ {
		found := &t.slots[i&mask]
		if found.id == 0 {
			break
		}
		if found.hash == hash && string(t.bytes(found.id)) == string(s) {
			return found.id
		}
	}
	id := t.keep(at)
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
