package payment

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"hospay/flow"
	"hospay/money"
)

// later is a request that arrives after its sender has stopped waiting.
type later struct {
	at time.Time
	do func()
}

// atCentre is the centre's truth about an order.
type atCentre struct {
	id, no   string
	stas     Stas
	split    *Split
	settled  bool // the insurance's money is with the hospital
	refundNo string
}

// atChannel is the channel's truth about a trade and the mixed order with its
// number.
type atChannel struct {
	trade  *Trade
	state  TradeState
	mixed  *Mixed
	over   MixedState // failed or refunded; else the parts tell
	backs  map[string]*cashBack
	byself money.Fen // what the channel gave back by itself
}

type cashBack struct {
	amount money.Fen
	state  RefundState
}

// sides is the other side: a centre, a channel and a HIS, that answer as networks
// and vendors do.
type sides struct {
	w       *world
	bills   []*Bill
	window  map[string]bool // bills that were paid at the window
	centres map[string]*atCentre
	pays    map[string]*atChannel
	charges map[string]bool // number → written
	gone    map[string]bool // reversals
	serials map[string]bool
	settles map[string]int       // order at the centre → how often HIS was asked to settle it
	queried map[string]time.Time // order at the centre → when 6301 last said that nobody has paid
	late    []later
	fixed   *fixed // what they answer for ever
}

func newSides(w *world) *sides {
	s := &sides{w: w, window: map[string]bool{}, centres: map[string]*atCentre{}, pays: map[string]*atChannel{}, charges: map[string]bool{},
		gone: map[string]bool{}, serials: map[string]bool{}, settles: map[string]int{}, queried: map[string]time.Time{}}
	for i := range 2 {
		s.bills = append(s.bills, &Bill{No: fmt.Sprint("B", i), CardNo: "C1", Kind: KindOutpatient, Amount: money.Fen(1000 * (i + 1)),
			Insurable: true,
			Visit:     &Visit{Area: "440100", PsnNo: "N", MedType: "11", Fees: []Fee{{Sum: money.Fen(1000 * (i + 1))}}}})
	}
	return s
}

var (
	_ Trades = channelSide{}
	_ MedIns = channelSide{}
	_ Centre = centreSide{}
	_ HIS    = hisSide{}
)

type (
	channelSide struct{ *sides }
	centreSide  struct{ *sides }
	hisSide     struct{ *sides }
)

// Institution implements Directory.
func (s *sides) Institution(context.Context, string) (Institution, error) { return s.w.inst, nil }

// RefundAlone implements Directory.
func (s *sides) RefundAlone(context.Context, string) (money.Fen, error) { return s.w.alone, nil }

// Channel implements Directory.
func (s *sides) Channel(context.Context, string, string) (Channel, error) {
	return Channel{channelSide{s}, channelSide{s}}, nil
}

// ChannelOf implements Directory.
func (s *sides) ChannelOf(ctx context.Context, _ string) (Channel, error) {
	return s.Channel(ctx, "", "")
}

// Reached implements Directory.
func (s *sides) Reached(context.Context, string, string, time.Time) ([]string, error) {
	return []string{""}, nil
}

// Centre implements Directory.
func (s *sides) Centre(context.Context, string) (Centre, error) { return centreSide{s}, nil }

// CentreOf implements Directory.
func (s *sides) CentreOf(context.Context, string) (Centre, error) { return centreSide{s}, nil }

// HIS implements Directory.
func (s *sides) HIS(context.Context, string) (HIS, error) { return hisSide{s}, nil }

// HISOf implements Directory.
func (s *sides) HISOf(context.Context, string) (HIS, error) { return hisSide{s}, nil }

func (s *sides) anyBill() *Bill { return s.bills[s.w.draw("bill", len(s.bills))] }

// arrive executes what was late until now.
func (s *sides) arrive() {
	var rest []later
	for _, l := range s.late {
		if l.at.After(s.w.clock) {
			rest = append(rest, l)
			continue
		}
		l.do()
	}
	s.late = rest
}

// postpone lets a request arrive within the time that Settle allows for, or
// never.
func (s *sides) postpone(do func()) {
	if s.w.draw("never", 2) == 0 {
		s.late = append(s.late, later{s.w.clock.Add(time.Duration(s.w.draw("late", 50)) * time.Second), do})
	}
}

// intended checks that a call whose number is not told has its intent.
func (s *sides) intended(kind, hash string) {
	for key, have := range s.w.store.journal {
		if strings.HasPrefix(key, kind+" ") && have == hash {
			s.w.meanwhile()
			return
		}
	}
	s.w.fail("%s without its committed intent", kind)
}

// network draws what happens to a request: before is true when it arrives late or
// never, after when its answer is lost.
func (s *sides) network(label string, late func()) (before, after bool) {
	switch s.w.fault(label, 10) {
	case 0:
		s.postpone(late)
		return true, false
	case 1:
		return false, true
	}
	return false, false
}

var silence = flow.Reason{Code: "timeout"}

// Upload implements Centre.
func (c centreSide) Upload(_ context.Context, u Upload) Uploaded {
	c.w.called(CallUpload, u.No, u.Hash())
	if c.fixed != nil {
		c.fixed.sends++
		a := c.fixed.upload
		a.PayOrdID, a.PayToken = "ORD"+u.No, "PT"
		return a
	}
	accept := func() {
		if c.centres["ORD"+u.No] == nil {
			c.centres["ORD"+u.No] = &atCentre{id: "ORD" + u.No, no: u.No}
		}
	}
	switch before, after := c.network("upload", accept); {
	case before && c.w.denied != (flow.Reason{}):
		return Uploaded{Result: Result{Reason: c.w.denied}}
	case before:
		return Uploaded{Result: Result{Reason: silence}}
	case after:
		accept()
		return Uploaded{Result: Result{Reason: silence}}
	}
	if c.w.fault("upload refused", 12) == 0 {
		return Uploaded{Result: Result{Verdict: flow.Refused, Reason: flow.Reason{Code: "2004", Actor: flow.ActorPatient}}}
	}
	accept()
	return Uploaded{Result: Result{Verdict: flow.Done}, PayOrdID: "ORD" + u.No, PayToken: "PT"}
}

// Price implements Centre.
func (c centreSide) Price(_ context.Context, p Price) Priced {
	c.w.called(CallPrice, p.Serial, p.Hash())
	if c.serials[p.Serial] {
		c.w.fail("6202 %s was sent twice", p.Serial)
	}
	c.serials[p.Serial] = true
	if c.fixed != nil {
		c.fixed.sends++
		a := c.fixed.price
		a.Split = fixedSplit(p.Total, a.Total)
		return a
	}
	o := c.centres[p.PayOrdID]
	decide := func() {
		if o.stas == StasSaved {
			split := c.split(p.Total)
			o.split, o.stas = &split, StasQuoted
		}
	}
	switch before, after := c.network("price", decide); {
	case before:
		return Priced{Result: Result{Reason: silence}}
	case after:
		decide()
		return Priced{Result: Result{Reason: silence}}
	}
	if c.w.fault("price refused", 15) == 0 || o.stas > StasSettling {
		return Priced{Result: Result{Verdict: flow.Refused, Reason: flow.Reason{Code: "2010", Actor: flow.ActorReviewer}}}
	}
	decide()
	return Priced{Result: Result{Verdict: flow.Done}, Stas: o.stas, Split: *o.split}
}

// split divides a bill: all insurance, all cash, or some of each.
func (s *sides) split(total money.Fen) Split {
	x := Split{Total: total}
	switch s.w.draw("split", 5) {
	case 0:
		x.Fund = total
	case 1:
		x.Cash = total
	case 2:
		x.Fund, x.Account, x.Own, x.Cash = 300, 200, 200, total-500
	case 3:
		x.Fund, x.Account, x.Own, x.Family, x.Other, x.HospitalPart = 300, 200, 150, 50, 100, 50
		x.Cash = total - 600
	default:
		x.Fund, x.Cash, x.Delivery = 400, total-400, 80
	}
	return x
}

// Query implements Centre.
func (c centreSide) Query(_ context.Context, r Ref) AtCentre {
	c.w.meanwhile()
	if c.fixed != nil {
		a := c.fixed.query
		if g := a.Stas.Group(); r.Known != nil && a.Verdict == flow.Done && (g == Candidate || g == Settled || g == Refunded) {
			a.Split, a.Told = *r.Known, true
		}
		if a.Verdict == flow.Done && a.Stas.Group() == Processing {
			c.queried[r.PayOrdID] = c.w.clock
		}
		return a
	}
	if c.w.fault("query", 8) == 0 {
		return AtCentre{Result: Result{Reason: silence}, Stas: NoStas}
	}
	o := c.centres[r.PayOrdID]
	if o == nil {
		c.w.fail("6301 of %q, which was never uploaded", r.PayOrdID)
	}
	a := AtCentre{Result: Result{Verdict: flow.Done}, Stas: o.stas}
	if g := o.stas.Group(); o.split != nil && (g == Candidate || g == Settled || g == Refunded || c.w.fault("amounts told", 2) == 0) {
		a.Split, a.Told = *o.split, true
	}
	if o.settled {
		a.Settlement = Settlement{SetlID: "S" + o.no, RevsToken: "RT"}
	}
	if o.stas.Group() == Processing {
		c.queried[o.id] = c.w.clock
	}
	return a
}

// Undo implements Centre.
func (c centreSide) Undo(_ context.Context, r Ref) Result {
	if at, ok := c.queried[r.PayOrdID]; !ok || !at.Equal(c.w.clock) {
		c.w.fail("6401 of %s without a fresh 6301", r.MedOrgOrd)
	}
	c.intended(CallUndo, r.Hash())
	if c.fixed != nil {
		c.fixed.sends++
		return c.fixed.undo
	}
	o := c.centres[r.PayOrdID]
	revoke := func() {
		if o.stas <= StasSettling {
			o.stas = StasUndone
		}
	}
	switch before, after := c.network("undo", revoke); {
	case before:
		return Result{Reason: silence}
	case o.stas > StasSettling && o.stas != StasUndone:
		return Result{Reason: flow.Reason{Code: "2012", Denied: true}}
	case after:
		revoke()
		return Result{Reason: silence}
	}
	revoke()
	return Result{Verdict: flow.Done}
}

// Refund implements Centre.
func (c centreSide) Refund(_ context.Context, b InsuranceBack) InsuranceBackAnswer {
	c.w.called(CallBack, b.Serial, b.Hash())
	if !b.Single() || b.Known == nil {
		c.w.fail("6203 without one credential, or without amounts")
	}
	o := c.centres[b.PayOrdID]
	if c.fixed != nil {
		c.fixed.sends++
		return c.fixed.back
	}
	if o.refundNo != "" && o.refundNo != b.Serial {
		c.w.fail("6203 of %s under a second number %s", o.no, b.Serial)
	}
	o.refundNo = b.Serial
	move := func() {
		switch {
		case !o.settled:
		case o.stas == StasRefundedCash || b.Kind == BackAll:
			o.stas, o.settled = StasRefundedAll, false
		default:
			o.stas, o.settled = StasRefundedInsurance, false
		}
	}
	switch before, after := c.network("6203", move); {
	case before:
		return InsuranceBackAnswer{Result: Result{Reason: silence}}
	case after:
		move()
		return InsuranceBackAnswer{Result: Result{Reason: silence}}
	}
	switch c.w.fault("6203 refused", 12) {
	case 0:
		return InsuranceBackAnswer{Result: Result{Verdict: flow.Refused, Reason: flow.Reason{Code: "2004", Actor: flow.ActorPatient}}}
	case 1:
		return InsuranceBackAnswer{Result: Result{Verdict: flow.Refused, Reason: flow.Reason{Code: "FAIL", Actor: flow.ActorReviewer}}}
	}
	move()
	return InsuranceBackAnswer{Result: Result{Verdict: flow.Done}, Status: "SUCC", No: "RF" + o.no}
}

// Habits implements Centre.
func (c centreSide) Habits() Habits { return c.w.habits }

// moved is what an order has moved in truth.
type moved struct {
	cash, back, insured money.Fen
	charged             bool
}

func (s *sides) moved(o Order) (m moved) {
	if p := s.pays[o.TradeNo]; p != nil && o.TradeNo != "" {
		if p.state == TradePaid || p.state == TradeRefunded {
			m.cash = p.trade.Amount
		}
		m.back = p.byself + p.returned()
	}
	if c := s.centres[o.PayOrdID]; c != nil && c.settled {
		m.insured = c.split.Insured()
	}
	for no, written := range s.charges {
		m.charged = m.charged || written && strings.HasPrefix(no, o.No)
	}
	return m
}

// patientPays is one thing that a patient, or the channel and the centre behind
// them, does with what can be paid.
func (s *sides) patientPays() {
	var open []string
	for no, p := range s.pays {
		if p.state == TradeOpen || p.mixed != nil && p.over == "" && !p.whole(s) {
			open = append(open, no)
		}
	}
	if len(open) == 0 {
		return
	}
	slices.Sort(open)
	p := s.pays[open[s.w.draw("pays", len(open))]]
	s.progress(p, s.w.draw("how", 8))
}

func (p *atChannel) whole(s *sides) bool {
	c := s.centres[p.mixed.PayOrdID]
	return c.settled && (p.trade == nil || p.state == TradePaid)
}

// progress lets a payment go one step on: cash, then insurance, or the other way
// round, or the end without the other half.
func (s *sides) progress(p *atChannel, how int) {
	if p.mixed == nil {
		if p.trade != nil && p.state == TradeOpen && (p.trade.Kind == KindOutpatient) && (!p.insured(s) || p.shown(s)) {
			p.state = TradePaid
		}
		return
	}
	c := s.centres[p.mixed.PayOrdID]
	cashDue := p.trade != nil
	switch {
	case how == 0 && !c.settled && p.over == "" && c.stas <= StasCashDone: // the insurance does not settle
		p.over = MixedFailed
		c.stas = []Stas{c.stas, StasFailedToSettle}[s.w.draw("stas", 2)]
		if p.state == TradePaid && s.w.draw("by itself", 2) == 0 {
			p.state, p.byself = TradeRefunded, p.trade.Amount-p.returned()
		}
	case p.over != "":
	case cashDue && p.state == TradeOpen && (!s.w.habits.InsuranceFirst || c.settled || how < 4):
		p.state = TradePaid
		switch {
		case c.settled:
			c.stas = StasComplete
		case c.stas <= StasSettling:
			c.stas = StasCashDone
		}
	case !c.settled && (c.stas == StasQuoted || c.stas == StasSettling || c.stas == StasCashDone) && (!cashDue || p.state != TradeClosed):
		c.settled = true
		switch {
		case !cashDue || p.state == TradePaid:
			c.stas = StasComplete
		default:
			c.stas = StasInsuranceDone
		}
	case !c.settled && c.stas == StasUndone && p.state == TradePaid:
		p.over = MixedFailed
	}
}

// shown reports whether a kiosk shows the code of a trade: the insurance has paid.
func (p *atChannel) shown(s *sides) bool {
	for _, k := range s.w.store.orders {
		if o := k.Order; o.TradeNo == p.trade.No {
			return o.direct() && o.Insurance == InsuranceSettled && o.Status == StatusPaying
		}
	}
	return false
}

// insured reports whether a trade is the cash of an order with insurance.
func (p *atChannel) insured(s *sides) bool {
	for _, k := range s.w.store.orders {
		if k.Order.TradeNo == p.trade.No {
			return k.Order.Insured
		}
	}
	return false
}

func (p *atChannel) returned() (sum money.Fen) {
	for _, b := range p.backs {
		if b.state == RefundDone {
			sum += b.amount
		}
	}
	return sum
}

// finish brings to its end what only time was missing for.
func (s *sides) finish() {
	for _, no := range slices.Sorted(maps.Keys(s.pays)) {
		p := s.pays[no]
		for _, b := range p.backs {
			if b.state == RefundProcessing {
				b.state = RefundDone
			}
		}
		if p.mixed == nil || p.over != "" {
			continue
		}
		c := s.centres[p.mixed.PayOrdID]
		if half := p.state == TradePaid && !c.settled; half {
			s.progress(p, []int{0, 7}[s.w.draw("ends", 2)])
		}
	}
}

func (s *sides) story() string {
	out := ""
	for _, id := range slices.Sorted(maps.Keys(s.centres)) {
		out += fmt.Sprintf("\ncentre %+v", *s.centres[id])
	}
	for _, no := range slices.Sorted(maps.Keys(s.pays)) {
		p := s.pays[no]
		out += fmt.Sprintf("\nchannel %s trade %v %s mixed %v %q by itself %d", no, p.trade != nil, p.state, p.mixed != nil, p.over, p.byself)
		for n, b := range p.backs {
			out += fmt.Sprintf("\n  back %s %+v", n, *b)
		}
	}
	return out + fmt.Sprintf("\nHIS %v, reversed %v, window %v; fixed %+v; can %+v habits %+v", s.charges, s.gone, s.window, s.fixed, s.w.can,
		s.w.habits)
}
