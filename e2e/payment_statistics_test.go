package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"hospay/lab/testapp"
	"hospay/payment"
	"hospay/store"
)

type paidAnswer struct {
	Rows  []store.PaymentStatisticsRow `json:"rows"`
	Total store.PaymentStatisticsRow   `json:"total"`
}

func paidStatistics(t *testing.T, a *testapp.App, token, query string) (out paidAnswer) {
	t.Helper()
	res := a.Call("GET", "/api/hospay/stats/payments?"+query, token, nil)
	if res.Status != 200 {
		t.Fatalf("%s: %d %s", query, res.Status, res.Raw)
	}
	if err := json.Unmarshal(res.Raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestStatistics_FollowAPaymentAndItsRefunds: a bill counts when HIS has taken
// it, with its parts; a refund when it is done; and whatever was never taken
// counts nowhere. Every figure is what the orders say.
func TestStatistics_FollowAPaymentAndItsRefunds(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	toMorning(a)
	finance := a.Staff("finance")
	ask := func() store.PaymentStatisticsRow { return paidStatistics(t, a, finance, thisMonth()).Total }
	p := newAPIPayer(t, a, "P0001", "wechat")
	if s := ask(); s != (store.PaymentStatisticsRow{}) {
		t.Errorf("before anything: %+v", s)
	}
	insured := p.ticketToDone(p.bill(payment.KindOutpatient, 12_000), true)
	paid := store.PaidFigure{Count: 1, Total: 12_000, Fund: insured.Fund, Account: insured.Account, Family: insured.Family,
		Cash: insured.CashDue(), Other: insured.Other}
	if s := ask(); s.Paid != paid || s.Back != (store.BackFigure{}) {
		t.Errorf("paid %+v, the order says %+v", s, paid)
	}
	cancelled := p.creates(p.wish(p.bill(payment.KindOutpatient, 900), false, ""))
	if res := p.call("POST", "/api/hospay/payments/"+cancelled+"/cancel", nil); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	p.until(cancelled, payment.StatusCancelled)
	own := newAPIPayer(t, a, "P0003", "alipay")
	alone := own.ticketToDone(own.bill(payment.KindOutpatient, 3_300), false)
	rows := paidStatistics(t, a, finance, thisMonth()+"&by=insured,channel").Rows
	if len(rows) != 2 || rows[0].Insured != "no" || rows[0].Channel != "alipay" || rows[0].Paid.Cash != 3_300 || rows[0].Paid.Fund != 0 ||
		rows[1].Insured != "yes" || rows[1].Channel != "wechat" || rows[1].Paid != paid || rows[1].Day+rows[1].Kind != "" {
		t.Errorf("%+v", rows)
	}
	if s := paidStatistics(t, a, finance, thisMonth()+"&channel=alipay&insured=yes"); len(s.Rows) != 0 || s.Total.Paid.Count != 0 {
		t.Errorf("nobody pays so: %+v", s)
	}

	res := a.Call("POST", "/api/hospay/payments/"+insured.ID+"/refund", finance, map[string]any{"kind": "cash", "cash": 100, "reason": "少开一项"})
	if res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	p.until(insured.ID, payment.StatusPartRefunded)
	if s := ask(); s.Back != (store.BackFigure{Count: 1, Cash: 100}) || s.Paid.Count != 2 {
		t.Errorf("%+v", s)
	}
	today := clockDay(a)
	rows = paidStatistics(t, a, finance, "from="+today+"&to="+today).Rows
	if len(rows) != 2 || rows[0].Day != today || rows[0].Kind != "outpatient" {
		t.Errorf("%+v", rows)
	}
	countedRight(t, a)
	// Behind a figure stand its payments.
	for query, want := range map[string]string{"dates=charged": alone.No + " " + insured.No, "dates=refunded": insured.No,
		"dates=charged&channel=alipay&insured=no": alone.No, "dates=charged&kind=registration": ""} {
		if got := payments(t, a, finance, query+"&from="+today+"&to="+today); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if got := payments(t, a, finance, "from="+today+"&to="+today+"&status=cancelled"); got == "" {
		t.Error("what was cancelled is still found by the day it was made")
	}
	for _, bad := range []string{"", "from=2026-01-01", "from=2026-01-02&to=2026-01-01", "from=2026-01-01&to=2026-01-31&by=card",
		"from=2026-01-01&to=2026-01-31&by=day,day", "from=1900-01-01&to=2099-01-01", "from=2026-01-01&to=2026-01-31&insured=maybe"} {
		if res := a.Call("GET", "/api/hospay/stats/payments?"+bad, finance, nil); res.Status != 400 || res.Code() != "bad_request" {
			t.Errorf("%q: %d %s", bad, res.Status, res.Raw)
		}
	}
}

// payments are the numbers of a page of the list of payments.
func payments(t *testing.T, a *testapp.App, token, query string) string {
	t.Helper()
	res := a.Call("GET", "/api/hospay/payments?"+query, token, nil)
	if res.Status != 200 {
		t.Fatalf("%s: %d %s", query, res.Status, res.Raw)
	}
	var nos []string
	for _, line := range list(res.Body["items"]) {
		no, _ := line["no"].(string)
		nos = append(nos, no)
	}
	return strings.Join(nos, " ")
}

// countedRight holds the summary tables to the orders, one by one.
func countedRight(t *testing.T, a *testapp.App) {
	t.Helper()
	diffs, err := a.Store.VerifyStatistics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range diffs {
		t.Errorf("statistics differ from the orders: %+v", d)
	}
}

// TestStatistics_PaymentsAreRecounted: a figure that nobody's order explains is
// found, named, and filled anew.
func TestStatistics_PaymentsAreRecounted(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newAPIPayer(t, a, "P0005", "wechat")
	p.ticketToDone(p.bill(payment.KindOutpatient, 4_400), false)
	db := a.Runtime.App.NonconcurrentDB()
	if _, err := db.NewQuery("UPDATE payment_days SET paid_cash = paid_cash + 7, back_count = back_count + 1").Execute(); err != nil {
		t.Fatal(err)
	}
	diffs, err := a.Store.VerifyStatistics(t.Context())
	if err != nil || len(diffs) != 1 || diffs[0].Parts != 2 || diffs[0].Count != 1 {
		t.Fatal(diffs, err)
	}
	if _, err := a.Store.RepairStatistics(t.Context(), store.AuditEntry{ActorKind: "it", Actor: "信息科"}, "演练"); err != nil {
		t.Fatal(err)
	}
	countedRight(t, a)
}

// TestReport_Payments: the list of payments and their statistics in the printed
// form, with the filter in words; the sums are those of the rows.
func TestReport_Payments(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	toMorning(a)
	p, own := newAPIPayer(t, a, "P0001", "wechat"), newAPIPayer(t, a, "P0003", "alipay")
	insured := p.ticketToDone(p.bill(payment.KindOutpatient, 12_000), true)
	own.ticketToDone(own.bill(payment.KindOutpatient, 3_300), false)
	auditor := a.Staff("auditor")
	f, _ := workbook(t, a, auditor, "/api/hospay/reports/payments.xlsx?insured=yes&status=done&kind=outpatient")
	rows := sheetRows(t, f)
	head := rowOf(t, rows, "缴费单号") - 1
	line := rows[head+1]
	if line[0] != insured.No || line[2] != "已缴费" || line[5] != "门诊" || line[7] != "微信" || line[8] != "医保" || line[9] != "120.00" ||
		line[10] != insured.Fund.Yuan() || line[16] != insured.ReceiptNo {
		t.Errorf("%v", line)
	}
	rowOf(t, rows, "合计")
	if text := fmt.Sprint(rows); !strings.Contains(text, "筛选条件：状态=已缴费，类别=门诊，医保=医保") || strings.Contains(text, "33.00") {
		t.Errorf("%s", text)
	}
	f, _ = workbook(t, a, auditor, "/api/hospay/reports/payment-stats.xlsx?"+thisMonth()+"&by=channel,insured")
	rows = sheetRows(t, f)
	line = rows[rowOf(t, rows, "渠道")]
	want := []string{"支付宝", "自费", "1", "33.00", "0.00", "0.00", "33.00", "0.00", "0", "0.00", "0.00", "0.00"}
	if !slices.Equal(line, want) {
		t.Errorf("%v, want %v", line, want)
	}
}
