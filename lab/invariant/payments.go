package invariant

import (
	"slices"
	"strings"
)

// The invariants of payments, beside those that hold for both.
const (
	OnePayment  = "P1 一张账单只缴一次"
	PartsFit    = "P2 各方分项之和等于总额"
	WrittenPaid = "P3 HIS 已收费且款已到，或全部撤回"
	NoHalf      = "P4 医保未成不留现金"
	BackOnce    = "P5 只退一次，不多退"
	LookFirst   = "P6 退之前先查"
	Forgotten   = "P7 凭据随订单销毁"
)

// Payment is a payment order as our tables tell it. Amounts are fen.
type Payment struct {
	ID, No, Bill, Card, Status, Insurance, CashState, SuspendedFrom, FailCode string
	Insured                                                                   bool
	Total, Fund, Account, Own, Family, Cash, Other, Added, Reduced, CashBack  int64
	TradeNo                                                                   string
	Calls                                                                     []PaymentCall
	Refunds                                                                   []PaymentRefund
	Events                                                                    []Event
	Secrets                                                                   bool // something is still sealed
	ByHand                                                                    bool // two people have made up what was missing
}

// PaymentCall is a journal row of a payment.
type PaymentCall struct {
	Call
	Kind    string
	Attempt int
}

// PaymentRefund is a wish to give back.
type PaymentRefund struct {
	Seq                 int
	Kind, State         string
	ByItself            bool
	Told                bool // HIS has made it itself
	Fund, Account, Cash int64
}

var (
	unpaid        = map[string]bool{"cancelled": true, "expired": true}
	paymentFinals = map[string]bool{"cancelled": true, "expired": true, "refunded": true}
	paymentRests  = map[string]bool{"cancelled": true, "expired": true, "refunded": true, "done": true, "part_refunded": true}
)

// numbered are the calls of a payment by the numbers that were sent: an order of
// insurance and cash bears that of its trade, also where there is none.
func (p Payment) numbered() []Call {
	var out []Call
	for _, c := range p.Calls {
		out = append(out, c.Call)
		if c.Kind == "mixed" && !p.called("trade") {
			c.No = p.TradeNo
			out = append(out, c.Call)
		}
	}
	return out
}

// called reports whether a number of a kind was written down.
func (p Payment) called(kind string) bool {
	return slices.ContainsFunc(p.Calls, func(c PaymentCall) bool { return c.Kind == kind })
}

// due is what the channel takes.
func (p Payment) due() int64 { return p.Cash + p.Added - p.Reduced }

// kept is what the tables say is still here, when the order rests.
func (p Payment) kept() (cash, insurance int64) {
	if paymentFinals[p.Status] {
		return 0, 0
	}
	if p.Insurance == "settled" {
		insurance = p.Fund + p.Account
	}
	switch {
	case p.CashState == "refunded":
	case p.Status == "done", p.CashState == "paid", p.CashState == "part_refunded":
		cash = p.due() - p.CashBack
	}
	return cash, insurance
}

// sums are what the ledgers say of one payment.
type payTally struct {
	paid, back                        int64 // at the channel
	fund, account, reversed           int64 // at the centre
	charged, uncharged                int64 // at HIS
	payTimes, fundTimes, accountTimes int
	backTimes, cards                  []string
	pays, chargeSums                  []int64
}

func (t payTally) cash() int64      { return t.paid - t.back }
func (t payTally) insurance() int64 { return t.fund + t.account - t.reversed }
func (t payTally) written() int64   { return t.charged - t.uncharged }

// tallies adds the ledgers up by the payments whose numbers they name.
func (c *checker) tallies(l Ledgers) (map[string]*payTally, map[string]string) {
	owner, out := map[string]string{}, map[string]*payTally{}
	for _, p := range c.books.Payments {
		out[p.ID] = &payTally{}
		for _, call := range p.numbered() {
			owner[call.No] = p.ID
		}
	}
	for _, e := range l.Channels {
		no := e.No
		if e.Kind == "refund" && owner[no] == "" {
			no = e.Of
		}
		t := out[owner[no]]
		switch {
		case t == nil:
		case e.Kind == "pay":
			t.paid, t.payTimes, t.pays = t.paid+e.Amount, t.payTimes+1, append(t.pays, e.Amount)
		case e.Kind == "refund":
			t.back, t.backTimes = t.back+e.Amount, append(t.backTimes, e.No)
		case e.Kind == "return":
			t.back -= e.Amount
		}
	}
	for _, e := range l.Centre {
		t := out[owner[e.No]]
		switch {
		case t == nil:
		case e.Kind == "fund":
			t.fund, t.fundTimes = t.fund+e.Amount, t.fundTimes+1
		case e.Kind == "account":
			t.account, t.accountTimes = t.account+e.Amount, t.accountTimes+1
		case e.Kind == "reversal":
			t.reversed += e.Amount
		}
	}
	for _, e := range l.HIS {
		t := out[owner[e.No]]
		switch {
		case t == nil:
		case e.Kind == "charge":
			t.charged, t.chargeSums, t.cards = t.charged+e.Amount, append(t.chargeSums, e.Amount), append(t.cards, e.Party)
		case e.Kind == "uncharge":
			t.uncharged += e.Amount
		}
	}
	return out, owner
}

// checkPayments compares every payment with the books of HIS, centre and
// channels, and the payments of one bill with each other.
func (c *checker) checkPayments(l Ledgers) {
	sums, owner := c.tallies(l)
	asked := map[string][]Request{}
	for _, r := range l.Requests {
		if r.Side == "centre" {
			asked[owner[r.No]] = append(asked[owner[r.No]], r)
		}
	}
	bills := map[string][]Payment{}
	for _, p := range c.books.Payments {
		bills[p.Card+" "+p.Bill] = append(bills[p.Card+" "+p.Bill], p)
		t, o := sums[p.ID], Order{No: p.No}
		c.checkEvents(p.No, p.Status, p.Events, paymentFinals)
		c.checkParts(p, *t)
		c.checkBack(p, *t)
		c.checkCentre(p, asked[p.ID])
		c.checkRest(p, *t)
		if paymentFinals[p.Status] && p.Secrets {
			c.add(Forgotten, o, "%s 的订单还留着凭证", p.Status)
		}
		for _, card := range t.cards {
			if card != p.Card {
				c.add(RightParty, o, "HIS 记在卡 %s 上，应为 %s", card, p.Card)
			}
		}
	}
	for _, of := range bills {
		c.checkBill(of, sums)
	}
}

// checkBill demands one payment of a bill: one that is not at its end, and one
// that anybody has paid and not got back.
func (c *checker) checkBill(of []Payment, sums map[string]*payTally) {
	open, paid := 0, 0
	for _, p := range of {
		if !paymentFinals[p.Status] {
			open++
		}
		if t := sums[p.ID]; t.cash() > 0 || t.insurance() > 0 {
			paid++
		}
	}
	if open > 1 || paid > 1 {
		c.add(OnePayment, Order{No: of[0].No}, "账单 %s 有 %d 笔未结束的缴费，%d 笔收了钱", of[0].Bill, open, paid)
	}
}

// checkParts compares the parts of a payment with its total, and what each side
// has booked with them.
func (c *checker) checkParts(p Payment, t payTally) {
	o := Order{No: p.No}
	told := !p.Insured || p.has("price", "done")
	sum := p.Fund + p.Account + p.Cash
	switch {
	case told && sum != p.Total && sum+p.Other != p.Total:
		c.add(PartsFit, o, "总额 %d 分，各部分之和 %d 分", p.Total, sum+p.Other)
	case told && p.Own+p.Family != p.Account:
		c.add(PartsFit, o, "个人账户 %d 分，本人与共济之和 %d 分", p.Account, p.Own+p.Family)
	}
	for _, fen := range t.pays {
		if fen != p.due() {
			c.add(PartsFit, o, "渠道收了 %d 分，应为 %d 分", fen, p.due())
		}
	}
	if t.fundTimes+t.accountTimes > 0 && (t.fund != p.Fund || t.account != p.Account) {
		c.add(PartsFit, o, "医保中心基金 %d 分、账户 %d 分，应为 %d 和 %d 分", t.fund, t.account, p.Fund, p.Account)
	}
	for _, fen := range t.chargeSums {
		if fen != p.Total {
			c.add(PartsFit, o, "HIS 入账 %d 分，应为 %d 分", fen, p.Total)
		}
	}
	if t.payTimes > 1 || t.fundTimes > 1 || t.accountTimes > 1 || len(t.chargeSums) > 1 {
		c.add(OnePayment, o, "渠道收款 %d 次，医保结算 %d 次，HIS 入账 %d 次", t.payTimes, max(t.fundTimes, t.accountTimes), len(t.chargeSums))
	}
}

// checkBack demands that nothing went back twice, nor more than was there.
func (c *checker) checkBack(p Payment, t payTally) {
	o, seen := Order{No: p.No}, map[string]bool{}
	for _, no := range t.backTimes {
		if seen[no] {
			c.add(BackOnce, o, "%s 退了两次", no)
		}
		seen[no] = true
	}
	switch {
	case t.back > t.paid:
		c.add(BackOnce, o, "渠道退了 %d 分，收了 %d 分", t.back, t.paid)
	case t.reversed > t.fund+t.account:
		c.add(BackOnce, o, "医保退了 %d 分，结算了 %d 分", t.reversed, t.fund+t.account)
	case t.uncharged > t.charged:
		c.add(BackOnce, o, "HIS 冲正 %d 分，入账 %d 分", t.uncharged, t.charged)
	}
}

// checkRest holds a payment that rests against all books. One that does not rest
// is a violation itself, once a query could settle it.
func (c *checker) checkRest(p Payment, t payTally) {
	o := Order{No: p.No}
	if !paymentRests[p.Status] {
		if c.settled && p.Status != "refund_wait_auth" && !(p.Status == "suspense" && PaymentForPeople(p.FailCode)) {
			c.add(Convergence, o, "停在 %s（%s）", p.Status, p.FailCode)
		}
		return
	}
	if p.ByHand {
		return
	}
	cash, insurance := p.kept()
	if t.cash() != cash || t.insurance() != insurance {
		c.add(WrittenPaid, o, "%s：渠道留 %d 分，应为 %d 分；医保留 %d 分，应为 %d 分", p.Status, t.cash(), cash, t.insurance(), insurance)
	}
	if least, most := p.written(); t.written() < least || t.written() > most {
		c.add(WrittenPaid, o, "%s：HIS 净入账 %d 分，应为 %d 分", p.Status, t.written(), most)
	}
	if p.Insured && p.Fund+p.Account > 0 && t.insurance() == 0 && t.cash() > 0 && !p.insuranceGivenBack() {
		c.add(NoHalf, o, "%s：医保没有支付，渠道还留着 %d 分", p.Status, t.cash())
	}
}

// written is what HIS should have of a payment that rests, at least and at most:
// the bill, without what it was told to have gone back. Of a refund that HIS did
// not answer to, staff has an alarm, and HIS may know it or not.
func (p Payment) written() (least, most int64) {
	if unpaid[p.Status] || !p.has("charge", "done") || p.has("uncharge", "done") {
		return 0, 0
	}
	least, most = p.Total, p.Total
	for _, r := range p.Refunds {
		if r.State != "done" {
			continue
		}
		least -= r.Fund + r.Account + r.Cash
		if !r.Told && !p.givenUp(r.Seq) { // what HIS has done itself is in its own book, or not
			most -= r.Fund + r.Account + r.Cash
		}
	}
	return least, most
}

// givenUp reports whether HIS could not be told of a refund, and staff heard of it.
func (p Payment) givenUp(seq int) bool {
	alarm := false
	for _, e := range p.Events {
		alarm = alarm || e.Name == "told_his.given_up"
	}
	for _, c := range p.Calls {
		if c.Kind == "told_his" && c.Attempt == seq && c.State == "refused" {
			return alarm
		}
	}
	return false
}

// has reports whether a call of a kind came to a state.
func (p Payment) has(kind, state string) bool {
	for _, c := range p.Calls {
		if c.Kind == kind && c.State == state {
			return true
		}
	}
	return false
}

// insuranceGivenBack reports whether people have wished the insurance's part back
// alone.
func (p Payment) insuranceGivenBack() bool {
	for _, r := range p.Refunds {
		if r.State == "done" && r.Kind != "cash" && !r.ByItself {
			return true
		}
	}
	return false
}

// paymentsByPeople are the reasons of suspense that no query can settle.
var paymentsByPeople = map[string]bool{
	"amount_mismatch": true, "party_mismatch": true, "number_taken": true, "contradicted": true, "his_not_queryable": true,
	"refused_for_good": true, "held_too_long": true, "pending_too_long": true, "half_paid": true, "refund_refused": true,
	"refund_unclear": true, "refund_no_auth": true, "cash_refund_failed": true, "cash_gone": true, "reversal_unproved": true,
	"parts_lost": true, "payment_lost": true, "refund_unproved": true,
}

// PaymentForPeople reports whether a payment that was suspended for a reason
// rightly rests until two people decide.
func PaymentForPeople(reason string) bool { return paymentsByPeople[reason] }

// byHand are the events by which two people make up what was missing.
func byHand(event string) bool {
	return strings.HasSuffix(event, "_by_hand") || strings.HasSuffix(event, ".by_hand")
}
