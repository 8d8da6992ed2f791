package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"hospay/books"
	"hospay/collections"
	"hospay/internal/testday"
	"hospay/internal/vault"
	"hospay/lab/testapp"
	"hospay/refund"
	"hospay/sim"
	"hospay/sim/alipay"
	"hospay/sim/all"
	"hospay/sim/wechat"

	"github.com/pocketbase/dbx"
)

// simConfig reads what a simulator hands to a merchant.
func simConfig(t *testing.T, url string) map[string]any {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	out := map[string]any{}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// secretsInput is the write-only text of new keys.
func secretsInput(t *testing.T, config map[string]any, names map[string]string) string {
	t.Helper()
	keys := map[string]any{}
	for ours, theirs := range names {
		keys[ours] = config[theirs]
	}
	text, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// moveWeChat makes another merchant the one in force, as two people would.
func moveWeChat(t *testing.T, a *testapp.App, merchant string) {
	t.Helper()
	c := simConfig(t, a.Sims.WeChat.URL()+"/_sim/config?merchant="+merchant)
	set(t, a, collections.ChannelConfigs, `channel = "wechat"`, map[string]any{
		"merchant_id": c["mch_id"], "app_id": c["app_id"], "secrets_input": secretsInput(t, c, map[string]string{
			"private_key": "mch_private_key", "serial_no": "mch_cert_serial", "api_v3_key": "api_v3_key", "public_key": "public_key",
			"public_key_id": "public_key_id", "platform_certs": "platform_cert",
		}),
	})
}

func moveAlipay(t *testing.T, a *testapp.App, query string) {
	t.Helper()
	c := simConfig(t, a.Sims.Alipay.URL()+"/_sim/config?"+query)
	set(t, a, collections.ChannelConfigs, `channel = "alipay"`, map[string]any{
		"merchant_id": c["pid"], "app_id": c["app_id"], "secrets_input": secretsInput(t, c, map[string]string{
			"private_key": "app_private_key", "app_cert": "app_cert", "alipay_cert": "alipay_cert", "alipay_root_cert": "alipay_root_cert",
		}),
	})
}

// plan has the next call of an operation go wrong.
func plan(t *testing.T, core *sim.Core, op, fault string) {
	t.Helper()
	if err := core.Faults().Plan(op, fault); err != nil {
		t.Fatal(err)
	}
}

// paidBy lists the merchants that have paid, in order.
func paidBy(core *sim.Core) (out []string) {
	for _, e := range core.Ledger().Entries() {
		if e.Kind == "transfer" {
			out = append(out, e.Merchant)
		}
	}
	return out
}

// moved counts the movements of a kind.
func moved(core *sim.Core, kind string) (n int) {
	for _, e := range core.Ledger().Entries() {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

func underWay(t *testing.T, a *testapp.App, name, merchant string) int {
	t.Helper()
	all, err := a.Store.Connections(t.Context(), a.Institution)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Name == name && (merchant == "" || c.MerchantID == merchant) {
			return c.Open
		}
	}
	t.Fatalf("no connection %s %s in %+v", name, merchant, all)
	return 0
}

// TestConnection_ChangedWeChatMerchantDoesNotPayAgain: a payout whose outcome
// is open stays with the merchant that it was sent through.
func TestConnection_ChangedWeChatMerchantDoesNotPayAgain(t *testing.T) {
	for name, fault := range map[string]string{"waits for its payee": "", "answer lost": "timeout_after"} {
		t.Run(name, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			if fault != "" {
				plan(t, a.Sims.WeChat.Core, "transfer", fault)
			}
			id := apply(t, a.Login("P0001", "wechat"), "wechat", "transfer", 1234, nil)
			a.Drain()
			if res := a.Review(a.Staff("reviewer1"), id, "approve", ""); res.Status != 200 {
				t.Fatal(res.Raw)
			}
			a.Drain()
			moveWeChat(t, a, wechat.SecondMchID)
			if n := underWay(t, a, "wechat", wechat.MchID); n != 1 {
				t.Errorf("%d orders under way at the old merchant", n)
			}
			a.Advance(2 * time.Minute)
			a.Drain()
			w := wantStatus(t, a, id, refund.StatusAwaitingPayee)
			if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
				t.Fatal(err)
			}
			a.Advance(10 * time.Minute)
			a.Drain()
			wantStatus(t, a, id, refund.StatusSucceeded)
			if by := paidBy(a.Sims.WeChat.Core); len(by) != 1 || by[0] != wechat.MchID {
				t.Errorf("paid by %v", by)
			}
			next := apply(t, a.Login("P0002", "wechat"), "wechat", "transfer", 500, nil)
			a.Drain()
			a.Review(a.Staff("reviewer1"), next, "approve", "")
			a.Drain()
			w = wantStatus(t, a, next, refund.StatusAwaitingPayee)
			if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
				t.Fatal(err)
			}
			if by := paidBy(a.Sims.WeChat.Core); len(by) != 2 || by[1] != wechat.SecondMchID {
				t.Errorf("the new order was paid by %v", by)
			}
		})
	}
}

// TestConnection_ChangedAlipayDoesNotPayAgain: the same for another merchant
// and for another application.
func TestConnection_ChangedAlipayDoesNotPayAgain(t *testing.T) {
	for name, query := range map[string]string{"merchant": "merchant=" + alipay.SecondPID, "application": "app_id=" + alipay.SecondAppID} {
		t.Run(name, func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			if name == "application" {
				if err := a.Sims.Alipay.Settings().Patch([]byte(`{"number_scope":"app"}`)); err != nil {
					t.Fatal(err)
				}
			}
			plan(t, a.Sims.Alipay.Core, "transfer", "timeout_after")
			id := apply(t, a.Login("P0001", "alipay"), "alipay", "transfer", 1234, nil)
			a.Drain()
			a.Review(a.Staff("reviewer1"), id, "approve", "")
			a.Drain()
			moveAlipay(t, a, query)
			a.Advance(10 * time.Minute)
			a.Drain()
			wantStatus(t, a, id, refund.StatusSucceeded)
			if by := paidBy(a.Sims.Alipay.Core); len(by) != 1 || by[0] != alipay.PID {
				t.Errorf("paid by %v", by)
			}
		})
	}
}

// TestConnection_ChangedHISDoesNotDebitAgain: a debit whose answer was lost is
// asked for where it was sent, and undone there.
func TestConnection_ChangedHISDoesNotDebitAgain(t *testing.T) {
	sims, err := all.Start(t.Context(), all.Options{Seed: 1, Patients: 20, SecondHIS: true, Ahead: testday.Ahead()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sims.Close() })
	a := testapp.New(t, testapp.Config{Sims: sims})
	plan(t, sims.HIS.Core, "debit", "timeout_after")
	id := apply(t, a.Login("P0001", "wechat"), "wechat", "transfer", 1234, nil)
	a.Drain()
	wantStatus(t, a, id, refund.StatusDebiting)
	set(t, a, collections.HISConfigs, "active = true", map[string]any{"base_url": sims.HIS2.URL()})
	a.Advance(10 * time.Minute)
	a.Drain()
	wantStatus(t, a, id, refund.StatusReviewing)
	if n := moved(sims.HIS2.Core, "debit"); n != 0 {
		t.Errorf("%d debits at the new HIS", n)
	}
	if res := a.Review(a.Staff("reviewer1"), id, "reject", "资料不符"); res.Status != 200 {
		t.Fatal(res.Raw)
	}
	a.Drain()
	wantStatus(t, a, id, refund.StatusRejected)
	if d, r := moved(sims.HIS.Core, "debit"), moved(sims.HIS.Core, "reverse"); d != 1 || r != 1 {
		t.Errorf("old HIS: %d debits, %d reversals", d, r)
	}
	next := apply(t, a.Login("P0002", "wechat"), "wechat", "transfer", 500, nil)
	a.Drain()
	wantStatus(t, a, next, refund.StatusReviewing)
	if n := moved(sims.HIS2.Core, "debit"); n != 1 {
		t.Errorf("%d debits at the new HIS after a new application", n)
	}
}

// TestConnection_CallbackCountsFromItsOwnMerchantOnly: the old merchant is still
// listened to, and the new one cannot speak for it.
func TestConnection_CallbackCountsFromItsOwnMerchantOnly(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	w := awaiting(t, a, a.Login("P0001", "wechat"))
	moveWeChat(t, a, wechat.SecondMchID)
	foreign := truth(t, w, "foreign", "SUCCESS")
	foreign.key, foreign.serial, foreign.apiKey = wechatKey(t, "wechat-public-2"), wechat.SecondPublicKeyID, wechat.SecondAPIv3Key
	foreign.content["mch_id"] = wechat.SecondMchID
	if status, answer := foreign.post(t, a); status != 200 {
		t.Errorf("callback of the new merchant: %d %s", status, answer)
	}
	if got := a.Order(w.Order.ID); got.Order.Status != refund.StatusAwaitingPayee {
		t.Errorf("the new merchant moved it to %s", got.Order.Status)
	}
	if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
		t.Fatal(err)
	}
	if status, answer := truth(t, w, "own", "SUCCESS").post(t, a); status != 200 {
		t.Errorf("callback of the old merchant: %d %s", status, answer)
	}
	wantStatus(t, a, w.Order.ID, refund.StatusSucceeded)
}

// TestConnection_RecordsWithOpenCallsStay: by nobody and no way.
func TestConnection_RecordsWithOpenCallsStay(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	w := awaiting(t, a, a.Login("P0001", "wechat"))
	super := a.Superuser()
	for _, c := range []struct{ collection, where string }{
		{collections.ChannelConfigs, `channel = "wechat"`}, {collections.HISConfigs, "active = true"},
	} {
		rec, err := a.Runtime.App.FindFirstRecordByFilter(c.collection, c.where)
		if err != nil {
			t.Fatal(err)
		}
		path := "/api/collections/" + c.collection + "/records/" + rec.Id
		wantRefusal(t, c.collection, a.Call("DELETE", path, super, nil), 409, "connection_in_use")
		_, err = a.Runtime.App.NonconcurrentDB().Delete(c.collection, dbx.HashExp{"id": rec.Id}).Execute()
		if err == nil || !strings.Contains(err.Error(), "calls under way") {
			t.Errorf("%s by SQL: %v", c.collection, err)
		}
	}
	if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
		t.Fatal(err)
	}
	a.Advance(10 * time.Minute)
	a.Drain()
	wantStatus(t, a, w.Order.ID, refund.StatusSucceeded)
	rec, err := a.Runtime.App.FindFirstRecordByFilter(collections.ChannelConfigs, `channel = "wechat"`)
	if err != nil {
		t.Fatal(err)
	}
	if res := a.Call("DELETE", "/api/collections/channel_configs/records/"+rec.Id, super, nil); res.Status != 204 {
		t.Errorf("nothing needs it any more: %d %s", res.Status, res.Raw)
	}
}

// TestConnection_KeysGoWhenNothingNeedsThem: not before, and they follow a
// rotation of the merchant's keys meanwhile.
func TestConnection_KeysGoWhenNothingNeedsThem(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	w := awaiting(t, a, a.Login("P0001", "wechat"))
	moveWeChat(t, a, wechat.SecondMchID)
	held := func() (n int) {
		all, err := a.Store.Connections(t.Context(), a.Institution)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range all {
			if c.Held {
				n++
			}
		}
		return n
	}
	before := held()
	if n, err := a.Store.ForgetConnections(t.Context(), a.Institution); n != 0 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
	if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
		t.Fatal(err)
	}
	a.Advance(10 * time.Minute)
	a.Drain()
	wantStatus(t, a, w.Order.ID, refund.StatusSucceeded)
	a.Advance(10 * 24 * time.Hour)
	if n, err := a.Store.ForgetConnections(t.Context(), a.Institution); n != 0 || err != nil {
		t.Errorf("after ten days: forgot %d, %v", n, err)
	}
	a.Advance(40 * 24 * time.Hour)
	if n, err := a.Store.ForgetConnections(t.Context(), a.Institution); n != 1 || err != nil || held() != before-1 {
		t.Errorf("after fifty days: forgot %d, %v, %d of %d held", n, err, held(), before)
	}
	if got, err := a.Store.ChannelOf(t.Context(), w.Transfer.Connection); err == nil {
		t.Errorf("still built: %v", got)
	}
}

// TestConnection_BooksHaveTheBillsOfBothMerchants: the day of a change has the
// bills of the old merchant and of the new one, and what both paid shows.
func TestConnection_BooksHaveTheBillsOfBothMerchants(t *testing.T) {
	for _, twice := range []bool{false, true} {
		t.Run(fmt.Sprintf("paid twice %v", twice), func(t *testing.T) {
			a := testapp.New(t, testapp.Config{})
			toMorning(a)
			pay := func(patient string) refund.Work {
				w := awaiting(t, a, a.Login(patient, "wechat"))
				if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
					t.Fatal(err)
				}
				a.Advance(10 * time.Minute)
				a.Drain()
				return wantStatus(t, a, w.Order.ID, refund.StatusSucceeded)
			}
			first := pay("P0001")
			moveWeChat(t, a, wechat.SecondMchID)
			pay("P0002")
			day := clockDay(a)
			if twice {
				entry, err := json.Marshal(map[string]any{"entries": []map[string]any{{"at": a.Now(), "kind": "transfer", "no": first.Transfer.No,
					"merchant": wechat.SecondMchID, "party": first.Order.Payee.Account, "amount": int64(first.Order.Amount)}}})
				if err != nil {
					t.Fatal(err)
				}
				res, err := http.Post(a.Sims.WeChat.URL()+"/_sim/history", "application/json", bytes.NewReader(entry))
				if err != nil || res.StatusCode != 200 {
					t.Fatal(res, err)
				}
			}
			toMorning(a)
			runJob(t, a, "statements", "reconcile")
			all, err := a.Books.Statements(t.Context(), a.Institution, day, day)
			if err != nil {
				t.Fatal(err)
			}
			merchants := map[string]bool{}
			for _, st := range all {
				if st.Source == "wechat" && st.State == books.Ready {
					merchants[st.Connection] = true
				}
			}
			if len(merchants) != 2 {
				t.Errorf("bills of %v in %+v", merchants, all)
			}
			v := dayView(t, a, a.Staff("finance"), day)
			found := differences(t, a, a.Staff("finance"), "day="+day)
			if !twice && (len(found) != 0 || v.State != books.Balanced) {
				t.Errorf("%s: %v", v.State, found)
			}
			if twice && (len(found) != 1 || found[0]["kind"] != "duplicate") {
				t.Errorf("%s: %v", v.State, found)
			}
		})
	}
}

// TestConnection_ANewHISCountsByItself: it may begin its numbers anew, which is
// no number that was given twice.
func TestConnection_ANewHISCountsByItself(t *testing.T) {
	sims, err := all.Start(t.Context(), all.Options{Seed: 1, Patients: 20, SecondHIS: true, Ahead: testday.Ahead()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sims.Close() })
	a := testapp.New(t, testapp.Config{Sims: sims})
	id := apply(t, a.Login("P0001", "wechat"), "wechat", "transfer", 1234, nil)
	a.Drain()
	w := wantStatus(t, a, id, refund.StatusReviewing)
	other := *w.Debit
	other.No, other.Connection = "another", "000000000000000"
	if used, err := a.Store.Taken(t.Context(), w.Order, &other, w.Debit.Theirs); err != nil || used {
		t.Errorf("the number of another HIS: %v %v", used, err)
	}
	other.Connection = w.Debit.Connection
	if used, err := a.Store.Taken(t.Context(), w.Order, &other, w.Debit.Theirs); err != nil || !used {
		t.Errorf("the number of the same HIS: %v %v", used, err)
	}
}

// TestConnection_RotatedKeysReachItsOtherAddress: a payout that was sent to
// another address of the same merchant is asked for with the keys of today.
func TestConnection_RotatedKeysReachItsOtherAddress(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	w := awaiting(t, a, a.Login("P0001", "wechat"))
	set(t, a, collections.ChannelConfigs, `channel = "wechat"`, map[string]any{
		"api_base": strings.Replace(a.Sims.WeChat.URL(), "127.0.0.1", "localhost", 1)})
	set(t, a, collections.ChannelConfigs, `channel = "wechat"`, map[string]any{"secrets_input": `{"serial_no":"ABCDEF0123456789"}`})
	var sealed string
	err := a.Runtime.App.DB().Select("secrets_sealed").From(collections.Connections).Where(dbx.HashExp{"id": w.Transfer.Connection}).
		Row(&sealed)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := a.Store.Vault().Open(vault.Place(collections.Connections, "secrets", w.Transfer.Connection), sealed)
	if err != nil || !strings.Contains(keys, "ABCDEF0123456789") {
		t.Errorf("the former address keeps the old keys: %v", err)
	}
}

// TestConnection_OneThatCannotBeReadStopsNoOther: nor the start of the program.
func TestConnection_OneThatCannotBeReadStopsNoOther(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	_, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE channel_configs SET secrets_sealed = 'spoilt', api_base = " +
		"'http://127.0.0.1:1', " +
		"updated = '2026-01-01 00:00:00.000Z'").Execute()
	if err != nil {
		t.Fatal(err)
	}
	set(t, a, collections.HISConfigs, "active = true", map[string]any{"timeout_ms": 4000})
	a.Store.Forget()
	err = a.Store.KeepConnections(t.Context())
	if err == nil || !strings.Contains(err.Error(), "wechat") || !strings.Contains(err.Error(), "alipay") ||
		strings.Contains(err.Error(), "his") {
		t.Errorf("named: %v", err)
	}
	a.Open(a.Backup())
}
