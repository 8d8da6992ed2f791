package e2e

import (
	"fmt"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/lab/testapp"
	"hospay/payment"
)

// TestKiosk_CashByCode: the kiosk shows a code, the person pays with the phone; after
// a power cut the same person finds the order again, and nobody else.
func TestKiosk_CashByCode(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	k := newKiosk(t, a)
	for no, channel := range map[string]string{"P0013": "wechat", "P0014": "alipay"} {
		k.shows(no)
		p := k.payer(channel)
		id := k.pays(p.bill(payment.KindOutpatient, 4_700), channel, nil)
		o := k.payable(id, channel)
		k.person = "" // the power is gone, and with it what the page held
		k.shows("P0017")
		if open := list(k.call("GET", "/api/hospay/kiosk/open", nil).Body["payments"]); len(open) != 0 {
			t.Errorf("somebody else finds %v", open)
		}
		k.refused(k.ask("GET", "/api/hospay/payments/"+id, nil), 404, "not_found")
		k.shows(no)
		open := list(k.call("GET", "/api/hospay/kiosk/open", nil).Body["payments"])
		if len(open) != 1 || open[0]["id"] != id {
			t.Fatalf("%s: %v", channel, open)
		}
		p.pays(o)
		k.done(id, channel)
		k.shows(no)
		if open = list(k.call("GET", "/api/hospay/kiosk/open", nil).Body["payments"]); len(open) != 1 || open[0]["status"] != "done" {
			t.Errorf("what was paid a moment ago is not shown again: %v", open)
		}
		k.call("DELETE", "/api/hospay/kiosk/person", nil)
	}
	balanced(t, a)
}

// TestKiosk_Cancelled: what nobody pays can be taken back at the kiosk.
func TestKiosk_Cancelled(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	k := newKiosk(t, a)
	k.shows("P0013")
	p := k.payer("wechat")
	bill := p.bill(payment.KindOutpatient, 4_700)
	id := k.pays(bill, "wechat", nil)
	k.payable(id, "wechat")
	k.call("POST", "/api/hospay/payments/"+id+"/cancel", nil)
	p.until(id, payment.StatusCancelled)
	k.shows("P0013")
	id = k.pays(bill, "wechat", nil) // the bill is free
	p.pays(k.payable(id, "wechat"))
	k.done(id, "wechat")
	balanced(t, a)
}

// TestKiosk_Registration: department, slot, bill, code.
func TestKiosk_Registration(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	k := newKiosk(t, a)
	k.shows("P0013")
	day := a.Now().AddDate(0, 0, 1).In(calendar.Beijing).Format(time.DateOnly)
	slots := list(k.call("GET", "/api/hospay/slots?department=D01&date="+day, nil).Body["slots"])
	if len(slots) == 0 {
		t.Fatal("no slots")
	}
	lock := k.call("POST", fmt.Sprintf("/api/hospay/slots/%s/lock", slots[0]["id"]), map[string]any{"card_no": k.who.Cards[0]})
	if lock.Body["kind"] != "registration" {
		t.Fatalf("%s", lock.Raw)
	}
	id := k.pays(lock.Text("bill_no"), "wechat", nil)
	k.payer("wechat").pays(k.payable(id, "wechat"))
	k.done(id, "wechat")
	balanced(t, a)
}

// insured chooses area and benefit for a bill and makes its order.
func (k *kioskAt) insured(bill, channel string) string {
	k.Helper()
	card := k.who.Cards[0]
	e := k.call("POST", "/api/hospay/insurance/enrolment", map[string]any{"card_no": card, "area": "440100"})
	benefit := list(e.Body["benefits"])[0]["id"]
	k.call("POST", "/api/hospay/insurance/identity", map[string]any{"card_no": card, "area": "440100", "benefit": benefit, "bill_no": bill,
		"channel": channel})
	if way := k.call("GET", "/api/hospay/insurance/authorisation?channel="+channel, nil); way.Body["authorised"] != true ||
		way.Text("url") != "" {
		k.Fatalf("%s", way.Raw)
	}
	k.call("GET", "/api/hospay/bills?card_no="+card, nil) // HIS has priced it anew
	id := k.pays(bill, channel, map[string]any{"insured": true, "area": "440100", "benefit": benefit})
	k.a.Drain()
	p := k.payer(channel)
	o := p.until(id, payment.StatusPriced)
	res := k.call("GET", "/api/hospay/payments/"+id, nil)
	if _, insurance, _ := p.books(o); insurance != 0 || res.Text("waits_for") != "agree" || res.Body["fund"] != float64(o.Fund) {
		k.Fatalf("the insurance has paid %d before the patient has agreed: %s", insurance, res.Raw)
	}
	k.call("POST", "/api/hospay/payments/"+id+"/agree", nil)
	k.call("POST", "/api/hospay/payments/"+id+"/agree", nil)
	return id
}

// TestKiosk_NotAgreed: who does not want the split pays nothing, and neither does
// the insurance.
func TestKiosk_NotAgreed(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	k := newKiosk(t, a)
	k.shows("P0001")
	p := k.payer("wechat")
	card := k.who.Cards[0]
	bill := p.bill(payment.KindOutpatient, 12_000)
	e := k.call("POST", "/api/hospay/insurance/enrolment", map[string]any{"card_no": card, "area": "440100"})
	k.call("POST", "/api/hospay/insurance/identity", map[string]any{"card_no": card, "area": "440100",
		"benefit": list(e.Body["benefits"])[0]["id"], "bill_no": bill, "channel": "wechat"})
	k.call("GET", "/api/hospay/bills?card_no="+card, nil)
	id := k.pays(bill, "wechat", map[string]any{"insured": true, "area": "440100"})
	p.until(id, payment.StatusPriced)
	a.Advance(3 * time.Minute)
	a.Drain()
	k.shows("P0001")
	k.call("POST", "/api/hospay/payments/"+id+"/cancel", nil)
	o := p.until(id, payment.StatusCancelled)
	k.refused(k.ask("POST", "/api/hospay/payments/"+id+"/agree", nil), 409, "conflict")
	if cash, insurance, written := p.books(o); cash != 0 || insurance != 0 || written != 0 {
		t.Errorf("channel %d, centre %d, HIS %d", cash, insurance, written)
	}
	balanced(t, a)
}

// TestKiosk_InsuranceByWhatWasShown: the insurance is settled with the credential
// first, without any page of a channel; then the cash is asked for by code. One that
// pays all asks for none.
func TestKiosk_InsuranceByWhatWasShown(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	k := newKiosk(t, a)
	for no, channel := range map[string]string{"P0001": "wechat", "P0003": "alipay"} {
		k.shows(no)
		p := k.payer(channel)
		id := k.insured(p.bill(payment.KindOutpatient, 12_000), channel)
		o := k.payable(id, channel)
		if _, insurance, _ := p.books(o); insurance != int64(o.Fund+o.Account) || insurance <= 0 || o.CashDue() <= 0 {
			t.Fatalf("the insurance has paid %d of %+v before the cash is asked for", insurance, o.Split)
		}
		p.pays(o)
		k.done(id, channel)
		k.shows(no)
		k.split(9_000, 3_000)
		id = k.insured(p.bill(payment.KindOutpatient, 12_000), channel)
		if o = k.done(id, channel); o.CashDue() != 0 || o.Fund+o.Account != o.Total {
			t.Errorf("%+v", o.Split)
		}
	}
	balanced(t, a)
}

// TestKiosk_InsuranceWithoutItsCash: the insurance has paid and nobody pays the rest:
// it gets its part back with the same credential.
func TestKiosk_InsuranceWithoutItsCash(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	k := newKiosk(t, a)
	k.shows("P0001")
	p := k.payer("wechat")
	id := k.insured(p.bill(payment.KindOutpatient, 12_000), "wechat")
	k.payable(id, "wechat")
	k.call("POST", "/api/hospay/payments/"+id+"/cancel", nil)
	o := p.until(id, payment.StatusRefunded)
	if cash, insurance, written := p.books(o); cash != 0 || insurance != 0 || written != 0 {
		t.Errorf("channel %d, centre %d, HIS %d", cash, insurance, written)
	}
	balanced(t, a)
}

// TestKiosk_SettlementUnknown: HIS does not answer whether it has settled. It is not
// asked to settle again; the centre tells.
func TestKiosk_SettlementUnknown(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	k := newKiosk(t, a)
	for no, fault := range map[string]string{"P0001": "timeout_after", "P0003": "timeout_before"} {
		k.shows(no)
		p := k.payer("wechat")
		bill := p.bill(payment.KindOutpatient, 12_000)
		if err := a.Sims.HIS.Faults().Plan("insurance_settle", fault); err != nil {
			t.Fatal(err)
		}
		id := k.insured(bill, "wechat")
		if fault == "timeout_after" {
			p.pays(k.payable(id, "wechat"))
			k.done(id, "wechat")
			continue
		}
		p.until(id, payment.StatusPaying)
		if res := k.call("GET", "/api/hospay/payments/"+id, nil); res.Body["pay"] != nil || res.Text("waits_for") != "wait" {
			t.Errorf("cash is asked for although the insurance has not paid: %s", res.Raw)
		}
		k.call("POST", "/api/hospay/payments/"+id+"/cancel", nil)
		o := p.until(id, payment.StatusCancelled)
		if cash, insurance, written := p.books(o); cash != 0 || insurance != 0 || written != 0 {
			t.Errorf("channel %d, centre %d, HIS %d", cash, insurance, written)
		}
	}
	balanced(t, a)
}

// TestKiosk_NoCredentialNoInsurance: who came with a card has shown nothing that the
// insurance takes.
func TestKiosk_NoCredentialNoInsurance(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	k := newKiosk(t, a)
	k.who = a.Sims.World.Find("P0001")
	k.person = k.call("POST", "/api/hospay/kiosk/person", map[string]any{"way": "social_card", "no": k.who.SocialCard()}).Text("person")
	bill := k.payer("wechat").bill(payment.KindOutpatient, 12_000)
	res := k.ask("POST", "/api/collections/payment_orders/records", map[string]any{"bill_no": bill, "card_no": k.who.Cards[0],
		"channel": "wechat", "insured": true, "area": "440100"})
	k.refused(res, 400, "not_authorised")
}
