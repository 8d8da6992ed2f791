package wechat

import (
	"cmp"
	"context"
	"fmt"

	"hospay/channels"
	"hospay/flow"
	"hospay/payment"
)

// A hospital may have a mini program beside its official account. Both belong to
// one merchant; a person has an openid in each, and what was begun for one of
// them goes on in it alone. Accounts of the mini program have its AppID before
// them (flow.InApp).

// app is the application of an account, and the openid in it.
func (c *config) app(account string) (app, openid string) {
	app, openid = flow.AppOf(account)
	return cmp.Or(app, c.AppID), openid
}

// payerOf is the application in which a trade is paid, and the payer there.
func (c *config) payerOf(t payment.Trade) (app, openid string) {
	if product(t) != productJSAPI {
		return c.AppID, ""
	}
	return c.app(t.Payer)
}

// otherApp reports that an answer names another application than the account's.
// Of an order whose account has been forgotten any of the hospital's will do.
func (c *config) otherApp(told, account string) bool {
	app, _ := c.app(account)
	return told != "" && told != app && (account != "" || told != c.miniApp)
}

// Within writes an openid of a named application as an account.
func (c *Client) Within(app, openid string) (string, bool) {
	switch {
	case app == c.AppID:
		return openid, true
	case app == c.miniApp && app != "":
		return flow.InApp(app, openid), true
	}
	return "", false
}

// ExchangeMini turns a code of the mini program's login into the openid there.
func (c *Client) ExchangeMini(ctx context.Context, code string) (a channels.Account, err error) {
	defer channels.RecoverError(&err, channels.ErrUnavailable)
	switch {
	case c.login == "mini": // it is the only application
		return c.Exchange(ctx, code)
	case c.miniApp == "" || c.miniSecret == "":
		return a, fmt.Errorf("%w: 未配置小程序", channels.ErrNotSupported)
	}
	if a, err = c.exchange(ctx, "mini", c.miniApp, c.miniSecret, code); err != nil {
		return a, err
	}
	a.ID = flow.InApp(c.miniApp, a.ID)
	return a, nil
}
