package e2e

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"hospay/lab/demo"
	"hospay/lab/testapp"
)

// evil tries what a script must not be able to do, and says what it was answered.
const evil = `
onRecordCreateRequest((e) => {
  if (e.record.getString("note") !== "try it") return e.next()
  const out = {}
  const attempt = (name, f) => { try { f(); out[name] = "done" } catch (err) { out[name] = String(err) } }
  const order = $app.findFirstRecordByFilter("refund_orders", "id != ''")
  attempt("amount", () => $app.db().newQuery("UPDATE refund_orders SET amount = 1").execute())
  attempt("state", () => $app.db().newQuery("UPDATE refund_orders SET status = 'succeeded'").execute())
  attempt("record", () => { order.set("amount", 1); $app.save(order) })
  attempt("event", () => $app.db().newQuery("DELETE FROM refund_events").execute())
  attempt("audit", () => $app.db().newQuery("DELETE FROM audit_log").execute())
  throw new BadRequestError(JSON.stringify(out))
}, "reviews")
onRecordAfterCreateSuccess((e) => { e.next(); throw new Error("a fault after the order was made") }, "refund_orders")
cronAdd("broken", "* * * * *", () => { throw new Error("a fault by the clock") })
`

// TestScripts_AreHeldByTheGuards: the sample's check refuses a review in the
// hospital's own words; what moves money or rewrites records is refused to scripts
// as to everybody; faults of scripts keep no refund from its way.
func TestScripts_AreHeldByTheGuards(t *testing.T) {
	sample := string(must(os.ReadFile("../deploy/pb_hooks/sample.pb.js")))
	a := testapp.New(t, testapp.Config{Scripts: map[string]string{"a.pb.js": sample, "b.pb.js": evil}})
	if a.ScriptFault != nil {
		t.Fatal(a.ScriptFault)
	}
	api := demo.NewAPI(a.URL)
	patient := must(api.Login(t.Context(), a.Sims.Portal.URL(), "P0002", "alipay"))
	order := must(api.Apply(t.Context(), patient, demo.Wish{Channel: "alipay", Method: "transfer", Amount: 100}))
	a.Drain()
	if rec := mustRecord(t, a, "refund_orders", order.ID); rec.GetString("status") != "reviewing" || rec.GetInt("amount") != 100 {
		t.Fatalf("%s %d", rec.GetString("status"), rec.GetInt("amount"))
	}
	review := func(body map[string]any) testapp.Answer {
		return a.Call("POST", "/api/collections/reviews/records", a.Staff("reviewer1"), body)
	}
	var tried map[string]string
	if err := json.Unmarshal([]byte(strings.TrimSuffix(review(map[string]any{"order": order.ID, "decision": "approve", "note": "try it"}).
		Text("message"), ".")), &tried); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"amount", "state", "record", "event", "audit"} {
		if said := tried[what]; said == "" || said == "done" {
			t.Errorf("a script could: %s %q", what, said)
		}
	}
	if res := review(map[string]any{"order": order.ID, "decision": "approve"}); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	a.Drain()
	if rec := mustRecord(t, a, "refund_orders", order.ID); rec.GetString("status") == "reviewing" {
		t.Errorf("still %s", rec.GetString("status"))
	}
}

// TestScripts_SampleAsksForANote: its check stands before the program's own.
func TestScripts_SampleAsksForANote(t *testing.T) {
	sample := string(must(os.ReadFile("../deploy/pb_hooks/sample.pb.js")))
	a := testapp.New(t, testapp.Config{Scripts: map[string]string{"a.pb.js": strings.Replace(sample, ">= 300000", ">= 100", 1)}})
	api := demo.NewAPI(a.URL)
	patient := must(api.Login(t.Context(), a.Sims.Portal.URL(), "P0002", "alipay"))
	order := must(api.Apply(t.Context(), patient, demo.Wish{Channel: "alipay", Method: "transfer", Amount: 100}))
	a.Drain()
	post := func(note string) testapp.Answer {
		return a.Call("POST", "/api/collections/reviews/records", a.Staff("reviewer1"), map[string]any{"order": order.ID, "decision": "approve",
			"note": note})
	}
	if res := post(""); res.Status != 400 || !strings.Contains(string(res.Raw), "审核时请写明核对了什么") {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
	if res := post("已与患者电话核对"); res.Status != 200 {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}

// TestScripts_OneThatCannotBeReadStopsNothing: it is told, and the program serves.
func TestScripts_OneThatCannotBeReadStopsNothing(t *testing.T) {
	a := testapp.New(t, testapp.Config{Scripts: map[string]string{"a.pb.js": "this is no script ("}})
	if a.ScriptFault == nil || !strings.Contains(a.ScriptFault.Error(), "pb_hooks") {
		t.Errorf("%v", a.ScriptFault)
	}
	if res := a.Call("GET", "/api/hospay/me", a.Login("P0001", "wechat").Token, nil); res.Status != 200 {
		t.Errorf("%d %s", res.Status, res.Raw)
	}
}
