package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/people"
	"hospay/refund"
	"hospay/sim"
	simhis "hospay/sim/his"
	"hospay/sim/world"
)

// wiretap keeps everything that leaves the program.
type wiretap struct {
	mu   sync.Mutex
	sent []string
}

// RoundTrip implements http.RoundTripper.
func (w *wiretap) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	text := r.Method + " " + r.URL.String() + "\n" + string(body)
	if plain, err := url.QueryUnescape(text); err == nil {
		text += "\n" + plain
	}
	w.mu.Lock()
	w.sent = append(w.sent, text)
	w.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

func (w *wiretap) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.sent
	w.sent = nil
	return out
}

// word is one value of one field of one request.
type word struct {
	request, field, kind string
	value                any
	foreign              bool // it is another patient's
}

// oddMarks are in every odd value, and in nothing else that leaves.
var oddMarks = []string{"oddqx", "987654321987", "9.87654321987e"}

// oddWords are values that no field expects.
var oddWords = map[string]any{
	"script": "<script>oddqx</script>", "quote": `oddqx' OR '1'='1`, "huge": strings.Repeat("oddqx", 20_000),
	"control": "oddqx\x00\r\nX-Odd: 1",
	"turned":  "oddqx\u202e\u200b", "template": "{{oddqx}}", "number": 987654321987, "negative": -987654321987, "fraction": 987654321987.5,
	"list": []string{"oddqx"}, "object": map[string]any{"oddqx": "oddqx"}, "path": "../../oddqx",
}

// foreignWords are what belongs to another patient, and its marks on the wire.
func foreignWords(who *world.Patient, order, proxy, record string) map[string]string {
	return map[string]string{
		"card": who.Cards[0], "deposit": "D" + who.Cards[0][1:] + "01", "patient": who.Code, "name": who.Name, "id": who.IDNo,
		"openid": who.Openid,
		"phone":  who.Phone, "account": who.AlipayLogon, "user": who.AlipayUserID, "order": order, "proxy": proxy, "record": record,
	}
}

// searched are the fields whose purpose is to name somebody else, or that are a
// channel's own to judge: a code is exchanged for whom it belongs to, a principal is
// searched for at HIS (ten times a day), an account is compared with the name at
// Alipay, and a phone is told of the order.
var searched = []string{"principal_name", "principal_id_no", "payee_account", "notify_phone", "code"}

// patientWords are the fields of the routes that patients reach, beside the
// places in their paths and the bodies of the table.
var patientWords = map[string][]string{
	"GET /api/hospay/cards": {"proxy"}, "GET /api/hospay/options": {"card_no", "amount", "prefer", "proxy"},
	"GET /api/hospay/messages": {"page"}, "GET /api/hospay/wechat/signature": {"url"}, "GET /api/hospay/auth/links": {"state", "institution"},
	"POST /api/hospay/auth/wechat": {"code", "institution"}, "POST /api/hospay/auth/alipay": {"code", "institution"},
	"POST /api/hospay/auth/ticket": {"ticket"}, "POST /api/hospay/status": {"no", "id_tail"},
	"POST /api/hospay/auth/register":        {"registration", "name", "id_type", "id_no", "card_no"},
	"POST /api/hospay/staff/auth-with-totp": {"mfaId", "code"},
	"GET /api/hospay/bills":                 {"card_no"}, "GET /api/hospay/slots": {"department", "date"},
	"POST /api/hospay/slots/{id}/lock": {"card_no"}, "DELETE /api/hospay/slots/{id}/lock": {"card_no"},
	"POST /api/hospay/insurance/enrolment":     {"card_no", "area"},
	"POST /api/hospay/insurance/identity":      {"card_no", "area", "benefit", "bill_no", "channel"},
	"GET /api/hospay/insurance/authorisation":  {"channel", "terminal", "back"},
	"POST /api/hospay/insurance/authorisation": {"channel", "code", "terminal", "back"},
	"POST /api/hospay/payments/{id}/authorise": {"channel", "code"},
	"POST /api/hospay/kiosk/enrol":             {"code"},
}

// allWords makes the cases: every field of every collection that a patient
// creates in, and every place and field of every route that lets one in.
func allWords(t *testing.T, a *testapp.App, foreign map[string]string) (out []word) {
	add := func(request, field string, most int) {
		for i, kind := range slices.Sorted(maps.Keys(oddWords)) {
			if i < most {
				out = append(out, word{request, field, kind, oddWords[kind], false})
			}
		}
		for i, kind := range slices.Sorted(maps.Keys(foreign)) {
			if i < most {
				out = append(out, word{request, field, "another's " + kind, foreign[kind], true})
			}
		}
	}
	theirs := map[string][]string{ // the fields that are a patient's to send
		collections.RefundOrders: {"card_no", "deposit_no", "amount", "method", "channel", "payee_name", "payee_account", "notify_phone",
			"notice_version", "group", "proxy_application", "id"},
		collections.ProxyApplications: {"principal_name", "principal_id_no", "card_no", "case", "relation", "consent_version", "id"},
		collections.ProxyMaterials:    {"application", "kind"},
		collections.PaymentOrders:     {"bill_no", "card_no", "channel", "terminal", "insured", "area", "id"},
	}
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		for _, f := range must(a.Runtime.App.FindCollectionByNameOrId(name)).Fields {
			if !slices.Contains(theirs[name], f.GetName()) {
				add("POST /api/collections/"+name+"/records", f.GetName(), 1) // dropped
			}
		}
		for _, field := range theirs[name] {
			add("POST /api/collections/"+name+"/records", field, 100)
		}
	}
	for _, row := range routeTable {
		if own := strings.Fields(row.want)[1]; own == "403" || !strings.Contains(row.route, "/api/hospay/") {
			continue
		}
		if strings.Contains(row.route, "{id}") {
			add(row.route, "{id}", 100)
		}
		for _, field := range patientWords[row.route] {
			add(row.route, field, 100)
		}
		body := map[string]any{}
		_ = json.Unmarshal([]byte(row.body), &body)
		for field := range body {
			if !slices.Contains(patientWords[row.route], field) {
				t.Errorf("%s takes %q, which patientWords does not know", row.route, field)
			}
		}
	}
	return out
}

// speak sends the request of a word; everything else in it is as it should be.
func (w word) speak(p *testapp.Patient) testapp.Answer {
	method, path, _ := strings.Cut(w.request, " ")
	text := fmt.Sprint(w.value)
	if w.field == "{id}" {
		return p.Call(method, strings.Replace(path, "{id}", url.PathEscape(text), 1), p.Token, map[string]any{})
	}
	body := map[string]any{}
	switch {
	case method == "GET":
		q := url.Values{"card_no": {p.Card}, "state": {"0123456789abcdef"}}
		q.Set(w.field, text)
		return p.Call(method, path+"?"+q.Encode(), p.Token, nil)
	case strings.Contains(path, collections.RefundOrders):
		channel, way := "wechat", "transfer"
		if w.field == "payee_account" {
			channel = "alipay"
		}
		if w.field == "deposit_no" && w.kind > "l" { // half of them by the other way
			way = "original"
		}
		return p.Apply(channel, way, 1200, map[string]any{w.field: w.value})
	case strings.Contains(path, collections.ProxyApplications):
		body = p.Wish(elderly, "elderly")
	case strings.Contains(path, collections.PaymentOrders):
		body = map[string]any{"bill_no": oddBill, "card_no": p.Card, "channel": "wechat", "terminal": "mini", "insured": w.field == "area"}
	case strings.HasPrefix(path, "/api/hospay/insurance/"):
		body = map[string]any{"card_no": p.Card, "area": "440100", "benefit": "440100-310-11", "bill_no": oddBill, "channel": "wechat",
			"code": "none"}
	case strings.HasPrefix(path, "/api/hospay/auth/"):
		body["code"] = "none"
	}
	body[w.field] = w.value
	return p.Call(method, path, p.Token, body)
}

// TestWords_NothingForeignOrOddLeaves puts another patient's data and odd values
// into every field that a patient can send, lets what was accepted go its way,
// and reads all that left for HIS and the channels.
func TestWords_NothingForeignOrOddLeaves(t *testing.T) {
	tap := &wiretap{}
	a := testapp.New(t, testapp.Config{Transport: tap, Settings: demo.Settings{DayLimit: 10_000}})
	who := a.Sims.World.Find("P0012")
	other, p := a.Login("P0012", "wechat"), a.Login("P0011", "wechat")
	theirOrder := apply(t, other, "wechat", "transfer", 1200, nil)
	a.Drain()
	foreign := foreignWords(who, theirOrder, other.ApplyProxy(elderly, "elderly", nil).Text("id"), other.ID)
	if foreign["proxy"] == "" {
		t.Fatal("no proxy application of another patient")
	}
	words := allWords(t, a, foreign)
	if len(words) < 300 {
		t.Fatalf("%d cases", len(words))
	}
	tap.take()
	oddBill = must(a.Sims.HIS.AddBill(simhis.Bill{Patient: "P0011", Kind: "outpatient", Amount: 3300, Insurable: true}))
	accepted, bills, heard := 0, 0, 0
	for _, w := range words {
		res := w.speak(p)
		if res.Status >= 500 {
			t.Errorf("%s, %s = %s: %d %s", w.request, w.field, w.kind, res.Status, res.Raw)
		}
		switch id := res.Text("id"); {
		case res.Status == 200 && strings.Contains(w.request, collections.RefundOrders):
			accepted++
			finish(t, a, id, w)
		case res.Status == 200 && strings.Contains(w.request, collections.PaymentOrders):
			bills++
			unpay(t, a, id)
		}
		sent := tap.take()
		heard += len(sent)
		w.check(t, sent, foreign)
	}
	for side, entries := range map[string][]string{"HIS": parties(a.Sims.HIS.Core), "WeChat": parties(a.Sims.WeChat.Core),
		"Alipay": parties(a.Sims.Alipay.Core)} {
		mine := a.Sims.World.Find("P0011")
		for _, party := range entries[min(len(entries), map[string]int{"HIS": 1}[side]):] { // the first is the other's own order
			if !slices.Contains([]string{p.Card, mine.Openid, mine.AlipayUserID, mine.AlipayLogon, mine.AlipayOpenID}, party) {
				t.Errorf("%s moved money of %q", side, party)
			}
		}
	}
	if w := a.Order(theirOrder); w.Order.CancelAsked || w.Debit == nil || w.Reversal != nil {
		t.Errorf("the other's order: %+v", w.Order)
	}
	t.Logf("%d cases, %d became refunds, %d payments, %d requests left", len(words), accepted, bills, heard)
	if accepted < 10 || bills < 10 || heard < 50 {
		t.Errorf("too little happened: %d orders, %d requests", accepted, heard)
	}
}

// oddBill is the bill that odd words are spoken about.
var oddBill string

// unpay opens a payment at the channel and takes it back.
func unpay(t *testing.T, a *testapp.App, id string) {
	t.Helper()
	a.Drain()
	o := must(a.Store.Payments().Get(t.Context(), id)).Order
	_ = a.Bills.Cancel(t.Context(), id, people.By{Kind: people.ByPatient, ID: o.Patient})
	for range 5 {
		a.Drain()
		a.Advance(10 * time.Second)
	}
	if o = must(a.Store.Payments().Get(t.Context(), id)).Order; o.Status != payment.StatusCancelled {
		t.Errorf("payment is %s (%s)", o.Status, o.FailCode)
	}
}

// finish pays an order whose payee was spoken of, and takes any other back.
func finish(t *testing.T, a *testapp.App, id string, w word) {
	t.Helper()
	a.Drain()
	if w.field == "payee_name" || w.field == "payee_account" {
		if res := a.Review(a.Staff("reviewer1"), id, "approve", ""); res.Status != 200 {
			t.Fatalf("review: %d %s", res.Status, res.Raw)
		}
		a.Drain()
		if tr := a.Order(id).Transfer; tr != nil {
			_ = a.Sims.WeChat.Confirm(tr.No) // an Alipay transfer needs none
		}
	} else { // one that HIS has refused has ended already
		_ = a.Service.Cancel(t.Context(), id, people.By{Kind: people.ByPatient, ID: a.Order(id).Order.Patient})
	}
	a.Advance(time.Minute)
	a.Drain()
	if s := a.Order(id).Order.Status; !refund.Machine.Final(s) {
		t.Errorf("%s = %s: the order is %s", w.field, w.kind, s)
	}
}

// check reads what left after a word was spoken.
func (w word) check(t *testing.T, sent []string, foreign map[string]string) {
	t.Helper()
	marks := slices.Clone(oddMarks)
	if !slices.Contains(searched, w.field) {
		marks = slices.AppendSeq(marks, maps.Values(foreign))
	}
	for _, text := range sent {
		for _, mark := range marks {
			if strings.Contains(text, mark) {
				t.Errorf("%s, %s = %s: %q left in %.300s", w.request, w.field, w.kind, mark, text)
			}
		}
	}
}

func parties(core *sim.Core) (out []string) {
	for _, e := range core.Ledger().Entries() {
		out = append(out, e.Party)
	}
	return out
}
