package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"hospay/books"
	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/sim"
)

// ledgerDay is a day of a ledger as the page reads it.
func ledgerDay(t *testing.T, a *testapp.App, token, day, ledger string) (v books.DayView) {
	t.Helper()
	res := a.Call("GET", "/api/hospay/recon/"+day+"?ledger="+ledger, token, nil)
	if err := json.Unmarshal(res.Raw, &v); err != nil || res.Status != 200 || string(v.Ledger) != ledger {
		t.Fatalf("%s %s: %d %s", day, ledger, res.Status, res.Raw)
	}
	return v
}

// spoilBook makes a side's books lie.
func spoilBook(t *testing.T, address string) {
	t.Helper()
	res, err := http.Post(address, "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != 200 {
		t.Fatalf("%s: %d", address, res.StatusCode)
	}
}

// paidDayOfBoth has an insured payment by WeChat, one without insurance by Alipay
// of which a part went back, and a deposit that was refunded.
func paidDayOfBoth(t *testing.T, a *testapp.App) (day string, insured, own payment.Order) {
	t.Helper()
	toMorning(a)
	day = clockDay(a)
	w := newAPIPayer(t, a, "P0001", "wechat")
	insured = w.ticketToDone(w.bill(payment.KindOutpatient, 12000), true)
	p := newAPIPayer(t, a, "P0002", "alipay")
	own = p.ticketToDone(p.bill(payment.KindRegistration, 5000), false)
	res := a.Call("POST", "/api/hospay/payments/"+own.ID+"/refund", a.Staff("finance"), map[string]any{"kind": "cash", "cash": 1000,
		"reason": "退诊"})
	if res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	p.until(own.ID, payment.StatusPartRefunded)
	paidOrder(t, a, "P0005", "alipay", 2345)
	return day, insured, own
}

// work takes a difference to its end by two people; the one who proposes may not
// confirm.
func workOff(t *testing.T, a *testapp.App, d map[string]any, verb string) {
	t.Helper()
	path := fmt.Sprintf("/api/hospay/differences/%v", d["id"])
	finance, auditor := a.Staff("finance"), a.Staff("auditor")
	if res := a.Call("POST", path+"/resolve", finance, map[string]any{"verb": verb, "reason": "已与对方核实"}); res.Text("state") != "proposed" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	if res := a.Call("POST", path+"/confirm", finance, map[string]any{}); res.Code() != "second_person" {
		t.Errorf("the same person: %d %s", res.Status, res.Raw)
	}
	if res := a.Call("POST", path+"/confirm", auditor, map[string]any{"note": "同意"}); res.Text("state") != "resolved" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
}

// TestBooks_PaymentsAndInsurance: on a day of deposits and payments every ledger
// has its own books and its own differences. What HIS has booked wrong, and what
// the centre lacks, are found by the nightly jobs, and nothing else; two people
// work them off, and further runs change nothing.
func TestBooks_PaymentsAndInsurance(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	day, insured, own := paidDayOfBoth(t, a)
	spoilBook(t, a.Sims.HIS.URL()+"/_sim/charge/"+own.No+"?cash=5100")
	spoilBook(t, a.Sims.Centre.URL()+"/_sim/statement/"+insured.MedOrgOrd+"?absent=true")
	toMorning(a)
	runJob(t, a, "statements", "statements", "reconcile")

	if v := ledgerDay(t, a, finance, day, "deposits"); v.State != books.Balanced || v.Open != 0 || len(v.Ledgers) != 3 {
		t.Errorf("deposits: %+v", v)
	}
	v := ledgerDay(t, a, finance, day, "payments")
	cash := insured.CashDue() + 5000 - 1000
	if v.State != books.HasDifferences || v.Open != 1 || v.Books["platform"].Amount != cash || v.Books["his"].Amount != cash+100 ||
		v.Books["wechat"].Amount+v.Books["alipay"].Amount != cash {
		t.Errorf("payments: %+v", v)
	}
	v = ledgerDay(t, a, finance, day, "insurance")
	part := insured.Fund + insured.Account
	if v.State != books.HasDifferences || v.Open != 1 || v.Books["platform"].Amount != part || v.Books["centre"].Amount != 0 ||
		len(v.Summary.Channels) != 1 || v.Summary.Channels[0].Channel != "440100/11" {
		t.Errorf("insurance: %+v", v)
	}
	paid, settled := differences(t, a, finance, "ledger=payments&day="+day), differences(t, a, finance, "ledger=insurance&day="+day)
	if len(paid) != 1 || paid[0]["kind"] != "amount" || paid[0]["order"] != own.ID || paid[0]["sign"] != "shortage" ||
		paid[0]["amount"] != 100.0 {
		t.Fatalf("%v", paid)
	}
	if len(settled) != 1 || settled[0]["kind"] != "only_platform" || settled[0]["order"] != insured.ID ||
		settled[0]["out_bill_no"] != insured.Settlement.SetlID || !strings.Contains(settled[0]["explain"].(string), "医保中心没有") {
		t.Fatalf("%v", settled)
	}
	workOff(t, a, paid[0], "更正")
	workOff(t, a, settled[0], "补记")
	runJob(t, a, "reconcile")
	if res := a.Call("POST", "/api/hospay/recon/"+day+"/run", finance, nil); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	for _, ledger := range []string{"payments", "insurance"} {
		if v := ledgerDay(t, a, finance, day, ledger); v.State != books.Balanced || v.Open != 0 || len(v.Runs) != 1 {
			t.Errorf("%s worked off: %s, %d open, %d runs", ledger, v.State, v.Open, len(v.Runs))
		}
	}
	calendarShowsLedgers(t, a, finance, day)
	reportsOfLedgers(t, a, finance, day)
}

func calendarShowsLedgers(t *testing.T, a *testapp.App, token, day string) {
	t.Helper()
	for _, d := range list(a.Call("GET", "/api/hospay/recon?month="+day[:7], token, nil).Body["days"]) {
		if d["date"] == day && (d["colour"] != "green" || len(list(d["ledgers"])) != 3 || list(d["ledgers"])[1]["ledger"] != "payments") {
			t.Errorf("%v", d)
		}
	}
}

// reportsOfLedgers: the printed forms name their ledger and hold its figures.
func reportsOfLedgers(t *testing.T, a *testapp.App, token, day string) {
	t.Helper()
	for ledger, want := range map[string][]string{"payments": {"缴费三方对账汇总表", "退费", "自费实收减去退费"}, "insurance": {"医保三方对账汇总表", "440100/11"},
		"deposits": {"退款三方对账汇总表", "支付宝"}} {
		if text := sheetText(t, a, token, "recon-summary.xlsx?date="+day+"&ledger="+ledger); !holdsAll(text, want) {
			t.Errorf("%s lacks one of %v:\n%s", ledger, want, text)
		}
	}
	month := sheetText(t, a, token, "recon-month.xlsx?month="+day[:7])
	if !holdsAll(month, []string{"缴费：各方总额", "医保：险种与清算类别", "退款：渠道"}) {
		t.Errorf("%s", month)
	}
}

func holdsAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

func sheetText(t *testing.T, a *testapp.App, token, path string) string {
	t.Helper()
	res := a.Call("GET", "/api/hospay/reports/"+path, token, nil)
	f, err := excelize.OpenReader(bytes.NewReader(res.Raw))
	if err != nil {
		t.Fatalf("%s: %d %v", path, res.Status, err)
	}
	defer f.Close()
	var out strings.Builder
	for _, name := range f.GetSheetList() {
		rows, err := f.GetRows(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			fmt.Fprintln(&out, strings.Join(r, " "))
		}
	}
	return out.String()
}

// TestBooks_ABrokenCentreStopsNobody: its failure is named, the other books are
// done, and once it answers its own are.
func TestBooks_ABrokenCentreStopsNobody(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	day, _, _ := paidDayOfBoth(t, a)
	if err := a.Sims.Centre.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "3201", Fault: "unknown_code", Times: -1}}}); err != nil {
		t.Fatal(err)
	}
	toMorning(a)
	runJob(t, a, "statements", "reconcile")
	for ledger, want := range map[string]string{"deposits": books.Balanced, "payments": books.Balanced, "insurance": "none"} {
		if v := ledgerDay(t, a, finance, day, ledger); v.State != want {
			t.Errorf("%s is %s", ledger, v.State)
		}
	}
	if st := statement(t, a, finance, day, "centre", "totals"); st["state"] != "waiting" || !strings.Contains(st["message"].(string), "3201") {
		t.Errorf("%v", st)
	}
	a.Sims.Centre.Faults().Clear()
	a.Advance(time.Hour)
	runJob(t, a, "statements", "reconcile")
	if v := ledgerDay(t, a, finance, day, "insurance"); v.State != books.Balanced || v.Books["centre"].Count != 1 {
		t.Errorf("%+v", v)
	}
}

// TestBooks_AClerksListOfChargesStaysInForce, and what HIS gives later stands
// beside it.
func TestBooks_AClerksListOfChargesStaysInForce(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	day, insured, own := paidDayOfBoth(t, a)
	spoilBook(t, a.Sims.HIS.URL()+"/_sim/charge/"+own.No+"?cash=5100")
	toMorning(a)
	clock := day + " 11:30:00"
	csv := "缴费单号,HIS收据号,就诊卡号,自费金额,支付渠道,状态,收费时间\n" +
		strings.Join([]string{insured.No, "H1", insured.CardNo, insured.Cash.Yuan(), "微信", "成功", clock}, ",") + "\n" +
		strings.Join([]string{own.No, "H2", own.CardNo, "50.00", "支付宝", "成功", clock}, ",") + "\n" +
		strings.Join([]string{refundNo(t, a, own), "H3", own.CardNo, "-10.00", "支付宝", "成功", clock}, ",") + "\n"
	if res := upload(t, a, finance, day, "his/charges", "收费明细.csv", []byte(csv)); res.Status != 200 || res.Text("kind") != "charges" {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	runJob(t, a, "statements", "reconcile")
	if v := ledgerDay(t, a, finance, day, "payments"); v.State != books.Balanced {
		t.Errorf("%+v %v", v, differences(t, a, finance, "ledger=payments&day="+day))
	}
	if twins := beside(t, a, finance, day); len(twins) != 1 || twins[0]["kind"] != "charges" {
		t.Errorf("%v", twins)
	}
}

func refundNo(t *testing.T, a *testapp.App, o payment.Order) string {
	t.Helper()
	all, err := a.Store.Payments().Refunds(t.Context(), o.ID)
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v %v", all, err)
	}
	return all[0].No
}
