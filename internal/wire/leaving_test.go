package wire

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// TestLeaving_IsAskedBeforeAnythingLeaves: a machine that no longer does the work ends
// there, so nothing may have gone out before it was asked.
func TestLeaving_IsAskedBeforeAnythingLeaves(t *testing.T) {
	came, asked := 0, 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { came++ }))
	defer other.Close()
	defer func(was func()) { Leaving = was }(Leaving)
	Leaving = func() {
		if asked++; came >= asked {
			t.Error("it left before it was asked")
		}
	}
	g := &guard{limit: 1 << 10, inner: http.DefaultTransport}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, other.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := g.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	u, err := url.Parse(other.URL)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Stream(context.Background(), u, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if asked != 2 || came != 1 {
		t.Errorf("asked %d times, %d came", asked, came)
	}
}
