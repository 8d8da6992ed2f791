package reconcile

import "hospay/money"

// marks is a set of kinds.
type marks uint32

func (m *marks) set(k Kind)     { *m |= 1 << k }
func (m marks) has(k Kind) bool { return m&(1<<k) != 0 }

// view is an order as the three books hold it.
type view struct {
	order    *order
	sides    [books]side
	expected [books]bool // the channel is not, where it gives no bill
	aside    bool        // no book holds it on the day
	pays     bool        // the money comes in
}

func (v *view) methodName(e *shard) string { return e.names.get(v.method(Platform)) }

// apart reports whether HIS has refused the order.
func (v *view) apart() bool { r := v.sides[Platform].rep; return r != nil && r.apart }

// look collects what the books say about an order.
func (e *shard) look(o *order) view {
	v := view{order: o, aside: true}
	for _, b := range Books {
		v.sides[b] = e.side(b, o.head[b])
		for i := o.head[b]; i > 0 && v.aside; i = e.rows[b].at(i - 1).next {
			v.aside = e.rows[b].at(i-1).place != inDay
		}
	}
	m := v.method(Platform)
	v.pays = m != 0 && m == e.ids.pay
	v.expected = [books]bool{Platform: true, HIS: !v.apart() && (!e.opt.NoHIS || v.sides[HIS].rep != nil),
		Channel: v.sides[Channel].rep != nil || e.billed[v.channel()]}
	e.takeFar(&v)
	return v
}

// channel is the channel that should have paid: the platform's word, else HIS's.
func (v *view) channel() uint16 {
	for _, b := range []Book{Platform, HIS, Channel} {
		if r := v.sides[b].rep; r != nil {
			return r.channel
		}
	}
	return 0
}

// takeFar lets a row of another day speak for a book that has nothing else,
// when it is further away than the tolerance: that is a wrong time, not a
// missing row. Nearer ones stay set aside and the book lacks the order.
func (e *shard) takeFar(v *view) {
	if v.aside {
		return
	}
	for _, b := range Books {
		s := &v.sides[b]
		if s.rep != nil || s.far == nil || !v.farther(s.far, int64(e.opt.Tolerance.Seconds())) {
			continue
		}
		s.rep, s.status, s.count, s.amount = s.far, Succeeded, 1, s.far.amount
	}
}

// farther reports whether the row lies further than the limit from every
// movement of the other books, of which there must be one.
func (v *view) farther(r *row, limit int64) bool {
	found := false
	for _, s := range v.sides {
		if s.rep == nil || s.rep.place == far || s.status != Succeeded {
			continue
		}
		if found = true; abs(s.rep.at-r.at) <= limit {
			return false
		}
	}
	return found
}

func abs(n int64) int64 { return max(n, -n) }

// judge finds every kind that applies.
func (e *shard) judge(v *view) (m marks) {
	if v.aside {
		return 0
	}
	v.lacking(&m)
	for _, s := range v.sides {
		if s.count > 1 {
			m.set(Duplicate)
		}
	}
	if v.order.twice {
		m.set(Duplicate)
	}
	for _, pair := range pairs {
		if pair[1] != HIS || !v.apart() {
			e.compare(&v.sides[pair[0]], &v.sides[pair[1]], &m)
		}
	}
	if v.backAlone() || v.apart() && v.sides[HIS].status == Succeeded {
		m.set(State)
	}
	return m
}

// lacking marks one-sided orders and those that one book lacks. A failed or
// pending row moves no money, so that nothing is expected elsewhere.
func (v *view) lacking(m *marks) {
	held, paid, last := 0, 0, Platform
	for _, b := range Books {
		if v.sides[b].rep != nil {
			held, last = held+1, b
		}
		if v.sides[b].status == Succeeded {
			paid++
		}
	}
	switch {
	case held == 1 && paid == 1:
		m.set(OnlyPlatform + Kind(last))
	case held == 2 && paid == 2:
		for _, b := range Books {
			if v.expected[b] && v.sides[b].rep == nil {
				m.set(MissingPlatform + Kind(b))
			}
		}
	}
}

// compare marks what two books tell differently.
func (e *shard) compare(a, b *side, m *marks) {
	if a.rep == nil || b.rep == nil {
		return
	}
	if a.rep.amount != b.rep.amount || a.mixed || b.mixed {
		m.set(Amount)
	}
	if a.status != b.status {
		m.set(State)
	}
	if differ(uint32(a.rep.channel), uint32(b.rep.channel)) {
		m.set(WrongChannel)
	}
	if differ(uint32(a.rep.method), uint32(b.rep.method)) {
		m.set(Method)
	}
	if differ(a.rep.card, b.rep.card) {
		m.set(Card)
	}
	if a.status != Succeeded || b.status != Succeeded {
		return
	}
	if e.apart(a.rep, b.rep) {
		m.set(Time)
	}
	if a.rep.place+b.rep.place == near { // one on the day, one beside it
		m.set(DayCut)
	}
}

// apart reports whether two movements are of different business days, or
// further from each other than the tolerance where there is one.
func (e *shard) apart(a, b *row) bool {
	if e.opt.Tolerance == 0 {
		return (a.place == far) != (b.place == far)
	}
	return abs(a.at-b.at) > int64(e.opt.Tolerance.Seconds())
}

// backAlone reports whether the channel gave a payment of an earlier day back
// and neither book says so.
func (v *view) backAlone() bool {
	return v.sides[Channel].alone && v.sides[Platform].rep == nil && v.sides[HIS].rep == nil
}

func differ(a, b uint32) bool { return a != 0 && b != 0 && a != b }

// classify names the difference and tells the other kinds beside it.
func (e *shard) classify(v *view, m marks) (kind Kind, also []Kind) {
	cut := m.has(DayCut)
	m &^= 1 << DayCut
	for _, k := range Kinds() {
		if m.has(k) {
			also = append(also, k)
		}
	}
	lacks := len(also) == 1 && also[0].Lacks()
	if lacks && e.midnight(v) {
		cut = true
	}
	switch {
	case cut && (lacks || len(also) == 0):
		return DayCut, also
	case len(also) == 0:
		return None, nil
	case cut:
		also = append(also, DayCut)
	}
	return also[0], also[1:]
}

// midnight reports whether a movement of the order lies within the window of
// the day's beginning or end. One that was brought from another day does not.
func (e *shard) midnight(v *view) bool {
	for _, s := range v.sides {
		if s.rep != nil && s.status == Succeeded && (abs(s.rep.at-e.from) <= e.window || abs(s.rep.at-e.to) <= e.window) {
			return true
		}
	}
	return false
}

// gap is what HIS booked beyond what the channel paid on the day, or of a payment
// what the channel took beyond what HIS booked: more than zero is an overage
// (长款), less a shortage (短款).
func (v *view) gap() money.Fen {
	if !v.expected[Channel] || !v.expected[HIS] && v.sides[HIS].rep == nil {
		return 0
	}
	if v.pays {
		return v.sides[Channel].day.Amount - v.sides[HIS].day.Amount
	}
	return v.sides[HIS].day.Amount - v.sides[Channel].day.Amount
}
