package sim_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"hospay/sim"
)

func TestClock_RunsTimersInOrderBeforeAdvanceReturns(t *testing.T) {
	c := sim.NewClock()
	defer c.Close()
	var got []string
	c.After(2*time.Hour, func() { got = append(got, "b") })
	c.After(time.Hour, func() { got = append(got, "a"); c.After(0, func() { got = append(got, "c") }) })
	c.Advance(3 * time.Hour)
	if strings.Join(got, "") != "acb" && strings.Join(got, "") != "abc" {
		t.Fatal(got)
	}
	done := make(chan bool)
	c.After(20*time.Millisecond, func() { close(done) })
	select {
	case <-done:
	case <-time.After(2 * time.Second):
		t.Fatal("real time must move the clock, too")
	}
}

func TestFaults_NthAndTimes(t *testing.T) {
	f := sim.NewFaults("wechat")
	f.Set(sim.Plan{Rules: []sim.Rule{{Match: "transfer", Nth: 2, Times: 2, Fault: sim.Slow}}})
	got := ""
	for range 5 {
		got += f.Next(sim.Call{Op: "transfer", Alias: "transfer"}).Kind + ","
	}
	if got != ",slow,slow,,," {
		t.Fatal(got)
	}
	if f.Plan("transfer", "no such") == nil {
		t.Fatal("unknown faults are refused")
	}
}

func TestFaults_SeededChoiceIgnoresOrder(t *testing.T) {
	run := func(reverse bool) map[string]string {
		f := sim.NewFaults("wechat")
		f.Set(sim.Plan{Seed: 7, Rate: 0.3})
		out := map[string]string{}
		for i := range 400 {
			if reverse {
				i = 399 - i
			}
			no := fmt.Sprint("N", i)
			for range 2 {
				out[no] += f.Next(sim.Call{Op: "transfer", Alias: "transfer", No: no}).Kind + ","
			}
		}
		return out
	}
	a, b, hits := run(false), run(true), 0
	for no, want := range a {
		if b[no] != want {
			t.Fatalf("%s: %s and %s", no, want, b[no])
		}
		hits += strings.Count(want, "_")
	}
	if hits < 80 {
		t.Fatalf("only %d faults in 800 calls at 0.3", hits)
	}
}

func TestRequests_SinceIndexAndTime(t *testing.T) {
	var l sim.Requests
	l.Add(sim.Request{Op: "a"})
	time.Sleep(2 * time.Millisecond)
	mark := time.Now()
	l.Add(sim.Request{Op: "b"})
	if rows, next := l.Since("1"); len(rows) != 1 || rows[0].Op != "b" || next != 2 {
		t.Fatal(rows, next)
	}
	if rows, _ := l.Since(mark.Format(time.RFC3339Nano)); len(rows) != 1 || rows[0].Op != "b" {
		t.Fatal(rows)
	}
}

func TestFen(t *testing.T) {
	for text, want := range map[string]int64{"0.10": 10, "12.3": 1230, "12": 1200, "60000.00": 6_000_000} {
		if got, ok := sim.Fen(text); !ok || got != want {
			t.Errorf("%s: %d %v", text, got, ok)
		}
	}
	for _, text := range []string{"", ".5", "1.", "1.234", "-1", "1,000", "1e3", "一"} {
		if got, ok := sim.Fen(text); ok {
			t.Errorf("%q: %d", text, got)
		}
	}
	if sim.Yuan(5) != "0.05" || sim.Yuan(-12345) != "-123.45" {
		t.Error(sim.Yuan(5), sim.Yuan(-12345))
	}
}

func TestPDF_HasAValidCrossReference(t *testing.T) {
	raw := sim.PDF([]string{"转账电子回单", "金额：1.00"})
	at := bytes.LastIndex(raw, []byte("startxref\n"))
	var offset int
	fmt.Sscanf(string(raw[at:]), "startxref\n%d", &offset)
	if !bytes.HasPrefix(raw[offset:], []byte("xref\n0 8\n")) {
		t.Fatalf("%s", raw)
	}
	var first int
	fmt.Sscanf(string(raw[offset:]), "xref\n0 8\n0000000000 65535 f \n%d", &first)
	if !bytes.HasPrefix(raw[first:], []byte("1 0 obj")) {
		t.Fatalf("object 1 at %d", first)
	}
}

// What a seeded plan may choose grows by the families that it names; a late
// debit is in every plan of a HIS.
func TestFaults_SeededFamilies(t *testing.T) {
	chosen := func(name string, p sim.Plan, alias string) map[string]int {
		f := sim.NewFaults(name)
		if err := f.Set(p); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for i := range 3000 {
			got[f.Next(sim.Call{Op: alias, Alias: alias, No: fmt.Sprint("N", i)}).Kind]++
		}
		return got
	}
	plain := sim.Plan{Seed: 3, Rate: 0.8}
	with := sim.Plan{Seed: 3, Rate: 0.8, With: []string{"late", "lies", "refusals", "lost", "odd"}, LateMS: 60_000}
	for _, c := range []struct {
		sim, alias string
		plan       sim.Plan
		want, not  string
	}{
		{"his", "debit", plain, "late_debit", "same_number unknown late_pay"}, {"his-2", "reverse", plain, "late_debit",
			"signtest bad_signature"},
		{"his", "debit", with, "same_number future_time unknown_code lie_amount", "lost_package no_auth"},
		{"wechat", "transfer", plain, "timeout_after signtest", "late_pay lie_payee no_auth lost_package"},
		{"wechat", "transfer", with, "late_pay late_500 no_auth quota_exceeded lost_package accepted_first", "same_number"},
		{"alipay", "query", with, "lie_payee lie_no_amount", "late_pay no_auth"}, {"alipay", "callback", with,
			"no_callback lie_app", "late_pay"},
	} {
		got := chosen(c.sim, c.plan, c.alias)
		for _, k := range strings.Fields(c.want) {
			if got[k] == 0 {
				t.Errorf("%s %s never meets %s", c.sim, c.alias, k)
			}
		}
		for _, k := range strings.Fields(c.not) {
			if got[k] != 0 {
				t.Errorf("%s %s meets %s", c.sim, c.alias, k)
			}
		}
	}
	if (sim.NewFaults("his")).Set(sim.Plan{With: []string{"nothing"}}) == nil {
		t.Error("a family that does not exist is refused")
	}
}

// A number that fate refuses is refused in the same words as often as it comes.
func TestFaults_RefusalsAreForGood(t *testing.T) {
	f := sim.NewFaults("wechat")
	f.Set(sim.Plan{Seed: 5, Rate: 1, With: []string{"refusals"}, Faults: []string{sim.TimeoutBefore}})
	refused := 0
	for i := range 400 {
		c := sim.Call{Op: "transfer", Alias: "transfer", No: fmt.Sprint("N", i)}
		first := f.Next(c).Kind
		for range 3 {
			if again := f.Next(c).Kind; again != first {
				t.Fatalf("%s: %s, then %s", c.No, first, again)
			}
		}
		if first != sim.TimeoutBefore {
			refused++
		}
	}
	if refused < 60 || refused > 140 {
		t.Errorf("%d of 400", refused)
	}
}
