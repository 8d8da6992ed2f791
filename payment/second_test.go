package payment

import (
	"strings"
	"testing"
	"time"

	"hospay/flow"
	"hospay/people"
)

var other = people.By{Kind: people.ByStaff, ID: "t"}

// paid is a world with a paid order with insurance: 500 of it insurance, 500 cash.
func paid(t *testing.T) *world {
	t.Helper()
	w := calm(t, says{"split": 2})
	w.order(t, true)
	w.pays(3)
	w.is(t, StatusDone, "")
	return w
}

func ask(t *testing.T, w *world, wish RefundWish, by people.By, code flow.Code) Refund {
	t.Helper()
	wish.Reason = "多收"
	r, err := w.svc.Refund(t.Context(), "o", wish, by)
	if flow.CodeOf(err) != code || code == "" && err != nil {
		t.Fatalf("%+v: %v, want %q", wish, err, code)
	}
	return r
}

// TestRefund_TakesTwo: beyond what one may give back alone it is proposed, nothing
// moves, the same person cannot confirm, and another does; bit by bit it adds up.
func TestRefund_TakesTwo(t *testing.T) {
	w := paid(t)
	w.alone = 150
	ask(t, w, RefundWish{Kind: RefundCash, Cash: 100}, staff, "")
	w.runFor(time.Minute)
	w.is(t, StatusPartRefunded, "")
	r := ask(t, w, RefundWish{Kind: RefundCash, Cash: 51}, staff, "") // with what went back it is more
	w.runFor(time.Hour)
	o := w.is(t, StatusPartRefunded, "")
	if r.State != RefundProposedState || r.Cash != 51 || o.CashBack != 100 || w.sent(CallCashBack) != 1 {
		t.Fatalf("%+v %+v", r, o)
	}
	ask(t, w, RefundWish{Kind: RefundCash, Cash: 1}, other, CodeRefundProposed)
	if err := w.svc.ConfirmRefund(t.Context(), "o", r.Seq, staff, ""); flow.CodeOf(err) != flow.CodeSamePerson {
		t.Error(err)
	}
	if err := w.svc.ConfirmRefund(t.Context(), "o", r.Seq+1, other, ""); flow.CodeOf(err) != flow.CodeConflict {
		t.Error("another proposal than was seen:", err)
	}
	w.is(t, StatusPartRefunded, "")
	if err := w.svc.ConfirmRefund(t.Context(), "o", r.Seq, other, "已核对"); err != nil {
		t.Fatal(err)
	}
	w.runFor(time.Minute)
	if o := w.is(t, StatusPartRefunded, ""); o.CashBack != 151 {
		t.Errorf("%d went back", o.CashBack)
	}
	if err := w.svc.ConfirmRefund(t.Context(), "o", 0, other, ""); flow.CodeOf(err) != CodeNoRefundProposed {
		t.Error(err)
	}
	if ended := w.store.refunds["o"][1]; ended.State != RefundDoneState || ended.By != staff {
		t.Errorf("%+v", ended)
	}
	w.alone = 0
	if r := ask(t, w, RefundWish{Kind: RefundCash, Cash: 1}, other, ""); r.State != RefundProposedState {
		t.Errorf("0 is not every refund: %+v", r)
	}
}

// TestRefund_Declined: a proposal that is withdrawn or refused moves nothing, makes
// room for another, and is no refund of the order.
func TestRefund_Declined(t *testing.T) {
	w := paid(t)
	w.alone = 0
	first := ask(t, w, RefundWish{Kind: RefundAll}, staff, "")
	if first.Fund+first.Account != 500 || first.Cash != 500 {
		t.Fatalf("%+v", first)
	}
	if err := w.svc.DeclineRefund(t.Context(), "o", other, "患者不退了"); err != nil {
		t.Fatal(err)
	}
	if work := w.store.read("o"); work.Refund != nil || work.Wish != nil || work.Refunds != 1 {
		t.Errorf("%+v", work)
	}
	if err := w.svc.DeclineRefund(t.Context(), "o", other, ""); flow.CodeOf(err) != CodeNoRefundProposed {
		t.Error(err)
	}
	r := ask(t, w, RefundWish{Kind: RefundInsurance}, staff, "")
	if r.Seq != 2 || r.No == first.No {
		t.Errorf("%+v", r)
	}
	w.is(t, StatusDone, "")
}

// TestRefund_ChangedMeanwhile: what HIS gives back between proposal and confirmation
// changes what would go back, and the confirmation is refused.
func TestRefund_ChangedMeanwhile(t *testing.T) {
	w := paid(t)
	w.alone = 0
	ask(t, w, RefundWish{Kind: RefundAll}, staff, "")
	by := people.By{Kind: people.ByHIS, ID: "his"}
	ask(t, w, RefundWish{Kind: RefundCash, Cash: 100, HISRefundID: "H1"}, by, "")
	if err := w.svc.ConfirmRefund(t.Context(), "o", 0, other, ""); flow.CodeOf(err) != CodeRefundRunning {
		t.Error(err)
	}
	w.runFor(time.Minute)
	w.is(t, StatusPartRefunded, "")
	work := w.store.read("o")
	if err := w.svc.Wished(t.Context(), work); flow.CodeOf(err) != CodeRefundChanged {
		t.Error("it is offered:", err)
	}
	err := w.svc.ConfirmRefund(t.Context(), "o", 0, other, "")
	if flow.CodeOf(err) != CodeRefundChanged || !strings.Contains(flow.DetailOf(err), "9.00") {
		t.Errorf("%v: %q", err, flow.DetailOf(err))
	}
	if err := w.svc.DeclineRefund(t.Context(), "o", staff, ""); err != nil {
		t.Fatal(err)
	}
	ask(t, w, RefundWish{Kind: RefundAll}, staff, "")
	if err := w.svc.ConfirmRefund(t.Context(), "o", 0, other, ""); err != nil {
		t.Fatal(err)
	}
	w.runFor(time.Minute)
	w.is(t, StatusWaitAuth, "")
}
