package channels_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hospay/channels"
	"hospay/internal/wire"
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
	ctx, cancel := wire.WithDeadline(context.Background(), 2*time.Second)
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

// TestRoute_KeepsTheRulesOfTheWire: only an address that the configuration names
// itself may be an inner one, and answers are capped.
func TestRoute_KeepsTheRulesOfTheWire(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "xxx") }))
	defer srv.Close()
	named := map[string]channels.Route{
		"the base":          {Base: srv.URL},
		"a further service": {Base: "http://127.0.0.1:1", Extra: []string{srv.URL}},
	}
	for name, r := range named {
		if got, err := get(client(t, r), srv.URL); got != "xxx" || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	host := strings.TrimPrefix(srv.URL, "http://")
	if _, err := get(client(t, channels.Route{Official: []string{"127.0.0.1"}}), "https://"+host); !errors.Is(err, wire.ErrAddress) {
		t.Errorf("an official name inside the house: %v", err)
	}
	if _, err := get(client(t, channels.Route{Base: srv.URL, Limit: 2}), srv.URL); !errors.Is(err, wire.ErrTooLarge) {
		t.Error(err)
	}
	if _, err := channels.NewHTTPClient(channels.Route{Proxy: "socks"}); err == nil {
		t.Error("bad proxy")
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
	if !errors.Is(err, wire.ErrRedirect) || hits.Load() != 1 {
		t.Errorf("%v, %d hits", err, hits.Load())
	}
	if strings.Contains(wire.Bare(err).Error(), "s3cret") || strings.Contains(channels.Unavailable(err).Error(), "s3cret") {
		t.Error("secret in the error")
	}
}
