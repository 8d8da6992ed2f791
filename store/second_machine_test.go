package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/people"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// A second, tiny domain on the ground: an order makes one call. It brings a
// table of moves, a journal and what its call does; protocol, claim,
// compare-and-set, events, guards, group commit and worker are the ground's.
var (
	errandMachine = &flow.Machine{
		Orders: "errands", Events: "errand_events", Desk: "desk", Starts: []flow.State{"calling"},
		Table: []flow.Legal{
			{From: "calling", To: []flow.State{"done", "refused", "desk"}},
			{From: "desk", To: []flow.State{"calling"}},
			{From: "done"}, {From: "refused"},
		},
	}
	errands       = orders{errandMachine}
	errandJournal = journal{table: "errand_calls", no: "no", theirs: "theirs", done: "done_at"}
)

const errandTables = `
CREATE TABLE errands (id TEXT PRIMARY KEY, no TEXT, institution TEXT DEFAULT '', status TEXT, suspended_from TEXT DEFAULT '', version
INTEGER DEFAULT 0,
	tries INTEGER DEFAULT 0, open_since TEXT DEFAULT '', next_at TEXT DEFAULT '', lease_until TEXT DEFAULT '', lease_owner TEXT DEFAULT '',
	fail_code TEXT DEFAULT '', fail_reason TEXT DEFAULT '', updated TEXT DEFAULT '');
CREATE TABLE errand_events (id TEXT PRIMARY KEY, "order" TEXT, institution TEXT, seq INTEGER, "from" TEXT, "to" TEXT, event TEXT,
actor_kind TEXT,
	actor TEXT, code TEXT, message TEXT, created TEXT, hash TEXT, UNIQUE ("order", seq));
CREATE TABLE errand_calls (id TEXT PRIMARY KEY, "order" TEXT, institution TEXT, attempt INTEGER, no TEXT UNIQUE, hash TEXT, amount INTEGER,
	connection TEXT, state TEXT, reported TEXT, theirs TEXT, code TEXT, message TEXT, doubt BOOLEAN, denied INTEGER,
	sent INTEGER, sent_at TEXT, done_at TEXT,
	created TEXT, updated TEXT);`

type errandRow struct {
	ID         string         `db:"id"`
	No         string         `db:"no"`
	Status     string         `db:"status"`
	From       string         `db:"suspended_from"`
	Version    int64          `db:"version"`
	Tries      int            `db:"tries"`
	OpenSince  types.DateTime `db:"open_since"`
	NextAt     types.DateTime `db:"next_at"`
	LeaseUntil types.DateTime `db:"lease_until"`
}

// errandRun is one run with a clock of its own and an other side that loses
// requests and answers, refuses, holds and executes late.
type errandRun struct {
	t      *testing.T
	store  *Store
	traits flow.Traits
	clock  time.Time
	rnd    *rand.Rand
	healed bool
	moved  map[string]int // the other side's ledger: number → how often it moved
	late   []func()
}

func (r *errandRun) fault(n int) int {
	if r.healed {
		return n
	}
	return r.rnd.IntN(n)
}

// move is idempotent by number where the other side promises so.
func (r *errandRun) move(no string) {
	if !r.traits.Repeatable || r.moved[no] == 0 {
		r.moved[no]++
	}
}

func (r *errandRun) send(no string) flow.Answer {
	switch r.fault(8) {
	case 0:
		return flow.Answer{} // lost on the way there
	case 1:
		r.move(no)
		return flow.Answer{} // lost on the way back
	case 2:
		r.late = append(r.late, func() { r.move(no) })
		return flow.Answer{}
	case 3:
		if r.moved[no] == 0 {
			return flow.Answer{Verdict: flow.Refused, Reason: flow.Reason{Code: "NO"}}
		}
	case 4:
		if r.moved[no] == 0 {
			return flow.Answer{Verdict: flow.Refused, Reason: flow.Reason{Code: "LATER", Hold: true}}
		}
	}
	r.move(no)
	return r.told(no)
}

func (r *errandRun) ask(no string) flow.Answer {
	if r.fault(5) == 0 {
		return flow.Answer{Verdict: flow.Refused, Reason: flow.Reason{Code: "AUTH"}}
	}
	return r.told(no)
}

func (r *errandRun) told(no string) flow.Answer {
	if r.moved[no] == 0 {
		return flow.Answer{Verdict: flow.Done, Report: flow.ReportMissing, Said: "not_found"}
	}
	return flow.Answer{Verdict: flow.Done, Report: flow.ReportDone, Said: "done", Theirs: "T" + no}
}

var errErrandCrash = errors.New("crash")

// commit writes a change as both domains do, or crashes before or after.
func (r *errandRun) commit(turn *flow.Turn, call *flow.Call, keep bool) error {
	crash := r.fault(12)
	if crash == 0 {
		return errErrandCrash
	}
	turn.Change.KeepLease = keep
	err := r.store.Together(func(tx core.App) error {
		if err := errands.move(tx.DB(), turn.Change, "", turn.Order.Status, errands.head(*turn.Order), r.clock); err != nil {
			return err
		}
		return errandJournal.put(tx.DB(), *turn.Order, call, nil, nil, stamp(r.clock))
	})
	if err != nil {
		return err
	}
	turn.Committed()
	if crash == 1 {
		return errErrandCrash
	}
	return nil
}

// Due implements flow.Source.
func (r *errandRun) Due(ctx context.Context, owner string, limit int) ([]flow.Task, error) {
	var rows []errandRow
	if err := errands.claim(ctx, r.store.app, owner, r.clock, r.clock.Add(2*time.Minute), limit, &rows); err != nil {
		return nil, err
	}
	var tasks []flow.Task
	for _, row := range rows {
		o := flow.Order{
			ID: row.ID, No: row.No, Status: flow.State(row.Status), SuspendedFrom: flow.State(row.From), Version: row.Version, Tries: row.Tries,
			OpenSince: row.OpenSince.Time(), NextAt: row.NextAt.Time(), LeaseUntil: row.LeaseUntil.Time(),
		}
		tasks = append(tasks, flow.Task{No: o.No, Status: o.Status, Do: func(ctx context.Context) error { return r.step(ctx, &o) }})
	}
	return tasks, nil
}

// step is all that the domain itself decides.
func (r *errandRun) step(ctx context.Context, o *flow.Order) error {
	turn := flow.NewTurn(errandMachine, flow.DefaultTiming(), func() time.Time { return r.clock }, o)
	turn.Worker = true
	call, err := errandJournal.last(ctx, r.store.app.ConcurrentDB(), o.ID, "errand", nil)
	if err != nil {
		return err
	}
	if o.Status == errandMachine.Desk { // people look again
		turn.Move("calling", "errand.resumed", people.System(), "", "")
		return r.commit(turn, call, false)
	}
	if call == nil {
		call = &flow.Call{Kind: "errand", Attempt: 1, No: flow.CallNo(o.No, 'E', 1), Hash: "h", Amount: 1, State: flow.CallIntent}
		turn.Fresh = true
		turn.Note("errand.intended", people.System(), "", "")
		if err := r.commit(turn, call, true); err != nil {
			return err
		}
	}
	outcome, ans, err := turn.Exchange(ctx, flow.Exchange{
		Call: call, Traits: r.traits, Event: "errand",
		Send: func(context.Context) flow.Answer { return r.send(call.No) },
		Ask:  func(context.Context) flow.Answer { return r.ask(call.No) },
	})
	switch {
	case err != nil:
		return err
	case outcome == flow.OutcomeHeard && ans.Report == flow.ReportDone:
		call.State, call.DoneAt = flow.CallDone, r.clock
		turn.Move("done", "errand.done", people.System(), "", "")
	case outcome == flow.OutcomeRefused:
		turn.Move("refused", "errand.refused", people.System(), call.Code, call.Message)
	}
	return r.commit(turn, call, false)
}

// work lets the worker run and time pass; what was late arrives within Settle.
func (r *errandRun) work(rounds int, pass time.Duration) {
	w := flow.NewWorker("w", 1, time.Second, nil, r)
	for range rounds {
		if _, err := w.Drain(r.t.Context()); err != nil && !errors.Is(err, errErrandCrash) {
			r.t.Fatal(err)
		}
		r.clock = r.clock.Add(pass)
		for _, f := range r.late {
			f()
		}
		r.late = nil
	}
}

// TestSecondMachine_PlugsInWithoutCopying plays 200 seeded runs of the tiny
// domain through faults and crashes: nothing moves twice, and once the faults
// end every order has its end, which agrees with the other side's ledger.
func TestSecondMachine_PlugsInWithoutCopying(t *testing.T) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir(), DBConnect: collections.Connect})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	if _, err := app.NonconcurrentDB().NewQuery(errandTables).Execute(); err != nil {
		t.Fatal(err)
	}
	if _, err := app.NonconcurrentDB().NewQuery(collections.MoveGuard(errandMachine, "guard_errand_move").SQL).Execute(); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(200) {
		r := &errandRun{
			t: t, store: New(app, nil), clock: time.Date(2026, 2, 28, 23, 50, 0, 0, time.UTC), rnd: rand.New(rand.NewPCG(seed, 1)),
			moved:  map[string]int{},
			traits: flow.Traits{Queryable: true, Repeatable: true, ConfirmRefuse: seed%2 == 0},
		}
		id := fmt.Sprintf("errand%09d", seed)
		_, err := app.NonconcurrentDB().NewQuery("INSERT INTO errands (id, no, status, next_at) VALUES ({:id}, {:no}, 'calling', {:at})").
			Bind(map[string]any{"id": id, "no": "E" + id, "at": stamp(r.clock)}).Execute()
		if err != nil {
			t.Fatal(err)
		}
		r.work(12, 40*time.Second)
		r.healed = true
		r.work(40, time.Hour)
		var status string
		if err := app.ConcurrentDB().NewQuery("SELECT status FROM errands WHERE id = {:id}").Bind(map[string]any{"id": id}).
			Row(&status); err != nil {
			t.Fatal(err)
		}
		moved := r.moved[flow.CallNo("E"+id, 'E', 1)]
		if want := map[string]int{"done": 1, "refused": 0}[status]; !errandMachine.Final(flow.State(status)) || moved != want {
			t.Errorf("seed %d: ended %q, moved %d times", seed, status, moved)
		}
	}
	if _, err := app.NonconcurrentDB().NewQuery("UPDATE errands SET status = 'calling' WHERE status = 'done'").Execute(); err == nil {
		t.Error("the guard of the machine lets a finished order go on")
	}
}
