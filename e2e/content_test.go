package e2e

import (
	"encoding/json"
	"maps"
	"testing"

	"hospay/collections"
	"hospay/lab/demo"
	"hospay/lab/testapp"
)

// TestApply_SameIDOtherContent changes each part of an application under the id
// of one that became an order: only what is equal is that order.
func TestApply_SameIDOtherContent(t *testing.T) {
	a := testapp.New(t, testapp.Config{Settings: demo.Settings{DayLimit: 20}})
	transfer, original := a.Login("P0003", "alipay"), a.Login("P0001", "wechat")
	deposit := channelDeposit(t, a, original, "wechat")
	for _, c := range []struct {
		p               *testapp.Patient
		id              string
		channel, method string
		base            map[string]any
		same, other     []map[string]any
	}{
		{transfer, "contentabc00001", "alipay", "transfer", map[string]any{"group": "grouppabc000001"},
			[]map[string]any{nil, {"payee_account": " " + transfer.Alipay}, {"payee_name": " " + transfer.Name + " "},
				{"notify_phone": "+86 " + transfer.Phone}, {"deposit_no": "D000301"}, {"status": "succeeded"}},
			[]map[string]any{{"payee_account": "13911112222"}, {"payee_account": "other@example.com"}, {"payee_account": ""},
				{"amount": 1201}, {"payee_name": "别人"}, {"payee_name": ""}, {"notify_phone": "13911112222"}, {"notify_phone": ""},
				{"notice_version": "2"}, {"group": "grouppabc000002"}, {"group": ""}, {"card_no": "C0001"}, {"channel": "wechat"},
				{"method": "original"}, {"proxy_application": "proxyabc0000001"}}},
		{original, "contentabc00002", "wechat", "original", map[string]any{"deposit_no": deposit},
			[]map[string]any{nil, {"payee_account": "13911112222"}}, // an original-route refund has no account
			[]map[string]any{{"deposit_no": "D999901"}, {"amount": 1201}, {"method": "transfer"}}},
	} {
		send := func(changes map[string]any) testapp.Answer {
			body := map[string]any{"id": c.id}
			maps.Copy(body, c.base)
			maps.Copy(body, changes)
			return c.p.Apply(c.channel, c.method, 1200, body)
		}
		for _, changes := range c.same {
			if res := send(changes); res.Status != 200 || res.Text("id") != c.id {
				t.Errorf("%s, the same content %v: %d %s", c.method, changes, res.Status, res.Raw)
			}
		}
		for _, changes := range c.other {
			if res := send(changes); res.Status != 409 || res.Code() != "conflict" {
				t.Errorf("%s, other content %v: %d %s", c.method, changes, res.Status, res.Raw)
			}
		}
		a.Drain()
	}
	if n, err := a.Runtime.App.CountRecords(collections.RefundOrders); err != nil || n != 2 {
		t.Errorf("%d orders, %v", n, err)
	}
	for _, e := range a.Sims.HIS.Ledger().Entries() {
		if e.Amount != 1200 {
			t.Errorf("moved at HIS: %+v", e)
		}
	}
}

// channelDeposit is a deposit of the patient's card that was paid through a
// channel.
func channelDeposit(t *testing.T, a *testapp.App, p *testapp.Patient, channel string) string {
	t.Helper()
	res := p.Call("GET", "/api/hospay/options?card_no="+p.Card, p.Token, nil)
	var out struct {
		Suggestion struct {
			Routes []struct {
				Method, Channel string
				DepositNo       string `json:"deposit_no"`
			}
		}
	}
	if err := json.Unmarshal(res.Raw, &out); err != nil {
		t.Fatal(err)
	}
	for _, r := range out.Suggestion.Routes {
		if r.Method == "original" && r.Channel == channel {
			return r.DepositNo
		}
	}
	t.Fatalf("no deposit of %s: %s", channel, res.Raw)
	return ""
}
