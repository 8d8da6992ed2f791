package e2e

import (
	"testing"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/internal/testday"
	"hospay/lab/demo"
	"hospay/lab/invariant"
	"hospay/lab/testapp"
	"hospay/refund"
)

// sides are the other sides of a program under test.
func sides(a *testapp.App) invariant.Sides {
	at := invariant.One(a.Sims.HIS.URL(), a.Sims.Centre.URL(), a.Sims.WeChat.URL(), a.Sims.Alipay.URL())
	if a.Sims.HIS2 != nil {
		at.HIS = append(at.HIS, a.Sims.HIS2.URL())
	}
	return at
}

// balanced compares all books at the end of a test.
func balanced(t *testing.T, a *testapp.App) {
	t.Helper()
	ledgers := must(invariant.Fetch(sides(a)))
	for _, v := range invariant.Check(must(invariant.Load(a.Runtime.App.ConcurrentDB())), ledgers, true) {
		t.Error(v)
	}
}

func approved(t *testing.T, a *testapp.App, no, channel, method string, fen int64) string {
	t.Helper()
	id := apply(t, a.Login(no, channel), channel, method, fen, nil)
	a.Drain()
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	a.Drain()
	return id
}

func TestWeChat_ExpiredConfirmationGoesBackAndCanBeAppliedAgain(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	id := approved(t, a, "P0001", "wechat", "transfer", 3000)
	wantStatus(t, a, id, refund.StatusAwaitingPayee)
	a.Advance(25 * time.Hour)
	a.Drain()
	if w := wantStatus(t, a, id, refund.StatusFailed); w.Order.FailCode != "OVERDUE_CLOSE" {
		t.Errorf("the reason is %q", w.Order.FailCode)
	}
	again := approved(t, a, "P0001", "wechat", "transfer", 3000)
	if err := a.Sims.WeChat.Confirm(a.Order(again).Transfer.No); err != nil {
		t.Fatal(err)
	}
	a.Advance(time.Minute)
	a.Drain()
	wantStatus(t, a, again, refund.StatusSucceeded)
	balanced(t, a)
}

func TestWeChat_NotEnoughHoldsAndGoesOnUnderTheSameNumber(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	had := a.Sims.WeChat.Balance("")
	a.Sims.WeChat.SetBalance("", 0)
	id := approved(t, a, "P0001", "wechat", "transfer", 3100)
	w := wantStatus(t, a, id, refund.StatusPaying)
	if w.Transfer.State != flow.CallHeld {
		t.Fatalf("the payout is %s", w.Transfer.State)
	}
	for range 3 {
		a.Advance(6 * time.Minute)
		a.Drain()
	}
	if n := len(must(a.Runtime.App.FindRecordsByFilter(collections.Notifications, `event = "hold"`, "", 0, 0))); n != 1 {
		t.Errorf("finance was told %d times", n)
	}
	a.Sims.WeChat.SetBalance("", had)
	a.Advance(6 * time.Minute)
	a.Drain()
	if again := wantStatus(t, a, id, refund.StatusAwaitingPayee); again.Transfer.No != w.Transfer.No {
		t.Errorf("the number changed from %s to %s", w.Transfer.No, again.Transfer.No)
	}
}

// returned lets a paid order's money come back and waits for the order that
// restores the balance.
func returned(t *testing.T, a *testapp.App, w refund.Work) string {
	t.Helper()
	if err := a.Sims.Alipay.Return(w.Transfer.No); err != nil {
		t.Fatal(err)
	}
	for end := testday.Now().Add(5 * time.Second); testday.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if rec, err := a.Runtime.App.FindFirstRecordByData(collections.RefundOrders, "compensates", w.Order.ID); err == nil {
			return rec.Id
		}
	}
	t.Fatal("no order restores the returned payout")
	return ""
}

func TestAlipay_ReturnedPayoutIsRestoredByAnOrderOfItsOwn(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	before := a.Sims.HIS.Balance("C0002")
	id := approved(t, a, "P0002", "alipay", "transfer", 3200)
	w := wantStatus(t, a, id, refund.StatusSucceeded)
	comp := returned(t, a, w)
	a.Drain()
	wantStatus(t, a, id, refund.StatusSucceeded)
	wantStatus(t, a, comp, refund.StatusFailed)
	if after := a.Sims.HIS.Balance("C0002"); after != before {
		t.Errorf("balance %d, want %d", after, before)
	}
	balanced(t, a)
}

func TestHIS_EveryStyleOfInterface(t *testing.T) {
	for _, kind := range []string{"rest", "soap-utf8", "soap-gbk"} {
		t.Run(kind, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{Settings: demo.Settings{HISKind: kind}})
			wantStatus(t, a, approved(t, a, "P0002", "alipay", "transfer", 3300), refund.StatusSucceeded)
			id := apply(t, a.Login("P0003", "wechat"), "wechat", "transfer", 3400, nil)
			a.Drain()
			a.Review(a.Staff("reviewer1"), id, "reject", "不符")
			a.Drain()
			wantStatus(t, a, id, refund.StatusRejected)
			balanced(t, a)
		})
	}
}

func TestHIS_DebitAfterApproval(t *testing.T) {
	a := testapp.New(t, testapp.Config{Settings: demo.Settings{DebitAt: refund.DebitAtApproval}})
	p := a.Login("P0002", "alipay")
	before := a.Sims.HIS.Balance(p.Card)
	id := apply(t, p, "alipay", "transfer", 3500, nil)
	a.Drain()
	wantStatus(t, a, id, refund.StatusReviewing)
	if now := a.Sims.HIS.Balance(p.Card); now != before {
		t.Fatalf("debited before the approval: %d", now)
	}
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	a.Drain()
	wantStatus(t, a, id, refund.StatusSucceeded)
	balanced(t, a)
}

func TestHIS_WithoutReversalSuspendsTheExactAmount(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	rec := must(a.Runtime.App.FindFirstRecordByData(collections.HISConfigs, "institution", a.Institution))
	rec.Set("reversible", false)
	if err := a.Runtime.App.Save(rec); err != nil {
		t.Fatal(err)
	}
	id := apply(t, a.Login("P0003", "wechat"), "wechat", "transfer", 3600, nil)
	a.Drain()
	a.Review(a.Staff("reviewer1"), id, "reject", "不符")
	a.Drain()
	if w := wantStatus(t, a, id, refund.StatusSuspense); w.Order.FailCode != string(flow.CodeHISNoReversal) {
		t.Errorf("the reason is %q", w.Order.FailCode)
	}
	balanced(t, a)
}

func TestRefund_OneWishInSeveralOrders(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0002", "alipay")
	group := map[string]any{"group": "wish00000000001"}
	first := apply(t, p, "alipay", "transfer", 100, group)
	second := apply(t, p, "alipay", "transfer", 200, group)
	if res := p.Apply("alipay", "transfer", 300, nil); res.Code() != "active_order_exists" {
		t.Fatalf("outside the group: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	for _, id := range []string{first, second} {
		a.Review(a.Staff("reviewer1"), id, "approve", "")
	}
	a.Drain()
	wantStatus(t, a, first, refund.StatusSucceeded)
	wantStatus(t, a, second, refund.StatusSucceeded)
	balanced(t, a)
}

func TestTimeline_TellsPlainWords(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	w := paidOrder(t, a, "P0002", "alipay", 3700)
	p := a.Login("P0002", "alipay")
	res := p.Call("GET", "/api/hospay/refunds/"+w.Order.ID+"/timeline", p.Token, nil)
	if res.Status != 200 || res.Text("text") != "已到账" {
		t.Fatalf("timeline: %d %s", res.Status, res.Raw)
	}
	steps, _ := res.Body["steps"].([]any)
	if len(steps) < 5 {
		t.Errorf("%d steps: %s", len(steps), res.Raw)
	}
	other := a.Login("P0004", "wechat")
	if res := other.Call("GET", "/api/hospay/refunds/"+w.Order.ID+"/timeline", other.Token, nil); res.Status != 404 {
		t.Errorf("another patient: %d", res.Status)
	}
}
