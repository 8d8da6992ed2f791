package alipay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"hospay/channels"
	"hospay/flow"
	"hospay/payment"
	"hospay/refund"
)

const (
	maxCallback   = 1 << 20
	eventTransfer = "alipay.fund.trans.order.changed"
	eventTrade    = "trade_status_sync"
)

// ParseCallback reads both envelopes: notifications of trades and messages of
// transfers. Only the POST body counts, never the URL's query. The signature
// covers all parameters but sign, sign_type and alipay_cert_sn; a certificate
// that was not configured is refused, not fetched.
func (c *Client) ParseCallback(_ context.Context, _ http.Header, body []byte) (cb flow.Callback, err error) {
	defer channels.RecoverError(&err, channels.ErrBadCallback)
	form, err := readForm(body)
	if err == nil {
		err = c.verify(form)
	}
	if err == nil {
		err = c.ours(form)
	}
	if err != nil {
		return cb, fmt.Errorf("%w: %v", channels.ErrBadCallback, err)
	}
	switch {
	case form.Get("msg_method") == eventTransfer:
		return readTransfer(form)
	case form.Get("msg_method") == "" && form.Get("gmt_refund") != "" && form.Get("out_biz_no") != "":
		return readRefund(form), nil
	case form.Get("notify_type") == eventTrade && form.Get("out_trade_no") != "" && form.Get("trade_status") != "":
		return readTrade(form), nil
	}
	return flow.Callback{ID: form.Get("notify_id"), Kind: flow.CallbackOther,
		Body: channels.Record{Event: eventOf(form), State: form.Get("trade_status")}.String()}, nil
}

// readForm reads the body; a name that comes twice is no notification of
// Alipay's, and other character sets are not ours.
func readForm(body []byte) (url.Values, error) {
	if len(body) == 0 || len(body) > maxCallback {
		return nil, errors.New("size")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("form")
	}
	for _, v := range form {
		if len(v) != 1 {
			return nil, errors.New("repeated parameter")
		}
	}
	if cs := form.Get("charset"); cs != "" && !strings.EqualFold(cs, "utf-8") {
		return nil, errors.New("charset")
	}
	if form.Get("sign") == "" || form.Get("sign_type") != "RSA2" || form.Get("notify_id") == "" {
		return nil, errors.New("sign, sign_type or notify_id")
	}
	return form, nil
}

// verify checks the signature. Whether empty parameters are signed is told
// differently, so both readings are tried; either proves the same contents.
func (c *Client) verify(form url.Values) error {
	if c.api.VerifySign(form) == nil {
		return nil
	}
	full := url.Values{}
	for k, v := range form {
		if v[0] != "" {
			full[k] = v
		}
	}
	if len(full) == len(form) || c.api.VerifySign(full) != nil {
		return errors.New("signature")
	}
	return nil
}

// ours compares the app and, where it is told, the merchant.
func (c *Client) ours(form url.Values) error {
	if form.Get("app_id") != c.AppID {
		return errors.New("app")
	}
	if s := form.Get("seller_id"); s != "" && c.MerchantID != "" && s != c.MerchantID {
		return errors.New("merchant")
	}
	return nil
}

// readTransfer reads the message about a transfer.
func readTransfer(form url.Values) (flow.Callback, error) {
	var t transfer
	if json.Unmarshal([]byte(form.Get("biz_content")), &t) != nil || t.No == "" {
		return flow.Callback{}, fmt.Errorf("%w: biz_content", channels.ErrBadCallback)
	}
	cb := flow.Callback{ID: form.Get("notify_id"), Kind: refund.CallbackTransfer, No: t.No,
		Body: channels.Record{Event: eventOf(form), No: t.No, ChannelNo: t.OrderID, State: t.Status, Reason: t.ErrorCode,
			Amount: toldAmount(t.Amount).Amount}.String()}
	if t.Product != "" && t.Product != productCode || t.Scene != "" && t.Scene != bizScene {
		cb.Kind, cb.No = flow.CallbackOther, ""
		return cb, nil
	}
	cb.Told = refund.Told{Answer: t.state()}
	return cb, nil
}

// readRefund reads a trade's notification about a refund. That out_biz_no is
// our request number is custom, not documented, and the amount it tells is the
// trade's sum: so it is only a hint to query.
func readRefund(form url.Values) flow.Callback {
	no := form.Get("out_biz_no")
	hint := refund.PayoutAnswer{ChannelNo: form.Get("trade_no"), Reason: flow.Reason{Code: "hint", Message: "收到退款通知，以查询为准"}}
	cb := flow.Callback{ID: form.Get("notify_id"), Kind: refund.CallbackRefund, No: no, Told: refund.Told{Answer: hint},
		Body: channels.Record{Event: eventOf(form), No: no, ChannelNo: form.Get("trade_no"), State: form.Get("trade_status"),
			Amount: toldAmount(form.Get("refund_fee")).Amount}.String()}
	if payment.OwnNumber(no) {
		cb.Kind, cb.Told = payment.CallbackTradeRefund, payment.RefundAnswer{Reason: hint.Reason, ChannelNo: hint.ChannelNo}
	}
	return cb
}

// readTrade reads a trade's notification about its payment or its end.
func readTrade(form url.Values) flow.Callback {
	r := traded{No: form.Get("out_trade_no"), ChannelNo: form.Get("trade_no"), Status: form.Get("trade_status"),
		Total:    form.Get("total_amount"),
		Notified: form.Get("gmt_payment"), BuyerUser: form.Get("buyer_id"), BuyerOpen: form.Get("buyer_open_id")}
	a := r.answer()
	return flow.Callback{ID: form.Get("notify_id"), Kind: payment.CallbackTrade, No: r.No, Told: a,
		Body: channels.Record{Event: eventOf(form), No: r.No, ChannelNo: r.ChannelNo, State: r.Status, Amount: a.Amount}.String()}
}

func eventOf(form url.Values) string {
	if m := form.Get("msg_method"); m != "" {
		return m
	}
	return form.Get("notify_type")
}

// Acknowledge answers exactly "success" or "fail"; anything but success makes
// Alipay send again.
func (c *Client) Acknowledge(w http.ResponseWriter, err error) {
	text := "success"
	if err != nil {
		text = "fail"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(text))
}
