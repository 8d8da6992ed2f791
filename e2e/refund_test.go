// Package e2e tests the whole program over HTTP against the simulators.
package e2e

import (
	"testing"
	"time"

	"hospay/internal/testday"
	"hospay/lab/testapp"
	"hospay/refund"
)

func apply(t *testing.T, p *testapp.Patient, channel, method string, fen int64, changes map[string]any) string {
	t.Helper()
	res := p.Apply(channel, method, fen, changes)
	if res.Status != 200 {
		t.Fatalf("apply: %d %s", res.Status, res.Raw)
	}
	return res.Text("id")
}

// wantStatus waits until an order is where it should be: callbacks come when
// they come, and the worker goes on with what they bring.
func wantStatus(t *testing.T, a *testapp.App, id string, want refund.Status) refund.Work {
	t.Helper()
	w := a.Order(id)
	for end := testday.Now().Add(5 * time.Second); w.Order.Status != want && testday.Now().Before(end); w = a.Order(id) {
		time.Sleep(20 * time.Millisecond)
		a.Drain()
	}
	if w.Order.Status != want {
		events, _ := a.Store.Events(t.Context(), id)
		for _, e := range events {
			t.Logf("%d %s %s→%s %s %s %s", e.Seq, e.Event, e.From, e.To, e.ActorKind, e.Code, e.Message)
		}
		t.Fatalf("order is %s (%s %s), want %s", w.Order.Status, w.Order.FailCode, w.Order.FailReason, want)
	}
	return w
}

func TestRefund_WeChatTransferReviewedConfirmedPaid(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	id := apply(t, p, "wechat", "transfer", 12345, nil)
	wantStatus(t, a, id, refund.StatusSubmitted)
	a.Drain()
	wantStatus(t, a, id, refund.StatusReviewing)
	if res := a.Review(a.Staff("reviewer1"), id, "approve", ""); res.Status != 200 {
		t.Fatalf("review: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	w := wantStatus(t, a, id, refund.StatusAwaitingPayee)
	if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
		t.Fatal(err)
	}
	a.Advance(time.Minute)
	a.Drain()
	w = wantStatus(t, a, id, refund.StatusSucceeded)
	if w.Order.PaidAt.IsZero() || w.Order.ChannelNo == "" || w.Order.HISRefundNo == "" {
		t.Fatalf("facts are missing: %+v", w.Order)
	}
}

func TestRefund_AlipayTransferPaidAtOnce(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0002", "alipay")
	id := apply(t, p, "alipay", "transfer", 5000, nil)
	a.Drain()
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	a.Drain()
	wantStatus(t, a, id, refund.StatusSucceeded)
}

func TestRefund_OriginalRoutes(t *testing.T) {
	for _, channel := range []string{"wechat", "alipay"} {
		t.Run(channel, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			for _, no := range []string{"P0001", "P0002", "P0003", "P0004", "P0005"} {
				p := a.Login(no, channel)
				res := p.Apply(channel, "original", 100, nil)
				if res.Status != 200 {
					t.Logf("%s: %s", no, res.Raw)
					continue
				}
				id := res.Text("id")
				a.Drain()
				a.Review(a.Staff("reviewer1"), id, "approve", "")
				a.Drain()
				a.Advance(time.Minute)
				a.Drain()
				wantStatus(t, a, id, refund.StatusSucceeded)
				return
			}
			t.Fatal("no patient has a recent payment")
		})
	}
}

func TestRefund_RejectedGoesBackAtHIS(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0003", "wechat")
	before := a.Sims.HIS.Balance(p.Card)
	id := apply(t, p, "wechat", "transfer", 2000, nil)
	a.Drain()
	if res := a.Review(a.Staff("reviewer1"), id, "reject", ""); res.Status != 400 || res.Code() != "note_required" {
		t.Fatalf("a rejection without a note: %d %s", res.Status, res.Raw)
	}
	if res := a.Review(a.Staff("reviewer1"), id, "reject", "资料不符"); res.Status != 200 {
		t.Fatalf("review: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	wantStatus(t, a, id, refund.StatusRejected)
	if after := a.Sims.HIS.Balance(p.Card); after != before {
		t.Fatalf("balance %d, want %d", after, before)
	}
}
