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
