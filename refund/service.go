package refund

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Service moves orders. It is safe for concurrent use; what it decides is
// committed by compare-and-set, so two services on one store do no harm.
type Service struct {
	store  Store
	dir    Directory
	timing Timing
	now    func() time.Time
	log    *slog.Logger
}

// NewService returns a service. A nil log discards.
func NewService(store Store, dir Directory, timing Timing, now func() time.Time, log *slog.Logger) *Service {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Service{store: store, dir: dir, timing: timing, now: now, log: log}
}

// Cancel takes an order back at the patient's wish. Before the debit nothing
// has to be undone; after it the balance is restored at HIS; while the payee
// has not confirmed, the channel is asked to close the payout. While a call is
// in flight the answer is ErrConflict.
func (s *Service) Cancel(ctx context.Context, id string, by By) error {
	return s.retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		switch t.w.Order.Status {
		case StatusSubmitted, StatusReviewing, StatusApproved:
			t.undo(StatusCancelled, "order.cancelled", by, "", "")
		case StatusAwaitingPayee:
			t.w.Order.CancelAsked = true
			t.wake()
			t.note("order.cancel_asked", by, "", "")
		default:
			return fail(CodeConflict, string(t.w.Order.Status))
		}
		return t.commit(ctx, false)
	})
}

// Wake makes an order due now, so that its outcome is asked for at once. Final
// orders stay as they are, and so do those under review: nobody outside knows
// their outcome, and the delay of the automatic review holds. An order that a
// worker holds is being asked for already; to wake it would lose the answer.
func (s *Service) Wake(ctx context.Context, id string, by By) error {
	return s.retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		if s := t.w.Order.Status; s.Final() || s == StatusReviewing {
			return fail(CodeConflict, string(s))
		}
		if t.w.Order.LeaseUntil.After(t.at) {
			return nil
		}
		t.wake()
		t.note("order.woken", by, "", "")
		return t.commit(ctx, false)
	})
}

// retry repeats f while it loses the race for an order's version.
func (s *Service) retry(f func() error) error {
	var err error
	for range 8 {
		if err = f(); err != ErrConflict { //nolint:errorlint // the sentinel itself: a coded conflict is final
			return err
		}
	}
	return err
}

// turn is one worker's hold on an order: the work as read, and the change that
// will be committed next.
type turn struct {
	*Service
	w    Work
	c    Change
	at   time.Time
	inst Institution
	// worker: this turn holds the order's lease. fresh: the intent of the
	// current call was committed in this turn, so it has not been sent yet.
	worker, fresh bool
}

func (s *Service) load(ctx context.Context, id string) (*turn, error) {
	w, err := s.store.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.begin(ctx, w)
}

func (s *Service) begin(ctx context.Context, w Work) (*turn, error) {
	inst, err := s.dir.Institution(ctx, w.Order.Institution)
	if err != nil {
		return nil, err
	}
	t := &turn{Service: s, w: w, at: s.now(), inst: inst}
	t.reset()
	return t, nil
}

func (t *turn) reset() {
	t.c = Change{ID: t.w.Order.ID, From: t.w.Order.Status, Version: t.w.Order.Version}
}

// commit writes the collected change and starts the next one.
func (t *turn) commit(ctx context.Context, keep bool) error {
	t.c.Order, t.c.KeepLease = t.w.Order, keep
	if err := t.store.Commit(ctx, &t.c); err != nil {
		return err
	}
	t.w.Order.Version++
	t.reset()
	return nil
}

// move changes the state and records why.
func (t *turn) move(to Status, event string, by By, code, message string) {
	o := &t.w.Order
	t.c.Moves = append(t.c.Moves, Move{From: o.Status, To: to, Event: event, By: by, Code: code, Message: message})
	o.Status, o.Tries, o.OpenSince, o.NextAt, o.Stage = to, 0, time.Time{}, time.Time{}, ""
	if !to.Final() {
		o.NextAt = t.at
	}
}

// note records a fact without a change of state.
func (t *turn) note(event string, by By, code, message string) {
	s := t.w.Order.Status
	t.c.Moves = append(t.c.Moves, Move{From: s, To: s, Event: event, By: by, Code: code, Message: message})
}

func (t *turn) wake() { t.w.Order.NextAt = t.at }

func (t *turn) wait(d time.Duration) { t.w.Order.NextAt = t.at.Add(d) }

// open waits for the next query of an open outcome, or gives the order to
// people once it has been open for too long.
func (t *turn) open(schedule []time.Duration, limit time.Duration, code Code, r Reason) {
	o := &t.w.Order
	if o.OpenSince.IsZero() {
		o.OpenSince = t.at
	}
	if limit > 0 && t.at.Sub(o.OpenSince) >= limit {
		t.suspend(code, r)
		return
	}
	t.wait(step(schedule, o.Tries))
	o.Tries++
}

// suspend gives the order to people (挂账) with the reason.
func (t *turn) suspend(code Code, r Reason) {
	o := &t.w.Order
	if o.Status == StatusSuspense {
		t.wait(t.timing.Daily)
		return
	}
	o.SuspendedFrom = o.Status
	o.FailCode, o.FailReason = string(code), r.Message
	t.move(StatusSuspense, "order.suspended", By{Kind: BySystem}, string(code), joinReason(r))
	t.w.Order.OpenSince = t.at
	t.wait(t.timing.Daily)
	t.tell(Notice{Event: NoticeSuspense, Staff: true, At: t.at})
}

func joinReason(r Reason) string {
	if r.Code == "" {
		return r.Message
	}
	return r.Code + " " + r.Message
}

func (t *turn) tell(n Notice) { t.c.Notices = append(t.c.Notices, n) }

// Advance takes a claimed order as far as it goes now. It never returns an
// error for what the other sides answer; an error means that the store or the
// configuration failed, and the order stays due.
func (s *Service) Advance(ctx context.Context, w Work) error {
	t, err := s.begin(ctx, w)
	if err != nil {
		return err
	}
	t.worker = true
	for range 12 {
		again, err := t.step(ctx)
		if errors.Is(err, ErrConflict) || err != nil {
			return err
		}
		if !again {
			return nil
		}
		t.at = s.now()
	}
	return nil
}

// step does one step and reports whether the next one can follow at once.
func (t *turn) step(ctx context.Context) (bool, error) {
	switch o := &t.w.Order; o.Status {
	case StatusSubmitted:
		return t.stepSubmitted(ctx)
	case StatusDebiting:
		return t.stepHIS(ctx, HISDebit)
	case StatusReviewing:
		return t.stepReviewing(ctx)
	case StatusApproved:
		return t.stepApproved(ctx)
	case StatusPaying, StatusAwaitingPayee:
		return t.stepPayout(ctx)
	case StatusReversing:
		return t.stepHIS(ctx, HISReverse)
	case StatusSuspense:
		return t.stepSuspense(ctx)
	}
	return false, nil
}

func (t *turn) stepSubmitted(ctx context.Context) (bool, error) {
	if t.w.Order.DebitAt == DebitAtApproval {
		t.toReview()
		return t.due(), t.commit(ctx, t.due())
	}
	t.intendHIS(HISDebit)
	t.move(StatusDebiting, "order.debiting", By{Kind: BySystem}, "", "")
	t.fresh = true
	return true, t.commit(ctx, true)
}

func (t *turn) due() bool {
	o := t.w.Order
	return !o.NextAt.IsZero() && !o.NextAt.After(t.at) && !o.Status.Final()
}

func (t *turn) stepApproved(ctx context.Context) (bool, error) {
	if t.inst.Frozen {
		t.wait(t.frozenWait())
		return false, t.commit(ctx, false)
	}
	t.fresh = true
	if t.w.Order.DebitAt == DebitAtApproval && t.w.Debit == nil {
		t.intendHIS(HISDebit)
		t.move(StatusDebiting, "order.debiting", By{Kind: BySystem}, "", "")
		return true, t.commit(ctx, true)
	}
	t.intendPayout()
	t.move(StatusPaying, "payout.started", By{Kind: BySystem}, "", "")
	return true, t.commit(ctx, true)
}

// stale reports whether the lease is too old to be sure that nobody else has
// taken the order over: then nothing that moves money may leave any more.
func (t *turn) stale() bool {
	lease := t.w.Order.LeaseUntil
	return !lease.IsZero() && t.now().After(lease.Add(-t.timing.Call))
}

func (t *turn) frozenWait() time.Duration { return t.timing.Hold / 10 }

// undo ends an order that shall not be paid: by restoring the balance where
// HIS has debited, at once where nothing has moved. Only a worker writes the
// intent of the reversal here, because it sends at once; for anybody else the
// next worker does, and knows that nothing was sent before.
func (t *turn) undo(target Status, event string, by By, code, message string) {
	o := &t.w.Order
	if code != "" {
		o.FailCode, o.FailReason = code, message
	}
	if t.w.Debit == nil {
		t.move(target, event, by, code, message)
		t.ended(target)
		return
	}
	o.Target = target
	if t.worker {
		t.intendHIS(HISReverse)
		t.fresh = true
	} else {
		t.reopenReversal()
	}
	t.move(StatusReversing, event, by, code, message)
}

// ended asks for the notice of a final state.
func (t *turn) ended(final Status) {
	switch final {
	case StatusSucceeded:
		t.tell(Notice{Event: NoticeSucceeded, At: t.at})
	case StatusRejected:
		t.tell(Notice{Event: NoticeRejected, At: t.at})
	case StatusRefused, StatusFailed:
		if t.w.Order.Compensates != "" {
			t.tell(Notice{Event: NoticeReturned, At: t.at})
			return
		}
		t.tell(Notice{Event: NoticeFailed, At: t.at})
	}
}
