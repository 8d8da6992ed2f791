package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/people"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
)

// TestGuards_SuperuserCannotEditMoneyRows tries REST and Go code, with and
// without validation, on every guarded collection.
func TestGuards_SuperuserCannotEditMoneyRows(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	app, super := h.Runtime.App, h.tokens["superuser"]
	for _, name := range collections.Guarded() {
		t.Run(name, func(t *testing.T) {
			before := h.row(t, name)
			path := "/api/collections/" + name + "/records"
			for what, res := range map[string]testapp.Answer{
				"PATCH": h.Call("PATCH", path+"/"+h.rows[name], super, map[string]any{"amount": 1, "status": "succeeded", "note": "x", "event": "x",
					"effect": "x", "action": "x"}),
				"DELETE": h.Call("DELETE", path+"/"+h.rows[name], super, nil),
				"POST":   h.Call("POST", path, super, h.fill(collectionTable[name].body)),
			} {
				if res.Status < 400 {
					t.Errorf("%s: %d %s", what, res.Status, res.Raw)
				}
			}
			rec, err := app.FindRecordById(name, h.rows[name])
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range []string{"amount", "status", "note", "event", "effect", "action", "refundable", "wrapped"} {
				if rec.Collection().Fields.GetByName(f) != nil {
					rec.Set(f, "1")
				}
			}
			if app.Save(rec) == nil || app.SaveNoValidate(rec) == nil {
				t.Error("saved by code")
			}
			if app.Delete(rec) == nil {
				t.Error("deleted by code")
			}
			fresh := core.NewRecord(rec.Collection())
			if app.SaveNoValidate(fresh) == nil {
				t.Error("created by code")
			}
			if after := h.row(t, name); after != before {
				t.Errorf("row changed:\n%s\n%s", before, after)
			}
		})
	}
}

func (h *house) row(t *testing.T, name string) string {
	t.Helper()
	rec, err := h.Runtime.App.FindRecordById(name, h.rows[name])
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(rec.FieldsData())
}

// TestGuards_SchemaStaysAsMigrated keeps the shape of our collections from the
// dashboard.
func TestGuards_SchemaStaysAsMigrated(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	app, super := h.Runtime.App, h.tokens["superuser"]
	for _, name := range collections.All() {
		if res := h.Call("PATCH", "/api/collections/"+name, super, map[string]any{"listRule": "", "viewRule": ""}); res.Status < 400 {
			t.Errorf("%s: rules opened: %d", name, res.Status)
		}
		if res := h.Call("PATCH", "/api/collections/"+name, super, map[string]any{"name": name + "2"}); res.Status < 400 {
			t.Errorf("%s: renamed: %d", name, res.Status)
		}
		if res := h.Call("DELETE", "/api/collections/"+name, super, nil); res.Status < 400 {
			t.Errorf("%s: dropped: %d", name, res.Status)
		}
		c, err := app.FindCollectionByNameOrId(name)
		if err != nil {
			t.Fatal(err)
		}
		if r := collections.RulesOf(name); (c.ListRule == nil) != (r.List == nil) || (c.ListRule != nil && *c.ListRule != *r.List) {
			t.Errorf("%s: the rule in the database differs", name)
		}
	}
}

// TestApply_ServerOwnsEverythingElse sends every field of an order: only those
// that are the patient's to send count.
func TestApply_ServerOwnsEverythingElse(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p, other := a.Login("P0001", "wechat"), a.Login("P0002", "wechat")
	res := p.Apply("wechat", "transfer", 1200, map[string]any{
		"no": "R1", "status": "approved", "patient": other.ID, "institution": "x", "version": 7, "his_refund_no": "H1",
		"his_refund_date": "2026-01-01 00:00:00Z",
		"channel_bill_no": "B1", "paid_at": "2026-01-01 00:00:00Z", "fail_code": "x", "fail_reason": "x", "review_mode": "auto",
		"debit_at": "approval",
		"target":   "rejected", "suspended_from": "paying", "compensates": "x", "cancel_asked": true, "group_seq": 9,
		"lease_until": "2030-01-01 00:00:00Z",
		"lease_owner": "x", "next_at": "2030-01-01 00:00:00Z", "tries": 5, "payee_type": "alipay_user_id", "payee_index": "x",
		"payee_account_sealed": "x",
		"payee_name_sealed":    "x", "notify_phone_sealed": "x", "original": map[string]any{"TradeNo": "x"}, "payee_account": "someone-else",
		"created": "2020-01-01 00:00:00Z", "deposit_no": "",
	})
	if res.Status != 200 {
		t.Fatalf("apply: %d %s", res.Status, res.Raw)
	}
	o := a.Order(res.Text("id")).Order
	if o.Patient != p.ID || o.Institution != a.Institution || o.Status != refund.StatusSubmitted || o.No == "R1" || o.HISRefundNo != "" ||
		o.ChannelNo != "" ||
		!o.PaidAt.IsZero() || o.FailCode != "" || o.ReviewMode != "" || o.DebitAt != refund.DebitAtApplication || o.Target != "" ||
		o.SuspendedFrom != "" ||
		o.Compensates != "" || o.CancelAsked || o.GroupSeq != 0 || o.Tries != 0 || o.Original != nil || o.Created.Year() < 2026 {
		t.Errorf("a field was taken from the patient: %+v", o)
	}
	if who := a.Sims.World.Find("P0001"); o.Payee.Account != who.Openid || o.Payee.Type != refund.AccountWechatOpenID {
		t.Error("the payee is not the patient's own account")
	}
	for field, value := range map[string]any{"amount+": 5000, "amount-": -5000, "@json": map[string]any{"amount": 999999},
		"@jsonPayload": `{"amount": 999999, "status": "approved"}`} {
		p := a.Login("P0004", "wechat")
		res := p.Apply("wechat", "transfer", 1000, map[string]any{field: value})
		if res.Status != 200 {
			continue
		}
		id := res.Text("id")
		if o := a.Order(id).Order; o.Amount != 1000 && field != "amount+" && field != "amount-" {
			t.Errorf("%s made it %d", field, o.Amount)
		}
		if got := a.Order(id).Order.Amount; res.Text("amount") != fmt.Sprint(int64(got)) {
			t.Errorf("%s: told %s, stored %d", field, res.Text("amount"), got)
		}
		if err := a.Service.Cancel(t.Context(), id, people.By{Kind: people.ByPatient, ID: p.ID}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestApply_SameIDTwiceIsOneOrder repeats one application, alone and in
// parallel.
func TestApply_SameIDTwiceIsOneOrder(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	const id = "abcdefghij00001"
	var mu sync.Mutex
	var statuses []int
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			res := p.Apply("wechat", "transfer", 1200, map[string]any{"id": id})
			mu.Lock()
			defer mu.Unlock()
			statuses = append(statuses, res.Status)
			if res.Status != 200 || res.Text("id") != id {
				t.Errorf("repeat: %d %s", res.Status, res.Raw)
			}
		})
	}
	wg.Wait()
	if res := p.Apply("wechat", "transfer", 1300, map[string]any{"id": id}); res.Status != 409 || res.Code() != "conflict" {
		t.Errorf("same id, other amount: %d %s", res.Status, res.Raw)
	}
	if res := a.Login("P0002", "wechat").Apply("wechat", "transfer", 1200, map[string]any{"id": id}); res.Status != 409 ||
		strings.Contains(string(res.Raw), p.ID) {
		t.Errorf("same id, other patient: %d %s", res.Status, res.Raw)
	}
	if n, err := a.Runtime.App.CountRecords(collections.RefundOrders); err != nil || n != 1 {
		t.Errorf("%d orders, %v", n, err)
	}
	a.Drain()
	if n := len(a.Sims.HIS.Ledger().Entries()); n != 1 {
		t.Errorf("%d movements at HIS", n)
	}
}

// TestApply_OneActiveOrderPerCard lets twenty different applications for one
// card arrive at once.
func TestApply_OneActiveOrderPerCard(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	var mu sync.Mutex
	won := 0
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			res := p.Apply("wechat", "transfer", 1200, nil)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case res.Status == 200:
				won++
			case res.Status != 409 || res.Code() != "active_order_exists":
				t.Errorf("loser: %d %s", res.Status, res.Raw)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d orders for one card", won)
	}
}

// TestApply_BalanceIsAskedWhateverThePath proves that no spelling of the path
// avoids the fresh balance.
func TestApply_BalanceIsAskedWhateverThePath(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	c, err := a.Runtime.App.FindCollectionByNameOrId(collections.RefundOrders)
	if err != nil {
		t.Fatal(err)
	}
	for i, spelled := range []string{collections.RefundOrders, "Refund_Orders", c.Id} {
		p := a.Login(fmt.Sprintf("P%04d", i+1), "wechat")
		body := map[string]any{
			"card_no": p.Card, "amount": 1000, "method": "transfer", "channel": "wechat", "payee_name": p.Name, "notify_phone": p.Phone,
			"notice_version": "1",
		}
		before := a.Sims.HIS.Requests().Count("balance", "")
		all := len(a.Sims.HIS.Requests().All())
		res := p.Call("POST", "/api/collections/"+spelled+"/records", p.Token, body)
		if res.Status != 200 {
			t.Errorf("%s: %d %s", spelled, res.Status, res.Raw)
		}
		if len(a.Sims.HIS.Requests().All()) == all {
			t.Errorf("%s: HIS was not asked (%d)", spelled, before)
		}
	}
}

func TestGuards_CoverEveryMoneyCollection(t *testing.T) {
	for _, name := range []string{"refund_orders", "refund_events", "transfer_orders", "his_calls", "reviews", "callbacks", "audit_log",
		"vault_keys", "connections"} {
		if !slices.Contains(collections.Guarded(), name) {
			t.Errorf("%s is not guarded", name)
		}
	}
}
