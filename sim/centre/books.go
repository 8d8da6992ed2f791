package centre

import (
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"

	"hospay/sim"
	"hospay/sim/world"
)

// The states of an order (ordStas).
const (
	saved    = 0
	quoted   = 1
	settling = 2
	cashPaid = 3
	insured  = 4
	hospital = 5
	complete = 6
	allBack  = 7
	hiBack   = 8
	cashBack = 9
	partBack = 10
	mixBack  = 11
	undone   = 12
	reversed = 13
)

// order is one bill at the centre. Amounts are fen.
type order struct {
	payOrdID, token, medOrgOrd, batch   string
	idNo, name, idType, psnNo           string
	insutype, medType, mdtrtID, optins  string
	setlID, docSn, rgstSn, revs, serial string
	total, cashGone                     int64
	state                               int
	split                               *split
	settled                             time.Time
	refunds                             map[string]refunded
	told                                []int // states that the next queries tell instead; the last stays while forEver
	forEver                             bool
}

// refunded is the answer that a refund has got.
type refunded struct {
	hash string
	said thing
}

// Credential is an authorisation: whose page it was, and who is treated.
type Credential struct {
	PayAuthNo, EcToken string
	patient            *world.Patient
	until              time.Time
}

// books are orders, accounts and authorisations under one lock.
type books struct {
	s        *Server
	mu       sync.Mutex
	n        int
	orders   map[string]*order // by payOrdId
	ours     map[string]*order // by medOrgOrd
	serials  map[string]bool   // orgBizSer
	plans    map[string]Planned
	spent    map[string]int64 // of accounts, by idNo
	licences map[string]*Credential
	entries  []*entry // of the statement
	files    map[string][]byte
}

func newBooks(s *Server) *books {
	b := &books{s: s}
	b.clear()
	return b
}

func (b *books) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n, b.orders, b.ours, b.serials = 0, map[string]*order{}, map[string]*order{}, map[string]bool{}
	b.entries, b.files = nil, map[string][]byte{}
	b.plans, b.spent, b.licences = map[string]Planned{}, map[string]int64{}, map[string]*Credential{}
}

func (b *books) plan(p Planned) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plans[p.IDNo] = p
}

// next is a number of the centre: a word, the area, the day, and a count.
func (b *books) next(word string) string {
	b.n++
	return fmt.Sprintf("%s%s%s%010d", word, Area, b.s.Clock().Now().Format("20060102"), b.n)
}

// numberOf is the hospital's number of an order.
func (b *books) numberOf(payOrdID string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o := b.orders[payOrdID]; o != nil {
		return o.medOrgOrd
	}
	return payOrdID
}

// Row is an order as GET /_sim/orders shows it, in fen.
type Row struct {
	PayOrdID string `json:"pay_ord_id"`
	No       string `json:"no"`
	State    int    `json:"state"`
	Total    int64  `json:"total"`
	Fund     int64  `json:"fund"`
	Account  int64  `json:"account"`
	Cash     int64  `json:"cash"`
}

func (b *books) list() []Row {
	b.mu.Lock()
	defer b.mu.Unlock()
	rows := []Row{}
	for _, o := range b.orders {
		r := Row{PayOrdID: o.payOrdID, No: o.medOrgOrd, State: o.state, Total: o.total}
		if o.split != nil {
			r.Fund, r.Account, r.Cash = o.split.fund, o.split.account, o.split.cash
		}
		rows = append(rows, r)
	}
	return rows
}

// Authorise issues what a patient gets who has authorised at a channel.
func (s *Server) Authorise(payer, patient *world.Patient) Credential {
	b := s.books
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &Credential{PayAuthNo: b.next("AUTH"), EcToken: sim.Token(32), patient: patient,
		until: s.Clock().Now().Add(time.Duration(s.settings.Get().AuthMinutes) * time.Minute)}
	b.licences[c.PayAuthNo], b.licences[c.EcToken] = c, c
	return *c
}

// licensed tells whether a request carries one good credential for a person.
func (b *books) licensed(m thing, idNo string) *refusal {
	no, token := str(m, "payAuthNo"), str(m, "ecToken")
	if (no == "") == (token == "") {
		return noField.with("payAuthNo与ecToken应有且只有一个")
	}
	c := b.licences[no+token]
	switch {
	case c == nil && b.s.settings.Get().AnyCredential && (token != "" || len(no) > 4 && no[:4] == "AUTH"):
		return nil
	case c == nil || b.s.Clock().Now().After(c.until):
		return &noAuth
	case c.patient.IDNo != idNo:
		return &otherPerson
	}
	return nil
}

// expire ends the life of a credential.
func (s *Server) expire(no string, _ url.Values) error {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	c := s.books.licences[no]
	if c == nil {
		return fmt.Errorf("no credential %s was issued", no)
	}
	c.until = time.Time{}
	return nil
}

// find takes either number of an order.
func (b *books) find(no string) (*order, error) {
	if o := b.orders[no]; o != nil {
		return o, nil
	}
	if o := b.ours[no]; o != nil {
		return o, nil
	}
	return nil, fmt.Errorf("no order %s", no)
}

// start is a channel that begins to collect: 1 → 2.
func (s *Server) start(no string, _ url.Values) error {
	return s.with(no, func(o *order) error {
		if o.state != quoted && o.state != settling {
			return fmt.Errorf("order %s is in state %d", no, o.state)
		}
		o.state = settling
		return nil
	})
}

func (s *Server) with(no string, f func(*order) error) error {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	o, err := s.books.find(no)
	if err == nil {
		err = f(o)
	}
	return err
}

// Parts of an order that a channel pays.
const (
	PartCash      = "cash"
	PartInsurance = "insurance"
)

// pay is what a channel tells when a patient has paid: ?part=cash or insurance,
// both in the order of the region without it.
func (s *Server) pay(no string, q url.Values) error {
	parts := []string{PartCash, PartInsurance}
	if s.settings.Get().MoneyOrder == "insurance_first" {
		parts = []string{PartInsurance, PartCash}
	}
	if part := q.Get("part"); part != "" {
		parts = []string{part}
	}
	for _, part := range parts {
		if err := s.Pay(no, part); err != nil {
			return err
		}
	}
	return nil
}

// Pay settles one part of an order; no is either of its numbers.
func (s *Server) Pay(no, part string) error {
	err := s.with(no, func(o *order) error {
		done, other := cashPaid, insured
		if part == PartInsurance {
			done, other = insured, cashPaid
		} else if part != PartCash {
			return fmt.Errorf("no part %q", part)
		}
		switch {
		case o.split == nil || o.state != quoted && o.state != settling && o.state != other:
			return fmt.Errorf("order %s is in state %d", no, o.state)
		case o.state == other || part == PartInsurance && o.split.cash == 0 || part == PartCash && o.split.insured() == 0:
			o.state = complete
		default:
			o.state = done
		}
		if part == PartInsurance {
			s.books.settle(o)
		}
		return nil
	})
	if err == nil && part == PartInsurance {
		return s.tell(no, nil)
	}
	return err
}

// settle moves the insurance's money.
func (b *books) settle(o *order) {
	o.settled = b.s.Clock().Now()
	o.setlID, o.docSn, o.rgstSn, o.revs = b.next("S"), b.next("D"), b.next("G"), sim.Token(24)
	b.spent[o.idNo] += o.split.account
	b.write(o, false)
	b.move("fund", o, o.split.fund)
	b.move("account", o, o.split.account)
}

func (b *books) move(kind string, o *order, fen int64) {
	if fen > 0 {
		b.s.Ledger().Add(sim.Entry{At: b.s.Clock().Now(), Kind: kind, No: o.medOrgOrd, Party: o.idNo, Amount: fen, State: "SUCCESS"})
	}
}

// giveBack is the way back of settle.
func (b *books) giveBack(o *order) {
	b.spent[o.idNo] -= o.split.account
	b.write(o, true)
	b.move("reversal", o, o.split.insured())
}

// reverse is a channel that takes the insurance's part back by itself, because
// the other part was not to be had: 4, 5 or 6 → 13.
func (s *Server) reverse(no string, _ url.Values) error {
	return s.with(no, func(o *order) error {
		if o.state < insured || o.state > complete {
			return fmt.Errorf("order %s is in state %d", no, o.state)
		}
		s.books.giveBack(o)
		o.state = reversed
		return nil
	})
}

// Reverse takes an insured order back for the HIS, which has a way of its own to
// the insurance and asks no patient: 4, 5 or 6 → 13.
func (s *Server) Reverse(no string) error { return s.reverse(no, nil) }

// script makes the next queries tell a state, whatever is true: ?stas=17&times=3;
// times -1 is for ever, and no stas ends it. &keep=true makes the state true,
// without any movement of money.
func (s *Server) script(no string, q url.Values) error {
	stas, err := strconv.Atoi(q.Get("stas"))
	times, _ := strconv.Atoi(q.Get("times"))
	return s.with(no, func(o *order) error {
		o.told, o.forEver = nil, times < 0
		if q.Get("stas") == "" {
			return nil
		}
		if err != nil || times > 1000 {
			return fmt.Errorf("stas %q, times %d", q.Get("stas"), times)
		}
		if q.Get("keep") == "true" {
			o.state = stas
			return nil
		}
		for range max(times, 1) {
			o.told = append(o.told, stas)
		}
		return nil
	})
}

// tellState is what a query is told.
func (o *order) tellState() int {
	if len(o.told) == 0 {
		return o.state
	}
	stas := o.told[0]
	if !o.forEver {
		o.told = o.told[1:]
	}
	return stas
}
