package wechat

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"hospay/channels"
)

// early is how long before its end a token is renewed.
const early = 5 * time.Minute

// keeper keeps one short-lived value and lets one caller at a time renew it.
type keeper struct {
	fetch func(context.Context) (string, time.Duration, error)
	now   func() time.Time
	turn  chan struct{} // held while renewing; waiting for it honours the context

	mu    sync.Mutex
	value string
	until time.Time
}

func newKeeper(fetch func(context.Context) (string, time.Duration, error), now func() time.Time) *keeper {
	return &keeper{fetch: fetch, now: now, turn: make(chan struct{}, 1)}
}

// get returns the value, renewing it when it is about to end.
func (k *keeper) get(ctx context.Context) (string, error) {
	if v, ok := k.current(); ok {
		return v, nil
	}
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if v, ok := k.current(); ok {
		return v, nil
	}
	v, life, err := k.fetch(ctx)
	if err != nil {
		return "", err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.value, k.until = v, k.now().Add(max(life-early, 0))
	return v, nil
}

func (k *keeper) current() (string, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.value, k.value != "" && k.now().Before(k.until)
}

// drop forgets a value that the other side no longer accepts.
func (k *keeper) drop(value string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.value == value {
		k.value = ""
	}
}

// fetchToken asks for the stable token, which several processes may share.
func (c *Client) fetchToken(ctx context.Context) (string, time.Duration, error) {
	var out struct {
		mpError
		Token   string `json:"access_token"`
		Expires int    `json:"expires_in"`
	}
	body := map[string]any{"grant_type": "client_credential", "appid": c.AppID, "secret": c.appSecret, "force_refresh": false}
	if err := c.mp(ctx, http.MethodPost, "/cgi-bin/stable_token", nil, body, &out); err != nil {
		return "", 0, err
	}
	if out.Token == "" {
		return "", 0, errors.New("wechat: no token")
	}
	return out.Token, time.Duration(out.Expires) * time.Second, nil
}

// fetchTicket asks for the ticket that signs pages.
func (c *Client) fetchTicket(ctx context.Context) (string, time.Duration, error) {
	token, err := c.token.get(ctx)
	if err != nil {
		return "", 0, err
	}
	var out struct {
		mpError
		Ticket  string `json:"ticket"`
		Expires int    `json:"expires_in"`
	}
	q := url.Values{"access_token": {token}, "type": {"jsapi"}}
	if err := c.mp(ctx, http.MethodGet, "/cgi-bin/ticket/getticket", q, nil, &out); err != nil {
		c.dropToken(err, token)
		return "", 0, err
	}
	return out.Ticket, time.Duration(out.Expires) * time.Second, nil
}

// SignPage signs a page for the JS-SDK.
func (c *Client) SignPage(ctx context.Context, page string) (s channels.PageSignature, err error) {
	defer channels.RecoverError(&err, channels.ErrUnavailable)
	if c.appSecret == "" {
		return s, fmt.Errorf("%w: 未配置 app_secret", channels.ErrNotSupported)
	}
	ticket, err := c.ticket.get(ctx)
	if err != nil {
		return s, mpUnavailable(err)
	}
	s = channels.PageSignature{AppID: c.AppID, Timestamp: time.Now().Unix(), Nonce: rand.Text()}
	s.Signature = signPage(ticket, s.Nonce, s.Timestamp, page)
	return s, nil
}

func signPage(ticket, nonce string, timestamp int64, page string) string {
	page, _, _ = strings.Cut(page, "#")
	text := fmt.Sprintf("jsapi_ticket=%s&noncestr=%s&timestamp=%d&url=%s", ticket, nonce, timestamp, page)
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}
