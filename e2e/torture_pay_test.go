package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/lab/invariant"
	"hospay/payment"
	"hospay/people"
	"hospay/sim/centre"
	simhis "hospay/sim/his"
	"hospay/sim/world"

	"github.com/pocketbase/pocketbase/core"
)

// till is what patients pay on a random day, beside the refunds of it.
type till struct {
	*day
	t       *testing.T
	wallets []*wallet
	orders  []string
	channel map[string]string // order → channel
	shown   map[string]bool   // orders whose payment page somebody has opened
	ways    map[string]int    // how they ended
}

// wallet is a patient with an account at both channels; one uses the phone of a
// relative, who pays for them (亲情付).
type wallet struct {
	who, phone *world.Patient
	id         string
}

func newTill(t *testing.T, d *day) *till {
	b := &till{day: d, t: t, channel: map[string]string{}, shown: map[string]bool{}, ways: map[string]int{}}
	for _, p := range [][2]string{{"P0003", "P0003"}, {"P0005", "P0005"}, {"P0002", "P0014"}, {"P0011", "P0011"}, {"P0009", "P0009"},
		{"P0017", "P0017"}} {
		w := &wallet{who: d.Sims.World.Find(p[0]), phone: d.Sims.World.Find(p[1])}
		for _, via := range []string{"wechat", "alipay"} {
			in := d.LoginOn(p[0], via, p[1])
			if res := d.Call("GET", "/api/hospay/cards", in.Token, nil); res.Status != 200 {
				t.Fatalf("%s", res.Raw)
			}
			w.id = in.ID
		}
		b.wallets = append(b.wallets, w)
	}
	b.habits()
	return b
}

// habits gives the region and the sides habits that differ from seed to seed.
func (b *till) habits() {
	one := func(words ...string) string { return words[b.rng.IntN(len(words))] }
	order := one("cash_first", "cash_first", "insurance_first")
	set(b.t, b.App, collections.CentreConfigs, "active = true", map[string]any{"region": fmt.Sprintf(
		`{"base":"guangzhou","areas":[],"order":%q,"after_refused_write":%q,"refund_form":%q,"hosp_part_as_reduce":%t}`,
		order, one("his", "credential"), one("filled", "bare"), b.rng.IntN(2) == 0)})
	err := b.Sims.Centre.Settings().Update(func(s *centre.Settings) error {
		s.MoneyOrder, s.AnyCredential, s.FamilyPart = order, false, int64(b.rng.IntN(3)*20)
		return nil
	})
	if err == nil {
		err = b.Sims.HIS.Settings().Update(func(s *simhis.Settings) error {
			s.UnchargeSupported = b.rng.IntN(3) > 0
			return nil
		})
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// act does one random thing that payers, staff or the other sides may do.
func (b *till) act() {
	switch n := b.rng.IntN(100); {
	case n < 30:
		b.buy()
	case n < 62:
		b.pay()
	case n < 68:
		b.cancel()
	case n < 80:
		b.refund()
	case n < 90:
		b.authorise(true)
	case n < 95:
		b.script()
	default:
		b.meanwhile()
	}
}

// told ends the test at an error that no other side can have caused.
func (b *till) told(err error) {
	b.t.Helper()
	if err != nil && flow.CodeOf(err) == "" && !errors.Is(err, errCrash) {
		b.t.Fatal(err)
	}
}

// buy is a bill with what belongs to it: whose insurance, which benefit, the
// credential, and the order. Each may fail; then nothing was charged.
func (b *till) buy() {
	w, channel := b.wallets[b.rng.IntN(len(b.wallets))], []string{"wechat", "alipay"}[b.rng.IntN(2)]
	kind := []payment.Kind{payment.KindOutpatient, payment.KindRegistration}[b.rng.IntN(2)]
	fen, insured := int64(100+b.rng.IntN(40_000)), b.rng.IntN(10) < 7
	no, err := b.Sims.HIS.AddBill(simhis.Bill{Patient: w.who.Code, Kind: string(kind), Amount: fen, Insurable: insured})
	if err != nil {
		b.t.Fatal(err)
	}
	a := payment.Application{ID: core.GenerateDefaultRandomId(), Institution: b.Institution, Patient: w.id, BillNo: no, CardNo: w.who.Cards[0],
		Channel: channel, Terminal: payment.TerminalMini, Insured: insured}
	if insured {
		a.Area = map[string]string{"P0009": "440300"}[w.who.Code]
		if a.Area == "" {
			a.Area = "440100"
		}
		if !b.identify(w, a) {
			return
		}
		b.plan(w, fen)
		if b.rng.IntN(8) > 0 {
			b.grant(w, channel)
		}
	}
	if _, err = b.Runtime.Bills.Create(b.t.Context(), a); err != nil {
		b.told(err)
		return
	}
	b.orders, b.channel[a.ID] = append(b.orders, a.ID), channel
	if b.rng.IntN(4) == 0 { // on a second device
		a.ID = core.GenerateDefaultRandomId()
		if _, err := b.Runtime.Bills.Create(b.t.Context(), a); err == nil {
			b.t.Errorf("two orders of bill %s", no)
		}
	}
}

// identify lets HIS know which benefit a bill is settled by.
func (b *till) identify(w *wallet, a payment.Application) bool {
	ctx := b.t.Context()
	his, err := b.Store.Payments().HIS(ctx, b.Institution)
	if err != nil {
		b.t.Fatal(err)
	}
	who, err := b.Store.Payments().Insured(ctx, w.id, a.CardNo)
	if err != nil {
		b.t.Fatal(err)
	}
	e, err := his.Enrolment(ctx, who, a.Area)
	if err != nil || !e.Enrolled || len(e.Benefits) == 0 {
		return false
	}
	benefit := e.Benefits[b.rng.IntN(len(e.Benefits))]
	return his.SaveIdentity(ctx, payment.Identity{Insured: who, BillNo: a.BillNo, Area: a.Area, PsnNo: e.PsnNo, Benefit: benefit,
		Channel: a.Channel}) == nil
}

// plan says now and then how the next bill of a person is split: all of it by
// the insurance, nothing, the family's account, and what is neither.
func (b *till) plan(w *wallet, fen int64) {
	p := centre.Planned{IDNo: w.who.IDNo}
	switch b.rng.IntN(6) {
	case 0:
		p.Fund = fen
	case 1:
		p.Fund, p.Account = fen/2, fen-fen/2
	case 2: // nothing: all cash after the price
	case 3:
		p.Fund, p.Account, p.Family = fen/3, fen/4, fen/8
	case 4:
		p.Fund, p.Other, p.Hospital = fen/2, fen/5, fen/10
	default:
		return
	}
	if err := b.Sims.Centre.Split(p); err != nil {
		b.t.Fatal(err)
	}
}

// grant walks the channel's page to a credential, as the holder of the phone.
func (b *till) grant(w *wallet, channel string) (g payment.Grant, ok bool) {
	ask := payment.AuthoriseAsk{Institution: b.Institution, Patient: w.id, CardNo: w.who.Cards[0], Channel: channel,
		Terminal: payment.TerminalH5, Back: "http://hospital.example/back"}
	way, g, err := b.Runtime.Bills.Authorisation(b.t.Context(), ask)
	if err != nil || way.Granted {
		b.told(err)
		return g, err == nil && g.Single()
	}
	page := way.URL
	if strings.Contains(page, "/oauth/code") {
		page += "&patient=" + w.phone.Code
	}
	treated := ""
	if w.phone != w.who {
		treated = w.who.Code
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.PostForm(page, url.Values{"for": {treated}})
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	res.Body.Close()
	to, err := res.Location()
	if err != nil {
		return g, false
	}
	_, g, err = b.Runtime.Bills.Credential(b.t.Context(), ask, to.Query().Get("authCode"))
	b.told(err)
	return g, err == nil && g.Single()
}

func (b *till) one(id string) payment.Work {
	w, err := b.Store.Payments().Get(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return w
}

// live are the orders that are not at their end.
func (b *till) live() (out []payment.Work) {
	status := b.statuses(collections.PaymentOrders)
	for _, id := range b.orders {
		if !payment.Resting(payment.Status(status[id])) {
			out = append(out, b.one(id))
		}
	}
	return out
}

// pay lets patients pay what their pages show, and what they have shown before:
// nobody tells a phone that the order was cancelled meanwhile.
func (b *till) pay() {
	for _, w := range b.live() {
		id := w.Order.ID
		if _, ok, err := b.Runtime.Bills.Page(b.t.Context(), w); err == nil && ok {
			b.shown[id] = true
		}
		if !b.shown[id] || b.rng.IntN(2) == 0 {
			continue
		}
		if b.channel[id] == "wechat" {
			_ = b.Sims.WeChat.Pay(w.Order.TradeNo)
		} else {
			_ = b.Sims.Alipay.Pay(w.Order.TradeNo)
		}
	}
}

func (b *till) some() (payment.Work, bool) {
	if len(b.orders) == 0 {
		return payment.Work{}, false
	}
	return b.one(b.orders[b.rng.IntN(len(b.orders))]), true
}

func (b *till) cancel() {
	if w, ok := b.some(); ok {
		b.told(b.Runtime.Bills.Cancel(b.t.Context(), w.Order.ID, people.By{Kind: people.ByPatient, ID: w.Order.Patient}))
	}
}

// refund gives a paid bill back, whole or in part, at the wish of staff or of HIS.
func (b *till) refund() {
	var paid []string
	status := b.statuses(collections.PaymentOrders)
	for _, id := range b.orders {
		if s := payment.Status(status[id]); s == payment.StatusDone || s == payment.StatusPartRefunded {
			paid = append(paid, id)
		}
	}
	if len(paid) == 0 {
		return
	}
	o := b.one(paid[b.rng.IntN(len(paid))]).Order
	wish := payment.RefundWish{Kind: []payment.RefundKind{payment.RefundAll, payment.RefundInsurance, payment.RefundCash}[b.rng.IntN(3)],
		Reason: "停诊"}
	if kept := int64(o.CashKept()); wish.Kind == payment.RefundCash && kept > 1 && b.rng.IntN(2) == 0 {
		wish.Cash = o.CashKept() / 2
	}
	_, err := b.Runtime.Bills.Refund(b.t.Context(), o.ID, wish, people.By{Kind: people.ByStaff, ID: b.staff["finance"], Person: "finance"})
	b.told(err)
}

// authorise lets patients authorise what waits for it: orders, and refunds.
func (b *till) authorise(some bool) {
	for _, w := range b.live() {
		o := w.Order
		waits := o.Insured && o.Status == payment.StatusCreated || o.Status == payment.StatusWaitAuth ||
			o.Status == payment.StatusSuspense && o.SuspendedFrom == payment.StatusWaitAuth
		if !waits || some && b.rng.IntN(3) == 0 {
			continue
		}
		w := b.wallets[slices.IndexFunc(b.wallets, func(w *wallet) bool { return w.id == o.Patient })]
		if g, ok := b.grant(w, o.Channel); ok && b.rng.IntN(2) == 0 { // else the order takes it by itself
			b.told(b.Runtime.Bills.Authorise(b.t.Context(), o.ID, g, people.By{Kind: people.ByPatient, ID: w.id}))
		}
	}
}

// script lets the centre say for a while what proves nothing, or what was so
// before.
func (b *till) script() {
	w, ok := b.some()
	if !ok || w.Order.MedOrgOrd == "" {
		return
	}
	stas := []int{2, 14, 17, 18, 22, 25}[b.rng.IntN(6)]
	b.control(b.Sims.Centre.URL(), fmt.Sprintf("state/%s?stas=%d&times=%d", w.Order.MedOrgOrd, stas, 1+b.rng.IntN(10)))
}

// honest ends what script has begun: an order on the desk asks once a day, and ten
// answers last longer than the healing.
func (b *till) honest() {
	for _, w := range b.live() {
		if w.Order.MedOrgOrd != "" {
			b.control(b.Sims.Centre.URL(), "state/"+w.Order.MedOrgOrd)
		}
	}
}

// meanwhile is what happens to a bill at the hospital.
func (b *till) meanwhile() {
	if w, ok := b.some(); ok {
		no := w.Order.BillNo
		b.control(b.Sims.HIS.URL(), []string{"window/" + no, "price/" + no + "?amount=" + fmt.Sprint(100+b.rng.IntN(40_000)),
			"dispense/" + no}[b.rng.IntN(3)])
	}
}

// control asks a simulator for what may not be possible any more.
func (b *till) control(base, action string) {
	res, err := http.Post(base+"/_sim/"+action, "application/json", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	res.Body.Close()
}

// open counts what is not at its end and would not be for people.
func (b *till) open() (n int) {
	b.authorise(false)
	for _, w := range b.live() {
		switch o := w.Order; {
		case o.Status == payment.StatusSuspense && invariant.PaymentForPeople(o.FailCode):
		default:
			n++
		}
	}
	return n
}

// settle holds that two people can end whatever rests on the desk: some at once,
// the others when they have waited for proof since it came there.
func (b *till) settle(seed uint64) {
	var late []string
	for _, id := range b.orders {
		o := b.one(id).Order
		b.ways[string(o.Status)]++
		if o.Status == payment.StatusSuspense && !b.end(id) {
			late = append(late, id)
		}
	}
	b.Advance(80 * time.Hour)
	b.work()
	for _, id := range late {
		if o := b.one(id).Order; o.Status == payment.StatusSuspense && !b.end(id) {
			b.t.Errorf("seed %d: nothing ends %s, %s from %s\n%s", seed, o.No, o.FailCode, o.SuspendedFrom, b.story(id))
		}
	}
}

func (b *till) end(id string) bool {
	for _, a := range slices.Backward(payment.Actions()[1:]) {
		by := func(who string) people.By { return people.By{Kind: people.ByStaff, ID: b.staff[who], Person: who} }
		p := flow.Proposal{Action: a, By: by("reviewer1"), Reason: "核实"}
		if b.Runtime.Bills.Propose(b.t.Context(), id, p, "V1") != nil {
			continue
		}
		if b.Runtime.Bills.Confirm(b.t.Context(), id, flow.Seen{Action: a}, by("finance"), "") == nil {
			b.work()
		}
		if s := b.one(id).Order.Status; s != payment.StatusSuspense {
			return true
		}
	}
	return false
}

// story is the way of an order, for who has to find out.
func (b *till) story(id string) string {
	w := b.one(id)
	out := fmt.Sprintf("%s %s %s/%s/%s %+v", w.Order.No, w.Order.Channel, w.Order.Status, w.Order.Insurance, w.Order.CashLeg, w.Order.Split)
	out += fmt.Sprintf("\n   from %s, tries %d, open since %v, next at %v, proposal %v, code %s, now %v", w.Order.SuspendedFrom, w.Order.Tries,
		w.Order.OpenSince, w.Order.NextAt, w.Proposal != nil, w.Order.FailCode, b.Now())
	for _, kind := range slices.Sorted(maps.Keys(w.Calls)) {
		c := w.Calls[kind]
		out += fmt.Sprintf("\n   %s %s %s sent %d reported %q %s %s", kind, c.No, c.State, c.Sent, c.Reported, c.Code, c.Message)
	}
	events, _ := b.Store.Payments().Events(b.t.Context(), id)
	for _, e := range events {
		out += fmt.Sprintf("\n   %s %s %s→%s %s %s", e.Created.Time().Format("02 15:04:05"), e.Event, e.From, e.To, e.Code, e.Message)
	}
	return out
}

// payCrasher is crasher for payments.
type payCrasher struct {
	payment.Store
	*crasher
}

func (c *payCrasher) Commit(ctx context.Context, change *payment.Change) error {
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
