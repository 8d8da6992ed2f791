// Package invariant compares hospay's own books with the ledgers of the other
// sides and says, for each rule that keeps money safe, where it is broken. It
// looks from outside: it reads tables and ledgers and knows nothing of the
// code that wrote them.
package invariant

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// The invariants, by the names under which they are reported.
const (
	NoDoublePay   = "I1 不重复付款"
	NoLoss        = "I2 不少一分钱"
	RightParty    = "I3 付给该付的人"
	IntentFirst   = "I4 先记账后出门"
	SameContent   = "I5 同号同内容"
	FinalIsFinal  = "I6 终态不变"
	Convergence   = "I8 终会了结"
	ToldOnce      = "I13 只通知一次"
	BooksReadable = "I0 账可读"
)

// Names lists the invariants that Check looks at.
func Names() []string {
	return []string{NoDoublePay, NoLoss, RightParty, IntentFirst, SameContent, FinalIsFinal, Convergence, ToldOnce,
		OnePayment, PartsFit, WrittenPaid, NoHalf, BackOnce, LookFirst, Forgotten}
}

// Violation is one broken invariant.
type Violation struct {
	Invariant string
	Order     string // its number, where one order is concerned
	Detail    string
}

// String prints the violation for people.
func (v Violation) String() string {
	return strings.TrimSpace(v.Invariant + " · " + v.Order + " · " + v.Detail)
}

// Order is an order as our tables tell it.
type Order struct {
	ID, No, Status, Compensates, SuspendedFrom, FailCode string
	Amount                                               int64
	Debits, Reversals, Payouts                           []Call
	Events                                               []Event
	Notices                                              []string // event/round/via of notices that were sent
	PaidByHand, RestoredByHand, LookedUp                 bool     // what two people settled outside; LookedUp: they looked at HIS first
	Card                                                 string
	// of a transfer, as the channel was told it; empty where the reader of the books cannot open it
	Payee   string
	Squared bool // they have looked at both sides and made up what was missing
}

// Call is a journal row: a number that may have been sent.
type Call struct {
	No      string
	Amount  int64
	State   string
	Created time.Time
}

// Event is one row of an order's history.
type Event struct {
	Seq            int
	From, To, Name string
	Hash, Want     string // stored, and computed from the row
}

// Books is everything of ours.
type Books struct {
	Orders   []Order
	Payments []Payment
}

// Entry is a movement of money in a ledger of the other side.
type Entry struct {
	Kind     string `json:"kind"`
	No       string `json:"no"`
	Party    string `json:"party"`    // who got it or gave it: openid, account as sent; HIS: card
	Merchant string `json:"merchant"` // channels: whose money it was
	Of       string `json:"of"`       // channels: of a refund, the merchant's number of the payment
	Amount   int64  `json:"amount"`
	State    string `json:"state"`
}

// Request is a call that the other side has received, at a time by its own clock.
type Request struct {
	At    time.Time `json:"clock"`
	Side  string    `json:"side"` // "centre", or empty
	Op    string    `json:"op"`
	Alias string    `json:"alias"`
	No    string    `json:"no"`
	Hash  string    `json:"hash"`
}

// Ledgers is what the other sides tell.
type Ledgers struct {
	HIS, Channels, Centre []Entry
	Requests              []Request // of all sides, since the books began
}

// Check returns every violation, in a stable order. When settled is true, an
// order that a query could still settle is a violation, too.
func Check(b Books, l Ledgers, settled bool) []Violation {
	c := &checker{books: b, sums: sum(l), numbers: numbers(b), settled: settled}
	c.checkOrders()
	c.checkPayments(l)
	c.checkStrangers(l)
	c.checkRequests(l.Requests)
	sort.Slice(c.found, func(i, j int) bool { return c.found[i].String() < c.found[j].String() })
	return c.found
}

// Summary counts what the books hold, for the report.
func Summary(b Books) map[string]int {
	out := map[string]int{}
	for _, o := range b.Orders {
		out[o.Status]++
	}
	return out
}

// SummaryOfPayments is Summary for payments.
func SummaryOfPayments(b Books) map[string]int {
	out := map[string]int{}
	for _, p := range b.Payments {
		out[p.Status]++
	}
	return out
}

// tally is what the ledgers say about one number.
type tally struct {
	paid, returned, debited, reversed     int64
	paidTimes, debitTimes, reversedAtTime int
	payees, cards                         []string
}

type checker struct {
	books   Books
	sums    map[string]*tally
	numbers map[string]Call
	settled bool
	found   []Violation
}

func (c *checker) add(inv string, o Order, format string, args ...any) {
	c.found = append(c.found, Violation{Invariant: inv, Order: o.No, Detail: fmt.Sprintf(format, args...)})
}

func sum(l Ledgers) map[string]*tally {
	out := map[string]*tally{}
	at := func(no string) *tally {
		if out[no] == nil {
			out[no] = &tally{}
		}
		return out[no]
	}
	for _, e := range l.Channels {
		switch t := at(e.No); e.Kind {
		case "transfer", "refund":
			t.paid += e.Amount
			t.paidTimes++
			if e.Kind == "transfer" {
				t.payees = append(t.payees, e.Party)
			}
		case "return":
			t.returned += e.Amount
		}
	}
	for _, e := range l.HIS {
		switch t := at(e.No); e.Kind {
		case "debit":
			t.debited += e.Amount
			t.debitTimes++
			t.cards = append(t.cards, e.Party)
		case "reverse":
			t.reversed += e.Amount
			t.reversedAtTime++
		}
	}
	return out
}

func numbers(b Books) map[string]Call {
	out := map[string]Call{}
	for _, p := range b.Payments {
		for _, c := range p.numbered() {
			out[c.No] = c
		}
	}
	for _, o := range b.Orders {
		for _, calls := range [][]Call{o.Debits, o.Reversals, o.Payouts} {
			for _, call := range calls {
				out[call.No] = call
			}
		}
	}
	return out
}

func (c *checker) checkOrders() {
	compensated := map[string]Order{}
	for _, o := range c.books.Orders {
		if o.Compensates != "" {
			compensated[o.Compensates] = o
		}
	}
	for _, o := range c.books.Orders {
		c.checkEvents(o.No, o.Status, o.Events, finals)
		c.checkNotices(o)
		c.checkNumbers(o)
		c.checkParties(o)
		if o.Compensates != "" {
			c.checkSettled(o)
			continue
		}
		c.checkMoney(o, compensated[o.ID])
		c.checkSettled(o)
	}
}

var finals = map[string]bool{"succeeded": true, "refused": true, "rejected": true, "cancelled": true, "failed": true}

// checkMoney compares what left the channel with what left HIS, for one order
// and the order that compensates it.
func (c *checker) checkMoney(o, comp Order) {
	var t tally
	paidNumbers := 0
	for _, p := range o.Payouts {
		if s := c.sums[p.No]; s != nil {
			t.paid, t.returned, t.paidTimes = t.paid+s.paid, t.returned+s.returned, t.paidTimes+s.paidTimes
			if s.paid > s.returned {
				paidNumbers++
			}
			if s.paidTimes > 1 {
				c.add(NoDoublePay, o, "%s 付款 %d 次", p.No, s.paidTimes)
			}
			if s.paidTimes > 0 && s.paid/int64(s.paidTimes) != o.Amount {
				c.add(NoLoss, o, "渠道付出 %d 分，应为 %d 分", s.paid, o.Amount)
			}
		}
	}
	for _, d := range o.Debits {
		if s := c.sums[d.No]; s != nil {
			t.debited, t.reversed, t.debitTimes = t.debited+s.debited, t.reversed+s.reversed, t.debitTimes+s.debitTimes
		}
	}
	last := lastPaid(c.sums, o)
	if o.PaidByHand {
		t.paid, last, paidNumbers = t.paid+o.Amount, o.Amount, paidNumbers+1
	}
	t.reversed += t.byHand(o) + t.byHand(comp)
	switch {
	case paidNumbers > 1 || t.paid-t.returned > o.Amount:
		c.add(NoDoublePay, o, "渠道付款 %d 次，共 %d 分", t.paidTimes, t.paid)
	case t.debitTimes > 1 || t.debited > o.Amount:
		c.add(NoLoss, o, "HIS 扣款 %d 次，共 %d 分", t.debitTimes, t.debited)
	case t.reversed > t.debited:
		c.add(NoLoss, o, "HIS 撤销 %d 分，多于扣款 %d 分", t.reversed, t.debited)
	}
	if o.Squared || o.Status == "suspense" || (comp.ID != "" && !finals[comp.Status]) || !finals[o.Status] {
		return
	}
	if net, paid := t.debited-t.reversed, t.paid-t.returned; net != paid {
		c.add(NoLoss, o, "%s：HIS 净扣 %d 分，渠道净付 %d 分", o.Status, net, paid)
	}
	if o.Status == "succeeded" && last != o.Amount {
		c.add(NoLoss, o, "记为已到账，渠道付出 %d 分，应为 %d 分", last, o.Amount)
	}
}

// checkParties compares who got the money, and whose card it came from, with
// the order.
func (c *checker) checkParties(o Order) {
	other := func(no, want string, parties []string) {
		for _, p := range parties {
			if want != "" && p != "" && p != want { // older ledgers name nobody
				c.add(RightParty, o, "%s 的对方是 %s，应为 %s", no, p, want)
			}
		}
	}
	for _, call := range slices.Concat(o.Payouts, o.Debits) {
		if s := c.sums[call.No]; s != nil {
			other(call.No, o.Payee, s.payees)
			other(call.No, o.Card, s.cards)
		}
	}
}

// lastPaid is what the last payout number of an order has paid.
func lastPaid(sums map[string]*tally, o Order) int64 {
	if len(o.Payouts) == 0 || sums[o.Payouts[len(o.Payouts)-1].No] == nil {
		return 0
	}
	return sums[o.Payouts[len(o.Payouts)-1].No].paid
}

// byHand is what two people have given back on the card. Where HIS could not be
// asked they have looked there and made up what was missing; where the proof
// was there, they have given back the whole amount.
func (t *tally) byHand(o Order) int64 {
	switch {
	case o.RestoredByHand && o.LookedUp:
		return t.debited - t.reversed
	case o.RestoredByHand:
		return o.Amount
	}
	return 0
}

// checkNumbers demands that a new payout number was made only after the one
// before it had been proved failed.
func (c *checker) checkNumbers(o Order) {
	for i, p := range o.Payouts {
		if i < len(o.Payouts)-1 && p.State != "refused" {
			c.add(SameContent, o, "%s 还没有被证实失败（%s），就换了新单号", p.No, p.State)
		}
	}
}

// checkSettled demands an end of every order that needs no person.
func (c *checker) checkSettled(o Order) {
	if !c.settled || finals[o.Status] || o.Status == "reviewing" {
		return
	}
	if o.Status == "suspense" && ForPeople(o.FailCode) {
		return
	}
	c.add(Convergence, o, "停在 %s（%s）", o.Status, o.FailCode)
}

// byPeople are the reasons of suspense that no query can settle.
var byPeople = map[string]bool{
	"amount_mismatch": true, "party_mismatch": true, "number_taken": true, "his_no_reversal": true, "paid_after_failure": true,
	"paid_old_number": true, "his_not_queryable": true, "card_frozen": true, "refused_for_good": true, "held_too_long": true,
	"payout_returned": true,
}

// ForPeople reports whether an order that was suspended for a reason rightly
// rests until two people decide.
func ForPeople(reason string) bool { return byPeople[reason] }

func (c *checker) checkEvents(no, status string, events []Event, finals map[string]bool) {
	o, at := Order{No: no}, ""
	for i, e := range events {
		switch {
		case e.Seq != i+1:
			c.add(FinalIsFinal, o, "事件序号 %d 应为 %d", e.Seq, i+1)
		case e.Hash != e.Want:
			c.add(FinalIsFinal, o, "事件 %d（%s）的校验值不符", e.Seq, e.Name)
		case e.From != at:
			c.add(FinalIsFinal, o, "事件 %d（%s）从 %s 出发，而状态是 %s", e.Seq, e.Name, e.From, at)
		case finals[e.From] && e.To != e.From:
			c.add(FinalIsFinal, o, "离开了终态 %s", e.From)
		}
		at = e.To
	}
	if at != status {
		c.add(FinalIsFinal, o, "状态是 %s，历史说是 %s", status, at)
	}
}

func (c *checker) checkNotices(o Order) {
	seen := map[string]bool{}
	for _, n := range o.Notices {
		if seen[n] {
			c.add(ToldOnce, o, "通知 %s 发了两次", n)
		}
		seen[n] = true
		if strings.HasPrefix(n, "succeeded/") && o.Status != "succeeded" {
			c.add(ToldOnce, o, "没有到账却通知了到账")
		}
	}
}
