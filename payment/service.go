package payment

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
	shown  shown
}

// NewService returns a service. A nil log discards.
func NewService(store Store, dir Directory, timing Timing, now func() time.Time, log *slog.Logger) *Service {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Service{store: store, dir: dir, timing: timing, now: now, log: log}
}

// EventWoken is an order that somebody has asked about.
const EventWoken = "order.woken"

// Check makes an order due now, so that all sides are asked at once. Orders that
// wait for nothing stay as they are. An order that a worker holds is being asked
// for already; to wake it would lose the answer.
func (s *Service) Check(ctx context.Context, id string, by people.By) error {
	return flow.Retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		if st := t.w.Order.Status; Resting(st) {
			return flow.NewError(flow.CodeConflict, string(st))
		}
		if t.w.Order.LeaseUntil.After(t.At) {
			return nil
		}
		t.DueNow()
		t.Note(EventWoken, by, "", "")
		return t.commit(ctx, false)
	})
}

// Cancel takes an order back at the patient's wish: at once where nothing outside
// was called; else the cash is closed first, the centre asked, and then revoked.
// Once something is paid the wish comes too late and nothing follows from it.
func (s *Service) Cancel(ctx context.Context, id string, by people.By) error {
	return flow.Retry(func() error {
		t, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		o := &t.w.Order
		switch o.Status {
		case StatusCreated, StatusIdentified, StatusUploading, StatusPriced, StatusOpening, StatusPaying:
		default:
			return flow.NewError(flow.CodeConflict, string(o.Status))
		}
		if t.inst.Restored {
			return flow.NewError(CodeRestoredCopy, "")
		}
		if o.Status == StatusCreated && !t.called() {
			t.abandon(StatusCancelled, "order.cancelled", by, "", "")
			return t.commit(ctx, false)
		}
		if !o.CancelWish {
			o.CancelWish = true
			t.Note("order.cancel_asked", by, "", "")
		}
		t.DueNow()
		return t.commit(ctx, o.LeaseUntil.After(t.At)) // who works on it sees the wish next
	})
}

// noTime marks an order as waiting for people, not for the clock.
var noTime time.Time

// turn is one hold on a payment order: the work as read, and the change that
// will be committed next.
type turn struct {
	*Service
	*flow.Turn
	w    Work
	c    Change
	inst Institution
	bill *Bill // as HIS told it in this turn
	saw  sight
	odd  flow.Reason // what the last answer says of another payment; empty code: nothing
	// fresh is the call whose intent was committed in this turn, so that it has not
	// been sent yet.
	fresh *flow.Call
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
	if w.Calls == nil {
		w.Calls = map[string]*flow.Call{}
	}
	t := &turn{Service: s, w: w, inst: inst}
	t.Turn = flow.NewTurn(Machine, s.timing.Timing, s.now, &t.w.Order.Order)
	t.Watch = s.Watching
	return t, nil
}

// commit writes the collected change and starts the next one. What no call can
// need any more is forgotten with it.
func (t *turn) commit(ctx context.Context, keep bool) error {
	t.forget()
	t.Change.KeepLease = keep
	t.c.Change, t.c.Order = t.Change, t.w.Order
	if err := t.store.Commit(ctx, &t.c); err != nil {
		return err
	}
	t.Committed()
	t.c = Change{}
	return nil
}

// forget erases secrets: the credential where the order rests, all of them at its
// end.
func (t *turn) forget() {
	o := &t.w.Order
	switch {
	case Machine.Final(o.Status):
		o.Secrets = Secrets{}
	case Resting(o.Status):
		o.Secrets.forgetCredential()
		o.Settlement.Info = nil // HIS has it
	}
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
	for range 16 {
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
	t.saw, t.odd = sight{}, flow.Reason{}
	if t.inst.Restored && t.w.Order.Status != StatusSuspense { // nothing moves before the copy is released
		t.Wait(t.frozenWait())
		return false, t.commit(ctx, false)
	}
	switch t.w.Order.Status {
	case StatusCreated:
		return t.stepCreated(ctx)
	case StatusIdentified:
		return t.stepIdentified(ctx)
	case StatusUploading:
		return t.stepUploading(ctx)
	case StatusPriced:
		return t.stepPriced(ctx)
	case StatusOpening:
		return t.stepOpening(ctx)
	case StatusPaying:
		return t.stepPaying(ctx)
	case StatusSettled:
		return t.stepSettled(ctx)
	case StatusWriting:
		return t.stepWriting(ctx)
	case StatusUndoing:
		return t.stepUndoing(ctx)
	case StatusReversing:
		return t.stepReversing(ctx)
	case StatusRefunding:
		return t.stepRefunding(ctx)
	case StatusWaitAuth:
		return t.stepWaitAuth(ctx)
	case StatusSuspense:
		return t.stepSuspense(ctx)
	}
	return false, nil
}

func (t *turn) frozenWait() time.Duration { return flow.Step(t.timing.Hold, 0) / 10 }

// mayMove lets nothing leave before a restored copy is released.
func (t *turn) mayMove(ctx context.Context) (time.Duration, error) {
	inst, err := t.dir.Institution(ctx, t.w.Order.Institution)
	if err != nil || !inst.Restored {
		return 0, err
	}
	return t.frozenWait(), nil
}

// mayGoBack lets nothing go back while payouts are frozen, too.
func (t *turn) mayGoBack(ctx context.Context) (time.Duration, error) {
	inst, err := t.dir.Institution(ctx, t.w.Order.Institution)
	if err != nil || !(inst.Frozen || inst.Restored) {
		return 0, err
	}
	return t.frozenWait(), nil
}

// expired reports whether nobody can pay the order any more.
func (t *turn) expired() bool {
	at := t.w.Order.ExpiresAt
	return !at.IsZero() && !t.At.Before(at)
}

// unwanted is where an order ends that is taken back or out of date; empty when
// it is neither.
func (t *turn) unwanted() (Status, flow.Code) {
	switch {
	case t.w.Order.CancelWish:
		return StatusCancelled, ""
	case t.expired():
		return StatusExpired, CodeOrderExpired
	}
	return "", ""
}

// called reports whether anything of the order may be at another side.
func (t *turn) called() bool {
	return t.w.Order.PayOrdID != "" || t.w.Calls[CallTrade] != nil || t.w.Calls[CallMixed] != nil
}

// abandon ends an order that shall not be paid: at once where nothing of it is
// anywhere else, else by closing and revoking it.
func (t *turn) abandon(target Status, event string, by people.By, code flow.Code, message string) {
	o := &t.w.Order
	if code != "" {
		o.FailCode, o.FailReason = string(code), message
	}
	if !t.called() {
		t.end(target, event, by, code, message)
		return
	}
	o.Target = target
	t.Move(StatusUndoing, event, by, string(code), message)
}

// end moves to a state in which an order rests, and tells the patient.
func (t *turn) end(to Status, event string, by people.By, code flow.Code, message string) {
	t.Move(to, event, by, string(code), message)
	t.w.Order.NextAt = noTime
	t.w.Order.Target = ""
	paid := NoticePaid
	if t.w.Order.Kind == KindRegistration {
		paid = NoticeRegistered
	}
	told := map[Status]flow.NoticeEvent{StatusDone: paid, StatusCancelled: NoticeNotPaid, StatusExpired: NoticeNotPaid,
		StatusRefunded: NoticeRefunded, StatusPartRefunded: NoticePartRefunded}
	t.Tell(flow.Notice{Event: told[to], At: t.At})
}
