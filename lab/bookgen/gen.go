// Package bookgen makes the files of a business day with planted differences:
// platform, HIS and the bills of both channels, written from the channels'
// papers and sharing no code with the readers. Tests and benchmarks use it; the
// same seed makes the same day.
package bookgen

import (
	"fmt"
	"math/rand"
	"time"

	"hospay/calendar"
)

// Row is a line of the platform or HIS, or the movement behind a bill's line.
type Row struct {
	Order, Bill, HIS, Card  string
	Fen                     int64
	Method, Channel, Status string
	At                      time.Time
	No, Flow                string // the channel's number, the movement's number
	Name                    string // business name in a bill
	In                      bool   // money came in
}

// Plant is a planted difference.
type Plant struct {
	Kind string
	Bill string // out_bill_no
}

// Options of a day.
type Options struct {
	Seed   int64
	Date   string
	Orders int
	Each   int  // planted differences of every kind
	Noise  bool // other business, other days, failed orders, cash
}

// Day is a generated day.
type Day struct {
	Date                time.Time
	Platform, HIS       []Row
	Operation, Basic    []Row // WeChat's fund-flow bills
	WeChatTrade         []Row
	Ledger, AlipayTrade []Row
	Want                map[string]Plant // by out_bill_no
	rnd                 *rand.Rand
	serial              int
}

// entry is one order in the three books before it is spread over the files.
type entry struct{ p, c, h []Row }

// Make generates a day.
func Make(o Options) *Day {
	date, err := time.ParseInLocation(time.DateOnly, o.Date, calendar.Beijing)
	if err != nil {
		panic(err) // dates are written in tests
	}
	d := &Day{Date: date, Want: map[string]Plant{}, rnd: rand.New(rand.NewSource(o.Seed))}
	for range o.Orders {
		d.spread(d.order(""))
	}
	for _, p := range plants {
		for range o.Each {
			e := d.order(p.channel)
			if p.change(d, &e) {
				d.Want[bill(e)] = Plant{p.kind, bill(e)}
			}
			d.spread(e)
		}
	}
	if o.Noise {
		d.noise(max(10, o.Orders/50))
	}
	return d
}

// Shuffle changes the order of the lines of every file.
func (d *Day) Shuffle(seed int64) {
	rnd := rand.New(rand.NewSource(seed))
	for _, rows := range [][]Row{d.Platform, d.HIS, d.Operation, d.Basic, d.WeChatTrade, d.Ledger, d.AlipayTrade} {
		rnd.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
}

func bill(e entry) string {
	for _, rows := range [][]Row{e.p, e.c, e.h} {
		if len(rows) > 0 {
			return rows[0].Bill
		}
	}
	return ""
}

// order makes a clean order; channel "" is any of both.
func (d *Day) order(channel string) entry {
	d.serial++
	n := d.serial
	at := d.Date.Add(time.Hour + time.Duration(d.rnd.Intn(22*3600-120))*time.Second)
	row := Row{
		Order: fmt.Sprintf("R%s%07d", d.Date.Format("20060102"), n), Bill: fmt.Sprintf("HP%s%07d01", d.Date.Format("060102"), n),
		HIS:  fmt.Sprintf("H%09d", 70000000+n),
		Card: fmt.Sprintf("C%06d", d.rnd.Intn(200000)), Fen: 1 + d.rnd.Int63n(500000), Method: "transfer", Channel: channel, Status: "succeeded",
		At: at,
	}
	if channel == "" {
		row.Channel = [...]string{"wechat", "wechat", "alipay"}[d.rnd.Intn(3)]
	}
	if d.rnd.Intn(3) == 0 {
		row.Method = "original"
	}
	c, h := row, row
	c.No, c.Flow = fmt.Sprintf("42%s%018d", d.Date.Format("20060102"), n), fmt.Sprintf("19000092%s%010d", d.Date.Format("20060102"), n)
	c.At, h.At = at.Add(time.Duration(d.rnd.Intn(60))*time.Second), at.Add(-time.Duration(d.rnd.Intn(60))*time.Second)
	return entry{[]Row{row}, []Row{c}, []Row{h}}
}

// spread writes the rows of an order into the files.
func (d *Day) spread(e entry) {
	d.Platform, d.HIS = append(d.Platform, e.p...), append(d.HIS, e.h...)
	for _, c := range e.c {
		switch {
		case c.Channel == "wechat" && c.Method == "transfer":
			d.Operation = append(d.Operation, c)
		case c.Channel == "wechat":
			d.Basic = append(d.Basic, c)
			if !c.In {
				d.WeChatTrade = append(d.WeChatTrade, c)
			}
		case c.Channel == "alipay" && c.Method == "transfer":
			d.Ledger = append(d.Ledger, c)
		case c.Channel == "alipay":
			d.Ledger = append(d.Ledger, c)
			d.AlipayTrade = append(d.AlipayTrade, c)
		}
	}
}

// noise adds what must not be reported: payments and fees in the bills, orders
// of other days, failed orders, orders in cash, one-sided failures.
func (d *Day) noise(n int) {
	for range n {
		e := d.order("")
		pay := e.c[0]
		pay.In, pay.Bill, pay.Name = true, "PAY"+pay.Bill, "交易"
		fee := pay
		fee.In, fee.Bill, fee.Name, fee.Flow = false, "", "手续费", fee.Flow+"F"
		if pay.Channel == "wechat" {
			d.Basic = append(d.Basic, pay, fee)
			d.WeChatTrade = append(d.WeChatTrade, pay)
		} else {
			pay.Name, fee.Name = "在线支付", "收费"
			d.Ledger = append(d.Ledger, pay, fee)
			d.AlipayTrade = append(d.AlipayTrade, pay)
		}
		d.spread(aside(d.order(""), d.rnd.Intn(2)*2-1))
		d.spread(failed(d.order(""), d.rnd.Intn(3)))
		cash := d.order("cash")
		cash.c = nil
		d.spread(cash)
	}
}

// aside moves an order to the neighbouring day, far from midnight.
func aside(e entry, days int) entry {
	for _, rows := range [][]Row{e.p, e.h} {
		rows[0].At = rows[0].At.AddDate(0, 0, days)
	}
	e.c = nil
	return e
}

// failed makes an order that moved no money.
func failed(e entry, how int) entry {
	e.p[0].Status, e.h[0].Status = "failed", "failed"
	e.c = nil
	switch how {
	case 0:
		e.h = nil
	case 1:
		e.p = nil
	}
	return e
}
