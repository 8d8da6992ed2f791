package channels

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hospay/internal/wire"
)

// ErrHost refuses a request to a host that its route does not name.
var ErrHost = errors.New("channels: host is not allowed")

// Route says how requests of one channel leave the house. The signatures of
// the channels cover only path and query, so a request to an official host may
// be sent to Base instead, be it a simulator or the hospital's own gateway.
type Route struct {
	Base     string            // replaces the official hosts; empty = go to them
	Official []string          // host names, or ".example.com" for all below
	Extra    []string          // base URLs of further services, reached as they are
	Proxy    string            // proxy URL, "environment", or empty for none
	Limit    int64             // bytes of a good answer; 0 = wire.MaxAnswer
	Inner    http.RoundTripper // carries the requests instead (tests)
}

// NewHTTPClient returns a guarded client that follows the route. Deadlines come
// from the context, see wire.WithDeadline.
func NewHTTPClient(r Route) (*http.Client, error) {
	t := &routed{official: r.Official}
	if r.Base != "" {
		u, err := wire.ParseBase(r.Base)
		if err != nil {
			return nil, err
		}
		t.base = u
	}
	for _, e := range r.Extra {
		u, err := wire.ParseBase(e)
		if err != nil {
			return nil, err
		}
		t.extra = append(t.extra, u)
	}
	open := t.extra
	if t.base != nil {
		open = append(slices.Clone(open), t.base)
	}
	c, err := wire.Client(wire.Rules{Open: open, Proxy: r.Proxy, Limit: r.Limit, Inner: r.Inner})
	if err != nil {
		return nil, err
	}
	t.inner, c.Transport = c.Transport, t
	return c, nil
}

// routed sends requests to where their route says.
type routed struct {
	base     *url.URL
	official []string
	extra    []*url.URL
	inner    http.RoundTripper
}

// RoundTrip sends the request to where its route says, never elsewhere.
func (t *routed) RoundTrip(req *http.Request) (*http.Response, error) {
	target, err := t.target(req.URL)
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	out := req.Clone(req.Context())
	out.URL, out.Host = target, ""
	return t.inner.RoundTrip(out)
}

// target finds the address for a URL: official hosts go to the base.
func (t *routed) target(u *url.URL) (*url.URL, error) {
	out := *u
	switch {
	case t.base != nil && sameHost(u, t.base):
		out.Scheme = t.base.Scheme
	case slices.ContainsFunc(t.extra, func(e *url.URL) bool { return sameHost(u, e) && u.Scheme == e.Scheme }):
	case !t.isOfficial(u.Hostname()):
		return nil, ErrHost
	case t.base != nil:
		out.Scheme, out.Host = t.base.Scheme, t.base.Host
		if p := t.base.Path; p != "" && !strings.HasPrefix(u.Path, p+"/") && u.Path != p {
			out.Path, out.RawPath = p+u.Path, ""
		}
	default:
		out.Scheme = "https"
	}
	return &out, nil
}

func (t *routed) isOfficial(host string) bool {
	return slices.ContainsFunc(t.official, func(o string) bool {
		return strings.EqualFold(host, o) || (strings.HasPrefix(o, ".") && strings.HasSuffix(strings.ToLower(host), o))
	})
}

func sameHost(a, b *url.URL) bool { return wire.HostPort(a) == wire.HostPort(b) }
