package e2e

import (
	"testing"

	"hospay/lab/testapp"
)

// TestApply_InABatch: where IT has switched batches of requests on, an application in
// one is answered; it waits for no transaction of others while it holds its own.
func TestApply_InABatch(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	s := a.Runtime.App.Settings()
	s.Batch.Enabled, s.Batch.MaxRequests, s.Batch.Timeout = true, 10, 10
	if err := a.Runtime.App.Save(s); err != nil {
		t.Fatal(err)
	}
	p := a.Login("P0009", "alipay")
	p.Call("GET", "/api/hospay/cards", p.Token, nil) // what HIS says is known
	apply := func(name string) any {
		return map[string]any{"method": "POST", "url": "/api/collections/refund_orders/records", "body": map[string]any{
			"card_no": p.Card, "amount": 1000, "method": "transfer", "channel": "alipay", "payee_name": name, "payee_account": p.Alipay,
			"notify_phone": p.Phone, "notice_version": "1"}}
	}
	orders := func() string {
		t.Helper()
		return p.Call("GET", "/api/collections/refund_orders/records", p.Token, nil).Text("totalItems")
	}
	res := a.Call("POST", "/api/batch", p.Token, map[string]any{"requests": []any{apply(p.Name)}})
	if got := orders(); res.Status != 200 || got != "1" {
		t.Errorf("%d %s, %s orders", res.Status, res.Raw, got)
	}
	if res := a.Call("POST", "/api/batch", p.Token, map[string]any{"requests": []any{apply(p.Name)}}); res.Status != 400 || orders() != "1" {
		t.Errorf("a second one for the card: %d %s, %s orders", res.Status, res.Raw, orders())
	}
	a.Drain()
}
