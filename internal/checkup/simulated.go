package checkup

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"

	"hospay/internal/wire"
)

// simulatedTime is how long an address may think about what it is.
const simulatedTime = 3 * time.Second

// Simulated asks an address whether it is one of hospay's simulators: these, and
// nobody else, tell what they were asked (GET /_sim/requests). One that does not
// answer is none as far as can be told.
func Simulated(ctx context.Context, address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	root := &url.URL{Scheme: u.Scheme, Host: u.Host}
	client, err := wire.Client(wire.Rules{Only: root})
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, simulatedTime)
	defer cancel()
	for _, at := range []*url.URL{root, root.JoinPath(u.Path)} { // a proxy may keep it below a path
		if tellsRequests(ctx, client, at.JoinPath("/_sim/requests")) {
			return true
		}
	}
	return false
}

func tellsRequests(ctx context.Context, client *http.Client, at *url.URL) bool {
	at.RawQuery = "since=1000000000"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return false
	}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	var said struct {
		Requests *[]json.RawMessage `json:"requests"`
	}
	return res.StatusCode == http.StatusOK && json.NewDecoder(io.LimitReader(res.Body, wire.MaxAnswer)).Decode(&said) == nil &&
		said.Requests != nil
}
