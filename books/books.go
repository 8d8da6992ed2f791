package books

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/reconcile"
	"hospay/reconcile/files"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/dbx"
)

// feeder brings the three books of a day into the engine.
//
// The business day of an order is the day on which the channel paid it, by our
// own book. HIS debits when the patient applies, and a payee may take a day to
// confirm; so HIS's line of an order follows the order to its day: it is
// brought from the statement of an earlier day, or left to a later one. An
// order that HIS has debited and nobody has paid yet stands on the day of the
// debit as an open item.
type feeder struct {
	table files.Options // how the institution's tables are read
	*Service
	ctx       context.Context
	inst, day string
	ledger    Ledger
	from, to  time.Time
	engine    *reconcile.Engine
	sum       hash.Hash // over every line that was fed: equal inputs, equal run
	text      []byte    // of the line that is being summed

	bring, away map[string]bool      // HIS lines by order number: to this day, to another
	hand        map[string]bool      // orders that people have paid by hand
	last        string               // order of the last line of the platform's book
	returned    map[string]bool      // paid on the day, sent back later
	reversed    map[string]time.Time // when HIS told us that it had undone the debit
	back        returns              // money that came back, by the bills
	earliest    time.Time            // debit of the orders to bring
	flights     map[string]*flight   // by every number sent to a channel
	moved       movedLines
	files       []usedFile
	rejects     int
	underWay    map[string]bool // payments that are not over yet, and what goes back of them
	paidBills   paidBills
	other       reconcile.Sum // HIS lines of channels without bills (现金 …)
}

// movedLines are HIS lines that stand in another day's statement than their
// order: the way from the statement's sum to the day's.
type movedLines struct {
	In  reconcile.Sum `json:"in"`
	Out reconcile.Sum `json:"out"`
}

// usedFile is a bill that a run has read.
type usedFile struct {
	ID      string `json:"id"`
	Source  string `json:"source"`
	Kind    string `json:"kind"`
	Day     string `json:"day"`
	Form    string `json:"form"`
	SHA256  string `json:"sha256"`
	Lines   int    `json:"lines"`
	Rejects int    `json:"rejects"`
}

// flight is an order that is not paid by our book: under way, or failed.
type flight struct {
	line reconcile.Line
	seen bool // the day's bill holds one of its numbers
}

func (s *Service) feeder(ctx context.Context, inst string, ledger Ledger, day string, noHIS bool) (*feeder, error) {
	from, to, err := calendar.ParseDay(day)
	if err != nil {
		return nil, flow.NewError(flow.CodeBadRequest, "")
	}
	opt := reconcile.Defaults(day)
	set, err := s.settings(ctx, inst)
	if err != nil {
		return nil, err
	}
	table, err := set.table()
	if err != nil {
		return nil, err
	}
	opt.Window, opt.Tolerance, opt.Prefixes, opt.NoHIS = window, tolerance, prefixes(set.Prefixes), noHIS
	if ledger == Payments { // what is ours shows by its number
		opt.Types, opt.Prefixes = []string{reconcile.MethodPay, reconcile.MethodBack}, nil
	}
	engine, err := reconcile.New(opt)
	sum := sha256.New()
	fmt.Fprint(sum, set.told())
	if noHIS {
		fmt.Fprintln(sum, "no HIS")
	}
	return &feeder{
		table:   table,
		Service: s, ctx: ctx, inst: inst, ledger: ledger, day: day, from: from, to: to, engine: engine, sum: sum, bring: map[string]bool{},
		away: map[string]bool{},
		hand: map[string]bool{}, returned: map[string]bool{}, reversed: map[string]time.Time{},
		back:     returns{sameDay: map[string]bool{}, later: map[string]bool{}, taken: map[string]bool{}},
		earliest: from, flights: map[string]*flight{}, underWay: map[string]bool{},
	}, err
}

func (f *feeder) add(b reconcile.Book, l reconcile.Line) error {
	f.text = append(appendLine(append(strconv.AppendUint(f.text[:0], uint64(b), 10), ' '), l), '\n')
	f.sum.Write(f.text)
	return f.engine.Add(b, l)
}

// around reports whether a time lies on the day or within the window of it.
func (f *feeder) around(at int64) bool {
	return at >= f.from.Add(-window).Unix() && at < f.to.Add(window).Unix()
}

func (f *feeder) on(t time.Time) bool { return !t.Before(f.from) && t.Before(f.to) }

// rows walks a query without holding its rows.
func (f *feeder) rows(sql string, params dbx.Params, each func(orderLine) error) error {
	rows, err := f.App.ConcurrentDB().NewQuery(sql).Bind(params).WithContext(f.ctx).Rows()
	if err != nil {
		return err
	}
	return store.Walk(rows, each)
}

// feed reads all books: bills first, since they say which orders under way the
// channel has paid; then our own; then HIS's, which follow ours.
func (f *feeder) feed(bills []Statement) error {
	if err := f.loadFlights(); err != nil {
		return err
	}
	if err := f.channels(bills); err != nil {
		return err
	}
	if err := f.platform(); err != nil {
		return err
	}
	return f.his(bills)
}

func (f *feeder) loadFlights() error {
	params := dbx.Params{"i": f.inst, "since": stamp(f.from.AddDate(0, 0, -longest)), "made": stamp(f.from.AddDate(0, 0, -2*longest)),
		"to": stamp(f.to.Add(window))}
	return f.rows(flightsSQL(), params, func(o orderLine) error {
		status, at := reconcile.Pending, o.HISAt.Time()
		if refund.Machine.Final(refund.Status(o.Status)) {
			status = reconcile.Failed
		}
		if at.IsZero() {
			at = o.Created.Time()
		}
		if !o.Reversed.IsZero() {
			f.reversed[o.No] = o.Reversed.Time()
		}
		f.flights[o.No+" "+o.Bill] = &flight{line: o.line(status, at)}
		return nil
	})
}

// channels reads the bills of the day, and of the neighbouring days what lies
// within the window of midnight.
func (f *feeder) channels(bills []Statement) error {
	if err := f.findPaid(bills); err != nil {
		return err
	}
	sent := map[string]*flight{}
	for _, fl := range f.flights {
		if fl.line.BillNo != "" {
			sent[fl.line.BillNo] = fl
		}
	}
	n := uint16(0)
	for _, st := range bills {
		if st.Source == SourceHIS || st.State != Ready || st.Day < calendar.Shift(f.day, -1) || st.Day > calendar.Shift(f.day, 1) {
			continue
		}
		n++
		err := f.file(st, func(l reconcile.Line) (err error) {
			if l.Back && !l.Fee() && (l.Returned() || strings.HasPrefix(l.BillNo, "R")) { // our numbers begin with it
				if taken, err := f.cameBack(st, l); taken || err != nil {
					return err
				}
			}
			if st.Day != f.day && !f.around(l.At) {
				return nil
			}
			if fl := sent[l.BillNo]; fl != nil && !l.Back && f.on(time.Unix(l.At, 0)) {
				fl.seen = true
			}
			l.File = n
			if l.Other, err = f.ofPayment(l); err != nil {
				return err
			}
			return f.add(reconcile.Channel, l)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// platform walks our own orders.
func (f *feeder) platform() error {
	params := dbx.Params{"i": f.inst, "from": stamp(f.from.Add(-window)), "to": stamp(f.to.Add(window)), "day": stamp(f.from),
		"end": stamp(f.to)}
	if err := f.rows(paidSQL, params, f.paid); err != nil {
		return err
	}
	away := func(o orderLine) error {
		f.away[o.No] = true
		if o.Hand {
			f.hand[o.No] = true
		}
		return nil
	}
	if err := f.rows(awaySQL, params, away); err != nil {
		return err
	}
	keys := make([]string, 0, len(f.flights))
	for k := range f.flights {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		fl := f.flights[k]
		if !fl.seen && !f.around(fl.line.At) {
			continue
		}
		if fl.seen {
			fl.line.OnDay = true
			f.toBring(fl.line.OrderNo, time.Unix(fl.line.At, 0))
		}
		if err := f.add(reconcile.Platform, fl.line); err != nil {
			return err
		}
	}
	return nil
}

// paid takes an order that our book calls paid. Money that came back on the
// same day did not move; what comes back later is that day's matter.
func (f *feeder) paid(o orderLine) error {
	at, status := o.PaidAt.Time(), reconcile.Succeeded
	if f.last == o.No { // another number of the order: it is not what paid, but a bill may hold it
		return f.add(reconcile.Platform, o.line(reconcile.Failed, at))
	}
	f.last = o.No
	if o.Hand {
		f.hand[o.No], o.Channel, o.Method = true, reconcile.ChannelHand, ""
	}
	if f.on(at) {
		f.toBring(o.No, o.HISAt.Time())
	}
	if !o.Returned.IsZero() {
		f.returned[o.No] = !f.back.onItsDay(o)
		if !f.returned[o.No] {
			status = reconcile.Failed
			if !o.Reversed.IsZero() {
				f.reversed[o.No] = o.Reversed.Time()
			}
		}
	}
	return f.add(reconcile.Platform, o.line(status, at))
}

// toBring notes that HIS's line of an order belongs to this day.
func (f *feeder) toBring(no string, debited time.Time) {
	if debited.IsZero() || f.on(debited) {
		return
	}
	f.bring[no] = true
	if debited.Before(f.earliest) {
		f.earliest = debited
	}
}

// his reads HIS's statements from the earliest debit to bring on.
func (f *feeder) his(bills []Statement) error {
	first := max(min(calendar.Day(f.earliest), calendar.Shift(f.day, -1)), calendar.Shift(f.day, -longest))
	for _, st := range bills {
		if st.Source != SourceHIS || st.State != Ready || st.Day < first || st.Day > calendar.Shift(f.day, 1) {
			continue
		}
		if err := f.file(st, func(l reconcile.Line) error { return f.hisLine(st, l) }); err != nil {
			return err
		}
	}
	return nil
}

// billed reports whether a channel gives bills.
func billed(channel string) bool {
	return channel == reconcile.ChannelWeChat || channel == reconcile.ChannelAlipay
}

// ours reports whether our book has an order, whatever channel HIS names.
func (f *feeder) ours(no string) (bool, error) {
	var n int
	err := f.App.ConcurrentDB().NewQuery("SELECT COUNT(*) FROM refund_orders WHERE no = {:n} AND institution = {:i}").
		Bind(dbx.Params{"n": no, "i": f.inst}).WithContext(f.ctx).Row(&n)
	return n > 0, err
}

// hisLine decides about a line of HIS. What HIS told us of a reversal after
// its statement was written counts, and so does a reversal that belongs to a
// later day's return.
func (f *feeder) hisLine(st Statement, l reconcile.Line) error {
	no := l.OrderNo
	if !billed(l.Channel) {
		ours, err := f.ours(no)
		if err != nil || !ours {
			if st.Day == f.day && l.Status == reconcile.Succeeded {
				f.other.Count++
				f.other.Amount += l.Amount
			}
			return err
		}
	}
	if f.hand[no] && !billed(l.Channel) { // HIS calls it paid by hand, too
		l.Channel, l.Method = reconcile.ChannelHand, ""
	}
	switch {
	case f.away[no]:
		if l.Status == reconcile.Succeeded && f.on(time.Unix(l.At, 0)) {
			f.moved.Out.Count++
			f.moved.Out.Amount += l.Amount
		}
		return nil
	case !f.bring[no] && !f.around(l.At) && st.Day != f.day:
		return nil
	case l.Status == reconcile.Failed && f.returned[no]:
		l.Status = reconcile.Succeeded
	case l.Status == reconcile.Succeeded && f.reversed[no].After(st.Updated.Time()):
		l.Status = reconcile.Failed
	}
	if l.OnDay = f.bring[no]; l.OnDay && l.Status == reconcile.Succeeded {
		f.moved.In.Count++
		f.moved.In.Amount += l.Amount
	}
	return f.add(reconcile.HIS, l)
}

// scan reads a kept bill beside the run's own reading.
func (f *feeder) scan(st Statement, line func(reconcile.Line) error) error {
	return f.local(f.ctx, st, func(b files.File, _ string) error {
		_, err := read(f.table, b, st.Source, st.Kind, st.Day, line)
		return err
	})
}

// file reads a kept bill. One of the day counts as it is: a run has its file
// and its rejected lines, even where its lines are those of another file.
func (f *feeder) file(st Statement, line func(reconcile.Line) error) error {
	if st.Day == f.day {
		f.rejects += st.Rejects
		fmt.Fprintln(f.sum, st.ID, st.SHA256, st.Rejects)
		f.files = append(f.files, usedFile{st.ID, st.Source, st.Kind, st.Day, st.Form, st.SHA256, st.Lines, st.Rejects})
	}
	return f.local(f.ctx, st, func(b files.File, _ string) error {
		got, err := read(f.table, b, st.Source, st.Kind, st.Day, line)
		if n := got.info.Rejects; err == nil && st.Day == f.day && n != st.Rejects { // words were told since it came
			f.rejects += n - st.Rejects
			f.files[len(f.files)-1].Rejects = n
		}
		return err
	})
}
