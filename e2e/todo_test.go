package e2e

import (
	"encoding/json"
	"maps"
	"testing"

	"hospay/lab/testapp"
	"hospay/refund"
)

// todoOf is what waits for a staff member, by kind.
func todoOf(t *testing.T, a *testapp.App, token string) map[string]int {
	t.Helper()
	res := a.Call("GET", "/api/hospay/staff/todo", token, nil)
	var out struct {
		Items []struct {
			Kind  string `json:"kind"`
			Count int    `json:"count"`
		} `json:"items"`
	}
	if err := json.Unmarshal(res.Raw, &out); err != nil || res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	kinds := map[string]int{}
	for _, i := range out.Items {
		kinds[i.Kind] = i.Count
	}
	return kinds
}

// TestTodo_WhatOneHasAskedForWaitsForAnother: reviews, second reviews and changes
// of the configuration are told to those who can do something about them.
func TestTodo_WhatOneHasAskedForWaitsForAnother(t *testing.T) {
	a := secondHouse(t, refund.ReviewSettings{})
	d := &desk{App: a, config: a.Staff("config"), finance: a.Staff("finance"), auditor: a.Staff("auditor")}
	reviewer, other := d.Staff("reviewer1"), d.Staff("reviewer2")
	if got := todoOf(t, d.App, reviewer); len(got) != 0 {
		t.Errorf("nothing waits, told %v", got)
	}
	first := d.id(t, "review_settings", `id != ""`)
	change := d.propose(d.config, "review_settings", first, map[string]any{"second_from": 100})
	wantState(t, "propose", change, "waiting")
	if got := todoOf(t, d.App, d.config); got["changes"] != 0 {
		t.Errorf("the proposer is told of the own change: %v", got)
	}
	if got := todoOf(t, d.App, d.finance); !maps.Equal(got, map[string]int{"changes": 1}) {
		t.Errorf("finance is told %v", got)
	}
	wantState(t, "confirm", d.decide(d.finance, change, "confirm"), "applied")
	if got := todoOf(t, d.App, d.finance); len(got) != 0 {
		t.Errorf("after the decision finance is told %v", got)
	}
	id := reviewing(t, a, a.Login("P0001", "alipay"), 10_000)
	if got := todoOf(t, d.App, reviewer); !maps.Equal(got, map[string]int{"review": 1}) {
		t.Errorf("before the first review: %v", got)
	}
	d.Review(reviewer, id, "approve", "")
	if got := todoOf(t, d.App, reviewer); len(got) != 0 {
		t.Errorf("who reviewed first is told %v", got)
	}
	if got := todoOf(t, d.App, other); !maps.Equal(got, map[string]int{"second": 1}) {
		t.Errorf("the second reviewer is told %v", got)
	}
	for stage, want := range map[string]int{"first": 0, "second": 1} {
		var list struct {
			Items []struct {
				Stage, Applicant, Holder, Phone string
			} `json:"items"`
		}
		res := d.Call("GET", "/api/hospay/queue?tab=reviewing&stage="+stage, other, nil)
		if err := json.Unmarshal(res.Raw, &list); err != nil || len(list.Items) != want {
			t.Fatalf("%s: %s", stage, res.Raw)
		}
		for _, i := range list.Items {
			if i.Stage != "second" || i.Applicant == "" || i.Holder == "" || i.Phone == "" {
				t.Errorf("%+v", i)
			}
		}
	}
	var sum struct {
		Sum struct{ Count, Amount int }
	}
	res := d.Call("GET", "/api/hospay/queue?tab=reviewing&sum=yes", other, nil)
	if err := json.Unmarshal(res.Raw, &sum); err != nil || sum.Sum.Count != 1 || sum.Sum.Amount != 10_000 {
		t.Errorf("the sum is %s", res.Raw)
	}
}
