package e2e

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"hospay/cmd"
	"hospay/collections"
	"hospay/flow"
	"hospay/internal/testday"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/people"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/dbx"
)

// finished waits for the end of a batch and returns its answer.
func finished(t *testing.T, a *testapp.App, token, id string) testapp.Answer {
	t.Helper()
	var res testapp.Answer
	for end := testday.Now().Add(10 * time.Second); testday.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if res = a.Call("GET", "/api/hospay/batches/"+id, token, nil); res.Status != 200 || res.Text("state") == "done" {
			return res
		}
	}
	t.Fatalf("batch: %d %s", res.Status, res.Raw)
	return res
}

// codes are the results of a batch by order: "ok" or the code.
func codes(res testapp.Answer) map[string]string {
	out := map[string]string{}
	results, _ := res.Body["results"].([]any)
	for _, r := range results {
		m, _ := r.(map[string]any)
		if out[fmt.Sprint(m["order"])] = "ok"; m["ok"] != true {
			out[fmt.Sprint(m["order"])] = fmt.Sprint(m["code"])
		}
	}
	return out
}

// TestBatch_EachOrderStandsForItself: proxies, second reviews and orders that
// have moved are refused one by one, the rest goes on.
func TestBatch_EachOrderStandsForItself(t *testing.T) {
	a := testapp.New(t, testapp.Config{Settings: demo.Settings{Review: refund.ReviewSettings{SecondFrom: 10_000}}})
	first, other := a.Staff("reviewer1"), a.Staff("reviewer2")
	want := map[string]string{}
	var ids []string
	add := func(id, code string) { ids, want[id] = append(ids, id), code }
	add(reviewing(t, a, a.Login("P0012", "alipay"), 1000), "ok")
	add(reviewing(t, a, a.Login("P0013", "alipay"), 1001), "conflict")
	add(reviewing(t, a, a.Login("P0014", "alipay"), 20_000), "review_singly")
	add(reviewing(t, a, a.Login("P0015", "alipay"), 30_000), "ok")
	agent := a.Login("P0001", "wechat")
	made := agent.ApplyFor(agent.ApprovedProxy(elderly, "elderly"), elderly, "wechat", "transfer", 1002, nil)
	a.Drain()
	add(made.Text("id"), "review_singly")
	add(reviewing(t, a, a.Login("P0016", "alipay"), 1003), "ok")
	a.Review(first, ids[1], "approve", "")
	a.Review(first, ids[2], "approve", "")
	body := map[string]any{"orders": ids, "decision": "approve", "note": "", "count": 6, "total": 54_006}
	wantRefusal(t, "合计不符", a.Call("POST", "/api/hospay/batches", other, map[string]any{"orders": ids, "decision": "approve", "count": 6,
		"total": 1}), 400, "total_mismatch")
	wantRefusal(t, "驳回没有理由", a.Call("POST", "/api/hospay/batches", other, map[string]any{"orders": ids, "decision": "reject", "count": 6,
		"total": 54_006}), 400, "note_required")
	res := a.Call("POST", "/api/hospay/batches", other, body)
	if res.Status != 200 || res.Text("id") == "" {
		t.Fatalf("batch: %d %s", res.Status, res.Raw)
	}
	id := res.Text("id")
	wantRefusal(t, "别人的批次", a.Call("GET", "/api/hospay/batches/"+id, first, nil), 404, "not_found")
	done := finished(t, a, other, id)
	if got := codes(done); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("results %v, want %v", got, want)
	}
	if done.Text("progress") != "6" || done.Text("ok") != "3" || done.Text("failed") != "3" {
		t.Errorf("counts: %s", done.Raw)
	}
	wantRefusal(t, "已完成的再继续", a.Call("POST", "/api/hospay/batches/"+id+"/continue", other, nil), 409, "conflict")
	if n := countRows(t, a, collections.JobRuns, dbx.HashExp{"job": "batch", "done": 6}); n != 1 {
		t.Errorf("%d runs on record", n)
	}
	a.Drain()
	wantStatus(t, a, ids[0], refund.StatusSucceeded)
	wantStatus(t, a, ids[3], refund.StatusReviewing) // now waits for its second review
	if s := stageOf(t, a, ids[3]); s != "second" {
		t.Errorf("stage is %q", s)
	}
	balanced(t, a)
}

// TestBatch_InterruptedIsContinued: a batch that died with the program is
// marked at the next start; its starter goes on with what was left, also where
// a decision was made whose result was not kept.
func TestBatch_InterruptedIsContinued(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	token := a.Staff("reviewer1")
	me := must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "reviewer1@demo.hospay"))
	var ids []string
	for i := range 4 {
		ids = append(ids, reviewing(t, a, a.Login(fmt.Sprintf("P%04d", i+1), "alipay"), 100))
	}
	b := must(a.Store.NewBatch(t.Context(), store.Batch{Institution: a.Institution, Starter: me.Id, Decision: "approve", Orders: ids}))
	if err := a.Store.MoveBatch(t.Context(), b.ID, store.BatchQueued, store.BatchRunning); err != nil {
		t.Fatal(err)
	}
	a.Review(token, ids[0], "approve", "")
	if err := a.Store.KeepResult(t.Context(), &b, store.BatchResult{Order: ids[0], OK: true}); err != nil {
		t.Fatal(err)
	}
	a.Review(token, ids[1], "approve", "") // and here it died
	wantRefusal(t, "还在进行", a.Call("POST", "/api/hospay/batches/"+b.ID+"/continue", token, nil), 409, "conflict")
	if err := a.Store.InterruptBatches(t.Context()); err != nil {
		t.Fatal(err)
	}
	if res := a.Call("GET", "/api/hospay/batches/"+b.ID, token, nil); res.Text("state") != "interrupted" || res.Text("progress") != "1" {
		t.Fatalf("interrupted: %s", res.Raw)
	}
	wantRefusal(t, "别人来继续", a.Call("POST", "/api/hospay/batches/"+b.ID+"/continue", a.Staff("reviewer2"), nil), 404, "not_found")
	if res := a.Call("POST", "/api/hospay/batches/"+b.ID+"/continue", token, nil); res.Status != 200 {
		t.Fatalf("continue: %d %s", res.Status, res.Raw)
	}
	done := finished(t, a, token, b.ID)
	if done.Text("ok") != "4" || done.Text("failed") != "0" || done.Text("progress") != "4" {
		t.Errorf("after all: %s", done.Raw)
	}
	if n := countRows(t, a, collections.Reviews, dbx.HashExp{"decision": "approve"}); n != 4 {
		t.Errorf("%d decisions on 4 orders", n)
	}
	a.Drain()
	for _, id := range ids {
		wantStatus(t, a, id, refund.StatusSucceeded)
	}
	balanced(t, a)
}

// TestBatch_ACommandInterruptsNothing: `config check` beside the server opens the
// same data folder; a batch that runs goes on.
func TestBatch_ACommandInterruptsNothing(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	me := must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "reviewer1@demo.hospay"))
	b := must(a.Store.NewBatch(t.Context(), store.Batch{Institution: a.Institution, Starter: me.Id, Decision: "approve",
		Orders: []string{"planted00000000"}}))
	must(0, a.Store.MoveBatch(t.Context(), b.ID, store.BatchQueued, store.BatchRunning))
	state := func() string { return must(a.Store.Batch(t.Context(), b.ID, me.Id)).State }
	beside := testapp.Bare(a.Dir)
	defer beside.ClearBootstrap()
	must(cmd.Prepare(beside, cmd.Options{Env: cmd.EnvDemo, KeyFile: filepath.Join(a.Dir, "key.json"), Timing: refund.DefaultTiming(),
		Now: a.Now, Log: slog.New(slog.DiscardHandler)}))
	if s := state(); s != store.BatchRunning {
		t.Errorf("beside a command the batch is %s", s)
	}
	a.Runtime.Start()
	defer a.Runtime.Close()
	if s := state(); s != store.BatchInterrupted {
		t.Errorf("after a start the batch is %s", s)
	}
}

// TestBatch_RoleIsCheckedForEachOrder takes the role away while a batch waits.
func TestBatch_RoleIsCheckedForEachOrder(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	token := a.Staff("reviewer1")
	id := reviewing(t, a, a.Login("P0001", "alipay"), 100)
	me := must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "reviewer1@demo.hospay"))
	b := must(a.Store.NewBatch(t.Context(), store.Batch{Institution: a.Institution, Starter: me.Id, Decision: "approve",
		Orders: []string{id}}))
	must(0, a.Store.InterruptBatches(t.Context()))
	a.Call("POST", "/api/hospay/batches/"+b.ID+"/continue", token, nil)
	finished(t, a, token, b.ID)
	again := reviewing(t, a, a.Login("P0002", "alipay"), 100)
	by := people.By{Kind: people.ByStaff, ID: me.Id}
	set(t, a, collections.Staff, `email = "reviewer1@demo.hospay"`, map[string]any{"roles": []string{"cashier"}})
	if err := a.Service.Review(t.Context(), again, refund.Decision{Approve: true}, by); flow.CodeOf(err) != flow.CodeNotAllowed {
		t.Errorf("without the role: %v", err)
	}
	wantStatus(t, a, again, refund.StatusReviewing)
}
