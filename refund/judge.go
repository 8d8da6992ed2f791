package refund

import (
	"context"

	"hospay/flow"
)

// against compares what an answer says of the movement with the order that it
// is for. The reason has a code when it differs; enough says whether a payment
// can be believed by what was told. An account may be told in another form than
// ours (a logon id as a user id), and is then not comparable.
func (m Movement) against(o Order) (differs flow.Reason, enough bool) {
	party := func(words string) (flow.Reason, bool) {
		return flow.Reason{Code: string(flow.CodePartyMismatch), Message: "渠道应答：" + words, Actor: flow.ActorFinance}, false
	}
	other := func(told, ours string) bool { return told != "" && ours != "" && told != ours }
	_, payee := flow.AppOf(o.Payee.Account)
	switch {
	case m.Differs != "":
		return party(m.Differs)
	case m.Told && m.Amount != o.Amount:
		return flow.Reason{Code: string(flow.CodeAmountMismatch), Message: "渠道 " + m.Amount.Yuan(), Actor: flow.ActorFinance}, false
	case o.Method == MethodTransfer && other(m.Payees[o.Payee.Type], payee):
		return party("收款人不同")
	case o.Original != nil && (other(m.Payment.TradeNo, o.Original.TradeNo) || other(m.Payment.ChannelNo, o.Original.ChannelNo)):
		return party("原支付单不同")
	}
	return flow.Reason{}, m.Told && (o.Method != MethodTransfer || len(m.Payees) > 0)
}

// judged takes from an answer what it does not prove. One about another
// payment proves nothing of ours; that money moved by it is for people at once.
// A payment that is not told in full is asked for again.
func (t *turn) judged(ctx context.Context, a PayoutAnswer) PayoutAnswer {
	t.odd, t.bare = flow.Reason{}, false
	if a.Verdict != flow.Done || a.State == PayoutNotFound {
		return a
	}
	differs, enough := a.Of.against(t.w.Order)
	if differs.Code == "" && t.taken(ctx, a) {
		differs = flow.Reason{Code: string(flow.CodeNumberTaken), Message: "渠道单号 " + a.ChannelNo, Actor: flow.ActorFinance}
	}
	switch {
	case differs.Code != "":
		if a.State == PayoutSucceeded {
			t.odd = differs
		}
		a.Verdict, a.Reason = flow.Unknown, differs
	case a.State == PayoutSucceeded && !enough:
		t.bare = true
		a.Verdict, a.Reason = flow.Unknown, flow.Reason{Code: string(flow.CodeNotTold), Message: "渠道说已付款，没有说金额或收款人", Actor: flow.ActorFinance}
	}
	return a
}

// accepted is the answer to a request that says only that it was carried out:
// the query that follows says of what.
func (t *turn) accepted(a PayoutAnswer) PayoutAnswer {
	if t.bare {
		a.Verdict, a.Reason, a.State = flow.Done, flow.Reason{}, PayoutProcessing
	}
	return a
}

// taken reports whether the channel has given its number to another of our
// payouts before. A refund may bear the number of the payment that goes back.
func (t *turn) taken(ctx context.Context, a PayoutAnswer) bool {
	tr := t.w.Transfer
	if a.ChannelNo == "" || a.ChannelNo == tr.Theirs || a.ChannelNo == a.Of.Payment.ChannelNo {
		return false
	}
	used, err := t.store.Taken(ctx, t.w.Order, &tr.Call, a.ChannelNo)
	return err == nil && used
}

// suspendOdd gives an order to people whose channel says that it has paid
// something else under our number.
func (t *turn) suspendOdd() {
	tr, o := t.w.Transfer, &t.w.Order
	t.c.Transfer, tr.State, tr.Reported = tr, flow.CallOpen, PayoutSucceeded
	t.Suspend(flow.Code(t.odd.Code), t.odd)
	o.FailCode, o.FailReason = t.odd.Code, t.odd.Message
}
