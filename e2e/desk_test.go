package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/lab/testapp"
	"hospay/people"
	"hospay/refund"
	"hospay/store"

	"github.com/pocketbase/dbx"
)

// irreversible is a program whose HIS offers no reversal.
func irreversible(t *testing.T) *testapp.App {
	t.Helper()
	a := testapp.New(t, testapp.Config{})
	set(t, a, collections.HISConfigs, `institution = "`+a.Institution+`"`, map[string]any{"reversible": false})
	return a
}

// lapsed is a suspended order: the payee did not confirm, the channel closed
// the payout, and HIS does not take the balance back.
func lapsed(t *testing.T, a *testapp.App, no string) refund.Work {
	t.Helper()
	id := approved(t, a, no, "wechat", "transfer", 3000)
	wantStatus(t, a, id, refund.StatusAwaitingPayee)
	a.Advance(25 * time.Hour)
	a.Drain()
	w := wantStatus(t, a, id, refund.StatusSuspense)
	a.Advance(2 * time.Minute)
	return w
}

func onDesk(a *testapp.App, token, id, step string, body map[string]any) testapp.Answer {
	return a.Call("POST", "/api/hospay/desk/suspense/"+id+"/"+step, token, body)
}

// rowOf finds an order on a desk.
func deskRow(t *testing.T, a *testapp.App, desk, id string) map[string]any {
	t.Helper()
	res := a.Call("GET", "/api/hospay/desk/"+desk, a.Staff("auditor"), nil)
	if res.Status != 200 {
		t.Fatalf("%s: %d %s", desk, res.Status, res.Raw)
	}
	rows, _ := res.Body["rows"].([]any)
	for _, r := range rows {
		if m, _ := r.(map[string]any); m["id"] == id {
			return m
		}
	}
	return nil
}

func offered(row map[string]any) string {
	var out []string
	actions, _ := row["actions"].([]any)
	for _, x := range actions {
		m, _ := x.(map[string]any)
		if m["safe"] == true {
			out = append(out, m["action"].(string))
		}
		if !chinese(m["why"].(string)) || !chinese(m["text"].(string)) {
			out = append(out, "without a sentence")
		}
	}
	return strings.Join(out, " ")
}

func TestSuspense_DeskTellsWhereTheAmountLies(t *testing.T) {
	a := irreversible(t)
	w := lapsed(t, a, "P0001")
	row := deskRow(t, a, "suspense", w.Order.ID)
	if row == nil {
		t.Fatal("the order is not on the desk")
	}
	if got := offered(row); got != "resume pay_again paid_by_hand restored_by_hand" {
		t.Errorf("offered: %s", got)
	}
	where, _ := row["where"].(string)
	if !strings.Contains(where, "30.00") || !strings.Contains(where, "医院账上") || row["from"] != "reversing" ||
		row["code"] != "his_no_reversal" || row["proposal"] != nil || row["since"] == "" {
		t.Errorf("row: %v", row)
	}
	sides, _ := row["sides"].(map[string]any)
	channel, _ := sides["channel"].(map[string]any)
	if channel["state"] != "not" || channel["no"] != w.Transfer.No || channel["amount"] != 3000.0 {
		t.Errorf("channel: %v", channel)
	}
}

// TestSuspense_TwoPeoplePayAgain: nobody alone, and the second payout is the
// only one that pays.
func TestSuspense_TwoPeoplePayAgain(t *testing.T) {
	a := irreversible(t)
	w := lapsed(t, a, "P0001")
	id, finance, reviewer := w.Order.ID, a.Staff("finance"), a.Staff("reviewer2")
	pay := map[string]any{"action": "pay_again", "reason": "患者确认仍要收款"}
	wantRefusal(t, "没有理由", onDesk(a, finance, id, "propose", map[string]any{"action": "pay_again"}), 400, "note_required")
	wantRefusal(t, "HIS 不能撤销", onDesk(a, finance, id, "propose", map[string]any{"action": "restore", "reason": "核对"}), 409, "action_unsafe")
	wantRefusal(t, "先确认", onDesk(a, finance, id, "confirm", nil), 409, "no_proposal")
	if res := onDesk(a, finance, id, "propose", pay); res.Status != 200 {
		t.Fatalf("propose: %d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "再提一次", onDesk(a, reviewer, id, "propose", pay), 409, "proposal_exists")
	wantRefusal(t, "自己确认", onDesk(a, finance, id, "confirm", nil), 403, "same_person")
	person := a.Store.PersonIndex(a.Sims.World.Find("P0009").IDNo)
	for _, name := range []string{"finance", "reviewer2"} {
		set(t, a, collections.Staff, `email = "`+name+`@demo.hospay"`, map[string]any{"person_index": person})
	}
	wantRefusal(t, "同一自然人", onDesk(a, reviewer, id, "confirm", nil), 403, "same_person")
	set(t, a, collections.Staff, `email = "reviewer2@demo.hospay"`,
		map[string]any{"person_index": a.Store.PersonIndex(a.Sims.World.Find("P0001").IDNo)})
	wantRefusal(t, "患者本人", onDesk(a, reviewer, id, "confirm", nil), 403, "self_review")
	set(t, a, collections.Staff, `email = "reviewer2@demo.hospay"`, map[string]any{"person_index": ""})
	wantRefusal(t, "没有登记身份", onDesk(a, reviewer, id, "confirm", nil), 403, "person_unknown")
	set(t, a, collections.Staff, `email = "reviewer2@demo.hospay"`, map[string]any{"person_index": "another-person"})
	if p, _ := deskRow(t, a, "suspense", id)["proposal"].(map[string]any); p["action"] != "pay_again" || p["reason"] != "患者确认仍要收款" {
		t.Errorf("proposal: %v", p)
	}
	// A program that starts anew knows the proposal: it is in the books.
	anew := refund.NewService(store.New(a.Runtime.App, a.Store.Vault()), a.Store, refund.DefaultTiming(), a.Now, nil)
	staff := must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "reviewer2@demo.hospay"))
	if err := anew.Confirm(t.Context(), id, flow.Seen{Action: "pay_again"}, people.By{Kind: people.ByStaff, ID: staff.Id},
		"同意"); err != nil {
		t.Fatal(err)
	}
	a.Drain()
	again := wantStatus(t, a, id, refund.StatusAwaitingPayee)
	if again.Transfer.No == w.Transfer.No || again.Transfer.Attempt != 2 {
		t.Errorf("number %s after %s", again.Transfer.No, w.Transfer.No)
	}
	if err := a.Sims.WeChat.Confirm(again.Transfer.No); err != nil {
		t.Fatal(err)
	}
	a.Advance(time.Minute)
	a.Drain()
	wantStatus(t, a, id, refund.StatusSucceeded)
	for _, action := range []string{"suspense.proposed", "suspense.confirmed"} {
		if n := countRows(t, a, collections.AuditLog, dbx.HashExp{"action": action, "target": id}); n != 1 {
			t.Errorf("%d entries of %s in the audit log", n, action)
		}
	}
	wantRefusal(t, "已不在挂账", onDesk(a, finance, id, "propose", pay), 409, "conflict")
	balanced(t, a)
}

func TestSuspense_SettledByHandWithVoucher(t *testing.T) {
	a := irreversible(t)
	for action, want := range map[string]refund.Status{"paid_by_hand": refund.StatusSucceeded, "restored_by_hand": refund.StatusFailed} {
		no := map[string]string{"paid_by_hand": "P0002", "restored_by_hand": "P0003"}[action]
		id := lapsed(t, a, no).Order.ID
		wantRefusal(t, "没有凭证", onDesk(a, a.Staff("finance"), id, "propose", map[string]any{"action": action, "reason": "已在窗口办理"}), 400,
			"evidence_required")
		if res := onDesk(a, a.Staff("finance"), id, "propose", map[string]any{"action": action, "reason": "已在窗口办理",
			"evidence": "V20261124-7"}); res.Status != 200 {
			t.Fatalf("propose: %d %s", res.Status, res.Raw)
		}
		wantRefusal(t, "看到的是别的处理", onDesk(a, a.Staff("reviewer1"), id, "confirm", map[string]any{"action": "pay_again"}), 409, "conflict")
		if res := onDesk(a, a.Staff("reviewer1"), id, "confirm", map[string]any{"action": action, "note": "凭证已核"}); res.Status != 200 {
			t.Fatalf("confirm: %d %s", res.Status, res.Raw)
		}
		a.Drain()
		wantStatus(t, a, id, want)
		if deskRow(t, a, "suspense", id) != nil {
			t.Errorf("%s: still on the desk", action)
		}
		events, _ := a.Store.Events(t.Context(), id)
		if last := events[len(events)-1]; !strings.Contains(last.Message, "V20261124-7") || last.Actor == "" {
			t.Errorf("%s: last event %+v", action, last)
		}
	}
	balanced(t, a)
}

// TestSuspense_ProposalChangedAfterItWasRead: the same action, proposed anew
// with another voucher, is not what the second person has looked at.
func TestSuspense_ProposalChangedAfterItWasRead(t *testing.T) {
	a := irreversible(t)
	id, finance, reviewer := lapsed(t, a, "P0001").Order.ID, a.Staff("finance"), a.Staff("reviewer1")
	hand := func(voucher string) map[string]any {
		return map[string]any{"action": "paid_by_hand", "reason": "已在窗口付款", "evidence": voucher}
	}
	read := func() map[string]any {
		p, _ := deskRow(t, a, "suspense", id)["proposal"].(map[string]any)
		return map[string]any{"action": p["action"], "seq": p["seq"]}
	}
	onDesk(a, finance, id, "propose", hand("V1"))
	seen := read()
	onDesk(a, finance, id, "withdraw", nil)
	onDesk(a, finance, id, "propose", hand("V2"))
	wantRefusal(t, "看到的是别的凭证", onDesk(a, reviewer, id, "confirm", seen), 409, "conflict")
	wantStatus(t, a, id, refund.StatusSuspense)
	if res := onDesk(a, reviewer, id, "confirm", read()); res.Status != 200 {
		t.Errorf("confirm: %d %s", res.Status, res.Raw)
	}
}

// TestSuspense_RestoreOnceHISCan: IT switches the reversal on, two people give
// the balance back.
func TestSuspense_RestoreOnceHISCan(t *testing.T) {
	a := irreversible(t)
	before := a.Sims.HIS.Balance("C0001")
	id := lapsed(t, a, "P0001").Order.ID
	set(t, a, collections.HISConfigs, `institution = "`+a.Institution+`"`, map[string]any{"reversible": true})
	if res := onDesk(a, a.Staff("reviewer1"), id, "propose", map[string]any{"action": "restore", "reason": "HIS 已开通撤销"}); res.Status != 200 {
		t.Fatalf("propose: %d %s", res.Status, res.Raw)
	}
	if res := onDesk(a, a.Staff("reviewer2"), id, "withdraw", map[string]any{"note": "再等等"}); res.Status != 200 {
		t.Fatalf("withdraw: %d %s", res.Status, res.Raw)
	}
	wantRefusal(t, "撤回后确认", onDesk(a, a.Staff("reviewer2"), id, "confirm", nil), 409, "no_proposal")
	onDesk(a, a.Staff("reviewer2"), id, "propose", map[string]any{"action": "restore", "reason": "HIS 已开通撤销"})
	if res := onDesk(a, a.Staff("finance"), id, "confirm", nil); res.Status != 200 {
		t.Fatalf("confirm: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	wantStatus(t, a, id, refund.StatusFailed)
	if after := a.Sims.HIS.Balance("C0001"); after != before {
		t.Errorf("balance %d, want %d", after, before)
	}
	balanced(t, a)
}

// TestSuspense_SilentSidesProveNothing: while a side does not answer, nothing
// is done; and SQL cannot confirm alone.
func TestSuspense_SilentSidesProveNothing(t *testing.T) {
	a := irreversible(t)
	id := lapsed(t, a, "P0001").Order.ID
	finance := must(a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "finance@demo.hospay"))
	if res := onDesk(a, a.Staff("finance"), id, "propose", map[string]any{"action": "pay_again", "reason": "核对"}); res.Status != 200 {
		t.Fatalf("propose: %d %s", res.Status, res.Raw)
	}
	_, err := a.Runtime.App.NonconcurrentDB().NewQuery(
		"INSERT INTO refund_events (id, `order`, institution, seq, `from`, `to`, event, code, " +
			"actor) VALUES ('x00000000000001', {:o}, {:i}, 900, 'suspense', 'paying', 'suspense.confirmed', 'pay_again', {:a})").
		Bind(dbx.Params{"o": id, "i": a.Institution, "a": finance.Id}).Execute()
	if err == nil || !strings.Contains(err.Error(), "another person confirms") {
		t.Errorf("SQL confirmed alone: %v", err)
	}
	a.Sims.WeChat.Close()
	wantRefusal(t, "渠道没有应答", onDesk(a, a.Staff("reviewer1"), id, "confirm", nil), 503, "channel_unavailable")
	wantStatus(t, a, id, refund.StatusSuspense)
}

// TestUnknownDesk_OldestFirst lists what has no answer, and what for.
func TestUnknownDesk_OldestFirst(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	pay := apply(t, a.Login("P0001", "alipay"), "alipay", "transfer", 3000, nil)
	a.Drain()
	a.Review(a.Staff("reviewer1"), pay, "approve", "")
	a.Sims.Alipay.Close()
	a.Drain()
	debit := apply(t, a.Login("P0002", "wechat"), "wechat", "transfer", 2000, nil)
	a.Sims.HIS.Close()
	a.Advance(time.Second)
	a.Drain()
	first, later := deskRow(t, a, "unknown", pay), deskRow(t, a, "unknown", debit)
	if first["what"] != "payout" || later["what"] != "his_debit" || first["since"] == "" || first["next_at"] == "" ||
		first["amount"] != 3000.0 || later["tries"] == 0.0 {
		t.Errorf("rows: %v %v", first, later)
	}
	res := a.Call("GET", "/api/hospay/desk/unknown?perPage=1&page=1", a.Staff("cashier"), nil)
	rows, _ := res.Body["rows"].([]any)
	if len(rows) != 1 || res.Text("total") != "2" || rows[0].(map[string]any)["id"] != pay {
		t.Errorf("first page: %s", res.Raw)
	}
}

// TestSuspense_RefusedReversalGoesOutUnderItsNumber: HIS has refused, two
// people let the same number go again, and nobody can pay what was rejected.
func TestSuspense_RefusedReversalGoesOutUnderItsNumber(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	before := a.Sims.HIS.Balance("C0003")
	offersReversal := func(yes string) {
		t.Helper()
		res, err := http.Post(a.Sims.HIS.URL()+"/_sim/settings", "application/json", strings.NewReader(`{"reverse_supported":`+yes+`}`))
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("settings: %v %v", res, err)
		}
		res.Body.Close()
	}
	offersReversal("false")
	id := reviewing(t, a, a.Login("P0003", "alipay"), 2000)
	a.Review(a.Staff("reviewer1"), id, "reject", "不符")
	a.Drain()
	wantStatus(t, a, id, refund.StatusSuspense)
	a.Advance(2 * time.Minute)
	if got := offered(deskRow(t, a, "suspense", id)); got != "resume restore restored_by_hand" {
		t.Errorf("offered: %s", got)
	}
	wantRefusal(t, "驳回的不能付", onDesk(a, a.Staff("finance"), id, "propose", map[string]any{"action": "pay_again", "reason": "核对"}), 409,
		"action_unsafe")
	offersReversal("true")
	onDesk(a, a.Staff("finance"), id, "propose", map[string]any{"action": "restore", "reason": "HIS 已恢复"})
	if res := onDesk(a, a.Staff("reviewer2"), id, "confirm", map[string]any{"note": "同意"}); res.Status != 200 {
		t.Fatalf("confirm: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	wantStatus(t, a, id, refund.StatusRejected)
	if n := countRows(t, a, collections.HISCalls, dbx.HashExp{"order": id, "kind": "reverse"}); n != 1 {
		t.Errorf("%d reversals", n)
	}
	if after := a.Sims.HIS.Balance("C0003"); after != before {
		t.Errorf("balance %d, want %d", after, before)
	}
	balanced(t, a)
}
