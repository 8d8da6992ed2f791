package his

import (
	"net/url"
	"strconv"
	"time"

	"hospay/sim"
)

// booked is a row of the day's list of charges: a charge, or what went back of one.
// A row that a test has spoilt says something else than what happened.
type booked struct {
	at     time.Time
	charge *charge
	back   *notice
	cash   int64
	absent bool
}

// day writes a row down; callers hold the lock.
func (d *desk) day(at time.Time, c *charge, n *notice) {
	b := booked{at: at, charge: c, back: n}
	if n != nil {
		b.charge, b.cash = n.of, -n.cash
	} else {
		b.cash = c.cash
	}
	name := at.In(sim.Beijing).Format(time.DateOnly)
	d.days[name] = append(d.days[name], b)
}

// row is what the list tells, in fen; what went back stands below zero.
func (d *desk) row(b booked) record {
	c, status := b.charge, "done"
	kind, refundNo, hisNo, total, fund, account := "charge", "", c.receipt, c.total, c.fund, c.account
	if b.back != nil {
		kind, refundNo, hisNo, total, fund, account = "refund", b.back.no, b.back.hisNo, -b.back.amount, 0, 0
	} else if d.undone[c.ourNo] != nil {
		status = "reversed"
	}
	return record{{"time", b.at.Format(stamp)}, {"kind", kind}, {"order_no", c.orderNo}, {"our_no", c.ourNo}, {"refund_no", refundNo},
		{"trade_no", c.tradeNo}, {"his_no", hisNo}, {"bill_no", c.billNo}, {"card_no", c.cardNo}, {"pay_way", c.payWay}, {"total", fen(total)},
		{"fund", fen(fund)}, {"account", fen(account)}, {"cash", fen(b.cash)}, {"status", status}}
}

// dayOfCharges lists what was booked on a day, page by page.
func (s *Server) dayOfCharges(in input, _ sim.Fault) (record, error) {
	if _, err := time.Parse(time.DateOnly, in["date"]); err != nil {
		return nil, &refusal{"1400", "参数错误：date"}
	}
	page, size := number(in["page"], 1), min(number(in["page_size"], 200), s.settings.Get().PageMax)
	d := s.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	rows, total := []record{}, 0
	for _, b := range d.days[in["date"]] {
		if b.absent {
			continue
		}
		if total >= (page-1)*size && total < page*size {
			rows = append(rows, d.row(b))
		}
		total++
	}
	return record{{"date", in["date"]}, {"page", page}, {"page_size", size}, {"total", total}, {"rows", rows}}, nil
}

// spoil makes the list of charges lie about an order, so that the books differ:
// ?absent=true, ?cash=FEN, ?twice=true, ?at=RFC3339.
func (s *Server) spoil(orderNo string, q url.Values) error {
	d := s.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	for day, rows := range d.days {
		for i, b := range rows {
			no := b.charge.orderNo
			if b.back != nil {
				no = b.back.no
			}
			if no != orderNo {
				continue
			}
			b.absent = b.absent || q.Get("absent") == "true"
			if cash, err := strconv.ParseInt(q.Get("cash"), 10, 64); err == nil {
				b.cash = cash
			}
			rows[i] = b
			if q.Get("twice") == "true" {
				d.days[day] = append(d.days[day], b)
			}
			if at, err := time.Parse(time.RFC3339, q.Get("at")); err == nil {
				rows[i].absent = true
				b.at = at.In(sim.Beijing)
				name := b.at.Format(time.DateOnly)
				d.days[name] = append(d.days[name], b)
			}
			return nil
		}
	}
	return errNoBill
}
