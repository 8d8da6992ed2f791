package reconcile

import (
	"cmp"
	"slices"

	"hospay/money"
)

// part is a refund of a payment: Alipay's ledger tells no more of it.
type part struct {
	no     uint32
	amount money.Fen
}

// parts are the refunds of payments that wait for their movement in the ledger,
// and the amounts of each payment, the smallest first.
type parts[T any] struct {
	of      map[part][]T
	amounts map[uint32][]money.Fen
}

func (p *parts[T]) put(no uint32, amount money.Fen, one T) {
	if p.of == nil {
		p.of, p.amounts = map[part][]T{}, map[uint32][]money.Fen{}
	}
	k := part{no, amount}
	if _, ok := p.of[k]; !ok {
		at, _ := slices.BinarySearch(p.amounts[no], amount)
		p.amounts[no] = slices.Insert(p.amounts[no], at, amount)
	}
	p.of[k] = append(p.of[k], one)
}

// take takes the refund of an amount; with more, the nearest one above it: the
// channel has given a fee back, or a coupon bore a part.
func (p *parts[T]) take(no uint32, amount money.Fen, more bool) (one T, ok bool) {
	for _, a := range p.amounts[no] {
		if k := (part{no, a}); (a == amount || more && a > amount) && len(p.of[k]) > 0 {
			one, p.of[k] = p.of[k][0], p.of[k][1:]
			return one, true
		}
	}
	return one, false
}

// partsOfBills collects the refunds of Alipay's business bill by payment, those
// of overlapping downloads once.
func (e *Engine) partsOfBills() (out parts[*row]) {
	seen := map[uint64]bool{}
	for i := range int32(e.rows[Channel].n) {
		r := e.rows[Channel].at(i)
		if r.source == Trade && !r.back && !seen[r.flow] && e.names.get(r.channel) == ChannelAlipay {
			out.put(r.no, r.amount, r)
			seen[r.flow] = true
		}
	}
	return out
}

// partsOfBooks collects the orders by the payment that they refund, as far as
// platform and HIS tell the channel's number.
func (e *Engine) partsOfBooks() (out parts[int32]) {
	byKey := make([]int32, len(e.orders))
	for o := range byKey {
		byKey[o] = int32(o)
	}
	slices.SortFunc(byKey, func(a, b int32) int { return e.compareText(e.orders[a].key, e.orders[b].key) })
	for _, o := range byKey {
		for _, book := range []Book{Platform, HIS} {
			if i := e.orders[o].head[book]; i > 0 && e.rows[book].at(i-1).no != 0 {
				r := e.rows[book].at(i - 1)
				out.put(r.no, r.amount, o+1)
				break
			}
		}
	}
	return out
}

// joinLedger finds places for the refunds of Alipay's ledger. Those that the
// business bill holds too (same payment, same amount, as often) count once;
// others go to the orders that name the payment; the rest stand alone. Amounts
// that fit exactly are taken before those that only come near.
func (e *Engine) joinLedger(bill parts[*row], books parts[int32]) {
	slices.SortFunc(e.waiting, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.at, b.at), e.compareText(a.no, b.no), cmp.Compare(a.amount, b.amount), e.compareText(a.bill, b.bill), cmp.Compare(a.flow, b.flow), cmp.Compare(a.file, b.file))
	})
	left := slices.CompactFunc(e.waiting, func(a, b row) bool { return a.flow == b.flow && a.file != b.file }) // overlapping downloads
	for _, more := range []bool{false, true} {
		left = slices.DeleteFunc(left, func(r row) bool {
			if of, ok := bill.take(r.no, r.amount, more); ok {
				if r.amount < of.amount {
					e.paid[of] = r.amount
				}
				return true
			}
			o, ok := books.take(r.no, r.amount, more)
			if ok {
				e.attachNew(r, o)
			}
			return ok
		})
	}
	for _, r := range left {
		if r.foreign {
			e.leave(&r)
			continue
		}
		e.attachNew(r, e.openBill(&r))
	}
}

// attachNew adds a row of the channel to an order.
func (e *Engine) attachNew(r row, o int32) {
	e.rows[Channel].add(r)
	e.attach(Channel, int32(e.rows[Channel].n-1), o)
}
