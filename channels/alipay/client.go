package alipay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"hospay/calendar"
	"hospay/channels"
	"hospay/flow"
	"hospay/internal/foreign"
	"hospay/internal/wire"
	"hospay/money"
	"hospay/payment"
	"hospay/refund"

	sdk "github.com/smartwalle/alipay/v3"
)

// Name is the name under which main registers the channel.
const Name = "alipay"

// Result codes of the gateway.
const (
	codeDone      = "10000"
	codeBusiness  = "40004"
	codeRateLimit = "40005"
)

// errStatus: the gateway answers 200 for everything; anything else is not it.
var errStatus = errors.New("alipay: status is not 200")

// Client is one app at Alipay.
type Client struct {
	config
	api   *sdk.Client
	files *http.Client
}

var (
	_ channels.Channel     = (*Client)(nil)
	_ channels.Callbacks   = (*Client)(nil)
	_ channels.Login       = (*Client)(nil)
	_ channels.Bills       = (*Client)(nil)
	_ channels.Receipts    = (*Client)(nil)
	_ channels.Messenger   = (*Client)(nil)
	_ channels.Credentials = (*Client)(nil)
	_ channels.CodeOrders  = (*Client)(nil)
	_ payment.Trades       = (*Client)(nil)
	_ payment.MedIns       = (*Client)(nil)
)

// Factory builds the channel for the registry.
func Factory(cfg channels.Config) (channels.Channel, error) { return New(cfg) }

// New checks the configuration and builds the client; it makes no call.
func New(cfg channels.Config) (*Client, error) {
	checked, err := readConfig(cfg)
	if err != nil {
		return nil, err
	}
	c := &Client{config: checked}
	if err := c.connect(); err != nil {
		return nil, fmt.Errorf("支付宝配置有误：%w", err)
	}
	return c, nil
}

// connect builds the HTTP clients and the vendor's client on them. It is not
// put into its production mode: there it would download an unknown certificate
// by itself and trust it unchecked. In this mode an unknown certificate is an
// error, and the gateway is whatever we say.
func (c *Client) connect() error {
	route := channels.Route{Base: c.APIBase, Official: []string{"openapi.alipay.com"}, Proxy: c.proxy, Inner: c.Transport}
	pay, err := channels.NewHTTPClient(route)
	if err != nil {
		return err
	}
	pay.Transport = only200{pay.Transport}
	route.Official = append([]string{".alipay.com", ".alipayobjects.com"}, c.downloads...)
	route.Limit = wire.MaxFile
	if c.files, err = channels.NewHTTPClient(route); err != nil {
		return err
	}
	c.api, err = sdk.New(c.AppID, c.key, false,
		sdk.WithSandboxGateway(apiBase+gatewayPath), sdk.WithHTTPClient(pay), sdk.WithTimeLocation(calendar.Beijing))
	if err != nil {
		return err
	}
	return c.loadKeys()
}

func (c *Client) loadKeys() error {
	if c.publicKey != "" {
		if err := c.api.LoadAliPayPublicKey(c.publicKey); err != nil {
			return errors.New("支付宝公钥无法读取")
		}
	} else {
		if c.api.LoadAppCertPublicKey(c.appCert) != nil || c.api.LoadAliPayRootCert(c.rootCert) != nil {
			return errors.New("应用公钥证书或支付宝根证书无法读取")
		}
		for _, cert := range slices.Backward(c.alipayCerts) { // the last one loaded is the default
			if c.api.LoadAlipayCertPublicKey(cert) != nil {
				return errors.New("支付宝公钥证书无法读取")
			}
		}
	}
	if c.encryptKey != "" && c.api.SetEncryptKey(c.encryptKey) != nil {
		return errors.New("内容加密密钥无法读取")
	}
	return nil
}

// only200 keeps the vendor's client, which ignores the status, from reading
// answers of a proxy or a broken gateway.
type only200 struct{ inner http.RoundTripper }

// RoundTrip passes answers with status 200.
func (t only200) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.inner.RoundTrip(req)
	if err == nil && resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, errStatus
	}
	return resp, err
}

// Capabilities tells what the channel can do.
func (c *Client) Capabilities() refund.Capabilities { return c.caps }

// Pay sends a transfer or a refund.
func (c *Client) Pay(ctx context.Context, p refund.Payout) (a refund.PayoutAnswer) {
	defer channels.Recover(&a)
	if a, ok := channels.CheckPayout(p, c.caps, refund.AccountAlipayUserID, refund.AccountAlipayOpenID, refund.AccountAlipayLogonID); !ok {
		return a
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	if p.Method == refund.MethodOriginal {
		return c.createRefund(ctx, p)
	}
	return c.createTransfer(ctx, p)
}

// Query asks for a transfer or a refund by our number.
func (c *Client) Query(ctx context.Context, p refund.Payout) (a refund.PayoutAnswer) {
	defer channels.Recover(&a)
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	if p.Method == refund.MethodOriginal {
		return channels.OfQuery(c.queryRefund(ctx, p))
	}
	return channels.OfQuery(c.queryTransfer(ctx, p))
}

// Cancel is not possible: Alipay pays at once.
func (c *Client) Cancel(context.Context, refund.Payout) refund.PayoutAnswer {
	return channels.NotSupported("支付宝转账与退款即时处理，不能撤销")
}

// head is the common part of every answer.
type head struct {
	Code    string `json:"code"`
	Msg     string `json:"msg"`
	SubCode string `json:"sub_code"`
	SubMsg  string `json:"sub_msg"`
}

// call sends biz under the method and reads a verified answer into out. When
// it fails nothing is known: refusals that the gateway signed are answers.
func (c *Client) call(ctx context.Context, method string, biz, params map[string]any, out any) error {
	payload := sdk.NewPayload(method)
	for k, v := range biz {
		payload.AddBizField(k, v)
	}
	for k, v := range params {
		payload.AddParam(k, fmt.Sprint(v))
	}
	return wire.Bare(c.api.Request(ctx, payload, &readable{out}))
}

// noAnswer explains a failed call. The gateway's unsigned errors prove nothing,
// but they help those who configure.
func noAnswer(err error) refund.PayoutAnswer {
	a := channels.NoAnswer(err)
	var e *sdk.Error
	switch {
	case errors.As(err, &e) && e != nil:
		h := head{Code: string(e.Code), SubCode: e.SubCode}
		a.Reason.Message += "（网关返回了没有签名的错误 " + foreign.Scrub(h.name()) + "）"
		a.Reason.Actor = flow.ActorIT
	case errors.Is(err, sdk.ErrAliPublicKeyNotFound):
		a.Reason.Message += "（应答使用了没有配置的支付宝证书）"
		a.Reason.Actor = flow.ActorIT
	}
	return a
}

// outcome reads a signed refusal: business codes by the method's table, then
// the gateway's own. Everything else is unknown.
func (h head) outcome(codes channels.Codes, p refund.Payout) refund.PayoutAnswer {
	if p.Payee.Name == "" {
		return h.refusal(codes)
	}
	return h.refusal(codes, p.Payee.Account, p.Payee.Name, p.No)
}

// refusal does the same for any call; private is taken out of Alipay's words. Who
// does not know the names that they may hold repeats none of them.
func (h head) refusal(codes channels.Codes, private ...string) refund.PayoutAnswer {
	if len(private) == 0 {
		h.SubMsg = ""
	}
	sub := strings.TrimPrefix(h.SubCode, "ACQ.")
	switch {
	case h.Code == codeBusiness:
		return codes.Answer(sub, h.SubMsg, private...)
	case h.Code == codeRateLimit:
		return gatewayCodes.Answer(h.Code, h.SubMsg, private...)
	case configCodes[h.Code] && vendorCode(h.SubCode):
		a := gatewayCodes.Answer(h.Code, h.SubMsg, private...)
		a.Reason.Code = foreign.Scrub(h.SubCode)
		return a
	}
	a := channels.Codes{}.Answer(h.name(), h.SubMsg, private...)
	if r, ok := gatewayCodes[h.Code]; ok {
		a.Reason.Message, a.Reason.Actor = r.Words, r.Actor
	}
	return a
}

// name is the finest code of the answer.
func (h head) name() string {
	if h.SubCode != "" {
		return h.SubCode
	}
	return h.Code
}

// vendorCode reports the gateway's own refusals, which come before any business.
func vendorCode(sub string) bool {
	return strings.HasPrefix(sub, "isv.") || strings.HasPrefix(sub, "aop.")
}

// at reads a time of the wire, which is Beijing's.
func at(s string) time.Time {
	t, err := time.ParseInLocation(time.DateTime, s, calendar.Beijing)
	if err != nil {
		return time.Time{}
	}
	return t
}

// toldAmount reads an amount of an answer; one that cannot be read was not told.
func toldAmount(s string) refund.Movement {
	f, err := money.Parse(s)
	if err != nil || f < 0 {
		return refund.Movement{}
	}
	return refund.Movement{Told: true, Amount: f}
}
