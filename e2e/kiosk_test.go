package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/sim/world"
	"hospay/store"

	"github.com/pocketbase/pocketbase/core"
)

// kioskAt is a device, and who stands at it.
type kioskAt struct {
	*testing.T
	a      *testapp.App
	id     string
	token  string
	person string
	who    *world.Patient
}

// newKiosk makes a kiosk as two people of the configuration have decided it, and
// enters a device with its code.
func newKiosk(t *testing.T, a *testapp.App, ways ...string) *kioskAt {
	t.Helper()
	c, err := a.Runtime.App.FindCollectionByNameOrId(collections.Kiosks)
	if err != nil {
		t.Fatal(err)
	}
	if len(ways) == 0 {
		ways = []string{"credential", "id_card", "social_card"}
	}
	rec := core.NewRecord(c)
	rec.Set("institution", a.Institution)
	rec.Set("place", "门诊一楼 "+core.GenerateDefaultRandomId()[:4])
	rec.Set("active", true)
	rec.Set("ways", ways)
	rec.Set("reader_url", "http://127.0.0.1:18099")
	if err := a.Runtime.App.Save(rec); err != nil {
		t.Fatal(err)
	}
	k := &kioskAt{T: t, a: a, id: rec.Id}
	k.enrol(k.code())
	return k
}

func (k *kioskAt) code() string {
	k.Helper()
	res := k.a.Call("POST", "/api/hospay/kiosks/"+k.id+"/code", k.a.Staff("config"), map[string]any{})
	if res.Status != 200 || len(res.Text("code")) != 8 {
		k.Fatalf("%d %s", res.Status, res.Raw)
	}
	return res.Text("code")
}

func (k *kioskAt) enrol(code string) {
	k.Helper()
	res := k.a.Call("POST", "/api/hospay/kiosk/enrol", "", map[string]any{"code": code})
	if res.Status != 200 || !strings.HasPrefix(res.Text("token"), store.KioskToken) {
		k.Fatalf("%d %s", res.Status, res.Raw)
	}
	k.token = res.Text("token")
}

// ask asks with the device's token, and the handle of who stands there.
func (k *kioskAt) ask(method, path string, body any) testapp.Answer {
	k.Helper()
	return k.a.CallWith(method, path, map[string]string{"Authorization": k.token, "X-Kiosk-Person": k.person}, body)
}

func (k *kioskAt) call(method, path string, body any) testapp.Answer {
	k.Helper()
	res := k.ask(method, path, body)
	if res.Status != 200 {
		k.Fatalf("%s %s: %d %s", method, path, res.Status, res.Raw)
	}
	return res
}

// shows lets a patient show a credential.
func (k *kioskAt) shows(no string) testapp.Answer {
	k.Helper()
	k.who = k.a.Sims.World.Find(no)
	res := k.call("POST", "/api/hospay/kiosk/person", map[string]any{"way": "credential", "no": k.who.Credential(), "kind": "outpatient"})
	k.person = res.Text("person")
	return res
}

// wantCode wants a refusal.
func (k *kioskAt) refused(res testapp.Answer, status int, code string) {
	k.Helper()
	if res.Status != status || res.Code() != code {
		k.Errorf("%d %s, want %d %s", res.Status, res.Raw, status, code)
	}
}

// pays makes an order of a bill.
func (k *kioskAt) pays(bill, channel string, more map[string]any) string {
	k.Helper()
	body := map[string]any{"id": core.GenerateDefaultRandomId(), "bill_no": bill, "card_no": k.who.Cards[0], "channel": channel}
	for name, v := range more {
		body[name] = v
	}
	res := k.call("POST", "/api/collections/payment_orders/records", body)
	if res.Body["terminal"] != "kiosk" || res.Body["kiosk"] != k.id {
		k.Fatalf("%s", res.Raw)
	}
	return res.Text("id")
}

// split is what the insurance pays of the next bill, in fen.
func (k *kioskAt) split(fund, account int64) {
	k.Helper()
	body := fmt.Sprintf(`{"id_no":%q,"fund":%d,"account":%d}`, k.who.IDNo, fund, account)
	res, err := http.Post(k.a.Sims.Centre.URL()+"/_sim/split", "application/json", strings.NewReader(body))
	if err != nil || res.StatusCode != 200 {
		k.Fatal(res, err)
	}
	res.Body.Close()
}

// payer is who stands there, at a channel.
func (k *kioskAt) payer(channel string) *payer {
	return &payer{T: k.T, a: k.a, who: k.who, channel: channel}
}

// code waits for the code that is shown, and returns the order.
func (k *kioskAt) payable(id, channel string) payment.Order {
	k.Helper()
	o := k.payer(channel).until(id, payment.StatusPaying)
	res := k.call("GET", "/api/hospay/payments/"+id, nil)
	pay, _ := res.Body["pay"].(map[string]any)
	values, _ := pay["values"].(map[string]any)
	if pay["form"] != "code" || fmt.Sprint(values["url"]) == "" || res.Text("waits_for") != "pay" {
		k.Fatalf("no code is shown: %s", res.Raw)
	}
	return o
}

// done waits for the end of an order and compares all books with it.
func (k *kioskAt) done(id, channel string) payment.Order {
	k.Helper()
	p := k.payer(channel)
	o := p.until(id, payment.StatusDone)
	if cash, insurance, written := p.books(o); cash != int64(o.CashDue()) || insurance != int64(o.Fund+o.Account) ||
		written != int64(o.Total) || o.ReceiptNo == "" || o.Kiosk != k.id {
		k.Errorf("channel %d of %d, centre %d of %d, HIS %d of %d: %+v", cash, o.CashDue(), insurance, o.Fund+o.Account, written, o.Total, o)
	}
	return o
}

// TestKiosk_CodeIsWorthSomethingOnce: the device that brings the code is the kiosk,
// nobody after it, and no longer than the code lives.
func TestKiosk_CodeIsWorthSomethingOnce(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	k := newKiosk(t, a)
	first := k.token
	used := k.code()
	k.enrol(used)
	k.refused(a.Call("POST", "/api/hospay/kiosk/enrol", "", map[string]any{"code": used}), 401, "kiosk_code")
	if res := a.CallWith("GET", "/api/hospay/kiosk", map[string]string{"Authorization": first}, nil); res.Status != 401 ||
		res.Code() != "kiosk_unknown" {
		t.Errorf("the former device is in: %d %s", res.Status, res.Raw)
	}
	late, newer := k.code(), k.code()
	k.refused(a.Call("POST", "/api/hospay/kiosk/enrol", "", map[string]any{"code": late}), 401, "kiosk_code")
	a.Advance(11 * time.Minute)
	k.refused(a.Call("POST", "/api/hospay/kiosk/enrol", "", map[string]any{"code": newer}), 401, "kiosk_code")
	for range 12 {
		a.Call("POST", "/api/hospay/kiosk/enrol", "", map[string]any{"code": "00000000"})
	}
	if res := a.Call("POST", "/api/hospay/kiosk/enrol", "", map[string]any{"code": k.code()}); res.Status != http.StatusTooManyRequests {
		t.Errorf("guesses go on: %d %s", res.Status, res.Raw)
	}
}

// TestKiosk_ADeviceAloneReadsNobody: a device that was stolen tells what it is, and
// nothing of anybody; a person's handle is worth nothing elsewhere.
func TestKiosk_ADeviceAloneReadsNobody(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	k := newKiosk(t, a)
	about := k.call("GET", "/api/hospay/kiosk", nil)
	if about.Text("place") == "" || about.Body["insurance"] != true || about.Text("token") != "" {
		t.Errorf("%s", about.Raw)
	}
	personal := []string{"/api/hospay/bills?card_no=C0005", "/api/hospay/departments", "/api/hospay/kiosk/open", "/api/hospay/me",
		"/api/hospay/cards", "/api/hospay/messages", "/api/collections/payment_orders/records", "/api/collections/patients/records"}
	nothing := func(why string) {
		t.Helper()
		for _, path := range personal {
			res := k.ask("GET", path, nil)
			if rows, is := res.Body["items"].([]any); res.Status == 200 && (!is || len(rows) > 0) {
				t.Errorf("%s: %s answers %s", why, path, res.Raw)
			}
		}
	}
	nothing("a device alone")
	k.shows("P0005")
	k.call("GET", "/api/hospay/bills?card_no=C0005", nil)
	for _, path := range []string{"/api/hospay/me", "/api/hospay/cards", "/api/hospay/messages", "/api/hospay/options"} {
		if res := k.ask("GET", path, nil); res.Status != 401 {
			t.Errorf("%s with somebody there: %d %s", path, res.Status, res.Raw)
		}
	}
	k.refused(k.ask("GET", "/api/hospay/bills?card_no=C0006", nil), 400, "card_not_yours")
	if res := k.ask("POST", "/api/collections/patients/auth-refresh", nil); res.Status == 200 {
		t.Errorf("a handle becomes a token: %s", res.Raw)
	}
	other, mine := newKiosk(t, a), k.person
	other.person = mine
	other.refused(other.ask("GET", "/api/hospay/bills?card_no=C0005", nil), 401, "person_gone")
	if res := a.CallWith("GET", "/api/hospay/bills?card_no=C0005", map[string]string{"X-Kiosk-Person": mine}, nil); res.Status != 401 {
		t.Errorf("a handle alone: %d %s", res.Status, res.Raw)
	}
	if res := a.CallWith("GET", "/api/hospay/bills?card_no=C0005", map[string]string{"Authorization": mine}, nil); res.Status != 401 {
		t.Errorf("a handle as a token: %d %s", res.Status, res.Raw)
	}
	k.shows("P0006") // somebody else
	k.person, mine = mine, k.person
	k.refused(k.ask("GET", "/api/hospay/bills?card_no=C0005", nil), 401, "person_gone")
	k.person = mine
	k.call("GET", "/api/hospay/bills?card_no=C0006", nil)
	k.call("DELETE", "/api/hospay/kiosk/person", nil)
	nothing("who has finished")
	k.shows("P0006")
	a.Advance(2 * time.Minute)
	k.refused(k.ask("GET", "/api/hospay/bills?card_no=C0006", nil), 401, "person_gone")
	k.shows("P0006")
	if res := a.Call("POST", "/api/hospay/kiosks/"+k.id+"/withdraw", a.Staff("config"), map[string]any{}); res.Status != 200 {
		t.Fatalf("%s", res.Raw)
	}
	k.refused(k.ask("GET", "/api/hospay/bills?card_no=C0006", nil), 401, "kiosk_unknown")
	k.refused(k.ask("GET", "/api/hospay/kiosk", nil), 401, "kiosk_unknown")
	if res := a.Call("POST", "/api/hospay/kiosks/"+k.id+"/code", a.Staff("config"), map[string]any{}); res.Status != 404 {
		t.Errorf("a code for what is withdrawn: %d %s", res.Status, res.Raw)
	}
}

// TestKiosk_WaysToSayWhoOneIs: what the kiosk may take, and nothing that HIS does
// not know.
func TestKiosk_WaysToSayWhoOneIs(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	k := newKiosk(t, a)
	p := a.Sims.World.Find("P0006")
	for _, body := range []map[string]any{{"way": "credential", "no": p.Credential()}, {"way": "social_card", "no": p.SocialCard()},
		{"way": "id_card", "no": p.IDNo, "name": p.Name}} {
		res := k.call("POST", "/api/hospay/kiosk/person", body)
		if res.Text("person") == "" || res.Text("name") == p.Name || !strings.Contains(res.Text("name"), "*") ||
			strings.Contains(string(res.Raw), p.IDNo) || !strings.Contains(string(res.Raw), p.Cards[0]) ||
			res.Body["credential"] != (body["way"] == "credential") {
			t.Errorf("%v: %s", body["way"], res.Raw)
		}
	}
	for _, c := range []struct {
		body   map[string]any
		status int
		code   string
	}{
		{map[string]any{"way": "credential", "no": "424"}, 400, "shown_unreadable"},
		{map[string]any{"way": "credential", "no": "4249999999999999999999999999"}, 400, "patient_not_found"},
		{map[string]any{"way": "id_card", "no": p.IDNo, "name": "别人"}, 400, "patient_not_found"},
		{map[string]any{"way": "id_card", "no": "110101199001010000", "name": p.Name}, 400, "id_no_invalid"},
		{map[string]any{"way": "password", "no": "1"}, 403, "not_allowed"},
	} {
		k.refused(k.ask("POST", "/api/hospay/kiosk/person", c.body), c.status, c.code)
	}
	only := newKiosk(t, a, "credential")
	byCard := map[string]any{"way": "id_card", "no": p.IDNo, "name": p.Name}
	only.refused(only.ask("POST", "/api/hospay/kiosk/person", byCard), 403, "not_allowed")
	for range 20 {
		only.ask("POST", "/api/hospay/kiosk/person", map[string]any{"way": "credential", "no": "4249999999999999999999999999"})
	}
	res := only.ask("POST", "/api/hospay/kiosk/person", map[string]any{"way": "credential", "no": p.Credential()})
	only.refused(res, http.StatusTooManyRequests, "too_many_requests")
}
