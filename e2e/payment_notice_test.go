package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/sim"

	"github.com/pocketbase/dbx"
)

// notice is a 6302 as it was sent, and what the program answered.
type notice struct {
	body   []byte
	status int
	answer string
}

// overheard lets the centre send its 6302 to the program through a listener.
func overheard(t *testing.T, a *testapp.App) chan notice {
	t.Helper()
	heard := make(chan notice, 20)
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		n := tell(t, a, body)
		w.WriteHeader(n.status)
		_, _ = w.Write([]byte(n.answer))
		heard <- n
	}))
	t.Cleanup(listener.Close)
	centreSettings(t, a, map[string]any{"notice_url": listener.URL})
	return heard
}

func centreSettings(t *testing.T, a *testapp.App, settings map[string]any) {
	t.Helper()
	text, _ := json.Marshal(settings)
	res, err := http.Post(a.Sims.Centre.URL()+"/_sim/settings", "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Fatal(res.StatusCode)
	}
}

// tell sends a body to the route of 6302.
func tell(t *testing.T, a *testapp.App, body []byte) notice {
	res, err := http.Post(a.URL+"/api/hospay/notify/medins/"+a.Institution, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return notice{}
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	return notice{body, res.StatusCode, string(answer)}
}

// keptNotices are the effects of the 6302 that were stored.
func keptNotices(t *testing.T, a *testapp.App) (out []string) {
	t.Helper()
	if err := a.Runtime.App.ConcurrentDB().Select("effect").From(collections.Callbacks).Where(dbx.HashExp{"channel": "medins"}).
		OrderBy("created", "id").Column(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// insuredOrder is an order that can be paid.
func (p *apiPayer) insuredOrder() payment.Order {
	p.Helper()
	bill := p.bill(payment.KindOutpatient, 12000)
	p.shownBill(bill)
	benefit := p.chosen(bill, "440100")
	p.credentialed()
	return p.payable(p.creates(p.wish(bill, true, benefit)))
}

// TestPaymentNotice_IsAHint: the centre's 6302 makes an order due at once, counts
// once however often it comes, and is answered in the region's form. What is
// tampered with, of another application or not signed is counted and not kept.
func TestPaymentNotice_IsAHint(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	heard := overheard(t, a)
	p := newAPIPayer(t, a, "P0001", "wechat")
	o := p.insuredOrder()
	p.pays(o)
	n := <-heard
	if n.status != 200 || !strings.Contains(n.answer, "signData") {
		t.Fatalf("%d %s", n.status, n.answer)
	}
	if kept := keptNotices(t, a); strings.Join(kept, " ") != payment.EffectHint {
		t.Fatal(kept)
	}
	a.Drain() // no time has passed
	if w := must(a.Store.Payments().Get(t.Context(), o.ID)); w.Order.Status != payment.StatusDone {
		t.Errorf("the notice did not wake the order: %s", w.Order.Status)
	}
	for range 3 {
		if again := tell(t, a, n.body); again.status != 200 {
			t.Errorf("again: %d %s", again.status, again.answer)
		}
	}
	var sealed map[string]any
	if err := json.Unmarshal(n.body, &sealed); err != nil {
		t.Fatal(err)
	}
	spoilt := func(change func(map[string]any)) []byte {
		m := map[string]any{}
		for k, v := range sealed {
			m[k] = v
		}
		change(m)
		text, _ := json.Marshal(m)
		return text
	}
	data, sign := fmt.Sprint(sealed["encData"]), fmt.Sprint(sealed["signData"])
	for name, body := range map[string][]byte{
		"nothing": nil, "no JSON": []byte("x"), "unsigned": spoilt(func(m map[string]any) { delete(m, "signData") }),
		"tampered data":       spoilt(func(m map[string]any) { m["encData"] = "AB" + data[2:] }),
		"tampered sign":       spoilt(func(m map[string]any) { m["signData"] = "AAAA" + sign[4:] }),
		"another application": spoilt(func(m map[string]any) { m["appId"] = "43AF047BBA47FC8A1AE8EFB232BDBBCC" }),
		"another time":        spoilt(func(m map[string]any) { m["timestamp"] = "20200101000000" }),
		"plain":               []byte(`{"payOrdId":"` + o.PayOrdID + `","medOrgOrd":"` + o.MedOrgOrd + `","callType":"02"}`),
		"huge":                bytes.Repeat([]byte("x"), 300<<10),
	} {
		if got := tell(t, a, body); got.status == 200 {
			t.Errorf("%s: %d %s", name, got.status, got.answer)
		}
	}
	if kept := keptNotices(t, a); len(kept) != 1 {
		t.Errorf("kept: %v", kept)
	}
	var told bytes.Buffer
	a.Kit.Tally.Tell(slog.New(slog.NewTextHandler(&told, nil)))
	if !strings.Contains(told.String(), `"callback.refused medins"`) {
		t.Errorf("not counted: %s", told.String())
	}
	if res, err := http.Post(a.URL+"/api/hospay/notify/medins/nowhere", "application/json", bytes.NewReader(n.body)); err != nil ||
		res.StatusCode != 404 {
		t.Error("another institution:", res.StatusCode, err)
	}
}

// TestPaymentNotice_LiesAndLosses: one that tells amounts that do not fit is no
// more than a reason to ask, one about an order that nobody knows changes nothing,
// and where none comes, asking alone finishes the order.
func TestPaymentNotice_LiesAndLosses(t *testing.T) {
	for fault, want := range map[string]string{sim.LieAmount: payment.EffectHint, sim.LieNumber: payment.EffectUnknownNo, sim.NoCallback: ""} {
		t.Run(fault, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			heard := overheard(t, a)
			p := newAPIPayer(t, a, "P0001", "wechat")
			if err := a.Sims.Centre.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "callback", Fault: fault, Times: -1}}}); err != nil {
				t.Fatal(err)
			}
			o := p.insuredOrder()
			p.pays(o)
			if want != "" {
				if n := <-heard; n.status != 200 {
					t.Fatalf("%d %s", n.status, n.answer)
				}
			}
			if kept := keptNotices(t, a); strings.Join(kept, " ") != want {
				t.Errorf("%v, want %q", kept, want)
			}
			p.agrees(p.until(o.ID, payment.StatusDone))
		})
	}
}

// TestPaymentNotice_Plain: in a region whose notices nobody signs, one wakes the
// order that it names, and fills no table.
func TestPaymentNotice_Plain(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	set(t, a, collections.CentreConfigs, "", map[string]any{
		"region": map[string]any{"base": "guangzhou", "areas": []string{}, "notice_form": "plain", "notice_reply": "empty"}})
	heard := overheard(t, a)
	centreSettings(t, a, map[string]any{"notice_form": "plain"})
	p := newAPIPayer(t, a, "P0001", "wechat")
	o := p.insuredOrder()
	p.pays(o)
	n := <-heard
	if n.status != 200 || n.answer != "" {
		t.Fatalf("%d %s", n.status, n.answer)
	}
	a.Drain()
	if w := must(a.Store.Payments().Get(t.Context(), o.ID)); w.Order.Status != payment.StatusDone {
		t.Errorf("the notice did not wake the order: %s", w.Order.Status)
	}
	for i := range 20 {
		for _, body := range []string{
			fmt.Sprintf(`{"payOrdId":%q,"medOrgOrd":%q,"callType":"02","feeSumamt":"%d.00"}`, o.PayOrdID, o.MedOrgOrd, i),
			fmt.Sprintf(`{"payOrdId":"ORD440100%d","medOrgOrd":%q,"callType":"02"}`, i, o.MedOrgOrd),
			fmt.Sprintf(`{"payOrdId":"ORD440100%d","medOrgOrd":"P26112900000000%04d","callType":"02"}`, i, i),
		} {
			if got := tell(t, a, []byte(body)); got.status != 200 || got.answer != "" {
				t.Errorf("%d %s", got.status, got.answer)
			}
		}
	}
	if kept := keptNotices(t, a); len(kept) != 1 {
		t.Errorf("kept: %v", kept)
	}
}
