package reconcile

import (
	"bufio"
	"container/heap"
	"encoding/binary"
	"io"
	"slices"

	"hospay/money"
)

// Each tells every order of the day, by order number. The orders of a part are
// sorted by themselves and kept packed; then those of all shards are told
// together.
func (r *Result) Each(yield func(Order) error) error {
	e := r.engine
	sorted := newSpool(e.opt.Folder, e.opt.Memory)
	defer sorted.close()
	err := e.each(func(p *shard, which int) error {
		return p.sorted(func(told []byte) error {
			e.mu.Lock()
			defer e.mu.Unlock()
			return sorted.add(which, told)
		})
	}, nil)
	if err != nil {
		return err
	}
	var heads runs
	for i := range shards {
		if sorted.lists[i].size > 0 {
			heads = append(heads, &head{in: bufio.NewReaderSize(sorted.reader(i), 16<<10), part: i})
		}
	}
	return e.tell(heads, yield)
}

// tell goes through the sorted shards, always on where the next number is.
func (e *Engine) tell(heads runs, yield func(Order) error) error {
	for i := 0; i < len(heads); i++ {
		if err := heads[i].next(&e.names); err != nil {
			return err
		}
	}
	heap.Init(&heads)
	for len(heads) > 0 {
		h := heads[0]
		if err := yield(h.order); err != nil {
			return err
		}
		switch err := h.next(&e.names); {
		case err == io.EOF:
			heap.Pop(&heads)
		case err != nil:
			return err
		default:
			heap.Fix(&heads, 0)
		}
	}
	return nil
}

// head is the next order of a part.
type head struct {
	in    *bufio.Reader
	part  int
	key   string
	order Order
}

// runs is a heap of shards by their next numbers.
type runs []*head

func (r runs) Len() int { return len(r) }
func (r runs) Less(i, j int) bool {
	return r[i].key < r[j].key || r[i].key == r[j].key && r[i].part < r[j].part
}
func (r runs) Swap(i, j int) { r[i], r[j] = r[j], r[i] }

// Push is not needed.
func (r *runs) Push(x any) { *r = append(*r, x.(*head)) }

// Pop takes the last.
func (r *runs) Pop() any {
	last := (*r)[len(*r)-1]
	*r = (*r)[:len(*r)-1]
	return last
}

// sorted tells the orders of a part by number, packed.
func (e *shard) sorted(tell func([]byte) error) error {
	list := e.ranks[:0]
	for i := range e.orders {
		list = append(list, int32(i))
	}
	e.ranks = list
	slices.SortStableFunc(list, func(a, b int32) int { return e.compareText(e.orders[a].key, e.orders[b].key) })
	var buf []byte
	for _, i := range list {
		v := e.look(&e.orders[i])
		if v.aside {
			continue
		}
		buf = e.packOrder(buf[:0], &v)
		if err := tell(buf); err != nil {
			return err
		}
	}
	return nil
}

// packOrder packs an order behind the number that it is sorted by.
func (e *shard) packOrder(b []byte, v *view) []byte {
	o := e.order(v, e.judge(v))
	b = appendText(b, e.texts.get(v.order.key))
	for _, t := range [...]string{o.OrderNo, o.BillNo, o.HISNo, o.Explain} {
		b = appendText(b, t)
	}
	b = append(b, byte(o.Kind), byte(len(o.Also)))
	for _, k := range o.Also {
		b = append(b, byte(k))
	}
	b = binary.AppendVarint(b, int64(o.Gap))
	for book, entry := range o.Books {
		if entry == nil {
			b = append(b, 0)
			continue
		}
		rep := v.sides[book].rep
		b = append(b, byte(entry.Status))
		for _, n := range [...]int64{int64(entry.Count), int64(entry.Amount), entry.At, int64(rep.channel), int64(rep.method),
			int64(entry.OnDay.Count), int64(entry.OnDay.Amount)} {
			b = binary.AppendVarint(b, n)
		}
		b = appendText(b, entry.CardNo)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// next reads the next order; io.EOF says that there is none.
func (h *head) next(n *names) (err error) {
	if _, err := h.in.Peek(1); err != nil {
		return err
	}
	u := unpacker{in: h.in}
	h.key = u.text()
	o := Order{OrderNo: u.text(), BillNo: u.text(), HISNo: u.text(), Explain: u.text()}
	o.Kind = Kind(u.byte())
	for range u.byte() {
		o.Also = append(o.Also, Kind(u.byte()))
	}
	o.Gap = money.Fen(u.number())
	for book := range o.Books {
		status := Status(u.byte())
		if status == 0 {
			continue
		}
		entry := &Entry{Status: status, Count: int(u.number()), Amount: money.Fen(u.number()), At: u.number(),
			Channel: n.get(uint16(u.number())), Method: n.get(uint16(u.number()))}
		entry.OnDay = Sum{int(u.number()), money.Fen(u.number())}
		entry.CardNo = u.text()
		o.Books[book] = entry
	}
	h.order = o
	if u.err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return u.err
}

// unpacker reads packed fields; its first error stays.
type unpacker struct {
	in  *bufio.Reader
	err error
}

func (u *unpacker) byte() byte {
	c, err := u.in.ReadByte()
	if u.err == nil {
		u.err = err
	}
	return c
}

func (u *unpacker) number() int64 {
	n, err := binary.ReadVarint(u.in)
	if u.err == nil {
		u.err = err
	}
	return n
}

func (u *unpacker) text() string {
	n, err := binary.ReadUvarint(u.in)
	if u.err == nil {
		u.err = err
	}
	if n == 0 || u.err != nil {
		return ""
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(u.in, b); err != nil {
		u.err = err
	}
	return string(b)
}
