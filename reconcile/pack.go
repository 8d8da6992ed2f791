package reconcile

import (
	"encoding/binary"
	"hash/maphash"

	"hospay/money"
)

// Lines that the engine keeps are packed: a head, then numbers of few bytes,
// then texts with their length in front.
const (
	headSize = 16 // size 2, source 4, number in the source 4, group 4, flags 2
	shards   = 128
	deferred = shards // refunds of Alipay's ledger, which come last because they name no order
	lists    = shards + 1
	maxText  = 255
)

// Flags of a packed line.
const (
	flagBook    = 3 // two bits
	flagStatus  = 2 // from this bit on, two bits
	flagPlace   = 4 // two bits
	flagTrade   = 1 << 6
	flagBack    = 1 << 7
	flagOurs    = 1 << 8
	flagFee     = 1 << 9
	flagForeign = 1 << 10
	flagMinus   = 1 << 11
	flagApart   = 1 << 12
	flagPaid    = 1 << 13
	flagLedger  = 1 << 14
)

func (r *row) flags(book Book) uint16 {
	f := uint16(book) | uint16(r.status)<<flagStatus | uint16(r.place)<<flagPlace
	for _, b := range [...]struct {
		is  bool
		bit uint16
	}{{r.source == Trade, flagTrade}, {r.back, flagBack}, {r.ours, flagOurs}, {r.fee, flagFee}, {r.foreign, flagForeign},
		{r.minus, flagMinus}, {r.apart, flagApart}} {
		if b.is {
			f |= b.bit
		}
	}
	return f
}

// pack appends a line to the batch, with the hashes of its numbers.
func (s *Feeder) pack(book Book, r *row, l *Line) {
	begin, flags := len(s.batch), r.flags(book)
	if l.Paid > 0 && l.Paid < l.Amount {
		flags |= flagPaid
	}
	if book == Channel && r.source == FundFlow && !r.back && l.Channel == ChannelAlipay && l.Method == MethodOriginal {
		flags |= flagLedger
	}
	b := append(s.batch, make([]byte, headSize)...)
	b = binary.AppendUvarint(b, uint64(r.amount))
	b = binary.AppendVarint(b, r.at-s.e.from)
	b = append(b, byte(r.channel), byte(r.channel>>8), byte(r.method), byte(r.method>>8))
	if flags&flagPaid != 0 {
		b = binary.AppendUvarint(b, uint64(l.Paid))
	}
	if book == Channel {
		b = append(b, byte(r.file), byte(r.file>>8))
		b = binary.LittleEndian.AppendUint64(b, r.flow)
	}
	for _, t := range [...]string{l.OrderNo, l.BillNo, l.HISNo, l.ChannelNo, l.CardNo} {
		t = t[:min(len(t), maxText)]
		b = append(append(b, byte(len(t))), t...)
	}
	head := b[begin:]
	binary.LittleEndian.PutUint16(head, uint16(len(head)))
	binary.LittleEndian.PutUint32(head[2:], s.serial)
	binary.LittleEndian.PutUint32(head[6:], s.count)
	binary.LittleEndian.PutUint16(head[14:], flags)
	s.count++
	s.batch = b
	if flags&flagLedger != 0 {
		return // its keys are taken when its turn comes
	}
	s.tie(l.OrderNo, l.BillNo, l.ChannelNo)
	if r.source == Trade && l.Channel == ChannelAlipay { // refunds of the ledger look for it
		if !simple(l.Flow, l.ChannelNo) {
			s.keys = append(s.keys, key{hash: r.flow})
		}
		if l.ChannelNo == "" {
			s.keys = append(s.keys, key{hash: noNumber})
		}
	}
	s.keys[len(s.keys)-1].end = true
}

// noNumber ties the lines of Alipay that tell no payment.
const noNumber = 1

// tie adds the hashes of numbers.
func (s *Feeder) tie(numbers ...string) {
	for _, n := range numbers {
		if n != "" {
			s.keys = append(s.keys, key{hash: maphash.String(s.e.seed, n[:min(len(n), maxText)])})
		}
	}
}

// simple reports whether the number of a movement tells no more than the numbers
// that it is made of, so that no line of other numbers can have it.
func simple(flow, no string) bool {
	if len(flow) <= len(no) || flow[:len(no)] != no || flow[len(no)] != '/' {
		return false
	}
	for i := range flow {
		if flow[i] == '/' && i != len(no) {
			return false
		}
	}
	return true
}

// Flush hands the lines to the engine.
func (s *Feeder) Flush() error {
	e := s.e
	e.mu.Lock()
	defer e.mu.Unlock()
	for b := range s.rows {
		e.rows[b] += s.rows[b]
		e.signs[b][0], e.signs[b][1] = e.signs[b][0]+s.signs[b][0], e.signs[b][1]+s.signs[b][1]
		if e.rows[b] >= 1<<31-2 {
			return ErrTooBig
		}
	}
	s.rows, s.signs = [books]int{}, [books][2]int{}
	e.groups.reserve(s.keys)
	e.groups.touch(s.keys)
	keys := s.keys
	for rest := s.batch; len(rest) > 0; {
		size := binary.LittleEndian.Uint16(rest)
		record := rest[:size]
		rest = rest[size:]
		to := deferred
		if binary.LittleEndian.Uint16(record[14:])&flagLedger == 0 {
			n := 1
			for !keys[n-1].end {
				n++
			}
			to = e.place(record, keys[:n])
			keys = keys[n:]
		}
		if err := e.spool.add(to, record); err != nil {
			return err
		}
	}
	s.batch, s.keys = s.batch[:0], s.keys[:0]
	return nil
}

// place finds the part of a line and writes its group.
func (e *Engine) place(record []byte, keys []key) int {
	group := e.groups.of(keys)
	binary.LittleEndian.PutUint32(record[10:], group)
	return int(group % shards)
}

// settle gives their places to the lines that had to wait, and brings the lines
// of groups that were joined to the part of the group that they were joined to.
func (e *Engine) settle() error {
	if err := e.first.Flush(); err != nil {
		return err
	}
	data, err := e.spool.read(deferred, nil)
	if err != nil {
		return err
	}
	e.spool.drop(deferred)
	s, r := &Feeder{e: e}, row{}
	for len(data) > 0 {
		size := binary.LittleEndian.Uint16(data)
		texts := r.unpack(&e.shared, data[:size])
		s.keys = s.keys[:0]
		for i, at := range texts {
			if t := data[at : at+uint32(data[at-1])]; len(t) > 0 && (i == 0 || i == 1 || i == 3) {
				s.keys = append(s.keys, key{hash: maphash.Bytes(e.seed, t)})
			}
		}
		s.keys = append(s.keys, key{hash: r.flow})
		if data[texts[3]-1] == 0 {
			s.keys = append(s.keys, key{hash: noNumber})
		}
		e.groups.reserve(s.keys)
		if err := e.spool.add(e.place(data[:size], s.keys), data[:size]); err != nil {
			return err
		}
		data = data[size:]
	}
	e.groups.free()
	return e.move()
}

// move brings lines to the part of the group that theirs was joined to.
func (e *Engine) move() error {
	var buf []byte
	for p := range shards {
		if !e.groups.moved[p] {
			continue
		}
		data, err := e.spool.read(p, buf)
		if err != nil {
			return err
		}
		buf = data
		e.spool.drop(p)
		for len(data) > 0 {
			record := data[:binary.LittleEndian.Uint16(data)]
			data = data[len(record):]
			root := e.groups.root(binary.LittleEndian.Uint32(record[10:]))
			binary.LittleEndian.PutUint32(record[10:], root)
			if err := e.spool.add(int(root%shards), record); err != nil {
				return err
			}
		}
	}
	return nil
}

// unpack reads a packed line; it returns where the five texts begin, each with
// its length in the byte before.
func (r *row) unpack(e *shared, record []byte) (texts [5]uint32) {
	flags := binary.LittleEndian.Uint16(record[14:])
	*r = row{status: Status(flags >> flagStatus & 3), place: place(flags >> flagPlace & 3), back: flags&flagBack != 0,
		ours: flags&flagOurs != 0, fee: flags&flagFee != 0, foreign: flags&flagForeign != 0, minus: flags&flagMinus != 0,
		apart: flags&flagApart != 0, ledger: flags&flagLedger != 0}
	if flags&flagTrade != 0 {
		r.source = Trade
	}
	at := headSize
	amount, n := binary.Uvarint(record[at:])
	at += n
	when, n := binary.Varint(record[at:])
	at += n
	r.amount, r.at = money.Fen(amount), when+e.from
	r.channel, r.method = binary.LittleEndian.Uint16(record[at:]), binary.LittleEndian.Uint16(record[at+2:])
	at += 4
	if flags&flagPaid != 0 {
		paid, n := binary.Uvarint(record[at:])
		r.paid = money.Fen(paid)
		at += n
	}
	if Book(flags&flagBook) == Channel {
		r.file, r.flow = binary.LittleEndian.Uint16(record[at:]), binary.LittleEndian.Uint64(record[at+2:])
		at += 10
	}
	for i := range texts {
		texts[i] = uint32(at + 1)
		at += 1 + int(record[at])
	}
	return texts
}
