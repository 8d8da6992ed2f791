package payment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/flow"
	"hospay/internal/testday"
	"hospay/money"
	"hospay/people"

	"pgregory.net/rapid"
)

// noon is the moment at which the tests begin.
var noon time.Time

func TestMain(m *testing.M) {
	if err := testday.Check(); err != nil {
		panic(err)
	}
	noon = testday.Now().In(calendar.Beijing)
	os.Exit(m.Run())
}

// world is one run: the domain between a store that may crash and other sides
// that may do anything, with a clock that only the run moves.
type world struct {
	rt interface { // a run by chance, or a test that says what happens
		Helper()
		Fatal(...any)
	}
	pick   func(label string, n int) int
	clock  time.Time
	links  bool // the page of a mixed order needs an address, which only its opening tells
	store  *memStore
	sides  *sides
	svc    *Service
	inst   Institution
	can    HISCan
	habits Habits
	healed bool
	calm   bool // faults are rare
	depth  int  // how deep actions run inside calls
	hands  map[string]flow.Action
	alone  money.Fen   // what one person may give back
	denied flow.Reason // what the centre says of an upload that it does not take; empty where it is silent
}

func newWorld(rt *rapid.T) *world {
	w := &world{rt: rt, pick: func(label string, n int) int { return rapid.IntRange(0, n-1).Draw(rt, label) }, clock: noon,
		inst: Institution{ID: "I", Active: true}, hands: map[string]flow.Action{}}
	w.can = HISCan{Bills: true, Check: w.draw("check", 4) > 0, Idempotent: w.draw("idempotent", 3) > 0, Reverse: w.draw("reverse", 2) > 0,
		Refunds: w.draw("refunds", 2) > 0}
	w.habits = Habits{OrgCode: "H1", WechatCity: "440108", InsuranceFirst: w.draw("insurance first", 2) > 0, HospPartAsReduce: w.draw("reduce",
		3) == 0,
		PartialCash: true, HISReverses: w.draw("his reverses", 2) > 0, AuthFor: 5 * time.Minute, PriceFor: 15 * time.Minute,
		OrderFor: 30 * time.Minute, RefundWait: 7 * 24 * time.Hour}
	w.calm, w.links = w.draw("calm", 3) > 0, w.draw("links", 3) == 0
	w.alone = []money.Fen{0, 400, 1_000_000}[w.draw("alone", 3)]
	w.store = newMemStore(w)
	w.sides = newSides(w)
	w.svc = NewService(w.store, w.sides, DefaultTiming(), func() time.Time { return w.clock }, nil)
	return w
}

func (w *world) fail(format string, args ...any) {
	w.rt.Helper()
	text := fmt.Sprintf(format, args...)
	for _, id := range w.store.ids() {
		o := w.store.orders[id].Order
		text += fmt.Sprintf("\n%s %s %s %s (%s %s, from %s, target %s) insured %v %s/%s total %d fund %d cash %d due %d back %d\n%s", id, o.No,
			o.BillNo, o.Status, o.FailCode, o.FailReason, o.SuspendedFrom, o.Target, o.Insured, o.Insurance, o.CashLeg, o.Total,
			o.Fund+o.Account, o.Cash, o.CashDue(), o.CashBack, w.store.story(id))
	}
	text += w.sides.story()
	w.rt.Fatal(text)
}

func (w *world) draw(label string, n int) int { return w.pick(label, n) }

// fault draws what goes wrong; after the healing nothing does.
func (w *world) fault(label string, n int) int {
	if w.healed || w.calm && w.draw("calm", 8) > 0 {
		return n
	}
	return w.draw(label, n)
}

// called checks that the intent of a call is committed, and lets others act
// while the call is under way.
func (w *world) called(kind, no, hash string) {
	if w.store.journal[kind+" "+no] != hash {
		w.fail("%s of %s without its committed intent", kind, no)
	}
	if w.inst.Frozen && (kind == CallBack || kind == CallCashBack || kind == CallUncharge) {
		w.fail("%s of %s while nothing may go back", kind, no)
	}
	w.meanwhile()
}

func (w *world) meanwhile() {
	w.sides.arrive()
	for !w.healed && w.depth < 2 && w.draw("meanwhile", 4) == 0 {
		w.depth++
		w.act()
		w.depth--
	}
}

// act is one thing that people, time, the worker or the other sides do.
func (w *world) act() {
	switch w.draw("action", 20) {
	case 0, 1:
		w.create()
	case 2, 3, 4, 5, 6:
		w.work()
	case 7, 8:
		w.pass(time.Duration(w.draw("seconds", 30)) * time.Second)
	case 9:
		if w.draw("long", 5) == 0 {
			w.pass(time.Duration(w.draw("minutes", 3000)) * time.Minute)
		}
	case 10, 11, 12, 13:
		w.sides.patientPays()
	case 14:
		w.cancelOrWake()
	case 15:
		w.authorise()
		w.agree()
	case 16, 17:
		w.refund()
	case 18:
		w.inst.Frozen = w.draw("frozen", 8) == 0
	case 19:
		w.desk()
	}
}

// pass moves the clock. A call ends within its deadline, so time stands still
// while one is under way.
func (w *world) pass(d time.Duration) {
	if w.depth > 0 {
		return
	}
	w.clock = w.clock.Add(d)
	w.sides.arrive()
}

var patient = Person{Name: "欧阳甲", IDType: "01", IDNo: "440100199001010000"}

func (w *world) create() {
	n := len(w.store.orders)
	if n >= 4 {
		return
	}
	bill := w.sides.anyBill()
	id := fmt.Sprintf("order%d", n)
	o := Order{Patient: "P", Kind: bill.Kind, BillNo: bill.No, CardNo: "C1", Title: "门诊", Channel: "wechat", Terminal: TerminalMini,
		Created: w.clock,
		Insured: w.draw("insured", 4) > 0, Area: "440100", ExpiresAt: w.clock.Add(30 * time.Minute)}
	o.ID, o.No, o.Institution, o.Status, o.NextAt = id, OrderNo(id, w.clock), "I", StatusCreated, w.clock
	o.Total, o.Secrets.Patient, o.Secrets.Payer = bill.Amount, patient, "openid"
	grant := w.grant()
	if w.draw("kiosk", 3) == 0 {
		o.Terminal, o.Kiosk, o.Secrets.Payer, o.Agreed = TerminalKiosk, "K", "", w.draw("agreed", 3) > 0
		grant.Credential = Credential{EcToken: "EC" + grant.PayAuthNo}
	}
	if o.Insured {
		o.Insurance = InsuranceOpen
		if w.draw("with credential", 6) > 0 {
			o.Secrets.grant(grant)
		}
	} else {
		o.Cash = o.Total
	}
	_ = w.store.Create(context.Background(), o)
}

func (w *world) grant() Grant {
	return Grant{Credential: Credential{PayAuthNo: "AUTH" + fmt.Sprint(w.clock.Unix())}, Holder: patient, Until: w.clock.Add(5 * time.Minute)}
}

func (w *world) work() {
	works, _ := w.store.Claim(context.Background(), "w", w.clock, w.clock.Add(w.svc.timing.Lease), 1+w.draw("claim", 3))
	w.advance(works)
}

func (w *world) advance(works []Work) {
	for _, k := range works {
		if err := w.svc.Advance(context.Background(), k); err != nil && !errors.Is(err, flow.ErrConflict) && !errors.Is(err, errCrash) {
			w.fail("advance: %v", err)
		}
	}
}

func (w *world) anyOrder() string {
	ids := w.store.ids()
	if len(ids) == 0 {
		return ""
	}
	return ids[w.draw("order", len(ids))]
}

func (w *world) cancelOrWake() {
	id := w.anyOrder()
	switch {
	case id == "":
	case w.draw("cancel", 4) == 0:
		_ = w.svc.Cancel(context.Background(), id, people.By{Kind: people.ByPatient})
	default:
		_ = w.svc.Check(context.Background(), id, people.By{Kind: people.ByStaff})
	}
}

func (w *world) authorise() {
	if id := w.anyOrder(); id != "" {
		_ = w.svc.Authorise(context.Background(), id, w.grant(), people.By{Kind: people.ByPatient})
	}
}

// agreed reports whether the patient has agreed to the split of an order.
func (w *world) agreed(no string) bool {
	for _, k := range w.store.orders {
		if k.Order.No == no {
			return k.Order.Agreed
		}
	}
	return false
}

func (w *world) agree() {
	if id := w.anyOrder(); id != "" {
		_ = w.svc.Agree(context.Background(), id, people.By{Kind: people.ByPatient})
	}
}

// judge holds after every action.
func (w *world) judge() {
	open := map[string]int{}
	for _, id := range w.store.ids() {
		o := w.store.orders[id].Order
		if !Machine.Final(o.Status) {
			open[o.BillNo]++
		}
		m := w.sides.moved(o)
		if m.back > m.cash {
			w.fail("%s: %d went back of %d", o.No, m.back, m.cash)
		}
		if o.Split.Misfit(true) != "" && o.Insurance != InsuranceOpen && o.Insurance != InsuranceUploaded && o.Insured &&
			o.Fund+o.Account+o.Cash > 0 {
			w.fail("%s: %s", o.No, o.Split.Misfit(true))
		}
		if Machine.Final(o.Status) && o.Secrets != (Secrets{}) {
			w.fail("%s keeps secrets", o.No)
		}
		if Resting(o.Status) && (o.Secrets.Auth != "" || o.Secrets.Ec != "" || o.Secrets.Revs != "") {
			w.fail("%s keeps its credential", o.No)
		}
	}
	for bill, n := range open {
		if n > 1 {
			w.fail("bill %s has %d open payments", bill, n)
		}
	}
}

// heal ends the faults and lets time pass until nothing moves any more.
func (w *world) heal() {
	w.healed, w.inst.Frozen = true, false
	for round := range 60 {
		open := false
		for _, id := range w.store.ids() {
			o := w.store.orders[id].Order
			if o.Status == StatusWaitAuth || o.Status == StatusCreated && o.Insured || o.Status == StatusSuspense {
				_ = w.svc.Authorise(context.Background(), id, w.grant(), people.By{Kind: people.ByPatient})
			}
			open = open || !Resting(o.Status)
		}
		if !open {
			return
		}
		if round < 4 { // some still pay
			w.drain()
			for range w.draw("still pays", 4) {
				w.sides.patientPays()
			}
			continue
		}
		w.sides.finish()
		w.drain()
		w.pass(time.Duration(1+min(round, 26)) * time.Hour)
	}
}

func (w *world) drain() {
	for range 3 {
		works, _ := w.store.Claim(context.Background(), "w", w.clock, w.clock.Add(w.svc.timing.Lease), 10)
		w.advance(works)
		w.pass(time.Minute)
	}
}

// end is what must hold once everything has healed.
func (w *world) end() {
	for _, id := range w.store.ids() {
		o := w.store.orders[id].Order
		if !Resting(o.Status) {
			if !w.settled(id) {
				w.fail("%s is left to people although a query could settle it", o.No)
			}
			continue
		}
		m := w.sides.moved(o)
		if hand := w.hands[id]; hand == ActionRefunded || hand == ActionUnpaid || hand == ActionPaid || hand == ActionWritten {
			continue // people have made up what was missing
		}
		kept := m.cash - m.back
		switch {
		case (Unpaid(o.Status) || o.Status == StatusRefunded) && (kept != 0 || m.insured != 0):
			w.fail("%s ended %s with %d in cash and %d of the insurance", o.No, o.Status, kept, m.insured)
		case o.Status == StatusDone && (!m.charged || kept != o.CashDue() || m.insured != o.Fund+o.Account):
			w.fail("%s is done: charged %v, cash %d, insurance %d", o.No, m.charged, kept, m.insured)
		case o.Status == StatusPartRefunded && (kept != o.CashKept() || (m.insured != 0) != (o.Insurance == InsuranceSettled &&
			o.Fund+o.Account > 0)):
			w.fail("%s is partly refunded: cash %d of %d, insurance %d", o.No, kept, o.CashKept(), m.insured)
		case (Unpaid(o.Status)) && m.charged:
			w.fail("%s ended %s and HIS has it paid", o.No, o.Status)
		}
	}
}

// settled says whether an order that waits for people rightly does so.
func (w *world) settled(id string) bool {
	o := w.store.orders[id].Order
	if o.Status != StatusSuspense {
		return false
	}
	if w.store.read(id).Proposal != nil {
		return true
	}
	switch flow.Code(o.FailCode) {
	case flow.CodeHISNotQueryable, flow.CodeRefusedForGood, flow.CodeHeldTooLong, CodeRefundRefused, CodeCashRefundFailed, CodeRefundUnclear,
		CodeContradicted, CodeReversalUnproved:
		return true
	}
	return false
}

// TestMachine_BooksAgreeWhateverHappens plays random runs and heals them.
func TestMachine_BooksAgreeWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt)
		w.create()
		for range rapid.IntRange(0, 120).Draw(rt, "length") {
			w.act()
			w.judge()
		}
		w.heal()
		w.judge()
		w.end()
		w.people()
		w.heal()
		w.judge()
		w.end()
		w.deskIsEmpty()
	})
}
