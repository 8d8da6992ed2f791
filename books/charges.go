package books

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"

	"hospay/calendar"
	"hospay/money"
	"hospay/payment"
	"hospay/reconcile"
)

// payFeeder brings the cash of a day's payments, and of what went back of them,
// into the engine. Each is a movement under its own number; what the insurance
// bears is the other ledger's.
//
// The business day is that on which the cash moved, by our own book. HIS books
// afterwards, perhaps on a later day: its line follows ours.
type payFeeder struct {
	*feeder
	known  map[string]*cashLine // by each number that names a movement
	asked  map[string]bool      // numbers that were looked for
	lines  []*cashLine
	latest time.Time // until when HIS may have booked the day's movements
}

// cashLine is a movement of cash as our book holds it.
type cashLine struct {
	No        string         `db:"no"` // of the payment, or of the refund
	Of        string         `db:"of"` // of the payment
	Bill      string         `db:"bill"`
	ChannelNo string         `db:"channel_no"`
	HISNo     string         `db:"his_no"`
	Card      string         `db:"card_no"`
	Amount    int64          `db:"amount"` // as the channel moves it
	Split     int64          `db:"split"`  // as the insurance divided the bill: what HIS may book
	Method    string         `db:"method"`
	Channel   string         `db:"channel"`
	At        types.DateTime `db:"at"`
	HISAt     types.DateTime `db:"his_at"`
	Status    string         `db:"status"` // of the order
	Apart     bool           `db:"apart"`  // HIS has refused the charge, and all went back
	Moved     bool           `db:"moved"`

	state reconcile.Status
	onDay bool
}

func (f *payFeeder) feed(bills []Statement) error {
	f.known, f.asked, f.latest = map[string]*cashLine{}, map[string]bool{}, f.to
	if err := f.platform(); err != nil {
		return err
	}
	if err := f.channels(bills); err != nil {
		return err
	}
	if err := f.his(bills); err != nil {
		return err
	}
	for _, c := range f.lines {
		if err := f.add(reconcile.Platform, c.line()); err != nil {
			return err
		}
	}
	return nil
}

func (c *cashLine) line() reconcile.Line {
	return reconcile.Line{OrderNo: c.No, BillNo: c.Bill, HISNo: c.HISNo, ChannelNo: c.ChannelNo, CardNo: c.Card, Amount: money.Fen(c.Amount),
		Method: c.Method, Channel: c.Channel, Status: c.state, At: c.At.Time().Unix(), OnDay: c.onDay, Apart: c.Apart}
}

// platform walks what moved around the day by our book.
func (f *payFeeder) platform() error {
	p := dbx.Params{"i": f.inst, "from": stamp(f.from.Add(-window)), "to": stamp(f.to.Add(window))}
	for _, query := range cashSQL {
		var rows []*cashLine
		if err := f.App.ConcurrentDB().NewQuery(query + cashOrder).Bind(p).WithContext(f.ctx).All(&rows); err != nil {
			return err
		}
		for _, c := range rows {
			c.state = reconcile.Succeeded
			f.take(c)
		}
	}
	return nil
}

// take learns a movement by its numbers.
func (f *payFeeder) take(c *cashLine) {
	f.lines = append(f.lines, c)
	if !payment.Resting(payment.Status(c.Status)) {
		f.underWay[c.No] = true
	}
	for _, no := range []string{c.No, c.Bill} {
		if no != "" && f.known[no] == nil {
			f.known[no] = c
		}
	}
	if at := c.HISAt.Time(); f.on(c.At.Time()) && at.After(f.latest) {
		f.latest = at
	}
}

// find returns the movement of a number, from our tables where the day's do not
// hold it: one of another day, under way, or that failed. Nil: it is not ours.
func (f *payFeeder) find(no string) (*cashLine, error) {
	if c := f.known[no]; c != nil || f.asked[no] || no == "" {
		return c, nil
	}
	f.asked[no] = true
	for _, query := range foundSQL {
		c := &cashLine{}
		err := f.App.ConcurrentDB().NewQuery(query).Bind(dbx.Params{"i": f.inst, "n": no}).WithContext(f.ctx).One(c)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		f.state(c, no)
		f.take(c)
		return c, nil
	}
	return nil, nil
}

// state tells what our book says of a movement that the day's rows do not hold.
func (f *payFeeder) state(c *cashLine, no string) {
	switch {
	case c.Moved:
		c.state = reconcile.Succeeded
	case payment.Machine.Final(payment.Status(c.Status)) || c.Method == reconcile.MethodPay && payment.Resting(payment.Status(c.Status)):
		c.state = reconcile.Failed
	default:
		c.state = reconcile.Pending
	}
	if c.At.IsZero() { // it has no time of its own: it stands where the other book has it
		c.onDay = true
		c.At = f.moment(f.from.Unix())
	}
}

// channels reads the trade bills of the day, and of its neighbours what lies
// within the window of midnight.
func (f *payFeeder) channels(bills []Statement) error {
	n := uint16(0)
	for _, st := range bills {
		if st.Kind != kindTrade || st.State != Ready || st.Day < calendar.Shift(f.day, -1) || st.Day > calendar.Shift(f.day, 1) {
			continue
		}
		n++
		err := f.file(st, func(l reconcile.Line) error {
			if st.Day != f.day && !f.around(l.At) {
				return nil
			}
			l.File = n
			return f.trade(l)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// trade takes a row of a trade bill. Payments and what went back of them are told
// from other business by the form of our numbers.
func (f *payFeeder) trade(l reconcile.Line) error {
	back := !l.Back && l.Method == reconcile.MethodOriginal
	if !payment.Numbered(l.BillNo) && !(back && payment.Numbered(l.Of)) {
		l.Other, l.Back, l.Type, l.Name = true, false, "", ""
		return f.add(reconcile.Channel, l)
	}
	l.Back, l.Name, l.Method = false, "", reconcile.MethodPay
	if back {
		l.Method, l.ChannelNo = reconcile.MethodBack, "" // Alipay numbers the payment, not what goes back
	}
	l.Type = l.Method
	elsewhere, err := f.elsewhere(l)
	if err != nil || elsewhere {
		return err
	}
	c, err := f.find(l.BillNo)
	if err == nil && c == nil && back {
		if c, err = f.gone(l); c != nil {
			l.BillNo = c.Bill
		}
	}
	if err != nil {
		return err
	}
	switch {
	case c != nil && c.onDay && c.state != reconcile.Succeeded:
		c.At = f.moment(l.At)
	case c == nil && !back: // HIS may know it by the number of the order, which that of the call begins with
		l.BillNo = l.BillNo[:len(l.BillNo)-len("C01")]
	}
	return f.add(reconcile.Channel, l)
}

// elsewhere reports whether a number is that of another institution, which uses
// the same account.
func (f *payFeeder) elsewhere(l reconcile.Line) (bool, error) {
	if f.known[l.BillNo] != nil {
		return false, nil
	}
	var n int
	err := f.App.ConcurrentDB().NewQuery("SELECT COUNT(*) FROM payment_calls WHERE no IN ({:n}, {:o}) AND no != '' AND institution != {:i}").
		Bind(dbx.Params{"n": l.BillNo, "o": l.Of, "i": f.inst}).WithContext(f.ctx).Row(&n)
	return n > 0, err
}

// gone finds the order whose cash a channel has given back by itself, under a
// number of its own.
func (f *payFeeder) gone(l reconcile.Line) (*cashLine, error) {
	of, err := f.find(l.Of)
	if err != nil || of == nil {
		return nil, err
	}
	c, err := f.find(of.No + goneSuffix)
	if c != nil && c.Amount == int64(l.Amount) {
		c.onDay, c.At = true, f.moment(l.At)
		return c, err
	}
	return nil, err
}

func (f *payFeeder) moment(at int64) (out types.DateTime) {
	if err := out.Scan(time.Unix(at, 0)); err != nil { // a time is always one
		return types.DateTime{}
	}
	return out
}

// his reads what HIS has booked from the day before the day on, as long as it may
// have booked the day's movements.
func (f *payFeeder) his(bills []Statement) error {
	last := min(calendar.Shift(calendar.Day(f.latest), 1), calendar.Shift(f.day, near))
	for _, st := range bills {
		if st.Source != SourceHIS || st.State != Ready || st.Day < calendar.Shift(f.day, -1) || st.Day > last {
			continue
		}
		if err := f.file(st, func(l reconcile.Line) error { return f.booked(st, l) }); err != nil {
			return err
		}
	}
	return nil
}

// booked takes a line of HIS. It goes to the day of the movement.
func (f *payFeeder) booked(st Statement, l reconcile.Line) error {
	c, err := f.ofLine(&l)
	if err != nil {
		return err
	}
	here := st.Day == f.day || f.around(l.At)
	switch {
	case c == nil && !billed(l.Channel):
		if st.Day == f.day && l.Status == reconcile.Succeeded {
			f.other.Count++
			f.other.Amount += l.Amount
		}
		return nil
	case c == nil && !here:
		return nil
	case c == nil:
		return f.add(reconcile.HIS, l)
	}
	if int64(l.Amount) == c.Split { // between HIS's cash and the channel's lie the hospital's part and the delivery
		l.Amount = money.Fen(c.Amount)
	}
	on := time.Unix(l.At, 0)
	switch dated := f.on(c.At.Time()) || c.onDay; {
	case !dated && c.state == reconcile.Succeeded && !f.around(c.At.Time().Unix()):
		if f.on(on) && l.Status == reconcile.Succeeded {
			f.moved.Out.Count++
			f.moved.Out.Amount += l.Amount
		}
		return nil
	case dated && !f.on(on) && c.state == reconcile.Succeeded:
		if l.OnDay = true; l.Status == reconcile.Succeeded {
			f.moved.In.Count++
			f.moved.In.Amount += l.Amount
		}
	case !here:
		return nil
	}
	return f.add(reconcile.HIS, l)
}

// ofLine finds the movement of a line of HIS, and gives the line its number. What
// HIS has given back by itself it knows by a number of its own.
func (f *payFeeder) ofLine(l *reconcile.Line) (*cashLine, error) {
	c, err := f.find(cmp.Or(l.OrderNo, l.BillNo))
	if err != nil || c == nil || c.Method == l.Method {
		if c != nil {
			l.OrderNo, l.BillNo = c.No, ""
		}
		return c, err
	}
	own, err := f.find(l.HISNo)
	if own != nil && own.Method == l.Method && own.Of == c.Of {
		l.OrderNo, l.BillNo = own.No, ""
		return own, err
	}
	l.OrderNo, l.BillNo = fmt.Sprintf("%s-%s", c.Of, cmp.Or(l.HISNo, l.Method)), ""
	return nil, err
}
