package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/people"

	"github.com/pocketbase/dbx"
)

// paidBill is a paid order without insurance in a house where every refund takes two.
func paidBill(t *testing.T, a *testapp.App) (*apiPayer, payment.Order) {
	t.Helper()
	set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"refund_alone": 0})
	p := newAPIPayer(t, a, "P0003", "alipay")
	return p, p.ticketToDone(p.bill(payment.KindOutpatient, 12000), false)
}

// about calls a verb of a payment's refund.
func about(a *testapp.App, id, what, token string, body map[string]any) testapp.Answer {
	return a.Call("POST", "/api/hospay/payments/"+id+"/refund"+what, token, body)
}

// TestPaymentSecond_ProposedAndConfirmed: nothing moves by one person's word, who
// proposed cannot confirm, nor who has no role for it; the second person's word
// begins exactly what was proposed, and all of it is in the audit log.
func TestPaymentSecond_ProposedAndConfirmed(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, o := paidBill(t, a)
	finance, reviewer, cashier, auditor := a.Staff("finance"), a.Staff("reviewer1"), a.Staff("cashier"), a.Staff("auditor")
	ask := map[string]any{"kind": "cash", "cash": 5000, "reason": "检查取消"}
	res := about(a, o.ID, "", finance, ask)
	if res.Status != 200 || res.Text("status") != "done" || res.Body["waits_for_second"] != true {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	a.Advance(time.Hour)
	a.Drain()
	if cash, _, _ := p.books(o); cash != 12000 {
		t.Fatalf("one person moved money: %d are left", cash)
	}
	if said := p.words(o.ID); said.Body["refund"] != nil {
		t.Errorf("the patient is told of a proposal: %s", said.Raw)
	}
	facts := p.facts(o.ID, auditor)
	wish, _ := facts.Body["refund_proposal"].(map[string]any)
	if wish["safe"] != true || wish["cash"] != float64(5000) || wish["reason"] != "检查取消" || facts.Body["refund_alone"] != float64(0) {
		t.Errorf("%s", facts.Raw)
	}
	if safe, code, why := verb(facts, "refund_all"); safe || code != "refund_proposed" || why == "" {
		t.Errorf("%v %s %s", safe, code, why)
	}
	for _, needs := range []string{"people", "second"} {
		if got := strings.Join(listed(t, a, auditor, "needs="+needs), " "); got != o.No {
			t.Errorf("needs=%s: %q", needs, got)
		}
	}
	counts := a.Call("GET", "/api/hospay/queue/counts", auditor, nil)
	if counts.Body["payments"] != float64(1) {
		t.Errorf("%s", counts.Raw)
	}
	wantRefusal(t, "a second proposal", about(a, o.ID, "", cashier, ask), 409, "refund_proposed")
	wantRefusal(t, "by who proposed", about(a, o.ID, "/confirm", finance, map[string]any{}), 403, "same_person")
	wantRefusal(t, "by a cashier", about(a, o.ID, "/confirm", cashier, map[string]any{}), 403, "not_allowed")
	wantRefusal(t, "of another proposal", about(a, o.ID, "/confirm", reviewer, map[string]any{"seq": 7}), 409, "conflict")
	if res := about(a, o.ID, "/confirm", reviewer, map[string]any{"seq": wish["seq"], "note": "已核对"}); res.Status != 200 ||
		res.Text("status") != "refunding" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	o = p.until(o.ID, payment.StatusPartRefunded)
	if cash, _, _ := p.books(o); cash != 7000 {
		t.Errorf("%d are left", cash)
	}
	var acts []string
	if err := a.Runtime.App.ConcurrentDB().Select("action").From(collections.AuditLog).Column(&acts); err != nil {
		t.Fatal(err)
	}
	for _, act := range []string{payment.EventRefundProposed, payment.EventRefundConfirmed} {
		if n := strings.Count(strings.Join(acts, " "), act); n != 1 {
			t.Errorf("%s is %d times in the audit log", act, n)
		}
	}
}

// TestPaymentSecond_DeclinedAndChanged: it is withdrawn or refused in words; what HIS
// has given back meanwhile keeps the rest from being confirmed as it was proposed.
func TestPaymentSecond_DeclinedAndChanged(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, o := paidBill(t, a)
	finance, reviewer, cashier := a.Staff("finance"), a.Staff("reviewer1"), a.Staff("cashier")
	propose := func() {
		t.Helper()
		if res := about(a, o.ID, "", cashier, map[string]any{"kind": "all", "reason": "检查取消"}); res.Status != 200 {
			t.Fatalf("%d %s", res.Status, res.Raw)
		}
	}
	for _, who := range []string{cashier, finance} {
		propose()
		if res := about(a, o.ID, "/withdraw", who, map[string]any{"note": "再等等"}); res.Status != 200 || res.Text("status") != "done" {
			t.Fatalf("%d %s", res.Status, res.Raw)
		}
	}
	wantRefusal(t, "nothing waits", about(a, o.ID, "/confirm", finance, map[string]any{}), 409, "no_refund_proposed")
	propose()
	by := people.By{Kind: people.ByHIS, ID: "his"}
	if _, err := a.Runtime.Bills.Refund(t.Context(), o.ID, payment.RefundWish{Kind: payment.RefundCash, Cash: 2000, Reason: "窗口退费",
		HISRefundID: "W1"}, by); err != nil {
		t.Fatal(err)
	}
	p.until(o.ID, payment.StatusPartRefunded)
	facts := p.facts(o.ID, finance)
	wish, _ := facts.Body["refund_proposal"].(map[string]any)
	if wish["safe"] != false || !strings.Contains(fmt.Sprint(wish["why"]), "120.00") || !strings.Contains(fmt.Sprint(wish["why"]), "100.00") {
		t.Errorf("%s", facts.Raw)
	}
	wantRefusal(t, "what has changed", about(a, o.ID, "/confirm", finance, map[string]any{}), 409, "refund_changed")
	if cash, _, _ := p.books(o); cash != 10000 {
		t.Errorf("%d are left", cash)
	}
	if res := about(a, o.ID, "/withdraw", reviewer, map[string]any{}); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	states := map[string]int{}
	for _, r := range list(p.facts(o.ID, finance).Body["refunds"]) {
		states[fmt.Sprint(r["state"])]++
		if r["state_text"] == "" {
			t.Errorf("%v", r)
		}
	}
	if states["declined"] != 3 || states["done"] != 1 {
		t.Errorf("%v", states)
	}
}

// TestPaymentSecond_TwoConfirmAtOnce: two second persons, or a confirmation and a
// refusal, at the same moment are one refund or none.
func TestPaymentSecond_TwoConfirmAtOnce(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, o := paidBill(t, a)
	cashier, seconds := a.Staff("cashier"), []string{a.Staff("finance"), a.Staff("reviewer1"), a.Staff("reviewer2")}
	at := func(what ...string) (ok int) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		for i, w := range what {
			wg.Go(func() {
				res := about(a, o.ID, w, seconds[i], map[string]any{})
				mu.Lock()
				defer mu.Unlock()
				switch code := res.Text("data.code"); {
				case res.Status == 200:
					ok++
				case res.Status != 409 && code != "no_refund_proposed":
					t.Errorf("%s: %d %s", w, res.Status, res.Raw)
				}
			})
		}
		wg.Wait()
		return ok
	}
	back := int64(0)
	for round := range 6 {
		if res := about(a, o.ID, "", cashier, map[string]any{"kind": "cash", "cash": 1000, "reason": "检查取消"}); res.Status != 200 {
			t.Fatalf("round %d: %d %s", round, res.Status, res.Raw)
		}
		acts := []string{"/confirm", "/confirm", "/confirm"}
		if round%2 == 1 {
			acts = []string{"/confirm", "/withdraw", "/confirm"}
		}
		if ok := at(acts...); ok != 1 {
			t.Errorf("round %d: %d were heard", round, ok)
		}
		a.Drain()
		w := must(a.Store.Payments().Get(t.Context(), o.ID))
		if w.Refund != nil && w.Refund.State == payment.RefundOpenState {
			p.until(o.ID, payment.StatusPartRefunded)
			w = must(a.Store.Payments().Get(t.Context(), o.ID))
		}
		back = int64(w.Order.CashBack)
		if cash, _, _ := p.books(o); cash != 12000-back || back > int64(1000*(round+1)) {
			t.Errorf("round %d: %d are left, %d booked", round, cash, back)
		}
	}
	if back < 3000 {
		t.Errorf("%d went back in all", back)
	}
}

// TestPaymentSecond_JudgedAtTheEffect: the role, the person and the threshold are those
// of the moment of effect, and the database itself refuses one person.
func TestPaymentSecond_JudgedAtTheEffect(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, o := paidBill(t, a)
	cashier, reviewer := a.Staff("cashier"), a.Staff("reviewer1")
	if res := about(a, o.ID, "", cashier, map[string]any{"kind": "all", "reason": "检查取消"}); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	who := func(email string) map[string]any {
		rec := must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, email+"@demo.hospay"))
		return map[string]any{"id": rec.Id, "person": rec.GetString("person_index")}
	}
	// One person behind both accounts.
	person := func(id, index any) {
		t.Helper()
		if _, err := a.Runtime.App.NonconcurrentDB().Update("staff", dbx.Params{"person_index": index}, dbx.HashExp{"id": id}).
			Execute(); err != nil {
			t.Fatal(err)
		}
	}
	proposer, second := who("cashier"), who("reviewer1")
	person(second["id"], proposer["person"])
	wantRefusal(t, "the same person", about(a, o.ID, "/confirm", reviewer, map[string]any{}), 403, "same_person")
	person(second["id"], second["person"])
	db := a.Runtime.App.NonconcurrentDB()
	by := fmt.Sprint(proposer["id"])
	for _, forged := range []struct{ sql, says string }{
		{"UPDATE payment_refunds SET state = 'open' WHERE `order` = {:o}", "another person has confirmed"},
		{"UPDATE payment_refunds SET state = 'done' WHERE `order` = {:o}", "another person has confirmed"},
		{"UPDATE payment_refunds SET cash = 1 WHERE `order` = {:o}", "content of a refund never changes"},
		{"INSERT INTO payment_events (id, institution, `order`, seq, `from`, `to`, event, actor_kind, actor, code) SELECT 'forged', " +
			"institution, id, 999, 'done', 'refunding', 'refund.confirmed', 'staff', '" + by + "', 'all' FROM payment_orders WHERE id = {:o}",
			"another person confirms the refund"},
		{"INSERT INTO payment_refunds (id, institution, `order`, seq, no, kind, state, actor_kind, actor, cash) SELECT 'forged', " +
			"institution, id, 50, 'X50', 'cash', 'open', 'staff', '" + by + "', 100 FROM payment_orders WHERE id = {:o}", "takes a second person"},
	} {
		if _, err := db.NewQuery(forged.sql).Bind(dbx.Params{"o": o.ID}).Execute(); err == nil || !strings.Contains(err.Error(), forged.says) {
			t.Errorf("%s: %v", forged.sql, err)
		}
	}
	set(t, a, collections.Staff, `email = "cashier@demo.hospay"`, map[string]any{"roles": []string{"auditor"}})
	wantRefusal(t, "who proposed may not any more", about(a, o.ID, "/confirm", reviewer, map[string]any{}), 409, "proposer_gone")
	if cash, _, _ := p.books(o); cash != 12000 {
		t.Errorf("%d are left", cash)
	}
}
