// Package wire is the one way by which the program calls others over HTTP: no
// redirects, a deadline and a cap on every answer, only addresses that were
// allowed, nothing inside a transaction.
package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// What holds when nothing else is configured.
const (
	DefaultTimeout  = 10 * time.Second // one API call, answer included
	DownloadTimeout = 5 * time.Minute  // one bill or receipt; no call takes longer
	MaxAnswer       = 4 << 20          // bytes of an API answer
	MaxFile         = 512 << 20        // bytes of a downloaded file
)

// Why a request was not sent or an answer not read.
var (
	ErrAddress     = errors.New("address is not allowed")
	ErrRedirect    = errors.New("redirects are not followed")
	ErrTooLarge    = errors.New("answer is too large")
	ErrTransaction = errors.New("no request inside a transaction")
)

// Rules say where the requests of a client may go and how much may come back.
type Rules struct {
	Only   *url.URL          // nothing but its host and port is dialled, be they inside the house
	Inside bool              // with Only: wherever its name leads must be inside the house
	Open   []*url.URL        // without Only: who may have an inner address, if the URL itself names it; all others are public
	Proxy  string            // without Only: proxy URL, "environment", or empty for none
	Limit  int64             // bytes of a good answer; 0 = MaxAnswer
	Inner  http.RoundTripper // carries the requests instead, under all rules but those of dialling (tests)
}

// Client returns a client that keeps the rules. Clients of equal rules share
// their connections.
func Client(r Rules) (*http.Client, error) {
	g := &guard{limit: r.Limit, inner: r.Inner}
	if g.limit <= 0 {
		g.limit = MaxAnswer
	}
	if g.inner == nil {
		inner, err := shared(r)
		if err != nil {
			return nil, err
		}
		g.inner = inner
	}
	refuse := func(*http.Request, []*http.Request) error { return ErrRedirect }
	return &http.Client{Transport: g, CheckRedirect: refuse, Timeout: DownloadTimeout}, nil
}

// guard refuses what is asked inside a transaction and caps what comes back.
type guard struct {
	limit int64
	inner http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if inTransaction() {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, ErrTransaction
	}
	Leaving()
	res, err := g.inner.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	limit := g.limit
	if res.StatusCode/100 != 2 {
		limit = min(limit, MaxAnswer)
	}
	res.Body = &capped{inner: res.Body, left: limit}
	return res, nil
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

// HostPort is what is dialled for a URL.
func HostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return strings.ToLower(net.JoinHostPort(u.Hostname(), port))
}

// Bare takes the URL out of a transport error: it may hold secrets in its query.
func Bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// Plain says what went wrong without the address, which may hold keys, and
// without bytes of the answer, which may hold anything. who names the caller.
func Plain(who string, err error) error {
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return errors.New(who + ": no answer in time")
	}
	for _, known := range []error{ErrAddress, ErrRedirect, ErrTooLarge, ErrTransaction} {
		if errors.Is(err, known) {
			return fmt.Errorf("%s: %w", who, known)
		}
	}
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("%s: certificate is not trusted: %w", who, e.Err)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("%s: %s: %w", who, e.Op, e.Err)
	}
	return errors.New(who + ": connection broken or not HTTP")
}
