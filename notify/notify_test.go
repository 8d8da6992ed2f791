package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hospay/internal/testday"
	"hospay/notify"
)

// box is an outbox in memory.
type box struct {
	mu    sync.Mutex
	rows  map[string]*notify.Message
	state map[string]notify.Result
	order []string
}

func newBox(messages ...notify.Message) *box {
	b := &box{rows: map[string]*notify.Message{}, state: map[string]notify.Result{}}
	for _, m := range messages {
		b.rows[m.ID], b.state[m.ID] = &m, notify.Result{State: notify.StateQueued}
		b.order = append(b.order, m.ID)
	}
	return b
}

// Due lists what is queued and due.
func (b *box) Due(_ context.Context, now time.Time, limit int) ([]notify.Message, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []notify.Message
	for _, id := range b.order {
		if s := b.state[id]; s.State == notify.StateQueued && !s.NextAt.After(now) && len(out) < limit {
			m := *b.rows[id]
			m.Tries = s.Tries
			out = append(out, m)
		}
	}
	return out, nil
}

// Settle fails on a dead context, as a database does.
func (b *box) Settle(ctx context.Context, id string, r notify.Result) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state[id] = r
	return ctx.Err()
}

// bell counts what was sent and answers with the errors in turn; the last one
// stays.
type bell struct {
	sent []string
	errs []error
}

// Send counts.
func (s *bell) Send(_ context.Context, m notify.Message) (string, error) {
	s.sent = append(s.sent, m.ID)
	if len(s.errs) == 0 {
		return "prov-" + m.ID, nil
	}
	err := s.errs[0]
	if len(s.errs) > 1 {
		s.errs = s.errs[1:]
	}
	if err == errPanic {
		panic("测试甲乙 13900001234")
	}
	return "", err
}

var errPanic = errors.New("panic")

func service(b *box, now *time.Time, senders map[string]notify.Sender) *notify.Service {
	return notify.New(b, senders, func() time.Time { return *now }, slog.New(slog.DiscardHandler))
}

func deliver(t *testing.T, s *notify.Service) int {
	t.Helper()
	n, err := s.Deliver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func sms(id string) notify.Message { return notify.Message{ID: id, Via: notify.ViaSMS} }

func TestDeliver_TellsOnce(t *testing.T) {
	now := testday.Now()
	var many []notify.Message
	for i := range 250 {
		many = append(many, sms(fmt.Sprint(i)))
	}
	b, s := newBox(many...), &bell{}
	svc := service(b, &now, map[string]notify.Sender{notify.ViaSMS: s})
	if n := deliver(t, svc); n != 250 {
		t.Fatal(n)
	}
	now = now.Add(24 * time.Hour)
	deliver(t, svc)
	slices.Sort(s.sent)
	if len(slices.Compact(s.sent)) != 250 || len(s.sent) != 250 {
		t.Error(len(s.sent))
	}
	if r := b.state["7"]; r.State != notify.StateSent || r.ProviderID != "prov-7" || r.Tries != 1 {
		t.Errorf("%+v", r)
	}
}

func TestDeliver_SkipsWhatIsStaleOrCannotGo(t *testing.T) {
	now := testday.Now()
	stale := sms("stale")
	stale.Stale = true
	b, s := newBox(stale, notify.Message{ID: "app", Via: notify.ViaInApp}, notify.Message{ID: "fax", Via: "fax"},
		notify.Message{ID: "nobody", Via: notify.ViaEmail}), &bell{}
	skip := &bell{errs: []error{notify.ErrSkip}}
	deliver(t, service(b, &now, map[string]notify.Sender{notify.ViaSMS: s, notify.ViaEmail: skip}))
	want := map[string]notify.State{"stale": notify.StateSkipped, "app": notify.StateSent, "fax": notify.StateSkipped,
		"nobody": notify.StateSkipped}
	for id, state := range want {
		if b.state[id].State != state {
			t.Errorf("%s: %+v", id, b.state[id])
		}
	}
	if len(s.sent) != 0 {
		t.Error("a stale notice was sent")
	}
}

func TestDeliver_RetriesAndGivesUp(t *testing.T) {
	now := testday.Now()
	b, s := newBox(sms("a")), &bell{errs: []error{errors.New("down")}}
	svc := service(b, &now, map[string]notify.Sender{notify.ViaSMS: s})
	for i, wait := range notify.Retries {
		deliver(t, svc)
		r := b.state["a"]
		if r.State != notify.StateQueued || r.Tries != i+1 || !r.NextAt.Equal(now.Add(wait)) || r.Error != "down" {
			t.Fatalf("try %d: %+v", i, r)
		}
		now = now.Add(wait - time.Second)
		if deliver(t, svc) != 0 {
			t.Fatal("too early")
		}
		now = now.Add(time.Second)
	}
	deliver(t, svc)
	if r := b.state["a"]; r.State != notify.StateFailed || len(s.sent) != len(notify.Retries)+1 {
		t.Errorf("%+v after %d", r, len(s.sent))
	}
	b = newBox(sms("b"))
	deliver(t, service(b, &now, map[string]notify.Sender{notify.ViaSMS: &bell{
		errs: []error{fmt.Errorf("%w: no such number", notify.ErrRefused)}}}))
	if r := b.state["b"]; r.State != notify.StateFailed || r.Tries != 1 {
		t.Errorf("refused for good: %+v", r)
	}
}

func TestDeliver_WaitsForQuietHoursToEnd(t *testing.T) {
	now := testday.Now()
	morning := now.Add(9 * time.Hour)
	b := newBox(sms("a"))
	s := &bell{errs: []error{errors.New("down"), fmt.Errorf("x: %w", &notify.Later{At: morning}), &notify.Later{At: now.Add(-time.Hour)}}}
	svc := service(b, &now, map[string]notify.Sender{notify.ViaSMS: s})
	deliver(t, svc)
	now = now.Add(time.Minute)
	deliver(t, svc)
	if r := b.state["a"]; r.State != notify.StateQueued || r.Tries != 1 || !r.NextAt.Equal(morning) {
		t.Fatalf("%+v", r)
	}
	now = morning
	if deliver(t, svc) != 1 || !b.state["a"].NextAt.After(now) { // a time that has passed must not turn in circles
		t.Errorf("%+v", b.state["a"])
	}
	s.errs = nil
	now = now.Add(time.Hour)
	deliver(t, svc)
	if r := b.state["a"]; r.State != notify.StateSent || r.Tries != 2 {
		t.Errorf("%+v", r)
	}
}

func TestDeliver_PanicDoesNotStopTheQueue(t *testing.T) {
	now := testday.Now()
	b, s := newBox(sms("a"), sms("b")), &bell{errs: []error{errPanic, nil}}
	deliver(t, service(b, &now, map[string]notify.Sender{notify.ViaSMS: s}))
	if a := b.state["a"]; a.State != notify.StateQueued || a.Error == "" || a.Tries != 1 || b.state["b"].State != notify.StateSent {
		t.Errorf("%+v", b.state)
	}
	if b.state["a"].Error != "notify: sender panicked" {
		t.Error("what a panic says may be personal:", b.state["a"].Error)
	}
}

// A notice that went out while the program is being stopped is marked as sent.
func TestDeliver_MarksWhatWentOutBeforeTheStop(t *testing.T) {
	now := testday.Now()
	ctx, stop := context.WithCancel(t.Context())
	b := newBox(sms("a"), sms("b"))
	send := notify.SenderFunc(func(context.Context, notify.Message) (string, error) { stop(); return "", nil })
	if _, err := service(b, &now, map[string]notify.Sender{notify.ViaSMS: send}).Deliver(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if b.state["a"].State != notify.StateSent || b.state["b"].State != notify.StateQueued {
		t.Errorf("%+v", b.state)
	}
}

// A gateway that gives no answer costs its own institution a minute, and nobody
// else more than the time that it was given.
func TestDeliver_AServiceWithoutAnswerHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := testday.Now()
		var all []notify.Message
		for i := range 40 {
			all = append(all, notify.Message{ID: fmt.Sprint("a", i), Order: fmt.Sprint("a", i), Institution: "a", Via: notify.ViaSMS})
		}
		all = append(all, notify.Message{ID: "b", Order: "b", Institution: "b", Via: notify.ViaSMS},
			notify.Message{ID: "w", Order: "a1", Institution: "a", Via: notify.ViaWechat})
		b := newBox(all...)
		gateway := notify.SenderFunc(func(ctx context.Context, m notify.Message) (string, error) {
			if m.Institution == "a" {
				<-ctx.Done()
				return "", ctx.Err()
			}
			return "", nil
		})
		began := time.Now()
		deliver(t, service(b, &now, map[string]notify.Sender{notify.ViaSMS: gateway, notify.ViaWechat: &bell{}}))
		if took := time.Since(began); took > 10*time.Second {
			t.Error("the pass took", took)
		}
		for _, id := range []string{"b", "w"} {
			if b.state[id].State != notify.StateSent {
				t.Errorf("%s: %+v", id, b.state[id])
			}
		}
		tried := 0
		for i := range 40 {
			r := b.state[fmt.Sprint("a", i)]
			tried += r.Tries
			if r.State != notify.StateQueued || r.Tries == 0 && !r.NextAt.Equal(now.Add(time.Minute)) {
				t.Errorf("%d: %+v", i, r)
			}
		}
		if tried == 0 || tried > 4 {
			t.Error("tried:", tried)
		}
	})
}

// Notices of one order go out in their order, those of others beside them.
func TestDeliver_AFewAtATimeAndEachOrderInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := testday.Now()
		var all []notify.Message
		for i := range 60 {
			all = append(all, notify.Message{ID: fmt.Sprintf("%02d", i), Order: fmt.Sprint(i % 12), Via: notify.ViaSMS})
		}
		b := newBox(all...)
		var mu sync.Mutex
		under, most, of := 0, 0, map[string][]string{}
		gateway := notify.SenderFunc(func(_ context.Context, m notify.Message) (string, error) {
			mu.Lock()
			under++
			most, of[m.Order] = max(most, under), append(of[m.Order], m.ID)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			defer mu.Unlock()
			under--
			return "", nil
		})
		if n := deliver(t, service(b, &now, map[string]notify.Sender{notify.ViaSMS: gateway})); n != 60 {
			t.Fatal(n)
		}
		if most < 2 || most > 4 {
			t.Error("at a time:", most)
		}
		for order, ids := range of {
			if !slices.IsSorted(ids) || len(ids) != 5 {
				t.Error(order, ids)
			}
		}
	})
}
