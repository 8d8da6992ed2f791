package e2e

import (
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"hospay/lab/testapp"
	"hospay/payment"
)

// figures reads /metrics as Prometheus does: name and labels → value.
func figures(t *testing.T, a *testapp.App, token string) map[string]float64 {
	t.Helper()
	res := a.Call("GET", "/metrics", token, nil)
	if res.Status != http.StatusOK {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	out := map[string]float64{}
	for line := range strings.Lines(string(res.Raw)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		if !regexp.MustCompile(`^[a-z_]+(\{([a-z]+="[^"]*",?)*\})?$`).MatchString(line[:max(at, 0)]) {
			t.Fatalf("%q", line)
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatal(err)
		}
		out[line[:at]] = v
	}
	return out
}

// TestMetrics_TellWhatStandsAndWhatCallsBrought: figures of both domains, of jobs,
// HIS and disk follow what happens; no figure names a person.
func TestMetrics_TellWhatStandsAndWhatCallsBrought(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	it := a.Superuser()
	house := `institution="` + a.Institution + `"`
	apply(t, a.Login("P0002", "alipay"), "alipay", "transfer", 3200, nil)
	a.Drain()
	p := newAPIPayer(t, a, "P0003", "wechat")
	p.payable(p.creates(p.wish(p.bill(payment.KindOutpatient, 4_400), false, "")))
	a.Advance(10 * time.Second)
	now := figures(t, a, it)
	for name, want := range map[string]float64{
		`hospay_refunds{` + house + `,status="reviewing"}`:                         1,
		`hospay_payments{` + house + `,status="paying"}`:                           1,
		`hospay_refunds_suspense{` + house + `}`:                                   0,
		`hospay_calls_total{domain="refund",kind="debit",verdict="done",code="0"}`: 1,
		`hospay_calls_total{domain="payment",kind="trade",verdict="done",code=""}`: 1,
		`hospay_channel_configured{` + house + `,channel="wechat"}`:                1,
		`hospay_payouts_frozen{` + house + `}`:                                     0,
		`hospay_ready`:                                                             1,
	} {
		if got, ok := now[name]; !ok || got != want {
			t.Errorf("%s is %v (%v), want %v", name, got, ok, want)
		}
	}
	for _, name := range []string{"hospay_disk_free_bytes", `hospay_database_bytes{file="data.db"}`,
		`hospay_refund_oldest_seconds{` + house + `}`, `hospay_payment_oldest_seconds{` + house + `,status="paying"}`} {
		if now[name] <= 0 {
			t.Errorf("%s is %v", name, now[name])
		}
	}
	for name := range now {
		if strings.Contains(name, "P0003") || strings.Contains(name, p.who.Name) || strings.Contains(name, p.who.Cards[0]) {
			t.Errorf("%s names a person", name)
		}
	}
}

// TestMetrics_AreOfIT: behind a listener of its own whoever reaches it reads them,
// and the public one has none.
func TestMetrics_AreOfIT(t *testing.T) {
	a := testapp.New(t, testapp.Config{Admin: true})
	for base, want := range map[string]int{a.URL: http.StatusNotFound, a.AdminURL: http.StatusOK} {
		res, err := http.Get(base + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d, want %d", base, res.StatusCode, want)
		}
	}
}

// TestReady_LatePaymentsCount: a payment that nobody takes up makes the program
// unready, as a refund does.
func TestReady_LatePaymentsCount(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	p := newAPIPayer(t, a, "P0003", "wechat")
	p.creates(p.wish(p.bill(payment.KindOutpatient, 4_400), false, ""))
	if res := a.Call("GET", "/api/hospay/ready", "", nil); res.Status != http.StatusOK {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	a.Advance(6 * time.Minute)
	if res := a.Call("GET", "/api/hospay/ready", "", nil); res.Status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	if late := figures(t, a, a.Superuser())["hospay_orders_late"]; late != 1 {
		t.Errorf("%v late", late)
	}
}

// TestMetrics_AlertsAskForWhatThereIs: every figure that an alert rule or the board
// names is one that is answered.
func TestMetrics_AlertsAskForWhatThereIs(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	apply(t, a.Login("P0002", "alipay"), "alipay", "transfer", 3200, nil)
	p := newAPIPayer(t, a, "P0003", "wechat")
	p.creates(p.wish(p.bill(payment.KindOutpatient, 4_400), false, ""))
	a.Drain()
	if _, err := a.Jobs.RunNow(t.Context(), "statistics"); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{"hospay_his_up": true, "hospay_his_latency_seconds": true, "hospay_payments_suspense": true,
		"hospay_certificate_days": true, "hospay_refunds_paid_today_fen": true} // not before there is one
	for name := range figures(t, a, a.Superuser()) {
		name, _, _ = strings.Cut(name, "{")
		known[name] = true
	}
	for _, file := range []string{"../deploy/prometheus-alerts.yml", "../deploy/grafana-dashboard.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`hospay_[a-z_]+`).FindAllString(string(text), -1)
		if len(names) < 10 {
			t.Errorf("%s names %d figures", file, len(names))
		}
		for _, n := range names {
			if !known[n] {
				t.Errorf("%s asks for %s, which there is not", file, n)
			}
		}
	}
}
