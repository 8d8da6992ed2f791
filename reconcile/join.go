package reconcile

import "cmp"

// several marks a number of the channel that stands under several orders:
// Alipay numbers the payment, and a payment may be refunded in parts.
const several = -1

// join gives every row its order. Platform and HIS come before the channel,
// whatever order they were added in, because they know the order numbers.
func (e *shard) join() {
	e.applySigns()
	n := len(e.texts.at)
	e.ofOrder, e.ofBill, e.ofNo = cleared(e.ofOrder, n), cleared(e.ofBill, n), cleared(e.ofNo, n)
	for i := range int32(e.rows[Platform].n) {
		if r := e.rows[Platform].at(i); r.status != 0 {
			e.attach(Platform, i, e.orderOf(r, 0))
		}
	}
	e.indexNumbers(Platform)
	for i := range int32(e.rows[HIS].n) {
		if r := e.rows[HIS].at(i); r.status != 0 {
			e.attach(HIS, i, e.orderOf(r, e.ofBill[r.bill]))
		}
	}
	e.indexNumbers(HIS)
	e.joinChannel()
}

// orderOf finds the order of a row of the platform or HIS: the one that its
// bill number names, else the one of its order number, which may be new.
func (e *shard) orderOf(r *row, byBill int32) int32 {
	switch {
	case byBill > 0:
		return byBill
	case r.order == 0:
		return e.openBill(r)
	}
	return e.open(e.ofOrder, r.order)
}

func (e *shard) open(index []int32, key uint32) int32 {
	if index[key] == 0 {
		e.orders = append(e.orders, order{key: key})
		index[key] = int32(len(e.orders))
	}
	return index[key]
}

// openBill finds or opens an order that is known by a bill number alone.
func (e *shard) openBill(r *row) int32 {
	key := cmp.Or(r.bill, r.no)
	fresh := e.ofBill[key] == 0
	o := e.open(e.ofBill, key)
	if fresh {
		e.orders[o-1].byBill = true
	}
	return o
}

func (e *shard) attach(book Book, i, o int32) {
	e.rows[book].at(i).next = e.orders[o-1].head[book]
	e.orders[o-1].head[book] = i + 1
}

// indexNumbers learns which order a bill number and a channel's number belong
// to. A bill number under two orders belongs to the smaller order number, so
// that the order of lines does not matter, and both orders are marked.
func (e *shard) indexNumbers(book Book) {
	for o := range e.orders {
		for i := e.orders[o].head[book]; i > 0; i = e.rows[book].at(i - 1).next {
			r, me := e.rows[book].at(i-1), int32(o+1)
			e.claim(r.bill, me)
			switch was := e.ofNo[r.no]; {
			case r.no == 0 || was == me:
			case was == 0:
				e.ofNo[r.no] = me
			default:
				e.ofNo[r.no] = several
			}
		}
	}
}

func (e *shard) claim(bill uint32, me int32) {
	was := e.ofBill[bill]
	switch {
	case bill == 0 || was == me:
	case was == 0:
		e.ofBill[bill] = me
	default:
		e.orders[was-1].twice, e.orders[me-1].twice = true, true
		if e.compareText(e.orders[me-1].key, e.orders[was-1].key) < 0 {
			e.ofBill[bill] = me
		}
	}
}

// joinChannel finds the orders of bill lines: by the merchant's number, or by
// the channel's own where the books tell it. What joins nowhere is ours by its
// type, else other business. Payments of ours come first, because they open
// orders that returns and fees then join.
func (e *shard) joinChannel() {
	books := int32(len(e.orders)) // orders that platform or HIS know
	for i := range int32(e.rows[Channel].n) {
		if r := e.rows[Channel].at(i); r.ours && !r.back {
			e.joinPayment(i, r, books)
		}
	}
	for i := range int32(e.rows[Channel].n) {
		r := e.rows[Channel].at(i)
		if r.ours && !r.back {
			continue
		}
		switch o := e.joins(r, int32(len(e.orders))); {
		case o > 0:
			e.attach(Channel, i, o)
		case r.ours && r.bill != 0 && r.place != far && !r.foreign: // a payment of an earlier day came back
			e.sum.Returned.add(r.amount)
			e.attach(Channel, i, e.openBill(r))
		default:
			e.leave(r)
		}
	}
	if len(e.waiting) > 0 {
		e.joinLedger(e.partsOfBills(), e.partsOfBooks())
	}
}

func (e *shard) joinPayment(i int32, r *row, books int32) {
	o := e.joins(r, books)
	switch {
	case o > 0:
		e.attach(Channel, i, o)
	case r.place == far:
		e.leave(r)
	case r.ledger:
		e.waiting = append(e.waiting, *r)
	case r.foreign:
		e.leave(r)
	default:
		e.attach(Channel, i, e.openBill(r))
	}
}

// leave counts a line that is no order of the day.
func (e *shard) leave(r *row) {
	if r.place == far {
		e.sum.SetAside[Channel].add(r.amount)
		return
	}
	e.sum.Other.add(r.amount)
}

// joins returns the order that a bill line joins by number, 0 for none or one
// beyond the limit.
func (e *shard) joins(r *row, limit int32) int32 {
	byNo := !r.ledger && (r.ours || !r.back)
	for k, index := range [...][]int32{e.ofBill, e.ofOrder, e.ofNo, e.ofBill} {
		key := r.bill
		if k >= 2 {
			key = r.no
		}
		if o := index[key]; o > 0 && o <= limit && (k < 2 || byNo) {
			return o
		}
	}
	return 0
}

// cleared makes an index of so many texts.
func cleared(index []int32, n int) []int32 {
	if cap(index) < n {
		return make([]int32, n, n+n/4)
	}
	index = index[:n]
	clear(index)
	return index
}

func (e *shard) compareText(a, b uint32) int {
	return cmp.Compare(string(e.texts.bytes(a)), string(e.texts.bytes(b)))
}
