package channels_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hospay/channels"
)

func client(t *testing.T, r channels.Route) *http.Client {
	t.Helper()
	c, err := channels.NewHTTPClient(r)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func get(c *http.Client, url string) (string, error) {
	ctx, cancel := channels.WithDeadline(context.Background(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestRoute_OfficialHostsGoToTheBase(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.RequestURI()) }))
	defer srv.Close()
	c := client(t, channels.Route{Base: srv.URL, Official: []string{"api.example.com", ".files.example.com"}})
	for url, want := range map[string]string{
		"https://api.example.com/v3/x?a=%2F":   "/v3/x?a=%2F",
		"http://API.example.com/v3/x":          "/v3/x",
		"http://one.files.example.com/f?token": "/f?token",
		srv.URL + "/direct":                    "/direct",
	} {
		if got, err := get(c, url); got != want || err != nil {
			t.Errorf("%s: %q, %v", url, got, err)
		}
	}
	for _, url := range []string{"https://evil.example/x", "https://api.example.com.evil.example/x", "https://files.example.com.evil/x",
		"http://127.0.0.1:1/x"} {
		if _, err := get(c, url); !errors.Is(err, channels.ErrHost) {
			t.Errorf("%s: %v", url, err)
		}
	}
	prefixed := client(t, channels.Route{Base: srv.URL + "/wx/", Official: []string{"api.example.com"}})
	if got, err := get(prefixed, "https://api.example.com/v3/x?a=1"); got != "/wx/v3/x?a=1" || err != nil {
		t.Error(got, err)
	}
}

// Only an address that the configuration names itself may be an inner one.
func TestRoute_InnerAddressesAreRefused(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer srv.Close()
	port := srv.URL[strings.LastIndex(srv.URL, ":")+1:]
	for _, host := range []string{"127.0.0.1:" + port, "localhost:" + port, "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254",
		"0.0.0.0:" + port, "[::1]:" + port, "[::ffff:127.0.0.1]:" + port, "[fe80::1]", "[fd00::1]", "100.100.100.200", "224.0.0.1"} {
		name := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
		if i := strings.LastIndex(host, "]"); i > 0 {
			name = host[1:i]
		} else {
			name, _, _ = strings.Cut(name, ":")
		}
		c := client(t, channels.Route{Official: []string{name}})
		if _, err := get(c, "https://"+host+"/"); !errors.Is(err, channels.ErrAddress) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if _, err := get(client(t, channels.Route{Base: srv.URL}), srv.URL); err != nil {
		t.Error("the named base:", err)
	}
	if _, err := get(client(t, channels.Route{Base: "http://localhost:" + port}), "http://localhost:"+port); err != nil {
		t.Error("the named localhost:", err)
	}
	if _, err := get(client(t, channels.Route{Base: "http://127.0.0.1:1", Extra: []string{srv.URL}}), srv.URL); err != nil {
		t.Error("the named further service:", err)
	}
}

func TestRoute_RedirectsAreNotFollowed(t *testing.T) {
	var hits atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	defer srv.Close()
	_, err := get(client(t, channels.Route{Base: srv.URL}), srv.URL+"/?secret=s3cret")
	if !errors.Is(err, channels.ErrRedirect) || hits.Load() != 1 {
		t.Errorf("%v, %d hits", err, hits.Load())
	}
	if strings.Contains(channels.Bare(err).Error(), "s3cret") || strings.Contains(channels.Unavailable(err).Error(), "s3cret") {
		t.Error("secret in the error")
	}
}

func TestRoute_AnswersAreCapped(t *testing.T) {
	body := strings.Repeat("x", 1000)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
	defer srv.Close()
	for limit, ok := range map[int64]bool{999: false, 1000: true, 1001: true, 1: false} {
		got, err := get(client(t, channels.Route{Base: srv.URL, Limit: limit}), srv.URL)
		if ok != (err == nil) || ok && got != body || !ok && !errors.Is(err, channels.ErrTooLarge) || int64(len(got)) > limit {
			t.Errorf("%d: %d bytes, %v", limit, len(got), err)
		}
	}
}

func TestRoute_Throughput(t *testing.T) {
	var conns atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { time.Sleep(5 * time.Millisecond) }))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	var all sync.WaitGroup
	begin := time.Now()
	for range 20 {
		c := client(t, channels.Route{Base: srv.URL}) // channels that are built again share connections
		all.Go(func() {
			for range 25 {
				if _, err := get(c, srv.URL); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("500 requests took %v", d)
	}
	if n := conns.Load(); n > 60 {
		t.Errorf("%d connections for 20 workers", n)
	}
}

func TestProxy(t *testing.T) {
	var through atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through.Add(1)
		_, _ = io.WriteString(w, r.Host)
	}))
	defer proxy.Close()
	t.Setenv("HTTPS_PROXY", proxy.URL)
	t.Setenv("HTTP_PROXY", proxy.URL)
	if _, err := get(client(t, channels.Route{Base: "http://127.0.0.1:1"}), "http://127.0.0.1:1/"); err == nil || through.Load() != 0 {
		t.Error("the environment's proxy was used unasked")
	}
	for _, setting := range []string{"environment", proxy.URL} {
		if got, err := get(client(t, channels.Route{Base: "http://api.example.com", Proxy: setting}), "http://api.example.com/x"); err != nil ||
			got != "api.example.com" {
			t.Error(setting, got, err)
		}
	}
	if _, err := channels.NewHTTPClient(channels.Route{Proxy: "socks"}); err == nil {
		t.Error("bad proxy")
	}
}
