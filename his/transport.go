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

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// maxAnswer bounds what is read of one answer.
const maxAnswer = 8 << 20

var errTooLarge = errors.New("his: answer too large")

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
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") || base.User != nil {
		return nil, fmt.Errorf("HIS 地址 %q 不是有效的 http(s) 地址", cfg.BaseURL)
	}
	rt := cfg.Transport
	if rt == nil {
		rt = pinned(base)
	}
	return &Client{base: base, wait: Deadline(cfg), http: &http.Client{
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
				return nil, fmt.Errorf("his: address %s is not the configured one", addr)
			}
			return d.DialContext(ctx, network, addr)
		},
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 32, IdleConnTimeout: 60 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
	}
}

// Post sends a body and returns the whole answer with its status and type.
func (c *Client) Post(ctx context.Context, path string, header http.Header, body []byte) (int, string, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.wait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	req.Header = header
	res, err := c.http.Do(req)
	if err != nil {
		return 0, "", nil, bare(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return 0, "", nil, bare(err)
	}
	if len(data) > maxAnswer {
		return 0, "", nil, errTooLarge
	}
	return res.StatusCode, res.Header.Get("Content-Type"), data, nil
}

// bare drops the address from an error; it may hold keys.
func bare(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// Charset finds an encoding by its name; nil is UTF-8.
func Charset(name string) (encoding.Encoding, error) {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "", "utf-8", "utf8":
		return nil, nil
	case "gbk", "gb2312":
		return simplifiedchinese.GBK, nil
	case "gb18030":
		return simplifiedchinese.GB18030, nil
	}
	return nil, fmt.Errorf("不支持的字符集 %q", name)
}
