package reconcile

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"hospay/calendar"
	"hospay/money"
)

// ErrTooBig says that the books hold more than the engine can number.
var ErrTooBig = errors.New("reconcile: books are too big")

// shared is what all shards of a run know alike.
type shared struct {
	opt      Options
	from, to int64 // the day, half open
	window   int64
	names    names // channels and methods
	seed     maphash.Seed
	billed   map[uint16]bool // channels whose bills were given
	below    [books]bool     // amounts below zero are the refunds of a table with both signs
	mixed    [books]bool     // a table has both signs
	ids      known
}

// known are the numbers of names that decide something.
type known struct{ alipay, original, pay uint16 }

// Engine takes the lines of the three books and compares them. Lines are kept
// packed, in shards by the numbers that tie them together, so that a part fits
// the processor's cache and big books go to the disk.
type Engine struct {
	shared
	types  map[string]bool
	mu     sync.Mutex // the fields below, names and billed
	signs  [books][2]int
	rows   [books]int
	groups groups
	spool  spool
	first  *Feeder // what Add writes to
	begun  int
}

// New returns an engine for the day. The day must be yyyy-MM-dd.
func New(opt Options) (*Engine, error) {
	day, err := time.ParseInLocation(time.DateOnly, opt.Day, calendar.Beijing)
	if err != nil {
		return nil, fmt.Errorf("reconcile: day %q is not yyyy-MM-dd", opt.Day)
	}
	if opt.Window < 0 || opt.Window > 12*time.Hour || opt.Tolerance < 0 {
		return nil, errors.New("reconcile: window must lie between 0 and 12 hours, tolerance must not be negative")
	}
	e := &Engine{
		shared: shared{opt: opt, from: day.Unix(), to: day.AddDate(0, 0, 1).Unix(), window: int64(opt.Window / time.Second),
			seed: maphash.MakeSeed(), billed: map[uint16]bool{}},
		types: map[string]bool{}, spool: newSpool(opt.Folder, opt.Memory),
	}
	for _, t := range opt.Types {
		e.types[t] = true
	}
	e.first = e.Feeder()
	return e, nil
}

// Bill says that a bill of the channel was given, even an empty one. Orders of
// channels without a bill are compared between platform and HIS only.
func (e *Engine) Bill(channel string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.names.id(channel)
	e.billed[c] = true
	return err
}

// Add takes one line of a book. Lines may come in any order; they all come
// before Run.
func (e *Engine) Add(book Book, l Line) error { return e.first.Add(book, &l) }

// Feed adds every line that the source yields, such as rows of a database.
func (e *Engine) Feed(book Book, source func(yield func(Line) error) error) error {
	return source(func(l Line) error { return e.Add(book, l) })
}

// Close gives back what big books have taken of the disk. A result tells
// nothing more afterwards but its summary and differences.
func (e *Engine) Close() error { return e.spool.close() }

// Feeder takes lines from one goroutine; sources of one engine may be fed at
// the same time. Lines of an earlier source count as the earlier ones.
type Feeder struct {
	e             *Engine
	batch         []byte // packed lines that are not yet with the engine
	keys          []key
	serial, count uint32
	signs         [books][2]int
	rows          [books]int
	types         []typeKind // of the bills, that were looked at
	known         []namedID  // channels and methods
}

// key is the hash of a number, and whether it is the last of its line.
type key struct {
	hash uint64
	end  bool
}

// namedID is a channel or method with its number.
type namedID struct {
	text string
	id   uint16
}

// Feeder begins a source.
func (e *Engine) Feeder() *Feeder {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.begun++
	return &Feeder{e: e, serial: uint32(e.begun - 1)}
}

// Add takes one line of a book. It keeps nothing of the line's texts.
func (s *Feeder) Add(book Book, l *Line) error {
	if l.Amount <= 0 || l.Amount > money.Max || l.Status < Succeeded || l.Status > Pending {
		return fmt.Errorf("reconcile: line of %s without a proper amount or status", book)
	}
	if book == Channel && l.BillNo == "" && l.ChannelNo == "" {
		l.BillNo = l.Flow
	}
	if l.OrderNo == "" && l.BillNo == "" && l.ChannelNo == "" {
		return fmt.Errorf("reconcile: line of %s without a number", book)
	}
	channel, err1 := s.name(l.Channel)
	method, err2 := s.name(l.Method)
	if err1 != nil || err2 != nil {
		return errors.Join(err1, err2)
	}
	r := row{channel: channel, method: method, status: l.Status, place: s.e.placeOf(l.At), amount: l.Amount, at: l.At}
	if l.OnDay {
		r.place = inDay
	}
	r.apart = l.Apart
	if r.back = l.Back; book == Channel {
		r.source, r.file, r.ours, r.foreign = l.Source, l.File, s.oursByType(l), l.Other || s.e.isForeign(l)
		r.fee = !r.ours && l.Fee()
		r.flow = maphash.String(s.e.seed, cmp.Or(l.Flow, l.BillNo))
	} else if !l.Back {
		r.minus = l.Minus
		s.signs[book][sign(l.Minus)]++
	}
	s.rows[book]++
	s.pack(book, &r, l)
	if len(s.batch) >= batchSize {
		return s.Flush()
	}
	return nil
}

const batchSize = 96 << 10

// few is how many names a source remembers; a table or bill has no more.
const few = 16

// name numbers a channel or method.
func (s *Feeder) name(text string) (uint16, error) {
	for i := range s.known {
		if s.known[i].text == text {
			return s.known[i].id, nil
		}
	}
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	id, err := s.e.names.id(text)
	if err == nil && len(s.known) < few {
		s.known = append(s.known, namedID{s.e.names.get(id), id})
	}
	return id, err
}

func sign(minus bool) int {
	if minus {
		return 1
	}
	return 0
}

// isForeign reports whether a bill line carries a number that is not of our
// making.
func (e *shared) isForeign(l *Line) bool {
	return len(e.opt.Prefixes) > 0 && !slices.ContainsFunc(e.opt.Prefixes, func(p string) bool {
		return p != "" && (strings.HasPrefix(l.BillNo, p) || l.BillNo == "" && strings.HasPrefix(l.ChannelNo, p))
	})
}

// typeKind is what the two names of a line's business come to.
type typeKind struct {
	kind, name string
	ours       bool
}

// oursByType reports whether the business type or name says refund or transfer,
// or the return of one when money comes in. Fees are told apart, and so is
// money that moves between the merchant's own accounts.
func (s *Feeder) oursByType(l *Line) bool {
	if l.Back {
		return l.Returned()
	}
	for i := range s.types {
		if t := &s.types[i]; t.kind == l.Type && t.name == l.Name {
			return t.ours
		}
	}
	types, shards := s.e.types, s.e.opt.Types
	is := types[l.Type] || !l.Fee() && !holds(l.Type, ownWords) && (types[l.Name] || holds(l.Type, shards) || holds(l.Name, shards))
	if len(s.types) < few {
		s.types = append(s.types, typeKind{strings.Clone(l.Type), strings.Clone(l.Name), is})
	}
	return is
}

func (e *shared) placeOf(at int64) place {
	switch {
	case at >= e.from && at < e.to:
		return inDay
	case at >= e.from-e.window && at < e.to+e.window:
		return near
	}
	return far
}

// names numbers the few texts of channels and methods; 0 is the empty one.
type names struct{ list []string }

func (n *names) id(s string) (uint16, error) {
	if s == "" {
		return 0, nil
	}
	i := slices.Index(n.list, s)
	if i < 0 {
		if i = len(n.list); i >= 500 {
			return 0, errors.New("reconcile: more than 500 channels and methods")
		}
		n.list = append(n.list, strings.Clone(s))
	}
	return uint16(i + 1), nil
}

// find returns the number of a name, or one that no name has.
func (n *names) find(s string) uint16 {
	if i := slices.Index(n.list, s); i >= 0 {
		return uint16(i + 1)
	}
	return 1<<16 - 1
}

func (n *names) get(id uint16) string {
	if id == 0 {
		return ""
	}
	return n.list[id-1]
}
