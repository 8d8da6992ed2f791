package e2e

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"hospay/collections"
	"hospay/internal/front"
	"hospay/lab/testapp"
	"hospay/refund"
)

// split puts a program behind an edge, and returns the edge's address.
func split(t *testing.T, a *testapp.App) string {
	t.Helper()
	dir := t.TempDir()
	if err := front.MakeKeys(dir, time.Now()); err != nil { // judged by the machine's clock
		t.Fatal(err)
	}
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	quiet := slog.New(slog.DiscardHandler)
	core := front.InnerServer(must(a.Router.BuildMux()), must(front.ReadPair(dir, front.Core)), quiet)
	go func() { _ = core.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = core.Close() })
	edge := front.Outer{Core: l.Addr().String(), Pair: must(front.ReadPair(dir, front.Edge)), Log: quiet,
		Client: func(*http.Request) (netip.Addr, bool) { return netip.MustParseAddr("203.0.113.77"), true }}
	srv := httptest.NewServer(edge.Handler())
	t.Cleanup(srv.Close)
	return srv.URL
}

// TestSplit_ARefundThroughTheEdge: with the patients' address on the edge and staff
// inside, a refund goes its whole way, callbacks and news with it, and the audit log
// has the patient's address.
func TestSplit_ARefundThroughTheEdge(t *testing.T) {
	a := testapp.New(t, testapp.Config{})
	inside, edge := a.URL, split(t, a)
	reviewer := a.Staff("reviewer1")
	a.URL = edge
	p := a.Login("P0001", "wechat")
	news, client := stream(t, a, "203.0.113.77")
	defer news.Body.Close()
	if news.StatusCode != 200 || client == "" {
		t.Fatalf("stream: %d", news.StatusCode)
	}
	res := p.Apply("wechat", "transfer", 1234, nil)
	if res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Raw)
	}
	id := res.Text("id")
	if got := a.Call("POST", "/api/hospay/staff/auth-with-totp", "", map[string]any{}); got.Status != 404 {
		t.Errorf("a login of staff by the edge: %d", got.Status)
	}
	if got := a.Call("GET", "/api/collections/refund_orders/records/"+id, reviewer, nil); got.Status == 200 && got.Text("payee_name") != "" &&
		!strings.Contains(got.Text("payee_name"), "*") {
		t.Errorf("staff by the edge see %s", got.Raw)
	}
	a.URL = inside
	a.Drain()
	a.Review(reviewer, id, "approve", "")
	a.Drain()
	w := a.Order(id)
	if w.Order.Status != refund.StatusAwaitingPayee {
		t.Fatalf("%s", w.Order.Status)
	}
	a.URL = edge
	if got := a.Call("GET", "/api/hospay/refunds/"+id+"/confirmation", p.Token, nil); got.Status != 200 {
		t.Errorf("confirmation: %d %s", got.Status, got.Raw)
	}
	body := strings.NewReader("{}")
	callback := must(http.Post(edge+"/api/hospay/notify/wechat/"+a.Institution, "application/json", body))
	defer callback.Body.Close()
	if callback.StatusCode != 401 {
		t.Errorf("an unsigned callback: %d", callback.StatusCode)
	}
	if err := a.Sims.WeChat.Confirm(w.Transfer.No); err != nil {
		t.Fatal(err)
	}
	a.Advance(time.Minute)
	a.Drain()
	if got := a.Call("GET", "/api/collections/refund_orders/records/"+id, p.Token, nil); got.Text("status") != "succeeded" {
		t.Errorf("%s", got.Raw)
	}
	n, err := a.Runtime.App.CountRecords(collections.Sessions)
	if err != nil || n == 0 {
		t.Fatalf("%d sessions, %v", n, err)
	}
}

// TestSplit_TheListIsWhatPatientsMay: each route of the program is let through if a
// patient gets anything by it, and is not if it is for others; the exceptions have
// their reason.
func TestSplit_TheListIsWhatPatientsMay(t *testing.T) {
	exceptions := map[string]string{
		"GET /api/oauth2-redirect":                              "PocketBase's logins, of which there are none",
		"POST /api/oauth2-redirect":                             "PocketBase's logins, of which there are none",
		"GET /api/collections/{collection}/auth-methods":        "PocketBase's logins, of which there are none",
		"POST /api/hospay/his/sm/{institution}/{op}":            "HIS is inside",
		"GET /api/hospay/ready":                                 "tells of the inside",
		"POST /api/collections/{collection}/auth-with-password": "staff are inside",
		"/":                                                 "by page",
		"POST /api/hospay/auth/ticket":                      "patients come in by it",
		"POST /api/hospay/auth/wechat":                      "patients come in by it",
		"POST /api/hospay/auth/alipay":                      "patients come in by it",
		"POST /api/hospay/auth/register":                    "patients come in by it",
		"POST /api/hospay/status":                           "asked without a login",
		"POST /api/hospay/messages/{id}/read":               "its row names a message that is not there",
		"POST /api/realtime":                                "its row names a stream that is not there",
		"POST /api/hospay/notify/{channel}/{institution}":   "callbacks",
		"GET /api/files/{collection}/{recordId}/{filename}": "by collection",
		"GET /{path...}":                                    "by page",
	}
	var asked *http.Request
	gate := front.Inner(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = r }))
	used := map[string]bool{}
	for _, row := range routeTable {
		method, path, _ := strings.Cut(row.route, " ")
		if path == "" {
			method, path = "GET", row.route
		}
		if row.path != "" {
			path = row.path
		}
		for _, place := range []string{"{order}", "{proxy}", "{payment}", "{batch}", "{id}", "{patient}", "{bill}", "{slot}"} {
			path = strings.ReplaceAll(path, place, "abc")
		}
		asked = nil
		gate.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, "http://edge"+path, nil))
		mine := !slices.Contains([]string{"401", "403", "404"}, strings.Fields(row.want)[1])
		if through := asked != nil; through != mine {
			if exceptions[row.route] == "" {
				t.Errorf("%s (%s): let through %v, patients get %s", row.route, path, through, fmt.Sprint(strings.Fields(row.want)[1]))
			}
			used[row.route] = true
		}
	}
	for route, why := range exceptions {
		if !used[route] {
			t.Errorf("%s is no exception any more (%s)", route, why)
		}
	}
}
