package e2e

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"hospay/collections"
	"hospay/internal/voucher"
	"hospay/lab/testapp"
	"hospay/money"
	"hospay/payment"
	"hospay/refund"

	"github.com/pocketbase/dbx"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// TestVoucher_WhatMovedInTheLayoutOfTheFinanceSoftware: the configuration takes a
// layout that can be meant, and finance gets what arrived on a day as a voucher.
func TestVoucher_WhatMovedInTheLayoutOfTheFinanceSoftware(t *testing.T) {
	d := newDesk(t)
	toMorning(d.App)
	for i, channel := range []string{"alipay", "alipay"} {
		id := apply(t, d.Login([]string{"P0001", "P0004"}[i], channel), channel, "transfer", int64(1000+i), nil)
		d.Drain()
		d.Review(d.Staff("reviewer1"), id, "approve", "")
		d.Drain()
		wantStatus(t, d.App, id, refund.StatusSucceeded)
	}
	today := clockDay(d.App)
	path := "/api/hospay/vouchers?from=" + today + "&to=" + today
	wantRefusal(t, "还没有格式", d.Call("GET", path, d.finance, nil), 400, "voucher_layout_missing")

	house := d.id(t, collections.Institutions, `code = "demo"`)
	sample, err := voucher.Sample("u8")
	if err != nil {
		t.Fatal(err)
	}
	layout := map[string]any{}
	if err := json.Unmarshal(sample, &layout); err != nil {
		t.Fatal(err)
	}
	layout["word"] = ""
	bad := d.propose(d.config, "institutions", house, map[string]any{"voucher_layout": layout})
	if wantRefusal(t, "没有凭证字", bad, 400, "config_invalid"); !strings.Contains(bad.Text("message"), "凭证字") {
		t.Errorf("it does not say what is wrong: %s", bad.Raw)
	}
	layout["word"] = "转"
	wantState(t, "layout", d.propose(d.config, "institutions", house, map[string]any{"voucher_layout": layout}), "applied")

	res := d.Call("GET", path+"&of=refunds", d.finance, nil)
	text, err := simplifiedchinese.GBK.NewDecoder().String(string(res.Raw))
	want := "填制凭证,V800\r\n" +
		today + ",转,1,0,支付宝退预交金 2 笔,2305,20.01,0.00,0,0,,财务员\r\n" +
		today + ",转,1,0,支付宝退预交金 2 笔,102102,0.00,20.01,0,0,,财务员\r\n"
	if err != nil || res.Status != 200 || text != want {
		t.Errorf("%d %v\n%s\nwant\n%s", res.Status, err, text, want)
	}
	if n := countRows(t, d.App, collections.AuditLog, dbx.HashExp{"action": "voucher.export"}); n != 1 {
		t.Errorf("%d rows in the audit log", n)
	}
	wantRefusal(t, "没有发生额", d.Call("GET", path+"&of=payments", d.finance, nil), 400, "voucher_empty")
	for _, odd := range []string{"?from=" + today, "?from=" + today + "&to=2020-01-01", "?from=2020-01-01&to=" + today, "?from=x&to=y",
		"?from=" + today + "&to=" + today + "&of=all"} {
		wantRefusal(t, odd, d.Call("GET", "/api/hospay/vouchers"+odd, d.finance, nil), 400, "bad_request")
	}
	wantState(t, "none again", d.propose(d.config, "institutions", house, map[string]any{"voucher_layout": nil}), "applied")
	wantRefusal(t, "格式被清空", d.Call("GET", path, d.finance, nil), 400, "voucher_layout_missing")
}

// TestVoucher_OfPayments: what HIS took and what went back of it, in red, agree with
// the orders to the fen.
func TestVoucher_OfPayments(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	toMorning(a)
	p, own := newAPIPayer(t, a, "P0001", "wechat"), newAPIPayer(t, a, "P0003", "alipay")
	insured := p.ticketToDone(p.bill(payment.KindOutpatient, 12_000), true)
	own.ticketToDone(own.bill(payment.KindOutpatient, 3_300), false)
	res := a.Call("POST", "/api/hospay/payments/"+insured.ID+"/refund", a.Staff("finance"),
		map[string]any{"kind": "cash", "cash": 100, "reason": "少开一项"})
	if res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	p.until(insured.ID, payment.StatusPartRefunded)
	sample, err := voucher.Sample("kis")
	if err != nil {
		t.Fatal(err)
	}
	l, err := voucher.Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	today := clockDay(a)
	moves, err := a.Runtime.Store.Moves(t.Context(), a.Institution, today, today, "payments")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := l.Lines(moves)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]money.Fen{}
	for _, x := range lines {
		got[x.Account.Code] += x.Debit - x.Credit
	}
	want := map[string]money.Fen{l.Accounts[voucher.WeChat].Code: insured.CashDue() - 100, l.Accounts[voucher.Alipay].Code: 3_300,
		l.Accounts[voucher.Insurance].Code: insured.Fund + insured.Account, l.Accounts[voucher.Income].Code: -(12_000 + 3_300 - 100)}
	if insured.Other != 0 {
		want[l.Accounts[voucher.Other].Code] = insured.Other
	}
	if !maps.Equal(got, want) {
		t.Errorf("booked %v, the orders say %v", got, want)
	}
}
