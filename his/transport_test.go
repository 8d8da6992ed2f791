package his

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// Nothing but the configured host and port is dialled, whatever a request says.
func TestClient_DialsOnlyTheConfiguredAddress(t *testing.T) {
	var hits atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer other.Close()
	t.Setenv("HTTP_PROXY", other.URL)
	t.Setenv("http_proxy", other.URL)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) }))
	defer srv.Close()
	c, err := NewClient(Config{BaseURL: srv.URL + "/his/"})
	if err != nil {
		t.Fatal(err)
	}
	if _, body, err := c.Post(t.Context(), Operation{Path: "/a?b=c"}, http.Header{}, nil); err != nil || string(body) != "x" {
		t.Fatal(string(body), err)
	}
	req, err := http.NewRequest(http.MethodPost, other.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := c.http.Do(req); err == nil {
		res.Body.Close()
		t.Error("another address was dialled")
	}
	at := strings.TrimPrefix(other.URL, "http://")
	bare, err := NewClient(Config{BaseURL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"@" + at, "@" + at + "/x", ".evil.example/", "\x00"} {
		if _, _, err := bare.Post(t.Context(), Operation{Path: path}, http.Header{}, nil); err == nil {
			t.Errorf("%q", path)
		}
	}
	if hits.Load() != 0 {
		t.Error("the other server was called")
	}
}

func TestRegistry(t *testing.T) {
	if _, err := New(Config{Kind: "none"}); err == nil || !strings.Contains(err.Error(), "未知") {
		t.Error(err)
	}
	if _, err := ParseCharset("latin1"); err == nil {
		t.Error("charset")
	}
}

func TestFill_IsOnePass(t *testing.T) {
	got := Fill(`{"a":"{x}","b":{y},"c":{}}`, map[string]string{"x": "{y}", "y": "1"}, strings.ToUpper)
	if got != `{"a":"{Y}","b":1,"c":{}}` {
		t.Error(got)
	}
}
