package reconcile

// groups ties numbers together: those that stand in one line belong to one
// group, and lines of one group are compared in one part. It knows numbers by
// their hashes alone. Two numbers that share a hash come into one part, where
// their texts tell them apart.
type groups struct {
	tables [tables]table
	pieces [][]uint32 // group → an earlier group that it was joined to, or itself
	n      uint32
	moved  [shards]bool // shards that hold lines of groups that were joined to others
}

const (
	tables    = 256
	pieceBits = 14
)

// table is an open hash table of hashes and groups.
type table struct {
	slots []uint64 // hash in the upper half, group plus one in the lower
	n     int
}

func (g *groups) parent(id uint32) *uint32 { return &g.pieces[id>>pieceBits][id&(1<<pieceBits-1)] }

// root finds the group that a group has become.
func (g *groups) root(id uint32) uint32 {
	for {
		p := g.parent(id)
		if *p == id {
			return id
		}
		*p = *g.parent(*p)
		id = *p
	}
}

func (g *groups) open() uint32 {
	if g.n&(1<<pieceBits-1) == 0 {
		g.pieces = append(g.pieces, make([]uint32, 1<<pieceBits))
	}
	id := g.n
	g.n++
	*g.parent(id) = id
	return id
}

// touch brings the places of hashes into the processor's cache, many at a time:
// the loads do not wait for each other, as those of a search do.
//
//go:noinline
func (g *groups) touch(keys []key) (sum uint64) {
	for _, k := range keys {
		if t := &g.tables[k.hash>>56]; len(t.slots) > 0 {
			sum += t.slots[place32(uint32(k.hash), len(t.slots))]
		}
	}
	return sum
}

func place32(hash uint32, n int) uint64 { return uint64(hash) * uint64(n) >> 32 }

// of returns the group of a line by its numbers, which it ties together. There
// must be room for them.
func (g *groups) of(keys []key) uint32 {
	group, found, fresh := uint32(0), false, false
	for _, k := range keys {
		slot := *g.tables[k.hash>>56].find(uint32(k.hash))
		if slot == 0 {
			fresh = true
			continue
		}
		switch id := g.root(uint32(slot) - 1); {
		case !found:
			group, found = id, true
		case id != group:
			group = g.join(group, id)
		}
	}
	if !found {
		group = g.open()
	}
	if !fresh {
		return group
	}
	for _, k := range keys {
		t := &g.tables[k.hash>>56]
		if slot := t.find(uint32(k.hash)); *slot == 0 {
			*slot = uint64(uint32(k.hash))<<32 | uint64(group+1)
			t.n++
		}
	}
	return group
}

// join makes two groups one: the older stays.
func (g *groups) join(a, b uint32) uint32 {
	a, b = min(a, b), max(a, b)
	*g.parent(b) = a
	g.moved[b%shards] = g.moved[b%shards] || a%shards != b%shards
	return a
}

// reserve makes room for keys.
func (g *groups) reserve(keys []key) {
	var more [tables]int
	for _, k := range keys {
		more[k.hash>>56]++
	}
	for i, n := range more {
		if t := &g.tables[i]; (t.n+n)*5 > len(t.slots)*4 {
			t.grow(max(len(t.slots)*3/2, (t.n+n)*3/2))
		}
	}
}

// find returns the place of a hash, empty where it is new.
func (t *table) find(hash uint32) *uint64 {
	for i := place32(hash, len(t.slots)); ; {
		if s := &t.slots[i]; *s == 0 || uint32(*s>>32) == hash {
			return s
		}
		if i++; i == uint64(len(t.slots)) {
			i = 0
		}
	}
}

func (t *table) grow(size int) {
	old := t.slots
	t.slots = make([]uint64, size)
	for _, s := range old {
		if s != 0 {
			*t.find(uint32(s >> 32)) = s
		}
	}
}

// free forgets the numbers; which group became which stays.
func (g *groups) free() { g.tables = [tables]table{} }
