package his

import (
	"cmp"
	"fmt"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

// charge is a settlement that was written (结算回写). Amounts are fen.
type charge struct {
	ourNo, billNo, cardNo, hash, medOrgOrd, payOrdID string
	orderNo, tradeNo, payWay                         string
	total, insured, fund, account, cash              int64
	receipt, guide                                   string
	at, told                                         time.Time
	back                                             int64
}

// reversal is a charge that was taken back, or the insurance's part of a payment
// that never became one.
type reversal struct {
	hisNo, cancelNo, cancelSer string
	amount                     int64
	at                         time.Time
}

// notice is a refund that HIS was told of.
type notice struct {
	hash, hisNo, no string
	amount, cash    int64
	at              time.Time
	of              *charge
}

// Insurance is what stands behind the HIS: it takes a settlement back without
// the patient, and knows a credential that was shown. No is the hospital's number
// of the order or the centre's.
type Insurance interface {
	Reverse(no string) error
	Shown(*world.Patient) (ecToken string)
	SettleShown(no, ecToken string) error
}

// Behind tells the HIS which centre it reverses at.
func (s *Server) Behind(i Insurance) { s.behind = i }

// number is a number of the desk; callers hold the lock.
func (d *desk) number(letter string) string {
	d.seq++
	return fmt.Sprintf("%s%s%s%06d", d.prefix, letter, d.clock.Now().Format("20060102"), d.seq)
}

// strange is a change of a bill that a planned fault puts just before a call.
func (d *desk) strange(b *bill, f sim.Fault) {
	switch f.Kind {
	case sim.WindowPaid:
		if b.state == billOpen {
			b.state = billWindow
		}
	case sim.PriceChanged:
		if b.state == billOpen {
			b.lines[0].price, b.lines[0].insured = b.lines[0].price+100, 0
		}
	case sim.SlotLost:
		if b.state == billOpen {
			b.state, b.slot = billGone, b.slot+" lost"
		}
	case sim.Dispensed:
		b.dispensed = true
	}
}

// write books a charge once per number.
func (d *desk) write(in charge, idempotent bool, f sim.Fault) (charge, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b, err := d.find(in.cardNo, in.billNo)
	if err != nil {
		return charge{}, false, err
	}
	if old := d.charges[in.ourNo]; old != nil {
		switch {
		case old.hash != in.hash:
			return charge{}, false, errDiffers
		case d.undone[in.ourNo] != nil:
			return charge{}, false, errReversed
		case !idempotent:
			return charge{}, false, errPaid
		}
		return *old, true, nil
	}
	if d.undone[in.ourNo] != nil {
		return charge{}, false, errReversed
	}
	d.strange(b, f)
	if err := b.payable(); err != nil {
		return charge{}, false, err
	}
	if in.total != b.amount() {
		return charge{}, false, errPrice
	}
	in.at, in.receipt, in.guide = d.clock.Now(), d.number("R"), guideOf(b)
	in.told = tell(in.at, f.Kind)
	d.charges[in.ourNo], b.charge, b.state = &in, &in, billCharged
	d.day(in.at, &in, nil)
	d.ledger.Add(sim.Entry{At: in.at, Kind: "charge", No: in.ourNo, Party: in.cardNo, Amount: in.total, State: "done"})
	return in, false, nil
}

func guideOf(b *bill) string {
	if b.kind == kindRegistration {
		return "请按时到" + b.dept + "候诊"
	}
	return "请到 3 号窗口取药"
}

// findCharge returns a charge with its reversal, if there is one.
func (d *desk) findCharge(ourNo string) (charge, *reversal, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.charges[ourNo]
	if c == nil {
		return charge{}, d.undone[ourNo], false
	}
	return *c, d.undone[ourNo], true
}

// takeBack takes a charge back, and the insurance's part with it. Where no
// charge was written, it takes back what the insurance has settled.
func (s *Server) takeBack(ourNo, order string, f sim.Fault) (reversal, bool, error) {
	d := s.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	if old := d.undone[ourNo]; old != nil {
		return *old, true, nil
	}
	c := d.charges[ourNo]
	if c != nil {
		d.strange(d.bills[c.billNo], f)
		if d.bills[c.billNo].dispensed {
			return reversal{}, false, errDispensed
		}
		order = cmp.Or(c.medOrgOrd, c.payOrdID)
	}
	insured := c == nil || c.insured > 0
	switch {
	case c == nil && order == "":
		return reversal{}, false, errNotFound
	case insured && s.behind != nil && s.behind.Reverse(order) != nil:
		return reversal{}, false, errUninsured
	}
	r := &reversal{hisNo: d.number("V"), at: d.clock.Now()}
	if insured {
		r.cancelNo, r.cancelSer = d.number("Y"), d.number("Z")
	}
	if c != nil {
		b := d.bills[c.billNo]
		r.amount, b.state, b.charge = c.total, billOpen, nil
		d.ledger.Add(sim.Entry{At: r.at, Kind: "uncharge", No: ourNo, Party: c.cardNo, Amount: c.total - c.back, State: "done"})
	}
	d.undone[ourNo] = r
	return *r, false, nil
}

// refunded books what went back of a charge, once per number of a refund.
func (d *desk) refunded(ourNo, refundNo, hash string, back, cash int64) (notice, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.charges[ourNo]
	switch old := d.told[refundNo]; {
	case c == nil || d.undone[ourNo] != nil:
		return notice{}, false, errNotFound
	case old != nil && old.hash != hash:
		return notice{}, false, errDiffers
	case old != nil:
		return *old, true, nil
	case back <= 0 || c.back+back > c.total:
		return notice{}, false, errPrice
	}
	n := &notice{hash: hash, hisNo: d.number("N"), no: refundNo, amount: back, cash: cash, at: d.clock.Now(), of: c}
	d.day(n.at, nil, n)
	c.back += back
	if c.back == c.total {
		d.bills[c.billNo].state = billRefunded
	}
	d.told[refundNo] = n
	d.ledger.Add(sim.Entry{At: n.at, Kind: "uncharge", No: ourNo, Party: c.cardNo, Amount: back, State: "done"})
	return *n, false, nil
}
