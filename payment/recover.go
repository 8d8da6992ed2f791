package payment

import (
	"context"

	"hospay/flow"
	"hospay/money"
	"hospay/people"
)

// The events of looking at the orders of a restored copy, and the codes of what was
// found.
const (
	EventCopyChecked = "copy.checked" // the other sides know no more than the copy
	EventCopyFound   = "copy.found"   // they do: it was taken over

	CodePaymentLost flow.Code = "payment_lost" // an answer proves the outcome
	CodePartsLost   flow.Code = "parts_lost"   // who pays what is not here: people alone decide
)

// ahead is how many numbers after the last one a lost refund can have used.
const ahead = 2

// lost is what the other sides know of an order and a restored copy does not.
type lost struct {
	what   string
	code   flow.Code
	back   Status // the state that asks for it
	trade  bool   // the order at the channel
	charge bool   // HIS has been told
	cash   bool   // cash went back
}

func (l *lost) found(what string, back Status) {
	if l.what != "" {
		l.what += "；"
	}
	l.what, l.back = l.what+what, back
	if l.code == "" {
		l.code = CodePaymentLost
	}
}

// Recover asks channel, centre and HIS about an open order of a restored copy: by
// the numbers that it has, and by the next ones that it could have used after the
// copy was made. What is found is taken over, and the order waits with people for
// the other side to prove its outcome. An error means that a side kept silent: the
// order is asked for again.
func (s *Service) Recover(ctx context.Context, id string) error {
	return flow.Retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil || Resting(t.w.Order.Status) {
			return err
		}
		l, err := t.forgotten(ctx)
		if err != nil {
			return err
		}
		if l.what == "" {
			t.Note(EventCopyChecked, people.System(), "", "")
			return t.commit(ctx, false)
		}
		o := &t.w.Order
		if o.Status != StatusSuspense {
			t.Suspend(l.code, flow.Reason{Message: l.what, Actor: flow.ActorFinance})
			o.SuspendedFrom = l.back
		} else if l.back != "" {
			o.SuspendedFrom = l.back
		}
		o.FailCode, o.FailReason = string(l.code), l.what
		t.DueNow() // an answer that proves the outcome brings it back
		t.Note(EventCopyFound, people.System(), string(l.code), l.what)
		return t.commit(ctx, false)
	})
}

// forgotten looks for what the copy does not know, in the order in which it would
// have happened; a refund of cash is asked for before the trade that it is of.
func (t *turn) forgotten(ctx context.Context) (lost, error) {
	var l lost
	insured := t.w.Order.Insurance
	for _, look := range []func(context.Context, *lost) error{t.lostTrade, t.lostCashBack, t.knownSides, t.lostCharge} {
		if err := look(ctx, &l); err != nil {
			return l, err
		}
	}
	o := &t.w.Order
	back := insured != InsuranceReturned && o.Insurance == InsuranceReturned
	switch {
	case t.odd.Code != "":
		l.code = flow.Code(t.odd.Code)
		l.found(t.odd.Message, t.from())
	case o.Insured && (insured == InsuranceOpen || insured == InsuranceUploaded) && (l.trade || l.charge):
		l.code, l.back = CodePartsLost, StatusPaying
	case l.cash || back && (l.charge || o.Status == StatusSettled || o.Status == StatusWriting):
		t.lostRefund(&l, back)
	}
	return l, nil
}

// from is the state that the order is in, or goes back to.
func (t *turn) from() Status {
	if o := t.w.Order; o.Status == StatusSuspense {
		return o.SuspendedFrom
	}
	return t.w.Order.Status
}

func silent(r flow.Reason, code flow.Code) error { return flow.NewError(code, r.String()) }

// channels are those through which the order can have been sent.
func (t *turn) channels(ctx context.Context) ([]string, error) {
	if c := t.connection(CallTrade, CallMixed); c != "" {
		return []string{c}, nil
	}
	return t.dir.Reached(ctx, t.w.Order.Institution, t.w.Order.Channel, t.w.Order.Created)
}

// lostTrade takes over the orders at the channel, for the cash and for both parts.
func (t *turn) lostTrade(ctx context.Context, l *lost) error {
	o := &t.w.Order
	if t.w.Calls[CallTrade] != nil && (!o.Insured || t.w.Calls[CallMixed] != nil) {
		return nil
	}
	reached, err := t.channels(ctx)
	if err != nil {
		return err
	}
	asked := *o
	asked.TradeNo = flow.CallNo(o.No, letters[CallTrade], 1)
	for _, connection := range reached {
		ch, err := t.dir.ChannelOf(ctx, connection)
		if err != nil {
			return err
		}
		if t.w.Calls[CallTrade] == nil {
			if err := t.lostCash(ctx, l, asked, ch, connection); err != nil {
				return err
			}
		}
		if o.Insured && !o.direct() && ch.MedIns != nil && t.w.Calls[CallMixed] == nil { // what a kiosk has settled, the centre tells
			if err := t.lostMixed(ctx, l, asked, ch, connection); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *turn) lostCash(ctx context.Context, l *lost, asked Order, ch Channel, connection string) error {
	o := &t.w.Order
	var a TradeAnswer
	t.Ask(ctx, func(ctx context.Context) flow.Answer {
		a = ch.QueryTrade(ctx, asked.trade())
		return a.answer()
	})
	switch {
	case a.Verdict != flow.Done:
		return silent(a.Reason, flow.CodeChannelUnavailable)
	case a.State == TradeNotFound:
		return nil
	}
	o.TradeNo, o.CashLeg = asked.TradeNo, CashOpen
	t.takeOver(CallTrade, 1, o.CashDue(), connection, a.State, a.ChannelNo, o.trade().Hash())
	l.trade = true
	l.found("渠道已有本单的支付 "+o.TradeNo, StatusPaying)
	return nil
}

func (t *turn) lostMixed(ctx context.Context, l *lost, asked Order, ch Channel, connection string) error {
	h, err := t.habits(ctx)
	if err != nil {
		return err
	}
	var a MixedAnswer
	t.Ask(ctx, func(ctx context.Context) flow.Answer {
		a = ch.MedIns.QueryMixed(ctx, asked.mixed(h))
		return a.answer()
	})
	switch {
	case a.Verdict != flow.Done:
		return silent(a.Reason, flow.CodeChannelUnavailable)
	case a.State == MixedNotFound:
		return nil
	}
	o := &t.w.Order
	o.TradeNo, o.MixNo = asked.TradeNo, a.MixNo
	t.takeOver(CallMixed, 1, o.Total, connection, a.State, a.MixNo, o.mixed(h).Hash())
	l.trade = true
	l.found("渠道已有本单的医保订单 "+o.TradeNo, StatusPaying)
	return nil
}

// takeOver writes down a number that the other side knows: how often it was sent is
// not known here.
func (t *turn) takeOver(kind string, attempt int, amount money.Fen, connection string, said flow.Said, theirs, hash string) *flow.Call {
	c := &flow.Call{Kind: kind, Attempt: attempt, No: flow.CallNo(t.w.Order.No, letters[kind], attempt), Hash: hash, Amount: amount,
		Connection: connection, State: flow.CallOpen, Reported: said, Theirs: theirs, SentAt: t.At}
	t.w.Calls[kind] = c
	t.keep(c)
	return c
}

// lostCashBack takes over a refund of cash that the channel knows.
func (t *turn) lostCashBack(ctx context.Context, l *lost) error {
	o := &t.w.Order
	if o.TradeNo == "" {
		return nil
	}
	ch, err := t.channel(ctx)
	if err != nil {
		return err
	}
	for n := range ahead {
		no, attempt, a := t.askNextBack(ctx, ch, n)
		switch {
		case a.Verdict != flow.Done:
			return silent(a.Reason, flow.CodeChannelUnavailable)
		case a.State == RefundNotFound:
			return nil
		case a.State == RefundFailed:
			continue
		}
		if !a.Told { // how much is asked for again before anything of it counts
			a.Amount = o.CashDue() - o.CashBack
		}
		r := t.w.Refund
		if r == nil || r.State != RefundOpenState {
			r = &Refund{Kind: RefundCash, Reason: string(CodePaymentLost), By: people.System(), AskedAt: t.At, Cash: a.Amount}
			t.openRefund(r)
		}
		if r.Cash != a.Amount {
			t.strange(flow.CodeAmountMismatch, "渠道已有本单的退款 "+no+"，"+a.Amount.Yuan())
			return nil
		}
		if o.CashLeg == CashOpen || o.CashLeg == CashNone { // what went back was paid
			o.CashLeg, o.PaidAt = CashPaid, t.At
			t.done(CallTrade)
		}
		t.takeOver(CallCashBack, attempt, a.Amount, t.connection(CallTrade, CallMixed), a.State, a.ChannelNo, o.cashBack(no, *r).Hash())
		l.cash = true
		l.found("渠道已有本单的退款 "+no, StatusRefunding)
		return nil
	}
	return nil
}

// askNextBack asks the channel for the refund number after the last one, or for one
// of those that follow.
func (t *turn) askNextBack(ctx context.Context, ch Channel, after int) (no string, attempt int, a RefundAnswer) {
	o := t.w.Order
	attempt = 1 + after
	if c := t.w.Calls[CallCashBack]; c != nil {
		attempt += c.Attempt
	}
	no = flow.CallNo(o.No, letters[CallCashBack], attempt)
	ans := t.Ask(ctx, func(ctx context.Context) flow.Answer {
		a = ch.QueryTradeRefund(ctx, TradeRefund{No: no, Trade: o.trade(), ChannelNo: o.ChannelNo, Amount: o.CashDue() - o.CashBack})
		return a.answer()
	})
	a.Verdict = ans.Verdict
	return no, attempt, a
}

// knownSides asks for the numbers that the copy has. One whose cash has gone back by
// a number that was just found is not asked for the cash again.
func (t *turn) knownSides(ctx context.Context, l *lost) error {
	o := &t.w.Order
	if o.Insured && (o.Insurance == InsuranceOpen || o.Insurance == InsuranceUploaded) && l.trade {
		return nil // who pays what is not known: nothing of it can be judged
	}
	if t.w.Calls[CallTrade] != nil && o.CashBack == 0 && t.w.Calls[CallCashBack] == nil {
		if err := t.lookCash(ctx); err != nil {
			return err
		}
		spoke := t.saw.silent.Code == string(CodeContradicted) || t.saw.silent.Code == string(flow.CodeNotTold)
		if t.saw.trade == nil && t.odd.Code == "" && !spoke {
			return silent(t.saw.silent, flow.CodeChannelUnavailable)
		}
	}
	if err := t.lookMixed(ctx); err != nil || o.PayOrdID == "" {
		return err
	}
	t.saw.silent = flow.Reason{}
	if err := t.lookCentre(ctx); err != nil {
		return err
	}
	if t.saw.centre == nil && !t.saw.spoke && t.odd.Code == "" {
		return silent(t.saw.silent, CodeCentreUnavailable)
	}
	return nil
}

// lostCharge takes over what HIS was told.
func (t *turn) lostCharge(ctx context.Context, l *lost) error {
	o := &t.w.Order
	if t.w.Calls[CallCharge] != nil {
		return nil
	}
	his, err := t.his(ctx)
	if err != nil || !his.Can().Check {
		return err
	}
	no := flow.CallNo(o.No, letters[CallCharge], 1)
	var heard Receipt
	t.Ask(ctx, func(ctx context.Context) flow.Answer {
		heard = his.CheckCharge(ctx, o.charge(no))
		return heard.answer()
	})
	switch {
	case heard.Verdict != flow.Done:
		return silent(heard.Reason, flow.CodeHISUnavailable)
	case heard.State == ReceiptNotFound:
		return nil
	}
	t.takeOver(CallCharge, 1, o.Total, "", heard.State, heard.HISNo, o.charge(no).Hash())
	if t.judgeReceipt(ctx, CallCharge, heard); t.odd.Code != "" {
		return nil
	}
	l.charge = true
	l.found("HIS 已有本单的结算 "+no, StatusWriting)
	return nil
}

// lostRefund makes what went back a refund of the order. Where HIS has the payment
// it is what went back; where it has not, all goes back.
func (t *turn) lostRefund(l *lost, insurance bool) {
	o, r := &t.w.Order, t.w.Refund
	if r != nil && r.State == RefundOpenState && !l.cash { // under way: its own steps ask
		return
	}
	if r == nil || r.State != RefundOpenState {
		r = &Refund{Kind: RefundInsurance, Reason: string(CodePaymentLost), By: people.System(), AskedAt: t.At}
		t.openRefund(r)
	}
	if insurance {
		r.Insurance, r.Fund, r.Account = true, o.Fund, o.Account
	}
	written := t.w.Calls[CallCharge]
	if l.charge {
		written.State, written.DoneAt = flow.CallDone, t.At
		o.ReceiptNo, o.WrittenAt, r.From = written.Theirs, t.At, StatusDone
	} else if written == nil || written.State != flow.CallDone {
		r.ByItself = true
		if !l.cash {
			r.Cash = o.CashKept()
		}
		r.Insurance = r.Insurance || o.Insurance == InsuranceSettled
	}
	switch {
	case r.Insurance && r.Cash > 0:
		r.Kind = RefundAll
	case r.Cash > 0:
		r.Kind = RefundCash
	}
	if !l.cash {
		l.found("医保部分已退回", StatusRefunding)
	}
	l.back = StatusRefunding
}
