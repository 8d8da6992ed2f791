package e2e

import (
	"bufio"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/collections"

	"github.com/pocketbase/pocketbase/core"
)

// listen subscribes every visitor to every collection, touches each planted
// row, and returns who was told about which collection.
func (h *house) listen(t *testing.T) map[string]map[string]bool {
	t.Helper()
	var mu sync.Mutex
	heard := map[string]map[string]bool{}
	for _, v := range visitors {
		heard[v] = map[string]bool{}
	}
	for _, v := range visitors {
		events := h.subscribe(t, h.tokens[v])
		go func() {
			for name := range events {
				mu.Lock()
				heard[v][name] = true
				mu.Unlock()
			}
		}()
	}
	for _, name := range collections.All() {
		rec, err := h.Runtime.App.FindRecordById(name, h.rows[name])
		if err != nil {
			t.Fatal(err)
		}
		event := &core.ModelEvent{App: h.Runtime.App, Context: t.Context(), Type: core.ModelEventTypeUpdate}
		event.Model = rec
		if err := h.Runtime.App.OnModelAfterUpdateSuccess().Trigger(event, func(e *core.ModelEvent) error { return e.Next() }); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(500 * time.Millisecond)
	mu.Lock()
	defer mu.Unlock()
	out := map[string]map[string]bool{}
	for v, names := range heard {
		out[v] = map[string]bool{}
		for n := range names {
			out[v][n] = true
		}
	}
	return out
}

// subscribe opens a stream and returns the collections it is told about.
func (h *house) subscribe(t *testing.T, token string) <-chan string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", h.URL+"/api/realtime", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	in := bufio.NewReader(res.Body)
	id := ""
	for !strings.HasPrefix(id, "id:") {
		if id, err = in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	topics := []string{}
	for _, name := range collections.All() {
		topics = append(topics, name+"/*", name+"/"+h.rows[name])
	}
	body := map[string]any{"clientId": strings.TrimSpace(strings.TrimPrefix(id, "id:")), "subscriptions": topics}
	if r := h.Call("POST", "/api/realtime", token, body); r.Status != 204 {
		t.Fatalf("subscribe: %d %s", r.Status, r.Raw)
	}
	out := make(chan string, 1000)
	go func() {
		defer close(out)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if topic, ok := strings.CutPrefix(line, "event:"); ok {
				name, _, _ := strings.Cut(strings.TrimSpace(topic), "/")
				out <- name
			}
		}
	}()
	return out
}
