package payment

import (
	"context"
	"errors"

	"hospay/flow"
	"hospay/money"
)

func (s *sides) at(no string) *atChannel {
	if s.pays[no] == nil {
		s.pays[no] = &atChannel{state: TradeNotFound, backs: map[string]*cashBack{}}
	}
	return s.pays[no]
}

// OpenTrade implements Trades.
func (c channelSide) OpenTrade(_ context.Context, t Trade) TradeAnswer {
	c.w.called(CallTrade, flow.CallNo(t.No[:len(t.No)-3], 'C', 1), t.Hash())
	if c.fixed != nil {
		c.fixed.sends++
		return c.fixed.trade(t, true)
	}
	accept := func() {
		if p := c.at(t.No); p.trade == nil {
			p.trade, p.state = &t, TradeOpen
		}
	}
	switch before, after := c.network("open", accept); {
	case before:
		return TradeAnswer{Reason: silence}
	case after:
		accept()
		return TradeAnswer{Reason: silence}
	}
	if c.at(t.No).trade == nil && c.w.fault("open refused", 12) == 0 {
		return TradeAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "PARAM_ERROR"}}
	}
	accept()
	a := c.truth(t.No)
	a.Handle = "prepay"
	return a
}

func (s *sides) truth(no string) TradeAnswer {
	p := s.pays[no]
	if p == nil || p.trade == nil {
		return TradeAnswer{Verdict: flow.Done, State: TradeNotFound}
	}
	a := TradeAnswer{Verdict: flow.Done, State: p.state, Told: true, Amount: p.trade.Amount}
	if (p.state == TradePaid || p.state == TradeRefunded) && s.w.fault("bare trade", 10) == 0 {
		a.Told, a.Amount = false, 0
	}
	if p.state == TradePaid || p.state == TradeRefunded {
		a.ChannelNo, a.PaidAt = "4200"+no, s.w.clock
		if p.returned() > 0 {
			a.State = TradeRefunded
		}
	}
	return a
}

// QueryTrade implements Trades.
func (c channelSide) QueryTrade(_ context.Context, t Trade) TradeAnswer {
	c.w.meanwhile()
	if c.fixed != nil {
		return c.fixed.trade(t, false)
	}
	switch c.w.fault("query trade", 10) {
	case 0:
		return TradeAnswer{Reason: silence}
	case 1:
		return TradeAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "SIGN_ERROR"}}
	}
	return c.truth(t.No)
}

// CloseTrade implements Trades.
func (c channelSide) CloseTrade(_ context.Context, t Trade) TradeAnswer {
	c.intended(CallClose, flow.Fingerprint([]string{flow.CallNo(t.No[:len(t.No)-3], 'X', 1), t.No}))
	if c.fixed != nil {
		c.fixed.sends++
		return c.fixed.closed
	}
	closing := func() {
		if p := c.at(t.No); p.state == TradeOpen {
			p.state = TradeClosed
		}
	}
	before, after := c.network("close", closing)
	switch {
	case before:
		return TradeAnswer{Reason: silence}
	case c.w.fault("user paying", 8) == 0:
		return TradeAnswer{Reason: flow.Reason{Code: "USERPAYING", Denied: true}}
	}
	closing()
	if after {
		return TradeAnswer{Reason: silence}
	}
	return TradeAnswer{Verdict: flow.Done, State: TradeClosed}
}

// RefundTrade implements Trades.
func (c channelSide) RefundTrade(_ context.Context, r TradeRefund) RefundAnswer {
	c.w.called(CallCashBack, r.No, r.Hash())
	if c.fixed != nil {
		c.fixed.sends++
		return c.fixed.cash(c.fixed.cashBack, r)
	}
	p := c.at(r.Trade.No)
	accept := func() {
		if p.backs[r.No] != nil || (p.state != TradePaid && p.state != TradeRefunded) {
			return
		}
		var held money.Fen
		for _, b := range p.backs {
			if b.state != RefundFailed {
				held += b.amount
			}
		}
		if held+r.Amount+p.byself > p.trade.Amount {
			c.w.fail("%s gives back %d beside %d of %d", r.No, r.Amount, held, p.trade.Amount)
		}
		p.backs[r.No] = &cashBack{r.Amount, []RefundState{RefundProcessing, RefundDone, RefundDone, RefundFailed}[c.w.fault("back", 4)%4]}
	}
	switch before, after := c.network("refund", accept); {
	case before:
		return RefundAnswer{Reason: silence}
	case after:
		accept()
		return RefundAnswer{Reason: silence}
	}
	if p.backs[r.No] == nil {
		switch c.w.fault("refund refused", 12) {
		case 0:
			return RefundAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "NOT_ENOUGH", Hold: true}}
		case 1:
			return RefundAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "RESOURCE_NOT_EXISTS"}}
		}
	}
	accept()
	return c.told(r)
}

func (c channelSide) told(r TradeRefund) RefundAnswer {
	b := c.at(r.Trade.No).backs[r.No]
	if b == nil {
		return RefundAnswer{Verdict: flow.Done, State: RefundNotFound}
	}
	a := RefundAnswer{Verdict: flow.Done, State: b.state, Told: true, Amount: b.amount, ChannelNo: "5000" + r.No, At: c.w.clock}
	if c.w.fault("bare refund", 10) == 0 {
		a.Told, a.Amount = false, 0
	}
	return a
}

// QueryTradeRefund implements Trades.
func (c channelSide) QueryTradeRefund(_ context.Context, r TradeRefund) RefundAnswer {
	c.w.meanwhile()
	if c.fixed != nil {
		return c.fixed.cash(c.fixed.cashAsk, r)
	}
	if c.w.fault("query refund", 8) == 0 {
		return RefundAnswer{Reason: silence}
	}
	return c.told(r)
}

// TradePage implements Trades.
func (c channelSide) TradePage(t Trade) (Page, error) {
	return Page{Form: "wechat_jsapi", Values: map[string]string{"prepay_id": t.Handle}}, nil
}

// TradeTraits implements Trades.
func (c channelSide) TradeTraits() (trade, refund flow.Traits) {
	return flow.Traits{Queryable: true, Repeatable: true, ConfirmRefuse: true}, flow.Traits{Queryable: true, Repeatable: true,
		ConfirmRefuse: true,
		ProofDays:     365}
}

// Authorisation implements MedIns.
func (c channelSide) Authorisation(context.Context, AuthorisationAsk) Authorisation {
	return Authorisation{}
}

// Credential implements MedIns.
func (c channelSide) Credential(context.Context, AuthorisationAsk, string) Authorisation {
	return Authorisation{}
}

// OpenMixed implements MedIns.
func (c channelSide) OpenMixed(_ context.Context, m Mixed) MixedAnswer {
	c.intended(CallMixed, m.Hash())
	if m.Fund+m.Account+m.Other+m.Cash+m.Added != m.Total || m.Cash+m.Added-m.Reduced != m.Amount {
		c.w.fail("mixed order does not add up: %+v", m)
	}
	if c.fixed != nil {
		c.fixed.sends++
		return c.fixed.mixed(m, true)
	}
	accept := func() {
		p := c.at(m.No)
		if p.mixed != nil {
			return
		}
		if p.mixed = &m; m.Amount == 0 {
			p.trade, p.state = nil, TradeNotFound
		}
		if o := c.centres[m.PayOrdID]; o.stas == StasQuoted {
			o.stas = StasSettling
		}
	}
	switch before, after := c.network("open mixed", accept); {
	case before:
		return MixedAnswer{Reason: silence}
	case after:
		accept()
		return MixedAnswer{Reason: silence}
	}
	if c.at(m.No).mixed == nil && c.w.fault("mixed refused", 12) == 0 {
		return MixedAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "RULE_LIMIT"}}
	}
	accept()
	a := c.mixedTruth(m)
	if c.w.links {
		a.URL = "https://pay.example/" + m.No
	}
	return a
}

func (c channelSide) mixedTruth(m Mixed) MixedAnswer {
	p := c.pays[m.No]
	if p == nil || p.mixed == nil {
		return MixedAnswer{Verdict: flow.Done, State: MixedNotFound}
	}
	a := MixedAnswer{Verdict: flow.Done, State: MixedOpen, MixNo: "MIX" + m.No, CashPart: p.state}
	o := c.centres[p.mixed.PayOrdID]
	switch {
	case p.over != "":
		a.State, a.Reason = p.over, flow.Reason{Code: "MED_INS_FAIL", Message: "医保结算失败"}
	case p.whole(c.sides):
		a.State = MixedPaid
	case p.state == TradePaid || o.settled:
		a.State = MixedPaying
	case p.state == TradeClosed: // its words prove nothing any more
		a.State = MixedUnclear
	}
	return a
}

// QueryMixed implements MedIns.
func (c channelSide) QueryMixed(_ context.Context, m Mixed) MixedAnswer {
	c.w.meanwhile()
	if c.fixed != nil {
		return c.fixed.mixed(m, false)
	}
	switch c.w.fault("query mixed", 10) {
	case 0:
		return MixedAnswer{Reason: silence}
	case 1:
		return MixedAnswer{Verdict: flow.Done, State: MixedUnclear}
	}
	return c.mixedTruth(m)
}

// CloseMixed implements MedIns.
func (c channelSide) CloseMixed(context.Context, Mixed) MixedAnswer {
	c.w.meanwhile()
	return MixedAnswer{Verdict: flow.Refused, Reason: flow.Reason{Code: "not_supported"}}
}

// TellRefund implements MedIns.
func (c channelSide) TellRefund(context.Context, MixedRefund) flow.Answer {
	c.w.meanwhile()
	if c.fixed != nil {
		c.fixed.sends++
		return flow.Answer{Verdict: c.fixed.told}
	}
	return flow.Answer{Verdict: []flow.Verdict{flow.Unknown, flow.Refused, flow.Done}[min(c.w.fault("tell", 5), 2)]}
}

// MixedPage implements MedIns.
func (c channelSide) MixedPage(m Mixed) (Page, error) {
	if c.w.links && m.URL == "" {
		return Page{}, errors.New("no address")
	}
	return Page{Form: "wechat_medins", Values: map[string]string{"mix": m.MixNo}}, nil
}

// MixedTraits implements MedIns.
func (c channelSide) MixedTraits() flow.Traits {
	return flow.Traits{Queryable: true, Repeatable: true, ConfirmRefuse: true}
}
