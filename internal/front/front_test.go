package front

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hospay/internal/testday"
)

// ends makes the keys of an edge and a core that know each other.
func ends(t *testing.T) (dir string, edge, core Pair) {
	t.Helper()
	dir = t.TempDir()
	if err := MakeKeys(dir, time.Now()); err != nil { // certificates are judged by the machine's clock
		t.Fatal(err)
	}
	var err error
	if edge, err = ReadPair(dir, Edge); err == nil {
		core, err = ReadPair(dir, Core)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir, edge, core
}

// inside serves next to an edge and tells the address and how many connections
// were made.
func inside(t *testing.T, p Pair, next http.Handler) (address string, connections chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections = make(chan struct{}, 1000)
	s := InnerServer(next, p, slog.New(slog.DiscardHandler))
	s.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections <- struct{}{}
		}
	}
	go func() { _ = s.ServeTLS(l, "", "") }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String(), connections
}

func outside(t *testing.T, p Pair, core string) *httptest.Server {
	t.Helper()
	o := Outer{Core: core, Pair: p, Log: slog.New(slog.DiscardHandler),
		Client: func(*http.Request) (netip.Addr, bool) { return netip.MustParseAddr("203.0.113.9"), true }}
	s := httptest.NewServer(o.Handler())
	t.Cleanup(s.Close)
	return s
}

func get(t *testing.T, url string, h http.Header) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if h != nil {
		req.Header = h
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestEdge_ForwardsOnOneConnectionAndSaysForWhom(t *testing.T) {
	_, edge, core := ends(t)
	address, connections := inside(t, core, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		others := r.Header.Get("X-Forwarded-For") + r.Header.Get("X-Real-IP") + r.Header.Get(headerClient)
		_, _ = w.Write([]byte(r.RemoteAddr + " " + others + " " + r.Host))
	}))
	out := outside(t, edge, address)
	forged := http.Header{"X-Forwarded-For": {"10.0.0.1"}, "X-Real-Ip": {"10.0.0.1"}, "X-Hospay-Client": {"10.0.0.1"}}
	for range 20 {
		status, text := get(t, out.URL+"/api/hospay/me", forged)
		if want := "203.0.113.9:0  " + strings.TrimPrefix(out.URL, "http://"); status != 200 || text != want {
			t.Fatalf("%d %q, want %q", status, text, want)
		}
	}
	if n := len(connections); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestEdge_OfNobodyKnownNothingIsSaid: what the world says of itself goes no further
// where the edge knows no address either.
func TestEdge_OfNobodyKnownNothingIsSaid(t *testing.T) {
	_, edge, core := ends(t)
	address, _ := inside(t, core, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.RemoteAddr)) }))
	o := Outer{Core: address, Pair: edge, Log: slog.New(slog.DiscardHandler),
		Client: func(*http.Request) (netip.Addr, bool) { return netip.Addr{}, false }}
	out := httptest.NewServer(o.Handler())
	defer out.Close()
	status, text := get(t, out.URL+"/api/hospay/me", http.Header{"X-Hospay-Client": {"10.0.0.1"}, "X-Forwarded-For": {"10.0.0.1"}})
	if status != 200 || !strings.HasPrefix(text, "127.0.0.1:") {
		t.Errorf("%d %q", status, text)
	}
}

// TestEdge_WhatIsNotOnTheListDoesNotExist, on the edge and, for who has taken the
// edge over, at the core.
func TestEdge_WhatIsNotOnTheListDoesNotExist(t *testing.T) {
	_, edge, core := ends(t)
	asked := 0
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ })
	address, _ := inside(t, core, next)
	out := outside(t, edge, address)
	for _, path := range []string{"/_/", "/staff/", "/kiosk/", "/metrics", "/api/settings", "/api/collections", "/api/hospay/ready",
		"/api/collections/staff/records", "/api/collections/_superusers/records", "/api/hospay/queue", "/api/hospay/his/bills",
		"/api/files/reports/x/y.xlsx", "/robots", "/index.php", "/api/hospay/me/../queue", "/a/b.txt"} {
		if status, text := get(t, out.URL+path, nil); status != 404 && status != 307 || strings.Contains(text, "<html") {
			t.Errorf("%s by the edge: %d %s", path, status, text)
		}
		res := httptest.NewRecorder()
		Inner(next).ServeHTTP(res, httptest.NewRequest("GET", path, nil))
		if res.Code != 404 && res.Code != 307 {
			t.Errorf("%s at the core: %d", path, res.Code)
		}
	}
	if asked != 0 {
		t.Errorf("%d requests came through", asked)
	}
	for _, path := range []string{"/", "/assets/index-1.js", "/MP_verify_abcd1234.txt", "/api/collections/refund_orders/records"} {
		if status, _ := get(t, out.URL+path, nil); status != 200 {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// TestEdge_NobodyElseIsLetIn: without a certificate, with another edge's, and an
// edge does not talk to another core.
func TestEdge_NobodyElseIsLetIn(t *testing.T) {
	_, edge, core := ends(t)
	_, foreignEdge, foreignCore := ends(t)
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("in")) })
	address, _ := inside(t, core, hello)
	elsewhere, _ := inside(t, foreignCore, hello)
	halfTrusted := edge // knows the core, brings no certificate
	halfTrusted.own = tls.Certificate{}
	stranger := edge
	stranger.own = foreignEdge.own
	for name, o := range map[string]*httptest.Server{"no certificate": outside(t, halfTrusted, address),
		"another edge": outside(t, stranger, address), "another core": outside(t, edge, elsewhere), "nobody": outside(t, edge, "127.0.0.1:1")} {
		status, text := get(t, o.URL+"/api/hospay/me", nil)
		var e struct{ Code, Message string }
		if err := json.Unmarshal([]byte(text), &e); err != nil || status != 502 || e.Code != "core_unreachable" || e.Message == "" {
			t.Errorf("%s: %d %s", name, status, text)
		}
		if status, text := get(t, o.URL+"/", nil); status != 502 || !strings.Contains(text, "暂时连接不上") {
			t.Errorf("%s, a page: %d %s", name, status, text)
		}
	}
	if _, text := get(t, outside(t, edge, address).URL+"/api/hospay/me", nil); text != "in" {
		t.Error(text)
	}
}

// TestEdge_NewsComeAtOnceAndTheCoreComesBack: a stream is not held back, ends with
// who reads it, and a core that was started anew is found again.
func TestEdge_NewsComeAtOnceAndTheCoreComesBack(t *testing.T) {
	_, edge, core := ends(t)
	gone := make(chan struct{})
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/realtime" {
			return
		}
		_, _ = w.Write([]byte("id:1\n\n"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(gone)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	first := InnerServer(next, core, slog.New(slog.DiscardHandler))
	go func() { _ = first.ServeTLS(l, "", "") }()
	out := outside(t, edge, l.Addr().String())
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", out.URL+"/api/realtime", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	begin := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, begin); err != nil || !bytes.Equal(begin, []byte("id:1\n")) {
		t.Errorf("%q %v", begin, err)
	}
	leave()
	<-gone
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := net.Listen("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	second := InnerServer(next, core, slog.New(slog.DiscardHandler))
	go func() { _ = second.ServeTLS(again, "", "") }()
	t.Cleanup(func() { _ = second.Close() })
	status := 0
	for range 20 { // the broken connection may be noticed by the first request
		if status, _ = get(t, out.URL+"/api/hospay/me", nil); status == 200 {
			break
		}
	}
	if status != 200 {
		t.Errorf("after the core was started anew: %d", status)
	}
}

func TestKeys_AreNeverWrittenOverAndNamedWhereTheyLack(t *testing.T) {
	dir, edge, _ := ends(t)
	if err := MakeKeys(dir, testday.Now()); err == nil || !strings.Contains(err.Error(), "已经存在") {
		t.Errorf("a second time: %v", err)
	}
	if edge.Until.Before(time.Now().Add(KeysLast - 48*time.Hour)) {
		t.Errorf("until %s", edge.Until)
	}
	for _, f := range []string{"edge.key", "core.pem"} {
		info, err := os.Stat(filepath.Join(dir, f))
		if err != nil || strings.HasSuffix(f, ".key") && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", f, info.Mode(), err)
		}
		if err := os.Remove(filepath.Join(dir, f)); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadPair(dir, Edge); err == nil || !strings.Contains(err.Error(), "前置机") {
			t.Errorf("without %s: %v", f, err)
		}
	}
}
