package reconcile

import (
	"cmp"
	"slices"

	"hospay/money"
)

// part is a refund of a payment that waits for its movement in Alipay's ledger,
// which tells no more of it than the payment and an amount.
type part struct {
	no     uint32
	order  int32 // of our books, or
	row    *row  // of the business bill
	amount money.Fen
	taken  bool
}

// parts are sorted by payment and amount.
type parts []part

// take takes the refund of an amount; with more, the nearest one above it: the
// channel has given a fee back, or a coupon bore a part.
func (p parts) take(no uint32, amount money.Fen, more bool) *part {
	i, _ := slices.BinarySearchFunc(p, part{no: no, amount: amount}, byPayment)
	for ; i < len(p) && p[i].no == no && (more || p[i].amount == amount); i++ {
		if !p[i].taken {
			p[i].taken = true
			return &p[i]
		}
	}
	return nil
}

func byPayment(a, b part) int {
	return cmp.Or(cmp.Compare(a.no, b.no), cmp.Compare(a.amount, b.amount))
}

// partsOfBills collects the refunds of Alipay's business bill, those of
// overlapping downloads once.
func (e *shard) partsOfBills() (out parts) {
	seen := map[uint64]bool{}
	for i := range int32(e.rows[Channel].n) {
		r := e.rows[Channel].at(i)
		if r.source == Trade && !r.back && r.channel == e.ids.alipay && !seen[r.flow] {
			out = append(out, part{no: r.no, row: r, amount: r.amount})
			seen[r.flow] = true
		}
	}
	slices.SortStableFunc(out, byPayment)
	return out
}

// partsOfBooks collects the orders whose payment platform or HIS tells, those
// of one payment and amount by their numbers.
func (e *shard) partsOfBooks() (out parts) {
	for o := range e.orders {
		for _, book := range []Book{Platform, HIS} {
			if i := e.orders[o].head[book]; i > 0 && e.rows[book].at(i-1).no != 0 {
				r := e.rows[book].at(i - 1)
				out = append(out, part{no: r.no, order: int32(o + 1), amount: r.amount})
				break
			}
		}
	}
	slices.SortFunc(out, func(a, b part) int {
		return cmp.Or(byPayment(a, b), e.compareText(e.orders[a.order-1].key, e.orders[b.order-1].key))
	})
	return out
}

// joinLedger finds places for the refunds of Alipay's ledger. Those that the
// business bill holds too (same payment, same amount, as often) count once;
// others go to the orders that name the payment; the rest stand alone. Amounts
// that fit exactly are taken before those that only come near.
func (e *shard) joinLedger(bill, books parts) {
	slices.SortFunc(e.waiting, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.at, b.at), e.compareText(a.no, b.no), cmp.Compare(a.amount, b.amount), e.compareText(a.bill, b.bill),
			cmp.Compare(a.flow, b.flow), cmp.Compare(a.file, b.file))
	})
	left := slices.CompactFunc(e.waiting, func(a, b row) bool { return a.flow == b.flow && a.file != b.file }) // overlapping downloads
	for _, more := range []bool{false, true} {
		left = slices.DeleteFunc(left, func(r row) bool {
			if of := bill.take(r.no, r.amount, more); of != nil {
				if r.amount < of.amount {
					of.row.paid = r.amount
				}
				return true
			}
			of := books.take(r.no, r.amount, more)
			if of != nil {
				e.attachNew(r, of.order)
			}
			return of != nil
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
func (e *shard) attachNew(r row, o int32) {
	r.next, r.paid = 0, 0
	*e.rows[Channel].add() = r
	e.attach(Channel, int32(e.rows[Channel].n-1), o)
}
