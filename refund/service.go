package refund

import (
	"context"
	"log/slog"
	"time"

	"hospay/flow"
	"hospay/people"
)

// Service moves orders. It is safe for concurrent use; what it decides is
// committed by compare-and-set, so two services on one store do no harm.
type Service struct {
	Watching flow.Watch // is told of every call; may be nil

	store  Store
	dir    Directory
	timing Timing
	now    func() time.Time
	log    *slog.Logger
	clock  flow.ClockWatch
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
// has not confirmed, the channel is asked to close the payout; what rests on the
// desk because it is refused goes back once that is proved anew. While a call
// is in flight the answer is ErrConflict.
func (s *Service) Cancel(ctx context.Context, id string, by people.By) error {
	return flow.Retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		if err := t.mayEnd(); err != nil {
			return err
		}
		switch t.w.Order.Status {
		case StatusSubmitted, StatusReviewing, StatusApproved:
			t.undo(StatusCancelled, "order.cancelled", by, "", "")
		case StatusAwaitingPayee:
			t.w.Order.CancelAsked = true
			t.DueNow()
			t.Note("order.cancel_asked", by, "", "")
		case StatusSuspense:
			return t.cancelOnDesk(ctx, by)
		default:
			return flow.NewError(flow.CodeConflict, string(t.w.Order.Status))
		}
		return t.commit(ctx, false)
	})
}

// Wake makes an order due now, so that its outcome is asked for at once. Final
// orders stay as they are, and so do those under review: nobody outside knows
// their outcome, and the delay of the automatic review holds. An order that a
// worker holds is being asked for already; to wake it would lose the answer.
func (s *Service) Wake(ctx context.Context, id string, by people.By) error {
	return flow.Retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		if s := t.w.Order.Status; Machine.Final(s) || s == StatusReviewing {
			return flow.NewError(flow.CodeConflict, string(s))
		}
		if t.w.Order.LeaseUntil.After(t.At) {
			return nil
		}
		t.DueNow()
		t.Note("order.woken", by, "", "")
		return t.commit(ctx, false)
	})
}

// turn is one hold on a refund order: the work as read, and the change that
// will be committed next.
type turn struct {
	*Service
	*flow.Turn
	w     Work
	c     Change
	inst  Institution
	heard heard
	odd   flow.Reason // what the last answer says of another payment; empty code: nothing
	bare  bool        // the last answer says that money moved, not how much to whom
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
	t := &turn{Service: s, w: w, inst: inst}
	t.Turn = flow.NewTurn(Machine, s.timing.Timing, s.now, &t.w.Order.Order)
	t.Watch = s.Watching
	if tr := t.w.Transfer; tr != nil && tr.SentAt.After(t.At) { // by a clock that was ahead
		tr.SentAt = t.At
	}
	return t, nil
}

// commit writes the collected change and starts the next one.
func (t *turn) commit(ctx context.Context, keep bool) error {
	t.Change.KeepLease = keep
	t.c.Change, t.c.Order = t.Change, t.w.Order
	if err := t.store.Commit(ctx, &t.c); err != nil {
		return err
	}
	t.Committed()
	t.c = Change{}
	return nil
}

// move changes the state and records why; a stage of review ends with it.
func (t *turn) move(to Status, event string, by people.By, code, message string) {
	t.Move(to, event, by, code, message)
	t.w.Order.Stage = ""
}

// Due implements flow.Source.
func (s *Service) Due(ctx context.Context, owner string, limit int) ([]flow.Task, error) {
	now := s.now()
	if err := s.clock.Look(now, func() error { return s.rewind(ctx, now) }); err != nil {
		return nil, err
	}
	works, err := s.store.Claim(ctx, owner, now, now.Add(s.timing.Lease), limit)
	tasks := make([]flow.Task, len(works))
	for i, w := range works {
		tasks[i] = flow.Task{No: w.Order.No, Status: w.Order.Status, Do: func(ctx context.Context) error { return s.Advance(ctx, w) }}
	}
	return tasks, err
}

// rewind lets nothing stand that was due by a wrong time.
func (s *Service) rewind(ctx context.Context, now time.Time) error {
	back, moved, err := s.store.Rewind(ctx, now)
	if back > 0 {
		s.log.Error("clock.back", "by", back, "moved", moved)
	}
	return err
}

// Advance takes a claimed order as far as it goes now. It never returns an
// error for what the other sides answer; an error means that the store or the
// configuration failed, and the order stays due.
func (s *Service) Advance(ctx context.Context, w Work) error {
	t, err := s.begin(ctx, w)
	if err != nil {
		return err
	}
	t.Worker = true
	for range 12 {
		again, err := t.step(ctx)
		if err != nil || !again {
			return err
		}
		t.At = s.now()
	}
	return nil
}

// step does one step and reports whether the next one can follow at once.
func (t *turn) step(ctx context.Context) (bool, error) {
	if t.inst.Restored && t.undecided() {
		t.Wait(t.frozenWait())
		return false, t.commit(ctx, false)
	}
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

// undecided reports whether nothing of the order is under way: what is decided
// then can end it at once.
func (t *turn) undecided() bool {
	s := t.w.Order.Status
	return s == StatusSubmitted || s == StatusReviewing || s == StatusApproved
}

// mayEnd refuses what people decide about an order of a restored copy, which may
// have been debited or paid since: its end would be believed.
func (t *turn) mayEnd() error {
	if t.inst.Restored && t.undecided() {
		return flow.NewError(CodeRestoredCopy, "")
	}
	return nil
}

func (t *turn) stepSubmitted(ctx context.Context) (bool, error) {
	if t.w.Order.DebitAt == DebitAtApproval {
		t.toReview()
		return t.IsDue(), t.commit(ctx, t.IsDue())
	}
	t.intendHIS(HISDebit)
	t.move(StatusDebiting, "order.debiting", people.System(), "", "")
	t.Fresh = true
	return true, t.commit(ctx, true)
}

func (t *turn) stepApproved(ctx context.Context) (bool, error) {
	if t.inst.Frozen {
		t.Wait(t.frozenWait())
		return false, t.commit(ctx, false)
	}
	t.Fresh = true
	if t.w.Order.DebitAt == DebitAtApproval && t.w.Debit == nil {
		t.intendHIS(HISDebit)
		t.move(StatusDebiting, "order.debiting", people.System(), "", "")
		return true, t.commit(ctx, true)
	}
	t.intendPayout()
	t.move(StatusPaying, "payout.started", people.System(), "", "")
	return true, t.commit(ctx, true)
}

func (t *turn) frozenWait() time.Duration { return flow.Step(t.timing.Hold, 0) / 10 }

// undo ends an order that shall not be paid: by restoring the balance where
// HIS has debited, at once where nothing has moved. The intent of the reversal
// is written by stepHIS, which first makes sure that nothing was paid.
func (t *turn) undo(target Status, event string, by people.By, code, message string) {
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
	t.reopenReversal()
	t.move(StatusReversing, event, by, code, message)
}

// ended asks for the notice of a final state.
func (t *turn) ended(final Status) {
	switch final {
	case StatusSucceeded:
		t.Tell(flow.Notice{Event: NoticeSucceeded, At: t.At})
	case StatusRejected:
		t.Tell(flow.Notice{Event: NoticeRejected, At: t.At})
	case StatusRefused, StatusFailed:
		if t.w.Order.Compensates != "" {
			t.Tell(flow.Notice{Event: NoticeReturned, At: t.At})
			return
		}
		t.Tell(flow.Notice{Event: NoticeFailed, At: t.At})
	}
}
