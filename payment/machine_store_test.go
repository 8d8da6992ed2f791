package payment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"hospay/flow"
)

var errCrash = errors.New("crash")

// memStore is the Store of the model: it keeps what the database keeps and
// refuses what the database refuses.
type memStore struct {
	w       *world
	orders  map[string]*Work
	journal map[string]string // kind and number → content of its committed intent
	history map[string][]flow.Move
	refunds map[string][]Refund
	alarms  map[string]int // order → how often staff were told that it needs people
	grants  map[string]Grant
	seen    map[string]bool
	after   func() // each commit
}

func newMemStore(w *world) *memStore {
	return &memStore{w: w, orders: map[string]*Work{}, journal: map[string]string{}, history: map[string][]flow.Move{},
		refunds: map[string][]Refund{}, alarms: map[string]int{}, grants: map[string]Grant{}, seen: map[string]bool{}}
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

func (s *memStore) ids() []string { return slices.Sorted(maps.Keys(s.orders)) }

func (s *memStore) read(id string) Work {
	k := s.orders[id]
	w := Work{Order: k.Order, Calls: map[string]*flow.Call{}}
	w.TakeRefunds(slices.Clone(s.refunds[id]))
	for kind, c := range k.Calls {
		w.Calls[kind] = clone(c)
	}
	for i, m := range s.history[id] {
		switch {
		case m.Event == flow.EventProposed:
			w.Proposal = &flow.Proposal{Seq: i + 1, Action: flow.Action(m.Code), By: m.By, Reason: m.Message}
		case m.From != m.To, m.Event == flow.EventWithdrawn:
			w.Proposal = nil
		}
	}
	return w
}

// Create inserts an order; a bill has one that is not at its end.
func (s *memStore) Create(_ context.Context, o Order) error {
	for _, k := range s.orders {
		if k.Order.BillNo == o.BillNo && !Machine.Final(k.Order.Status) {
			return flow.NewError(CodeBillOrderExists, "")
		}
	}
	s.orders[o.ID] = &Work{Order: o, Calls: map[string]*flow.Call{}}
	return nil
}

// Claim leases due orders.
func (s *memStore) Claim(_ context.Context, _ string, now, until time.Time, limit int) ([]Work, error) {
	var out []Work
	for _, id := range s.ids() {
		o := &s.orders[id].Order
		if o.NextAt.IsZero() || o.NextAt.After(now) || !o.LeaseUntil.Before(now) || len(out) >= limit {
			continue
		}
		o.LeaseUntil = until
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

// ByNumber finds an order by a number that was sent.
func (s *memStore) ByNumber(_ context.Context, _, no string) (Work, error) {
	for _, id := range s.ids() {
		if o := s.orders[id].Order; o.TradeNo == no || o.MedOrgOrd == no {
			return s.read(id), nil
		}
	}
	return Work{}, flow.ErrNotFound
}

// Taken reports whether another call has heard the number.
func (s *memStore) Taken(_ context.Context, o Order, c *flow.Call, theirs string) (bool, error) {
	for id, k := range s.orders {
		if other := k.Calls[c.Kind]; id != o.ID && other != nil && other.Theirs == theirs {
			return true, nil
		}
	}
	return false, nil
}

// RefundByHIS finds a refund by HIS's number.
func (s *memStore) RefundByHIS(_ context.Context, _, no string) (Work, *Refund, error) {
	for _, id := range s.ids() {
		for _, r := range s.refunds[id] {
			if r.HISRefundID == no {
				return s.read(id), &r, nil
			}
		}
	}
	return Work{}, nil, flow.ErrNotFound
}

// Rewind is the database's.
func (s *memStore) Rewind(context.Context, time.Time) (time.Duration, int64, error) { return 0, 0, nil }

// Insured is the one patient of the model.
func (s *memStore) Insured(_ context.Context, _, cardNo string) (Insured, error) {
	if cardNo != "C1" {
		return Insured{}, flow.NewError(flow.CodeCardNotYours, "")
	}
	return Insured{PatientNo: "P0001", CardNo: cardNo, IDType: patient.IDType, IDNo: patient.IDNo, Name: patient.Name}, nil
}

// AwaitingAuth lists the orders that wait for a credential.
func (s *memStore) AwaitingAuth(context.Context, string, string) (out []string, err error) {
	for _, id := range s.ids() {
		if o := s.orders[id].Order; o.Status == StatusWaitAuth || o.Status == StatusCreated && o.Insured {
			out = append(out, id)
		}
	}
	return out, nil
}

// Payer is the patient's account.
func (s *memStore) Payer(context.Context, string, string, Terminal) (string, error) {
	return "openid", nil
}

// KeepCredential keeps a credential.
func (s *memStore) KeepCredential(_ context.Context, patient, channel string, g Grant) error {
	s.grants[patient+channel] = g
	return nil
}

// Credential reads a credential.
func (s *memStore) Credential(_ context.Context, patient, channel string) (Grant, error) {
	return s.grants[patient+channel], nil
}

// TakeCredential hands a credential over.
func (s *memStore) TakeCredential(_ context.Context, patient, channel string) (Grant, error) {
	g := s.grants[patient+channel]
	delete(s.grants, patient+channel)
	return g, nil
}

// Commit applies a change, or crashes before or after doing so.
func (s *memStore) Commit(_ context.Context, c *Change) error {
	switch s.w.fault("commit", 14) {
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
	if cb := c.Callback; cb != nil {
		if s.seen[cb.ID] {
			return flow.ErrSeen
		}
		defer func() { s.seen[cb.ID] = true }()
	}
	if c.ID == "" {
		return nil
	}
	k := s.orders[c.ID]
	if k.Order.Version != c.Version || k.Order.Status != c.From {
		return flow.ErrConflict
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
	if c.Refund != nil {
		s.w.twoPeople(k, c)
		if n := len(s.refunds[c.ID]); n >= c.Refund.Seq {
			s.refunds[c.ID][c.Refund.Seq-1] = *c.Refund
		} else {
			s.refunds[c.ID] = append(s.refunds[c.ID], *c.Refund)
		}
		k.TakeRefunds(slices.Clone(s.refunds[c.ID]))
	}
	for _, n := range c.Notices {
		if n.Event == flow.NoticeSuspense {
			s.alarms[c.ID]++
		}
	}
	if s.after != nil {
		s.after()
	}
	return nil
}

// putCalls keeps the journal rows; the content of a number never changes, and
// what is done stays done.
func (s *memStore) putCalls(k *Work, c *Change) {
	for _, call := range c.Calls {
		key := call.Kind + " " + call.No
		if have := s.journal[key]; have != "" && have != call.Hash {
			s.w.fail("%s: other content under the same number", key)
		}
		s.journal[key] = call.Hash
		if old := k.Calls[call.Kind]; old != nil && old.No == call.No && old.State == flow.CallDone && call.State != flow.CallDone {
			s.w.fail("%s: what was done became %s", key, call.State)
		}
		if len(call.No) > 20 {
			s.w.fail("%s has %d places", key, len(call.No))
		}
		k.Calls[call.Kind] = clone(call)
	}
}

// story tells an order's history, for the report of a failure.
func (s *memStore) story(id string) string {
	out := ""
	for _, m := range s.history[id] {
		out += fmt.Sprintf("  %s %s→%s %s %s\n", m.Event, m.From, m.To, m.Code, m.Message)
	}
	for _, kind := range CallKinds() {
		if c := s.orders[id].Calls[kind]; c != nil {
			out += fmt.Sprintf("  %s %s %s reported %q doubt %v sent %d denied %d\n", kind, c.No, c.State, c.Reported, c.Doubt, c.Sent, c.Denied)
		}
	}
	if r := s.orders[id].Refund; r != nil {
		out += fmt.Sprintf("  refund %+v\n", *r)
	}
	return out
}
