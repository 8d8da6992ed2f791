package his

import (
	"bytes"
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

// What is read of one answer: lists may be long, other answers are not, and
// reading them must not take longer than the call may.
const (
	maxList   = 8 << 20
	maxAnswer = 256 << 10
)

var (
	errTooLarge = errors.New("his: answer too large")
	errAddress  = errors.New("his: not the configured address")
)

// Client posts to one address and to no other: no redirects, no proxy, a
// deadline and a cap on every answer.
type Client struct {
	base *url.URL
	http *http.Client
	wait time.Duration
}

// NewClient returns a client of the configured address.
func NewClient(cfg Config) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(cfg.BaseURL, "/"))
	if err != nil || base.Hostname() == "" || (base.Scheme != "http" && base.Scheme != "https") || base.User != nil || base.Fragment != "" {
		return nil, errors.New("HIS 地址不是有效的 http(s) 地址（不能带用户名、密码和 #）")
	}
	if base.RawQuery != "" || base.ForceQuery {
		return nil, errors.New("HIS 地址带有 ? 之后的部分，请把它写进各操作的 path")
	}
	rt := cfg.Transport
	if rt == nil {
		rt = pinned(base)
	}
	return &Client{base: base, wait: deadline(cfg), http: &http.Client{
		Transport:     rt,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// pinned dials the configured host and port only.
func pinned(base *url.URL) http.RoundTripper {
	port := base.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[base.Scheme]
	}
	want := net.JoinHostPort(base.Hostname(), port)
	d := &net.Dialer{Timeout: 5 * time.Second}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr != want {
				return nil, errAddress
			}
			return d.DialContext(ctx, network, addr)
		},
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 32, IdleConnTimeout: 60 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10,
	}
}

// Post sends an operation's body and returns the whole answer with its type. Any status but
// 200 is an error: its body proves nothing.
func (c *Client) Post(ctx context.Context, op Operation, header http.Header, body []byte) (string, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.wait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.String()+op.Path, bytes.NewReader(body))
	if err != nil || req.URL.Host != c.base.Host {
		return "", nil, errAddress
	}
	req.Header = header
	if op.asks() {
		// A connection that was kept may have been dropped by the other side
		// just now. A question is then asked once more on a new one; the empty
		// key says so to package http and is not sent.
		req.Header["Idempotency-Key"] = []string{}
	}
	res, err := c.http.Do(req)
	if err != nil {
		return "", nil, bare(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", nil, fmt.Errorf("his: HTTP %d", res.StatusCode)
	}
	limit := maxAnswer
	if op.List != "" {
		limit = maxList
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, int64(limit)+1))
	if err != nil {
		return "", nil, bare(err)
	}
	if len(data) > limit {
		return "", nil, errTooLarge
	}
	return res.Header.Get("Content-Type"), data, nil
}

// bare says what went wrong without the address, which may hold keys, and
// without bytes of the answer, which may hold anything.
func bare(err error) error {
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return errors.New("his: no answer in time")
	}
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("his: certificate is not trusted: %w", e.Err)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("his: %s: %w", e.Op, e.Err)
	}
	if errors.Is(err, errAddress) {
		return errAddress
	}
	return errors.New("his: connection broken or not HTTP")
}

func deadline(cfg Config) time.Duration {
	if cfg.Timeout > 0 {
		return cfg.Timeout
	}
	return 8 * time.Second
}
