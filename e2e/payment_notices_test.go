package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/lab/testapp"
	"hospay/money"
	"hospay/payment"
	"hospay/people"
	"hospay/sim"
	"hospay/store"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// payNotices are the notices of a payment, oldest first.
func payNotices(t *testing.T, a *testapp.App, id string) []*core.Record {
	t.Helper()
	return must(a.Runtime.App.FindRecordsByFilter(collections.Notifications, "payment = {:p}", "round,event,via", 0, 0, dbx.Params{"p": id}))
}

// told lists "event/round/via/state" of a payment's notices.
func told(t *testing.T, a *testapp.App, id string) (out []string) {
	t.Helper()
	for _, r := range payNotices(t, a, id) {
		out = append(out, strings.Join([]string{r.GetString("event"), r.GetString("round"), r.GetString("via"), r.GetString("state")}, "/"))
	}
	return out
}

func body(t *testing.T, a *testapp.App, id string, event flow.NoticeEvent, round int) string {
	t.Helper()
	for _, r := range payNotices(t, a, id) {
		if r.GetString("event") == string(event) && r.GetInt("round") == round && r.GetString("via") == "in_app" {
			return r.GetString("body")
		}
	}
	t.Errorf("nobody was told of %s, round %d: %v", event, round, told(t, a, id))
	return ""
}

func wantTold(t *testing.T, a *testapp.App, id string, want ...string) {
	t.Helper()
	list := told(t, a, id)
	for _, w := range want {
		if !has(list, w) {
			t.Errorf("%s is missing in %v", w, list)
		}
	}
}

func (p *payer) gives(o payment.Order, kind payment.RefundKind, cash int64) {
	p.Helper()
	finance := must(p.a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "finance@demo.hospay"))
	_, err := p.a.Runtime.Bills.Refund(p.Context(), o.ID, payment.RefundWish{Kind: kind, Cash: money.Fen(cash), Reason: "停诊，患者赵甲要求"},
		people.By{Kind: people.ByStaff, ID: finance.Id})
	if err != nil {
		p.Fatal(err)
	}
}

// TestPaymentNotices_PaidPerChannelAndKind: registration and outpatient payment are
// told apart, in the portal, by the channel's own message and by SMS, each with the
// page that it opens; nobody is told twice, and nothing of a person is in it.
func TestPaymentNotices_PaidPerChannelAndKind(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	for no, channel := range map[string]string{"P0001": "wechat", "P0002": "alipay"} {
		p := newPayer(t, a, no, channel)
		for kind, event := range map[payment.Kind]flow.NoticeEvent{payment.KindRegistration: payment.NoticeRegistered,
			payment.KindOutpatient: payment.NoticePaid} {
			o := p.until(p.create(p.bill(kind, 12050), false), payment.StatusPaying)
			if list := told(t, a, o.ID); len(list) != 0 {
				t.Errorf("told before anything is paid: %v", list)
			}
			p.pays(o)
			o = p.until(o.ID, payment.StatusDone)
			deliver(t, a)
			deliver(t, a)
			wantTold(t, a, o.ID, string(event)+"/0/in_app/sent", string(event)+"/0/"+channel+"/sent", string(event)+"/0/sms/sent")
			if list := told(t, a, o.ID); len(list) != 3 {
				t.Errorf("%v", list)
			}
			text := body(t, a, o.ID, event, 0)
			if !strings.Contains(text, "120.50") || !strings.Contains(text, o.No) || strings.Contains(text, "。。") ||
				strings.Contains(text, "{") || strings.Contains(text, "http") || strings.Contains(text, p.who.Name) ||
				strings.Contains(text, p.who.IDNo) || strings.Contains(text, p.card()) {
				t.Errorf("%q", text)
			}
			if guide := o.Guide; guide != "" && !strings.Contains(text, guide) {
				t.Errorf("%q does not say %q", text, guide)
			}
			for _, r := range payNotices(t, a, o.ID) {
				if r.GetString("page") != "/payments/"+o.ID {
					t.Errorf("%s opens %q", r.GetString("via"), r.GetString("page"))
				}
				if r.GetString("via") == "sms" && opens(t, a.URL+store.ShortPath+r.Id) != "/?inst=demo#/payments/"+o.ID {
					t.Errorf("the short address opens %q", opens(t, a.URL+store.ShortPath+r.Id))
				}
			}
		}
	}
	sent := map[string]int{}
	for _, m := range a.Sims.WeChat.Messages() {
		sent[m.TemplateID]++
	}
	if sent["demo-payment_registered"] != 1 || sent["demo-payment_paid"] != 1 {
		t.Errorf("templates at WeChat: %v", sent)
	}
}

// TestPaymentNotices_RefundsByPart: a refund that waits for its patient is told and
// twice reminded; each part that goes back is told with what it was, and staff's
// reasons stay with staff.
func TestPaymentNotices_RefundsByPart(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newPayer(t, a, "P0001", "wechat")
	o := p.paid(12000, true)
	cash := int64(o.CashDue())
	for round := range 2 {
		p.gives(o, payment.RefundCash, 100)
		p.until(o.ID, payment.StatusPartRefunded)
		if text := body(t, a, o.ID, payment.NoticePartRefunded, round); !strings.Contains(text, "已退回 ¥1.00（医保 ¥0.00，自费 ¥1.00）") ||
			strings.Contains(text, "停诊") || strings.Contains(text, "赵甲") {
			t.Errorf("%q", text)
		}
	}
	p.gives(o, payment.RefundAll, 0)
	p.until(o.ID, payment.StatusWaitAuth)
	deliver(t, a)
	wantTold(t, a, o.ID, "payment_refund_auth/0/in_app/sent", "payment_refund_auth/0/wechat/sent", "payment_refund_auth/0/sms/sent",
		"payment_part_refunded/1/sms/sent")
	for range 20 {
		a.Advance(4 * time.Hour)
		a.Drain()
		deliver(t, a)
	}
	wantTold(t, a, o.ID, "payment_refund_auth/1/wechat/sent", "payment_refund_auth/2/in_app/sent")
	if list := told(t, a, o.ID); has(list, "payment_refund_auth/3/in_app/sent") || has(list, "payment_refund_auth/1/sms/sent") {
		t.Errorf("reminded too often: %v", list)
	}
	if err := a.Runtime.Bills.Authorise(t.Context(), o.ID, p.authorised(), people.By{Kind: people.ByPatient, ID: p.id}); err != nil {
		t.Fatal(err)
	}
	p.until(o.ID, payment.StatusRefunded)
	want := fmt.Sprintf("本次 %s（医保 %s，自费 %s）", money.Fen(12000-200), money.Fen(12000-cash), money.Fen(cash-200))
	if text := body(t, a, o.ID, payment.NoticeRefunded, 0); !strings.Contains(text, want) {
		t.Errorf("%q, not %q", text, want)
	}
}

// TestPaymentNotices_WhileHISIsSilent: the patient hears that the money is here, once,
// and then that it is booked; what was queued before is not sent after it.
func TestPaymentNotices_WhileHISIsSilent(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newPayer(t, a, "P0001", "wechat")
	o := p.until(p.create(p.bill(payment.KindOutpatient, 5000), false), payment.StatusPaying)
	if err := a.Sims.HIS.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "charge", Fault: sim.Error500After, Times: 1},
		{Match: "trade_check", Fault: sim.Error500After, Times: 3}}}); err != nil {
		t.Fatal(err)
	}
	p.pays(o)
	p.until(o.ID, payment.StatusDone)
	deliver(t, a)
	wantTold(t, a, o.ID, "payment_received/0/in_app/sent", "payment_received/0/wechat/skipped", "payment_paid/0/in_app/sent",
		"payment_paid/0/wechat/sent")
	if has(told(t, a, o.ID), "payment_received/1/in_app/sent") {
		t.Error("told twice that the money is here")
	}
}

// TestPaymentNotices_NothingPaidAndPeople: who has not paid hears that nothing was
// charged; finance hears of a payment that needs people, once each time.
func TestPaymentNotices_NothingPaidAndPeople(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newPayer(t, a, "P0001", "wechat")
	o := p.until(p.create(p.bill(payment.KindOutpatient, 5000), false), payment.StatusPaying)
	if err := a.Runtime.Bills.Cancel(t.Context(), o.ID, people.By{Kind: people.ByPatient, ID: p.id}); err != nil {
		t.Fatal(err)
	}
	p.until(o.ID, payment.StatusCancelled)
	if text := body(t, a, o.ID, payment.NoticeNotPaid, 0); !strings.Contains(text, "没有扣款") {
		t.Errorf("%q", text)
	}
	o = p.paid(5000, false)
	if err := a.Sims.WeChat.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "refund", Fault: sim.Error500After, Times: -1},
		{Match: "refund_query", Fault: sim.Error500After, Times: -1}}}); err != nil {
		t.Fatal(err)
	}
	p.gives(o, payment.RefundCash, 100)
	for range 60 {
		a.Drain()
		if w := must(a.Store.Payments().Get(t.Context(), o.ID)); w.Order.Status == payment.StatusSuspense {
			break
		}
		a.Advance(time.Hour)
	}
	wantTold(t, a, o.ID, "payment_suspense/0/in_app/sent")
	for _, r := range payNotices(t, a, o.ID) {
		if r.GetString("event") == "payment_suspense" && (!r.GetBool("staff") || !strings.Contains(r.GetString("body"), "缴费单 "+o.No)) {
			t.Errorf("%s", r.GetString("body"))
		}
	}
}

// TestPaymentNotices_AreWorded: every institution has texts of them, which its people
// edit, with places that payments alone fill.
func TestPaymentNotices_AreWorded(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	patients, staff := store.TextEvents()
	for _, event := range append(patients, staff...) {
		if !strings.HasPrefix(string(event), "payment_") {
			continue
		}
		text := must(a.Runtime.App.FindFirstRecordByFilter(collections.NotificationTexts, "institution = {:i} && event = {:e}",
			dbx.Params{"i": a.Institution, "e": string(event)}))
		if text.GetString("title") == "" || strings.HasPrefix(text.GetString("title"), "notice.") || text.GetString("body") == "" {
			t.Errorf("%s: %q", event, text.GetString("body"))
		}
		text.Set("body", "本院：{amount} {insured} {cash} {guide} {receipt} {no}")
		if err := a.Runtime.App.Save(text); err != nil {
			t.Errorf("%s: %v", event, err)
		}
	}
	p := newPayer(t, a, "P0001", "wechat")
	o := p.paid(5000, false)
	if text := body(t, a, o.ID, payment.NoticePaid, 0); text != "本院：¥50.00 ¥0.00 ¥50.00 "+o.Guide+" "+o.ReceiptNo+" "+o.No {
		t.Errorf("%q", text)
	}
}
