package e2e

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"hospay/books"
	"hospay/calendar"
	"hospay/lab/testapp"
)

// clockDay is the Beijing day of the program's clock.
func clockDay(a *testapp.App) string { return a.Now().In(calendar.Beijing).Format(time.DateOnly) }

// toMorning moves all clocks to eleven o'clock of the next day, when the bills
// are ready.
func toMorning(a *testapp.App) {
	now := a.Now().In(calendar.Beijing)
	a.Advance(time.Date(now.Year(), now.Month(), now.Day()+1, 11, 0, 0, 0, calendar.Beijing).Sub(now))
}

// toDay moves all clocks to noon of the next day of the month with that number.
func toDay(a *testapp.App, day int) {
	for now := a.Now().In(calendar.Beijing); now.Day() != day; now = a.Now().In(calendar.Beijing) {
		a.Advance(time.Date(now.Year(), now.Month(), now.Day()+1, 12, 0, 0, 0, calendar.Beijing).Sub(now))
	}
}

func runJob(t *testing.T, a *testapp.App, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := a.Jobs.RunNow(t.Context(), name); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func dayView(t *testing.T, a *testapp.App, token, day string) books.DayView {
	t.Helper()
	res := a.Call("GET", "/api/hospay/recon/"+day, token, nil)
	var v books.DayView
	if err := json.Unmarshal(res.Raw, &v); err != nil || res.Status != 200 {
		t.Fatalf("%s: %d %s", day, res.Status, res.Raw)
	}
	return v
}

func differences(t *testing.T, a *testapp.App, token, query string) []map[string]any {
	t.Helper()
	res := a.Call("GET", "/api/hospay/differences?"+query, token, nil)
	if res.Status != 200 {
		t.Fatalf("%s: %d %s", query, res.Status, res.Raw)
	}
	var out []map[string]any
	for _, i := range res.Body["items"].([]any) {
		out = append(out, i.(map[string]any))
	}
	return out
}

// TestBooks_ADayOfBothChannelsBalances goes the whole way with the simulators:
// orders are paid, the bills are fetched in the morning, the day is green.
func TestBooks_ADayOfBothChannelsBalances(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	finance := a.Staff("finance")
	toMorning(a)
	day := clockDay(a)
	paidOrder(t, a, "P0001", "wechat", 1234)
	paidOrder(t, a, "P0002", "alipay", 2345)
	toMorning(a)
	runJob(t, a, "statements", "reconcile")
	v := dayView(t, a, finance, day)
	if v.State != books.Balanced || v.Open != 0 {
		t.Fatalf("%+v\n%v", v, differences(t, a, finance, "day="+day))
	}
	for book, want := range map[string]string{"platform": "2 3579", "wechat": "1 1234", "alipay": "1 2345", "his": "2 3579"} {
		if got := fmt.Sprintf("%d %d", v.Books[book].Count, v.Books[book].Amount); got != want || !v.Books[book].Present {
			t.Errorf("%s: %s, want %s", book, got, want)
		}
	}
	runs := len(v.Runs)
	runJob(t, a, "statements", "reconcile")
	if res := a.Call("POST", "/api/hospay/recon/"+day+"/run", finance, map[string]any{}); res.Status != 200 ||
		len(dayView(t, a, finance, day).Runs) != runs {
		t.Errorf("a run with equal inputs left a trace: %d %s", res.Status, res.Raw)
	}
}
