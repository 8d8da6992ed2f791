package alerts

import (
	"os"
	"regexp"
	"testing"
	"time"

	"hospay/internal/testday"
)

func shipped(t *testing.T) []Rule {
	t.Helper()
	text, err := os.ReadFile("../../deploy/prometheus-alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func one(name string, v float64, labels ...string) Sample {
	s := Sample{Name: name, Value: v, Labels: map[string]string{}}
	for i := 0; i < len(labels); i += 2 {
		s.Labels[labels[i]] = labels[i+1]
	}
	return s
}

// figures are, for every rule, a figure of a good day and one by which it must
// fire.
var figures = map[string]struct{ good, bad Sample }{
	"HospayDown":       {one("up", 1, "job", "hospay"), one("up", 0, "job", "hospay")},
	"HospayNotReady":   {one("hospay_ready", 1), one("hospay_ready", 0)},
	"HospayOrdersLate": {one("hospay_orders_late", 0), one("hospay_orders_late", 2)},
	"HospayUnknown":    {one("hospay_refunds_unknown", 0, "institution", "a"), one("hospay_refunds_unknown", 1, "institution", "a")},
	"HospayPaymentsStand": {one("hospay_payment_oldest_seconds", 5000, "institution", "a", "status", "paying"),
		one("hospay_payment_oldest_seconds", 901, "institution", "a", "status", "writing")},
	"HospaySuspense": {one("hospay_refunds_suspense", 0, "institution", "a"), one("hospay_refunds_suspense", 1, "institution", "a")},
	"HospayNotEnough": {one("hospay_payouts_held", 0, "institution", "a"),
		one("hospay_payouts_held", 1, "institution", "a")},
	"HospayCallsUnknown": {one("hospay_calls_total", 20, "domain", "refund", "kind", "debit", "verdict", "unknown"),
		one("hospay_calls_total", 41, "domain", "refund", "kind", "debit", "verdict", "unknown")},
	"HospayHISDown": {one("hospay_his_up", 1, "institution", "a"), one("hospay_his_up", 0, "institution", "a")},
	"HospayHISSlow": {one("hospay_his_latency_seconds", 5, "institution", "a"),
		one("hospay_his_latency_seconds", 5.1, "institution", "a")},
	"HospayChannelBroken": {one("hospay_channel_configured", 1, "channel", "wechat"),
		one("hospay_channel_configured", 0, "channel", "wechat")},
	"HospayCertificate": {one("hospay_certificate_days", 30, "channel", "alipay"), one("hospay_certificate_days", 29, "channel", "alipay")},
	"HospayFrozen":      {one("hospay_payouts_frozen", 0, "institution", "a"), one("hospay_payouts_frozen", 1, "institution", "a")},
	"HospayJobFails":    {one("hospay_job_ok", 1, "job", "statements"), one("hospay_job_ok", 0, "job", "statements")},
	"HospayBackupOld": {one("hospay_job_last_success_seconds", 93600, "job", "backup"),
		one("hospay_job_last_success_seconds", 93601, "job", "backup")},
	"HospayArchiveMissing": {one("hospay_archives_missing", 0), one("hospay_archives_missing", 1)},
	"HospayDiskFull":       {one("hospay_disk_free_bytes", 5e9), one("hospay_disk_free_bytes", 4e9)},
}

// TestRules_EachFires: none on the figures of a good day; each on a bad figure, once
// it stands as long as the rule says and not a minute sooner; none when it is over.
func TestRules_EachFires(t *testing.T) {
	rules := shipped(t)
	if len(rules) != len(figures) {
		t.Errorf("%d rules, figures for %d", len(rules), len(figures))
	}
	for _, r := range rules {
		f, ok := figures[r.Name]
		if !ok {
			t.Errorf("%s has no figures in this test", r.Name)
			continue
		}
		if r.Summary == "" || r.Todo == "" {
			t.Errorf("%s does not say what is so and who does what", r.Name)
		}
		w, at := New(rules), testday.Now()
		var good []Sample
		for _, other := range figures {
			good = append(good, other.good)
		}
		for range 3 {
			if fired := w.Observe(at, good); len(fired) > 0 {
				t.Fatalf("on a good day: %+v", fired)
			}
			at = at.Add(time.Minute)
		}
		bad := append([]Sample{f.bad}, without(good, f.good)...)
		begun := at
		for at.Sub(begun) < r.For {
			if fired := w.Observe(at, bad); len(fired) > 0 {
				t.Errorf("%s after %v of %v: %+v", r.Name, at.Sub(begun), r.For, fired)
			}
			at = at.Add(time.Minute)
		}
		fired := w.Observe(begun.Add(r.For), bad)
		if len(fired) != 1 || fired[0].Name != r.Name || !fired[0].Since.Equal(begun) {
			t.Errorf("%s: %+v", r.Name, fired)
		}
		if r.Name == "HospayCallsUnknown" {
			continue // a counter does not fall again
		}
		if fired := w.Observe(at.Add(time.Minute), good); len(fired) > 0 {
			t.Errorf("%s is over: %+v", r.Name, fired)
		}
	}
}

func without(list []Sample, s Sample) (out []Sample) {
	for _, x := range list {
		if x.key() != s.key() {
			out = append(out, x)
		}
	}
	return out
}

func TestRules_SuspenseOfEitherKind(t *testing.T) {
	w, at := New(shipped(t)), testday.Now()
	samples := []Sample{one("hospay_refunds_suspense", 0, "institution", "a"), one("hospay_payments_suspense", 2, "institution", "a"),
		one("hospay_refunds_suspense", 1, "institution", "b")}
	w.Observe(at, samples)
	if fired := w.Observe(at.Add(30*time.Minute), samples); len(fired) != 2 {
		t.Errorf("%+v", fired)
	}
}

func TestIncrease_OfACounterThatBeginsAnew(t *testing.T) {
	n, err := parse(`increase(c{code=~"a|b"}[10m]) > 5`)
	if err != nil {
		t.Fatal(err)
	}
	at := testday.Now()
	past := []moment{{at, nil}, {at.Add(time.Minute), []Sample{one("c", 4, "code", "a"), one("c", 90, "code", "x")}},
		{at.Add(2 * time.Minute), []Sample{one("c", 2, "code", "a"), one("c", 99, "code", "x")}}}
	if got := n.at(past); len(got) != 1 || got[0].Value != 6 {
		t.Errorf("%+v", got)
	}
}

// TestParse_RefusesWhatItDoesNotUnderstand: a rule is judged whole or not at all.
func TestParse_RefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, text := range []string{"", "a", "a > b", "rate(a[5m]) > 1", "a > 1 and b > 1", "a{b!=\"c\"} > 1", "a offset 5m > 1", "sum(a) > 1",
		"a > 1 # so", "increase(a[x]) > 1", "a{b=~\"(\"} > 1"} {
		if _, err := parse(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	if _, err := Parse("- alert: A\n  expr: a >\n"); err == nil || !regexp.MustCompile(`rule A: `).MatchString(err.Error()) {
		t.Errorf("%v", err)
	}
}
