package payment

import (
	"context"

	"hospay/flow"
	"hospay/people"
)

// Verb is what staff may do with an order, beside the actions of the desk.
type Verb string

// The verbs.
const (
	VerbQuery           Verb = "query"            // 立即查询
	VerbWrite           Verb = "write"            // 重新回写 HIS
	VerbRefundAll       Verb = "refund_all"       // 整单退
	VerbRefundInsurance Verb = "refund_insurance" // 只退医保
	VerbRefundCash      Verb = "refund_cash"      // 只退自费
)

// VerbOffer says whether a verb is safe now, and by which code it is not. Detail
// is for the sentence of some codes.
type VerbOffer struct {
	Verb   Verb
	Safe   bool
	Why    flow.Code
	Detail string
}

// Verbs judges every verb on an order as it is now. HIS, which is asked when a
// refund is wanted, may still say no.
func (s *Service) Verbs(ctx context.Context, w Work) ([]VerbOffer, error) {
	t, err := s.begin(ctx, w)
	if err != nil {
		return nil, err
	}
	out := []VerbOffer{offer(VerbQuery, t.mayAsk()), offer(VerbWrite, t.mayWriteAgain())}
	for _, v := range []struct {
		verb Verb
		kind RefundKind
	}{{VerbRefundAll, RefundAll}, {VerbRefundInsurance, RefundInsurance}, {VerbRefundCash, RefundCash}} {
		_, err := t.hereToRefund(ctx, RefundWish{Kind: v.kind})
		if err != nil && flow.CodeOf(err) == "" {
			return nil, err
		}
		if err == nil {
			err = t.mayGiveBack()
		}
		if err == nil && w.Wish != nil {
			err = flow.NewError(CodeRefundProposed, w.Wish.No)
		}
		out = append(out, offer(v.verb, err))
	}
	return out, nil
}

func offer(v Verb, err error) VerbOffer {
	return VerbOffer{Verb: v, Safe: err == nil, Why: flow.CodeOf(err), Detail: flow.DetailOf(err)}
}

func (t *turn) mayAsk() error {
	if s := t.w.Order.Status; Resting(s) {
		return flow.NewError(CodeAtRest, string(s))
	}
	return nil
}

// mayWriteAgain: while HIS has not answered it is asked, and what it does not know
// two people may send once more.
func (t *turn) mayWriteAgain() error {
	w := t.w
	switch o := w.Order; {
	case o.Status == StatusSettled || o.Status == StatusWriting:
		return nil
	case o.Status != StatusSuspense:
		return flow.NewError(CodeNoWrite, string(o.Status))
	}
	for _, offered := range t.Offers(w) {
		if offered.Action == ActionWrite && !offered.Safe {
			return flow.NewError(flow.CodeActionUnsafe, string(offered.Why))
		}
	}
	return nil
}

// Write tells HIS once more of a payment, never blindly: HIS is asked first
// (trade_check). While the outcome is open, asking is all that is done. On the
// desk one person proposes it and another confirms it, by the same call; a payment
// that HIS turns out to have goes on by itself.
func (s *Service) Write(ctx context.Context, id, reason string, by people.By) error {
	reason, err := flow.Required(reason, flow.CodeNoteRequired)
	if err != nil {
		return err
	}
	t, err := s.load(ctx, id)
	if err != nil {
		return err
	}
	switch st := t.w.Order.Status; {
	case st == StatusSettled || st == StatusWriting:
		return s.Check(ctx, id, by)
	case st != StatusSuspense:
		return flow.NewError(CodeNoWrite, string(st))
	case t.w.Proposal == nil:
		err = s.Propose(ctx, id, flow.Proposal{Action: ActionWrite, By: by, Reason: reason}, "")
	default:
		err = s.Confirm(ctx, id, flow.Seen{Action: ActionWrite}, by, reason)
	}
	if flow.CodeOf(err) == flow.CodeActionUnsafe && Why(flow.DetailOf(err)) == WhyWritten {
		return s.Check(ctx, id, by)
	}
	return err
}

// AtCentre asks the centre for an order now, for people to compare with what is
// booked; it changes nothing. ok is false where there is nothing to ask, or
// nothing left to ask with.
func (s *Service) AtCentre(ctx context.Context, w Work) (a AtCentre, ok bool, err error) {
	t, err := s.begin(ctx, w)
	if err != nil {
		return a, false, err
	}
	o := t.w.Order
	if o.PayOrdID == "" || o.Secrets.Token == "" {
		return a, false, nil
	}
	c, err := t.centre(ctx)
	if err != nil {
		return a, false, err
	}
	asking, cancel := context.WithTimeout(ctx, s.timing.Call)
	defer cancel()
	ref := o.ref()
	ref.Known = nil // what it tells is shown, not believed
	return c.Query(asking, ref), true, nil
}

// AtHIS asks HIS for the write-back of an order now (trade_check), for people to
// compare with what is booked; it changes nothing. ok is false where HIS was never
// told, or cannot be asked.
func (s *Service) AtHIS(ctx context.Context, w Work) (r Receipt, ok bool, err error) {
	t, err := s.begin(ctx, w)
	if err != nil {
		return r, false, err
	}
	c := t.w.Calls[CallCharge]
	if c == nil {
		return r, false, nil
	}
	his, err := t.his(ctx)
	if err != nil || !his.Can().Check {
		return r, false, err
	}
	asking, cancel := context.WithTimeout(ctx, s.timing.Call)
	defer cancel()
	return his.CheckCharge(asking, t.w.Order.charge(c.No)), true, nil
}
