package reconcile

import (
	"cmp"
	"encoding/binary"
	"slices"

	"hospay/money"
)

// place tells where a line's time lies.
type place uint8

const (
	inDay place = iota // on the business day
	near               // on a neighbouring day, within the window of midnight
	far                // elsewhere
)

// row is a line as a part keeps it: numbers of texts instead of texts.
type row struct {
	order, bill, his, no, card uint32
	next                       int32 // next row of the same order and book, plus one
	channel, method, file      uint16
	status                     Status
	place                      place
	source                     Source
	back, ours, fee, foreign   bool // foreign: its number is none of ours
	minus, apart               bool
	ledger                     bool      // a refund of Alipay's ledger, which names the payment and its trade number, not the refund
	amount, paid               money.Fen // paid: what the account paid of a refund, where that is less
	at                         int64
	flow                       uint64
}

// rows keeps rows in pieces, so that growing never moves them.
type rows struct {
	pieces [][]row
	n      int
}

const rowBits = 12

func (r *rows) add() *row {
	if r.n>>rowBits == len(r.pieces) {
		r.pieces = append(r.pieces, make([]row, 1<<rowBits))
	}
	r.n++
	return r.at(int32(r.n - 1))
}

func (r *rows) at(i int32) *row { return &r.pieces[i>>rowBits][i&(1<<rowBits-1)] }

// order is what all rows of one order number come to.
type order struct {
	key    uint32       // text of the order number, or of the bill number where no book tells the order
	head   [books]int32 // first row of each book, plus one
	byBill bool         // key is a bill number
	twice  bool         // its bill number stands under another order too
}

// part compares the lines of one part. It is used again for the next one.
type shard struct {
	*shared
	texts  texts
	rows   [books]rows
	orders []order
	sum    Summary
	table  channelTable
	latest struct { // of the table
		key [2]uint16
		sum *ChannelSum
	}
	alone   map[uint16]bool // channels of orders that no bill was given for
	ofOrder []int32         // text → order, plus one
	ofBill  []int32
	ofNo    []int32
	waiting []row // refunds of Alipay's ledger that join by no number of ours
	records []record
	spare   []record
	ranks   []int32
}

// record is the place of a packed line.
type record struct{ source, count, at uint32 }

func newShard(s *shared) *shard {
	return &shard{shared: s, texts: texts{seed: s.seed}, table: channelTable{}, alone: map[uint16]bool{}}
}

// load takes a part's lines, in the order that they were given in.
func (e *shard) load(s *spool, which int) error {
	data, err := s.read(which, e.texts.data)
	if err != nil {
		return err
	}
	if len(data) >= 1<<32 {
		return ErrTooBig
	}
	e.records = e.records[:0]
	for at := 0; at < len(data); at += int(binary.LittleEndian.Uint16(data[at:])) {
		e.records = append(e.records, record{binary.LittleEndian.Uint32(data[at+2:]), binary.LittleEndian.Uint32(data[at+6:]), uint32(at)})
	}
	if e.bySource(); !slices.IsSortedFunc(e.records, compareRecords) {
		slices.SortFunc(e.records, compareRecords)
	}
	e.reset(data)
	for _, r := range e.records {
		packed := data[r.at:][:binary.LittleEndian.Uint16(data[r.at:])]
		book := Book(packed[14] & flagBook)
		to := e.rows[book].add()
		texts := to.unpack(e.shared, packed)
		for i := range texts {
			texts[i] += r.at
		}
		to.order, to.bill, to.his = e.texts.id(texts[0]), e.texts.id(texts[1]), e.texts.keep(texts[2])
		to.no, to.card = e.texts.id(texts[3]), e.texts.id(texts[4])
	}
	return nil
}

// bySource brings the lines of every source together, each source's in the
// order that they came in. Hardly anything is left to sort then.
func (e *shard) bySource() {
	if slices.IsSortedFunc(e.records, func(a, b record) int { return cmp.Compare(a.source, b.source) }) {
		return
	}
	last := slices.MaxFunc(e.records, func(a, b record) int { return cmp.Compare(a.source, b.source) }).source
	at := make([]int, last+2)
	for _, r := range e.records {
		at[r.source+1]++
	}
	for i := range last {
		at[i+1] += at[i]
	}
	if cap(e.spare) < len(e.records) {
		e.spare = make([]record, len(e.records)*5/4)
	}
	e.spare = e.spare[:len(e.records)]
	for _, r := range e.records {
		e.spare[at[r.source]] = r
		at[r.source]++
	}
	e.records, e.spare = e.spare, e.records
}

func compareRecords(a, b record) int {
	return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.count, b.count))
}

func (e *shard) reset(data []byte) {
	for b := range e.rows {
		e.rows[b].n = 0
	}
	e.texts.reset(data, len(e.records))
	e.orders, e.waiting = e.orders[:0], e.waiting[:0]
	e.sum = Summary{}
}
