package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/flow"
	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/people"
	"hospay/sim"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// in is the same payer at a program that serves from another data folder.
func (p *payer) in(b *testapp.App) *payer {
	q := *p
	q.a = b
	return &q
}

// received counts what the sides have received, by operation.
func received(a *testapp.App) map[string]int {
	out := map[string]int{}
	for _, c := range []*sim.Core{a.Sims.WeChat.Core, a.Sims.Alipay.Core, a.Sims.HIS.Core, a.Sims.Centre.Core} {
		rows, _ := c.Requests().Since("")
		for _, e := range rows {
			out[e.Op]++
		}
	}
	return out
}

// questions are the operations that move nothing.
var questions = map[string]bool{"order_query": true, "refund_query": true, "medins_query": true, "trade_check": true, "6301": true,
	"alipay.trade.query": true, "alipay.trade.fastpay.refund.query": true, "alipay.commerce.medical.payment.query": true}

// moving are the ledgers of all sides.
func moving(a *testapp.App) (n int) {
	for _, l := range []*sim.Ledger{a.Sims.WeChat.Ledger(), a.Sims.Alipay.Ledger(), a.Sims.HIS.Ledger(), a.Sims.Centre.Ledger()} {
		n += len(l.Entries())
	}
	return n
}

func release(t *testing.T, b *testapp.App) {
	t.Helper()
	finance, config := b.Staff("finance"), b.Staff("config")
	if res := b.Call("POST", "/api/hospay/restored/release", finance, map[string]any{"note": "已与渠道、中心、HIS 核对"}); res.Status != 200 {
		t.Fatalf("%s", res.Raw)
	}
	var view struct{ Proposal *struct{ Name string } }
	if err := json.Unmarshal(b.Call("GET", "/api/hospay/restored", finance, nil).Raw, &view); err != nil || view.Proposal == nil {
		t.Fatal(err, view)
	}
	if res := b.Call("POST", "/api/hospay/restored/confirm", config, map[string]any{"seen": view.Proposal.Name}); res.Status != 200 {
		t.Fatalf("%s", res.Raw)
	}
}

// copyOf is a copy of a data folder.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(to, "key.json"), 0o400); err != nil {
		t.Fatal(err)
	}
	return to
}

// foundOn is what was found about an order of a restored copy.
func foundOn(t *testing.T, b *testapp.App, id string) string {
	t.Helper()
	state, err := b.Store.Copy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range state.Found {
		if f.Order == id {
			return f.What
		}
	}
	return ""
}

// TestCopy_PaymentsMoveNothingUntilReleased: an order that was paid, written, cancelled
// or refunded after the backup is asked for by its numbers and the next ones; while the
// mark stands nothing of it moves and no order is taken; after the release every book
// says what it said before.
func TestCopy_PaymentsMoveNothingUntilReleased(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newPayer(t, a, "P0001", "wechat")
	z := newPayer(t, a, "P0002", "alipay")
	paying := p.until(p.create(p.bill(payment.KindOutpatient, 4000), false), payment.StatusPaying)
	insuredBill := z.bill(payment.KindOutpatient, 12000)
	z.identified(insuredBill)
	z.authorised()
	insured := z.until(z.create(insuredBill, true), payment.StatusPaying)
	refunded := p.until(p.create(p.bill(payment.KindOutpatient, 5000), false), payment.StatusPaying) // paid and given back since
	gone := p.until(p.create(p.bill(payment.KindOutpatient, 6000), false), payment.StatusPaying)     // cancelled since
	c := z.create(z.bill(payment.KindOutpatient, 700), false)                                        // called, paid and written since
	old := a.Backup()

	o := z.until(c, payment.StatusPaying)
	z.pays(o)
	z.until(c, payment.StatusDone)
	for _, each := range []payment.Order{paying, refunded} {
		p.pays(each)
		p.until(each.ID, payment.StatusDone)
	}
	z.pays(insured)
	insured = z.until(insured.ID, payment.StatusDone)
	p.gives(p.until(refunded.ID, payment.StatusDone), payment.RefundCash, 1500)
	p.until(refunded.ID, payment.StatusPartRefunded)
	if err := a.Runtime.Bills.Cancel(t.Context(), gone.ID, people.By{Kind: people.ByPatient, ID: p.id}); err != nil {
		t.Fatal(err)
	}
	p.until(gone.ID, payment.StatusCancelled)
	entries := moving(a)

	b := a.Open(old)
	q, y := p.in(b), z.in(b)
	_, err := b.Runtime.Bills.Create(t.Context(), payment.Application{ID: core.GenerateDefaultRandomId(), Institution: b.Institution,
		Patient: p.id,
		BillNo:  p.bill(payment.KindOutpatient, 100), CardNo: p.card(), Channel: "wechat", Terminal: payment.TerminalMini})
	if flow.CodeOf(err) != payment.CodeRestoredCopy {
		t.Error("a new order:", err)
	}
	before := received(b)
	for range 20 {
		b.Drain()
		b.Advance(time.Minute)
	}
	wantRefusal(t, "too early", b.Call("POST", "/api/hospay/restored/release", b.Staff("finance"), map[string]any{"note": "已核对"}), 409,
		"copy_unchecked")
	err = b.Runtime.Bills.Cancel(t.Context(), paying.ID, people.By{Kind: people.ByPatient, ID: p.id})
	if flow.CodeOf(err) != payment.CodeRestoredCopy {
		t.Error("a cancel:", err)
	}
	ask(t, b)
	for id, words := range map[string]string{c: "HIS 已有本单的结算", paying.ID: "HIS 已有本单的结算", insured.ID: "HIS 已有本单的结算",
		refunded.ID: "渠道已有本单的退款"} {
		if got := foundOn(t, b, id); !strings.Contains(got, words) {
			t.Errorf("%s: found %q, not %q", id, got, words)
		}
	}
	for range 20 {
		b.Drain()
		b.Advance(time.Minute)
	}
	if n := moving(b); n != entries {
		t.Errorf("a marked copy moved: %d entries of %d", n, entries)
	}
	for op, n := range received(b) {
		if n != before[op] && !questions[op] {
			t.Errorf("a marked copy has sent %s %d times", op, n-before[op])
		}
	}
	release(t, b)
	q.until(paying.ID, payment.StatusDone)
	y.until(c, payment.StatusDone)
	if now := y.until(insured.ID, payment.StatusDone); now.ReceiptNo != insured.ReceiptNo || now.Insurance != payment.InsuranceSettled {
		t.Errorf("%+v", now)
	}
	if now := q.until(refunded.ID, payment.StatusPartRefunded); now.CashBack != 1500 {
		t.Errorf("%s went back", now.CashBack)
	}
	q.until(gone.ID, payment.StatusExpired) // nobody has paid it, either way
	if n := moving(b); n != entries {
		t.Errorf("after the release: %d entries of %d", n, entries)
	}
	q.gives(q.until(refunded.ID, payment.StatusPartRefunded), payment.RefundCash, 0) // the rest, and no more
	q.until(refunded.ID, payment.StatusRefunded)
	if cash, _, _ := q.books(refunded); cash != 0 {
		t.Errorf("the channel keeps %d", cash)
	}
}

// TestCopy_PaymentRefundedSinceIsNotRefundedAgain: an older copy that nobody has
// noticed asks the channel for the next number before it gives cash back, and the
// centre before it gives the insurance's part back.
func TestCopy_PaymentRefundedSinceIsNotRefundedAgain(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newPayer(t, a, "P0001", "wechat")
	o := p.paid(12000, false)
	p.gives(o, payment.RefundCash, 1000)
	p.until(o.ID, payment.StatusPartRefunded)
	old := a.Backup()
	p.gives(o, payment.RefundCash, 2000)
	p.until(o.ID, payment.StatusPartRefunded)
	entries := moving(a)
	for name, again := range map[string]int64{"the same": 2000, "another amount": 3000} {
		b := a.Open(copyOf(t, old))
		if err := collections.ReleaseCopy(b.Runtime.App); err != nil { // as if nobody had noticed
			t.Fatal(err)
		}
		b.Store.Forget()
		q := p.in(b)
		q.gives(o, payment.RefundCash, again)
		if again == 2000 {
			if now := q.until(o.ID, payment.StatusPartRefunded); now.CashBack != 3000 {
				t.Errorf("%s: %s went back", name, now.CashBack)
			}
		} else if now := q.until(o.ID, payment.StatusSuspense); now.FailCode != string(flow.CodeAmountMismatch) {
			t.Errorf("%s: %s", name, now.FailCode)
		}
		if n := moving(b); n != entries {
			t.Errorf("%s: %d entries of %d", name, n, entries)
		}
	}
}

// TestCopy_PaymentWrittenSinceIsNotGivenBack: an older copy that writes a bill once more
// hears from HIS that it is paid, and asks before it believes that somebody else has
// paid it.
func TestCopy_PaymentWrittenSinceIsNotGivenBack(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	his := must(a.Runtime.App.FindFirstRecordByFilter(collections.HISConfigs, "institution = {:i}", dbx.Params{"i": a.Institution}))
	his.Set("mapping", strings.ReplaceAll(his.GetString("mapping"), `"idempotent":true`, `"idempotent":false`))
	if err := a.Runtime.App.Save(his); err != nil {
		t.Fatal(err)
	}
	a.Store.Forget()
	p := newPayer(t, a, "P0001", "wechat")
	o := p.until(p.create(p.bill(payment.KindOutpatient, 4000), false), payment.StatusPaying)
	old := a.Backup()
	p.pays(o)
	p.until(o.ID, payment.StatusDone)
	entries := moving(a)
	b := a.Open(old)
	if err := collections.ReleaseCopy(b.Runtime.App); err != nil {
		t.Fatal(err)
	}
	b.Store.Forget()
	p.in(b).until(o.ID, payment.StatusDone)
	if n := moving(b); n != entries {
		t.Errorf("%d entries of %d", n, entries)
	}
}
