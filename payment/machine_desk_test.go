package payment

import (
	"context"
	"errors"

	"hospay/flow"
	"hospay/people"
)

// desk is what people do with suspended orders, safe or not: the domain must
// refuse what is not.
func (w *world) desk() {
	id := w.anySuspended()
	if id == "" {
		return
	}
	by := people.By{Kind: people.ByStaff, ID: []string{"s", "t"}[w.draw("person", 2)]}
	before := w.store.read(id).Proposal
	var err error
	switch w.draw("desk", 5) {
	case 0, 1:
		a := Actions()[w.draw("what", len(Actions()))]
		if w.blind(id, a) {
			return
		}
		err = w.svc.Propose(context.Background(), id, flow.Proposal{Action: a, By: by, Reason: "核对"}, "V1")
		if err == nil && w.draw("at once", 2) == 0 {
			err = w.confirm(id, a, people.By{Kind: people.ByStaff, ID: "u"})
		}
	case 2, 3:
		if before != nil && w.blind(id, before.Action) {
			return
		}
		if before != nil {
			err = w.confirm(id, before.Action, by)
		}
		if before != nil && w.depth == 0 && err == nil && before.By.ID == by.ID {
			w.fail("%s: one person did what needs two", id)
		}
	case 4:
		err = w.svc.Withdraw(context.Background(), id, by, "n")
	}
	if err != nil && flow.CodeOf(err) == "" && !errors.Is(err, errCrash) {
		w.fail("desk: %v", err)
	}
}

func (w *world) confirm(id string, a flow.Action, by people.By) error {
	was := w.store.orders[id].Order.Status
	hand := w.hands[id]
	if NeedsEvidence(a) {
		w.hands[id] = a
	}
	err := w.svc.Confirm(context.Background(), id, flow.Seen{}, by, "n")
	if w.store.orders[id].Order.Status == was && hand == "" {
		delete(w.hands, id)
	}
	return err
}

// blind reports whether people who look at the other sides would see that what
// they are about to say is not so.
func (w *world) blind(id string, a flow.Action) bool {
	o := w.store.orders[id].Order
	m := w.sides.moved(o)
	kept := m.cash - m.back
	p := w.sides.pays[o.TradeNo]
	payable := p != nil && (p.state == TradeOpen || p.mixed != nil && p.over == "" && !p.whole(w.sides))
	switch a {
	case ActionPaid:
		return kept != o.CashDue() || o.Insured && m.insured != o.Fund+o.Account
	case ActionWritten:
		return !m.charged
	case ActionUnpaid:
		return kept != 0 || m.insured != 0 || payable || len(w.sides.late) > 0
	case ActionRefunded: // they give it back themselves
		return payable || len(w.sides.late) > 0
	case ActionRefund, ActionWrite:
		return m.charged || len(w.sides.late) > 0
	}
	return false
}

// anySuspended prefers what people have to deal with.
func (w *world) anySuspended() string {
	var ids []string
	for _, id := range w.store.ids() {
		if w.store.orders[id].Order.Status == StatusSuspense {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return ids[w.draw("suspended", len(ids))]
}

// people settle what the machine has left to them, with any safe action.
func (w *world) people() {
	w.pass(w.svc.timing.Settle)
	for _, id := range w.store.ids() {
		if w.store.orders[id].Order.Status != StatusSuspense {
			continue
		}
		if p := w.store.read(id).Proposal; p != nil {
			_ = w.svc.Withdraw(context.Background(), id, people.By{Kind: people.ByStaff, ID: "s"}, "n")
		}
		all := Actions()
		for first, i := w.draw("way", len(all)-1), 0; i < len(all); i++ {
			a := ActionResume // last: it may come back
			if i < len(all)-1 {
				a = all[1:][(first+i)%(len(all)-1)]
			}
			if w.blind(id, a) {
				continue
			}
			if err := w.svc.Propose(context.Background(), id, flow.Proposal{Action: a, By: people.By{Kind: people.ByStaff, ID: "s"}, Reason: "核对"},
				"V1"); err != nil {
				continue
			}
			if err := w.confirm(id, a, people.By{Kind: people.ByStaff, ID: "t"}); err != nil {
				w.fail("%s: %s was safe to propose, not to confirm: %v", id, a, err)
			}
			break
		}
	}
}

// deskIsEmpty holds after people have done what was safe.
func (w *world) deskIsEmpty() {
	for _, id := range w.store.ids() {
		if o := w.store.orders[id].Order; o.Status == StatusSuspense && w.store.read(id).Proposal == nil {
			w.fail("%s: nothing safe could be done", o.No)
		}
	}
}
