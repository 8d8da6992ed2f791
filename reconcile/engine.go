package reconcile

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/money"
)

// ErrTooBig says that the books hold more than the engine can number.
var ErrTooBig = errors.New("reconcile: books are too big")

// place tells where a line's time lies.
type place uint8

const (
	inDay place = iota // on the business day
	near               // on a neighbouring day, within the window of midnight
	far                // elsewhere
)

// row is a line as the engine keeps it: numbers of texts instead of texts.
type row struct {
	order, bill, his, no, card uint32
	next                       int32 // next row of the same order and book, plus one
	channel, method, file      uint16
	status                     Status
	place                      place
	source                     Source
	back, ours, fee, foreign   bool // foreign: its number is none of ours
	minus, apart               bool
	amount                     money.Fen
	at                         int64
	flow                       uint64
}

// rows keeps rows in pieces, so that growing never copies them.
type rows struct {
	pieces [][]row
	n      int
}

const pieceBits = 14

func (r *rows) add(one row) *row {
	if r.n&(1<<pieceBits-1) == 0 {
		r.pieces = append(r.pieces, make([]row, 0, 1<<pieceBits))
	}
	last := len(r.pieces) - 1
	r.pieces[last] = append(r.pieces[last], one)
	r.n++
	return &r.pieces[last][len(r.pieces[last])-1]
}

func (r *rows) at(i int32) *row { return &r.pieces[i>>pieceBits][i&(1<<pieceBits-1)] }

// order is what all rows of one order number come to.
type order struct {
	key    uint32       // text of the order number, or of the bill number where no book tells the order
	head   [books]int32 // first row of each book, plus one
	byBill bool         // key is a bill number
	twice  bool         // its bill number stands under another order too
}

// Engine takes the lines of the three books and compares them.
type Engine struct {
	opt      Options
	from, to int64 // the day, half open
	window   int64
	texts    *texts
	names    names // channels and methods
	seed     maphash.Seed
	rows     [books]rows
	billed   map[uint16]bool // channels whose bills were given
	types    map[string]bool
	known    map[typeNames]bool // types and names that were looked at: ours or not
	paid     map[*row]money.Fen // what the account paid of a refund, where that is less
	signs    [books][2]int      // rows above and below zero
	orders   []order
	sum      Summary
	ofOrder  []int32 // text → order, plus one
	ofBill   []int32
	ofNo     []int32
	waiting  []row // refunds of Alipay's ledger that join by no number of ours
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
		opt: opt, from: day.Unix(), to: day.AddDate(0, 0, 1).Unix(), window: int64(opt.Window / time.Second),
		texts: newTexts(), seed: maphash.MakeSeed(), billed: map[uint16]bool{}, types: map[string]bool{},
		known: map[typeNames]bool{}, paid: map[*row]money.Fen{},
	}
	for _, t := range opt.Types {
		e.types[t] = true
	}
	return e, nil
}

// Bill says that a bill of the channel was given, even an empty one. Orders of
// channels without a bill are compared between platform and HIS only.
func (e *Engine) Bill(channel string) error {
	c, err := e.names.id(channel)
	e.billed[c] = true
	return err
}

// Add takes one line of a book. Lines may come in any order; they all come
// before Run.
func (e *Engine) Add(book Book, l Line) error {
	if l.Amount <= 0 || l.Amount > money.Max || l.Status < Succeeded || l.Status > Pending {
		return fmt.Errorf("reconcile: line of %s without a proper amount or status", book)
	}
	if book == Channel && l.BillNo == "" && l.ChannelNo == "" {
		l.BillNo = l.Flow
	}
	if l.OrderNo == "" && l.BillNo == "" && l.ChannelNo == "" {
		return fmt.Errorf("reconcile: line of %s without a number", book)
	}
	channel, err1 := e.names.id(l.Channel)
	method, err2 := e.names.id(l.Method)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if len(e.texts.chunks) >= 1<<(32-chunkBits) || e.rows[book].n >= 1<<31-2 {
		return ErrTooBig
	}
	r := row{
		order: e.texts.id(l.OrderNo), bill: e.texts.id(l.BillNo), his: e.texts.keep(l.HISNo), no: e.texts.id(l.ChannelNo),
		card:    e.texts.id(l.CardNo),
		channel: channel, method: method, status: l.Status, place: e.placeOf(l.At), amount: l.Amount, at: l.At,
	}
	if l.OnDay {
		r.place = inDay
	}
	r.apart = l.Apart
	if r.back = l.Back; book == Channel {
		r.source, r.file, r.ours, r.foreign = l.Source, l.File, e.oursByType(l), l.Other || e.isForeign(l)
		r.fee = !r.ours && l.Fee()
		r.flow = maphash.String(e.seed, cmp.Or(l.Flow, l.BillNo))
	} else if !l.Back {
		r.minus = l.Minus
		e.signs[book][sign(l.Minus)]++
	}
	kept := e.rows[book].add(r)
	if l.Paid > 0 && l.Paid < l.Amount {
		e.paid[kept] = l.Paid
	}
	return nil
}

func sign(minus bool) int {
	if minus {
		return 1
	}
	return 0
}

// isForeign reports whether a bill line carries a number that is not of our
// making.
func (e *Engine) isForeign(l Line) bool {
	return len(e.opt.Prefixes) > 0 && !slices.ContainsFunc(e.opt.Prefixes, func(p string) bool {
		return p != "" && (strings.HasPrefix(l.BillNo, p) || l.BillNo == "" && strings.HasPrefix(l.ChannelNo, p))
	})
}

// typeNames are the two names of a line's business.
type typeNames struct{ kind, name string }

// oursByType reports whether the business type or name says refund or transfer,
// or the return of one when money comes in. Fees are told apart, and so is
// money that moves between the merchant's own accounts.
func (e *Engine) oursByType(l Line) bool {
	if l.Back {
		return l.Returned()
	}
	key := typeNames{l.Type, l.Name}
	is, ok := e.known[key]
	if !ok {
		is = e.types[l.Type] || !l.Fee() && !holds(l.Type, ownWords) && (e.types[l.Name] || holds(l.Type, e.opt.Types) ||
			holds(l.Name, e.opt.Types))
		if len(e.known) < 10_000 {
			e.known[typeNames{strings.Clone(l.Type), strings.Clone(l.Name)}] = is
		}
	}
	return is
}

// Feed adds every line that the source yields, such as rows of a database.
func (e *Engine) Feed(book Book, source func(yield func(Line) error) error) error {
	return source(func(l Line) error { return e.Add(book, l) })
}

func (e *Engine) placeOf(at int64) place {
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
		n.list = append(n.list, s)
	}
	return uint16(i + 1), nil
}

func (n *names) get(id uint16) string {
	if id == 0 {
		return ""
	}
	return n.list[id-1]
}
