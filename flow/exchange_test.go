package flow_test

import (
	"context"
	"testing"
	"time"

	"hospay/flow"
)

// TestExchange_AHoldStartsNoTimeOfItsOwn: a call that was on hold for days and
// is accepted at last has all its time to come to an end.
func TestExchange_AHoldStartsNoTimeOfItsOwn(t *testing.T) {
	now := time.Date(2028, 2, 29, 23, 59, 30, 0, time.UTC)
	m := &flow.Machine{Desk: "desk", Table: []flow.Legal{{From: "paying", To: []flow.State{"desk"}},
		{From: "desk", To: []flow.State{"paying"}}}}
	o := &flow.Order{Status: "paying"}
	call := &flow.Call{State: flow.CallIntent}
	short := flow.Answer{Verdict: flow.Refused, Reason: flow.Reason{Code: "NOT_ENOUGH", Hold: true}}
	step := func(ans flow.Answer) *flow.Turn {
		turn := flow.NewTurn(m, flow.DefaultTiming(), func() time.Time { return now }, o)
		turn.Fresh = call.State == flow.CallIntent
		say := func(context.Context) flow.Answer { return ans }
		x := flow.Exchange{Call: call, Traits: flow.Traits{Queryable: true, Repeatable: true}, Event: "payout", Send: say, Ask: say}
		if _, _, err := turn.Exchange(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		return turn
	}
	for range 4 {
		step(short)
		now = now.Add(24 * time.Hour)
	}
	turn := step(flow.Answer{Verdict: flow.Done, Said: "processing"})
	turn.Open(turn.Timing.Pending, 72*time.Hour, flow.CodePendingTooLong, flow.Reason{})
	if o.Status != "paying" || call.Sent != 5 {
		t.Errorf("order is %s (%s) after %d sends", o.Status, o.FailCode, call.Sent)
	}
}

// TestExchange_NothingLeavesUnderAnOldLease: a worker that was stopped for
// minutes does not send, whether for the first time, again, or once more; others
// may have taken the order over.
func TestExchange_NothingLeavesUnderAnOldLease(t *testing.T) {
	now := time.Date(2028, 2, 29, 23, 59, 30, 0, time.UTC)
	m := &flow.Machine{Desk: "desk", Table: []flow.Legal{{From: "paying", To: []flow.State{"desk"}}}}
	for name, c := range map[string]struct {
		state flow.CallState
		asked flow.Answer
	}{
		"first":     {flow.CallIntent, flow.Answer{}},
		"again":     {flow.CallOpen, flow.Answer{Verdict: flow.Done, Report: flow.ReportMissing, Said: "not_found"}},
		"once more": {flow.CallOpen, flow.Answer{Verdict: flow.Done, Said: "processing"}},
		"held":      {flow.CallHeld, flow.Answer{}},
	} {
		for _, left := range []time.Duration{-time.Minute, time.Second, time.Hour} {
			turn := flow.NewTurn(m, flow.DefaultTiming(), func() time.Time { return now }, &flow.Order{Status: "paying", LeaseUntil: now.Add(left)})
			turn.Fresh = c.state == flow.CallIntent
			sent := 0
			_, _, err := turn.Exchange(t.Context(), flow.Exchange{
				Call: &flow.Call{State: c.state, SentAt: now.Add(-time.Minute)}, Traits: flow.Traits{Queryable: true, Repeatable: true},
				Event: "payout",
				Send:  func(context.Context) flow.Answer { sent++; return flow.Answer{Verdict: flow.Done, Said: "processing"} },
				Ask:   func(context.Context) flow.Answer { return c.asked },
				Again: func(flow.Answer) bool { return true },
			})
			if want := left == time.Hour; (sent == 1) != want || (err == nil) != want {
				t.Errorf("%s with %s left: %d sends, %v", name, left, sent, err)
			}
		}
	}
}

// TestHold_ComesToPeople: a call that stays on hold rests with people after its
// limit.
func TestHold_ComesToPeople(t *testing.T) {
	now := time.Date(2028, 2, 29, 23, 59, 30, 0, time.UTC)
	m := &flow.Machine{Desk: "desk", Table: []flow.Legal{{From: "paying", To: []flow.State{"desk"}}}}
	o, call := &flow.Order{Status: "paying"}, &flow.Call{State: flow.CallIntent}
	for hours := 0; hours <= 73; hours++ {
		if want := hours > 72; (o.Status == "desk") != want {
			t.Fatalf("order is %s after %d hours", o.Status, hours)
		}
		turn := flow.NewTurn(m, flow.DefaultTiming(), func() time.Time { return now }, o)
		turn.Fresh = call.State == flow.CallIntent
		say := func(context.Context) flow.Answer {
			return flow.Answer{Verdict: flow.Refused, Reason: flow.Reason{Code: "NOT_ENOUGH", Hold: true}}
		}
		x := flow.Exchange{Call: call, Traits: flow.Traits{Queryable: true, Repeatable: true}, Event: "payout", Send: say, Ask: say,
			HoldLimit: 72 * time.Hour}
		if _, _, err := turn.Exchange(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
}

// TestDenied_EndsTheCircle: what is refused in equal words that prove nothing,
// while the number stays unknown, goes out only so often by itself.
func TestDenied_EndsTheCircle(t *testing.T) {
	now := time.Date(2028, 2, 29, 23, 59, 30, 0, time.UTC)
	m := &flow.Machine{Desk: "desk", Table: []flow.Legal{{From: "paying", To: []flow.State{"desk"}}}}
	o, call, sends := &flow.Order{Status: "paying"}, &flow.Call{State: flow.CallIntent}, 0
	for range 20 {
		turn := flow.NewTurn(m, flow.DefaultTiming(), func() time.Time { return now }, o)
		turn.Fresh = call.State == flow.CallIntent
		_, _, err := turn.Exchange(t.Context(), flow.Exchange{
			Call: call, Traits: flow.Traits{Queryable: true, Repeatable: true}, Event: "payout",
			Send: func(context.Context) flow.Answer {
				sends++
				return flow.Answer{Reason: flow.Reason{Code: "INVALID_REQUEST", Denied: true}}
			},
			Ask: func(context.Context) flow.Answer {
				return flow.Answer{Verdict: flow.Done, Report: flow.ReportMissing, Said: "not_found"}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if now = now.Add(time.Hour); o.Status == "desk" {
			break
		}
	}
	if o.Status != "desk" || flow.Code(o.FailCode) != flow.CodeRefusedForGood || sends != 3 {
		t.Errorf("order is %s %s after %d sends", o.Status, o.FailCode, sends)
	}
}

// TestPlausible: neither 2099 nor the year 1 is when something happened.
func TestPlausible(t *testing.T) {
	now := time.Date(2028, 2, 29, 23, 59, 30, 0, time.UTC)
	for at, want := range map[time.Time]bool{
		now: true, now.Add(time.Hour): true, now.AddDate(-3, 0, 0): true, now.Add(25 * time.Hour): false, {}: false,
		time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC): false,
	} {
		if got := flow.Plausible(at, now); got != want {
			t.Errorf("%s: %v", at, got)
		}
	}
}

// TestExchange_ARefusalAfterALostSendWaits: while an earlier send may still be
// under way, not even the refusal of a HIS counts; once none can be, and the
// number is still unknown, it does.
func TestExchange_ARefusalAfterALostSendWaits(t *testing.T) {
	now := time.Date(2028, 2, 29, 23, 59, 30, 0, time.UTC)
	m := &flow.Machine{Desk: "desk", Table: []flow.Legal{{From: "debiting", To: []flow.State{"desk"}}}}
	for _, confirm := range []bool{true, false} {
		o, call := &flow.Order{Status: "debiting"}, &flow.Call{State: flow.CallIntent}
		sends := 0
		step := func() flow.Outcome {
			turn := flow.NewTurn(m, flow.DefaultTiming(), func() time.Time { return now }, o)
			turn.Fresh = sends == 0
			outcome, _, err := turn.Exchange(t.Context(), flow.Exchange{
				Call: call, Traits: flow.Traits{Queryable: true, Repeatable: true, ConfirmRefuse: confirm}, Event: "his.debit",
				Send: func(context.Context) flow.Answer {
					if sends++; sends == 1 {
						return flow.Answer{} // lost, perhaps late
					}
					return flow.Answer{Verdict: flow.Refused, Reason: flow.Reason{Code: "NO"}}
				},
				Ask: func(context.Context) flow.Answer {
					return flow.Answer{Verdict: flow.Done, Report: flow.ReportMissing, Said: "not_found"}
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			return outcome
		}
		step()
		now = now.Add(time.Minute)
		for range 2 { // the refusal, and a question soon after it
			if got := step(); got != flow.OutcomeOpen {
				t.Errorf("confirmed %v: outcome %d after %d sends", confirm, got, sends)
			}
			if settled := call.SentAt.Add(flow.DefaultTiming().Settle); o.NextAt.Before(settled) {
				t.Errorf("confirmed %v: asked at %s, settled at %s", confirm, o.NextAt, settled)
			}
		}
		now = now.Add(flow.DefaultTiming().Settle)
		if got := step(); got != flow.OutcomeRefused || sends != 2 {
			t.Errorf("confirmed %v: outcome %d after %d sends", confirm, got, sends)
		}
	}
}
