package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"hospay/channels"
	"hospay/internal/wire"
	"hospay/refund"
)

// refusedMessages are errors that a repeat cannot mend: bad receiver,
// template, page or value, and receivers who do not want it.
var refusedMessages = []int{40003, 40036, 40037, 41030, 43004, 43101, 47001, 47003}

// staleTokens are errors of a token that somebody else replaced.
var staleTokens = []int{40001, 40014, 42001}

// message is the body of both message services.
type message struct {
	To       string              `json:"touser"`
	Template string              `json:"template_id"`
	URL      string              `json:"url,omitempty"`
	Mini     *miniPage           `json:"miniprogram,omitempty"`
	Page     string              `json:"page,omitempty"`
	ID       string              `json:"client_msg_id,omitempty"`
	Data     map[string]dataItem `json:"data"`
}

type miniPage struct {
	AppID string `json:"appid"`
	Path  string `json:"pagepath"`
}

type dataItem struct {
	Value string `json:"value"`
}

// CanMessage looks at the configuration.
func (c *Client) CanMessage() error {
	switch {
	case c.appSecret == "":
		return errors.New("微信没有填写 app_secret，不能发消息")
	case c.messages == "subscribe" && c.messagePage == "":
		return errors.New("微信订阅消息没有设置 message_page，点开到不了退款页")
	}
	return nil
}

// SendMessage sends a template message, or a subscribe message where the
// configuration says so.
func (c *Client) SendMessage(ctx context.Context, m channels.Message) (id string, err error) {
	defer channels.RecoverError(&err, channels.ErrUnavailable)
	if c.appSecret == "" {
		return "", fmt.Errorf("%w: 未配置 app_secret", channels.ErrNotSupported)
	}
	if m.To.Type != refund.AccountWechatOpenID || m.To.ID == "" || m.Template == "" {
		return "", fmt.Errorf("%w: receiver or template is missing", channels.ErrMessageRefused)
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	id, err = c.send(ctx, m)
	if e := (mpError{}); errors.As(err, &e) && slices.Contains(staleTokens, e.Code) {
		id, err = c.send(ctx, m)
	}
	return id, messageError(err)
}

func (c *Client) send(ctx context.Context, m channels.Message) (string, error) {
	token, err := c.token.get(ctx)
	if err != nil {
		return "", err
	}
	path := "/cgi-bin/message/template/send"
	if c.messages == "subscribe" {
		path = "/cgi-bin/message/subscribe/send"
	}
	var out struct {
		mpError
		ID json.Number `json:"msgid"`
	}
	err = c.mp(ctx, http.MethodPost, path, url.Values{"access_token": {token}}, c.message(m), &out)
	c.dropToken(err, token)
	return out.ID.String(), err
}

func (c *Client) message(m channels.Message) message {
	out := message{To: m.To.ID, Template: m.Template, Data: map[string]dataItem{}}
	for k, v := range m.Data {
		out.Data[k] = dataItem{v}
	}
	page := channels.MessagePage(c.messagePage, m.Page)
	if c.messages == "subscribe" {
		out.Page = page
		for k, v := range m.Data {
			out.Data[k] = dataItem{fitting(k, v)}
		}
		return out
	}
	out.URL = m.Page
	if page != "" && c.miniApp != "" {
		out.Mini = &miniPage{AppID: c.miniApp, Path: page}
	}
	out.ID = channels.Clip(m.ID, 32)
	return out
}

// longest are the limits of the values of subscribe messages, by the kind of
// keyword: one value too long refuses the message.
var longest = map[string]int{"thing": 20, "number": 32, "letter": 32, "symbol": 5, "character_string": 32, "phrase": 5}

func fitting(key, value string) string {
	limit := longest[strings.TrimRight(key, "0123456789")]
	if r := []rune(value); limit > 0 && len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return value
}

// dropToken forgets the token when the error says that it is stale.
func (c *Client) dropToken(err error, token string) {
	if e := (mpError{}); errors.As(err, &e) && slices.Contains(staleTokens, e.Code) {
		c.token.drop(token)
	}
}

func messageError(err error) error {
	var e mpError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e) && slices.Contains(refusedMessages, e.Code):
		return fmt.Errorf("%w: errcode %d", channels.ErrMessageRefused, e.Code)
	}
	return mpUnavailable(err)
}
