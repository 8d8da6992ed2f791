package reconcile

import (
	"cmp"
	"slices"

	"hospay/money"
)

// side is what one book says about an order.
type side struct {
	rep      *row      // the row that speaks for the book; nil: the book lacks the order
	status   Status    // of rep, or Failed when the channel took the money back
	count    int       // movements of money
	amount   money.Fen // of all movements; of rep where nothing moved
	mixed    bool      // movements of different amounts
	day      Sum       // movements on the business day
	returned bool      // the channel paid and the money came back; in a table: the booking was undone
	alone    bool      // nothing but a return
	far      *row      // a movement on another day, which does not count
}

// side collects the rows of a book. Rows of other days are only remembered.
func (e *shard) side(book Book, head int32) (s side) {
	if head == 0 {
		return s
	}
	first := e.rows[book].at(head - 1)
	if first.next == 0 && first.place != far && !first.back && !first.fee { // by far the most
		s.rep, s.status, s.amount = first, first.status, first.amount
		if first.status == Succeeded {
			s.count = 1
			s.tally([]*row{first})
		}
		return s
	}
	var rows []*row
	for i := head; i > 0; i = e.rows[book].at(i - 1).next {
		r := e.rows[book].at(i - 1)
		if r.place != far {
			rows = append(rows, r)
		} else if r.status == Succeeded && !r.back && (s.far == nil || e.before(r, s.far) < 0) {
			s.far = r
		}
	}
	e.fill(&s, book, rows)
	return s
}

func (e *shard) fill(s *side, book Book, rows []*row) {
	if len(rows) == 0 {
		return
	}
	slices.SortFunc(rows, e.before)
	out, back := rows, []*row(nil)
	if book == Channel {
		out, back = e.movements(rows)
	} else if slices.ContainsFunc(rows, func(r *row) bool { return r.back }) {
		out, back = split(rows)
	}
	if len(out)+len(back) == 0 { // fees
		return
	}
	if len(out) == 0 { // only a return: the payout lies on an earlier day
		s.alone = true
		s.rep, s.status, s.amount, s.returned = back[0], Failed, back[0].amount, true
		return
	}
	s.rep, s.status, s.amount = out[0], out[0].status, out[0].amount
	paid := slices.DeleteFunc(slices.Clone(out), func(r *row) bool { return r.status != Succeeded })
	s.count = len(paid)
	s.tally(paid)
	s.giveBack(back)
}

// giveBack takes what came back off the movements: all of it means that the
// channel did not pay, a part of one is a wrong amount.
func (s *side) giveBack(back []*row) {
	if len(back) == 0 || s.count == 0 {
		return
	}
	var sum money.Fen
	for _, r := range back {
		sum += r.amount
	}
	if sum >= s.amount {
		s.returned, s.status, s.count, s.amount, s.day, s.mixed = true, Failed, 0, s.rep.amount, Sum{}, false
		return
	}
	for _, r := range back {
		whole := 0
		if r.amount == s.rep.amount && s.count > 1 {
			whole = 1
		}
		s.count -= whole
		if r.place == inDay {
			s.day.Count -= whole
			s.day.Amount -= r.amount
		}
	}
	s.amount -= sum
	s.mixed = s.mixed || s.amount != s.rep.amount*money.Fen(s.count)
}

// tally sums the movements.
func (s *side) tally(paid []*row) {
	if len(paid) == 0 {
		return
	}
	s.amount = 0
	for _, r := range paid {
		s.amount += r.amount
		s.mixed = s.mixed || r.amount != s.rep.amount
		if r.place == inDay {
			s.day.add(r.amount)
		}
	}
}

// before orders rows so that the first speaks for its book: money that moved,
// on the day, early; of rows that moved nothing the latest.
func (e *shard) before(a, b *row) int {
	when := cmp.Compare(a.at, b.at)
	if a.status != Succeeded {
		when = -when
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), when, cmp.Compare(a.amount, b.amount), e.compareText(a.bill, b.bill),
		e.compareText(a.no, b.no),
		e.compareText(a.order, b.order), e.compareText(a.card, b.card), e.compareText(a.his, b.his), cmp.Compare(a.status, b.status),
		cmp.Compare(e.names.get(a.channel), e.names.get(b.channel)), cmp.Compare(e.names.get(a.method), e.names.get(b.method)))
}

func rank(r *row) int {
	n := int(r.place)
	if r.status != Succeeded {
		n += 10
	}
	return n
}

// movements tells the payments and the returns of an order apart and counts
// each once, however many bills hold it: the same movement in two files is one,
// and so is the business behind it in a bill of the other source. Fees and the
// like that carry the order's number count only when nothing better is there.
func (e *shard) movements(rows []*row) (out, back []*row) {
	var by [2][sources][]*row
	for _, r := range rows {
		if r.fee {
			continue
		}
		way := 0
		if r.back {
			way = 1
		}
		by[way][r.source] = append(by[way][r.source], r)
	}
	out = e.asked(once(typed(by[0][FundFlow])), once(typed(by[0][Trade])))
	back = longer(once(by[1][FundFlow]), once(by[1][Trade]))
	back = slices.DeleteFunc(back, func(b *row) bool {
		return !b.ours && len(out) > 0 && !slices.ContainsFunc(out, func(o *row) bool { return o.amount == b.amount })
	})
	return out, back
}

// asked chooses between the account's movements and the business behind them.
// Where both are as many, the account may have paid less than we asked for: a
// fee came back, or a coupon bore a part. What we asked for counts.
func (e *shard) asked(fund, trade []*row) []*row {
	if len(fund) != len(trade) {
		return longer(fund, trade)
	}
	var paid, asked money.Fen
	for i := range fund {
		paid, asked = paid+fund[i].amount, asked+trade[i].amount
	}
	if asked <= paid {
		return fund
	}
	trade[0].paid = paid
	return trade
}

func split(rows []*row) (out, back []*row) {
	for _, r := range rows {
		if r.back {
			back = append(back, r)
		} else {
			out = append(out, r)
		}
	}
	return out, back
}

func longer(a, b []*row) []*row {
	if len(b) > len(a) {
		return b
	}
	return a
}

// typed keeps the rows whose business type is a refund or transfer, if any is.
func typed(rows []*row) []*row {
	if !slices.ContainsFunc(rows, func(r *row) bool { return r.ours }) {
		return rows
	}
	return slices.DeleteFunc(rows, func(r *row) bool { return !r.ours })
}

// once drops what an overlapping download repeats: of the rows with one flow
// number it keeps those of the file that has most of them.
func once(rows []*row) []*row {
	if len(rows) < 2 {
		return rows
	}
	type key struct {
		flow uint64
		file uint16
	}
	count, best := map[key]int{}, map[uint64]key{}
	for _, r := range rows {
		k := key{r.flow, r.file}
		count[k]++
		if b, ok := best[r.flow]; !ok || count[k] > count[b] || (count[k] == count[b] && k.file < b.file) {
			best[r.flow] = k
		}
	}
	return slices.DeleteFunc(rows, func(r *row) bool { return best[r.flow] != key{r.flow, r.file} })
}
