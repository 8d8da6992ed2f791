package his_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"hospay/sim"
	"hospay/sim/his"
)

// settle is a charge of a bill, all in cash.
func settle(no, card string, bill gjson.Result) string {
	return fmt.Sprintf(`{"our_no":%q,"bill_no":%q,"card_no":%q,"total":%d,"fund":0,"account":0,"other":0,"cash":%d,"trade_no":"T1"}`,
		no, bill.Get("bill_no").String(), card, bill.Get("amount").Int(), bill.Get("amount").Int())
}

func first(t *testing.T, s *his.Server, card string) gjson.Result {
	t.Helper()
	return must(t, s, "bills", `{"card_no":"`+card+`"}`, "0").Get("bills.0")
}

// Each demo patient has two unpaid bills: one of a visit that an insurance pays,
// and a registration or something that it does not.
func TestBills_TwoForEachPatient(t *testing.T) {
	s := setup(t)
	for i := 1; i <= 20; i++ {
		rows := must(t, s, "bills", fmt.Sprintf(`{"card_no":"C%04d"}`, i), "0").Get("bills")
		a, b := rows.Get("0"), rows.Get("1")
		if rows.Get("#").Int() != 2 || a.Get("kind").String() != "outpatient" || a.Get("insurable").String() != "1" ||
			b.Get("kind").String() != "registration" && (b.Get("insurable").String() != "0" || b.Get("reason").String() == "") {
			t.Errorf("C%04d: %s", i, rows.Raw)
		}
		sum := int64(0)
		for _, l := range a.Get("items").Array() {
			sum += l.Get("amount").Int()
		}
		if sum != a.Get("amount").Int() || sum == 0 {
			t.Errorf("C%04d: lines of %d: %s", i, sum, a.Raw)
		}
	}
	res, err := http.Post(s.URL()+"/_sim/bills", "application/json",
		strings.NewReader(`{"patient":"P0002","kind":"registration","amount":2000,"insurable":true}`))
	if err != nil || res.StatusCode != 200 {
		t.Fatal(err, res)
	}
	res.Body.Close()
	if n := must(t, s, "bills", `{"card_no":"C0002"}`, "0").Get("bills.#").Int(); n != 3 {
		t.Error(n)
	}
	for _, bad := range []string{`{"patient":"P9999","kind":"outpatient","amount":1}`, `{"patient":"P0001","kind":"x","amount":1}`,
		`{"patient":"P0001","kind":"outpatient","amount":0}`, `{"patient":"P0001","kind":"outpatient","amount":1,"x":1}`} {
		res, err := http.Post(s.URL()+"/_sim/bills", "application/json", strings.NewReader(bad))
		if err != nil || res.StatusCode != 400 {
			t.Error(bad, err, res)
		}
		res.Body.Close()
	}
}

// A charge is written once per number and once per bill, and only for what the
// bill costs.
func TestCharge_OncePerNumberAndBill(t *testing.T) {
	s := setup(t)
	b := first(t, s, "C0001")
	body := settle("Q1", "C0001", b)
	must(t, s, "trade_check", `{"our_no":"Q1"}`, "1007")
	must(t, s, "charge", strings.Replace(body, `"cash":`, `"cash":1`, 1), "1400")
	one := must(t, s, "charge", body, "0")
	two := must(t, s, "charge", body, "0")
	if one.Get("receipt_no").String() != two.Get("receipt_no").String() || !two.Get("repeated").Bool() || one.Get("insurance_flag").String() !=
		"SUCCESS" || one.Get("guide").String() == "" {
		t.Fatal(one.Raw, two.Raw)
	}
	must(t, s, "charge", strings.Replace(body, `"T1"`, `"T2"`, 1), "1006")
	must(t, s, "charge", settle("Q2", "C0001", b), "1021")
	must(t, s, "bill", `{"card_no":"C0001","bill_no":"`+b.Get("bill_no").String()+`"}`, "1021")
	if err := s.Settings().Patch([]byte(`{"charge_idempotent":false}`)); err != nil {
		t.Fatal(err)
	}
	must(t, s, "charge", body, "1021")
	if rows := s.Ledger().Find("charge", ""); len(rows) != 0 {
		t.Error(rows)
	}
	if rows := s.Ledger().Find("charge", "Q1"); len(rows) != 1 || rows[0].Amount != b.Get("amount").Int() || rows[0].Party != "C0001" {
		t.Error(rows)
	}
	if err := s.Settings().Patch([]byte(`{"check_supported":false}`)); err != nil {
		t.Fatal(err)
	}
	must(t, s, "trade_check", `{"our_no":"Q1"}`, "1400")
}

// What happens meanwhile, by a route and by a fault.
func TestCharge_WhatHappensMeanwhile(t *testing.T) {
	s := setup(t)
	for card, c := range map[string][2]string{"C0001": {"/_sim/window/", "1021"}, "C0002": {"/_sim/price/", "1022"}} {
		b := first(t, s, card)
		post(t, s, c[0]+b.Get("bill_no").String()+"?amount=77", "")
		must(t, s, "charge", settle("Q"+card, card, b), c[1])
	}
	for fault, c := range map[string][2]string{"window_paid": {"C0003", "1021"}, "price_changed": {"C0004", "1022"}} {
		b := first(t, s, c[0])
		plan(t, s, `{"match":"charge","fault":"`+fault+`"}`)
		must(t, s, "charge", settle("Q"+c[0], c[0], b), c[1])
	}
	half := first(t, s, "C0006")
	plan(t, s, `{"match":"charge","fault":"half_written"}`)
	if out := must(t, s, "charge", settle("QH", "C0006", half), "0"); out.Get("insurance_flag").String() != "FAIL" ||
		out.Get("settle_flag").String() != "SUCCESS" || len(s.Ledger().Find("charge", "QH")) != 1 {
		t.Error(out.Raw)
	}
	if s.Ledger().Len() != 1 {
		t.Error(s.Ledger().Entries())
	}
}

func TestUncharge_OpensTheBillAgain(t *testing.T) {
	s := setup(t)
	b := first(t, s, "C0001")
	must(t, s, "charge", settle("Q1", "C0001", b), "0")
	must(t, s, "uncharge_check", `{"our_no":"Q1"}`, "1007")
	one := must(t, s, "uncharge", `{"our_no":"Q1"}`, "0")
	two := must(t, s, "uncharge", `{"our_no":"Q1"}`, "0")
	if one.Get("reverse_no").String() == "" || one.Get("reverse_no").String() != two.Get("reverse_no").String() ||
		!two.Get("repeated").Bool() {
		t.Error(one.Raw, two.Raw)
	}
	if got := must(t, s, "trade_check", `{"our_no":"Q1"}`, "0").Get("status").String(); got != "reversed" {
		t.Error(got)
	}
	must(t, s, "charge", settle("Q1", "C0001", b), "1009")
	must(t, s, "charge", settle("Q2", "C0001", b), "0")
	post(t, s, "/_sim/dispense/"+b.Get("bill_no").String(), "")
	must(t, s, "uncharge", `{"our_no":"Q2"}`, "1027")
	if out := must(t, s, "refund_check", `{"our_no":"Q2"}`, "0"); out.Get("allowed").String() != "0" || out.Get("reason").String() == "" {
		t.Error(out.Raw)
	}
	must(t, s, "uncharge", `{"our_no":"Q3"}`, "1007")
	if len(s.Ledger().Find("uncharge", "Q1")) != 1 || s.Ledger().Len() != 3 {
		t.Error(s.Ledger().Entries())
	}
}

// Refunds are told in parts, never more than was paid, each number once.
func TestRefundNotice_PartsUpToTheWhole(t *testing.T) {
	s := setup(t)
	b := first(t, s, "C0001")
	total := b.Get("amount").Int()
	must(t, s, "charge", settle("Q1", "C0001", b), "0")
	tell := func(no string, cash int64) string {
		return fmt.Sprintf(`{"our_no":"Q1","refund_no":%q,"fund_back":0,"account_back":0,"cash_back":%d}`, no, cash)
	}
	must(t, s, "refund_notice", tell("RF1", total-1), "0")
	if out := must(t, s, "refund_notice", tell("RF1", total-1), "0"); !out.Get("repeated").Bool() {
		t.Error(out.Raw)
	}
	must(t, s, "refund_notice", tell("RF1", 1), "1006")
	must(t, s, "refund_notice", tell("RF2", 2), "1022")
	must(t, s, "refund_notice", tell("RF2", 1), "0")
	back := int64(0)
	for _, e := range s.Ledger().Find("uncharge", "Q1") {
		back += e.Amount
	}
	if rows := s.Bills(); back != total || rows[0].State != "refunded" {
		t.Error(back, rows)
	}
}

// A slot is kept for as long as its lock lives, and is gone for others.
func TestSlots_LockAndItsLife(t *testing.T) {
	s := setup(t)
	day := s.Clock().Now().In(sim.Beijing).Format(time.DateOnly)
	ask := func() gjson.Result {
		return must(t, s, "slots", `{"department":"D01","date":"`+day+`"}`, "0").Get("slots.0")
	}
	id := ask().Get("slot_id").String()
	post(t, s, "/_sim/slot/"+id+"?places=1", "")
	lock := func(no, card, code string) gjson.Result {
		return must(t, s, "lock", fmt.Sprintf(`{"our_no":%q,"slot_id":%q,"card_no":%q}`, no, id, card), code)
	}
	b := lock("L1", "C0001", "0")
	if again := lock("L1", "C0001", "0"); again.Get("bill_no").String() != b.Get("bill_no").String() {
		t.Error(again.Raw)
	}
	lock("L1", "C0002", "1006")
	lock("L2", "C0002", "1023")
	post(t, s, "/_sim/clock", `{"advance":"21m"}`)
	must(t, s, "charge", settle("Q1", "C0001", b), "1023")
	lock("L1", "C0001", "1023")
	c := lock("L3", "C0002", "0")
	must(t, s, "charge", settle("Q2", "C0002", c), "0")
	must(t, s, "release", fmt.Sprintf(`{"our_no":"L3","slot_id":%q,"card_no":"C0002"}`, id), "1021")
	post(t, s, "/_sim/clock", `{"advance":"60m"}`)
	if ask().Get("left").Int() != 0 || s.Ledger().Len() != 1 {
		t.Error("a paid slot is free again:", ask().Raw)
	}
	post(t, s, "/_sim/slot/"+id+"?places=2", "")
	d := lock("L4", "C0003", "0")
	plan(t, s, `{"match":"charge","fault":"slot_lost"}`)
	must(t, s, "charge", settle("Q4", "C0003", d), "1023")
}

// The identity that is written back prices the bill anew, in every style.
func TestIdentity_PricesAnew(t *testing.T) {
	s := setup(t)
	b := first(t, s, "C0001")
	body := fmt.Sprintf(`{"patient_id":"P0001","card_no":"C0001","bill_no":%q,"area":"440100","insutype":"310","med_type":"11"}`,
		b.Get("bill_no").String())
	for change, code := range map[string]string{`"area":"440300"`: "1025", `"area":"110000"`: "1024"} {
		must(t, s, "save_identity", strings.Replace(body, `"area":"440100"`, change, 1), code)
	}
	must(t, s, "save_identity", strings.Replace(body, `"310"`, `"390"`, 1), "1026")
	if out := must(t, s, "save_identity", body, "0"); out.Get("amount").Int() >= b.Get("amount").Int() {
		t.Error(out.Raw)
	}
	fields := "<CardNo>C0001</CardNo><BillNo>" + b.Get("bill_no").String() + "</BillNo>"
	text := soap(t, s, "/soap/gbk", request("QueryBillDetail", fields), true, true)
	for _, want := range []string{"<Insutype>310</Insutype>", "<Items><Item><Name>", "<Fees><Item><No>", "<ListCode>DEMO-DRUG-0001</ListCode>",
		"<Diseases><Item>", "<PsnNo>440100000001</PsnNo>"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if err := s.SetInsured("P0001", url.Values{"area": {"440100"}, "insutype": {"310"}, "state": {"2"}}); err != nil {
		t.Fatal(err)
	}
	must(t, s, "save_identity", body, "1026")
	rows := must(t, s, "enrolment", `{"patient_id":"P0001","area":"440100"}`, "0").Get("benefits")
	if rows.Get("#").Int() != 2 || rows.Get("0.state").String() != "2" {
		t.Error(rows.Raw)
	}
}

// A settlement in SOAP has yuan and the same books.
func TestCharge_SOAPHasTheSameBooks(t *testing.T) {
	s := setup(t)
	b := first(t, s, "C0001")
	yuan := fmt.Sprintf("%.2f", float64(b.Get("amount").Int())/100)
	out := soap(t, s, "/soap/utf8", request("WriteCharge", "<OurNo>Q1</OurNo><BillNo>"+b.Get("bill_no").String()+
		"</BillNo><CardNo>C0001</CardNo><Total>"+yuan+"</Total><Fund>0.00</Fund><Account>0.00</Account><Other>0.00</Other><Cash>"+yuan+
		"</Cash><TradeNo>T1</TradeNo>"), false, true)
	if !strings.Contains(out, "<ReceiptNo>HR") || !strings.Contains(out, "<Amount>"+yuan+"</Amount>") {
		t.Fatal(out)
	}
	if again := must(t, s, "charge", settle("Q1", "C0001", b), "0"); !again.Get("repeated").Bool() {
		t.Error(again.Raw)
	}
	post(t, s, "/_sim/reset", "")
	must(t, s, "trade_check", `{"our_no":"Q1"}`, "1007")
}
