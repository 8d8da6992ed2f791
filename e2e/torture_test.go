package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/internal/testday"
	"hospay/lab/invariant"
	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/people"
	"hospay/refund"
	"hospay/sim"
	"hospay/sim/alipay"
	"hospay/sim/all"
	"hospay/sim/wechat"
)

// number reads a count from the environment.
func number(name string, other int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return other
}

// TestTorture_SeededFaults plays random days against misbehaving other sides,
// with crashes in the middle of steps, then lets everything heal and compares
// all books. TORTURE_SEEDS says how many days, TORTURE_FIRST the first seed.
func TestTorture_SeededFaults(t *testing.T) {
	seeds, first := number("TORTURE_SEEDS", 20), number("TORTURE_FIRST", 1)
	if seeds == 0 {
		return
	}
	var orders, payments atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for i := range seeds {
			seed := uint64(first + i)
			t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
				t.Parallel()
				refunds, paid := tortureOne(t, seed)
				orders.Add(int64(refunds))
				payments.Add(int64(paid))
			})
		}
	})
	t.Logf("%d seeds, %d refunds, %d payments", seeds, orders.Load(), payments.Load())
}

// day is one random day.
type day struct {
	*testapp.App
	rng      *rand.Rand
	patients []*testapp.Patient
	reviewer string
	orders   []string
	crash    *crasher
	staff    map[string]string // account → id
	till     *till             // payments of the same day; nil without
}

func tortureOne(t *testing.T, seed uint64) (refunds, payments int) {
	rng := rand.New(rand.NewPCG(seed, 7))
	crash := &crasher{rng: rand.New(rand.NewPCG(seed, 11))}
	sims, err := all.Start(t.Context(), all.Options{Seed: 1, Patients: 20, SecondHIS: true, Ahead: testday.Ahead()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sims.Close() })
	a := testapp.New(t, testapp.Config{Sims: sims, Wrap: func(s refund.Store) refund.Store { crash.Store = s; return crash },
		WrapBills: func(s payment.Store) payment.Store { return &payCrasher{s, crash} }})
	if err := a.Sims.WeChat.Settings().Update(func(s *wechat.Settings) error {
		s.RefundGapSec, s.CallbackScale = 0, 0.01
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	d := newDay(t, a, rng, crash)
	d.till = newTill(t, d)
	d.misbehave(seed)
	for range 200 {
		if rng.IntN(2) == 0 {
			d.act()
			continue
		}
		d.till.act()
		d.Advance(time.Duration(rng.IntN(90)) * time.Second)
		d.work()
	}
	d.heal()
	d.verify(t, seed)
	d.settle(t, seed)
	d.till.settle(seed)
	return len(d.orders), len(d.till.orders)
}

func newDay(t *testing.T, a *testapp.App, rng *rand.Rand, crash *crasher) *day {
	d := &day{App: a, rng: rng, crash: crash, reviewer: a.Staff("reviewer1"), staff: map[string]string{}}
	for _, who := range []string{"reviewer1", "finance"} {
		rec, err := a.Runtime.App.FindAuthRecordByEmail(collections.Staff, who+"@demo.hospay")
		if err != nil {
			t.Fatal(err)
		}
		d.staff[who] = rec.Id
	}
	for i := range 6 {
		d.patients = append(d.patients, a.Login(fmt.Sprintf("P%04d", 1+i*3), []string{"wechat", "alipay"}[i%2]))
	}
	return d
}

// misbehave plans random faults on every side.
func (d *day) misbehave(seed uint64) {
	for i, core := range d.cores() {
		plan := sim.Plan{Seed: int64(seed)*10 + int64(i), Rate: 0.1 + 0.4*d.rng.Float64(),
			With: []string{"late", "lies", "refusals", "lost", "odd", "bills", "centre", "mixed"}}
		if d.rng.IntN(4) > 0 { // mostly leave reading alone, so that many orders are taken
			plan.Ops = []string{"debit", "query_debit", "reverse", "query_reverse", "transfer", "query", "refund", "refund_query", "cancel",
				"callback", "order", "order_query", "order_close", "mixed", "mixed_query", "mixed_notice", "order_sync", "settle", "upload", "undo",
				"charge", "trade_check", "uncharge", "uncharge_check", "refund_notice"}
		}
		if err := core.Faults().Set(plan); err != nil {
			d.TB.Fatal(err)
		}
	}
	d.crash.set(0.15 * d.rng.Float64())
}

// act does one random thing that people, time or the other sides may do.
func (d *day) act() {
	switch n := d.rng.IntN(100); {
	case n < 35:
		d.apply()
	case n < 55:
		d.decide()
	case n < 60:
		d.cancel()
	case n < 72:
		d.confirm()
	case n < 74:
		d.move()
	}
	d.pass()
}

// pass lets time go by, mostly a little, and the worker work.
func (d *day) pass() {
	if d.rng.IntN(9) == 0 {
		d.Advance(time.Duration(d.rng.IntN(26)) * time.Hour)
	} else {
		d.Advance(time.Duration(d.rng.IntN(400)) * time.Second)
	}
	d.work()
}

// cores are the other sides that misbehave.
func (d *day) cores() []*sim.Core {
	all := []*sim.Core{d.Sims.WeChat.Core, d.Sims.Alipay.Core, d.Sims.HIS.Core, d.Sims.Centre.Core}
	if d.Sims.HIS2 != nil {
		all = append(all, d.Sims.HIS2.Core)
	}
	return all
}

// move changes the merchant, the application or the HIS, or changes it back.
func (d *day) move() {
	t := d.TB.(*testing.T)
	if d.Sims.HIS2 == nil {
		return
	}
	switch d.rng.IntN(3) {
	case 0:
		moveWeChat(t, d.App, []string{wechat.MchID, wechat.SecondMchID}[d.rng.IntN(2)])
	case 1:
		moveAlipay(t, d.App, []string{"app_id=" + alipay.CertAppID, "app_id=" + alipay.SecondAppID,
			"merchant=" + alipay.SecondPID}[d.rng.IntN(3)])
	case 2:
		set(t, d.App, collections.HISConfigs, "active = true", map[string]any{
			"base_url": []string{d.Sims.HIS.URL(), d.Sims.HIS2.URL()}[d.rng.IntN(2)]})
	}
}

func (d *day) apply() {
	p := d.patients[d.rng.IntN(len(d.patients))]
	channel := []string{"wechat", "alipay"}[d.rng.IntN(2)]
	method := []string{"transfer", "transfer", "transfer", "original"}[d.rng.IntN(4)]
	res := p.Apply(channel, method, int64(100+d.rng.IntN(3000)), nil)
	if res.Status == http.StatusOK {
		d.orders = append(d.orders, res.Text("id"))
	}
}

// statuses are those of all orders of a kind.
func (d *day) statuses(collection string) map[string]string {
	var rows []struct {
		ID     string `db:"id"`
		Status string `db:"status"`
	}
	if err := d.Runtime.App.ConcurrentDB().Select("id", "status").From(collection).All(&rows); err != nil {
		d.TB.Fatal(err)
	}
	out := make(map[string]string, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Status
	}
	return out
}

// live are the refunds that are not at their end.
func (d *day) live() (out []refund.Work) {
	status := d.statuses(collections.RefundOrders)
	for _, id := range d.orders {
		if !refund.Machine.Final(refund.Status(status[id])) {
			out = append(out, d.Order(id))
		}
	}
	return out
}

func (d *day) anyOrder() string {
	if len(d.orders) == 0 {
		return ""
	}
	return d.orders[d.rng.IntN(len(d.orders))]
}

func (d *day) decide() {
	id := d.anyOrder()
	if id == "" || d.Order(id).Order.Status != refund.StatusReviewing {
		return
	}
	if d.rng.IntN(5) == 0 {
		d.Review(d.reviewer, id, "reject", "抽查驳回")
		return
	}
	d.Review(d.reviewer, id, "approve", "")
}

func (d *day) cancel() {
	if id := d.anyOrder(); id != "" {
		_ = d.Service.Cancel(d.TB.Context(), id, people.By{Kind: people.ByPatient})
	}
}

// confirm lets payees confirm, with what their page was given and nothing else.
func (d *day) confirm() {
	for _, w := range d.live() {
		if w.Order.Status != refund.StatusAwaitingPayee || w.Order.Channel != "wechat" || d.rng.IntN(2) > 0 {
			continue
		}
		c := w.Transfer.Confirm
		_ = d.Sims.WeChat.ConfirmShown(w.Transfer.No, wechat.Shown{Package: c.Package, MchID: c.MchID, AppID: c.AppID})
	}
}

// work lets the worker go on. A crash ends its step where it stands; the
// lease runs out before anybody takes the order again.
func (d *day) work() {
	for range 3 {
		_, err := d.Worker.Drain(d.TB.Context())
		if err == nil {
			return
		}
		if !errors.Is(err, errCrash) {
			d.TB.Fatal(err)
		}
	}
}

// heal ends all faults and lets people and time finish every order.
func (d *day) heal() {
	for _, core := range d.cores() {
		core.Faults().Clear()
	}
	if d.till != nil {
		d.till.honest()
	}
	d.crash.set(0)
	for round := range 400 {
		open := 0
		if d.till != nil {
			open = d.till.open()
		}
		for _, w := range d.live() {
			switch o := w.Order; {
			case o.Status == refund.StatusReviewing:
				d.Review(d.reviewer, o.ID, "approve", "")
				open++
			case o.Status == refund.StatusSuspense && invariant.ForPeople(o.FailCode):
			default:
				open++
			}
		}
		if open == 0 {
			break
		}
		if round > 20 {
			d.Advance(30 * time.Minute)
		} else {
			d.Advance(2 * time.Minute)
		}
		d.confirm()
		d.work()
	}
}

// verify compares the books with the ledgers, but for what cannot hold here.
func (d *day) verify(t *testing.T, seed uint64, but ...string) {
	books, err := invariant.Load(d.Runtime.App.ConcurrentDB())
	if err != nil {
		t.Fatal(err)
	}
	ledgers, err := invariant.Fetch(sides(d.App))
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range books.Orders {
		if w := d.Order(o.ID); w.Order.Method == refund.MethodTransfer {
			books.Orders[i].Payee = w.Order.Payee.Account
		}
	}
	countedRight(t, d.App)
	broken := invariant.Check(books, ledgers, true)
	for _, v := range broken {
		if slices.Contains(but, v.Invariant) {
			continue
		}
		for _, id := range d.orders {
			if w := d.Order(id); w.Order.No == v.Order {
				t.Logf("   payout %+v, debit %+v, reversal %+v", w.Transfer, w.Debit, w.Reversal)
			}
		}
		t.Errorf("seed %d: %s", seed, v)
		if d.till != nil {
			for _, id := range d.till.orders {
				if d.till.one(id).Order.No == v.Order {
					t.Log(d.till.story(id))
				}
			}
		}
		for _, o := range books.Orders {
			if o.No == v.Order {
				for _, e := range o.Events {
					t.Logf("   %d %s %s→%s", e.Seq, e.Name, e.From, e.To)
				}
			}
		}
	}
}

// settle holds that two people can end whatever rests on the desk.
func (d *day) settle(t *testing.T, seed uint64) {
	d.Advance(80 * time.Hour)
	d.work()
	for _, id := range d.orders {
		if o := d.Order(id).Order; o.Status == refund.StatusSuspense && !d.end(id) {
			t.Errorf("seed %d: nothing ends %s, %s from %s", seed, o.No, o.FailCode, o.SuspendedFrom)
		}
	}
}

func (d *day) end(id string) bool {
	for _, a := range slices.Backward(refund.Actions()[1:]) {
		by := func(who string) people.By { return people.By{Kind: people.ByStaff, ID: d.staff[who], Person: who} }
		p := flow.Proposal{Action: a, By: by("reviewer1"), Reason: "核实"}
		if d.Service.Propose(d.TB.Context(), id, p, "V1") != nil {
			continue
		}
		if d.Service.Confirm(d.TB.Context(), id, flow.Seen{Action: a}, by("finance"), "") == nil {
			d.work()
		}
		if refund.Machine.Final(d.Order(id).Order.Status) {
			return true
		}
	}
	return false
}

// crasher stands between the domain and the store and lets the program die at
// the two moments that matter: after a call and before its outcome is written,
// and after a commit and before what follows it.
type crasher struct {
	refund.Store
	mu   sync.Mutex
	rng  *rand.Rand
	rate float64
}

// dies draws whether this commit is the last thing that happens, and whether
// it still happens.
func (c *crasher) dies() (dies, writes bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rate > 0 && c.rng.Float64() < c.rate, c.rng.IntN(2) == 0
}

func (c *crasher) set(rate float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rate = rate
}

var errCrash = errors.New("crash")

// Commit writes or does not write, and may never return to its caller.
func (c *crasher) Commit(ctx context.Context, change *refund.Change) error {
	dies, writes := c.dies()
	if !dies {
		return c.Store.Commit(ctx, change)
	}
	if writes {
		if err := c.Store.Commit(ctx, change); err != nil {
			return err
		}
	}
	return errCrash
}
