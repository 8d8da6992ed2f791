package his

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hospay/internal/wire"
)

// What is read of one answer: lists may be long, other answers are not, and
// reading them must not take longer than the call may.
const (
	maxList   = 8 << 20
	maxAnswer = 256 << 10
)

// Client posts to one address and to no other.
type Client struct {
	base *url.URL
	http *http.Client
	wait time.Duration
	tap  Tap
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
	// What travels in the clear stays inside the house, whatever a name leads to.
	client, err := wire.Client(wire.Rules{Only: base, Inside: base.Scheme == "http", Limit: maxList, Inner: cfg.Transport})
	if err != nil {
		return nil, err
	}
	return &Client{base: base, wait: deadline(cfg), http: client, tap: cfg.Tap}, nil
}

// Post sends an operation's body and returns the whole answer with its type. Any status but
// 200 is an error: its body proves nothing.
func (c *Client) Post(ctx context.Context, op Operation, header http.Header, body []byte) (string, []byte, error) {
	ctype, data, err := c.post(ctx, op, header, body)
	if c.tap != nil {
		c.tap(op.name, body, data, err)
	}
	return ctype, data, err
}

func (c *Client) post(ctx context.Context, op Operation, header http.Header, body []byte) (string, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.wait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base.String()+op.Path, bytes.NewReader(body))
	if err != nil || req.URL.Host != c.base.Host {
		return "", nil, wire.Plain("his", wire.ErrAddress)
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
		return "", nil, wire.Plain("his", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		var said []byte
		if c.tap != nil { // a person looks at it; it proves nothing
			said, _ = io.ReadAll(io.LimitReader(res.Body, 4<<10))
		}
		return "", said, fmt.Errorf("his: HTTP %d", res.StatusCode)
	}
	limit := maxAnswer
	if op.long() {
		limit = maxList
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, int64(limit)+1))
	if len(data) > limit {
		err = wire.ErrTooLarge
	}
	if err != nil {
		return "", nil, wire.Plain("his", err)
	}
	return res.Header.Get("Content-Type"), data, nil
}

func deadline(cfg Config) time.Duration {
	if cfg.Timeout > 0 {
		return cfg.Timeout
	}
	return 8 * time.Second
}
