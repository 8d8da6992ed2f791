package metrics

import (
	"strings"
	"testing"
	"time"

	"hospay/flow"
)

// TestWrite: rows stand by their labels, foreign words break no line, and a family
// without rows is not there.
func TestWrite(t *testing.T) {
	f := &Family{Name: "hospay_orders", Kind: Gauge, Help: "订单"}
	f.Add(2, "status", "b")
	f.Add(1.5, "status", "a\"\n\\x")
	up := &Family{Name: "hospay_up", Kind: Gauge, Help: "1"}
	up.Add(1)
	var b strings.Builder
	if err := Write(&b, f, &Family{Name: "hospay_none"}, up); err != nil {
		t.Fatal(err)
	}
	want := "# HELP hospay_orders 订单\n# TYPE hospay_orders gauge\nhospay_orders{status=\"a\\\"\\n\\\\x\"} 1.5\n" +
		"hospay_orders{status=\"b\"} 2\n# HELP hospay_up 1\n# TYPE hospay_up gauge\nhospay_up 1\n"
	if b.String() != want {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}
}

// TestCalls_AreBounded: codes that others make up do not fill the memory.
func TestCalls_AreBounded(t *testing.T) {
	var c Calls
	watch := c.Watch("refund")
	watch("payout", flow.Answer{Verdict: flow.Done}, 3*time.Second)
	watch("payout", flow.Answer{Verdict: flow.Done}, time.Second)
	for i := range 2000 {
		watch("payout", flow.Answer{Verdict: flow.Refused, Reason: flow.Reason{Code: strings.Repeat("X", i)}}, time.Second)
	}
	var b strings.Builder
	if err := Write(&b, c.Families()...); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		`hospay_calls_total{domain="refund",kind="payout",verdict="done",code=""} 2`,
		`hospay_call_seconds_total{domain="refund",kind="payout",verdict="done",code=""} 4`,
		`hospay_calls_total{domain="refund",kind="payout",verdict="refused",code="other"} `,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if n := strings.Count(text, "\n"); n > 2*(mostCodes+5) {
		t.Errorf("%d lines", n)
	}
}
