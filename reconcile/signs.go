package reconcile

// settleSigns decides what amounts below zero mean in the tables of platform
// and HIS. In a book of deposits refunds stand below zero and top-ups above; in
// a list of refunds what stands below zero undoes one. Where a table has both,
// the refunds are those that the other books know.
func (e *Engine) settleSigns() {
	for _, book := range []Book{Platform, HIS} {
		plus, minus := e.signs[book][0], e.signs[book][1]
		if minus == 0 || plus == 0 {
			continue // all refunds, however they are written
		}
		known := e.joined(book)
		below := known[1] > known[0]
		for i := range int32(e.rows[book].n) {
			r := e.rows[book].at(i)
			switch {
			case r.back:
			case below && !r.minus: // money that came in
				r.status = 0
				e.sum.Inflow[book].add(r.amount)
			case !below && r.minus:
				r.back = true
				e.sum.Undone[book].add(r.amount)
			}
		}
	}
}

// joined counts the rows above and below zero whose numbers stand in another
// book.
func (e *Engine) joined(book Book) (known [2]int) {
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
