package refund

import (
	"context"
	"slices"
	"testing"
	"time"

	"hospay/people"
)

// silent is a directory whose sides lose the first request of one kind and do
// not answer the first two questions about it. It notes what it is sent.
type silent struct {
	toldDirectory
	kind string // debit, reverse, payout
	log  []string
}

// HIS implements Directory.
func (s *silent) HIS(ctx context.Context, inst string) (HIS, HISTraits, error) {
	his, can, err := s.toldDirectory.HIS(ctx, inst)
	return silentHIS{his, s}, can, err
}

// Channel implements Directory.
func (s *silent) Channel(context.Context, string, string) (Channel, error) {
	return silentChannel{s.ch, s}, nil
}

// HISOf implements Directory.
func (s *silent) HISOf(ctx context.Context, _ string) (HIS, HISTraits, error) { return s.HIS(ctx, "") }

// ChannelOf implements Directory.
func (s *silent) ChannelOf(context.Context, string) (Channel, error) {
	return silentChannel{s.ch, s}, nil
}

// sent reports whether a request gets through, asked whether a question does.
func (s *silent) sent(kind string) bool { return s.through(kind, "send", 1) }

func (s *silent) asked(kind string) bool { return s.through(kind, "ask", 2) }

func (s *silent) through(kind, what string, lost int) bool {
	if kind != s.kind {
		return true
	}
	s.log = append(s.log, what)
	n := 0
	for _, l := range s.log {
		if l == what {
			n++
		}
	}
	return n > lost
}

type silentHIS struct {
	HIS
	s *silent
}

// through does what is asked, or loses it.
func (h silentHIS) through(ok bool, d Debit, do func(context.Context, Debit) HISAnswer) HISAnswer {
	if !ok {
		return HISAnswer{}
	}
	return do(context.Background(), d)
}

// Debit implements HISLedger.
func (h silentHIS) Debit(_ context.Context, d Debit) HISAnswer {
	return h.through(h.s.sent("debit"), d, h.HIS.Debit)
}

// Reverse implements HISLedger.
func (h silentHIS) Reverse(_ context.Context, d Debit) HISAnswer {
	return h.through(h.s.sent("reverse"), d, h.HIS.Reverse)
}

// QueryDebit implements HISLedger.
func (h silentHIS) QueryDebit(_ context.Context, d Debit) HISAnswer {
	return h.through(h.s.asked("debit"), d, h.HIS.QueryDebit)
}

// QueryReverse implements HISLedger.
func (h silentHIS) QueryReverse(_ context.Context, d Debit) HISAnswer {
	return h.through(h.s.asked("reverse"), d, h.HIS.QueryReverse)
}

type silentChannel struct {
	Channel
	s *silent
}

// Pay implements Channel.
func (c silentChannel) Pay(ctx context.Context, p Payout) PayoutAnswer {
	if !c.s.sent("payout") {
		return PayoutAnswer{}
	}
	return c.Channel.Pay(ctx, p)
}

// Query implements Channel.
func (c silentChannel) Query(ctx context.Context, p Payout) PayoutAnswer {
	if !c.s.asked("payout") {
		return PayoutAnswer{}
	}
	return c.Channel.Query(ctx, p)
}

// asksFirst plays an order to its end and wants the lost request of a kind to go
// out again only after it was asked for, however often that takes.
func asksFirst(t *testing.T, kind string, end Status, play func(*world)) {
	t.Helper()
	w, ch := calm(t)
	s := &silent{toldDirectory: toldDirectory{w.sides, ch}, kind: kind}
	w.svc.dir = s
	later := func() {
		for range 6 {
			w.clock = w.clock.Add(10 * time.Minute)
			for no := range w.sides.pays {
				w.sides.progress(no, 4)
			}
			w.turnAll(t)
		}
	}
	w.turnAll(t)
	later()
	play(w)
	later()
	if want := []string{"send", "ask", "ask", "ask", "send"}; len(s.log) < 5 || !slices.Equal(s.log[:5], want) ||
		slices.Contains(s.log[5:], "send") {
		t.Errorf("%s: %v, want %v and questions", kind, s.log, want)
	}
	if o := w.store.orders["o"].Order; o.Status != end {
		t.Errorf("%s: order is %s %s, want %s\n%s", kind, o.Status, o.FailCode, end, w.store.story("o"))
	}
}

// TestHISCall_IsAskedForBeforeItIsRepeated: a debit or a reversal whose answer
// was lost goes out again only after HIS has said that it does not know it.
func TestHISCall_IsAskedForBeforeItIsRepeated(t *testing.T) {
	review := func(approve bool) func(*world) {
		return func(w *world) {
			if err := w.svc.Review(t.Context(), "o", Decision{Approve: approve, Note: "资料核对"},
				people.By{Kind: people.ByStaff, ID: "s"}); err != nil {
				t.Fatal(err)
			}
			w.turnAll(t)
		}
	}
	asksFirst(t, HISDebit, StatusSucceeded, review(true))
	asksFirst(t, HISReverse, StatusRejected, review(false))
}

// TestPayoutCall_IsAskedForBeforeItIsRepeated is the same of a channel.
func TestPayoutCall_IsAskedForBeforeItIsRepeated(t *testing.T) {
	asksFirst(t, "payout", StatusSucceeded, func(w *world) { w.approve(t) })
}
