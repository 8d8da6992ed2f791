package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/sim"
)

// facts is what staff read of a payment.
func (p *apiPayer) facts(id, token string) testapp.Answer {
	p.Helper()
	res := p.a.Call("GET", "/api/hospay/payments/"+id+"/facts", token, nil)
	if res.Status != 200 {
		p.Fatalf("%d %s", res.Status, res.Raw)
	}
	return res
}

// verb is what the facts say of a verb: whether it is safe, and by which code not.
func verb(facts testapp.Answer, name string) (safe bool, code, why string) {
	for _, v := range list(facts.Body["verbs"]) {
		if v["verb"] == name {
			return v["safe"] == true, fmt.Sprint(v["code"]), fmt.Sprint(v["why"])
		}
	}
	return false, "no such verb", ""
}

// authorisedAnew lets the patient authorise a refund that waits for it.
func (p *apiPayer) authorisedAnew(id string) {
	p.Helper()
	if said := p.words(id); said.Text("status") != "refund_wait_auth" || said.Text("waits_for") != "authorise" {
		p.Fatalf("%s", said.Raw)
	}
	way := p.call("GET", "/api/hospay/insurance/authorisation?channel="+p.channel, nil)
	if way.Body["authorised"] == true { // the consent still stands at Alipay; the refund that waits goes on by itself
		return
	}
	code := p.authPage(p.who.Code)
	p.call("POST", "/api/hospay/payments/"+id+"/authorise", map[string]any{"channel": p.channel, "code": code})
}

// TestPaymentAPI_RefundsOfThreeKinds: cash in part, the insurance's part, the rest
// of the cash; and all at once; the patient authorises where the insurance wants
// it, and the ledgers of channel and centre end at nothing.
func TestPaymentAPI_RefundsOfThreeKinds(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance, cashier := a.Staff("finance"), a.Staff("cashier")
	for no, channel := range map[string]string{"P0001": "wechat", "P0003": "alipay"} {
		t.Run(channel, func(t *testing.T) {
			p := newAPIPayer(t, a, no, channel)
			o := p.ticketToDone(p.bill(payment.KindOutpatient, 12000), true)
			refund := func(token string, body map[string]any) {
				t.Helper()
				body["reason"] = "医生取消了检查"
				if res := a.Call("POST", "/api/hospay/payments/"+o.ID+"/refund", token, body); res.Status != 200 ||
					res.Text("status") != "refunding" {
					t.Fatalf("%v: %d %s", body, res.Status, res.Raw)
				}
			}
			refund(cashier, map[string]any{"kind": "cash", "cash": 100})
			wantRefusal(t, "two at once", a.Call("POST", "/api/hospay/payments/"+o.ID+"/refund", finance,
				map[string]any{"kind": "all", "reason": "重复"}), 409, "refund_running")
			o = p.until(o.ID, payment.StatusPartRefunded)
			if cash, insurance, _ := p.books(o); cash != int64(o.CashDue())-100 || insurance != int64(o.Fund+o.Account) {
				t.Fatal(cash, insurance)
			}
			refund(finance, map[string]any{"kind": "insurance"})
			p.until(o.ID, payment.StatusWaitAuth)
			p.authorisedAnew(o.ID)
			o = p.until(o.ID, payment.StatusPartRefunded)
			refund(finance, map[string]any{"kind": "cash"})
			o = p.until(o.ID, payment.StatusRefunded)
			p.gone(o, finance, 3)

			o = p.ticketToDone(p.bill(payment.KindOutpatient, 7700), true)
			refund(finance, map[string]any{"kind": "all"})
			p.until(o.ID, payment.StatusWaitAuth)
			p.authorisedAnew(o.ID)
			o = p.until(o.ID, payment.StatusRefunded)
			p.gone(o, finance, 1)
		})
	}
	var acts []string
	if err := a.Runtime.App.ConcurrentDB().Select("action").From(collections.AuditLog).Column(&acts); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(strings.Join(acts, " "), payment.EventRefundAsked); n != 8 {
		t.Errorf("%d refunds are in the audit log", n)
	}
}

// gone looks at a payment of which nothing is here any more.
func (p *apiPayer) gone(o payment.Order, finance string, refunds int) {
	p.Helper()
	if cash, insurance, _ := p.books(o); cash != 0 || insurance != 0 || o.Secrets != (payment.Secrets{}) {
		p.Errorf("channel keeps %d, centre %d", cash, insurance)
	}
	said, facts := p.words(o.ID), p.facts(o.ID, finance)
	if said.Text("status_text") != "已全部退费" || len(list(facts.Body["refunds"])) != refunds {
		p.Errorf("%s\n%s", said.Raw, facts.Raw)
	}
	if safe, code, why := verb(facts, "refund_all"); safe || code != "nothing_to_refund" || why == "" {
		p.Errorf("%v %s %s", safe, code, why)
	}
}

// TestPaymentAPI_Facts: every number that was sent, the amounts of 6202 beside
// those of 6301, what may be done now and why the rest may not; no secrets.
func TestPaymentAPI_Facts(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, finance := newAPIPayer(t, a, "P0001", "wechat"), a.Staff("finance")
	bill := p.bill(payment.KindOutpatient, 12000)
	p.shownBill(bill)
	benefit := p.chosen(bill, "440100")
	p.credentialed()
	id := p.creates(p.wish(bill, true, benefit))
	o := p.payable(id)
	open := p.facts(id, finance)
	centre, _ := open.Body["centre"].(map[string]any)
	if centre["text"] != "预结算完成" || centre["error"] != "" {
		t.Errorf("%s", open.Raw)
	}
	for _, row := range []struct{ verb, code string }{{"query", ""}, {"write", "no_write"}, {"refund_all", "nothing_paid"}} {
		safe, code, why := verb(open, row.verb)
		if safe != (row.code == "") || code != row.code || (why == "") != safe || strings.Contains(why, "error.") {
			t.Errorf("%s: %v %q %q", row.verb, safe, code, why)
		}
	}
	p.pays(o)
	o = p.until(id, payment.StatusDone)
	done := p.facts(id, finance)
	centre, _ = done.Body["centre"].(map[string]any)
	if split, _ := centre["split"].(map[string]any); centre["state"] != "6" || split["fund"] != float64(o.Fund) || centre["agrees"] != true {
		t.Errorf("%s", done.Raw)
	}
	kinds := map[string]bool{}
	for _, c := range list(done.Body["calls"]) {
		kinds[fmt.Sprint(c["kind"])] = c["state"] == "done" && c["text"] != "" && c["no"] != ""
	}
	for _, k := range []string{"upload", "price", "trade", "mixed", "charge"} {
		if !kinds[k] {
			t.Errorf("no %s among %v", k, kinds)
		}
	}
	for _, row := range []struct{ verb, code string }{{"query", "at_rest"}, {"write", "no_write"}, {"refund_all", ""},
		{"refund_insurance", ""}, {"refund_cash", ""}} {
		if safe, code, _ := verb(done, row.verb); safe != (row.code == "") || code != row.code {
			t.Errorf("%s: %v %q", row.verb, safe, code)
		}
	}
	for _, secret := range []string{p.who.Name, p.who.IDNo, p.who.Openid, "AUTH4401"} {
		for _, res := range []testapp.Answer{open, done, p.words(id)} {
			if strings.Contains(string(res.Raw), secret) {
				t.Errorf("%s is told: %s", secret, res.Raw)
			}
		}
	}
}

// listed are the numbers of the payments that staff find.
func listed(t *testing.T, a *testapp.App, token, query string) (out []string) {
	t.Helper()
	res := a.Call("GET", "/api/hospay/payments?"+query, token, nil)
	if res.Status != 200 {
		t.Fatalf("%s: %d %s", query, res.Status, res.Raw)
	}
	items := list(res.Body["items"])
	if count, _ := res.Body["count"].(float64); !strings.Contains(query, "page=") && int(count) != len(items) {
		t.Errorf("%s: %v of %d", query, count, len(items))
	}
	for _, i := range items {
		out = append(out, fmt.Sprint(i["no"]))
	}
	return out
}

// TestPaymentAPI_StaffList: by day, channel, scene, state, what HIS knows, and any
// number of any side; what needs people comes first.
func TestPaymentAPI_StaffList(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	token := a.Staff("auditor")
	p, q := newAPIPayer(t, a, "P0001", "wechat"), newAPIPayer(t, a, "P0003", "alipay")
	insured := p.ticketToDone(p.bill(payment.KindOutpatient, 12000), true)
	slot := q.ticketToDone(q.registration(), false)
	bill := q.bill(payment.KindOutpatient, 3300)
	q.shownBill(bill)
	waits := q.payable(q.creates(q.wish(bill, false, "")))
	day := a.Now().In(time.FixedZone("", 8*3600))
	all := waits.No + " " + slot.No + " " + insured.No
	for query, want := range map[string]string{
		"": all, "channel=wechat": insured.No, "scene=registration": slot.No, "kind=outpatient": waits.No + " " + insured.No,
		"status=done": slot.No + " " + insured.No, "state=paying,opening": waits.No, "his=written": slot.No + " " + insured.No,
		"his_state=none": waits.No, "insured=yes": insured.No, "card_no=" + q.card(): waits.No + " " + slot.No,
		"day=" + day.Format(time.DateOnly) + "&channel=wechat": insured.No, "day=" + day.AddDate(0, 0, -1).Format(time.DateOnly): "",
		"from=" + day.AddDate(0, 0, -9).Format(time.DateOnly): all,
		"no=" + insured.No: insured.No, "no=" + insured.PayOrdID: insured.No, "no=" + insured.MedOrgOrd: insured.No,
		"no=" + insured.TradeNo: insured.No, "no=" + insured.Settlement.SetlID: insured.No, "no=" + insured.ReceiptNo: insured.No,
		"no=" + insured.ChannelNo: insured.No, "no=" + slot.BillNo: slot.No, "no=none": "", "page=2&per_page=2": insured.No,
		"page=9&per_page=2": "",
	} {
		if got := strings.Join(listed(t, a, token, query), " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for _, query := range []string{"day=yesterday", "status=lost", "channel=bank", "his=maybe", "page=0", "per_page=501", "scene=ward",
		"no=" + strings.Repeat("9", 65)} {
		wantRefusal(t, query, a.Call("GET", "/api/hospay/payments?"+query, token, nil), 400, "bad_request")
	}
	hisSilent(t, a)
	q.pays(waits)
	q.onDesk(waits.ID)
	if got := strings.Join(listed(t, a, token, ""), " "); got != all {
		t.Errorf("%q", got)
	}
	old := newAPIPayer(t, a, "P0001", "wechat")
	bill = old.bill(payment.KindOutpatient, 100)
	old.shownBill(bill)
	newest := old.payable(old.creates(old.wish(bill, false, "")))
	if got := strings.Join(listed(t, a, token, ""), " "); got != waits.No+" "+newest.No+" "+slot.No+" "+insured.No {
		t.Errorf("who needs people is not first: %q", got)
	}
	if got := strings.Join(listed(t, a, token, "his=open"), " "); got != waits.No {
		t.Errorf("%q", got)
	}
}

// onDesk waits until an order lies with people.
func (p *payer) onDesk(id string) payment.Order {
	p.Helper()
	for range 60 {
		p.a.Drain()
		if w, _ := p.a.Store.Payments().Get(p.Context(), id); w.Order.Status == payment.StatusSuspense {
			return w.Order
		}
		p.a.Advance(time.Hour)
	}
	p.Fatal("it does not come to the desk")
	return payment.Order{}
}

// hisSilent lets HIS answer nothing about the write-back for ever.
func hisSilent(t *testing.T, a *testapp.App) {
	t.Helper()
	if err := a.Sims.HIS.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "charge", Fault: sim.Error500Before, Times: -1},
		{Match: "trade_check", Fault: sim.Error500Before, Times: -1}}}); err != nil {
		t.Fatal(err)
	}
}
