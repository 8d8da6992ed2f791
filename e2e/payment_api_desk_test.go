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

// suspended is a paid order of which HIS has said nothing; charge is what happened
// to the write-back.
func (p *apiPayer) suspended(charge string) payment.Order {
	p.Helper()
	bill := p.bill(payment.KindOutpatient, 3300)
	p.shownBill(bill)
	o := p.payable(p.creates(p.wish(bill, false, "")))
	if err := p.a.Sims.HIS.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "charge", Fault: charge, Times: -1},
		{Match: "trade_check", Fault: sim.Error500Before, Times: -1}}}); err != nil {
		p.Fatal(err)
	}
	p.pays(o)
	o = p.onDesk(o.ID)
	if said := p.words(o.ID); said.Text("waits_for") != "people" || said.Body["pay"] != nil {
		p.Errorf("%s", said.Raw)
	}
	return o
}

// TestPaymentAPI_WriteTakesTwo: what HIS does not know is sent to it once more by
// two people, after HIS was asked; what it has goes on by itself.
func TestPaymentAPI_WriteTakesTwo(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newAPIPayer(t, a, "P0001", "wechat")
	reviewer, finance := a.Staff("reviewer1"), a.Staff("finance")
	o := p.suspended(sim.Error500Before)
	facts := p.facts(o.ID, finance)
	if facts.Text("where") == "" || len(list(facts.Body["actions"])) != len(payment.Actions()) {
		t.Errorf("%s", facts.Raw)
	}
	for _, v := range list(facts.Body["actions"]) {
		if v["why"] == "" || v["text"] == "" {
			t.Errorf("%v", v)
		}
	}
	write := func(token, reason string) testapp.Answer {
		return a.Call("POST", "/api/hospay/payments/"+o.ID+"/write", token, map[string]any{"reason": reason})
	}
	a.Advance(time.Hour)
	wantRefusal(t, "HIS is silent", write(reviewer, "HIS 已恢复"), 409, "action_unsafe")
	a.Sims.HIS.Faults().Clear()
	wantRefusal(t, "without a reason", write(reviewer, ""), 400, "note_required")
	if res := write(reviewer, "HIS 已恢复，没有这笔"); res.Status != 200 || res.Text("status") != "suspense" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	proposal, _ := p.facts(o.ID, finance).Body["proposal"].(map[string]any)
	if proposal["action"] != "write_again" || proposal["reason"] == "" {
		t.Errorf("%v", proposal)
	}
	wantRefusal(t, "the same person", write(reviewer, "再来"), 403, "same_person")
	if res := write(finance, "已核对"); res.Status != 200 || res.Text("status") != "writing" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	p.agrees(p.until(o.ID, payment.StatusDone))

	o = p.suspended(sim.Error500After) // HIS has it
	a.Sims.HIS.Faults().Clear()
	a.Advance(time.Hour)
	if res := write(reviewer, "核对"); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	p.agrees(p.until(o.ID, payment.StatusDone))
	wantRefusal(t, "a written one", write(reviewer, "核对"), 409, "no_write")
	wantRefusal(t, "a query of what rests", a.Call("POST", "/api/hospay/payments/"+o.ID+"/query", finance, nil), 409, "at_rest")
}

// TestPaymentAPI_DeskGivesBack: two people give back what HIS does not take; one
// proposes and withdraws, and nobody decides alone.
func TestPaymentAPI_DeskGivesBack(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newAPIPayer(t, a, "P0003", "alipay")
	reviewer, finance := a.Staff("reviewer1"), a.Staff("finance")
	o := p.suspended(sim.Error500Before)
	a.Sims.HIS.Faults().Clear()
	a.Advance(time.Hour)
	act := func(what, token string, body map[string]any) testapp.Answer {
		return a.Call("POST", "/api/hospay/payments/"+o.ID+"/"+what, token, body)
	}
	propose := map[string]any{"action": "refund", "reason": "患者改到窗口办理"}
	if res := act("propose", reviewer, propose); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "a second proposal", act("propose", finance, propose), 409, "proposal_exists")
	if res := act("withdraw", reviewer, map[string]any{"note": "再等等"}); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "nothing to confirm", act("confirm", finance, map[string]any{"action": "refund"}), 409, "no_proposal")
	if res := act("propose", reviewer, propose); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "alone", act("confirm", reviewer, map[string]any{"action": "refund"}), 403, "same_person")
	if res := act("confirm", finance, map[string]any{"action": "refund", "note": "同意"}); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	o = p.until(o.ID, payment.StatusRefunded)
	if cash, _, written := p.books(o); cash != 0 || written != 0 {
		t.Errorf("channel keeps %d, HIS %d", cash, written)
	}
}

// TestPayment_TestInsuranceIsNamed: a channel whose insurance is booked in a test
// system while the cash is real is named in production, to who may read it.
func TestPayment_TestInsuranceIsNamed(t *testing.T) {
	a := testapp.New(t, testapp.Config{Production: true})
	warnings := func(token string) string {
		return fmt.Sprint(a.Call("GET", "/api/hospay/ready", token, nil).Body["warnings"])
	}
	finance := a.Staff("finance")
	if got := warnings(finance); got != "<nil>" {
		t.Errorf("nothing is set: %s", got)
	}
	rec := must(a.Runtime.App.FindFirstRecordByFilter(collections.ChannelConfigs, `channel = "wechat"`))
	for _, value := range []any{true, "true"} {
		settings := map[string]any{}
		if err := rec.UnmarshalJSONField("settings", &settings); err != nil {
			t.Fatal(err)
		}
		settings["medins_test_env"] = value
		rec.Set("settings", settings)
		if err := a.Runtime.App.Save(rec); err != nil {
			t.Fatal(err)
		}
		if got := warnings(finance); !strings.Contains(got, "medins_test_env") || !strings.Contains(got, "现金是真的") {
			t.Errorf("%v: %s", value, got)
		}
		if got := warnings(a.Login("P0001", "wechat").Token); got != "<nil>" {
			t.Errorf("a patient reads %s", got)
		}
	}
	tests := must(a.Store.TestInsurances(t.Context()))
	if len(tests) != 1 || tests[0].Institution != a.Institution || tests[0].Channel != "wechat" {
		t.Errorf("config check names %v", tests)
	}
}
