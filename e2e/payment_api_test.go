package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"hospay/lab/testapp"
	"hospay/money"
	"hospay/payment"
	"hospay/sim/world"

	"github.com/pocketbase/pocketbase/core"
)

// apiPayer is a patient who does everything through the routes.
type apiPayer struct {
	*payer
	token string
}

func newAPIPayer(t *testing.T, a *testapp.App, no, channel string) *apiPayer {
	t.Helper()
	p := a.Login(no, channel)
	return &apiPayer{&payer{T: t, a: a, who: a.Sims.World.Find(no), id: p.ID, channel: channel}, p.Token}
}

// call asks and wants an answer.
func (p *apiPayer) call(method, path string, body any) testapp.Answer {
	p.Helper()
	res := p.a.Call(method, path, p.token, body)
	if res.Status != 200 {
		p.Fatalf("%s %s: %d %s", method, path, res.Status, res.Raw)
	}
	return res
}

func list(v any) []map[string]any {
	var out []map[string]any
	rows, _ := v.([]any)
	for _, r := range rows {
		m, _ := r.(map[string]any)
		out = append(out, m)
	}
	return out
}

// shownBill is a bill as the patient reads it.
func (p *apiPayer) shownBill(no string) map[string]any {
	p.Helper()
	for _, b := range list(p.call("GET", "/api/hospay/bills?card_no="+p.card(), nil).Body["bills"]) {
		if b["bill_no"] == no {
			return b
		}
	}
	p.Fatalf("bill %s is not shown", no)
	return nil
}

// chosen goes from the list of areas to the choice that HIS has taken, and returns
// the benefit.
func (p *apiPayer) chosen(bill, area string) string {
	p.Helper()
	areas := list(p.call("GET", "/api/hospay/insurance/areas", nil).Body["areas"])
	if len(areas) == 0 || areas[0]["own"] != true || areas[0]["code"] != "440100" || areas[0]["name"] == "" {
		p.Fatal(areas)
	}
	e := p.call("POST", "/api/hospay/insurance/enrolment", map[string]any{"card_no": p.card(), "area": area})
	benefits := list(e.Body["benefits"])
	if e.Body["enrolled"] != true || len(benefits) == 0 || benefits[0]["insutype_name"] == "" {
		p.Fatalf("%s", e.Raw)
	}
	benefit := fmt.Sprint(benefits[0]["id"])
	saved := p.call("POST", "/api/hospay/insurance/identity", map[string]any{"card_no": p.card(), "area": area, "benefit": benefit,
		"bill_no": bill})
	if saved.Body["saved"] != true {
		p.Fatalf("%s", saved.Raw)
	}
	return benefit
}

// authPage goes through the channel's page as a patient does and returns the code
// of it; empty where the channel needs none. By is whose credential pays there.
func (p *apiPayer) authPage(by string) string {
	p.Helper()
	return p.authPageFor(by, "")
}

// authPageFor is authPage for a relative.
func (p *apiPayer) authPageFor(by, relative string) string {
	p.Helper()
	way := p.call("GET", "/api/hospay/insurance/authorisation?channel="+p.channel+"&terminal=h5&back="+
		url.QueryEscape("http://hospital.example/back"), nil)
	page := way.Text("url")
	if way.Body["authorised"] == true || page == "" {
		p.Fatalf("authorised before: %s", way.Raw)
	}
	if strings.Contains(page, "/oauth/code") {
		page += "&patient=" + by
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.PostForm(page, url.Values{"for": {relative}})
	if err != nil {
		p.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	res.Body.Close()
	to, err := res.Location()
	if err != nil {
		p.Fatalf("%v: %d %s", err, res.StatusCode, text)
	}
	return to.Query().Get("authCode")
}

// credentialed authorises for the next order.
func (p *apiPayer) credentialed() {
	p.Helper()
	if way := p.call("GET", "/api/hospay/insurance/authorisation?channel="+p.channel, nil); way.Body["authorised"] == true {
		return // the consent at Alipay still stands
	}
	code := p.authPage(p.who.Code)
	got := p.call("POST", "/api/hospay/insurance/authorisation", map[string]any{"channel": p.channel, "code": code})
	who, _ := got.Body["payer"].(map[string]any)
	if got.Body["authorised"] != true || got.Text("until") == "" || who["self"] != true || !strings.Contains(fmt.Sprint(who["name"]), "*") {
		p.Fatalf("%s", got.Raw)
	}
	if again := p.call("GET", "/api/hospay/insurance/authorisation?channel="+p.channel, nil); again.Body["authorised"] != true {
		p.Fatalf("%s", again.Raw)
	}
}

func (p *apiPayer) wish(bill string, insured bool, benefit string) map[string]any {
	w := map[string]any{"id": core.GenerateDefaultRandomId(), "bill_no": bill, "card_no": p.card(), "channel": p.channel, "terminal": "mini",
		"insured": insured}
	if insured {
		w["area"], w["benefit"] = "440100", benefit
	}
	return w
}

func (p *apiPayer) creates(wish map[string]any) string {
	p.Helper()
	res := p.call("POST", "/api/collections/payment_orders/records", wish)
	if res.Text("id") != wish["id"] || res.Text("status") != "created" || res.Text("no") == "" {
		p.Fatalf("%s", res.Raw)
	}
	return res.Text("id")
}

// words is the order as its patient reads it.
func (p *apiPayer) words(id string) testapp.Answer {
	p.Helper()
	return p.call("GET", "/api/hospay/payments/"+id, nil)
}

// payable lets the order become payable, and looks at what the client is given.
func (p *apiPayer) payable(id string) payment.Order {
	p.Helper()
	o := p.until(id, payment.StatusPaying)
	said := p.words(id)
	pay, _ := said.Body["pay"].(map[string]any)
	if pay["form"] == "" || pay["values"] == nil || said.Text("status_text") != "待支付" || said.Text("waits_for") != "pay" ||
		said.Text("next") == "" {
		p.Fatalf("%s", said.Raw)
	}
	return o
}

// agrees compares what the patient reads with the ledgers of all sides, to the fen.
func (p *apiPayer) agrees(o payment.Order) {
	p.Helper()
	said := p.words(o.ID)
	fen := func(field string) int64 { f, _ := said.Body[field].(float64); return int64(f) }
	cash, insurance, written := p.books(o)
	switch {
	case cash != fen("due")-fen("cash_back") || insurance != fen("fund")+fen("account") || written != fen("total"):
		p.Errorf("channel %d, centre %d, HIS %d: %s", cash, insurance, written, said.Raw)
	case fen("total") != fen("fund")+fen("account")+fen("cash")+fen("other"):
		p.Errorf("the parts are not the total: %s", said.Raw)
	case said.Text("receipt_no") == "" || said.Body["pay"] != nil || said.Text("status_text") != "已缴费":
		p.Errorf("%s", said.Raw)
	}
}

// ticketToDone walks one bill from the bills of the card to its end.
func (p *apiPayer) ticketToDone(bill string, insured bool) payment.Order {
	p.Helper()
	p.shownBill(bill)
	benefit := ""
	if insured {
		benefit = p.chosen(bill, "440100")
		p.shownBill(bill)
		p.credentialed()
	}
	wish := p.wish(bill, insured, benefit)
	id := p.creates(wish)
	p.creates(wish) // twice is one
	o := p.payable(id)
	if o.CashDue() > 0 || !insured {
		p.pays(o)
	}
	p.call("POST", "/api/hospay/payments/"+id+"/check", nil)
	o = p.until(id, payment.StatusDone)
	p.agrees(o)
	return o
}

// TestPaymentAPI_TicketToDone: an insured outpatient payment, one without
// insurance, and a registration whose slot was taken online, through the routes
// alone, by WeChat and by Alipay; HIS, centre and channel agree to the fen.
func TestPaymentAPI_TicketToDone(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	for no, channel := range map[string]string{"P0001": "wechat", "P0003": "alipay"} {
		t.Run(channel, func(t *testing.T) {
			p := newAPIPayer(t, a, no, channel)
			o := p.ticketToDone(p.bill(payment.KindOutpatient, 12000), true)
			if o.Fund+o.Account <= 0 || o.CashDue() <= 0 {
				t.Errorf("nothing is split: %+v", o.Split)
			}
			p.ticketToDone(p.bill(payment.KindOutpatient, 3300), false)
			p.ticketToDone(p.registration(), true)
		})
	}
}

// registration takes a slot and returns its bill.
func (p *apiPayer) registration() string {
	p.Helper()
	dept := list(p.call("GET", "/api/hospay/departments", nil).Body["departments"])
	if len(dept) == 0 {
		p.Fatal("no departments")
	}
	day := p.a.Now().AddDate(0, 0, 1).In(time.FixedZone("", 8*3600)).Format(time.DateOnly)
	slots := list(p.call("GET", "/api/hospay/slots?department="+fmt.Sprint(dept[0]["code"])+"&date="+day, nil).Body["slots"])
	if len(slots) == 0 || slots[0]["left"] == 0.0 || slots[0]["amount"] == 0.0 {
		p.Fatal(slots)
	}
	path := "/api/hospay/slots/" + fmt.Sprint(slots[0]["id"]) + "/lock"
	first := p.call("POST", path, map[string]any{"card_no": p.card()})
	if first.Text("kind") != "registration" || first.Text("pay_before") == "" {
		p.Fatalf("%s", first.Raw)
	}
	if again := p.call("POST", path, map[string]any{"card_no": p.card()}); again.Text("bill_no") != first.Text("bill_no") {
		p.Fatalf("a second lock: %s", again.Raw)
	}
	p.call("DELETE", path, map[string]any{"card_no": p.card()})
	p.call("DELETE", path, nil)
	anew := p.call("POST", path, map[string]any{"card_no": p.card()})
	if anew.Text("bill_no") == first.Text("bill_no") || anew.Text("bill_no") == "" {
		p.Fatalf("a slot that was given back is taken again: %s", anew.Raw)
	}
	return anew.Text("bill_no")
}

// split decides what the insurance pays of this person's next bill.
func (p *apiPayer) split(body string) {
	p.Helper()
	res, err := http.Post(p.a.Sims.Centre.URL()+"/_sim/split", "application/json", strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != 200 {
		p.Fatalf("%d %s", res.StatusCode, text)
	}
}

func idOf(who *world.Patient) string { return who.IDNo }

// TestPaymentAPI_AllCashAllInsurance: the insurance that pays nothing, and the one
// that pays all.
func TestPaymentAPI_AllCashAllInsurance(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newAPIPayer(t, a, "P0001", "wechat")
	p.split(fmt.Sprintf(`{"id_no":%q,"fund":0,"account":0}`, idOf(p.who)))
	if o := p.ticketToDone(p.bill(payment.KindOutpatient, 12000), true); o.Cash != o.Total || o.Fund != 0 {
		t.Errorf("%+v", o.Split)
	}
	q := newAPIPayer(t, a, "P0003", "alipay")
	q.split(fmt.Sprintf(`{"id_no":%q,"fund":9000,"account":3000,"family":1000}`, idOf(q.who)))
	o := q.ticketToDoneAllInsured(q.bill(payment.KindOutpatient, 12000))
	if o.Cash != 0 || o.Family != money.Fen(1000) {
		t.Errorf("%+v", o.Split)
	}
}

// ticketToDoneAllInsured is ticketToDone of a bill of which no cash is left.
func (p *apiPayer) ticketToDoneAllInsured(bill string) payment.Order {
	p.Helper()
	p.shownBill(bill)
	benefit := p.chosen(bill, "440100")
	p.credentialed()
	id := p.creates(p.wish(bill, true, benefit))
	o := p.payable(id)
	p.pays(o)
	o = p.until(id, payment.StatusDone)
	p.agrees(o)
	return o
}

// TestPaymentAPI_CancelledAndExpired: nothing is charged, both sides are undone,
// and the bill can be paid again.
func TestPaymentAPI_CancelledAndExpired(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newAPIPayer(t, a, "P0001", "wechat")
	bill := p.bill(payment.KindOutpatient, 12000)
	p.shownBill(bill)
	benefit := p.chosen(bill, "440100")
	p.credentialed()
	id := p.creates(p.wish(bill, true, benefit))
	p.payable(id)
	if b := p.shownBill(bill); b["order"] != id {
		t.Errorf("the bill does not name its order: %v", b)
	}
	wantRefusal(t, "a second order of the bill", a.Call("POST", "/api/collections/payment_orders/records", p.token,
		p.wish(bill, false, "")), 409, "bill_order_exists")
	p.call("POST", "/api/hospay/payments/"+id+"/cancel", nil)
	o := p.until(id, payment.StatusCancelled)
	if cash, insurance, written := p.books(o); cash+insurance+written != 0 {
		t.Fatal(cash, insurance, written)
	}
	if said := p.words(id); said.Text("status_text") != "已取消，没有扣款" || said.Body["pay"] != nil {
		t.Errorf("%s", said.Raw)
	}
	wantRefusal(t, "cancelled twice", a.Call("POST", "/api/hospay/payments/"+id+"/cancel", p.token, nil), 409, "conflict")
	again := p.creates(p.wish(bill, false, ""))
	p.payable(again)
	a.Advance(31 * time.Minute)
	o = p.until(again, payment.StatusExpired)
	if said := p.words(again); said.Text("reason_code") != "order_expired" || !strings.Contains(said.Text("next"), "没有扣款") {
		t.Errorf("%s", said.Raw)
	}
	if cash, insurance, written := p.books(o); cash+insurance+written != 0 {
		t.Fatal(cash, insurance, written)
	}
	p.ticketToDone(bill, false)
	wantRefusal(t, "a paid bill", a.Call("POST", "/api/collections/payment_orders/records", p.token, p.wish(bill, false, "")), 409,
		"bill_paid")
}
