package e2e

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"hospay/collections"
	"hospay/hooks/gate"
	"hospay/lab/testapp"
)

// TestEdge_EveryRouteIsCheapAtItsLimit sends, to every route of the running program
// that takes a body, what costs most memory for its length, as those who may come
// furthest. At night in every form.
func TestEdge_EveryRouteIsCheapAtItsLimit(t *testing.T) {
	h := newHouse(t, testapp.Config{})
	kinds := hostile(gate.MaxBody)
	if !long() {
		for kind := range kinds {
			if kind != "application/json members" {
				delete(kinds, kind)
			}
		}
	}
	n := 0
	for _, route := range routesOf(h.Router.RouterGroup, "") {
		method, path, _ := strings.Cut(route, " ")
		if !slices.Contains([]string{"POST", "PATCH", "PUT", "DELETE"}, method) || strings.HasSuffix(path, "/auth/logout") {
			continue
		}
		path = strings.NewReplacer("{collection}", collections.RefundOrders, "{id}", h.rows[collections.RefundOrders], "{key}", "none.zip",
			"{institution}", h.Institution, "{channel}", "wechat", "{date}", "2026-01-02", "{month}", "2026-01", "{name}", "none",
			"{op}", "ping").Replace(path)
		if strings.Contains(path, "{") {
			t.Errorf("%s: say here what stands for the variable part", route)
		}
		for kind, body := range kinds {
			viewers := []string{"owner", "superuser"}
			if !long() {
				viewers = viewers[n%2:][:1] // one after the other
			}
			for _, v := range viewers {
				used := peakOf(func() {
					req := must(http.NewRequestWithContext(t.Context(), method, h.URL+path, bytes.NewReader(body)))
					req.Header = http.Header{"Content-Type": {strings.Fields(kind)[0]}, "Authorization": {h.tokens[v]}}
					if res, err := http.DefaultTransport.RoundTrip(req); err == nil {
						_, _ = io.Copy(io.Discard, res.Body)
						res.Body.Close()
					}
				})
				if n++; used > 50<<20 {
					t.Errorf("%s with %s as %s: %d MB. Bound its body in hooks/gate/body.go", route, kind, v, used>>20)
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d requests", n)
	}
}
