package reconcile

// settleSigns decides what amounts below zero mean in the tables of platform
// and HIS. In a book of deposits refunds stand below zero and top-ups above; in
// a list of refunds what stands below zero undoes one. Where a table has both,
// the refunds are those that the other books know.
func (e *Engine) settleSigns() error {
	for _, book := range []Book{Platform, HIS} { // otherwise all are refunds, however they are written
		e.mixed[book] = e.signs[book][0] > 0 && e.signs[book][1] > 0
	}
	if !e.mixed[Platform] && !e.mixed[HIS] {
		return nil
	}
	var known [books][2]int
	p := newShard(&e.shared)
	for i := range shards {
		if e.spool.lists[i].size == 0 {
			continue
		}
		if err := p.load(&e.spool, i); err != nil {
			return err
		}
		for _, book := range []Book{Platform, HIS} {
			k := p.joined(book)
			known[book][0], known[book][1] = known[book][0]+k[0], known[book][1]+k[1]
		}
	}
	for b := range known {
		e.below[b] = known[b][1] > known[b][0]
	}
	return nil
}

// applySigns does to the rows of a part what was decided for their tables.
func (e *shard) applySigns() {
	for _, book := range []Book{Platform, HIS} {
		if !e.mixed[book] {
			continue
		}
		for i := range int32(e.rows[book].n) {
			r := e.rows[book].at(i)
			switch {
			case r.back:
			case e.below[book] && !r.minus: // money that came in
				r.status = 0
				e.sum.Inflow[book].add(r.amount)
			case !e.below[book] && r.minus:
				r.back = true
				e.sum.Undone[book].add(r.amount)
			}
		}
	}
}

// joined counts the rows above and below zero whose numbers stand in another
// book.
func (e *shard) joined(book Book) (known [2]int) {
	elsewhere := make([]bool, len(e.texts.at))
	for _, other := range Books {
		if other == book {
			continue
		}
		for i := range int32(e.rows[other].n) {
			r := e.rows[other].at(i)
			elsewhere[r.order], elsewhere[r.bill], elsewhere[r.no] = true, true, true
		}
	}
	elsewhere[0] = false
	for i := range int32(e.rows[book].n) {
		if r := e.rows[book].at(i); elsewhere[r.order] || elsewhere[r.bill] || elsewhere[r.no] {
			known[sign(r.minus)]++
		}
	}
	return known
}
