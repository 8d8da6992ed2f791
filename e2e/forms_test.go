package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hospay/lab/paper"
	"hospay/lab/testapp"
	"hospay/payment"
)

// TestForms_PrintAsFinanceSignsThem opens every report as a file and asks whether it
// prints: A4, one page wide, 8 points at least, the hospital's name and the right
// heading on every page, no text cut off or over its neighbour, a place to sign.
func TestForms_PrintAsFinanceSignsThem(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	day, orders := paidDay(t, a)
	finance, auditor := a.Staff("finance"), a.Staff("auditor")
	upload(t, a, finance, day, "his", "x.csv", spoilt(t, file(t, a, finance, statement(t, a, finance, day, "his", "statement")), orders))
	a.Call("POST", "/api/hospay/recon/"+day+"/run", finance, map[string]any{})
	past(t, a, 120, map[string]string{"his_refund_no": "'HIS-YJJ-' || printf('%024d', x)"})
	p := newAPIPayer(t, a, "P0001", "wechat")
	p.ticketToDone(p.bill(payment.KindOutpatient, 12_345_67), true)
	month := "month=" + day[:7]
	if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE differences SET amount = 999999999, explain = '渠道记成功 ¥9,999,999.99，" +
		"HIS 无此笔；同一商户单号另有一笔失败，已于次日退回；请核对 HIS 流水后补记或更正，金额以渠道账单为准' WHERE TRUE").Execute(); err != nil {
		t.Fatal(err)
	}
	for _, form := range []struct{ name, report, query string }{
		{"day", "recon-summary", "date=" + day}, {"channels", "recon-channel", "date=" + day}, {"differences", "differences", "date=" + day},
		{"differences-month", "differences", month}, {"month", "recon-month", month}, {"refunds", "refunds", "date=created"},
		{"stats", "stats", thisMonth() + "&by=his_date,channel,method"}, {"payments", "payments", "kind=outpatient"},
		{"payment-stats", "payment-stats", thisMonth() + "&by=day,channel,kind,insured"}, {"audit", "audit", ""},
	} {
		token := finance
		if form.report == "audit" {
			token = auditor
		}
		f, raw := workbook(t, a, token, "/api/hospay/reports/"+form.report+".xlsx?"+form.query)
		if faults := paper.Faults(f); len(faults) > 0 {
			t.Errorf("%s:\n%s", form.name, strings.Join(faults[:min(len(faults), 12)], "\n"))
		}
		if dir := os.Getenv("HOSPAY_FORMS"); dir != "" { // to be printed and looked at
			if err := os.WriteFile(filepath.Join(dir, form.name+".xlsx"), raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
