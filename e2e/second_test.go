package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"hospay/collections"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/refund"

	"github.com/pocketbase/dbx"
)

// second is a program in which orders from a hundred yuan on need two people.
func secondHouse(t *testing.T, review refund.ReviewSettings) *testapp.App {
	t.Helper()
	review.SecondFrom = 10_000
	return testapp.New(t, testapp.Config{Settings: demo.Settings{Review: review}})
}

func stageOf(t *testing.T, a *testapp.App, id string) string {
	t.Helper()
	return must(a.Runtime.App.FindRecordById(collections.RefundOrders, id)).GetString("stage")
}

func TestSecondReview_TwoPeopleApprove(t *testing.T) {
	a := secondHouse(t, refund.ReviewSettings{})
	first, other := a.Staff("reviewer1"), a.Staff("reviewer2")
	id := reviewing(t, a, a.Login("P0001", "alipay"), 10_000)
	if s := stageOf(t, a, id); s != "first" {
		t.Fatalf("stage is %q", s)
	}
	if res := a.Review(first, id, "approve", "材料齐全"); res.Status != 200 || res.Text("stage") != "first" {
		t.Fatalf("first: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	wantStatus(t, a, id, refund.StatusReviewing)
	if s := stageOf(t, a, id); s != "second" {
		t.Fatalf("stage is %q", s)
	}
	wantRefusal(t, "初审人复核", a.Review(first, id, "approve", ""), 403, "same_reviewer")
	wantRefusal(t, "初审人复核驳回", a.Review(first, id, "reject", "不行"), 403, "same_reviewer")
	if res := a.Review(other, id, "approve", ""); res.Status != 200 || res.Text("stage") != "second" {
		t.Fatalf("second: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	wantStatus(t, a, id, refund.StatusSucceeded)
	var told []string
	for _, r := range reviewsOf(t, a, id) {
		told = append(told, r.Stage+" "+r.Decision)
	}
	if strings.Join(told, ", ") != "first approve, second approve" || stageOf(t, a, id) != "" {
		t.Errorf("reviews %v, stage %q", told, stageOf(t, a, id))
	}
	small := reviewing(t, a, a.Login("P0002", "alipay"), 9_999)
	a.Review(first, small, "approve", "")
	a.Drain()
	wantStatus(t, a, small, refund.StatusSucceeded)
	balanced(t, a)
}

func TestSecondReview_RejectedAtEitherStage(t *testing.T) {
	a := secondHouse(t, refund.ReviewSettings{})
	first, other := a.Staff("reviewer1"), a.Staff("reviewer2")
	early, late := reviewing(t, a, a.Login("P0001", "alipay"), 10_000), reviewing(t, a, a.Login("P0002", "alipay"), 10_000)
	a.Review(first, early, "reject", "资料不符")
	a.Review(first, late, "approve", "")
	wantRefusal(t, "复核驳回没有理由", a.Review(other, late, "reject", ""), 400, "note_required")
	if res := a.Review(other, late, "reject", "金额存疑"); res.Status != 200 {
		t.Fatalf("reject: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	wantStatus(t, a, early, refund.StatusRejected)
	wantStatus(t, a, late, refund.StatusRejected)
	balanced(t, a)
}

// TestSecondReview_ByPerson compares natural persons, in the program and, where
// a script passes it by, in the database.
func TestSecondReview_ByPerson(t *testing.T) {
	a := secondHouse(t, refund.ReviewSettings{})
	id := reviewing(t, a, a.Login("P0001", "alipay"), 10_000)
	first, other := a.Staff("reviewer1"), a.Staff("reviewer2")
	become := func(name, patient string) {
		set(t, a, collections.Staff, `email = "`+name+`@demo.hospay"`,
			map[string]any{"person_index": a.Store.PersonIndex(a.Sims.World.Find(patient).IDNo)})
	}
	become("reviewer1", "P0009")
	if res := a.Review(first, id, "approve", ""); res.Status != 200 {
		t.Fatalf("first: %d %s", res.Status, res.Raw)
	}
	become("reviewer2", "P0009")
	wantRefusal(t, "同一个人的另一个账号", a.Review(other, id, "approve", ""), 403, "same_reviewer")
	become("reviewer2", "P0001")
	wantRefusal(t, "申请人复核", a.Review(other, id, "approve", ""), 403, "self_review")
	become("reviewer2", "P0009")
	staff := must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "reviewer2@demo.hospay"))
	for who, want := range map[string]string{staff.Id: "another person", "": "waits for its second review"} {
		sql := "INSERT INTO reviews (id, `order`, institution, stage, decision, reviewer) VALUES ('x00000000000001', {:o}, {:i}, 'second', " +
			"'approve', {:r})"
		if who == "" {
			sql = "UPDATE refund_orders SET status = 'approved' WHERE id = {:o}"
		}
		_, err := a.Runtime.App.NonconcurrentDB().NewQuery(sql).Bind(dbx.Params{"o": id, "i": a.Institution, "r": who}).Execute()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("SQL went through or was refused otherwise: %v, want %q", err, want)
		}
	}
	become("reviewer2", "P0010")
	if res := a.Review(other, id, "approve", ""); res.Status != 200 {
		t.Errorf("another person: %d %s", res.Status, res.Raw)
	}
}

// TestSecondReview_ProxiesAlways: the setting holds for every amount, and the
// principal is nobody to decide.
func TestSecondReview_ProxiesAlways(t *testing.T) {
	a := testapp.New(t, testapp.Config{Settings: demo.Settings{Review: refund.ReviewSettings{SecondProxy: true}}})
	p := a.Login("P0001", "wechat")
	proxy := p.ApprovedProxy(elderly, "elderly")
	id := p.ApplyFor(proxy, elderly, "wechat", "transfer", 1000, nil).Text("id")
	a.Drain()
	if res := a.Review(a.Staff("reviewer1"), id, "approve", ""); res.Status != 200 {
		t.Fatalf("first: %d %s", res.Status, res.Raw)
	}
	if s := stageOf(t, a, id); s != "second" {
		t.Fatalf("stage is %q", s)
	}
	become := func(patient string) {
		set(t, a, collections.Staff, `email = "reviewer2@demo.hospay"`,
			map[string]any{"person_index": a.Store.PersonIndex(a.Sims.World.Find(patient).IDNo)})
	}
	become(elderly)
	wantRefusal(t, "被代办人复核", a.Review(a.Staff("reviewer2"), id, "approve", ""), 403, "self_review")
	become("P0012")
	batch := a.Call("POST", "/api/hospay/reviews/batch", a.Staff("reviewer2"), map[string]any{"orders": []string{id}, "decision": "approve",
		"count": 1, "total": 1000})
	if !strings.Contains(string(batch.Raw), `"code":"review_singly"`) {
		t.Errorf("batch: %d %s", batch.Status, batch.Raw)
	}
	if res := a.Review(a.Staff("reviewer2"), id, "approve", ""); res.Status != 200 {
		t.Fatalf("second: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	wantStatus(t, a, id, refund.StatusAwaitingPayee)
}

// TestSecondReview_RulesNeverApprove leaves to people what needs two of them.
func TestSecondReview_RulesNeverApprove(t *testing.T) {
	a := secondHouse(t, refund.ReviewSettings{Auto: true, Rules: []refund.Rule{{Name: refund.RuleNameEqual, OnFail: refund.OutcomeReject}}})
	small, big := apply(t, a.Login("P0001", "alipay"), "alipay", "transfer", 9_999, nil), apply(t, a.Login("P0002", "alipay"), "alipay",
		"transfer", 10_000, nil)
	a.Drain()
	wantStatus(t, a, small, refund.StatusSucceeded)
	wantStatus(t, a, big, refund.StatusReviewing)
	if rows := reviewsOf(t, a, big); len(rows) != 1 || rows[0].Decision != "manual" || !strings.Contains(rows[0].Verdicts, `"second_review"`) {
		t.Errorf("reviews: %+v", rows)
	}
	a.Review(a.Staff("reviewer1"), big, "approve", "")
	a.Advance(25 * 3600e9)
	a.Drain()
	wantStatus(t, a, big, refund.StatusReviewing)
}

// TestSecondReview_TwoAtOnceOneWins lets two people decide at the same moment,
// a thousand times: five hundred first reviews, five hundred second ones.
func TestSecondReview_TwoAtOnceOneWins(t *testing.T) {
	a := testapp.New(t, testapp.Config{Settings: demo.Settings{DayLimit: 1000, Review: refund.ReviewSettings{SecondFrom: 1}}})
	third := thirdReviewer(t, a)
	tokens := map[string]string{"reviewer1": a.Staff("reviewer1"), "reviewer2": a.Staff("reviewer2"), "third": third}
	ids := manyReviewing(t, a, 500)
	duel := func(id, stage string, people ...string) string {
		winner := ""
		try := func(who string) func() testapp.Answer {
			return func() testapp.Answer {
				return a.Call("POST", "/api/collections/reviews/records", tokens[who], map[string]any{"order": id, "decision": "approve",
					"stage": stage})
			}
		}
		for i, res := range atOnce(try(people[0]), try(people[1])) {
			switch {
			case res.Status == 200 && winner == "":
				winner = people[i]
			case res.Status != 409 || res.Code() != "conflict":
				t.Errorf("%s of %s: %d %s", stage, id, res.Status, res.Raw)
			}
		}
		if winner == "" {
			t.Errorf("%s of %s: nobody won", stage, id)
		}
		return winner
	}
	var wg sync.WaitGroup
	next := make(chan string)
	for range 4 {
		wg.Go(func() {
			for id := range next {
				rest := []string{"reviewer2", "third"}
				if duel(id, "first", "reviewer1", "reviewer2") == "reviewer2" {
					rest = []string{"reviewer1", "third"}
				}
				duel(id, "second", rest...)
			}
		})
	}
	for _, id := range ids {
		next <- id
	}
	close(next)
	wg.Wait()
	if n := countRows(t, a, collections.Reviews, dbx.HashExp{"decision": "approve"}); n != 1000 {
		t.Errorf("%d decisions", n)
	}
	if n := countRows(t, a, collections.RefundOrders, dbx.HashExp{"status": "approved"}); n != 500 {
		t.Errorf("%d orders approved", n)
	}
}

// manyReviewing makes orders under review, as many of one wish as a card takes.
func manyReviewing(t *testing.T, a *testapp.App, n int) []string {
	t.Helper()
	var ids []string
	for i := 0; len(ids) < n; i++ {
		p := a.Login(fmt.Sprintf("P%04d", i%20+1), "alipay")
		for range 25 {
			ids = append(ids, apply(t, p, "alipay", "transfer", 100, map[string]any{"group": fmt.Sprintf("wish%011d", i)}))
		}
	}
	a.Drain()
	return ids
}

func thirdReviewer(t *testing.T, a *testapp.App) string {
	t.Helper()
	res := a.Call("POST", "/api/collections/staff/records", a.Superuser(), map[string]any{
		"institution": a.Institution, "name": "审核三", "email": "reviewer3@demo.hospay", "emailVisibility": true, "password": demo.Password,
		"passwordConfirm": demo.Password,
		"roles":           []string{"reviewer"}, "active": true, "id_no_input": "11010519491231002X",
	})
	if res.Status != 200 {
		t.Fatalf("staff: %d %s", res.Status, res.Raw)
	}
	return a.Staff("reviewer3")
}
