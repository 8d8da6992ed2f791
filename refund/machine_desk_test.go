package refund

import (
	"context"
	"errors"

	"hospay/flow"
	"hospay/money"
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
		a := Actions()[w.draw("what", 5)]
		if w.blind(id, a) {
			return
		}
		err = w.svc.Propose(context.Background(), id, flow.Proposal{Action: a, By: by, Reason: "核对"}, "V1")
		if err == nil && w.draw("at once", 2) == 0 {
			err = w.svc.Confirm(context.Background(), id, flow.Seen{}, people.By{Kind: people.ByStaff, ID: "u"}, "n")
		}
	case 2, 3:
		if before != nil && w.blind(id, before.Action) {
			return
		}
		err = w.svc.Confirm(context.Background(), id, flow.Seen{}, by, "n")
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

// blind reports whether people who look at the other sides would see that an
// action is not right yet: a payment is still under way, or it is there.
func (w *world) blind(id string, a Action) bool {
	k := w.store.read(id)
	k.Order.OpenSince = w.clock.Add(-w.svc.timing.Look) // whenever it comes to be confirmed
	for _, o := range w.svc.Offers(k, w.traits) {
		if o.Action != a || o.Why != WhyLooked {
			continue
		}
		if len(w.sides.late) > 0 {
			return true
		}
		for no, order := range w.numbers {
			p, b := w.sides.pays[no], w.sides.books[no]
			if order == id && (b != nil && b.pending || p != nil && (p.open() || p.paid > 0 && a == ActionRestoredHand)) {
				return true
			}
		}
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
		return w.anyOrder()
	}
	return ids[w.draw("suspended", len(ids))]
}

// byHand is what people have given back on an order's card. Where HIS could
// not be asked, they have looked and made up what was missing.
func (w *world) byHand(id string, his money.Fen) money.Fen {
	var hand money.Fen
	for _, m := range w.store.history[id] {
		switch {
		case m.Event == EventHISHand && m.Code == string(WhyUnasked):
			hand += his
		case m.Event == EventHISHand:
			hand += w.store.orders[id].Order.Amount
		}
	}
	return hand
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
		for first, i := w.draw("way", 5), 0; i < 5; i++ {
			a := ActionResume // last: it may come back
			if i < 4 {
				a = Actions()[1:][(first+i)%4]
			}
			if w.blind(id, a) {
				continue
			}
			if err := w.svc.Propose(context.Background(), id, flow.Proposal{Action: a, By: people.By{Kind: people.ByStaff, ID: "s"}, Reason: "核对"},
				"V1"); err != nil {
				continue
			}
			if err := w.svc.Confirm(context.Background(), id, flow.Seen{Action: a}, people.By{Kind: people.ByStaff, ID: "t"}, "n"); err != nil {
				w.fail("%s: %s was safe to propose, not to confirm: %v", id, a, err)
			}
			break
		}
	}
}

// deskIsEmpty holds after people have done what was safe: what came back by
// original route alone waits for the channel.
func (w *world) deskIsEmpty() {
	for _, id := range w.store.ids() {
		k := w.store.orders[id]
		if o := k.Order; o.Status == StatusSuspense && (k.Transfer == nil || w.sides.pays[k.Transfer.No] == nil ||
			w.sides.pays[k.Transfer.No].state != PayoutReturned) {
			w.fail("%s: nothing safe could be done", o.No)
		}
	}
}
