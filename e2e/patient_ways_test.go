package e2e

import (
	"fmt"
	"strings"
	"testing"

	"hospay/collections"
	"hospay/internal/vault"
	"hospay/lab/testapp"
)

// TestPatients_OwnPhoneIsSentMasked: the page holds the number with stars only;
// the order has the whole one, and the same wish sent again is one order.
func TestPatients_OwnPhoneIsSentMasked(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	me := a.Call("GET", "/api/hospay/me", p.Token, nil)
	if me.Text("phone") != vault.MaskPhone(p.Phone) || me.Text("service_phone") == "" {
		t.Fatalf("me: %s", me.Raw)
	}
	same := map[string]any{"id": "masked000000001", "notify_phone": me.Text("phone")}
	for range 2 {
		if res := p.Apply("wechat", "transfer", 1000, same); res.Status != 200 || strings.Contains(string(res.Raw), p.Phone) {
			t.Fatalf("%d %s", res.Status, res.Raw)
		}
	}
	rec, err := a.Runtime.App.FindRecordById(collections.RefundOrders, "masked000000001")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := a.Store.Vault().Open(vault.Place(collections.RefundOrders, "notify_phone", rec.Id), rec.GetString("notify_phone_sealed"))
	if err != nil || plain != p.Phone {
		t.Errorf("the order's phone: %v", err)
	}
	wantRefusal(t, "别人的号码", p.Apply("wechat", "transfer", 1000, map[string]any{"notify_phone": "138****0000"}), 400, "phone_invalid")
}

// TestPatients_TransferByChoiceWhereItIsAllowed: the payment that goes back is
// named, and a transfer of all of it may be had where the institution says so.
func TestPatients_TransferByChoiceWhereItIsAllowed(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	methods := func() map[string]int {
		t.Helper()
		res := a.Call("GET", "/api/hospay/options?card_no="+p.Card+"&method=transfer", p.Token, nil)
		s, _ := res.Body["suggestion"].(map[string]any)
		routes, _ := s["routes"].([]any)
		out := map[string]int{}
		for _, r := range routes {
			r, _ := r.(map[string]any)
			out[fmt.Sprint(r["method"])]++
			if named := r["paid"] != nil && r["paid_at"] != nil; named != (r["method"] == "original") {
				t.Errorf("which payment: %v", r)
			}
		}
		return out
	}
	if m := methods(); m["original"] != 0 || m["transfer"] == 0 {
		t.Errorf("allowed: %v", m)
	}
	set(t, a, collections.Institutions, `code = "demo"`, map[string]any{"transfer_choice": false})
	if m := methods(); m["original"] == 0 {
		t.Errorf("not allowed: %v", m)
	}
}
