package demo

import (
	"strings"
	"time"

	"hospay/flow"
	"hospay/people"
	"hospay/refund"
	"hospay/store"
)

// walk takes an order of the past through its states, as the program would
// have moved it.
type walk struct {
	o       refund.Order
	steps   []store.PastStep
	system  people.By
	patient people.By
}

// step records a change; the order's fields have been set before.
func (w *walk) step(at time.Time, c refund.Change, moves ...flow.Move) {
	c.From = w.o.Status
	for i := range moves {
		moves[i].From = w.o.Status
		if moves[i].To == "" {
			moves[i].To = w.o.Status
		}
		w.o.Status = moves[i].To
	}
	c.Order, c.Moves = w.o, moves
	w.steps = append(w.steps, store.PastStep{At: at, Change: c})
}

func (w *walk) to(s refund.Status, event string) flow.Move {
	return flow.Move{To: s, Event: event, By: w.system}
}

// past is an order with everything that happened to it.
func (p *plan) past(o *order) store.Past {
	w := &walk{o: o.Order, system: people.System(), patient: people.By{Kind: people.ByPatient, ID: o.Patient}}
	debit := p.debit(w, o)
	switch {
	case o.way == wayCancelled:
		w.o.Target, w.o.Stage = refund.StatusCancelled, ""
		w.step(o.reviewed, refund.Change{}, flow.Move{To: refund.StatusReversing, Event: "order.cancelled", By: w.patient})
		w.restore(o, debit)
	case p.review(w, o):
		p.payout(w, o, debit)
	case o.way == wayRejected:
		w.restore(o, debit)
	}
	return store.Past{Order: o.Order, Phone: o.who.Phone, Notice: "1", Steps: w.steps}
}

// debit is the way from the application to the review.
func (p *plan) debit(w *walk, o *order) flow.Call {
	call := flow.Call{Kind: refund.HISDebit, Attempt: 1, No: flow.CallNo(o.No, 'D', 1), Amount: o.Amount, State: flow.CallIntent}
	call.Hash = refund.Debit{No: call.No, OrderNo: o.No, CardNo: o.CardNo, Amount: o.Amount, Method: o.Method, Channel: o.Channel,
		DepositNo: o.DepositNo}.Hash()
	intent := call
	w.step(o.Created.Add(time.Second), refund.Change{Debit: &intent}, w.to(refund.StatusDebiting, "order.debiting"))
	call.State, call.Theirs, call.Sent, call.SentAt, call.DoneAt = flow.CallDone, o.his, 1, o.Created.Add(time.Second), o.debited
	done := call
	w.o.HISRefundNo, w.o.HISRefundAt, w.o.Stage = o.his, o.debited, refund.StageFirst
	moves := []flow.Move{{Event: "his.debited", By: w.system}, w.to(refund.StatusReviewing, "review.opened")}
	change := refund.Change{Debit: &done}
	if outcome, verdicts := p.rules(o); outcome != refund.OutcomeApprove {
		change.Review = &refund.Review{Stage: refund.StageAuto, Decision: outcome, Verdicts: verdicts, Note: failed(verdicts)}
		moves = append(moves, flow.Move{Event: "review.auto", By: w.system, Code: string(outcome), Message: change.Review.Note})
	}
	w.step(o.debited, change, moves...)
	return call
}

func failed(verdicts []refund.RuleVerdict) string {
	var out []string
	for _, v := range verdicts {
		if !v.Pass {
			out = append(out, v.Detail)
		}
	}
	return strings.Join(out, "；")
}

// review decides about an order and reports whether it shall be paid.
func (p *plan) review(w *walk, o *order) bool {
	outcome, verdicts := p.rules(o)
	decide := func(at time.Time, rv refund.Review, by people.By) {
		w.o.Stage = ""
		w.step(at, refund.Change{Review: &rv}, flow.Move{To: refund.StatusApproved, Event: "review.approved", By: by})
	}
	switch {
	case o.way == wayOpen:
		return false
	case o.way == wayRejected:
		w.o.Target, w.o.Stage, w.o.ReviewMode, w.o.FailCode, w.o.FailReason = refund.StatusRejected, "", "manual", "rejected", o.note
		w.step(o.reviewed, refund.Change{Review: &refund.Review{Stage: refund.StageFirst, Decision: refund.OutcomeReject, Reviewer: p.first.ID,
			Note: o.note}},
			flow.Move{To: refund.StatusReversing, Event: "review.rejected", By: p.first, Code: "rejected", Message: o.note})
		return false
	case outcome == refund.OutcomeApprove:
		w.o.ReviewMode = "auto"
		decide(o.reviewed, refund.Review{Stage: refund.StageAuto, Decision: outcome, Verdicts: verdicts}, w.system)
		return true
	}
	w.o.ReviewMode = "manual"
	first := refund.Review{Stage: refund.StageFirst, Decision: refund.OutcomeApprove, Reviewer: p.first.ID}
	if o.again.IsZero() {
		decide(o.reviewed, first, p.first)
		return true
	}
	w.o.Stage, w.o.ReviewMode = refund.StageSecond, ""
	w.step(o.reviewed, refund.Change{Review: &first}, flow.Move{Event: "review.first_approved", By: p.first})
	w.o.ReviewMode = "manual"
	decide(o.again, refund.Review{Stage: refund.StageSecond, Decision: refund.OutcomeApprove, Reviewer: p.second.ID}, p.second)
	return true
}

// payout pays an approved order, or lets its confirmation expire.
func (p *plan) payout(w *walk, o *order, debit flow.Call) {
	tr := refund.Transfer{Attempt: 1, No: flow.CallNo(o.No, 'T', 1), Amount: o.Amount, State: flow.CallIntent, SentAt: o.started}
	tr.Hash = refund.Payout{No: tr.No, Method: o.Method, Amount: o.Amount, Payee: o.Payee, Original: o.Original}.Hash()
	put := func() refund.Change { c := tr; return refund.Change{Transfer: &c} }
	w.step(o.started, put(), w.to(refund.StatusPaying, "payout.started"))
	by := people.By{Kind: people.ByChannel, ID: o.Channel}
	tr.Sent, tr.Theirs, w.o.ChannelNo = 1, o.channel, o.channel
	if o.Channel == "wechat" && o.Method == refund.MethodTransfer {
		tr.State, tr.Reported, tr.ExpiresAt = flow.CallOpen, refund.PayoutAwaitingPayee, o.started.Add(24*time.Hour)
		w.step(o.started.Add(time.Second), put(), w.to(refund.StatusAwaitingPayee, "payout.awaiting_payee"))
	}
	if o.way == wayExpired {
		tr.State, tr.Reported, tr.Code, tr.Message = flow.CallRefused, refund.PayoutFailed, "OVERDUE_CLOSE", "超过 24 小时未确认收款"
		w.o.Target, w.o.FailCode, w.o.FailReason = refund.StatusFailed, tr.Code, tr.Message
		w.step(o.ended.Add(-2*time.Second), put(), flow.Move{To: refund.StatusReversing, Event: "payout.failed", By: by, Code: tr.Code,
			Message: tr.Message})
		w.restore(o, debit)
		return
	}
	tr.State, tr.Reported, tr.DoneAt, w.o.PaidAt = flow.CallDone, refund.PayoutSucceeded, o.ended, o.ended
	w.step(o.ended, put(), flow.Move{To: refund.StatusSucceeded, Event: "payout.succeeded", By: by})
}

// restore puts the balance back on the card.
func (w *walk) restore(o *order, debit flow.Call) {
	call := flow.Call{Kind: refund.HISReverse, Attempt: 1, No: flow.CallNo(o.No, 'V', 1), Amount: o.Amount, State: flow.CallDone,
		Theirs: o.restored,
		Sent:   1, SentAt: o.ended.Add(-time.Second), DoneAt: o.ended}
	call.Hash = refund.Debit{No: call.No, OrderNo: o.No, CardNo: o.CardNo, Amount: o.Amount, DepositNo: o.DepositNo, DebitNo: debit.No}.Hash()
	w.step(o.ended, refund.Change{Reversal: &call}, w.to(w.o.Target, "his.reversed"))
}
