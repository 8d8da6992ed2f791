package e2e

import (
	"slices"
	"testing"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/lab/testapp"
	"hospay/refund"
	"hospay/sim"
	"hospay/sim/wechat"
)

// always lets an operation of a side go wrong in one way until it is cleared.
func always(t *testing.T, core *sim.Core, op, fault string) {
	t.Helper()
	if err := core.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: op, Fault: fault, Times: -1}}}); err != nil {
		t.Fatal(err)
	}
}

// after lets time pass in steps in which the worker does what is due.
func after(a *testapp.App, d time.Duration, steps int) {
	for range steps {
		a.Advance(d / time.Duration(steps))
		a.Drain()
	}
}

// TestLies_SuccessIsBelievedOnlyAboutThisPayment: the channel's query is rightly
// signed and says SUCCESS of another amount, payee, application or merchant, or
// does not say them.
func TestLies_SuccessIsBelievedOnlyAboutThisPayment(t *testing.T) {
	differs := []string{sim.LiePayee, sim.LieApp, sim.LieMerchant, sim.LieAmount, sim.LieZeroAmount}
	for _, c := range []struct {
		channel, method, op string
		lies                []string
	}{
		{"wechat", "transfer", "query", []string{sim.LiePayee, sim.LieApp, sim.LieMerchant, sim.LieNoPayee, sim.LieAmount, sim.LieNoAmount,
			sim.LieZeroAmount, sim.LieBadAmount}},
		{"wechat", "original", "refund_query", []string{sim.LieAmount, sim.LieNoAmount, sim.LieZeroAmount, sim.LieBadAmount}},
		{"alipay", "transfer", "query", []string{sim.LieNoPayee, sim.LieAmount, sim.LieNoAmount, sim.LieZeroAmount, sim.LieBadAmount}},
		{"alipay", "original", "refund_query", []string{sim.LieAmount, sim.LieNoAmount, sim.LieZeroAmount, sim.LieBadAmount}},
	} {
		for _, lie := range c.lies {
			t.Run(c.channel+" "+c.method+" "+lie, func(t *testing.T) {
				t.Parallel()
				a := testapp.New(t, testapp.Config{})
				core := map[string]*sim.Core{"wechat": a.Sims.WeChat.Core, "alipay": a.Sims.Alipay.Core}[c.channel]
				always(t, core, "callback", sim.NoCallback)
				always(t, core, c.op, lie)
				id := approved(t, a, "P0001", c.channel, c.method, 3000)
				if w := a.Order(id); c.channel == "wechat" && c.method == "transfer" {
					_ = a.Sims.WeChat.Confirm(w.Transfer.No)
				}
				after(a, 2*time.Hour, 12)
				w := a.Order(id)
				if desk := slices.Contains(differs, lie); w.Order.Status == refund.StatusSucceeded ||
					desk != (w.Order.Status == refund.StatusSuspense) {
					t.Fatalf("order is %s (%s %s)", w.Order.Status, w.Order.FailCode, w.Order.FailReason)
				}
				core.Faults().Clear()
				if w.Order.Status != refund.StatusSuspense {
					after(a, 2*time.Hour, 2)
					wantStatus(t, a, id, refund.StatusSucceeded)
				}
			})
		}
	}
}

// TestLies_CallbackWithoutAnAmountIsAHint: a callback that says no amount, or 0,
// proves nothing.
func TestLies_CallbackWithoutAnAmountIsAHint(t *testing.T) {
	a, p := silent(t)
	always(t, a.Sims.WeChat.Core, "query", sim.Error500Before)
	id := apply(t, p, "wechat", "transfer", 3000, nil)
	a.Drain()
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	a.Drain()
	for i, spoil := range []func(bill){
		func(b bill) { delete(b, "transfer_amount") },
		func(b bill) { b["transfer_amount"] = 0 },
		func(b bill) { delete(b, "openid") },
	} {
		e := truth(t, a.Order(id), "lie"+string(rune('a'+i)), "SUCCESS")
		spoil(e.content)
		if status, text := e.post(t, a); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
		if w := a.Order(id); w.Order.Status == refund.StatusSucceeded {
			t.Fatalf("callback %d was believed", i)
		}
	}
}

// TestPackage_IsAskedForAgain: the answer with the package was lost, or said
// ACCEPTED. The patient confirms with what the page was given.
func TestPackage_IsAskedForAgain(t *testing.T) {
	for _, fault := range []string{sim.LostPackage, sim.AcceptedFirst, sim.TimeoutAfter} {
		t.Run(fault, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			if err := a.Sims.WeChat.Faults().Plan("transfer", fault); err != nil {
				t.Fatal(err)
			}
			began := a.Now()
			id := approved(t, a, "P0001", "wechat", "transfer", 3000)
			after(a, 3*time.Minute, 12)
			w := wantStatus(t, a, id, refund.StatusAwaitingPayee)
			if d := w.Transfer.ExpiresAt.Sub(began); d < 23*time.Hour+59*time.Minute || d > 24*time.Hour+time.Minute {
				t.Errorf("deadline after %s", d)
			}
			if err := shown(a, a.Login("P0001", "wechat"), id); err != nil {
				t.Fatal(err)
			}
			after(a, time.Minute, 1)
			wantStatus(t, a, id, refund.StatusSucceeded)
			balanced(t, a)
		})
	}
}

// TestPackage_DeadlineIsTheChannels: hospay noticed only hours later that WeChat
// waits for the payee.
func TestPackage_DeadlineIsTheChannels(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	if err := a.Sims.WeChat.Faults().Plan("transfer", sim.TimeoutAfter); err != nil {
		t.Fatal(err)
	}
	always(t, a.Sims.WeChat.Core, "query", sim.Error500Before)
	began := a.Now()
	id := approved(t, a, "P0001", "wechat", "transfer", 3000)
	after(a, 8*time.Hour, 16)
	a.Sims.WeChat.Faults().Clear()
	after(a, 2*time.Hour, 4)
	w := wantStatus(t, a, id, refund.StatusAwaitingPayee)
	if d := w.Transfer.ExpiresAt.Sub(began); d < 23*time.Hour+59*time.Minute || d > 24*time.Hour+time.Minute {
		t.Errorf("deadline after %s", d)
	}
}

// shown lets the payee confirm with what the page of the order was given.
func shown(a *testapp.App, p *testapp.Patient, id string) error {
	res := p.Call("GET", "/api/hospay/refunds/"+id+"/confirmation", p.Token, nil)
	return a.Sims.WeChat.ConfirmShown(a.Order(id).Transfer.No,
		wechat.Shown{Package: res.Text("package"), MchID: res.Text("mch_id"), AppID: res.Text("app_id")})
}

// events lists the events of an order.
func events(t *testing.T, a *testapp.App, id string) (out []string) {
	t.Helper()
	for _, e := range must(a.Store.Events(t.Context(), id)) {
		out = append(out, e.Event)
	}
	return out
}

// TestTimeline_TellsOnlyWhatWasProved: after WAIT_USER_CONFIRM the channel tells
// that it cancels; nobody has confirmed anything.
func TestTimeline_TellsOnlyWhatWasProved(t *testing.T) {
	a, p := silent(t)
	id := apply(t, p, "wechat", "transfer", 3000, nil)
	a.Drain()
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	a.Drain()
	wantStatus(t, a, id, refund.StatusAwaitingPayee)
	if res := p.Call("POST", "/api/hospay/refunds/"+id+"/cancel", p.Token, nil); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	after(a, time.Hour, 6)
	wantStatus(t, a, id, refund.StatusCancelled)
	if got := events(t, a, id); slices.Contains(got, "payout.confirmed") {
		t.Errorf("told as confirmed: %v", got)
	}
}

// suspenseActions are the safe actions that the desk offers for an order.
func suspenseActions(t *testing.T, a *testapp.App, id string) (out []string) {
	t.Helper()
	res := a.Call("GET", "/api/hospay/desk/suspense", a.Staff("finance"), nil)
	rows, _ := res.Body["rows"].([]any)
	for _, r := range rows {
		row := r.(map[string]any)
		if row["id"] != id {
			continue
		}
		for _, x := range row["actions"].([]any) {
			if act := x.(map[string]any); act["safe"] == true {
				out = append(out, act["action"].(string))
			}
		}
	}
	return out
}

// requests counts the calls of an operation that a simulator has received.
func requests(core *sim.Core, alias string) (n int) {
	for _, r := range core.Requests().All() {
		if r.Alias == alias {
			n++
		}
	}
	return n
}

// TestRefusedForGood_RestsOnTheDesk: a refusal that proves nothing is repeated
// some times, then people decide, and the patient may take the order back.
func TestRefusedForGood_RestsOnTheDesk(t *testing.T) {
	for _, c := range []struct{ channel, method, op, fault string }{
		{"wechat", "transfer", "transfer", sim.InvalidRequest},
		{"wechat", "transfer", "transfer", sim.IPNotAllowed},
		{"wechat", "transfer", "transfer", sim.OpenidOtherApp},
		{"wechat", "transfer", "transfer", sim.UnknownCode},
		{"wechat", "original", "refund", sim.InvalidRequest},
		{"alipay", "transfer", "transfer", sim.UnknownCode},
		{"alipay", "original", "refund", sim.UnknownCode},
	} {
		t.Run(c.channel+" "+c.op+" "+c.fault, func(t *testing.T) {
			t.Parallel()
			a := testapp.New(t, testapp.Config{})
			core := map[string]*sim.Core{"wechat": a.Sims.WeChat.Core, "alipay": a.Sims.Alipay.Core}[c.channel]
			always(t, core, c.op, c.fault)
			id := approved(t, a, "P0001", c.channel, c.method, 3000)
			after(a, 2*time.Hour, 24)
			w := wantStatus(t, a, id, refund.StatusSuspense)
			sent := requests(core, c.op)
			after(a, 20*24*time.Hour, 60)
			if n := requests(core, c.op); n != sent || n > 5 {
				t.Errorf("sent %d times, then %d", sent, n)
			}
			for _, want := range []string{"resume", "restore", "pay_again", "paid_by_hand", "restored_by_hand"} {
				if got := suspenseActions(t, a, id); !slices.Contains(got, want) {
					t.Errorf("%s is not offered: %v (%s)", want, got, w.Order.FailCode)
				}
			}
			told := must(a.Runtime.App.FindRecordsByFilter(collections.Notifications, `event = "suspense"`, "", 0, 0))
			if len(told) < 10 {
				t.Errorf("told %d times in 20 days", len(told))
			}
			p := a.Login("P0001", c.channel)
			if res := p.Call("POST", "/api/hospay/refunds/"+id+"/cancel", p.Token, nil); res.Status != 200 {
				t.Fatalf("cancel: %d %s", res.Status, res.Raw)
			}
			after(a, time.Hour, 3)
			wantStatus(t, a, id, refund.StatusCancelled)
			core.Faults().Clear()
			apply(t, p, c.channel, c.method, 3000, nil)
			a.Drain()
			balanced(t, a)
		})
	}
}

// TestHold_ComesToPeople: the merchant's account stays empty for weeks, or a
// quota is used up.
func TestHold_ComesToPeople(t *testing.T) {
	for _, fault := range []string{sim.NotEnough, sim.QuotaExceeded, sim.NoAuth} {
		t.Run(fault, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			always(t, a.Sims.WeChat.Core, "transfer", fault)
			id := approved(t, a, "P0001", "wechat", "transfer", 3000)
			if w := wantStatus(t, a, id, refund.StatusPaying); w.Transfer.State != flow.CallHeld {
				t.Fatalf("the payout is %s", w.Transfer.State)
			}
			after(a, 80*time.Hour, 400)
			wantStatus(t, a, id, refund.StatusSuspense)
			if n := requests(a.Sims.WeChat.Core, "transfer"); n > 60 {
				t.Errorf("sent %d times", n)
			}
			if n := len(must(a.Runtime.App.FindRecordsByFilter(collections.Notifications, `event = "hold"`, "", 0, 0))); n < 3 {
				t.Errorf("finance was told %d times in three days", n)
			}
			if got := suspenseActions(t, a, id); !slices.Contains(got, "restore") || !slices.Contains(got, "pay_again") {
				t.Errorf("offered: %v", got)
			}
			a.Sims.WeChat.Faults().Clear()
			twoPeople(t, a, id, "resume")
			after(a, time.Hour, 6)
			wantStatus(t, a, id, refund.StatusAwaitingPayee)
		})
	}
}

// twoPeople propose and confirm an action of the desk.
func twoPeople(t *testing.T, a *testapp.App, id, action string) {
	t.Helper()
	path := "/api/hospay/desk/suspense/" + id
	for _, step := range []struct{ who, what string }{{"finance", "/propose"}, {"reviewer1", "/confirm"}} {
		body := map[string]any{"action": action, "reason": "核实", "evidence": "V1"}
		if res := a.Call("POST", path+step.what, a.Staff(step.who), body); res.Status != 200 {
			t.Fatalf("%s %s: %d %s", step.what, action, res.Status, res.Raw)
		}
	}
	a.Drain()
}

// TestAbnormalRefund_PaidInCash: a refund by original route came back from a
// closed card, and the patient got the money at the window.
func TestAbnormalRefund_PaidInCash(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	if err := a.Sims.WeChat.Settings().Update(func(s *wechat.Settings) error { s.RefundMS = 3_600_000; return nil }); err != nil {
		t.Fatal(err)
	}
	id := approved(t, a, "P0001", "wechat", "original", 3000)
	if err := a.Sims.WeChat.Return(a.Order(id).Transfer.No); err != nil {
		t.Fatal(err)
	}
	after(a, 10*time.Minute, 4)
	wantStatus(t, a, id, refund.StatusSuspense)
	twoPeople(t, a, id, "paid_by_hand")
	wantStatus(t, a, id, refund.StatusSucceeded)
}

// TestHIS_RefusesWithAnUnlistedCode: at the debit and at the reversal.
func TestHIS_RefusesWithAnUnlistedCode(t *testing.T) {
	t.Run("debit", func(t *testing.T) {
		a := testapp.New(t, testapp.Config{})
		always(t, a.Sims.HIS.Core, "debit", sim.InvalidRequest)
		id := apply(t, a.Login("P0001", "wechat"), "wechat", "transfer", 3000, nil)
		a.Drain()
		after(a, 2*time.Hour, 24)
		wantStatus(t, a, id, refund.StatusSuspense)
		sent := requests(a.Sims.HIS.Core, "debit")
		after(a, 10*24*time.Hour, 30)
		if n := requests(a.Sims.HIS.Core, "debit"); n != sent || n > 5 {
			t.Errorf("sent %d times, then %d", sent, n)
		}
		twoPeople(t, a, id, "restore")
		wantStatus(t, a, id, refund.StatusRefused)
		balanced(t, a)
	})
	t.Run("reverse", func(t *testing.T) {
		a := testapp.New(t, testapp.Config{})
		always(t, a.Sims.HIS.Core, "reverse", sim.InvalidRequest)
		id := apply(t, a.Login("P0001", "wechat"), "wechat", "transfer", 3000, nil)
		a.Drain()
		a.Review(a.Staff("reviewer1"), id, "reject", "不符")
		after(a, 2*time.Hour, 24)
		wantStatus(t, a, id, refund.StatusSuspense)
		sent := requests(a.Sims.HIS.Core, "reverse")
		after(a, 10*24*time.Hour, 30)
		if n := requests(a.Sims.HIS.Core, "reverse"); n != sent || n > 5 {
			t.Errorf("sent %d times, then %d", sent, n)
		}
		twoPeople(t, a, id, "restored_by_hand")
		wantStatus(t, a, id, refund.StatusRejected)
	})
}

// TestHIS_OddFacts: one refund number for two debits is taken by people, a time
// that cannot be is not the date of the refund.
func TestHIS_OddFacts(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	first := apply(t, a.Login("P0001", "wechat"), "wechat", "transfer", 3000, nil)
	a.Drain()
	wantStatus(t, a, first, refund.StatusReviewing)
	always(t, a.Sims.HIS.Core, "debit", sim.SameNumber)
	second := apply(t, a.Login("P0002", "alipay"), "alipay", "transfer", 3100, nil)
	a.Drain()
	if w := wantStatus(t, a, second, refund.StatusSuspense); w.Order.FailCode != "number_taken" {
		t.Errorf("the reason is %q", w.Order.FailCode)
	}
	a.Sims.HIS.Faults().Clear()
	always(t, a.Sims.HIS.Core, "debit", sim.FutureTime)
	third := apply(t, a.Login("P0003", "wechat"), "wechat", "transfer", 3200, nil)
	a.Drain()
	if w := wantStatus(t, a, third, refund.StatusReviewing); w.Order.HISRefundAt.Sub(a.Now()).Abs() > time.Hour {
		t.Errorf("the refund date is %s", w.Order.HISRefundAt)
	}
}

// TestFail_IsAskedForBeforeTheBalanceIsRestored: a FAIL callback is a hint.
func TestFail_IsAskedForBeforeTheBalanceIsRestored(t *testing.T) {
	a, p := silent(t)
	id := apply(t, p, "wechat", "transfer", 3000, nil)
	a.Drain()
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	a.Drain()
	e := truth(t, a.Order(id), "fail1", "FAIL")
	e.content["fail_reason"] = "NAME_NOT_CORRECT"
	if status, text := e.post(t, a); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	wantStatus(t, a, id, refund.StatusAwaitingPayee)
	a.Drain()
	wantStatus(t, a, id, refund.StatusAwaitingPayee)
}

// TestSuccess_AfterTheEndStandsOnTheDesk until two people have settled it.
func TestSuccess_AfterTheEndStandsOnTheDesk(t *testing.T) {
	a, p := silent(t)
	id := apply(t, p, "wechat", "transfer", 3000, nil)
	a.Drain()
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	a.Drain()
	a.Advance(25 * time.Hour)
	a.Drain()
	w := wantStatus(t, a, id, refund.StatusFailed)
	if status, text := truth(t, w, "late1", "SUCCESS").post(t, a); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	if got := suspenseActions(t, a, id); len(got) == 0 {
		t.Fatal("it stands on no desk")
	}
	twoPeople(t, a, id, "paid_by_hand")
	wantStatus(t, a, id, refund.StatusFailed)
	if got := suspenseActions(t, a, id); len(got) != 0 {
		t.Errorf("it still stands there: %v", got)
	}
}

// TestClock_GoingBackLeavesNothingStanding: the clock ran ahead for an hour.
func TestClock_GoingBackLeavesNothingStanding(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	always(t, a.Sims.Alipay.Core, "transfer", sim.TimeoutBefore)
	a.Skew(400 * 24 * time.Hour)
	id := approved(t, a, "P0002", "alipay", "transfer", 3000)
	wantStatus(t, a, id, refund.StatusPaying)
	a.Sims.Alipay.Faults().Clear()
	a.Skew(-400 * 24 * time.Hour)
	a.Drain()
	after(a, time.Hour, 6)
	wantStatus(t, a, id, refund.StatusSucceeded)
	if n := len(must(a.Runtime.App.FindRecordsByFilter(collections.Notifications, `event = "clock"`, "", 0, 0))); n == 0 {
		t.Error("nobody was told")
	}
}
