package channels

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// What the guarded transport allows when nothing else is configured.
const (
	DefaultTimeout  = 10 * time.Second // one API call, answer included
	DownloadTimeout = 5 * time.Minute  // one bill or receipt
	MaxAnswer       = 4 << 20          // bytes of an API answer
	MaxFile         = 512 << 20        // bytes of a downloaded file
)

// Errors of the guarded transport.
var (
	ErrHost     = errors.New("channels: host is not allowed")
	ErrAddress  = errors.New("channels: address is not allowed")
	ErrRedirect = errors.New("channels: redirects are not followed")
	ErrTooLarge = errors.New("channels: answer is too large")
)

// Route says how requests of one channel leave the house. The signatures of
// the channels cover only path and query, so a request to an official host may
// be sent to Base instead, be it a simulator or the hospital's own gateway.
type Route struct {
	Base     string            // replaces the official hosts; empty = go to them
	Official []string          // host names, or ".example.com" for all below
	Extra    []string          // base URLs of further services, reached as they are
	Proxy    string            // proxy URL, "environment", or empty for none
	Limit    int64             // bytes of a good answer; 0 = MaxAnswer
	Inner    http.RoundTripper // nil = the shared guarded transport
}

// NewHTTPClient returns a client that follows the route, refuses redirects and
// caps every answer. Deadlines come from the context, see WithDeadline.
func NewHTTPClient(r Route) (*http.Client, error) {
	t := &guarded{official: r.Official, limit: r.Limit, inner: r.Inner}
	if t.limit <= 0 {
		t.limit = MaxAnswer
	}
	var open []string
	if r.Base != "" {
		u, err := ParseBase(r.Base)
		if err != nil {
			return nil, err
		}
		t.base, open = u, append(open, explicit(u)...)
	}
	for _, e := range r.Extra {
		u, err := ParseBase(e)
		if err != nil {
			return nil, err
		}
		t.extra, open = append(t.extra, u), append(open, explicit(u)...)
	}
	if t.inner == nil {
		inner, err := sharedTransport(open, r.Proxy)
		if err != nil {
			return nil, err
		}
		t.inner = inner
	}
	refuse := func(*http.Request, []*http.Request) error { return ErrRedirect }
	return &http.Client{Transport: t, CheckRedirect: refuse}, nil
}

// WithDeadline gives the context the deadline d when it has none.
func WithDeadline(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}

// ParseBase reads a base URL: http or https, a host, no user, query or fragment.
func ParseBase(s string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(s), "/"))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("地址不正确，应为 http(s)://主机[:端口] 的形式")
	}
	return u, nil
}

// Bare takes the URL out of a transport error: it may hold secrets in its query.
func Bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// guarded rewrites, checks and caps.
type guarded struct {
	base     *url.URL
	official []string
	extra    []*url.URL
	limit    int64
	inner    http.RoundTripper
}

// RoundTrip sends the request to where its route says, never elsewhere.
func (t *guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	target, err := t.target(req.URL)
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	out := req.Clone(req.Context())
	out.URL, out.Host = target, ""
	resp, err := t.inner.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	limit := t.limit
	if resp.StatusCode/100 != 2 {
		limit = min(limit, MaxAnswer)
	}
	resp.Body = &capped{inner: resp.Body, left: limit}
	return resp, nil
}

// target finds the address for a URL: official hosts go to the base.
func (t *guarded) target(u *url.URL) (*url.URL, error) {
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

func (t *guarded) isOfficial(host string) bool {
	return slices.ContainsFunc(t.official, func(o string) bool {
		return strings.EqualFold(host, o) || (strings.HasPrefix(o, ".") && strings.HasSuffix(strings.ToLower(host), o))
	})
}

func sameHost(a, b *url.URL) bool { return strings.EqualFold(hostPort(a), hostPort(b)) }

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// capped fails, instead of ending quietly, when more than left bytes come.
type capped struct {
	inner io.ReadCloser
	left  int64
}

// Read reads up to the limit and one byte more to notice an excess.
func (c *capped) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.inner.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}

// Close closes the answer.
func (c *capped) Close() error { return c.inner.Close() }

var (
	sharedMu sync.Mutex
	shared   = map[string]*http.Transport{}
)

// sharedTransport returns one transport per set of rules, so that channels
// that are built again keep their connections.
func sharedTransport(open []string, proxy string) (*http.Transport, error) {
	slices.Sort(open)
	key := strings.Join(open, " ") + "|" + proxy
	sharedMu.Lock()
	defer sharedMu.Unlock()
	if t, ok := shared[key]; ok {
		return t, nil
	}
	t := newTransport()
	if proxy == "environment" {
		proxy = os.Getenv("HTTPS_PROXY")
	}
	if proxy != "" {
		u, err := ParseBase(proxy)
		if err != nil {
			return nil, fmt.Errorf("代理%w", err)
		}
		t.Proxy, open = http.ProxyURL(u), append(open, hostPort(u))
	}
	t.DialContext = guardedDial(open)
	shared[key] = t
	return t, nil
}

func newTransport() *http.Transport {
	return &http.Transport{
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    128,
		MaxConnsPerHost:        256,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    5 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // bills must arrive byte for byte
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// guardedDial refuses inner addresses after resolution, so that no name can
// point into the hospital's network. Only the listed host:port are exempt.
func guardedDial(open []string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		d := net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
		if !slices.Contains(open, strings.ToLower(addr)) {
			d.Control = func(_, resolved string, _ syscall.RawConn) error { return publicOnly(resolved) }
		}
		return d.DialContext(ctx, network, addr)
	}
}

// explicit returns the base's host:port when it names an address, not a domain.
func explicit(u *url.URL) []string {
	host := strings.ToLower(u.Hostname())
	if _, err := netip.ParseAddr(host); err != nil && host != "localhost" {
		return nil
	}
	return []string{strings.ToLower(hostPort(u))}
}

// carrier is the shared address space of RFC 6598; clouds keep metadata there.
var carrier = netip.MustParsePrefix("100.64.0.0/10")

func publicOnly(resolved string) error {
	ap, err := netip.ParseAddrPort(resolved)
	if err != nil {
		return ErrAddress
	}
	a := ap.Addr().Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || carrier.Contains(a) {
		return ErrAddress
	}
	return nil
}
