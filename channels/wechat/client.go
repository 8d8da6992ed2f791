package wechat

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"hospay/channels"
	"hospay/flow"
	"hospay/internal/wire"
	"hospay/payment"
	"hospay/refund"

	"github.com/wechatpay-apiv3/wechatpay-go/core"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/validators"
	"github.com/wechatpay-apiv3/wechatpay-go/core/auth/verifiers"
	"github.com/wechatpay-apiv3/wechatpay-go/core/option"
	"github.com/wechatpay-apiv3/wechatpay-go/utils"
)

// Name is the name under which main registers the channel.
const Name = "wechat"

// errSignature: the answer was signed, but not by WeChat Pay.
var errSignature = errors.New("wechat: signature of the answer is wrong")

// Client is one merchant at WeChat Pay.
type Client struct {
	config
	api      *core.Client // answers must be signed
	files    *core.Client // downloads, whose answers carry no signature
	web      *http.Client // public-platform API
	portal   *http.Client // credentials of the insurance
	verifier auth.Verifier
	answers  *validators.WechatPayResponseValidator
	token    *keeper
	ticket   *keeper
}

var (
	_ channels.Channel     = (*Client)(nil)
	_ channels.Callbacks   = (*Client)(nil)
	_ channels.Login       = (*Client)(nil)
	_ channels.Bills       = (*Client)(nil)
	_ channels.Receipts    = (*Client)(nil)
	_ channels.Messenger   = (*Client)(nil)
	_ channels.Credentials = (*Client)(nil)
	_ channels.PageSigner  = (*Client)(nil)
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
	c.verifier = newVerifier(checked)
	c.answers = validators.NewWechatPayResponseValidator(c.verifier)
	if err := c.connect(); err != nil {
		return nil, fmt.Errorf("微信支付配置有误：%w", err)
	}
	c.token = newKeeper(c.fetchToken, c.Now)
	c.ticket = newKeeper(c.fetchTicket, c.Now)
	return c, nil
}

// connect builds the HTTP clients and the vendor's clients on them.
func (c *Client) connect() error {
	route := channels.Route{Base: c.APIBase, Official: []string{"api.mch.weixin.qq.com"}, Proxy: c.proxy, Inner: c.Transport}
	pay, err := channels.NewHTTPClient(route)
	if err != nil {
		return err
	}
	route.Limit = wire.MaxFile
	files, err := channels.NewHTTPClient(route)
	if err != nil {
		return err
	}
	mp := channels.Route{Extra: []string{c.host}, Proxy: c.proxy, Inner: c.Transport}
	if c.web, err = channels.NewHTTPClient(mp); err != nil {
		return err
	}
	portal := channels.Route{Extra: []string{c.ins.queryBase}, Proxy: c.proxy, Inner: c.Transport}
	if c.portal, err = channels.NewHTTPClient(portal); err != nil {
		return err
	}
	sign := option.WithMerchantCredential(c.MerchantID, c.serial, c.key)
	ctx := context.Background()
	if c.api, err = core.NewClient(ctx, sign, option.WithVerifier(c.verifier), option.WithHTTPClient(pay)); err != nil {
		return err
	}
	c.files, err = core.NewClient(ctx, sign, option.WithoutValidator(), option.WithHTTPClient(files))
	return err
}

// newVerifier accepts the public key, the certificates, or both at once.
func newVerifier(c config) auth.Verifier {
	certs := validCerts{core.NewCertificateMapWithList(c.certs)}
	switch {
	case c.publicKey == nil:
		return verifiers.NewSHA256WithRSAVerifier(certs)
	case len(c.certs) == 0:
		return verifiers.NewSHA256WithRSAPubkeyVerifier(c.publicID, *c.publicKey)
	}
	return verifiers.NewSHA256WithRSACombinedVerifier(certs, c.publicID, *c.publicKey)
}

// validCerts leaves out certificates that are not valid today.
type validCerts struct{ *core.CertificateMap }

// Get finds a certificate by its serial number.
func (v validCerts) Get(ctx context.Context, serial string) (*x509.Certificate, bool) {
	cert, ok := v.CertificateMap.Get(ctx, strings.ToUpper(serial))
	return cert, ok && utils.IsCertificateValid(*cert, time.Now())
}

// Capabilities tells what the channel can do.
func (c *Client) Capabilities() refund.Capabilities { return c.caps }

// Pay sends a transfer or a refund.
func (c *Client) Pay(ctx context.Context, p refund.Payout) (a refund.PayoutAnswer) {
	defer channels.Recover(&a)
	if a, ok := channels.CheckPayout(p, c.caps, refund.AccountWechatOpenID); !ok {
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

// Cancel asks WeChat to close a transfer that the payee has not confirmed.
func (c *Client) Cancel(ctx context.Context, p refund.Payout) (a refund.PayoutAnswer) {
	defer channels.Recover(&a)
	if p.Method == refund.MethodOriginal {
		return channels.NotSupported("原路退款不能撤销")
	}
	ctx, cancel := wire.WithDeadline(ctx, c.timeout)
	defer cancel()
	return c.cancelTransfer(ctx, p)
}

// get reads a signed JSON answer.
func (c *Client) get(ctx context.Context, path string, out any) error {
	return c.read(ctx, out)(c.api.Get(ctx, apiBase+path))
}

// post sends JSON and reads a signed JSON answer.
func (c *Client) post(ctx context.Context, path string, body, out any) error {
	return c.read(ctx, out)(c.api.Post(ctx, apiBase+path, body))
}

// tell sends JSON and wants nothing but a signed 204.
func (c *Client) tell(ctx context.Context, path string, body any) error {
	res, err := c.api.Post(ctx, apiBase+path, body)
	if err = c.sound(ctx, err); err != nil {
		return err
	}
	res.Response.Body.Close()
	if res.Response.StatusCode != http.StatusNoContent {
		return fmt.Errorf("wechat: status %d", res.Response.StatusCode)
	}
	return nil
}

// sound looks at the error of a call. An error answer that carries a signature
// must carry a right one; most carry none.
func (c *Client) sound(ctx context.Context, err error) error {
	var refused *core.APIError
	if errors.As(err, &refused) {
		if refused.Header.Get("Wechatpay-Signature") != "" && c.verifyError(ctx, refused) != nil {
			return errSignature
		}
		return refused
	}
	return wire.Bare(err)
}

// read accepts only a signed 200 with a readable body.
func (c *Client) read(ctx context.Context, out any) func(*core.APIResult, error) error {
	return func(res *core.APIResult, err error) error {
		if err = c.sound(ctx, err); err != nil {
			return err
		}
		defer res.Response.Body.Close()
		if res.Response.StatusCode != http.StatusOK {
			return fmt.Errorf("wechat: status %d", res.Response.StatusCode)
		}
		body, err := io.ReadAll(res.Response.Body)
		if err != nil {
			return err
		}
		return json.Unmarshal(body, out)
	}
}

func (c *Client) verifyError(ctx context.Context, e *core.APIError) error {
	return c.answers.Validate(ctx, &http.Response{Header: e.Header, Body: io.NopCloser(strings.NewReader(e.Body))})
}

// outcome reads an error by a table. Only a 4xx may refuse; anything else with
// a refusing code is somebody's mistake and proves nothing.
func outcome(err error, codes channels.Codes, p refund.Payout) refund.PayoutAnswer {
	if p.Payee.Name == "" {
		return refusal(err, codes)
	}
	_, account := flow.AppOf(p.Payee.Account)
	return refusal(err, codes, account, p.Payee.Name, p.No)
}

// refusal does the same for any call; private is taken out of WeChat's words. Who
// does not know the names that they may hold repeats none of them.
func refusal(err error, codes channels.Codes, private ...string) refund.PayoutAnswer {
	var e *core.APIError
	if !errors.As(err, &e) || e.Code == "" {
		return channels.NoAnswer(err)
	}
	a := codes.Answer(e.Code, wordsOf(e, private), private...)
	if e.StatusCode/100 != 4 {
		a.Reason.Denied = false
		if a.Verdict == flow.Refused {
			a.Verdict, a.Reason.Hold = flow.Unknown, false
		}
	}
	return a
}

func wordsOf(e *core.APIError, private []string) string {
	if len(private) == 0 {
		return ""
	}
	return e.Message
}

// notFound reports WeChat's own "no such number", not just any 404.
func notFound(err error, code string) bool {
	var e *core.APIError
	return errors.As(err, &e) && e.StatusCode == http.StatusNotFound && e.Code == code
}

// seal encrypts a sensitive field for WeChat: RSA-OAEP with the key that the
// request's Wechatpay-Serial header names.
func (c *Client) seal(ctx context.Context, text string) (string, error) {
	key, err := c.sealKey(ctx)
	if err != nil || text == "" {
		return "", err
	}
	return utils.EncryptOAEPWithPublicKey(text, key)
}

func (c *Client) sealKey(ctx context.Context) (*rsa.PublicKey, error) {
	if c.publicKey != nil {
		return c.publicKey, nil
	}
	certs := core.NewCertificateMapWithList(c.certs)
	cert, ok := validCerts{certs}.Get(ctx, certs.GetNewestSerial(ctx))
	if !ok {
		return nil, errors.New("wechat: no valid platform certificate")
	}
	return cert.PublicKey.(*rsa.PublicKey), nil
}

// at reads a time of the API: RFC 3339 with or without a fraction.
func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
