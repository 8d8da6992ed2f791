package his

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

// The refusals about bills.
var (
	errNoBill     = &refusal{"1020", "账单不存在"}
	errPaid       = &refusal{"1021", "账单已结算"}
	errPrice      = &refusal{"1022", "金额与账单不一致"}
	errSlot       = &refusal{"1023", "号源已被占用或已释放"}
	errArea       = &refusal{"1024", "本院不受理该参保地"}
	errNotInsured = &refusal{"1025", "在该参保地未查到参保信息"}
	errBenefit    = &refusal{"1026", "所选待遇不适用"}
	errDispensed  = &refusal{"1027", "已发药，请到窗口退费"}
	errNoUncharge = &refusal{"1028", "不支持免授权冲正"}
	errUninsured  = &refusal{"1029", "医保没有可冲正的结算"}
	errUnsettled  = &refusal{"1030", "医保没有受理这次结算"}
)

// The states of a bill.
const (
	billOpen     = "open"
	billCharged  = "charged"
	billWindow   = "window" // paid at the window
	billRefunded = "refunded"
	billGone     = "gone"
)

const (
	kindRegistration = "registration"
	kindOutpatient   = "outpatient"
)

// line is a line of a bill. The price of an insured patient may be another.
type line struct {
	name, spec, unit, listCode, ownCode string
	count, price, insured               int64
}

// bill is what a patient has to pay.
type bill struct {
	no, cardNo, kind, title, deptCode, dept, doctor string
	created, payBefore                              time.Time
	lines                                           []line
	insurable                                       bool
	reason                                          string
	chosen                                          *choice
	slot                                            string // of a registration that keeps one
	state                                           string
	dispensed                                       bool
	charge                                          *charge
}

func (b *bill) priceOf(l line) int64 {
	if b.chosen != nil && l.insured > 0 {
		return l.insured
	}
	return l.price
}

func (b *bill) amount() (sum int64) {
	for _, l := range b.lines {
		sum += l.count * b.priceOf(l)
	}
	return sum
}

// desk is where bills are paid.
type desk struct {
	days    map[string][]booked
	mu      sync.Mutex
	world   *world.World
	clock   *sim.Clock
	ledger  *sim.Ledger
	prefix  string
	seq     int
	loaded  map[string]bool
	bills   map[string]*bill
	order   []*bill
	locks   map[string]*bill // by the number of the lock
	spare   map[string]int   // slots whose number of places was set
	charges map[string]*charge
	undone  map[string]*reversal // by the number of the charge
	told    map[string]*notice   // by the number of the refund
	insured map[string][]insurance
}

func newDesk(w *world.World, c *sim.Clock, l *sim.Ledger, prefix string) *desk {
	d := &desk{world: w, clock: c, ledger: l, prefix: prefix}
	d.clear()
	return d
}

func (d *desk) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seq, d.order = 0, nil
	d.loaded, d.bills, d.locks, d.spare = map[string]bool{}, map[string]*bill{}, map[string]*bill{}, map[string]int{}
	d.days = map[string][]booked{}
	d.charges, d.undone, d.told = map[string]*charge{}, map[string]*reversal{}, map[string]*notice{}
	d.insured = map[string][]insurance{}
}

// card loads the bills of a card on first use; callers hold the lock.
func (d *desk) card(cardNo string) (*world.Card, error) {
	c := d.world.Card(cardNo)
	if c == nil {
		return nil, errCard
	}
	if !d.loaded[cardNo] {
		d.loaded[cardNo] = true
		if c.Patient.Cards[0] == cardNo {
			d.demo(c)
		}
	}
	return c, nil
}

// demo are the two unpaid bills of a patient: one of an insured visit, and a
// registration or something that no insurance pays.
func (d *desk) demo(c *world.Card) {
	n := int64(1)
	for _, r := range c.No {
		n = (n*31 + int64(r)) % 97
	}
	yesterday := d.world.Base().AddDate(0, 0, -1)
	d.add(&bill{no: "B" + c.No[1:] + "01", cardNo: c.No, kind: kindOutpatient, title: "门诊处方", deptCode: "D01", dept: "内科", doctor: "门诊医师甲",
		created: yesterday.Add(10 * time.Hour), insurable: true, lines: []line{
			{"血常规", "", "次", "DEMO-LIS-0001", "LIS001", 1, 2_500, 0},
			{"阿莫西林胶囊", "0.25g×24粒", "盒", "DEMO-DRUG-0001", "DRUG001", 2, 1_860 + n*10, 1_700 + n*10},
			{"门诊诊查费", "", "次", "DEMO-SRV-0001", "SRV001", 1, 1_000 + n*100, 0}}})
	second := &bill{no: "B" + c.No[1:] + "02", cardNo: c.No, created: yesterday.Add(11 * time.Hour)}
	if n%2 == 1 {
		second.kind, second.title, second.deptCode, second.dept, second.doctor = kindRegistration, "专家门诊挂号费", "D02", "外科", "主任医师乙"
		second.insurable, second.lines = true, []line{{"专家门诊诊查费", "", "次", "DEMO-SRV-0002", "SRV002", 1, 5_000, 0}}
	} else {
		second.kind, second.title, second.deptCode, second.dept, second.doctor = kindOutpatient, "健康体检", "D09", "体检中心", ""
		second.reason, second.lines = "体检项目不属于医保支付范围", []line{{"体检套餐", "", "次", "", "CHK001", 1, 19_900 + n*100, 0}}
	}
	d.add(second)
}

func (d *desk) add(b *bill) {
	b.state = billOpen
	d.bills[b.no] = b
	d.order = append(d.order, b)
}

// fresh ends what has run out; callers hold the lock.
func (d *desk) fresh(b *bill) {
	if b.state == billOpen && !b.payBefore.IsZero() && d.clock.Now().After(b.payBefore) {
		b.state = billGone
	}
}

// open lists the unpaid bills of a card.
func (d *desk) open(cardNo string) ([]bill, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.card(cardNo); err != nil {
		return nil, err
	}
	var out []bill
	for _, b := range d.order {
		d.fresh(b)
		if b.cardNo == cardNo && b.state == billOpen {
			out = append(out, *b)
		}
	}
	return out, nil
}

// find takes a bill of a card, whatever its state; callers hold the lock.
func (d *desk) find(cardNo, billNo string) (*bill, error) {
	if _, err := d.card(cardNo); err != nil {
		return nil, err
	}
	b := d.bills[billNo]
	if b == nil || b.cardNo != cardNo {
		return nil, errNoBill
	}
	d.fresh(b)
	return b, nil
}

// payable is why a bill cannot be paid now.
func (b *bill) payable() error {
	switch {
	case b.state == billGone && b.slot != "":
		return errSlot
	case b.state == billGone:
		return errNoBill
	case b.state != billOpen:
		return errPaid
	}
	return nil
}

// Bill is what POST /_sim/bills makes: an unpaid bill. Amount is fen.
type Bill struct {
	Patient   string `json:"patient"`
	Kind      string `json:"kind"`
	Amount    int64  `json:"amount"`
	Insurable bool   `json:"insurable"`
	PayWithin int    `json:"pay_within,omitempty"` // seconds, after which it cannot be paid; 0 = no end
}

// AddBill puts an unpaid bill on the first card of a patient.
func (s *Server) AddBill(in Bill) (string, error) {
	p := s.world.Find(in.Patient)
	if p == nil || in.Amount <= 0 || in.Kind != kindRegistration && in.Kind != kindOutpatient {
		return "", fmt.Errorf("patient %q, kind registration or outpatient, amount in fen", in.Patient)
	}
	d := s.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.card(p.Cards[0]); err != nil {
		return "", err
	}
	d.seq++
	b := &bill{no: fmt.Sprintf("B%sX%04d", strings.TrimPrefix(p.Cards[0], "C"), d.seq), cardNo: p.Cards[0], kind: in.Kind, deptCode: "D01",
		dept: "内科", doctor: "门诊医师甲", title: map[string]string{kindRegistration: "挂号费", kindOutpatient: "门诊处方"}[in.Kind],
		created: d.clock.Now(), insurable: in.Insurable,
		lines: []line{{"诊疗项目", "", "次", "DEMO-SRV-0003", "SRV003", 1, in.Amount, 0}}}
	if in.PayWithin > 0 {
		b.payBefore = b.created.Add(time.Duration(in.PayWithin) * time.Second).Truncate(time.Second)
	}
	if !in.Insurable {
		b.reason = "该项目不属于医保支付范围"
	}
	d.add(b)
	return b.no, nil
}

// BillRow is a bill as GET /_sim/bills shows it, in fen.
type BillRow struct {
	BillNo    string `json:"bill_no"`
	CardNo    string `json:"card_no"`
	Kind      string `json:"kind"`
	Amount    int64  `json:"amount"`
	Insurable bool   `json:"insurable"`
	State     string `json:"state"`
	ChargeNo  string `json:"charge_no"` // the number that the product sent
	Receipt   string `json:"receipt"`
}

// Bills are all bills that anybody has asked for, in order.
func (s *Server) Bills() []BillRow {
	d := s.desk
	d.mu.Lock()
	defer d.mu.Unlock()
	rows := []BillRow{}
	for _, b := range d.order {
		d.fresh(b)
		r := BillRow{BillNo: b.no, CardNo: b.cardNo, Kind: b.kind, Amount: b.amount(), Insurable: b.insurable, State: b.state}
		if b.charge != nil {
			r.ChargeNo, r.Receipt = b.charge.ourNo, b.charge.receipt
		}
		rows = append(rows, r)
	}
	return rows
}

// withBill runs f on a bill that somebody has asked for.
func (d *desk) withBill(no string, f func(*bill) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.bills[no]
	if b == nil {
		return fmt.Errorf("no bill %s that anybody has asked for", no)
	}
	return f(b)
}
