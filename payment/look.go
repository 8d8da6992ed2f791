package payment

import (
	"context"

	"hospay/flow"
)

// sight is what the sides of an order have just answered.
type sight struct {
	trade  *TradeAnswer // nil: not asked, or no authentic answer about this order
	mixed  *MixedAnswer
	centre *AtCentre
	next   bool        // the channel has answered for the refund number that comes next
	spoke  bool        // the centre has said something about this order, be it unclear
	silent flow.Reason // of the last side that did not answer
	said   map[string]flow.Said
}

// odd is an answer that speaks of other money than the order's: it is for people.
func (t *turn) strange(code flow.Code, words string) flow.Reason {
	t.odd = flow.Reason{Code: string(code), Message: words, Actor: flow.ActorFinance}
	return t.odd
}

// contradicts is an answer that takes back what the same side has said before. It
// proves nothing.
func contradicts(words string) flow.Reason {
	return flow.Reason{Code: string(CodeContradicted), Message: words, Actor: flow.ActorFinance}
}

// judgeTrade takes from an answer about the trade what it does not prove, and
// keeps the rest. One about other money proves nothing of ours.
func (t *turn) judgeTrade(ctx context.Context, a TradeAnswer) TradeAnswer {
	o := &t.w.Order
	if a.Verdict != flow.Done {
		return a
	}
	had := o.CashLeg
	paid := had == CashPaid || had == CashPartReturned || had == CashReturned
	var r flow.Reason
	switch {
	case a.Differs != "":
		r = t.strange(flow.CodePartyMismatch, "渠道应答："+a.Differs)
	case a.Told && a.Amount != o.CashDue() && a.State != TradeNotFound:
		r = t.strange(flow.CodeAmountMismatch, "渠道 "+a.Amount.Yuan())
	case !a.Told && (a.State == TradePaid || a.State == TradeRefunded):
		r = bare("渠道说已支付，没有说金额")
	case a.State == TradePaid && t.taken(ctx, CallTrade, a.ChannelNo):
		r = t.strange(flow.CodeNumberTaken, "渠道单号 "+a.ChannelNo)
	case paid && (a.State == TradeOpen || a.State == TradeClosed || a.State == TradeNotFound):
		r = contradicts("渠道先说已支付，现在说 " + string(a.State))
	case had == CashClosed && (a.State == TradeOpen || a.State == TradePaid):
		r = t.strange(CodeContradicted, "渠道先说已关闭，现在说 "+string(a.State))
	}
	if r.Code != "" {
		a.Verdict, a.Reason = flow.Unknown, r
		if a.State == TradeNotFound || a.State == TradeOpen || a.State == TradeClosed { // no money speaks from it
			t.odd = flow.Reason{}
		}
		return a
	}
	t.keepTrade(a)
	return a
}

// keepTrade books what the channel says of the cash. A poorer answer erases
// nothing.
func (t *turn) keepTrade(a TradeAnswer) {
	o := &t.w.Order
	if a.Handle != "" {
		o.Secrets.Handle = a.Handle
	}
	if a.ChannelNo != "" {
		o.ChannelNo = a.ChannelNo
	}
	switch {
	case a.State == TradePaid && (o.CashLeg == CashNone || o.CashLeg == CashOpen):
		o.CashLeg, o.PaidAt = CashPaid, t.At
		if flow.Plausible(a.PaidAt, t.At) {
			o.PaidAt = a.PaidAt
		}
		t.done(CallTrade)
		t.Note("cash.paid", byChannel(o.Channel), "", "")
	case a.State == TradeRefunded && o.CashBack == 0 && o.CashLeg != CashReturned:
		o.CashLeg, o.CashGoneAt = CashReturned, t.At
		t.done(CallTrade)
		t.Note("cash.returned", byChannel(o.Channel), "", "")
	case a.State == TradeClosed && o.CashLeg != CashClosed:
		o.CashLeg = CashClosed
		t.finishKind(CallTrade)
		t.Note("cash.closed", byChannel(o.Channel), "", "")
	case a.State == TradeOpen && o.CashLeg == CashNone:
		o.CashLeg = CashOpen
	}
}

// done ends a journal row whose number has moved what it should.
func (t *turn) done(kind string) {
	c := t.w.Calls[kind]
	if c == nil || c.State == flow.CallDone {
		return
	}
	c.State, c.DoneAt = flow.CallDone, t.At
	if no := t.w.Order.ChannelNo; kind == CallTrade && no != "" {
		c.Theirs = no
		t.c.Heard = append(t.c.Heard, c)
	}
	t.keep(c)
}

func (t *turn) finishKind(kind string) {
	if c := t.w.Calls[kind]; c != nil && c.State != flow.CallDone {
		t.finish(c)
	}
}

// bare is an answer that says that money has moved and not how much: it is asked
// for again.
func bare(words string) flow.Reason {
	return flow.Reason{Code: string(flow.CodeNotTold), Message: words, Actor: flow.ActorFinance}
}

// taken reports whether the other side has given its number to another call. The
// commit asks once more, and refuses where that cannot be read.
func (t *turn) taken(ctx context.Context, kind, theirs string) bool {
	c := t.w.Calls[kind]
	if theirs == "" || c == nil || c.Theirs == theirs {
		return false
	}
	used, err := t.store.Taken(ctx, t.w.Order, c, theirs)
	return err == nil && used
}

// answer is a channel's answer about a trade as the flow goes by it.
func (a TradeAnswer) answer() flow.Answer {
	reports := map[TradeState]flow.Report{TradePaid: flow.ReportDone, TradeRefunded: flow.ReportDone, TradeClosed: flow.ReportFailed,
		TradeNotFound: flow.ReportMissing}
	return flow.Answer{Verdict: a.Verdict, Reason: a.Reason, Report: reports[a.State], Said: a.State, Theirs: a.ChannelNo}
}

// lookCash asks the channel for the trade.
func (t *turn) lookCash(ctx context.Context) error {
	c := t.w.Calls[CallTrade]
	if c == nil {
		return nil
	}
	ch, err := t.channel(ctx)
	if err != nil {
		return err
	}
	t.askTrade(ctx, ch)
	return nil
}

func (t *turn) askTrade(ctx context.Context, ch Channel) flow.Answer {
	var heard TradeAnswer
	ans := t.Ask(ctx, func(ctx context.Context) flow.Answer {
		heard = t.judgeTrade(ctx, ch.QueryTrade(ctx, t.w.Order.trade()))
		return heard.answer()
	})
	if t.heard(CallTrade, ans) {
		t.saw.trade = &heard
	}
	return ans
}

// heard books an authentic answer about a number in its journal row.
func (t *turn) heard(kind string, ans flow.Answer) bool {
	c := t.w.Calls[kind]
	if ans.Verdict != flow.Done {
		t.saw.silent = ans.Reason
		return false
	}
	if t.saw.said == nil {
		t.saw.said = map[string]flow.Said{}
	}
	t.saw.said[kind] = ans.Said
	if c == nil || over(c) {
		return true
	}
	if c.State == flow.CallHeld && ans.Report != flow.ReportMissing { // it is there after all: not sent again
		c.State = flow.CallOpen
		t.keep(c)
	}
	if c.Reported != ans.Said {
		c.Reported = ans.Said
		t.keep(c)
	}
	return true
}

// judgeMixed does for the mixed order what judgeTrade does for the trade.
func (t *turn) judgeMixed(a MixedAnswer) MixedAnswer {
	o := &t.w.Order
	if a.Verdict != flow.Done {
		return a
	}
	switch {
	case a.Differs != "":
		a.Verdict, a.Reason = flow.Unknown, t.strange(flow.CodePartyMismatch, "渠道应答："+a.Differs)
	case a.Told && (a.Fund != o.Fund || a.Account != o.Account || a.Cash != o.CashDue() && a.Cash != o.Cash):
		a.Verdict, a.Reason = flow.Unknown, t.strange(flow.CodeAmountMismatch, "渠道 "+a.Total.Yuan())
	case a.State == MixedUnclear:
		a.Verdict, a.Reason = flow.Unknown, flow.Reason{Code: string(a.State), Message: "渠道的医保订单状态不能说明结果"}
	}
	if a.Verdict != flow.Done {
		return a
	}
	if a.MixNo != "" {
		o.MixNo = a.MixNo
	}
	if a.URL != "" {
		o.Secrets.URL = a.URL
	}
	switch a.State {
	case MixedPaid:
		t.done(CallMixed)
	case MixedFailed, MixedRefunded:
		t.finishKind(CallMixed)
	}
	return a
}

func (a MixedAnswer) answer() flow.Answer {
	reports := map[MixedState]flow.Report{MixedPaid: flow.ReportDone, MixedFailed: flow.ReportFailed, MixedRefunded: flow.ReportFailed,
		MixedNotFound: flow.ReportMissing}
	return flow.Answer{Verdict: a.Verdict, Reason: a.Reason, Report: reports[a.State], Said: a.State, Theirs: a.MixNo}
}

// lookMixed asks the channel for the order of insurance and cash.
func (t *turn) lookMixed(ctx context.Context) error {
	if t.w.Calls[CallMixed] == nil {
		return nil
	}
	ch, err := t.channel(ctx)
	if err != nil {
		return err
	}
	h, err := t.habits(ctx)
	if err != nil {
		return err
	}
	var heard MixedAnswer
	ans := t.Ask(ctx, func(ctx context.Context) flow.Answer {
		heard = t.judgeMixed(ch.MedIns.QueryMixed(ctx, t.w.Order.mixed(h)))
		return heard.answer()
	})
	if t.heard(CallMixed, ans) {
		t.saw.mixed = &heard
	}
	return nil
}

func (t *turn) habits(ctx context.Context) (Habits, error) {
	c, err := t.centre(ctx)
	if err != nil {
		return Habits{}, err
	}
	return c.Habits(), nil
}

// lookCentre asks the centre for the order (6301).
func (t *turn) lookCentre(ctx context.Context) error {
	if t.w.Order.PayOrdID == "" {
		return nil
	}
	c, err := t.centre(ctx)
	if err != nil {
		return err
	}
	t.askCentre(ctx, c)
	return nil
}

// askCentre keeps what the centre says. An answer without the trust of being
// about this order with these amounts has no verdict and changes nothing.
func (t *turn) askCentre(ctx context.Context, c Centre) {
	var heard AtCentre
	ans := t.Ask(ctx, func(ctx context.Context) flow.Answer {
		heard = c.Query(ctx, t.w.Order.ref())
		return flow.Answer{Verdict: heard.Verdict, Reason: heard.Reason}
	})
	group := heard.Stas.Group()
	t.saw.spoke = ans.Verdict == flow.Done
	if had := t.w.Order.Insurance; ans.Verdict == flow.Done && had == InsuranceSettled && (group == Processing || group == Failed ||
		heard.Stas == StasCashDone) {
		ans.Verdict, ans.Reason = flow.Unknown, contradicts("医保中心先说已结算，现在的状态是 "+heard.Stas.String())
	}
	if had := t.w.Order.Insurance; ans.Verdict == flow.Done && (had == InsuranceOpen || had == InsuranceUploaded) &&
		(group == Candidate || group == Settled || group == Refunded) {
		ans.Verdict, ans.Reason = flow.Unknown, t.strange(CodeContradicted, "没有定价的订单，医保中心的状态是 "+heard.Stas.String())
	}
	if ans.Verdict != flow.Done || group == Unclear {
		t.saw.centre, t.saw.silent = nil, ans.Reason
		return
	}
	t.saw.centre = &heard
	t.keepCentre(heard)
}

// keepCentre books where the insurance's part stands. 5 is the hospital's end
// and counts with the channel's word that both halves are paid.
func (t *turn) keepCentre(a AtCentre) {
	o := &t.w.Order
	was := o.Insurance
	switch g := a.Stas.Group(); {
	case a.Stas == StasComplete, a.Stas == StasInsuranceDone, a.Stas == StasRefundedCash, a.Stas == StasRefundedPart,
		a.Stas == StasHospitalDone && t.saw.mixed != nil && t.saw.mixed.State == MixedPaid:
		if was != InsuranceReturned && was != InsuranceUndone {
			o.Insurance = InsuranceSettled
		}
	case g == Refunded, a.Stas == StasInsuranceUndone && was == InsuranceSettled:
		o.Insurance = InsuranceReturned
	case g == Cancelled:
		o.Insurance = InsuranceUndone
	case g == Failed:
		o.Insurance = InsuranceFailed
	}
	s := a.Settlement
	if s.Time != "" || s.SetlID != "" {
		old := o.Settlement
		o.Settlement = s
		if s.SetlID == "" {
			o.Settlement.SetlID = old.SetlID
		}
		if len(s.Info) == 0 {
			o.Settlement.Info = old.Info
		}
		o.Settlement.CancelNo, o.Settlement.CancelSer = old.CancelNo, old.CancelSer
	}
	if s.RevsToken != "" {
		o.Secrets.Revs = s.RevsToken
	}
	if o.Insurance != was {
		t.Note("insurance."+string(o.Insurance), byCentre(), a.Stas.String(), "")
		if o.Insurance == InsuranceSettled && o.SettledAt.IsZero() {
			o.SettledAt = t.At
		}
		if o.Insurance == InsuranceReturned && !o.SettledAt.IsZero() {
			o.InsBackAt = t.At
		}
	}
}
