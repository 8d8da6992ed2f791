package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/collections"
	"hospay/internal/testday"
	"hospay/lab/testapp"
	"hospay/refund"
	"hospay/store"
)

// statisticsAnswer is what the statistics route tells.
type statisticsAnswer struct {
	By    []string              `json:"by"`
	Rows  []store.StatisticsRow `json:"rows"`
	Total store.StatisticsRow   `json:"total"`
}

func statistics(t *testing.T, a *testapp.App, token, query string) statisticsAnswer {
	t.Helper()
	res := a.Call("GET", "/api/hospay/stats/refunds?"+query, token, nil)
	if res.Status != 200 {
		t.Fatalf("%s: %d %s", query, res.Status, res.Raw)
	}
	var out statisticsAnswer
	if err := json.Unmarshal(res.Raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// thisMonth is a range that holds today.
func thisMonth() string {
	now := testday.Now().In(calendar.Beijing)
	return "from=" + now.AddDate(0, 0, -2).Format(time.DateOnly) + "&to=" + now.AddDate(0, 0, 2).Format(time.DateOnly)
}

// TestStatistics_FollowARefundAndItsReturn reads the statistics over HTTP while
// an order is debited, paid, returned and restored.
func TestStatistics_FollowARefundAndItsReturn(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	ask := func() store.StatisticsRow { return statistics(t, a, finance, thisMonth()).Total }
	paid := store.Figure{Amount: 3200, Count: 1}
	id := apply(t, a.Login("P0002", "alipay"), "alipay", "transfer", 3200, nil)
	if s := ask(); s != (store.StatisticsRow{}) {
		t.Errorf("before the debit: %+v", s)
	}
	a.Drain()
	if s := ask(); s.Due != paid || s.Outstanding != paid || s.Refunded.Count != 0 {
		t.Errorf("debited: %+v", s)
	}
	a.Review(a.Staff("reviewer1"), id, "approve", "")
	a.Drain()
	w := wantStatus(t, a, id, refund.StatusSucceeded)
	if s := ask(); s.Due != paid || s.Refunded != paid || s.Outstanding.Count != 0 {
		t.Errorf("paid: %+v", s)
	}
	returned(t, a, w)
	if s := ask(); s.Due != paid || s.Outstanding != paid || s.Refunded.Count != 0 {
		t.Errorf("returned: %+v", s)
	}
	a.Drain()
	if s := ask(); s.Undone != paid || s.Due.Count != 0 {
		t.Errorf("restored: %+v", s)
	}
}

// TestStatistics_DimensionsAndDetail asks for subsets of the dimensions and for
// the orders behind a cell.
func TestStatistics_DimensionsAndDetail(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	toMorning(a)
	finance, reviewer := a.Staff("finance"), a.Staff("reviewer1")
	for i, channel := range []string{"wechat", "alipay", "alipay"} {
		id := apply(t, a.Login(fmt.Sprintf("P%04d", i+1), channel), channel, "transfer", int64(1000+i), nil)
		a.Drain()
		if channel == "alipay" {
			a.Review(reviewer, id, "approve", "")
			a.Drain()
			wantStatus(t, a, id, refund.StatusSucceeded)
		}
	}
	today := clockDay(a)
	if res := a.Call("GET", "/api/hospay/reports/refunds.xlsx?status="+strings.Repeat("succeeded,", 60), finance, nil); res.Status != 200 {
		t.Errorf("a state named often: %d %s", res.Status, res.Raw)
	}
	got := statistics(t, a, finance, thisMonth()+"&by=channel,his_date")
	if len(got.Rows) != 2 || got.Rows[0].Channel != "alipay" || got.Rows[0].HISDate != today || got.Rows[0].Method != "" ||
		got.Rows[0].Refunded != (store.Figure{Amount: 2003, Count: 2}) {
		t.Errorf("%+v", got)
	}
	if got := statistics(t, a, finance, thisMonth()+"&by=method"); len(got.Rows) != 1 ||
		got.Rows[0].Due != (store.Figure{Amount: 3003, Count: 3}) {
		t.Errorf("%+v", got)
	}
	res := a.Call("GET", "/api/hospay/stats/refunds/detail?his_date="+today+"&channel=alipay&method=transfer&state=refunded", finance, nil)
	items, _ := res.Body["items"].([]any)
	if res.Status != 200 || res.Text("count") != "2" || res.Text("amount") != "2003" || len(items) != 2 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	if first, _ := items[0].(map[string]any); first["paid_at"] == "" ||
		(first["amount"] != float64(1001) && first["amount"] != float64(1002)) {
		t.Errorf("%v", first)
	}
	cell := "from=" + today + "&to=" + today + "&state="
	for state, want := range map[string]string{"refunded": "[{today 2003 2}]", "due": "[{today 2003 2} { 1000 1}]", "undone": "[]"} {
		res := a.Call("GET", "/api/hospay/stats/refunds/detail?by=paid_day&"+cell+state, finance, nil)
		var out struct {
			Days []struct {
				Day           string
				Amount, Count int64
			}
		}
		if err := json.Unmarshal(res.Raw, &out); err != nil || strings.ReplaceAll(fmt.Sprint(out.Days), today, "today") != want {
			t.Errorf("%s by the day of the channel: %s %v, want %s", state, res.Raw, err, want)
		}
	}
	f, _ := workbook(t, a, finance, "/api/hospay/reports/refunds.xlsx?date=his_date&channel=alipay&"+cell+"refunded")
	rows := sheetRows(t, f)
	if n := rowOf(t, rows, "合计") - rowOf(t, rows, "退款单号") - 1; n != 2 {
		t.Errorf("the file of the cell has %d rows", n)
	}
	rowOf(t, rows, "筛选条件：日期口径=HIS退款日期，渠道=支付宝，统计口径=已退")
	if res := a.Call("GET", "/api/hospay/stats/refunds/detail?by=card&"+cell+"due", finance, nil); res.Status != 400 {
		t.Errorf("by card: %d", res.Status)
	}
	for _, bad := range []string{"", "from=2026-01-01", "from=2026-01-02&to=2026-01-01", "from=2026-01-01&to=2026-01-31&by=card",
		"from=2026-01-01&to=2026-01-31&by=channel,channel", "from=1900-01-01&to=2099-01-01"} {
		if res := a.Call("GET", "/api/hospay/stats/refunds?"+bad, finance, nil); res.Status != 400 || res.Code() != "bad_request" {
			t.Errorf("%q: %d %s", bad, res.Status, res.Raw)
		}
	}
}

// TestQueue_CountsOfTheReadersHouse: another house sees nothing of this one.
func TestQueue_CountsOfTheReadersHouse(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	stranger := h.strange(t, "reviewer2")
	for token, want := range map[string]string{h.tokens["reviewer"]: "1", stranger: "0"} {
		res := h.Call("GET", "/api/hospay/queue/counts", token, nil)
		tab, _ := res.Body["awaiting_payee"].(map[string]any)
		if res.Status != 200 || fmt.Sprint(tab["count"]) != want || (want == "1") != (tab["oldest"] != "") {
			t.Errorf("%d %s, want %s", res.Status, res.Raw, want)
		}
		for _, desk := range []string{"suspense", "unknown", "proxies"} {
			if n, ok := res.Body[desk].(float64); !ok || n != 0 {
				t.Errorf("%s: %v", desk, res.Body[desk])
			}
		}
		items, _ := h.Call("GET", "/api/hospay/queue?tab=awaiting_payee", token, nil).Body["items"].([]any)
		if fmt.Sprint(len(items)) != want {
			t.Errorf("the list has %d, want %s", len(items), want)
		}
	}
}

// strange moves a staff account to another institution and returns its token.
func (h *house) strange(t *testing.T, name string) string {
	t.Helper()
	token := h.Staff(name)
	staff, err := h.Runtime.App.FindAuthRecordByEmail(collections.Staff, name+"@demo.hospay")
	if err != nil {
		t.Fatal(err)
	}
	staff.Set("institution", "planted00000000")
	if err := h.Runtime.App.Save(staff); err != nil {
		t.Fatal(err)
	}
	return token
}

// TestStatistics_NightlyJobReportsADifference spoils a day behind the
// program's back; the run is recorded as failed and nothing is repaired.
func TestStatistics_NightlyJobReportsADifference(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	apply(t, a.Login("P0001", "wechat"), "wechat", "transfer", 1000, nil)
	a.Drain()
	if _, err := a.Jobs.RunNow(t.Context(), "statistics"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Runtime.App.NonconcurrentDB().NewQuery("UPDATE refund_days SET outstanding_amount = outstanding_amount + 7").
		Execute(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := a.Jobs.RunNow(t.Context(), "statistics"); err == nil {
			t.Error("the difference was not reported")
		}
	}
	rec, err := a.Runtime.App.FindFirstRecordByFilter(collections.JobRuns, `job = "statistics" && ok = false`)
	if err != nil || !strings.Contains(rec.GetString("message"), "相差 7 分、0 笔") {
		t.Errorf("%v %v", rec, err)
	}
}
