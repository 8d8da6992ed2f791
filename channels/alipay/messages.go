package alipay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"hospay/channels"
	"hospay/internal/wire"
	"hospay/refund"
)

const (
	methodMini   = "alipay.open.app.mini.templatemessage.send"
	methodPublic = "alipay.open.public.message.single.send"
)

// refusedMessages are refusals that a repeat cannot mend: used-up forms, bad
// templates and words, and receivers who do not want it.
var refusedMessages = []string{
	"FORM_ID_OVER_TIME", "FORM_ID_SEND_LIMIT", "FORM_ID_INVALID", "TRADE_NO_NOT_MATCH_USERID", "USER_TEMPLATE_ILLEGAL",
	"USER_TEMPLATE_LACK_KEYWORD", "USER_KEYWORD_LENGTH_ERROR", "DATA_SENSITIVE", "MSG_UNSUBSCRIBED", "NO_RECENT_VISIT_RECORD",
	"MSG_SINGLE_SD_OVER", "MSG_SD_NOFOLLOW", "UNFOLLOW_REFUSE_RECOMMONED", "TYPEATEMPLATE_SWITCH_UNSUBSCRIBED",
}

// CanMessage looks at the configuration.
func (c *Client) CanMessage() error {
	if c.messages != "public" && c.messagePage == "" {
		return errors.New("支付宝小程序消息没有设置 message_page，点开到不了退款页")
	}
	return nil
}

// SendMessage sends a mini-program template message or, where the
// configuration says so, a message of the life account. Data["form_id"] is the
// trade or form number that some templates need. Alipay tells no message id,
// so ours is returned.
func (c *Client) SendMessage(ctx context.Context, m channels.Message) (id string, err error) {
	defer channels.RecoverError(&err, channels.ErrUnavailable)
	to, ok := map[refund.AccountType]string{refund.AccountAlipayUserID: "to_user_id", refund.AccountAlipayOpenID: "to_open_id"}[m.To.Type]
	if !ok || m.To.ID == "" || m.Template == "" {
		return "", fmt.Errorf("%w: receiver or template is missing", channels.ErrMessageRefused)
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	method, biz := methodMini, miniMessage(m, channels.MessagePage(c.messagePage, m.Page))
	if c.messages == "public" {
		method, biz = methodPublic, publicMessage(m)
	}
	biz[to] = m.To.ID
	var out head
	if err := c.call(ctx, method, biz, nil, &out); err != nil {
		return "", channels.Unavailable(err)
	}
	switch {
	case out.Code == codeDone:
		return m.ID, nil
	case slices.Contains(refusedMessages, out.SubCode):
		return "", fmt.Errorf("%w: %s", channels.ErrMessageRefused, out.SubCode)
	}
	return "", unavailable(out)
}

// miniMessage puts the keywords into a JSON text, as the method wants it.
func miniMessage(m channels.Message, page string) map[string]any {
	data := map[string]any{}
	for k, v := range m.Data {
		if k != "form_id" {
			data[k] = map[string]string{"value": v}
		}
	}
	text, _ := json.Marshal(data) // strings only: cannot fail
	biz := map[string]any{"user_template_id": m.Template, "data": string(text)}
	if page != "" {
		biz["page"] = page
	}
	if f := m.Data["form_id"]; f != "" {
		biz["form_id"] = f
	}
	return biz
}

func publicMessage(m channels.Message) map[string]any {
	page := map[string]any{"head_color": "#1677FF", "action_name": "查看详情", "url": m.Page}
	for k, v := range m.Data {
		page[k] = map[string]string{"value": v, "color": "#333333"}
	}
	return map[string]any{"template": map[string]any{"template_id": m.Template, "context": page}}
}
