package e2e

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"hospay/collections"
	"hospay/lab/testapp"
	"hospay/refund"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// visitors are the columns of the permission tables, in this order. Owner is
// the patient to whom the planted rows belong, other a patient beside.
var visitors = []string{"guest", "owner", "other", "reviewer", "finance", "cashier", "auditor", "config", "superuser"}

// house is a program with one row in every collection and one token per
// visitor.
type house struct {
	*testapp.App
	tokens map[string]string
	rows   map[string]string // collection → id of a row
	owner  *testapp.Patient

	financeID string
}

func newHouse(t *testing.T, c testapp.Config) *house {
	t.Helper()
	a := testapp.New(t, c)
	h := &house{App: a, owner: a.Login("P0001", "wechat"), rows: map[string]string{}}
	h.tokens = map[string]string{"guest": "", "owner": h.owner.Token, "other": a.Login("P0002", "alipay").Token, "superuser": a.Superuser()}
	for _, name := range []string{"finance", "cashier", "auditor", "config"} {
		h.tokens[name] = a.Staff(name)
	}
	h.tokens["reviewer"] = a.Staff("reviewer1")
	id := apply(t, h.owner, "wechat", "transfer", 1200, nil)
	a.Drain()
	if res := a.Review(h.tokens["reviewer"], id, "approve", ""); res.Status != 200 {
		t.Fatalf("review: %d %s", res.Status, res.Raw)
	}
	a.Drain()
	wantStatus(t, a, id, refund.StatusAwaitingPayee)
	h.plant(t, id)
	return h
}

// plant adds rows where the flow of an order leaves none, and finds the others.
func (h *house) plant(t *testing.T, order string) {
	t.Helper()
	db := h.Runtime.App.NonconcurrentDB()
	h.financeID = must(h.Runtime.App.FindAuthRecordByEmail(collections.Staff, "finance@demo.hospay")).Id
	insert := func(table string, row map[string]any) {
		row["id"] = "planted00000000"
		if _, err := db.Insert(table, row).Execute(); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
	}
	insert(collections.Receipts, map[string]any{"institution": h.Institution, "patient": h.owner.ID, "order": order, "out_bill_no": "T1",
		"state": "waiting"})
	insert(collections.Statements, map[string]any{"institution": h.Institution, "source": "his", "kind": "k", "day": "2026-01-02",
		"state": "waiting", "version": 1})
	insert(collections.StatementLines, map[string]any{"institution": h.Institution, "statement": "planted00000000", "line": 7, "reason": "x"})
	insert(collections.ReconRuns, map[string]any{"institution": h.Institution, "day": "2025-12-01", "seq": 1, "state": "balanced",
		"books": "{}", "summary": "{}", "files": "[]"})
	insert(collections.Differences, map[string]any{"institution": h.Institution, "day": "2025-12-01", "key": "x", "kind": "state",
		"also": "[]", "state": "open", "live": true})
	insert(collections.Resolutions, map[string]any{"institution": h.Institution, "difference": "planted00000000", "act": "assign",
		"before": "{}", "after": "{}"})
	insert(collections.ReconMonths, map[string]any{"institution": h.Institution, "month": "2025-11", "state": "open"})
	insert(collections.Callbacks, map[string]any{"institution": h.Institution, "channel": "wechat", "callback_id": "planted", "no": "T1"})
	insert(collections.JobRuns, map[string]any{"job": "planted", "ok": true})
	insert(collections.AuditSinks, map[string]any{"kind": "syslog", "url": "tcp://127.0.0.1:9"})
	insert(collections.AuditLog, map[string]any{"seq": 1000, "action": "planted", "institution": h.Institution})
	insert(collections.Exports, map[string]any{"institution": h.Institution, "owner": h.financeID, "report": "refunds", "state": "running"})
	insert(collections.ProxyApplications, map[string]any{
		"institution": h.Institution, "patient": h.owner.ID, "principal": h.owner.ID, "no": "A1", "card_no": "C0001", "status": "draft",
		"case": "minor", "relation": "parent",
	})
	insert(collections.ProxyMaterials, map[string]any{"institution": h.Institution, "patient": h.owner.ID, "application": "planted00000000",
		"kind": "other"})
	reviewer := must(h.Runtime.App.FindAuthRecordByEmail(collections.Staff, "reviewer1@demo.hospay"))
	insert(collections.Batches, map[string]any{"institution": h.Institution, "starter": reviewer.Id, "decision": "approve", "state": "done",
		"orders": "[]", "results": "[]"})
	insert(collections.ConfigChanges, map[string]any{"institution": h.Institution, "collection": "institutions", "record": "none",
		"version": 1, "state": "waiting", "proposer_kind": "staff", "proposer": "none"})
	insert(collections.PaymentOrders, map[string]any{"institution": h.Institution, "patient": h.owner.ID, "no": "P1", "bill_no": "B1",
		"card_no": "C0001", "status": "created"})
	insert(collections.PaymentEvents, map[string]any{"institution": h.Institution, "order": "planted00000000", "seq": 1, "event": "x"})
	insert(collections.PaymentCalls, map[string]any{"institution": h.Institution, "order": "planted00000000", "kind": "trade", "attempt": 1,
		"no": "P1C01", "hash": "x"})
	insert(collections.PaymentRefunds, map[string]any{"institution": h.Institution, "order": "planted00000000", "seq": 1, "no": "P1R01"})
	insert(collections.PaymentDays, map[string]any{"institution": h.Institution, "day": "2026-11-01", "channel": "wechat",
		"kind": "outpatient", "insured": false, "paid_count": 1})
	insert(collections.PaymentCredentials, map[string]any{"institution": h.Institution, "patient": h.owner.ID, "channel": "wechat"})
	insert(collections.Kiosks, map[string]any{"institution": h.Institution, "place": "planted", "ways": "[]"})
	insert(collections.Institutions, map[string]any{"code": "second", "name": "二院"})
	for _, name := range collections.All() {
		where := map[string]string{
			collections.RefundOrders: "id = '" + order + "'", collections.Patients: "id = '" + h.owner.ID + "'",
			collections.Institutions: "id = '" + h.Institution + "'",
			collections.PatientCards: "patient = '" + h.owner.ID + "'", collections.Notifications: "via = 'in_app' AND state = 'sent'",
			collections.Staff: "email = 'config@demo.hospay'", collections.UsedTickets: "1=1",
			collections.ChannelConfigs: "channel = 'alipay'",
			collections.AuditLog:       "action = 'planted'", collections.Exports: "id = 'planted00000000'",
		}[name]
		if where == "" {
			where = "1=1"
		}
		var id string
		if err := db.NewQuery("SELECT id FROM " + name + " WHERE " + where + " LIMIT 1").Row(&id); err != nil {
			t.Fatalf("%s has no row: %v", name, err)
		}
		h.rows[name] = id
	}
}

// routesOf lists every route that the router knows. The router tells a single
// route but no list, so its tree is read from inside.
func routesOf(g *router.RouterGroup[*core.RequestEvent], prefix string) []string {
	var out []string
	field := reflect.ValueOf(g).Elem().FieldByName("children")
	children := *(*[]any)(unsafe.Pointer(field.UnsafeAddr()))
	for _, c := range children {
		switch v := c.(type) {
		case *router.RouterGroup[*core.RequestEvent]:
			out = append(out, routesOf(v, prefix+v.Prefix)...)
		case *router.Route[*core.RequestEvent]:
			out = append(out, strings.TrimSpace(v.Method+" "+prefix+v.Path))
		}
	}
	return out
}

// TestPermissions_EveryRouteIsListed fails for a route or a collection that
// nobody has decided about.
func TestPermissions_EveryRouteIsListed(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	listed := map[string]bool{}
	for _, r := range routeTable {
		listed[r.route] = true
	}
	for _, r := range recordRoutes {
		listed[r] = true
	}
	have := routesOf(a.Router.RouterGroup, "")
	for _, r := range have {
		if !listed[r] {
			t.Errorf("route %q is in no table", r)
		}
	}
	for r := range listed {
		if !slices.Contains(have, r) {
			t.Errorf("route %q is listed but does not exist", r)
		}
	}
	all, err := a.Runtime.App.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if _, ok := collectionTable[c.Name]; !ok && !slices.Contains(systemCollections, c.Name) {
			t.Errorf("collection %q is in no table", c.Name)
		}
	}
}

// TestPermissions_Routes asks every route as every visitor.
func TestPermissions_Routes(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	h.askRoutes(t, routeTable)
}

func (h *house) askRoutes(t *testing.T, table []routeRow) {
	for _, r := range table {
		method, path, named := strings.Cut(r.route, " ")
		if !named {
			method = "GET"
		}
		if r.path != "" {
			path = r.path
		}
		path = strings.NewReplacer("{order}", h.rows[collections.RefundOrders], "{inst}", h.Institution, "{patient}", h.owner.ID, "{staff}",
			h.financeID,
			"{notice}", h.rows[collections.Notifications], "{proxy}", h.rows[collections.ProxyApplications], "{batch}", h.rows[collections.Batches]).
			Replace(path)
		var got []string
		for _, v := range visitors {
			got = append(got, fmt.Sprint(h.status(t, method, path, h.tokens[v], r.body)))
		}
		if strings.Join(got, " ") != r.want {
			t.Errorf("%s\n got %q\nwant %q", r.route, strings.Join(got, " "), r.want)
		}
	}
}

// status asks and returns the status; a stream is left after its header.
func (h *house) status(t *testing.T, method, path, token, body string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, h.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", token)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// TestPermissions_ClosedInProduction asks what bypasses the guards: nobody
// finds it.
func TestPermissions_ClosedInProduction(t *testing.T) {
	h := newHouse(t, testapp.Config{Production: true})
	h.askRoutes(t, []routeRow{
		{route: "POST /api/sql", body: `{"query":"DELETE FROM refund_orders"}`, want: nobody},
		{route: "POST /api/%73ql", body: `{"query":"DELETE FROM refund_orders"}`, want: nobody},
		{route: "DELETE /api/logs", want: nobody},
		{route: "POST /api/collections", body: `{"name":"mine","type":"base"}`, want: nobody},
		{route: "POST /api/%63ollections", body: `{"name":"mine","type":"base"}`, want: nobody},
		{route: "PATCH /api/collections/job_runs", body: `{"listRule":""}`, want: nobody},
		{route: "DELETE /api/collections/job_runs", want: nobody},
		{route: "POST /api/collections/meta/dry-run-view", body: `{"query":"SELECT id, password FROM staff"}`, want: nobody},
		{route: "POST /api/backups/upload", want: nobody},
		{route: "POST /api/backups/none.zip/restore", want: nobody},
		{route: "PUT /api/collections/import", body: `{"collections":[],"deleteMissing":true}`, want: nobody},
		{route: "DELETE /api/collections/refund_orders/truncate", want: nobody},
		{route: "DELETE /api/collections/job_runs/truncate", want: nobody},
		{route: "POST /api/collections/patients/impersonate/{patient}", body: "{}", want: nobody},
	})
}

// TestPermissions_Collections tries every action on every collection as every
// visitor: + is allowed, - refused. Realtime is what a subscriber is told.
func TestPermissions_Collections(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	heard := h.listen(t)
	for name, want := range collectionTable {
		t.Run(name, func(t *testing.T) {
			h.check(t, "list", want.list, func(token string) bool { return h.lists(name, token) })
			h.check(t, "view", want.view, func(token string) bool {
				return h.Call("GET", "/api/collections/"+name+"/records/"+h.rows[name], token, nil).Status == 200
			})
			told := ""
			for _, v := range visitors {
				told += sign(heard[v][name])
			}
			if told != want.realtime {
				t.Errorf("realtime: got %q want %q", told, want.realtime)
			}
			h.check(t, "create", want.create, func(token string) bool {
				return h.Call("POST", "/api/collections/"+name+"/records", token, h.fill(want.body)).Status < 300
			})
			h.check(t, "update", want.update, func(token string) bool {
				return h.Call("PATCH", "/api/collections/"+name+"/records/"+h.rows[name], token, map[string]any{}).Status < 300
			})
		})
	}
	for _, name := range deleteOrder() {
		h.check(t, name+" delete", collectionTable[name].remove, func(token string) bool {
			return h.Call("DELETE", "/api/collections/"+name+"/records/"+h.rows[name], token, nil).Status < 300
		})
	}
}

// deleteOrder puts last what others point at.
func deleteOrder() []string {
	names := collections.All()
	slices.Reverse(names)
	return names
}

func (h *house) check(t *testing.T, what, want string, try func(token string) bool) {
	t.Helper()
	got := ""
	for _, v := range visitors {
		got += sign(try(h.tokens[v]))
	}
	if got != want {
		t.Errorf("%s: got %q want %q", what, got, want)
	}
}

func sign(ok bool) string {
	if ok {
		return "+"
	}
	return "-"
}

func (h *house) lists(name, token string) bool {
	res := h.Call("GET", "/api/collections/"+name+"/records?perPage=500", token, nil)
	return res.Status == 200 && strings.Contains(string(res.Raw), `"id":"`+h.rows[name]+`"`)
}

func (h *house) fill(body string) any {
	if body == "" {
		return map[string]any{}
	}
	r := strings.NewReplacer("{finance}", h.financeID, "{inst}", h.Institution, "{patient}", h.owner.ID, "{order}",
		h.rows[collections.RefundOrders], "{proxy}", h.rows[collections.ProxyApplications])
	return rawJSON(r.Replace(body))
}

type rawJSON string

// MarshalJSON implements json.Marshaler.
func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// TestPermissions_SeveralRolesAtOnce proves that the rules read a list of
// roles: one of several is enough, none is none, and what is taken away is
// gone with the next request.
func TestPermissions_SeveralRolesAtOnce(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	staff, err := h.Runtime.App.FindAuthRecordByEmail(collections.Staff, "reviewer2@demo.hospay")
	if err != nil {
		t.Fatal(err)
	}
	token := h.Staff("reviewer2")
	every := []string{"reviewer", "finance", "cashier"} // as many as one account may have
	for _, c := range []struct {
		roles                  []string
		active                 bool
		institution            string
		orders, configs, audit bool
	}{
		{[]string{"reviewer"}, true, h.Institution, true, false, false},
		{[]string{"config", "cashier"}, true, h.Institution, true, true, false},
		{[]string{"reviewer", "finance"}, true, h.Institution, true, false, false},
		{[]string{"auditor"}, true, h.Institution, true, false, true},
		{[]string{"config"}, true, h.Institution, false, true, false},
		{nil, true, h.Institution, false, false, false},
		{every, false, h.Institution, false, false, false},
		{every, true, "planted00000000", false, false, false},
	} {
		staff.Set("roles", c.roles)
		staff.Set("active", c.active)
		staff.Set("institution", c.institution)
		if err := h.Runtime.App.Save(staff); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]bool{collections.RefundOrders: c.orders, collections.ChannelConfigs: c.configs,
			collections.AuditLog: c.audit} {
			if got := h.lists(name, token); got != want {
				t.Errorf("%s with roles %v (active %v, institution %s): %v, want %v", name, c.roles, c.active, c.institution, got, want)
			}
		}
		if c.active && c.institution == h.Institution {
			continue
		}
		for _, name := range collections.All() {
			if !slices.Contains([]string{collections.JobRuns, collections.Institutions, collections.Staff, collections.Notices}, name) &&
				h.lists(name, token) {
				t.Errorf("%s shows to a stranger: roles %v, active %v, institution %s", name, c.roles, c.active, c.institution)
			}
		}
	}
}
