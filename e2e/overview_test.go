package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"hospay/internal/testday"
	"hospay/lab/testapp"
	"hospay/sim"
	"hospay/store"
)

type overview struct {
	Institutions []struct {
		ID      string
		Orders  map[string]int
		Paid    map[string]struct{ Amount, Count int64 } `json:"paid_today"`
		Limits  map[string]struct{ Used int64 }
		Oldest  *struct{ No string } `json:"oldest_open"`
		Unknown int
		Frozen  bool
		HIS     *struct {
			OK    bool
			MS    int64
			Error string
		}
		Broken       map[string]string
		Certificates []struct {
			Channel, What string
			Days          *int
		}
	}
	Jobs []struct {
		Name        string
		LastStarted string `json:"last_started"`
		OK          bool
		Error       string
	}
	Version string
}

func look(t *testing.T, a *testapp.App, super string) overview {
	t.Helper()
	res := a.Call("GET", "/api/hospay/overview", super, nil)
	var out overview
	if err := json.Unmarshal(res.Raw, &out); err != nil || res.Status != 200 || len(out.Institutions) != 1 {
		t.Fatalf("%d %s: %v", res.Status, res.Raw, err)
	}
	return out
}

// TestOverview_TellsWhatIsGoingOn: sums, the oldest order, the HIS and the jobs.
func TestOverview_TellsWhatIsGoingOn(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	super := a.Superuser()
	paidOrder(t, a, "P0001", "alipay", 1200)
	paidOrder(t, a, "P0002", "alipay", 800)
	w := awaiting(t, a, a.Login("P0003", "wechat"))
	o := look(t, a, super)
	i := o.Institutions[0]
	if i.Orders["succeeded"] != 2 || i.Orders["awaiting_payee"] != 1 || i.Paid["alipay"].Amount != 2000 || i.Paid["alipay"].Count != 2 ||
		i.Limits["alipay"].Used != 2000 {
		t.Errorf("%+v", i)
	}
	if i.Oldest == nil || i.Oldest.No != w.Order.No || i.HIS != nil || i.Frozen || len(i.Certificates) < 3 ||
		!strings.HasPrefix(o.Version, "hospay ") {
		t.Errorf("%+v", o)
	}
	if res := a.Call("POST", "/api/hospay/jobs/his_ping/run", super, nil); res.Status != 200 || res.Text("ok") != "true" {
		t.Fatalf("run: %d %s", res.Status, res.Raw)
	}
	o = look(t, a, super)
	if h := o.Institutions[0].HIS; h == nil || !h.OK {
		t.Errorf("HIS: %+v", h)
	}
	for _, j := range o.Jobs {
		if (j.Name == "his_ping") != (j.LastStarted != "") || !j.OK {
			t.Errorf("job %+v", j)
		}
	}
	var n int
	if err := a.Runtime.App.DB().NewQuery(
		"SELECT COUNT(*) FROM audit_log WHERE action = 'job.run' AND actor_kind = 'superuser' AND target = " +
			"'his_ping'").Row(&n); err != nil || n != 1 {
		t.Errorf("%d audit entries: %v", n, err)
	}
}

// TestOverview_UnknownOrdersAndASilentHIS: what is not known shows, and a HIS
// that is silent twice makes the program not ready; one answer mends it.
func TestOverview_UnknownOrdersAndASilentHIS(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	super := a.Superuser()
	if err := a.Sims.HIS.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "*", Fault: sim.Error500Before, Times: 1000}}}); err != nil {
		t.Fatal(err)
	}
	ready := func() (int, string) {
		res := a.Call("GET", "/api/hospay/ready", super, nil)
		return res.Status, string(res.Raw)
	}
	for times, want := range []int{200, 503} {
		if _, err := a.Jobs.RunNow(t.Context(), "his_ping"); err != nil {
			t.Fatal(err)
		}
		if status, raw := ready(); status != want || (want == 503) != strings.Contains(raw, "演示医院") {
			t.Errorf("after %d silences: %d %s", times+1, status, raw)
		}
	}
	if h := look(t, a, super).Institutions[0].HIS; h == nil || h.OK || h.Error == "" {
		t.Errorf("HIS: %+v", h)
	}
	a.Sims.HIS.Faults().Clear()
	p := a.Login("P0001", "wechat")
	if err := a.Sims.HIS.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "debit", Fault: sim.TimeoutBefore, Times: 1000},
		{Match: "query_debit", Fault: sim.Error500Before, Times: 1000}}}); err != nil {
		t.Fatal(err)
	}
	apply(t, p, "wechat", "transfer", 1000, nil)
	a.Drain()
	if n := look(t, a, super).Institutions[0].Unknown; n != 1 {
		t.Errorf("%d unknown", n)
	}
	a.Sims.HIS.Faults().Clear()
	if _, err := a.Jobs.RunNow(t.Context(), "his_ping"); err != nil {
		t.Fatal(err)
	}
	if status, raw := ready(); status != 200 {
		t.Errorf("after an answer: %d %s", status, raw)
	}
}

// TestReady_StaffReadOfTheirOwnHouse: that another institution's HIS is silent
// is told to IT alone.
func TestReady_StaffReadOfTheirOwnHouse(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	stranger := h.strange(t, "reviewer2")
	for range 2 {
		h.Health.Note(h.Institution, testday.Now(), time.Second, errors.New("no answer"))
	}
	for token, want := range map[string]bool{h.tokens["finance"]: true, stranger: false, h.tokens["superuser"]: true} {
		res := h.Call("GET", "/api/hospay/ready", token, nil)
		if res.Status != 503 || strings.Contains(string(res.Raw), "演示医院") != want {
			t.Errorf("%d %s, want the house %v", res.Status, res.Raw, want)
		}
	}
}

// TestOverview_QueriesUseIndexes asks the database for its plans.
func TestOverview_QueriesUseIndexes(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	for name, sql := range store.OverviewQueries() {
		var rows []struct {
			Detail string `db:"detail"`
		}
		if err := a.Runtime.App.DB().NewQuery("EXPLAIN QUERY PLAN " + sql).Bind(map[string]any{"day": "2026-01-01 00:00:00.000Z"}).
			All(&rows); err != nil {
			t.Fatal(err)
		}
		plan := fmt.Sprint(rows)
		if strings.Contains(plan, "SCAN o") || strings.Contains(plan, "SCAN transfer_orders") || !strings.Contains(plan, "SEARCH") {
			t.Errorf("%s: %s", name, plan)
		}
	}
}
