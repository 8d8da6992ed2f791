package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/internal/testday"
	"hospay/lab/demo"
	"hospay/lab/invariant"
	"hospay/lab/testapp"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/dbx"
)

// booksAgree compares all books.
func booksAgree(t *testing.T, a *testapp.App) {
	t.Helper()
	books, err := invariant.Load(a.Runtime.App.ConcurrentDB())
	if err != nil {
		t.Fatal(err)
	}
	ledgers, err := invariant.Fetch(sides(a))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range invariant.Check(books, ledgers, false) {
		t.Error(v)
	}
}

// reviewing brings a new order of a patient under review.
func reviewing(t *testing.T, a *testapp.App, p *testapp.Patient, fen int64) string {
	t.Helper()
	id := apply(t, p, "alipay", "transfer", fen, nil)
	a.Drain()
	wantStatus(t, a, id, refund.StatusReviewing)
	return id
}

// atOnce runs all functions at the same moment and returns their statuses.
func atOnce(fs ...func() testapp.Answer) []testapp.Answer {
	out := make([]testapp.Answer, len(fs))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, f := range fs {
		wg.Go(func() {
			<-start
			out[i] = f()
		})
	}
	close(start)
	wg.Wait()
	return out
}

// TestReview_TwoAtOnceOneWins lets two reviewers approve the same order at the
// same moment, again and again.
func TestReview_TwoAtOnceOneWins(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	first, second := a.Staff("reviewer1"), a.Staff("reviewer2")
	for i := range often(50, 1000) {
		p := a.Login(fmt.Sprintf("P%04d", i%20+1), "alipay")
		id := reviewing(t, a, p, 100)
		won := 0
		for _, res := range atOnce(
			func() testapp.Answer { return a.Review(first, id, "approve", "") },
			func() testapp.Answer { return a.Review(second, id, "approve", "") },
		) {
			switch {
			case res.Status == 200:
				won++
			case res.Status != 409 || res.Code() != "conflict":
				t.Errorf("loser: %d %s", res.Status, res.Raw)
			}
		}
		if won != 1 {
			t.Fatalf("round %d: %d decisions", i, won)
		}
		a.Drain()
		if s := a.Order(id).Order.Status; !refund.Machine.Final(s) {
			t.Fatalf("order is %s", s)
		}
	}
	booksAgree(t, a)
}

// TestReview_ApproveRejectCancelAtOnce ends in one legal outcome, with equal
// books, whoever is first.
func TestReview_ApproveRejectCancelAtOnce(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	first, second := a.Staff("reviewer1"), a.Staff("reviewer2")
	seen := map[refund.Status]int{}
	for i := range often(50, 1000) {
		p := a.Login(fmt.Sprintf("P%04d", i%20+1), "alipay")
		id := reviewing(t, a, p, 100)
		res := atOnce(
			func() testapp.Answer { return a.Review(first, id, "approve", "") },
			func() testapp.Answer { return a.Review(second, id, "reject", "重复申请") },
			func() testapp.Answer {
				return p.Call("POST", "/api/hospay/refunds/"+id+"/cancel", p.Token, nil)
			},
		)
		if res[0].Status == 200 && res[1].Status == 200 {
			t.Fatal("approved and rejected")
		}
		for _, r := range res {
			if r.Status != 200 && (r.Status != 409 || r.Code() != "conflict") {
				t.Errorf("loser: %d %s", r.Status, r.Raw)
			}
		}
		a.Drain()
		s := a.Order(id).Order.Status
		seen[s]++
		if !refund.Machine.Final(s) {
			t.Fatalf("order is %s", s)
		}
	}
	t.Logf("%v", seen)
	booksAgree(t, a)
}

// TestReview_OwnRefundRefused compares natural persons, not accounts.
func TestReview_OwnRefundRefused(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "alipay")
	id := reviewing(t, a, p, 100)
	token := a.Staff("reviewer1")
	set(t, a, collections.Staff, `email = "reviewer1@demo.hospay"`,
		map[string]any{"person_index": a.Store.PersonIndex(a.Sims.World.Find("P0001").IDNo)})
	wantRefusal(t, "审核自己的退款", a.Review(token, id, "approve", ""), 403, "self_review")
	res := a.Call("POST", "/api/hospay/reviews/batch", token, map[string]any{"orders": []string{id}, "decision": "approve", "count": 1,
		"total": 100})
	if res.Status != 200 || !strings.Contains(string(res.Raw), `"code":"self_review"`) {
		t.Errorf("batch: %d %s", res.Status, res.Raw)
	}
	wantStatus(t, a, id, refund.StatusReviewing)
	if res := a.Review(a.Staff("reviewer2"), id, "approve", ""); res.Status != 200 {
		t.Errorf("somebody else: %d %s", res.Status, res.Raw)
	}
}

// TestReview_RoleIsCheckedAtTheClick takes role, account and institution away
// after the login.
func TestReview_RoleIsCheckedAtTheClick(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	id := reviewing(t, a, a.Login("P0001", "alipay"), 100)
	token := a.Staff("reviewer1")
	batch := map[string]any{"orders": []string{id}, "decision": "approve", "count": 1, "total": 100}
	for _, c := range []struct {
		name   string
		values map[string]any
	}{
		{"没有角色", map[string]any{"roles": []string{}}},
		{"改为出纳", map[string]any{"roles": []string{"cashier"}}},
		{"账号停用", map[string]any{"roles": []string{"reviewer"}, "active": false}},
	} {
		set(t, a, collections.Staff, `email = "reviewer1@demo.hospay"`, c.values)
		if res := a.Review(token, id, "approve", ""); res.Status < 400 {
			t.Errorf("%s: %d %s", c.name, res.Status, res.Raw)
		}
		if res := a.Call("POST", "/api/hospay/reviews/batch", token, batch); res.Status < 400 {
			t.Errorf("%s: batch %d %s", c.name, res.Status, res.Raw)
		}
	}
	other, err := a.Runtime.App.FindCollectionByNameOrId(collections.Institutions)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Runtime.App.NonconcurrentDB().Insert(other.Name, dbx.Params{"id": "second000000000", "code": "second", "name": "二院"}).
		Execute(); err != nil {
		t.Fatal(err)
	}
	set(t, a, collections.Staff, `email = "reviewer1@demo.hospay"`, map[string]any{"roles": []string{"reviewer"}, "active": true,
		"institution": "second000000000"})
	if res := a.Review(token, id, "approve", ""); res.Status != 404 {
		t.Errorf("other institution: %d %s", res.Status, res.Raw)
	}
	wantStatus(t, a, id, refund.StatusReviewing)
}

// TestReview_Batch wants what the reviewer saw, and lets each order stand for
// itself.
func TestReview_Batch(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	token := a.Staff("reviewer1")
	var ids []string
	for i := range 5 {
		ids = append(ids, reviewing(t, a, a.Login(fmt.Sprintf("P%04d", i+1), "alipay"), int64(100+i)))
	}
	send := func(change map[string]any) testapp.Answer {
		body := map[string]any{"orders": ids, "decision": "approve", "note": "", "count": 5, "total": 510}
		for k, v := range change {
			body[k] = v
		}
		return a.Call("POST", "/api/hospay/reviews/batch", token, body)
	}
	for _, c := range []struct {
		name, code string
		change     map[string]any
	}{
		{"笔数不符", "total_mismatch", map[string]any{"count": 4}},
		{"金额不符", "total_mismatch", map[string]any{"total": 511}},
		{"重复勾选", "total_mismatch", map[string]any{"orders": append(ids[:4:4], ids[0])}},
		{"不存在的单", "total_mismatch", map[string]any{"orders": append(ids[:4:4], "none")}},
		{"驳回没有理由", "note_required", map[string]any{"decision": "reject"}},
		{"没有勾选", "bad_request", map[string]any{"orders": []string{}}},
	} {
		wantRefusal(t, c.name, send(c.change), 400, c.code)
	}
	for _, id := range ids {
		wantStatus(t, a, id, refund.StatusReviewing)
	}
	if err := a.Service.Cancel(t.Context(), ids[2], people.By{Kind: people.ByPatient}); err != nil {
		t.Fatal(err)
	}
	res := send(nil)
	if res.Status != 200 {
		t.Fatalf("batch: %d %s", res.Status, res.Raw)
	}
	results, _ := res.Body["results"].([]any)
	for i, r := range results {
		m, _ := r.(map[string]any)
		if ok := m["ok"] == true; ok != (i != 2) || (!ok && m["code"] != "conflict") {
			t.Errorf("order %d: %v", i, m)
		}
	}
	a.Drain()
	for i, id := range ids {
		want := refund.StatusSucceeded
		if i == 2 {
			want = refund.StatusCancelled
		}
		wantStatus(t, a, id, want)
	}
	booksAgree(t, a)
}

// reviewRow is a row of reviews.
type reviewRow struct {
	Stage    string `db:"stage"`
	Decision string `db:"decision"`
	Reviewer string `db:"reviewer"`
	Verdicts string `db:"verdicts"`
	Note     string `db:"note"`
}

func reviewsOf(t *testing.T, a *testapp.App, id string) []reviewRow {
	t.Helper()
	var rows []reviewRow
	if err := a.Runtime.App.DB().Select("*").From(collections.Reviews).Where(dbx.HashExp{"order": id}).OrderBy("created").
		All(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestAutoReview_RejectsNameMismatch goes the whole way: the name on the card
// changed after the application, so the rules reject, HIS takes the money back
// onto the card, and the patient is told why.
func TestAutoReview_RejectsNameMismatch(t *testing.T) {
	a := testapp.New(t, testapp.Config{Settings: demo.Settings{Review: refund.ReviewSettings{Auto: true}}})
	p := a.Login("P0001", "alipay")
	before := a.Sims.HIS.Balance(p.Card)
	id := apply(t, p, "alipay", "transfer", 1000, nil)
	card, err := a.Store.Card(t.Context(), p.ID, p.Card)
	if err != nil {
		t.Fatal(err)
	}
	card.Name = "某某某"
	if err := a.Store.SaveCards(t.Context(), p.ID, []refund.Card{*card}, testday.Now()); err != nil {
		t.Fatal(err)
	}
	a.Drain()
	w := wantStatus(t, a, id, refund.StatusRejected)
	if w.Order.FailCode != "name_mismatch" || w.Order.ReviewMode != "auto" {
		t.Errorf("%+v", w.Order)
	}
	if got := a.Sims.HIS.Balance(p.Card); got != before {
		t.Errorf("balance %d, want %d", got, before)
	}
	if n := a.Sims.Alipay.Requests().Count("transfer", ""); n != 0 {
		t.Errorf("%d transfers", n)
	}
	rows := reviewsOf(t, a, id)
	if len(rows) != 1 || rows[0].Stage != "auto" || rows[0].Decision != "reject" || rows[0].Reviewer != "" ||
		!strings.Contains(rows[0].Verdicts, `"name_equal"`) {
		t.Errorf("reviews: %+v", rows)
	}
	var body string
	if err := a.Runtime.App.DB().NewQuery("SELECT body FROM notifications WHERE `order` = {:o} AND event = 'rejected' AND via = 'in_app'").
		Bind(dbx.Params{"o": id}).Row(&body); err != nil || !strings.Contains(body, "姓名") {
		t.Errorf("notice %q, %v", body, err)
	}
	booksAgree(t, a)
}

// TestAutoReview_ApprovesAndPays needs nobody.
func TestAutoReview_ApprovesAndPays(t *testing.T) {
	rules := []refund.Rule{{Name: refund.RuleNameEqual, OnFail: refund.OutcomeReject},
		{Name: refund.RuleMaxAmount, Limit: 5000, OnFail: refund.OutcomeManual}}
	a := testapp.New(t, testapp.Config{Settings: demo.Settings{Review: refund.ReviewSettings{Auto: true, Rules: rules}}})
	small, big := apply(t, a.Login("P0001", "alipay"), "alipay", "transfer", 5000, nil), apply(t, a.Login("P0002", "alipay"), "alipay",
		"transfer", 5001, nil)
	a.Drain()
	wantStatus(t, a, small, refund.StatusSucceeded)
	wantStatus(t, a, big, refund.StatusReviewing)
	if rows := reviewsOf(t, a, big); len(rows) != 1 || rows[0].Decision != "manual" {
		t.Errorf("reviews: %+v", rows)
	}
	// Asking about an order that waits for people changes nothing.
	if res := a.Call("POST", "/api/hospay/refunds/"+big+"/query", a.Staff("reviewer1"), nil); res.Status != 409 {
		t.Errorf("query: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	if w := a.Order(big); !w.Order.NextAt.IsZero() {
		t.Errorf("due at %s", w.Order.NextAt)
	}
	if res := a.Review(a.Staff("reviewer1"), big, "approve", ""); res.Status != 200 {
		t.Errorf("review: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	wantStatus(t, a, big, refund.StatusSucceeded)
}

// TestAutoReview_Shadow stores what the rules would decide; people decide.
func TestAutoReview_Shadow(t *testing.T) {
	a := testapp.New(t, testapp.Config{Settings: demo.Settings{
		Review: refund.ReviewSettings{Shadow: true, Rules: []refund.Rule{{Name: refund.RuleNameEqual, OnFail: refund.OutcomeReject}}}}})
	id := apply(t, a.Login("P0001", "alipay"), "alipay", "transfer", 1000, nil)
	a.Drain()
	wantStatus(t, a, id, refund.StatusReviewing)
	if rows := reviewsOf(t, a, id); len(rows) != 1 || rows[0].Stage != "shadow" || rows[0].Decision != "approve" {
		t.Fatalf("reviews: %+v", rows)
	}
	if res := a.Review(a.Staff("reviewer1"), id, "reject", "人工复核不通过"); res.Status != 200 {
		t.Fatalf("review: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	wantStatus(t, a, id, refund.StatusRejected)
}

// TestAutoReview_DelayAndWindow waits, also when staff press "query".
func TestAutoReview_DelayAndWindow(t *testing.T) {
	rules := []refund.Rule{{Name: refund.RuleNameEqual, OnFail: refund.OutcomeReject}}
	now := testday.Now().In(calendar.Beijing)
	clock := func(d time.Duration) string { return now.Add(d).Format("15:04") }
	for _, c := range []struct {
		name   string
		review refund.ReviewSettings
		early  time.Duration
		late   time.Duration
	}{
		{"延迟十分钟", refund.ReviewSettings{Delay: 10 * time.Minute}, 9 * time.Minute, 2 * time.Minute},
		{"两小时后才到时段", refund.ReviewSettings{From: clock(2 * time.Hour), To: clock(3 * time.Hour)}, 118 * time.Minute, 3 * time.Minute},
		{"跨午夜的时段", refund.ReviewSettings{From: clock(12 * time.Hour), To: clock(23 * time.Hour)}, 11 * time.Hour, 62 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.review.Auto, c.review.Rules = true, rules
			a := testapp.New(t, testapp.Config{Settings: demo.Settings{Review: c.review}})
			id := apply(t, a.Login("P0001", "alipay"), "alipay", "transfer", 1000, nil)
			a.Drain()
			a.Call("POST", "/api/hospay/refunds/"+id+"/query", a.Staff("finance"), nil)
			a.Drain()
			wantStatus(t, a, id, refund.StatusReviewing)
			a.Advance(c.early)
			a.Drain()
			wantStatus(t, a, id, refund.StatusReviewing)
			a.Advance(c.late)
			a.Drain()
			wantStatus(t, a, id, refund.StatusSucceeded)
		})
	}
}
