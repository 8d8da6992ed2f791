package wire_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hospay/internal/wire"

	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations"
)

func client(t *testing.T, r wire.Rules) *http.Client {
	t.Helper()
	c, err := wire.Client(r)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := wire.ParseBase(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func get(c *http.Client, address string) (string, error) {
	ctx, cancel := wire.WithDeadline(context.Background(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
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

func answers(t *testing.T, status int, body string, hits *atomic.Int32) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// TestOnly_DialsNothingElse whatever a request, the environment or an answer
// says.
func TestOnly_DialsNothingElse(t *testing.T) {
	var here, there atomic.Int32
	other, one := answers(t, 200, "y", &there), answers(t, 200, "x", &here)
	t.Setenv("HTTP_PROXY", other)
	t.Setenv("http_proxy", other)
	c := client(t, wire.Rules{Only: at(t, one)})
	if got, err := get(c, one+"/a"); got != "x" || err != nil {
		t.Error(got, err)
	}
	if _, err := get(c, other); !errors.Is(err, wire.ErrAddress) {
		t.Error(err)
	}
	if there.Load() != 0 || here.Load() != 1 {
		t.Errorf("%d requests to the other, %d to the one", there.Load(), here.Load())
	}
}

// TestOpen_InnerAddressesAreRefused but those that the configuration names
// itself.
func TestOpen_InnerAddressesAreRefused(t *testing.T) {
	var hits atomic.Int32
	srv := answers(t, 200, "x", &hits)
	port := srv[strings.LastIndex(srv, ":")+1:]
	for _, host := range []string{"127.0.0.1:" + port, "localhost:" + port, "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254",
		"0.0.0.0:" + port, "[::1]:" + port, "[::ffff:127.0.0.1]:" + port, "[fe80::1]", "[fd00::1]", "100.100.100.200", "224.0.0.1"} {
		if _, err := get(client(t, wire.Rules{}), "https://"+host+"/"); !errors.Is(err, wire.ErrAddress) {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, named := range []string{srv, "http://localhost:" + port} {
		if _, err := get(client(t, wire.Rules{Open: []*url.URL{at(t, named)}}), named); err != nil {
			t.Errorf("the named %s: %v", named, err)
		}
	}
	if hits.Load() != 2 {
		t.Errorf("%d requests", hits.Load())
	}
}

// everywhere are the ways in which a client may reach an address.
func everywhere(t *testing.T, address string, limit int64) map[string]*http.Client {
	t.Helper()
	return map[string]*http.Client{
		"only":  client(t, wire.Rules{Only: at(t, address), Limit: limit}),
		"open":  client(t, wire.Rules{Open: []*url.URL{at(t, address)}, Limit: limit}),
		"inner": client(t, wire.Rules{Inner: http.DefaultTransport, Limit: limit}),
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var hits atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		http.Redirect(w, r, "/again", http.StatusFound)
	}))
	defer srv.Close()
	for name, c := range everywhere(t, srv.URL, 0) {
		hits.Store(0)
		_, err := get(c, srv.URL+"/?secret=s3cret")
		if !errors.Is(err, wire.ErrRedirect) || hits.Load() != 1 {
			t.Errorf("%s: %v, %d hits", name, err, hits.Load())
		}
		for _, told := range []error{wire.Bare(err), wire.Plain("his", err)} {
			if strings.Contains(told.Error(), "s3cret") || !errors.Is(told, wire.ErrRedirect) {
				t.Errorf("%s: told %v", name, told)
			}
		}
	}
}

func TestAnswersAreCapped(t *testing.T) {
	var hits atomic.Int32
	body := strings.Repeat("x", 1000)
	srv := answers(t, 200, body, &hits)
	for limit, ok := range map[int64]bool{999: false, 1000: true, 1001: true, 1: false} {
		for name, c := range everywhere(t, srv, limit) {
			got, err := get(c, srv)
			if ok != (err == nil) || ok && got != body || !ok && !errors.Is(err, wire.ErrTooLarge) || int64(len(got)) > limit {
				t.Errorf("%s %d: %d bytes, %v", name, limit, len(got), err)
			}
		}
	}
	failed := answers(t, 500, strings.Repeat("x", wire.MaxAnswer+1), &hits)
	if _, err := get(client(t, wire.Rules{Only: at(t, failed), Limit: wire.MaxFile}), failed); !errors.Is(err, wire.ErrTooLarge) {
		t.Errorf("an error as large as a file: %v", err)
	}
}

// TestTransaction_NothingLeavesInside on whichever way the program came there.
func TestTransaction_NothingLeavesInside(t *testing.T) {
	var hits atomic.Int32
	srv := answers(t, 200, "x", &hits)
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	for name, c := range everywhere(t, srv, 0) {
		hits.Store(0)
		err := app.RunInTransaction(func(tx core.App) error {
			return tx.RunInTransaction(func(core.App) error {
				_, err := get(c, srv)
				return err
			})
		})
		if !errors.Is(err, wire.ErrTransaction) || hits.Load() != 0 {
			t.Errorf("%s: %v, %d requests", name, err, hits.Load())
		}
		if err := app.RunInTransaction(func(core.App) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if got, err := get(c, srv); got != "x" || err != nil {
			t.Errorf("%s: after it: %q, %v", name, got, err)
		}
	}
}

// TestPlain_TellsNoAddress and no byte of the answer.
func TestPlain_TellsNoAddress(t *testing.T) {
	garbage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = io.WriteString(conn, "s3cret\r\n\r\n")
			_ = conn.Close()
		}
	}))
	defer garbage.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	for address, want := range map[string]string{
		garbage.URL: "his: connection broken or not HTTP", silent.URL: "his: no answer in time", "http://127.0.0.1:1": "his: dial: ",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/?key=s3cret", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client(t, wire.Rules{Only: at(t, address)}).Do(req)
		if err == nil {
			res.Body.Close()
		}
		cancel()
		if told := wire.Plain("his", err).Error(); !strings.HasPrefix(told, want) || strings.Contains(told, "s3cret") {
			t.Errorf("%q, want %q", told, want)
		}
	}
}

// TestClients_ShareConnections when they are built again.
func TestClients_ShareConnections(t *testing.T) {
	var conns atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(5 * time.Millisecond) }))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	var all sync.WaitGroup
	for i := range 20 {
		c := everywhere(t, srv.URL, 0)[[]string{"only", "open"}[i%2]]
		all.Go(func() {
			for range 25 {
				if _, err := get(c, srv.URL); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := conns.Load(); n > 60 {
		t.Errorf("%d connections for 20 workers", n)
	}
}

func TestProxy_OnlyWhereItWasAskedFor(t *testing.T) {
	var through atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through.Add(1)
		_, _ = io.WriteString(w, r.Host)
	}))
	defer proxy.Close()
	t.Setenv("HTTPS_PROXY", proxy.URL)
	t.Setenv("HTTP_PROXY", proxy.URL)
	const nobody = "http://127.0.0.1:1"
	for name, c := range everywhere(t, nobody, 0) {
		if _, err := get(c, nobody); err == nil || through.Load() != 0 {
			t.Errorf("%s: the environment's proxy was used unasked", name)
		}
	}
	for _, setting := range []string{"environment", proxy.URL} {
		got, err := get(client(t, wire.Rules{Proxy: setting}), "http://api.example.com/x")
		if err != nil || got != "api.example.com" {
			t.Error(setting, got, err)
		}
	}
	if _, err := wire.Client(wire.Rules{Proxy: "socks"}); err == nil {
		t.Error("bad proxy")
	}
}

// TestAddresses_ThatAreNeverCalled: the machine's own link and the metadata of
// clouds, whatever the configuration says, and however it is named.
func TestAddresses_ThatAreNeverCalled(t *testing.T) {
	for _, host := range []string{"169.254.169.254", "169.254.0.1", "[fe80::1]", "[::ffff:169.254.169.254]", "100.100.100.200",
		"[fd00:ec2::254]", "0.0.0.0", "[::]", "224.0.0.1", "[ff02::1]"} {
		u := at(t, "http://"+host+":80")
		if !wire.Forbidden(u) || wire.Inside(u) {
			t.Errorf("%s may be configured", host)
		}
		for name, r := range map[string]wire.Rules{"only": {Only: u}, "inside": {Only: u, Inside: true}, "open": {Open: []*url.URL{u}},
			"neither": {}} {
			if _, err := get(client(t, r), u.String()); !errors.Is(err, wire.ErrAddress) {
				t.Errorf("%s as %s: %v", host, name, err)
			}
		}
	}
}

// TestInside_NamesMayNotLeadOut: what travels in the clear reaches the house
// only.
func TestInside_NamesMayNotLeadOut(t *testing.T) {
	var hits atomic.Int32
	srv := answers(t, 200, "x", &hits)
	if _, err := get(client(t, wire.Rules{Only: at(t, srv), Inside: true}), srv); err != nil {
		t.Error(err)
	}
	for _, host := range []string{"8.8.8.8", "[2001:4860:4860::8888]"} {
		u := at(t, "http://"+host)
		if _, err := get(client(t, wire.Rules{Only: u, Inside: true}), u.String()); !errors.Is(err, wire.ErrAddress) {
			t.Errorf("%s: %v", host, err)
		}
	}
	for address, inside := range map[string]bool{"http://10.1.2.3:8080": true, "http://192.168.0.1": true, "http://172.16.0.1": true,
		"http://127.0.0.1": true, "http://localhost:1": true, "http://[fd00::1]": true, "http://100.64.0.1": true, "http://8.8.8.8": false,
		"http://his.example.cn": false, "http://172.32.0.1": false} {
		if wire.Inside(at(t, address)) != inside {
			t.Errorf("%s: inside is %v", address, !inside)
		}
	}
}
