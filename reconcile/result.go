package reconcile

import (
	"cmp"
	"slices"

	"hospay/money"
)

// Entry is an order in one book.
type Entry struct {
	Count   int       // movements of money; 0 where none succeeded
	Amount  money.Fen // of all movements, or what a row that moved nothing names
	Status  Status
	At      int64 // unix seconds
	Channel string
	Method  string
	CardNo  string
	OnDay   Sum // movements on the business day: what the day's sums hold
}

// Order is one order with what the three books say, nil where a book lacks it.
type Order struct {
	OrderNo string // empty where no book tells it
	BillNo  string
	HISNo   string
	Books   [books]*Entry
	Kind    Kind // None: the books agree
	Also    []Kind
	Explain string // a Chinese sentence: the likely cause and what to do
	Gap     money.Fen
}

// Summary is what a run comes to.
type Summary struct {
	Day         string
	Books       [books]Sum // succeeded lines of the day, each refund once
	Differences [kinds]int
	Orders      int // orders of the day
	Matched     int // orders without a difference
	Idle        int // of them: those that moved no money (failed, pending)
	SetAside    [books]Sum
	Other       Sum        // other business in the bills
	Returned    Sum        // money that came back for refunds of earlier days; each is a difference
	Inflow      [books]Sum // rows of a table that are no refunds, by their sign
	Undone      [books]Sum // rows of a table that undo a refund
	Unbilled    Sum        // orders compared between platform and HIS only
	Unbills     []string
	Overage     money.Fen // 长款: HIS booked, the channel did not pay
	Shortage    money.Fen // 短款: the channel paid, HIS did not book
	Channels    []ChannelSum
	Pairs       [len(pairs)]Pair
}

// Pair is what two books of the three come to (两两核对). A row that moved no
// money and stands in one book alone is nobody's lack.
type Pair struct {
	A, B         Book
	Agree        Sum // amount as A tells it
	Differ       int
	OnlyA, OnlyB Sum // money that the other book lacks
}

var pairs = [...][2]Book{{Platform, Channel}, {Platform, HIS}, {Channel, HIS}}

// ChannelSum is the summary of one channel and method. A book's lines count
// under the channel and method that the book itself names; bills that do not
// tell the method take the platform's.
type ChannelSum struct {
	Channel, Method string
	Books           [books]Sum
	Differences     int
}

// Total is the number of differences.
func (s *Summary) Total() (n int) {
	for _, c := range s.Differences {
		n += c
	}
	return n
}

// moved reports whether any book moved money for the order.
func (v *view) moved() bool {
	return v.sides[Platform].count+v.sides[Channel].count+v.sides[HIS].count > 0
}

// countAside counts the rows of other days that no order of the day uses.
func (e *shard) countAside(v *view) {
	for _, b := range Books {
		for i := v.order.head[b]; i > 0; i = e.rows[b].at(i - 1).next {
			if r := e.rows[b].at(i - 1); (v.aside || r.place == far) && r != v.sides[b].rep {
				e.sum.SetAside[b].add(r.amount)
			}
		}
	}
}

func (e *shard) count(v *view, m marks) {
	e.sum.Orders++
	e.countPairs(v, m == 0 && !v.apart())
	for _, b := range Books {
		s := &v.sides[b]
		e.sum.Books[b].Count += s.day.Count
		e.sum.Books[b].Amount += s.day.Amount
		if s.rep != nil {
			c := &e.tableAt(s.rep.channel, v.method(b)).Books[b]
			c.Count += s.day.Count
			c.Amount += s.day.Amount
		}
	}
	if m != 0 {
		e.tableAt(v.channel(), v.method(Platform)).Differences++
	}
	if g := v.gap(); g > 0 {
		e.sum.Overage += g
	} else {
		e.sum.Shortage -= g
	}
}

// countPairs counts what each two books come to; same says that they do not
// differ.
func (e *shard) countPairs(v *view, same bool) {
	for i, p := range pairs {
		sum, a, b := &e.sum.Pairs[i], &v.sides[p[0]], &v.sides[p[1]]
		sum.A, sum.B = p[0], p[1]
		var m marks
		if !same {
			e.compare(a, b, &m)
		}
		switch {
		case !v.expected[p[0]] || !v.expected[p[1]] || a.rep == nil && b.rep == nil:
		case b.rep == nil && a.status == Succeeded:
			sum.OnlyA.add(a.amount)
		case a.rep == nil && b.status == Succeeded:
			sum.OnlyB.add(b.amount)
		case a.rep != nil && b.rep != nil && (m != 0 || a.count != b.count):
			sum.Differ++
		case a.rep != nil && b.rep != nil && a.status == Succeeded:
			sum.Agree.add(a.amount)
		}
	}
}

// method is the method that the book names, else the first that any names.
func (v *view) method(b Book) uint16 {
	for _, b := range []Book{b, Platform, HIS, Channel} {
		if r := v.sides[b].rep; r != nil && r.method != 0 {
			return r.method
		}
	}
	return 0
}

func (v *view) anyAmount() money.Fen {
	for _, b := range []Book{Platform, HIS} {
		if v.sides[b].day.Count > 0 {
			return v.sides[b].day.Amount
		}
	}
	return 0
}

// order turns a view into what the outside sees.
func (e *shard) order(v *view, m marks) Order {
	o := Order{Gap: v.gap()}
	if !v.order.byBill {
		o.OrderNo = e.texts.get(v.order.key)
	}
	for _, b := range []Book{Channel, HIS, Platform} { // the platform's bill number wins
		s := &v.sides[b]
		if s.rep == nil {
			continue
		}
		o.Books[b] = &Entry{Count: s.count, Amount: s.amount, Status: s.status, At: s.rep.at, Channel: e.names.get(s.rep.channel),
			Method: e.names.get(s.rep.method), CardNo: e.texts.get(s.rep.card), OnDay: s.day}
		if n := cmp.Or(s.rep.bill, billOfChannel(b, s.rep)); n != 0 && (b != HIS || o.BillNo == "") {
			o.BillNo = e.texts.get(n)
		}
		if s.rep.his != 0 && (b == HIS || o.HISNo == "") {
			o.HISNo = e.texts.get(s.rep.his)
		}
	}
	o.Kind, o.Also = e.classify(v, m)
	if o.Kind != None {
		o.Explain = e.explain(v, o)
	}
	return o
}

// billOfChannel is the channel's own number, where its bill has no other.
func billOfChannel(b Book, r *row) uint32 {
	if b == Channel {
		return r.no
	}
	return 0
}

// channelTable holds the sums by channel and method.
type channelTable map[[2]uint16]*ChannelSum

func (e *shard) tableAt(channel, method uint16) *ChannelSum {
	k := [2]uint16{channel, method}
	if k == e.latest.key && e.latest.sum != nil {
		return e.latest.sum
	}
	c := e.table[k]
	if c == nil {
		c = &ChannelSum{Channel: e.names.get(channel), Method: e.names.get(method)}
		e.table[k] = c
	}
	e.latest.key, e.latest.sum = k, c
	return c
}

func (t channelTable) list() (out []ChannelSum) {
	for _, c := range t {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b ChannelSum) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Method, b.Method))
	})
	return out
}
