package refund

import (
	"context"
	"time"

	"hospay/flow"
	"hospay/money"
)

// payment is the channel's truth about one number.
type payment struct {
	payout Payout
	state  PayoutState
	paid   money.Fen // arrived and not returned
	ever   bool      // arrived once
}

// open reports whether the channel has not come to an end.
func (p *payment) open() bool {
	return p.state == PayoutProcessing || p.state == PayoutAwaitingPayee || p.state == PayoutConfirmed
}

// booking is the HIS's truth about one number.
type booking struct {
	debit   Debit
	reverse bool
	pending bool
	done    bool
}

// later is a request that arrives after its sender has stopped waiting.
type later struct {
	at time.Time
	do func()
}

// sides is the other side: a channel and a HIS, idempotent by number, that
// answer as networks and vendors do.
type sides struct {
	w     *world
	pays  map[string]*payment
	books map[string]*booking
	late  []later
	fixed *fixed // what they answer for ever
}

var (
	_ Channel = channelSide{}
	_ HIS     = hisSide{}
)

type (
	channelSide struct{ *sides }
	hisSide     struct {
		*sides
		HISRecords
	}
)

// Institution implements Directory.
func (s *sides) Institution(context.Context, string) (Institution, error) { return s.w.inst, nil }

// Channel implements Directory.
func (s *sides) Channel(context.Context, string, string) (Channel, error) { return channelSide{s}, nil }

// HIS implements Directory.
func (s *sides) HIS(context.Context, string) (HIS, HISTraits, error) {
	return hisSide{sides: s}, s.w.traits, nil
}

// ChannelOf implements Directory.
func (s *sides) ChannelOf(context.Context, string) (Channel, error) { return channelSide{s}, nil }

// Reached implements Directory.
func (s *sides) Reached(context.Context, string, string, time.Time) ([]string, error) {
	return []string{""}, nil
}

// HISOf implements Directory.
func (s *sides) HISOf(ctx context.Context, _ string) (HIS, HISTraits, error) { return s.HIS(ctx, "") }

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

// postpone lets a request arrive within the time that Settle allows for.
func (s *sides) postpone(do func()) {
	s.late = append(s.late, later{s.w.clock.Add(time.Duration(s.w.draw("late", 50)) * time.Second), do})
}

// Capabilities implements Channel.
func (c channelSide) Capabilities() Capabilities { return Capabilities{PayeeConfirms: true} }

// Pay implements Channel.
func (c channelSide) Pay(_ context.Context, p Payout) PayoutAnswer {
	if c.w.inst.Frozen {
		c.w.fail("%s: paid while payouts are frozen", p.No)
	}
	c.w.called("Pay", p.No, p.Hash())
	if c.fixed != nil {
		c.fixed.sends++
		return c.fixed.pay
	}
	how := c.w.fault("pay", 10)
	if how == 0 { // arrives later, or never
		if c.w.draw("never", 2) == 0 {
			c.postpone(func() { c.accept(p) })
		}
		return PayoutAnswer{}
	}
	if c.pays[p.No] == nil && how == 1 {
		return PayoutAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "NOT_ENOUGH", Hold: true}}
	}
	if c.pays[p.No] == nil && how == 2 {
		return PayoutAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "NAME_NOT_MATCHED"}}
	}
	c.accept(p)
	if how == 3 {
		return PayoutAnswer{Reason: flow.Reason{Code: "timeout"}}
	}
	a := c.truth(p.No)
	a.Confirm.Package = "package" // which no query tells
	return a
}

// accept makes a new number known; an old one stays what it is.
func (c channelSide) accept(p Payout) {
	if have := c.pays[p.No]; have != nil {
		if have.payout.Hash() != p.Hash() {
			c.w.fail("%s: sent with other content", p.No)
		}
		return
	}
	c.pays[p.No] = &payment{payout: p, state: PayoutProcessing}
	c.progress(p.No, c.w.fault("accept", 5))
}

// progress lets the channel, the payee or the payee's bank go on.
func (s *sides) progress(no string, choice int) {
	p := s.pays[no]
	switch {
	case choice == 0 && p.open():
		p.state = PayoutFailed
	case choice == 1 && p.state == PayoutProcessing && p.payout.Method == MethodTransfer:
		p.state = PayoutAwaitingPayee
	case choice == 2 && p.state == PayoutAwaitingPayee:
		p.state = []PayoutState{PayoutProcessing, PayoutConfirmed}[s.w.draw("confirmed", 2)]
	case choice == 3 && p.state == PayoutSucceeded:
		p.state, p.paid = PayoutReturned, 0
	case choice >= 4 && p.open():
		p.state, p.paid, p.ever = PayoutSucceeded, p.payout.Amount, true
	}
}

func (s *sides) truth(no string) PayoutAnswer {
	p := s.pays[no]
	if p == nil {
		return PayoutAnswer{Verdict: flow.Done, State: PayoutNotFound}
	}
	return s.said(no, p.state)
}

// said is an answer about a number that tells all there is to tell.
func (s *sides) said(no string, state PayoutState) PayoutAnswer {
	p := s.pays[no].payout
	return PayoutAnswer{Verdict: flow.Done, State: state, ChannelNo: "B" + no,
		Of: Movement{Told: true, Amount: p.Amount, Payees: map[AccountType]string{p.Payee.Type: p.Payee.Account}}}
}

// Query implements Channel.
func (c channelSide) Query(_ context.Context, p Payout) PayoutAnswer {
	c.w.asked("Query", p.No, p.Hash())
	if c.fixed != nil {
		return c.fixed.query
	}
	switch c.w.fault("query", 8) {
	case 0:
		return PayoutAnswer{}
	case 1:
		return PayoutAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "SIGN_ERROR"}}
	}
	return c.truth(p.No)
}

// Cancel implements Channel.
func (c channelSide) Cancel(_ context.Context, p Payout) PayoutAnswer {
	c.w.called("Cancel", p.No, p.Hash())
	if c.fixed != nil {
		return c.fixed.query
	}
	if x := c.pays[p.No]; x != nil && x.state == PayoutAwaitingPayee && c.w.draw("closes", 2) == 0 {
		x.state = PayoutFailed
	}
	return PayoutAnswer{}
}

// book is Debit and Reverse.
func (h hisSide) book(d Debit, reverse bool) HISAnswer {
	h.w.called("book", d.No, d.Hash())
	if h.fixed != nil {
		h.fixed.sends++
		return h.fixed.book
	}
	how := h.w.fault("his", 10)
	if how == 0 {
		if h.w.draw("never", 2) == 0 {
			h.postpone(func() { h.enter(d, reverse, false) })
		}
		return HISAnswer{}
	}
	if h.books[d.No] == nil && how == 1 {
		return HISAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "LOCKED", Hold: true}}
	}
	if h.books[d.No] == nil && how == 2 {
		return HISAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "REFUSED"}}
	}
	h.enter(d, reverse, how == 4)
	if how == 3 {
		return HISAnswer{}
	}
	return h.told(d.No)
}

func (h hisSide) enter(d Debit, reverse, pending bool) {
	if have := h.books[d.No]; have != nil {
		if have.debit.Hash() != d.Hash() {
			h.w.fail("%s: booked with other content", d.No)
		}
		return
	}
	if reverse && (h.books[d.DebitNo] == nil || !h.books[d.DebitNo].done) {
		h.w.fail("%s: reverses %q, which is not debited", d.No, d.DebitNo)
	}
	h.books[d.No] = &booking{debit: d, reverse: reverse, pending: pending, done: !pending}
}

func (h hisSide) told(no string) HISAnswer {
	b := h.books[no]
	switch {
	case b == nil:
		return HISAnswer{Verdict: flow.Done, State: HISNotFound}
	case b.pending:
		return HISAnswer{Verdict: flow.Done, State: HISPending}
	}
	return HISAnswer{Verdict: flow.Done, State: HISDone, HISNo: "H" + no, Amount: b.debit.Amount, CardNo: b.debit.CardNo}
}

func (h hisSide) ask(d Debit) HISAnswer {
	h.w.asked("ask", d.No, d.Hash())
	if h.fixed != nil {
		return h.fixed.ask
	}
	switch h.w.fault("ask", 8) {
	case 0:
		return HISAnswer{}
	case 1:
		return HISAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "AUTH"}}
	}
	return h.told(d.No)
}

// Debit implements HISLedger.
func (h hisSide) Debit(_ context.Context, d Debit) HISAnswer { return h.book(d, false) }

// Reverse implements HISLedger.
func (h hisSide) Reverse(_ context.Context, d Debit) HISAnswer { return h.book(d, true) }

// QueryDebit implements HISLedger.
func (h hisSide) QueryDebit(_ context.Context, d Debit) HISAnswer { return h.ask(d) }

// QueryReverse implements HISLedger.
func (h hisSide) QueryReverse(_ context.Context, d Debit) HISAnswer { return h.ask(d) }
