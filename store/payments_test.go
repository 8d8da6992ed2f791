package store_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/people"
	"hospay/store"

	"github.com/pocketbase/dbx"
)

// counter is a program with a patient who stands before a bill.
type counter struct {
	*testing.T
	*till
	svc     *payment.Service
	patient string
}

func atCounter(t *testing.T) *counter {
	t.Helper()
	a := testapp.New(t, testapp.Config{})
	p := a.Login("P0001", "wechat")
	if res := a.Call("GET", "/api/hospay/cards", p.Token, nil); res.Status != 200 {
		t.Fatal(res.Raw)
	}
	x := newTill(a)
	return &counter{t, x, x.service(), p.ID}
}

func (c *counter) wish(id, bill string, insured bool) payment.Application {
	return payment.Application{ID: id, Institution: c.a.Institution, Patient: c.patient, BillNo: bill, CardNo: "C0001", Channel: "wechat",
		Terminal: payment.TerminalMini, Insured: insured, Area: "440100"}
}

func (c *counter) ask() payment.AuthoriseAsk {
	return payment.AuthoriseAsk{Institution: c.a.Institution, Patient: c.patient, CardNo: "C0001", Channel: "wechat",
		Terminal: payment.TerminalMini}
}

// run lets the worker do what is due, and time pass in between.
func (c *counter) run(id string, until ...payment.Status) payment.Order {
	c.Helper()
	for range 40 {
		works, err := c.Payments.Claim(c.Context(), "w", c.a.Now(), c.a.Now().Add(time.Minute), 10)
		if err != nil {
			c.Fatal(err)
		}
		for _, w := range works {
			if err := c.svc.Advance(c.Context(), w); err != nil && !errors.Is(err, flow.ErrConflict) {
				c.Fatal(err)
			}
		}
		o := c.order(id)
		for _, s := range until {
			if o.Status == s {
				return o
			}
		}
		c.a.Skew(5 * time.Second)
	}
	events, _ := c.Payments.Events(c.Context(), id)
	c.Fatalf("%s is %s (%s %s): %+v", id, c.order(id).Status, c.order(id).FailCode, c.order(id).FailReason, events)
	return payment.Order{}
}

func (c *counter) order(id string) payment.Order {
	c.Helper()
	w, err := c.Payments.Get(c.Context(), id)
	if err != nil {
		c.Fatal(err)
	}
	return w.Order
}

func (c *counter) text(query, id string) (out string) {
	c.Helper()
	if err := c.a.Runtime.App.ConcurrentDB().NewQuery(query).Bind(dbx.Params{"id": id}).Row(&out); err != nil {
		c.Fatal(query, err)
	}
	return out
}

// TestPayments_InsuredThereAndBack walks a bill through the real store and the
// simulator of the centre: paid, written, and given back whole.
func TestPayments_InsuredThereAndBack(t *testing.T) {
	c := atCounter(t)
	if _, g, err := c.svc.Credential(t.Context(), c.ask(), "P0001"); err != nil || !g.Single() {
		t.Fatal(g, err)
	}
	if _, err := c.svc.Create(t.Context(), c.wish("pay000000000001", "B1", true)); err != nil {
		t.Fatal(err)
	}
	o := c.run("pay000000000001", payment.StatusPaying)
	if o.Insurance != payment.InsurancePriced || o.Fund <= 0 || o.Fund+o.Account+o.Cash+o.Other != 12000 || o.Secrets.Auth == "" {
		t.Fatalf("%+v", o)
	}
	if g, err := c.Payments.Credential(t.Context(), c.patient, "wechat"); err != nil || g.Single() {
		t.Error("the credential is still there for another order", g, err)
	}
	sealed := c.text("SELECT secrets_sealed || settlement_sealed FROM payment_orders WHERE id = {:id}", o.ID)
	whole := c.text("SELECT json_object('a', pay_ord_id, 'b', patient_name, 'c', payer_name, 'd', fail_reason) FROM payment_orders "+
		"WHERE id = {:id}", o.ID)
	for _, secret := range []string{o.Secrets.Auth, o.Secrets.Token, o.Secrets.Patient.IDNo, o.Secrets.Patient.Name} {
		if secret == "" || strings.Contains(sealed+whole, secret) {
			t.Errorf("%q lies open", secret)
		}
	}
	if err := c.pay(o); err != nil {
		t.Fatal(err)
	}
	o = c.run(o.ID, payment.StatusDone)
	if o.ReceiptNo == "" || o.Guide == "" || o.Settlement.SetlID == "" || o.Secrets.Auth+o.Secrets.Revs != "" || o.Secrets.Token == "" ||
		o.WrittenAt.IsZero() || len(o.Settlement.Info) > 0 || c.written["B1"] != 12000 {
		t.Fatalf("%+v", o)
	}
	through := c.text(`SELECT group_concat(DISTINCT c.kind || ':' || x.name) FROM payment_calls c JOIN connections x ON x.id = c.connection
		WHERE c."order" = {:id}`, o.ID)
	for _, want := range []string{"upload:centre", "price:centre", "trade:wechat", "mixed:wechat", "charge:his"} {
		if !strings.Contains(through, want) {
			t.Errorf("%s is not in %s", want, through)
		}
	}
	c.refundAll(o)
	if n := c.text(`SELECT COUNT(*) FROM payment_calls WHERE kind = 'refund_ins' AND "order" = {:id}`, o.ID); n != "1" {
		t.Errorf("%s numbers of 6203", n)
	}
}

// refundAll gives a paid order back, for which its patient authorises again.
func (c *counter) refundAll(o payment.Order) {
	c.Helper()
	finance, err := c.a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "finance@demo.hospay")
	if err != nil {
		c.Fatal(err)
	}
	reviewer, err := c.a.Runtime.App.FindAuthRecordByEmail(collections.Staff, "reviewer1@demo.hospay")
	if err != nil {
		c.Fatal(err)
	}
	by := func(id string) people.By { return people.By{Kind: people.ByStaff, ID: id} }
	wish := payment.RefundWish{Kind: payment.RefundAll, Reason: "医生停诊"}
	if _, err := c.svc.Refund(c.Context(), o.ID, wish, by(reviewer.Id)); !errors.Is(err, people.NotAllowed) {
		c.Error("a reviewer gives a bill back:", err)
	}
	if _, err := c.svc.Refund(c.Context(), o.ID, wish, by(finance.Id)); err != nil {
		c.Fatal(err)
	}
	c.run(o.ID, payment.StatusWaitAuth)
	_, g, err := c.svc.Credential(c.Context(), c.ask(), "P0001")
	if err == nil {
		err = c.svc.Authorise(c.Context(), o.ID, g, people.By{Kind: people.ByPatient, ID: c.patient})
	}
	if err != nil {
		c.Fatal(err)
	}
	o = c.run(o.ID, payment.StatusRefunded)
	if sealed := c.text("SELECT secrets_sealed FROM payment_orders WHERE id = {:id}", o.ID); sealed != "" || o.Secrets != (payment.Secrets{}) {
		c.Error("a refunded payment keeps secrets")
	}
	if o.CashBack != o.CashDue() || o.Insurance != payment.InsuranceReturned || c.told != 1 || len(c.written) != 0 {
		c.Errorf("%+v, told %d, written %v", o, c.told, c.written)
	}
	var back int64
	for _, e := range c.a.Sims.Centre.Ledger().Find("reversal", o.MedOrgOrd) {
		back += e.Amount
	}
	if back != int64(o.Fund+o.Account) {
		c.Errorf("the centre gave back %d of %d", back, o.Fund+o.Account)
	}
}

// TestPayments_TwoDevicesOneBill: F32.
func TestPayments_TwoDevicesOneBill(t *testing.T) {
	c := atCounter(t)
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = c.svc.Create(t.Context(), c.wish("pay00000000001"+string(rune('a'+i)), "B1", false))
		})
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if flow.CodeOf(err) != payment.CodeBillOrderExists {
			t.Error(err)
		}
	}
	if made != 1 {
		t.Errorf("%d orders of one bill", made)
	}
	if _, err := c.svc.Create(t.Context(), payment.Application{ID: "pay000000000019", Institution: c.a.Institution, Patient: c.patient,
		BillNo: "B2", CardNo: "C0002", Channel: "wechat", Terminal: payment.TerminalMini}); flow.CodeOf(err) != flow.CodeCardNotYours {
		t.Error("another's card:", err)
	}
}

// TestPayments_GuardsRefuseRawSQL lets SQL try what no code may do.
func TestPayments_GuardsRefuseRawSQL(t *testing.T) {
	c := atCounter(t)
	if _, err := c.svc.Create(t.Context(), c.wish("pay000000000001", "B1", false)); err != nil {
		t.Fatal(err)
	}
	o := c.run("pay000000000001", payment.StatusPaying)
	if err := c.pay(o); err != nil {
		t.Fatal(err)
	}
	c.run(o.ID, payment.StatusDone)
	if _, err := c.svc.Create(t.Context(), c.wish("pay000000000002", "B2", false)); err != nil {
		t.Fatal(err)
	}
	if err := c.svc.Cancel(t.Context(), "pay000000000002", people.By{Kind: people.ByPatient, ID: c.patient}); err != nil {
		t.Fatal(err)
	}
	db := c.a.Runtime.App.NonconcurrentDB()
	insert := func(table string, row dbx.Params) {
		row["institution"] = c.a.Institution
		if _, err := db.Insert(table, row).Execute(); err != nil {
			t.Fatal(table, err)
		}
	}
	insert("payment_calls", dbx.Params{"id": "pc0000000000001", "order": o.ID, "kind": "refund_ins", "attempt": 1, "no": "X1", "hash": "h"})
	insert("payment_refunds", dbx.Params{"id": "pr0000000000001", "order": o.ID, "seq": 1, "no": "X2", "state": "done", "kind": "all"})
	for name, q := range map[string]struct{ sql, want string }{
		"凭空已缴":       {"INSERT INTO payment_orders (id, no, status) VALUES ('x', 'PX', 'done')", "starts at created"},
		"跳过支付":       {"UPDATE payment_orders SET status = 'paying' WHERE id = 'pay000000000001'", "illegal move"},
		"改金额":        {"UPDATE payment_orders SET total = 1 WHERE id = 'pay000000000001'", "never change"},
		"改账单":        {"UPDATE payment_orders SET bill_no = 'B9' WHERE id = 'pay000000000001'", "never change"},
		"改分摊":        {"UPDATE payment_orders SET cash = 1 WHERE id = 'pay000000000001'", "once it is told"},
		"个账不等于本人加共济": {"UPDATE payment_orders SET account = 1 WHERE id = 'pay000000000001'", ""},
		"退得比付得多":     {"UPDATE payment_orders SET cash_back = 12001 WHERE id = 'pay000000000001'", "parts of a payment fit"},
		"终态改原因":      {"UPDATE payment_orders SET fail_code = 'x' WHERE id = 'pay000000000002'", "stays as it is"},
		"终态留密钥":      {"UPDATE payment_orders SET secrets_sealed = 'x' WHERE id = 'pay000000000002'", "keeps no secrets"},
		"删订单":        {"DELETE FROM payment_orders", "never deleted"},
		"改流水":        {"UPDATE payment_calls SET amount = 1 WHERE kind = 'charge'", "never changes"},
		"已回写改未回写":    {"UPDATE payment_calls SET state = 'open' WHERE kind = 'charge'", "stays finished"},
		"删流水":        {"DELETE FROM payment_calls", "never deleted"},
		"第二个医保退费号": {"INSERT INTO payment_calls (id, `order`, kind, attempt, no) VALUES ('pc0000000000002', 'pay000000000001', " +
			"'refund_ins', 2, 'X3')", "UNIQUE"},
		"同一账单第二单": {"INSERT INTO payment_orders (id, no, status, institution, bill_no) SELECT 'x', 'PX', 'created', institution, bill_no FROM " +
			"payment_orders WHERE id = 'pay000000000001'", "UNIQUE"},
		"改退费":   {"UPDATE payment_refunds SET cash = 5", "never changes"},
		"退完改未退": {"UPDATE payment_refunds SET state = 'open'", "stays finished"},
		"删退费":   {"DELETE FROM payment_refunds", "never deleted"},
		"改历史":   {"UPDATE payment_events SET event = 'x'", "append-only"},
		"删历史":   {"DELETE FROM payment_events", "never deleted"},
	} {
		_, err := db.NewQuery(q.sql).Execute()
		if err == nil || !strings.Contains(err.Error(), q.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPayments_CallbackIsAHint: it makes the order due, once, and nothing else.
func TestPayments_CallbackIsAHint(t *testing.T) {
	c := atCounter(t)
	if _, err := c.svc.Create(t.Context(), c.wish("pay000000000001", "B1", false)); err != nil {
		t.Fatal(err)
	}
	o := c.run("pay000000000001", payment.StatusPaying)
	cb := flow.Callback{Institution: c.a.Institution, Channel: "wechat", ID: "N1", Kind: "trade", No: o.TradeNo}
	for i, want := range []string{payment.EffectHint, payment.EffectRepeat} {
		if effect, err := c.svc.Heard(t.Context(), cb); err != nil || effect != want {
			t.Errorf("%d: %s %v", i, effect, err)
		}
	}
	if now := c.order(o.ID); now.Status != payment.StatusPaying || now.NextAt.After(c.a.Now()) {
		t.Errorf("%s, due %s", now.Status, now.NextAt)
	}
	cb.ID, cb.No = "N2", "P999"
	if effect, err := c.svc.Heard(t.Context(), cb); err != nil || effect != payment.EffectUnknownNo {
		t.Error(effect, err)
	}
	cb.ID, cb.No, cb.Connection = "N3", o.TradeNo, "another"
	if effect, err := c.svc.Heard(t.Context(), cb); err != nil || effect != payment.EffectMismatch {
		t.Error(effect, err)
	}
}

// TestPayments_TwoOfOneVersion: whoever has read an order before somebody else
// moved it writes nothing.
func TestPayments_TwoOfOneVersion(t *testing.T) {
	c := atCounter(t)
	if _, err := c.svc.Create(t.Context(), c.wish("pay000000000001", "B1", false)); err != nil {
		t.Fatal(err)
	}
	w, err := c.Payments.Get(t.Context(), "pay000000000001")
	if err != nil {
		t.Fatal(err)
	}
	change := func() *payment.Change {
		x := &payment.Change{Order: w.Order}
		x.ID, x.From, x.Version = w.Order.ID, w.Order.Status, w.Order.Version
		x.Moves = []flow.Move{{From: w.Order.Status, To: w.Order.Status, Event: "order.noted", By: people.System()}}
		return x
	}
	if err := c.Payments.Commit(t.Context(), change()); err != nil {
		t.Fatal(err)
	}
	if err := c.Payments.Commit(t.Context(), change()); !errors.Is(err, flow.ErrConflict) {
		t.Error(err)
	}
}

// TestPayments_CentreIsAConnection: what is under way stays with the centre that
// it was sent to.
func TestPayments_CentreIsAConnection(t *testing.T) {
	c := atCounter(t)
	if _, _, err := c.svc.Credential(t.Context(), c.ask(), "P0001"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.svc.Create(t.Context(), c.wish("pay000000000001", "B1", true)); err != nil {
		t.Fatal(err)
	}
	o := c.run("pay000000000001", payment.StatusPaying)
	rec, err := c.a.Runtime.App.FindFirstRecordByData(collections.CentreConfigs, "institution", c.a.Institution)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.a.Runtime.App.Delete(rec); err == nil {
		t.Error("a centre that payments under way need was deleted")
	}
	rec.Set("base_url", "https://centre.example.cn")
	if err := c.a.Runtime.App.Save(rec); err != nil {
		t.Fatal(err)
	}
	if err := c.pay(o); err != nil {
		t.Fatal(err)
	}
	c.run(o.ID, payment.StatusDone) // asked for where it was sent
	all, err := c.a.Store.Connections(t.Context(), c.a.Institution)
	centres := 0
	for _, x := range all {
		if x.Name == "centre" {
			centres++
		}
	}
	if err != nil || centres != 2 {
		t.Errorf("%d centres, %v", centres, err)
	}
	rec.Set("region", `{"base":"nowhere"}`)
	if _, err := c.a.Store.TryCentre(rec, nil); err == nil {
		t.Error("a region that nobody ships was taken")
	}
	if got := store.CentreSecrets(); len(got) != 3 {
		t.Error(got)
	}
}

// TestPayments_ALongListGoesOnBeyondItsCount: it is counted as far as a page can be
// shown at once, and pages go on to the last payment.
func TestPayments_ALongListGoesOnBeyondItsCount(t *testing.T) {
	c := atCounter(t)
	if _, err := c.svc.Create(t.Context(), c.wish("pay000000000001", "B1", false)); err != nil {
		t.Fatal(err)
	}
	const all = 2_130
	if _, err := c.a.Runtime.App.NonconcurrentDB().NewQuery("WITH RECURSIVE n(x) AS (SELECT 2 UNION ALL SELECT x + 1 FROM n WHERE x < " +
		"{:all}) INSERT INTO payment_orders (id, no, institution, patient, kind, bill_no, card_no, channel, terminal, total, status, created) " +
		"SELECT printf('copy%011d', x), printf('PX%010d', x), o.institution, o.patient, o.kind, printf('BX%d', x), o.card_no, o.channel, " +
		"o.terminal, o.total, o.status, o.created FROM n, payment_orders o WHERE o.id = 'pay000000000001'").
		Bind(dbx.Params{"all": all}).Execute(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for page := 1; page <= all/50+2; page++ {
		lines, count, more, err := c.Payments.Page(t.Context(), store.PaymentFilter{Institution: c.a.Institution}, page, 50)
		if err != nil || count != 2_000 || !more {
			t.Fatal(count, more, err)
		}
		for _, l := range lines {
			seen[l.ID] = true
		}
	}
	if len(seen) != all {
		t.Errorf("%d payments of %d are on some page", len(seen), all)
	}
	lines, count, more, err := c.Payments.Page(t.Context(), store.PaymentFilter{Institution: c.a.Institution, No: "PX0000000007"}, 1, 50)
	if err != nil || len(lines) != 1 || count != 1 || more {
		t.Error(len(lines), count, more, err)
	}
}
