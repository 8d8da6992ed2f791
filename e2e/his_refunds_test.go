package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/collections"
	hook "hospay/hooks/his"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/people"
	"hospay/sim/his"

	"github.com/pocketbase/pocketbase/core"
)

// vendor is the HIS that asks hospay, in either form.
type vendor struct {
	*his.Vendor
	t     *testing.T
	a     *testapp.App
	sm    bool
	asked int
}

func newVendor(t *testing.T, a *testapp.App) *vendor {
	return &vendor{Vendor: his.NewVendor(a.URL, demo.InstitutionCode), t: t, a: a}
}

// ops are the calls of the plain form as the SM form names them.
var ops = map[string]string{"POST /refunds": "refund_apply", "POST /refunds/sync": "refund_sync", "GET /refunds/": "refund_query"}

// ask sends a call and reads its answer into out; code is empty where it was
// carried out.
func (v *vendor) ask(method, path string, body, out any) (status int, code string) {
	v.t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		v.t.Fatal(err)
	}
	if v.sm {
		return v.askSM(method, path, content, out)
	}
	if body == nil {
		content = nil
	}
	status, answer, signed, err := v.Plain(v.t.Context(), method, "/api/hospay/his"+path, content)
	if err != nil || !signed {
		v.t.Errorf("%s %s: %d %s, signed %v, %v", method, path, status, answer, signed, err)
	}
	if status != http.StatusOK {
		return status, codeOf(v.t, answer)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		v.t.Errorf("%s: %v", answer, err)
	}
	return status, ""
}

func (v *vendor) askSM(method, path string, content []byte, out any) (int, string) {
	v.t.Helper()
	op := ops[method+" "+path]
	if no, ok := strings.CutPrefix(path, "/refunds/"); ok && method == http.MethodGet {
		v.asked++ // the form has no number: equal content within a second is one request
		op, content = "refund_query", []byte(fmt.Sprintf(`{"refund_trade_no":%q,"asked":%d}`, no, v.asked))
	}
	e, err := v.Envelope(content)
	if err != nil {
		v.t.Fatal(err)
	}
	code, node, answer, err := v.SM(v.t.Context(), op, e)
	if err != nil {
		v.t.Fatal(err)
	}
	if code != "200" {
		_, said, _ := strings.Cut(node, ".")
		return 0, said
	}
	if err := json.Unmarshal(answer, out); err != nil {
		v.t.Errorf("%s: %v", answer, err)
	}
	return http.StatusOK, ""
}

// wish is a refund of a payment, with changes.
func (v *vendor) wish(o payment.Order, id string, si, acc, cash int64) map[string]any {
	return map[string]any{"trade_no": o.TradeNo, "his_refund_id": id, "his_refund_time": v.a.Now().Unix(), "amount_si": si, "amount_acc": acc,
		"amount_cash": cash}
}

func (v *vendor) refund(wish map[string]any) (f hook.RefundFacts, status int, code string) {
	v.t.Helper()
	status, code = v.ask("POST", "/refunds", wish, &f)
	return f, status, code
}

func (v *vendor) wantNo(wish map[string]any, status int, code string) {
	v.t.Helper()
	if _, s, c := v.refund(wish); c != code || !v.sm && s != status {
		v.t.Errorf("%v: %d %s, want %d %s", wish, s, c, status, code)
	}
}

func (v *vendor) facts(no string) (f hook.RefundFacts) {
	v.t.Helper()
	if status, code := v.ask("GET", "/refunds/"+no, nil, &f); code != "" {
		v.t.Errorf("%s: %d %s", no, status, code)
	}
	return f
}

// paid is a bill that was paid to its end.
func (p *payer) paid(fen int64, insured bool) payment.Order {
	p.Helper()
	bill := p.bill(payment.KindOutpatient, fen)
	if insured {
		p.identified(bill)
		p.authorised()
	}
	o := p.until(p.create(bill, insured), payment.StatusPaying)
	p.pays(o)
	return p.until(o.ID, payment.StatusDone)
}

// until lets time pass and the worker work until a refund has a state.
func (v *vendor) until(no, state string) hook.RefundFacts {
	v.t.Helper()
	var f hook.RefundFacts
	for range 40 {
		v.a.Drain()
		if f = v.facts(no); f.Status == state {
			return f
		}
		v.a.Advance(7 * time.Second)
	}
	v.t.Fatalf("%s is %+v, not %s", no, f, state)
	return f
}

// TestHISDoor_RefundsCashOnce: one number of HIS is one refund, however often and
// at once it comes; other amounts under it, too much, and what is not there are
// refused in words.
func TestHISDoor_RefundsCashOnce(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	for no, channel := range map[string]string{"P0001": "wechat", "P0002": "alipay"} {
		p, v := newPayer(t, a, no, channel), newVendor(t, a)
		o := p.paid(12000, false)
		id := "TF-" + channel
		var wg sync.WaitGroup
		numbers := make([]string, 6)
		for i := range numbers {
			wg.Go(func() {
				f, status, code := v.refund(v.wish(o, id, 0, 0, 5000))
				if numbers[i] = f.RefundTradeNo; status != 200 || f.HISRefundID != id || f.TradeNo != o.No {
					t.Errorf("%d %s %+v", status, code, f)
				}
			})
		}
		wg.Wait()
		for _, other := range numbers {
			if other != numbers[0] || other == "" {
				t.Error("two refunds of one wish:", numbers)
			}
		}
		v.wantNo(v.wish(o, "TF-beside", 0, 0, 100), 409, "refund_running")
		f := v.until(id, "done")
		if f != v.facts(numbers[0]) || f.AmountCash != -5000 || f.AmountSI != 0 || f.CashRefundID == "" || f.CashRefundTime == 0 ||
			f.HISRefundTime == 0 || f.RefundTradeTime == 0 {
			t.Errorf("%+v", f)
		}
		if again, _, code := v.refund(v.wish(o, id, 0, 0, 5000)); again != f {
			t.Errorf("the same later: %s %+v", code, again)
		}
		v.wantNo(v.wish(o, id, 0, 0, 5001), 409, "refund_id_taken")
		v.wantNo(v.wish(o, id, 1, 0, 5000), 409, "refund_id_taken")
		v.wantNo(v.wish(p.paid(300, false), id, 0, 0, 300), 409, "refund_id_taken")
		v.wantNo(v.wish(o, "TF-much", 0, 0, 7001), 400, "over_paid")
		v.wantNo(v.wish(o, "TF-insured", 5, 0, 100), 409, "nothing_to_refund")
		none := v.wish(o, "TF-none", 0, 0, 100)
		none["trade_no"] = "P261128NOBODY00C01"
		v.wantNo(none, 404, "trade_unknown")
		v.wantNo(v.wish(o, "TF 1", 0, 0, 100), 400, "his_refund_id_invalid")
		if _, code := v.ask("GET", "/refunds/none", nil, &f); code != "refund_unknown" {
			t.Error("no such refund:", code)
		}
		rest := v.wish(o, "TF-rest-"+channel, 0, 0, 7000)
		rest["trade_no"] = o.No // either number
		if _, _, code := v.refund(rest); code != "" {
			t.Error(code)
		}
		o = p.until(o.ID, payment.StatusRefunded)
		if cash, _, _ := p.books(o); cash != 0 {
			t.Errorf("%s keeps %d", channel, cash)
		}
		v.wantNo(v.wish(o, "TF-after", 0, 0, 1), 409, "nothing_to_refund")
	}
}

// TestHISDoor_OnlyItsOwn: another institution's payment is as unknown as one that
// never was, and so are its refunds and its bill.
func TestHISDoor_OnlyItsOwn(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, v := newPayer(t, a, "P0001", "wechat"), newVendor(t, a)
	o := p.paid(12000, false)
	if _, _, code := v.refund(v.wish(o, "TF1", 0, 0, 100)); code != "" {
		t.Fatal(code)
	}
	v.until("TF1", "done")
	c, err := a.Runtime.App.FindCollectionByNameOrId(collections.Institutions)
	if err != nil {
		t.Fatal(err)
	}
	other := core.NewRecord(c)
	other.Load(map[string]any{"code": "second", "name": "二院", "active": true, "secrets_input": `{"his_key":"` + his.VendorKey + `"}`})
	if err := a.Runtime.App.Save(other); err != nil {
		t.Fatal(err)
	}
	a.Store.Forget()
	w := newVendor(t, a)
	w.Institution = "second"
	w.wantNo(w.wish(o, "TF2", 0, 0, 100), 404, "trade_unknown")
	var f hook.RefundFacts
	if _, code := w.ask("GET", "/refunds/TF1", nil, &f); code != "refund_unknown" {
		t.Error(code, f)
	}
	var page hook.BillPage
	if _, code := w.ask("GET", "/bills?date="+calendar.Day(a.Now()), nil, &page); code != "" || page.Total != 0 || page.List == nil {
		t.Error(code, page)
	}
}

// TestHISDoor_InsuredRefund: an insurance part that HIS asks for waits for the
// patient; a part of it, or another amount, is refused in words. In both forms.
func TestHISDoor_InsuredRefund(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	for no, sm := range map[string]bool{"P0001": false, "P0002": true} {
		p, v := newPayer(t, a, no, "wechat"), newVendor(t, a)
		v.sm = sm
		o := p.paid(12000, true)
		si, acc, cash := int64(o.Fund), int64(o.Account), int64(o.CashDue())
		if si+acc <= 1 || cash <= 1 {
			t.Fatalf("%+v", o.Split)
		}
		v.wantNo(v.wish(o, "TF-"+no+"-part", si-1, acc, 0), 400, "insurance_whole")
		v.wantNo(v.wish(o, "TF-"+no+"-some", si, acc, cash-1), 409, "refund_part_not_taken")
		f, _, code := v.refund(v.wish(o, "TF-"+no, si, acc, cash))
		if code != "" || f.Status != "processing" || f.AmountCash != 0 {
			t.Fatal(code, f)
		}
		f = v.until(f.RefundTradeNo, "wait_auth")
		if err := a.Runtime.Bills.Authorise(t.Context(), o.ID, p.authorised(), people.By{Kind: people.ByPatient, ID: p.id}); err != nil {
			t.Fatal(err)
		}
		f = v.until(f.RefundTradeNo, "done")
		if int64(f.AmountSI) != -si || int64(f.AmountAcc) != -acc || int64(f.AmountCash) != -cash || f.SIRefundID == "" ||
			f.SIRefundTime == 0 || f.CashRefundID == "" {
			t.Errorf("%+v", f)
		}
		v.wantNo(v.wish(o, "TF-"+no, acc, si, cash), 409, "refund_id_taken")
		if cash, insurance, _ := p.books(o); cash != 0 || insurance != 0 {
			t.Errorf("channel keeps %d, centre %d", cash, insurance)
		}
	}
}

// TestHISDoor_BooksWhatHISRefundedItself: the centre proves the insurance's part;
// what HIS has given back cannot go back a second time.
func TestHISDoor_BooksWhatHISRefundedItself(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, v := newPayer(t, a, "P0001", "wechat"), newVendor(t, a)
	o := p.paid(12000, true)
	cash := int64(o.CashDue())
	done := v.wish(o, "CK1", int64(o.Fund), int64(o.Account), cash-100)
	for k, value := range map[string]any{"si_refund_id": "SI1", "si_refund_time": a.Now().Unix(), "cash_refund_id": "WIN1",
		"cash_refund_time": a.Now().Unix()} {
		done[k] = value
	}
	var f hook.RefundFacts
	if status, code := v.ask("POST", "/refunds/sync", done, &f); status != 409 || code != "refund_unproved" {
		t.Error("the centre does not show it:", status, code)
	}
	p.until(o.ID, payment.StatusDone)
	if err := a.Sims.Centre.Reverse(o.MedOrgOrd); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the same twice is one
		if _, code := v.ask("POST", "/refunds/sync", done, &f); code != "" {
			t.Fatal(code)
		}
		f = v.until("CK1", "done")
		if int64(f.AmountSI) != -int64(o.Fund) || int64(f.AmountCash) != 100-cash || f.SIRefundID != "SI1" || f.CashRefundID != "WIN1" {
			t.Errorf("%+v", f)
		}
	}
	o = p.until(o.ID, payment.StatusPartRefunded)
	if kept, _, _ := p.books(o); kept != cash { // nothing moved at the channel
		t.Errorf("the channel keeps %d of %d", kept, cash)
	}
	done["amount_cash"] = cash
	if _, code := v.ask("POST", "/refunds/sync", done, &f); code != "refund_id_taken" {
		t.Error(code)
	}
	v.wantNo(v.wish(o, "CK1", int64(o.Fund), int64(o.Account), cash-100), 409, "refund_id_taken") // told of is not asked for
	v.wantNo(v.wish(o, "TF1", 0, 0, 101), 400, "over_paid")
	if _, _, code := v.refund(v.wish(o, "TF2", 0, 0, 100)); code != "" {
		t.Error("what is left:", code)
	}
	v.until("TF2", "done")
	p.until(o.ID, payment.StatusRefunded)
}

// TestHISDoor_BillOfADay: what a day's bill tells adds up to what moved at channel
// and centre on it, page by page and channel by channel.
func TestHISDoor_BillOfADay(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	a.Advance(25 * time.Hour) // a day of its own
	for in := a.Now().In(calendar.Beijing); in.Hour() < 8 || in.Hour() > 12; in = a.Now().In(calendar.Beijing) {
		a.Advance(time.Hour)
	}
	day, v := calendar.Day(a.Now()), newVendor(t, a)
	w, z := newPayer(t, a, "P0001", "wechat"), newPayer(t, a, "P0002", "alipay")
	orders := map[*payer][]payment.Order{w: {w.paid(12000, true), w.paid(3100, false)}, z: {z.paid(9900, true), z.paid(777, false)}}
	for _, wish := range []map[string]any{v.wish(orders[w][1], "TF1", 0, 0, 1100), v.wish(orders[z][1], "TF2", 0, 0, 777)} {
		if _, _, code := v.refund(wish); code != "" {
			t.Fatal(code)
		}
		v.until(fmt.Sprint(wish["his_refund_id"]), "done")
	}
	bill := func(query string) (page hook.BillPage) {
		t.Helper()
		if status, code := v.ask("GET", "/bills?date="+day+query, nil, &page); code != "" {
			t.Fatal(status, code)
		}
		return page
	}
	for name, who := range map[string][]*payer{"&channel=wechat": {w}, "&channel=alipay": {z}, "": {w, z}} {
		var cash, insured, other, total int64
		page := bill(name)
		for _, r := range page.List {
			cash, insured, other, total = cash+int64(r.AmountCash), insured+int64(r.AmountSI+r.AmountAcc), other+int64(r.AmountOther),
				total+int64(r.Amount)
			if r.Amount < 0 != (r.HISRefundID != "") || r.Amount > 0 && (r.ReconciliationNo == "" || r.TimeTrade == 0) || r.TimePayed == 0 {
				t.Errorf("%+v", r)
			}
		}
		var wantCash, wantInsured, rows int64
		for _, p := range who {
			for _, o := range orders[p] {
				c, i, _ := p.books(o)
				wantCash, wantInsured = wantCash+c, wantInsured+i
			}
			rows += 3
		}
		if cash != wantCash || insured != wantInsured || total != cash+insured+other || int64(page.Total) != rows ||
			page.Length != len(page.List) {
			t.Errorf("%q: cash %d of %d, insurance %d of %d, %d rows of %d: %+v", name, cash, wantCash, insured, wantInsured, page.Total, rows,
				page.List)
		}
	}
	all := bill("")
	var paged []hook.BillRow
	for offset := 0; offset < all.Total; offset += 4 {
		paged = append(paged, bill(fmt.Sprintf("&offset=%d&length=4", offset)).List...)
	}
	if fmt.Sprint(paged) != fmt.Sprint(all.List) {
		t.Errorf("page by page: %v\nat once: %v", paged, all.List)
	}
	if page := bill(fmt.Sprintf("&offset=%d", all.Total)); len(page.List) != 0 {
		t.Errorf("beyond the end: %+v", page)
	}
	for query, code := range map[string]string{"": "day_invalid", "?date=20261128": "day_invalid",
		"?date=" + day + "&channel=cash": "channel_invalid",
		"?date=" + day + "&length=1001":  "page_invalid", "?date=" + day + "&offset=x": "page_invalid"} {
		var page hook.BillPage
		if status, got := v.ask("GET", "/bills"+query, nil, &page); status != 400 || got != code {
			t.Errorf("%q: %d %s", query, status, got)
		}
	}
	if page := (hook.BillPage{}); true {
		if _, code := v.ask("GET", "/bills?date="+calendar.Shift(day, -1), nil, &page); code != "" || page.Total != 0 {
			t.Error("another day:", code, page.Total)
		}
	}
}
