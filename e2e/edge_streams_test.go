package e2e

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"hospay/hooks/gate"
	"hospay/lab/testapp"
)

// stream opens a realtime stream from an address, and returns its client id.
func stream(t *testing.T, a *testapp.App, from string) (res *http.Response, id string) {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), "GET", a.URL+"/api/realtime", nil))
	req.Header.Set("X-Forwarded-For", from)
	res = must(http.DefaultTransport.RoundTrip(req))
	t.Cleanup(func() { res.Body.Close() })
	for in := bufio.NewReader(res.Body); res.StatusCode == 200 && !strings.HasPrefix(id, "id:"); {
		id = must(in.ReadString('\n'))
	}
	return res, strings.TrimSpace(strings.TrimPrefix(id, "id:"))
}

// TestEdge_StreamsOfStrangersAreBounded: a network holds so many streams on which
// nobody is known, others have their own; whoever says who they are gives the
// place back and has few of their own; what ends gives its place back.
func TestEdge_StreamsOfStrangersAreBounded(t *testing.T) {
	a := testapp.New(t, testapp.Config{Limits: true, Proxy: "127.0.0.1"})
	p := a.Login("P0001", "wechat")
	var ids []string
	var open []*http.Response
	for range gate.StreamsOfNetwork {
		res, id := stream(t, a, "203.0.113.7")
		if res.StatusCode != 200 {
			t.Fatalf("stream %d: %d", len(ids), res.StatusCode)
		}
		ids, open = append(ids, id), append(open, res)
	}
	if res, _ := stream(t, a, "203.0.113.7"); res.StatusCode != 429 {
		t.Errorf("one more: %d", res.StatusCode)
	}
	if res, _ := stream(t, a, "203.0.113.8"); res.StatusCode != 200 {
		t.Errorf("another address: %d", res.StatusCode)
	}
	subscribe := func(id string) int {
		req := must(http.NewRequestWithContext(t.Context(), "POST", a.URL+"/api/realtime",
			strings.NewReader(`{"clientId":"`+id+`","subscriptions":["refund_orders/*"]}`)))
		req.Header = http.Header{"Authorization": {p.Token}, "Content-Type": {"application/json"}, "X-Forwarded-For": {"203.0.113.7"}}
		res := must(http.DefaultTransport.RoundTrip(req))
		defer res.Body.Close()
		return res.StatusCode
	}
	for i, id := range ids[:gate.StreamsOfAccount] {
		if got := subscribe(id); got != 204 {
			t.Fatalf("subscription %d: %d", i, got)
		}
	}
	if got := subscribe(ids[gate.StreamsOfAccount]); got != 429 {
		t.Errorf("one more of an account: %d", got)
	}
	if got := subscribe(ids[0]); got != 204 {
		t.Errorf("the same stream again: %d", got)
	}
	for range gate.StreamsOfAccount { // places that were given back
		if res, _ := stream(t, a, "203.0.113.7"); res.StatusCode != 200 {
			t.Fatalf("after they were known: %d", res.StatusCode)
		}
	}
	if res, _ := stream(t, a, "203.0.113.7"); res.StatusCode != 429 {
		t.Errorf("and one more: %d", res.StatusCode)
	}
	open[len(open)-1].Body.Close()
	for range 100 {
		if res, _ := stream(t, a, "203.0.113.7"); res.StatusCode == 200 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("a stream that has ended keeps its place")
}
