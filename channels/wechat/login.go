package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"hospay/channels"
	"hospay/internal/wire"
	"hospay/refund"
)

// mpError is the error part of every public-platform answer. These hosts
// answer 200 even for errors, and neither question nor answer is signed.
type mpError struct {
	Code    int    `json:"errcode"`
	Message string `json:"errmsg"`
}

// failed is satisfied by every answer that embeds mpError.
type failed interface{ failure() error }

func (e mpError) failure() error {
	if e.Code == 0 {
		return nil
	}
	return e
}

// Error names the code; the words may hold ids of a request, so they stay out.
func (e mpError) Error() string { return fmt.Sprintf("wechat: errcode %d", e.Code) }

// badCodes are the errors of a login code that a repeat cannot mend: wrong,
// used, too old, or of a blocked user.
var badCodes = []int{40029, 40163, 40226, 42003}

// session answers both logins.
type session struct {
	mpError
	OpenID   string `json:"openid"`
	UnionID  string `json:"unionid"`
	Snapshot int    `json:"is_snapshotuser"`
}

// AuthorizeURL is the silent authorisation page. WeChat wants this order of
// parameters.
func (c *Client) AuthorizeURL(redirect, state string) string {
	return c.oauth + "/connect/oauth2/authorize?appid=" + url.QueryEscape(c.AppID) +
		"&redirect_uri=" + url.QueryEscape(redirect) + "&response_type=code&scope=snsapi_base&state=" +
		url.QueryEscape(state) + "#wechat_redirect"
}

// Exchange turns a login code into the openid under our app. A virtual visitor
// of a page snapshot is nobody and is refused.
func (c *Client) Exchange(ctx context.Context, code string) (a channels.Account, err error) {
	defer channels.RecoverError(&err, channels.ErrUnavailable)
	if c.appSecret == "" {
		return a, fmt.Errorf("%w: 未配置 app_secret", channels.ErrNotSupported)
	}
	return c.exchange(ctx, c.login, c.AppID, c.appSecret, code)
}

func (c *Client) exchange(ctx context.Context, login, app, secret, code string) (a channels.Account, err error) {
	if code == "" || len(code) > 256 {
		return a, channels.ErrBadCode
	}
	path, key := "/sns/oauth2/access_token", "code"
	if login == "mini" {
		path, key = "/sns/jscode2session", "js_code"
	}
	q := url.Values{"appid": {app}, "secret": {secret}, key: {code}, "grant_type": {"authorization_code"}}
	var s session
	if err := c.mp(ctx, http.MethodGet, path, q, nil, &s); err != nil {
		return a, loginError(err)
	}
	switch {
	case s.Snapshot != 0:
		return a, fmt.Errorf("%w: virtual visitor", channels.ErrBadCode)
	case s.OpenID == "":
		return a, fmt.Errorf("%w: no openid", channels.ErrUnavailable)
	}
	return channels.Account{ID: s.OpenID, Type: refund.AccountWechatOpenID, Union: s.UnionID}, nil
}

func loginError(err error) error {
	var e mpError
	if errors.As(err, &e) && slices.Contains(badCodes, e.Code) {
		return fmt.Errorf("%w: errcode %d", channels.ErrBadCode, e.Code)
	}
	return mpUnavailable(err)
}

// mpUnavailable keeps only the code of an error.
func mpUnavailable(err error) error {
	var e mpError
	if errors.As(err, &e) {
		return fmt.Errorf("%w: errcode %d", channels.ErrUnavailable, e.Code)
	}
	return channels.Unavailable(err)
}

// mp calls the public-platform API. Its URL holds secrets, so no error of the
// HTTP client may pass as it is.
func (c *Client) mp(ctx context.Context, method, path string, q url.Values, body any, out failed) error {
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	var text bytes.Buffer
	if body != nil {
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.host+path+"?"+q.Encode(), &text)
	if err != nil {
		return errors.New("wechat: request cannot be built")
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.web.Do(req)
	if err != nil {
		return wire.Bare(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("wechat: status %d", resp.StatusCode)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return errors.New("wechat: answer is not JSON")
	}
	return out.failure()
}
