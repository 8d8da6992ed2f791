package refund

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"hospay/flow"
	"hospay/people"
)

var errCrash = errors.New("crash")

// memStore is the Store of the model: it keeps what the database keeps and
// refuses what the database refuses.
type memStore struct {
	w       *world
	orders  map[string]*Work
	leases  map[string]string
	reviews map[string]bool
	seen    map[string]bool
	journal map[string]string // number → content of its committed intent
	history map[string][]flow.Move
	first   map[string]string // order → who approved it first
	alarms  map[string]int    // order → how often staff were told that it needs people
	notices map[string][]flow.Notice
}

func newMemStore(w *world) *memStore {
	return &memStore{w: w, orders: map[string]*Work{}, leases: map[string]string{}, reviews: map[string]bool{}, seen: map[string]bool{},
		journal: map[string]string{}, history: map[string][]flow.Move{}, first: map[string]string{}, alarms: map[string]int{},
		notices: map[string][]flow.Notice{}}
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

func (s *memStore) read(id string) Work {
	k := s.orders[id]
	w := Work{Order: k.Order, Debit: clone(k.Debit), Reversal: clone(k.Reversal), Transfer: clone(k.Transfer)}
	if k.Order.Stage == StageSecond {
		w.First = people.By{Kind: people.ByStaff, ID: s.first[id], Person: s.first[id]}
	}
	for i, m := range s.history[id] {
		switch {
		case m.Event == flow.EventProposed:
			w.Proposal = &flow.Proposal{Seq: i + 1, Action: Action(m.Code), By: m.By, Reason: m.Message}
		case m.From != m.To, m.Event == flow.EventWithdrawn:
			w.Proposal = nil
		}
	}
	if k.Order.Compensates != "" {
		w.Debit = clone(s.orders[k.Order.Compensates].Debit)
	}
	return w
}

func (s *memStore) ids() []string {
	var ids []string
	for id := range s.orders {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	return ids
}

// Claim leases due orders.
func (s *memStore) Claim(_ context.Context, owner string, now, until time.Time, limit int) ([]Work, error) {
	var out []Work
	for _, id := range s.ids() {
		o := &s.orders[id].Order
		if o.NextAt.IsZero() || o.NextAt.After(now) || !o.LeaseUntil.Before(now) || len(out) >= limit {
			continue
		}
		o.LeaseUntil, s.leases[id] = until, owner
		o.Version++
		out = append(out, s.read(id))
	}
	return out, nil
}

// Get reads an order.
func (s *memStore) Get(_ context.Context, id string) (Work, error) {
	if s.orders[id] == nil {
		return Work{}, flow.ErrNotFound
	}
	return s.read(id), nil
}

// ByPayout finds an order by a payout number.
func (s *memStore) ByPayout(_ context.Context, _, no string) (Work, error) {
	for _, id := range s.ids() {
		if tr := s.orders[id].Transfer; tr != nil && s.journal[no] != "" && s.w.numbers[no] == id {
			return s.read(id), nil
		}
	}
	return Work{}, flow.ErrNotFound
}

// Taken reports whether another call has heard the number.
func (s *memStore) Taken(_ context.Context, o Order, c *flow.Call, theirs string) (bool, error) {
	for id, k := range s.orders {
		for _, other := range []*flow.Call{k.Debit, k.Reversal} {
			if id != o.ID && other != nil && other.Kind == c.Kind && other.Theirs == theirs {
				return true, nil
			}
		}
	}
	return false, nil
}

// Rewind is the database's.
func (s *memStore) Rewind(context.Context, time.Time) (time.Duration, int64, error) { return 0, 0, nil }

// Facts are those of an order that every rule likes.
func (s *memStore) Facts(_ context.Context, o Order, now time.Time) (Facts, error) {
	return Facts{Amount: o.Amount, CardName: "张三", PayeeName: "张三", CardIssued: now.AddDate(-1, 0, 0), OrdersToday: 1, PayeeCards: 1,
		Applied: noon}, nil
}

// Commit applies a change, or crashes before or after doing so.
func (s *memStore) Commit(_ context.Context, c *Change) error {
	switch s.w.fault("commit", 12) {
	case 0:
		return errCrash
	case 1:
		if err := s.commit(c); err != nil {
			return err
		}
		return errCrash
	}
	return s.commit(c)
}

func (s *memStore) commit(c *Change) error {
	if cb := c.Callback; cb != nil && s.seen[cb.ID] {
		return flow.ErrSeen
	}
	if c.ID != "" {
		if err := s.apply(c); err != nil {
			return err
		}
	}
	if c.Callback != nil {
		s.seen[c.Callback.ID] = true
	}
	return nil
}

func (s *memStore) apply(c *Change) error {
	k := s.orders[c.ID]
	if k.Order.Version != c.Version || k.Order.Status != c.From {
		return flow.ErrConflict
	}
	if c.Review != nil {
		key := c.ID + string(c.Review.Stage)
		if s.reviews[key] {
			return flow.ErrConflict
		}
		s.reviews[key] = true
		if c.Review.Stage == StageFirst {
			s.first[c.ID] = c.Review.Reviewer
		}
		if needs := s.w.inst.Review.NeedsSecond(c.Order); needs && c.Review.Stage == StageAuto && c.Review.Decision == OutcomeApprove {
			s.w.fail("%s: the rules approved what two people decide on", c.Order.No)
		}
	}
	at := c.From
	for _, m := range c.Moves {
		if m.To != m.From && (m.From != at || !Machine.Can(at, m.To)) {
			s.w.fail("illegal move %s→%s (at %s) of %s", m.From, m.To, at, c.Order.No)
		}
		at = m.To
		s.history[c.ID] = append(s.history[c.ID], m)
	}
	if at != c.Order.Status {
		s.w.fail("%s: moved to %s, stored as %s", c.Order.No, at, c.Order.Status)
	}
	lease := k.Order.LeaseUntil
	k.Order = c.Order
	k.Order.Version, k.Order.LeaseUntil = c.Version+1, time.Time{}
	if c.KeepLease {
		k.Order.LeaseUntil = lease
	}
	s.putCalls(k, c)
	s.notices[c.ID] = append(s.notices[c.ID], c.Notices...)
	for _, n := range c.Notices {
		if n.Event == flow.NoticeSuspense {
			s.alarms[c.ID]++
		}
	}
	if comp := compensationOf(c.ID); c.Compensate != nil && s.orders[comp] == nil {
		s.orders[comp] = &Work{Order: *c.Compensate}
		s.orders[comp].Order.ID = comp
	}
	return nil
}

// putCalls keeps the journal rows; the content of a number never changes.
func (s *memStore) putCalls(k *Work, c *Change) {
	keep := func(no, hash string) {
		if have := s.journal[no]; have != "" && have != hash {
			s.w.fail("%s: other content under the same number", no)
		}
		s.journal[no] = hash
		s.w.numbers[no] = c.ID
	}
	if c.Debit != nil && c.Order.Compensates == "" {
		keep(c.Debit.No, c.Debit.Hash)
		k.Debit = clone(c.Debit)
	}
	if c.Reversal != nil {
		keep(c.Reversal.No, c.Reversal.Hash)
		k.Reversal = clone(c.Reversal)
	}
	if c.Transfer != nil {
		keep(c.Transfer.No, c.Transfer.Hash)
		if k.Transfer != nil && k.Transfer.No == c.Transfer.No && k.Transfer.State == flow.CallDone && c.Transfer.State != flow.CallDone {
			s.w.fail("%s: a paid payout became %s", c.Transfer.No, c.Transfer.State)
		}
		k.Transfer = clone(c.Transfer)
	}
}

// story tells an order's history, for the report of a failure.
func (s *memStore) story(id string) string {
	out := ""
	for _, m := range s.history[id] {
		out += fmt.Sprintf("  %s %s→%s %s\n", m.Event, m.From, m.To, m.Code)
	}
	return out
}

// compensationOf is the id that this store gives to the one order that
// compensates another.
func compensationOf(id string) string { return id + "-comp" }
