package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/payment"
)

// records are the routes by which patients pay.
const records = "/api/collections/payment_orders/records"

// sims asks a simulator to do something.
func sims(t *testing.T, base, path string) {
	t.Helper()
	res, err := http.Post(base+path, "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Fatalf("%s: %d", path, res.StatusCode)
	}
}

// charged is what all sides have booked.
func charged(a *testapp.App) (n int) {
	for _, e := range a.Sims.WeChat.Ledger().Entries() {
		if e.Kind == "pay" {
			n++
		}
	}
	return n + len(a.Sims.Centre.Ledger().Entries())
}

// TestPaymentAPI_BadInput: a bill that has changed since it was seen, one that was
// paid at the window, a slot that is lost, a place of insurance that is not taken,
// a credential of somebody else: each a code and a sentence, nothing is charged.
func TestPaymentAPI_BadInput(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newAPIPayer(t, a, "P0001", "wechat")
	his := a.Sims.HIS.URL()
	post := func(path string, body any) testapp.Answer { t.Helper(); return a.Call("POST", path, p.token, body) }

	bill := p.bill(payment.KindOutpatient, 12000)
	p.shownBill(bill)
	sims(t, his, "/_sim/price/"+bill+"?amount=13000")
	wantRefusal(t, "the price has changed", post(records, p.wish(bill, false, "")), 409, "bill_changed")
	p.shownBill(bill)
	wish := p.wish(bill, false, "")
	wish["total"], wish["cash"], wish["status"], wish["no"] = 1, 1, "done", "P1"
	id := p.creates(wish)
	if o := p.words(id); o.Body["total"] != 13000.0 || o.Text("no") == "P1" {
		t.Errorf("%s", o.Raw)
	}
	sims(t, his, "/_sim/price/"+bill+"?amount=14000") // between the order and the payment
	p.until(id, payment.StatusCancelled)
	if o := p.words(id); o.Text("reason_code") != "bill_changed" || !strings.Contains(o.Text("reason"), "没有扣款") {
		t.Errorf("%s", o.Raw)
	}
	p.shownBill(bill)
	sims(t, his, "/_sim/window/"+bill)
	wantRefusal(t, "paid at the window", post(records, p.wish(bill, false, "")), 409, "bill_paid")
	window := p.bill(payment.KindOutpatient, 4400)
	p.shownBill(window)
	id = p.creates(p.wish(window, false, ""))
	sims(t, his, "/_sim/window/"+window)
	p.until(id, payment.StatusCancelled)
	if o := p.words(id); o.Text("reason_code") != "bill_paid" {
		t.Errorf("%s", o.Raw)
	}

	dept := fmt.Sprint(list(p.call("GET", "/api/hospay/departments", nil).Body["departments"])[0]["code"])
	slot := fmt.Sprint(list(p.call("GET", "/api/hospay/slots?department="+dept, nil).Body["slots"])[0]["id"])
	sims(t, his, "/_sim/slot/"+slot+"?places=0")
	wantRefusal(t, "no place is left", post("/api/hospay/slots/"+slot+"/lock", map[string]any{"card_no": p.card()}), 409, "slot_lost")
	wantRefusal(t, "no such slot", post("/api/hospay/slots/D01-19990101-A1/lock", map[string]any{"card_no": p.card()}), 409, "slot_lost")
	wantRefusal(t, "no such department", a.Call("GET", "/api/hospay/slots?department=D99", p.token, nil), 400, "bad_request")

	for _, area := range []string{"999999", "", "4401", "广州"} {
		wantRefusal(t, "area "+area, post("/api/hospay/insurance/enrolment", map[string]any{"card_no": p.card(), "area": area}), 400,
			"area_not_offered")
	}
	e := p.call("POST", "/api/hospay/insurance/enrolment", map[string]any{"card_no": p.card(), "area": "440300"})
	if e.Body["enrolled"] != false || !chinese(e.Text("reason")) {
		t.Errorf("not insured there: %s", e.Raw)
	}
	insured := p.bill(payment.KindOutpatient, 5000)
	wantRefusal(t, "HIS was told nothing", post(records, p.wish(insured, true, "")), 409, "identity_missing")
	identity := map[string]any{"card_no": p.card(), "area": "440100", "benefit": "none", "bill_no": insured}
	wantRefusal(t, "no such benefit", post("/api/hospay/insurance/identity", identity), 409, "benefit_not_offered")
	identity["bill_no"] = "none"
	wantRefusal(t, "no such bill", post("/api/hospay/insurance/identity", identity), 409, "bill_gone")

	for name, code := range map[string]string{"of another phone": p.authPage("P0002"), "of nobody": "none", "none": ""} {
		wantRefusal(t, "a code "+name, post("/api/hospay/insurance/authorisation", map[string]any{"channel": "wechat", "code": code}), 400,
			"not_authorised")
	}
	wantRefusal(t, "a bill that was never told", post(records, p.wish("none", false, "")), 409, "bill_gone")
	if n := charged(a); n != 0 {
		t.Errorf("%d entries in the ledgers", n)
	}
}

// TestPaymentAPI_CredentialOfAnother: one that is another person's is refused, and
// one that was given for another patient pays nothing at the centre.
func TestPaymentAPI_CredentialOfAnother(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newAPIPayer(t, a, "P0005", "wechat")
	code := p.authPage("P0005")
	mine := p.who.IDNo
	p.who.IDNo = a.Sims.World.Find("P0006").IDNo // whose credential is in this phone
	res := a.Call("POST", "/api/hospay/insurance/authorisation", p.token, map[string]any{"channel": "wechat", "code": code})
	wantRefusal(t, "another's credential", res, 400, "credential_of_other")
	p.who.IDNo = mine
	bill := p.bill(payment.KindOutpatient, 12000)
	p.shownBill(bill)
	benefit := p.chosen(bill, "440100")
	id := p.creates(p.wish(bill, true, benefit))
	code = p.authPage("P0005")
	p.who.IDNo = a.Sims.World.Find("P0006").IDNo
	res = a.Call("POST", "/api/hospay/payments/"+id+"/authorise", p.token, map[string]any{"channel": "wechat", "code": code})
	wantRefusal(t, "another's credential for an order", res, 400, "credential_of_other")
	p.who.IDNo = mine
	if o := p.words(id); o.Text("status") != "created" || o.Text("waits_for") != "authorise" {
		t.Errorf("%s", o.Raw)
	}
	code = p.authPageFor("P0005", "P0001") // a relative, who is not the patient
	got := p.call("POST", "/api/hospay/payments/"+id+"/authorise", map[string]any{"channel": "wechat", "code": code})
	if got.Text("status") != "created" {
		t.Errorf("%s", got.Raw)
	}
	p.until(id, payment.StatusCancelled)
	if o := p.words(id); o.Text("reason_code") == "" || !strings.Contains(o.Text("reason"), "没有扣款") {
		t.Errorf("%s", o.Raw)
	}
	if n := charged(a); n != 0 {
		t.Errorf("%d entries in the ledgers", n)
	}
}

// TestPaymentAPI_BadForms: whatever is not in its form is refused with a code.
func TestPaymentAPI_BadForms(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newAPIPayer(t, a, "P0001", "wechat")
	bill := p.bill(payment.KindOutpatient, 12000)
	p.shownBill(bill)
	for name, c := range map[string]struct {
		field string
		value any
		code  string
	}{
		"id": {"id", "short", "bad_request"}, "channel": {"channel", "bank", "bad_request"}, "terminal": {"terminal", "tv", "terminal_invalid"},
		"no card": {"card_no", "", "card_not_yours"}, "another's card": {"card_no", a.Sims.World.Find("P0002").Cards[0], "card_not_yours"},
	} {
		wish := p.wish(bill, false, "")
		wish[c.field] = c.value
		wantRefusal(t, name, a.Call("POST", records, p.token, wish), 400, c.code)
	}
	wish := p.wish(bill, false, "")
	p.creates(wish)
	for field, value := range map[string]any{"channel": "alipay", "terminal": "h5", "insured": true, "bill_no": "B2"} {
		other := map[string]any{}
		for k, v := range wish {
			other[k] = v
		}
		other[field] = value
		wantRefusal(t, "the same id with another "+field, a.Call("POST", records, p.token, other), 409, "conflict")
	}
	q := newAPIPayer(t, a, "P0003", "wechat")
	theirs := q.wish(q.bill(payment.KindOutpatient, 100), false, "")
	theirs["id"] = wish["id"]
	wantRefusal(t, "another's id", a.Call("POST", records, q.token, theirs), 409, "conflict")
	for _, path := range []string{"?channel=bank", "?channel=wechat&terminal=tv", "?channel=wechat&back=javascript:alert(1)",
		"?channel=wechat&back=" + strings.Repeat("x", 600)} {
		if res := a.Call("GET", "/api/hospay/insurance/authorisation"+path, p.token, nil); res.Status != 400 {
			t.Errorf("%s: %d %s", path, res.Status, res.Raw)
		}
	}
	finance := a.Staff("finance")
	id := fmt.Sprint(wish["id"])
	for name, c := range map[string]struct {
		body map[string]any
		code string
	}{
		"no reason": {map[string]any{"kind": "all"}, "note_required"}, "unpaid": {map[string]any{"kind": "all", "reason": "停诊"}, "nothing_paid"},
	} {
		if res := a.Call("POST", "/api/hospay/payments/"+id+"/refund", finance, c.body); res.Code() != c.code {
			t.Errorf("%s: %d %s", name, res.Status, res.Raw)
		}
	}
	o := p.payable(id)
	p.pays(o)
	p.until(id, payment.StatusDone)
	for name, body := range map[string]map[string]any{"too much": {"kind": "cash", "cash": 12001}, "below zero": {"kind": "cash", "cash": -1},
		"nothing insured": {"kind": "insurance"}, "no kind": {"kind": "some"}, "a part of all": {"kind": "all", "cash": 1}} {
		body["reason"] = "停诊"
		if res := a.Call("POST", "/api/hospay/payments/"+id+"/refund", finance, body); res.Status < 400 || res.Status > 409 || res.Code() == "" {
			t.Errorf("%s: %d %s", name, res.Status, res.Raw)
		}
	}
}

// TestPaymentAPI_Strangers: another patient and the staff of another institution
// find nothing on any route, and nobody without a role acts.
func TestPaymentAPI_Strangers(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newAPIPayer(t, a, "P0001", "wechat")
	bill := p.bill(payment.KindOutpatient, 12000)
	p.shownBill(bill)
	id := p.creates(p.wish(bill, false, ""))
	p.payable(id)
	other := newAPIPayer(t, a, "P0003", "wechat")
	card := map[string]any{"card_no": p.card(), "area": "440100", "benefit": "x", "bill_no": bill}
	for _, c := range []struct {
		route string
		body  any
		want  int
	}{
		{"GET /api/hospay/payments/" + id, nil, 404}, {"POST /api/hospay/payments/" + id + "/check", nil, 404},
		{"POST /api/hospay/payments/" + id + "/cancel", nil, 404},
		{"POST /api/hospay/payments/" + id + "/authorise", map[string]any{"channel": "wechat", "code": "x"}, 404},
		{"GET /api/collections/payment_orders/records/" + id, nil, 404},
		{"GET /api/hospay/bills?card_no=" + p.card(), nil, 400}, {"POST /api/hospay/slots/D01-A1/lock", card, 400},
		{"POST /api/hospay/insurance/enrolment", card, 400}, {"POST /api/hospay/insurance/identity", card, 400},
		{"POST " + records, map[string]any{"bill_no": bill, "card_no": p.card(), "channel": "wechat", "terminal": "h5"}, 400},
		{"GET /api/hospay/payments", nil, 403}, {"GET /api/hospay/payments/" + id + "/facts", nil, 403},
		{"POST /api/hospay/payments/" + id + "/refund", map[string]any{"kind": "all", "reason": "停诊"}, 403},
	} {
		method, path, _ := strings.Cut(c.route, " ")
		if res := a.Call(method, path, other.token, c.body); res.Status != c.want || c.want == 400 && res.Code() != "card_not_yours" {
			t.Errorf("another patient, %s: %d %s", c.route, res.Status, res.Raw)
		}
	}
	finance := a.Staff("finance")
	house := must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "finance@demo.hospay"))
	db := a.Runtime.App.NonconcurrentDB()
	if _, err := db.NewQuery("INSERT INTO institutions (id, code, name) VALUES ('planted00000000', 'second', '二院')").Execute(); err != nil {
		t.Fatal(err)
	}
	house.Set("institution", "planted00000000")
	if err := a.Runtime.App.Save(house); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"GET facts", "POST refund", "POST query", "POST write", "POST propose", "POST confirm", "POST withdraw"} {
		method, what, _ := strings.Cut(verb, " ")
		res := a.Call(method, "/api/hospay/payments/"+id+"/"+what, finance, map[string]any{"kind": "all", "reason": "停诊"})
		if method == "GET" {
			res = a.Call(method, "/api/hospay/payments/"+id+"/"+what, finance, nil)
		}
		wantRefusal(t, "another institution, "+what, res, 404, "not_found")
	}
	if got := listed(t, a, finance, ""); len(got) != 0 {
		t.Errorf("another institution lists %v", got)
	}
}

// TestPaymentAPI_RefundOfOnesOwn: nobody of the staff gives back what they paid
// themselves.
func TestPaymentAPI_RefundOfOnesOwn(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newAPIPayer(t, a, "P0001", "wechat")
	o := p.ticketToDone(p.bill(payment.KindOutpatient, 3300), false)
	patient := must(a.Runtime.App.FindRecordById(collections.Patients, p.id))
	if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE staff SET person_index = '" + patient.GetString("id_index") +
		"' WHERE email = 'finance@demo.hospay'").Execute(); err != nil {
		t.Fatal(err)
	}
	res := a.Call("POST", "/api/hospay/payments/"+o.ID+"/refund", a.Staff("finance"), map[string]any{"kind": "all", "reason": "停诊"})
	wantRefusal(t, "one's own", res, 403, "self_review")
}
