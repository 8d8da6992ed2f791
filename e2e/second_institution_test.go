package e2e

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hospay/collections"
	"hospay/lab/demo"
	"hospay/lab/testapp"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// farVisitors are people of the second institution: its staff, one account a role,
// and a patient.
var farVisitors = []string{"far patient", "far reviewer", "far finance", "far cashier", "far auditor", "far config"}

// secondInstitution gives the institution that newHouse has planted beside the
// demo's its own people, and logs them in.
func (h *house) secondInstitution(t *testing.T) map[string]string {
	t.Helper()
	app := h.Runtime.App
	tokens := map[string]string{}
	for _, v := range farVisitors[1:] {
		role := strings.TrimPrefix(v, "far ")
		rec := core.NewRecord(must(app.FindCollectionByNameOrId(collections.Staff)))
		rec.Load(map[string]any{"institution": secondHouseID, "name": "外院" + role, "email": role + "@second.hospay",
			"password": demo.Password, "passwordConfirm": demo.Password, "roles": []string{role}, "active": true})
		if err := app.Save(rec); err != nil {
			t.Fatal(err)
		}
		res := h.Call("POST", "/api/collections/staff/auth-with-password", "", map[string]any{"identity": role + "@second.hospay",
			"password": demo.Password})
		if tokens[v] = res.Text("token"); tokens[v] == "" {
			t.Fatalf("%s: %d %s", v, res.Status, res.Raw)
		}
	}
	p := h.Login("P0006", "wechat")
	for _, sql := range []string{"UPDATE patients SET institution = {:i} WHERE id = {:p}",
		"UPDATE sessions SET institution = {:i} WHERE account = {:p}"} {
		if _, err := app.NonconcurrentDB().NewQuery(sql).Bind(dbx.Params{"i": secondHouseID, "p": p.ID}).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	tokens[farVisitors[0]] = p.Token
	return tokens
}

// secondHouseID is the id of the second institution.
const secondHouseID = "planted00000000"

// withoutID are the routes with a variable part by which nothing of an
// institution is named.
var withoutID = map[string]string{
	"GET /{path...}":                              "pages",
	"GET /api/hospay/his/refunds/{no}":            "judged by the key of that HIS alone",
	"POST /api/hospay/slots/{id}/lock":            "an id of the HIS of the asker's own institution",
	"DELETE /api/hospay/slots/{id}/lock":          "an id of the HIS of the asker's own institution",
	"POST /api/hospay/his/sm/{institution}/{op}":  "judged by the key of that HIS alone",
	"GET /m/{id}":                                 "leads to a page, whatever the id",
	"GET /api/hospay/reports/{file}":              "the variable part is the kind of report",
	"GET /api/hospay/recon/{date}":                "a day",
	"GET /api/hospay/recon/{date}/{part}":         "a day",
	"POST /api/hospay/recon/{date}/run":           "a day",
	"POST /api/hospay/recon/months/{month}/close": "a month", "POST /api/hospay/recon/months/{month}/reopen": "a month",
	"POST /api/hospay/jobs/{name}/run": "superusers alone", "GET /api/logs/{id}": "superusers alone",
	"POST /api/crons/{id}":   "superusers alone",
	"GET /api/backups/{key}": "superusers alone", "DELETE /api/backups/{key}": "superusers alone",
	"POST /api/backups/{key}/restore": "superusers alone",
}

// farRows are rows for the routes whose row in routeTable names nothing that
// exists.
var farRows = []routeRow{
	{route: "POST /api/hospay/messages/{id}/read", path: "/api/hospay/messages/{notice}/read"},
	{route: "POST /api/hospay/reveals/{id}/release", path: "/api/hospay/reveals/planted00000000/release", body: "{}"},
	{route: "POST /api/hospay/reveals/{id}/refuse", path: "/api/hospay/reveals/planted00000000/refuse", body: "{}"},
	{route: "POST /api/hospay/config/changes/{id}/confirm", path: "/api/hospay/config/changes/planted00000000/confirm", body: "{}"},
	{route: "POST /api/hospay/config/changes/{id}/reject", path: "/api/hospay/config/changes/planted00000000/reject", body: `{"note":"核对"}`},
	{route: "POST /api/hospay/config/changes/{id}/withdraw", path: "/api/hospay/config/changes/planted00000000/withdraw"},
	{route: "POST /api/hospay/config/changes", body: `{"target":{"collection":"institutions","id":"{inst}"},"values":{"name":"x"}}`},
	{route: "POST /api/hospay/reviews/batch", body: `{"orders":["{order}"],"decision":"approve","count":1,"total":1200}`},
	{route: "POST /api/hospay/batches", body: `{"orders":["{order}"],"decision":"approve","count":1,"total":1200}`},
}

// place fills the places of a path or a body with what the demo institution has.
func (h *house) place(text string) string {
	return strings.NewReplacer("{order}", h.rows[collections.RefundOrders], "{inst}", h.Institution, "{patient}", h.owner.ID, "{staff}",
		h.financeID, "{notice}", h.rows[collections.Notifications], "{proxy}", h.rows[collections.ProxyApplications],
		"{batch}", h.rows[collections.Batches]).Replace(text)
}

// holdings are the rows of the demo institution, by table, and the values that
// name them.
func (h *house) holdings(t *testing.T) (rows map[string]string, names []string) {
	t.Helper()
	rows = map[string]string{}
	for _, table := range collections.All() {
		c := must(h.Runtime.App.FindCollectionByNameOrId(table))
		where := "1=1"
		switch {
		case slices.Contains([]string{collections.Sessions, collections.UsedTickets, collections.JobRuns}, table):
			continue // of whoever logs in, and of the program
		case table == collections.Institutions:
			where = "id = {:i}"
		case c.Fields.GetByName("institution") != nil:
			where = "institution = {:i}"
		}
		var all []dbx.NullStringMap
		query := h.Runtime.App.ConcurrentDB().NewQuery("SELECT * FROM " + table + " WHERE " + where + " ORDER BY id")
		if err := query.Bind(dbx.Params{"i": h.Institution}).All(&all); err != nil {
			t.Fatal(err)
		}
		for _, row := range all {
			for _, k := range slices.Sorted(maps.Keys(row)) {
				rows[table] += k + "=" + row[k].String + ";"
			}
			for _, k := range []string{"id", "no", "out_bill_no", "email", "card_no", "merchant_id"} {
				if v := row[k].String; where != "1=1" && len(v) >= 5 && v != secondHouseID {
					names = append(names, v)
				}
			}
		}
		rows[table] = fmt.Sprintf("%x", sha256.Sum256([]byte(rows[table])))
	}
	return rows, names
}

// unchanged wants the demo institution's rows as they were.
func (h *house) unchanged(t *testing.T, before map[string]string, what string) {
	t.Helper()
	after, _ := h.holdings(t)
	for table, sum := range before {
		if after[table] != sum {
			t.Errorf("%s: people of another institution have changed %s of the first. Judge the institution of what an id names before "+
				"anything else: 404, as for an id that nobody has", what, table)
			before[table] = after[table]
		}
	}
}

// TestSecondInstitution_ReachesNothingOfTheFirst asks every route of the running
// program as the people of another institution, with what the first one has: they
// see nothing of it and change nothing.
func TestSecondInstitution_ReachesNothingOfTheFirst(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	maps.Copy(h.tokens, h.secondInstitution(t))
	before, names := h.holdings(t)
	if len(names) < 50 {
		t.Fatalf("the first institution has only %d things with a name", len(names))
	}
	table := slices.Concat(farRows, routeTable)
	for _, route := range routesOf(h.Router.RouterGroup, "") {
		if strings.Contains(route, "{") && !strings.Contains(route, "{collection}") && withoutID[route] == "" &&
			!slices.ContainsFunc(table, func(r routeRow) bool {
				return r.route == route && (h.place(r.path) != r.path || strings.Contains(r.path, "planted00000000"))
			}) {
			t.Errorf("route %q names something by an id: give it a row in farRows whose path names something that newHouse has planted for the "+
				"first institution, or say in withoutID why there is none", route)
		}
	}
	for _, r := range table {
		method, path, named := strings.Cut(r.route, " ")
		if !named || strings.HasSuffix(path, "/auth/logout") || strings.Contains(path, "/auth-with-") || path == "/api/realtime" {
			continue // one's own session ends; anybody may be wrong about a password; streams: TestPermissions_Collections
		}
		if r.path != "" {
			path = r.path
		}
		ours := h.place(path) != path || strings.Contains(path, "planted00000000")
		for _, v := range farVisitors {
			res := h.Send(method, h.place(path), h.tokens[v], "application/json", strings.NewReader(h.place(r.body)))
			for _, name := range names {
				if strings.Contains(string(res.Raw), name) && !strings.Contains(h.place(r.body+r.path), name) {
					t.Errorf("%s tells %s about %s of another institution: %.300s", r.route, v, name, res.Raw)
				}
			}
			if ours && res.Status < 400 && !slices.Contains(sameForAll, r.route) {
				t.Errorf("%s by %s, who belongs to another institution: %d %s. What an id names must be looked up within the asker's institution",
					r.route, v, res.Status, res.Raw)
			}
		}
		if method != "GET" {
			h.unchanged(t, before, r.route)
		}
	}
	h.unchanged(t, before, "a GET")
	h.farRecords(t, before, names)
}

// sameForAll answer everybody alike and tell nothing.
var sameForAll = []string{"POST /api/hospay/notify/{channel}/{institution}"}

// farRecords tries every action on every collection.
func (h *house) farRecords(t *testing.T, before map[string]string, names []string) {
	global := []string{collections.JobRuns} // what the program did, of no institution
	for _, c := range collections.All() {
		path := "/api/collections/" + c + "/records"
		for _, v := range farVisitors {
			told := string(h.Call("GET", path+"?perPage=500&expand=order,patient,institution", h.tokens[v], nil).Raw)
			for _, name := range names {
				if strings.Contains(told, `"`+name+`"`) && c != collections.Batches { // which repeat the numbers that their starter has sent
					t.Errorf("the list of %s tells %s about %s of another institution", c, v, name)
				}
			}
			row := path + "/" + h.rows[c]
			for method, body := range map[string]any{"GET": nil, "PATCH": map[string]any{"note": "x", "name": "x"}, "DELETE": nil} {
				if res := h.Call(method, row, h.tokens[v], body); res.Status < 400 && !slices.Contains(global, c) {
					t.Errorf("%s of %s by %s: %d %s. The rule in collections/rules.go must name the institution", method, c, v, res.Status, res.Raw)
				}
			}
			_ = h.Call("POST", path, h.tokens[v], h.fill(collectionTable[c].body))
		}
		h.unchanged(t, before, "records of "+c)
	}
}

var moments = regexp.MustCompile(`\d{4}-\d\d-\d\d[ T][\d:.]+(Z|[+]08:00)?`)

// plain is an answer without moments, its members in their order.
func plain(raw []byte) string {
	var v any
	_ = json.Unmarshal(raw, &v)
	text, _ := json.Marshal(v)
	return moments.ReplaceAllString(string(text), "")
}

// TestSecondInstitution_CountsNothingOfTheFirst: what people are told about their
// own institution stays the same, to the letter, while orders, decisions and days
// of another one come to be.
func TestSecondInstitution_CountsNothingOfTheFirst(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	maps.Copy(h.tokens, h.secondInstitution(t))
	told := func() map[string]string {
		out := map[string]string{}
		for _, r := range routeTable {
			path, get := strings.CutPrefix(r.route, "GET ")
			if !get || strings.Contains(r.route, "audit") || strings.Contains(r.route, "/reports/") ||
				strings.HasSuffix(path, "realtime") || h.place(r.path) != r.path {
				continue // a look at the audit log is a row of it, and workbooks say when they were made
			}
			if r.path != "" {
				path = r.path
			}
			for _, v := range farVisitors {
				res := h.Call("GET", path, h.tokens[v], nil)
				if !json.Valid(res.Raw) {
					continue
				}
				out[v+" "+r.route+" "+path] = fmt.Sprint(res.Status, plain(res.Raw))
			}
		}
		for _, c := range collections.All() {
			for _, v := range farVisitors {
				if c != collections.JobRuns && c != collections.AuditLog {
					res := h.Call("GET", "/api/collections/"+c+"/records", h.tokens[v], nil)
					out[v+" list of "+c] = fmt.Sprint(res.Status, plain(res.Raw))
				}
			}
		}
		return out
	}
	before := told()
	p := h.Login("P0007", "alipay")
	id := apply(t, p, "alipay", "transfer", 5_00, nil)
	h.Drain()
	h.Review(h.tokens["reviewer"], id, "approve", "")
	h.Drain()
	h.Call("POST", "/api/hospay/payouts/freeze", h.tokens["finance"], map[string]any{"frozen": true, "note": "演练"})
	h.Call("POST", "/api/hospay/exports", h.tokens["finance"], map[string]any{"report": "refunds", "params": map[string]any{}})
	second := apply(t, h.Login("P0008", "alipay"), "alipay", "transfer", 7_00, nil)
	h.Drain()
	h.Review(h.tokens["reviewer"], second, "reject", "资料不符")
	h.Drain()
	after := told()
	if len(before) < 300 {
		t.Fatalf("only %d answers are compared", len(before))
	}
	for what, was := range before {
		if after[what] != was {
			t.Errorf("%s depends on another institution:\n%.600s\n%.600s", what, was, after[what])
		}
	}
}
