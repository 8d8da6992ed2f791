package wechat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"hospay/channels"
	"hospay/flow"
	"hospay/payment"
	"hospay/refund"

	"github.com/wechatpay-apiv3/wechatpay-go/utils"
)

// Limits of callbacks.
const (
	maxCallback = 1 << 20
	maxSkew     = 5 * time.Minute
)

// Events that hospay reads.
const (
	eventTransfer = "MCHTRANSFER.BILL.FINISHED"
	eventRefund   = "REFUND."
	eventTrade    = "TRANSACTION.SUCCESS"
	eventMixed    = "MEDICAL_INSURANCE.SUCCESS"
)

// envelope is the outer, signed part of a callback.
type envelope struct {
	ID       string `json:"id"`
	Event    string `json:"event_type"`
	Resource *struct {
		Algorithm  string `json:"algorithm"`
		Ciphertext string `json:"ciphertext"`
		Associated string `json:"associated_data"`
		Nonce      string `json:"nonce"`
	} `json:"resource"`
}

// ParseCallback checks, in this order, the time, the signature over the raw
// body, the encryption, the merchant and the app, and only then reads. Probe
// signatures of WeChat (WECHATPAY/SIGNTEST/) fail like any wrong one.
func (c *Client) ParseCallback(ctx context.Context, header http.Header, body []byte) (cb flow.Callback, err error) {
	defer channels.RecoverError(&err, channels.ErrBadCallback)
	refuse := func(why string) (flow.Callback, error) {
		return flow.Callback{}, fmt.Errorf("%w: %s", channels.ErrBadCallback, why)
	}
	if len(body) == 0 || len(body) > maxCallback {
		return refuse("size")
	}
	if err := c.verify(ctx, header, body); err != nil {
		return refuse(err.Error())
	}
	var e envelope
	if json.Unmarshal(body, &e) != nil || e.ID == "" {
		return refuse("envelope")
	}
	plain, err := c.open(e)
	if err != nil {
		return refuse(err.Error())
	}
	must := e.Event == eventTransfer || e.Event == eventTrade || strings.HasPrefix(e.Event, eventRefund)
	if err := c.ours(plain, must); err != nil {
		return refuse(err.Error())
	}
	return c.readCallback(e, plain)
}

// verify checks time and signature. The time is the real one, whatever clock
// the configuration brings: it is what keeps old callbacks from being replayed.
func (c *Client) verify(ctx context.Context, h http.Header, body []byte) error {
	stamp, err := strconv.ParseInt(h.Get("Wechatpay-Timestamp"), 10, 64)
	if err != nil || time.Since(time.Unix(stamp, 0)).Abs() > maxSkew {
		return errors.New("time")
	}
	if t := h.Get("Wechatpay-Signature-Type"); t != "" && t != "WECHATPAY2-SHA256-RSA2048" {
		return errors.New("signature type")
	}
	nonce, serial, signature := h.Get("Wechatpay-Nonce"), h.Get("Wechatpay-Serial"), h.Get("Wechatpay-Signature")
	if nonce == "" || serial == "" || signature == "" {
		return errors.New("headers")
	}
	text := fmt.Sprintf("%d\n%s\n%s\n", stamp, nonce, body)
	if c.verifier.Verify(ctx, serial, text, signature) != nil {
		return errors.New("signature")
	}
	return nil
}

// open decrypts the resource; a callback without one is refused.
func (c *Client) open(e envelope) ([]byte, error) {
	r := e.Resource
	if r == nil || r.Algorithm != "AEAD_AES_256_GCM" || len(r.Nonce) != 12 {
		return nil, errors.New("resource")
	}
	plain, err := utils.DecryptAES256GCM(c.apiKey, r.Associated, r.Nonce, r.Ciphertext)
	if err != nil {
		return nil, errors.New("decryption")
	}
	return []byte(plain), nil
}

// ours compares the merchant and the app, of which there may be two. What hospay
// acts on must name the merchant; the app is not in every resource.
func (c *Client) ours(plain []byte, must bool) error {
	var id struct {
		MchID  string `json:"mch_id"`
		MchID2 string `json:"mchid"`
		AppID  string `json:"appid"`
	}
	if json.Unmarshal(plain, &id) != nil {
		return errors.New("content")
	}
	for _, m := range []string{id.MchID, id.MchID2} {
		if m != "" && m != c.MerchantID {
			return errors.New("merchant")
		}
	}
	if must && id.MchID == "" && id.MchID2 == "" {
		return errors.New("merchant is missing")
	}
	if c.otherApp(id.AppID, "") {
		return errors.New("app")
	}
	return nil
}

func (c *Client) readCallback(e envelope, plain []byte) (flow.Callback, error) {
	switch {
	case e.Event == eventTransfer:
		return c.readTransfer(e, plain)
	case strings.HasPrefix(e.Event, eventRefund):
		return c.readRefund(e, plain)
	case e.Event == eventTrade:
		return c.readTrade(e, plain)
	case e.Event == eventMixed:
		return c.readMixed(e, plain)
	}
	return flow.Callback{ID: e.ID, Kind: flow.CallbackOther, Body: channels.Record{Event: e.Event}.String()}, nil
}

// errContent: what a callback says cannot be read.
var errContent = fmt.Errorf("%w: content", channels.ErrBadCallback)

func (c *Client) readTransfer(e envelope, plain []byte) (flow.Callback, error) {
	var b bill
	if json.Unmarshal(plain, &b) != nil || b.No == "" || b.State == "" {
		return flow.Callback{}, errContent
	}
	a := c.transferState(b)
	return flow.Callback{ID: e.ID, Kind: refund.CallbackTransfer, No: b.No, Told: refund.Told{Answer: a},
		Body: channels.Record{Event: e.Event, No: b.No, ChannelNo: b.ChannelNo, State: b.State, Reason: b.FailReason,
			Amount: a.Of.Amount}.String()}, nil
}

// readRefund reads the word about a refund: of a bill, or of a deposit.
func (c *Client) readRefund(e envelope, plain []byte) (flow.Callback, error) {
	var r refunded
	if json.Unmarshal(plain, &r) != nil || r.No == "" || r.Notified == "" {
		return flow.Callback{}, errContent
	}
	a := refundAnswer(r, r.No)
	cb := flow.Callback{ID: e.ID, Kind: refund.CallbackRefund, No: r.No, Told: refund.Told{Answer: a},
		Body: channels.Record{Event: e.Event, No: r.No, ChannelNo: r.RefundID, State: r.Notified, Amount: r.movement().Amount}.String()}
	if payment.OwnNumber(r.No) {
		trade := payment.TradeRefund{No: r.No, Trade: payment.Trade{No: r.TradeNo}, ChannelNo: r.ChannelNo}
		cb.Kind, cb.Told = payment.CallbackTradeRefund, channels.RefundOf(a, trade)
	}
	return cb, nil
}

func (c *Client) readTrade(e envelope, plain []byte) (flow.Callback, error) {
	var r traded
	if json.Unmarshal(plain, &r) != nil || r.No == "" || r.State == "" {
		return flow.Callback{}, errContent
	}
	a := c.tradeAnswer(r)
	return flow.Callback{ID: e.ID, Kind: payment.CallbackTrade, No: r.No, Told: a,
		Body: channels.Record{Event: e.Event, No: r.No, ChannelNo: r.ChannelNo, State: r.State, Amount: a.Amount}.String()}, nil
}

func (c *Client) readMixed(e envelope, plain []byte) (flow.Callback, error) {
	var r mixed
	if json.Unmarshal(plain, &r) != nil || r.No == "" || r.MixStatus == "" {
		return flow.Callback{}, errContent
	}
	a := c.mixedTold(r)
	return flow.Callback{ID: e.ID, Kind: payment.CallbackMixed, No: r.No, Told: a,
		Body: channels.Record{Event: e.Event, No: r.No, ChannelNo: r.MixNo, State: r.MixStatus, Amount: a.Total}.String()}, nil
}

// Acknowledge answers WeChat within its rules: any 2xx accepts, and FAIL asks
// for the callback again.
func (c *Client) Acknowledge(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/json")
	status, text := http.StatusOK, `{"code":"SUCCESS","message":"成功"}`
	if err != nil {
		status, text = http.StatusInternalServerError, `{"code":"FAIL","message":"失败"}`
		if errors.Is(err, channels.ErrBadCallback) {
			status = http.StatusUnauthorized
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
