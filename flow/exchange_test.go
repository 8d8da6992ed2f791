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
