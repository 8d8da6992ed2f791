package alipay

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"hospay/channels"
	"hospay/internal/wire"
	"hospay/refund"

	sdk "github.com/smartwalle/alipay/v3"
)

const methodToken = "alipay.system.oauth.token"

// badCodes are refusals of a login code that a repeat cannot mend.
var badCodes = []string{"isv.code-invalid", "isv.grant-type-invalid", "isv.unmatched-app-id"}

// session answers a login. Its success has no code member; newer apps tell
// open_id only.
type session struct {
	head
	UserID string `json:"user_id"`
	OpenID string `json:"open_id"`
}

// AuthorizeURL is the consent page.
func (c *Client) AuthorizeURL(redirect, state string) string {
	q := url.Values{"app_id": {c.AppID}, "scope": {c.scope}, "redirect_uri": {redirect}, "state": {state}}
	return c.oauth + "/oauth2/publicAppAuthorize.htm?" + q.Encode()
}

// Exchange turns a login code into the account under our app.
func (c *Client) Exchange(ctx context.Context, code string) (a channels.Account, err error) {
	defer channels.RecoverError(&err, channels.ErrUnavailable)
	if code == "" || len(code) > 256 {
		return a, channels.ErrBadCode
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	var s session
	err = c.call(ctx, methodToken, nil, map[string]any{"grant_type": "authorization_code", "code": code}, &s)
	if err != nil {
		return a, loginError(err)
	}
	switch {
	case s.UserID != "":
		return channels.Account{ID: s.UserID, Type: refund.AccountAlipayUserID}, nil
	case s.OpenID != "":
		return channels.Account{ID: s.OpenID, Type: refund.AccountAlipayOpenID}, nil
	case slices.Contains(badCodes, s.SubCode):
		return a, fmt.Errorf("%w: %s", channels.ErrBadCode, s.SubCode)
	}
	return a, unavailable(s.head)
}

// loginError reads the unsigned refusals of this method; no money hangs on them.
func loginError(err error) error {
	var e *sdk.Error
	if !errors.As(err, &e) || e == nil {
		return channels.Unavailable(err)
	}
	if slices.Contains(badCodes, e.SubCode) {
		return fmt.Errorf("%w: %s", channels.ErrBadCode, e.SubCode)
	}
	return unavailable(head{Code: string(e.Code), SubCode: e.SubCode})
}
