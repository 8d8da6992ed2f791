// Package wechat is the WeChat Pay channel: merchant transfers that the payee
// confirms (商家转账), refunds of payments, bills, electronic receipts, login and
// messages, on top of the vendor's core client (API v3).
//
// Settings (all optional):
//
//	scene_id              transfer scene (转账场景), default 1011
//	perception            what the payee reads (收款感知), default 退款
//	report_infos          JSON [{"info_type":"…","info_content":"…"}], default 赔付原因 = 预交金退款
//	transfer_remark       remark of transfers without one, default 预交金退款
//	methods               transfer,original
//	single_limit          largest transfer in fen, 0 = none known
//	day_limit             what the contract allows in a day in fen, 0 = none known
//	min_amount            smallest transfer in fen, default 10
//	original_window_days  age of a payment that can still be refunded, default 365
//	funds_account         source of refunds, e.g. AVAILABLE; empty = the contract's
//	api_host              base of the public-platform API, default https://api.weixin.qq.com
//	oauth_base            base of the authorisation page, default https://open.weixin.qq.com
//	login                 h5 (default) or mini
//	message_kind          template (default) or subscribe
//	mini_appid            mini program beside the official account: messages open it, patients come in and pay in it
//	cashier_url           cashier outside WeChat with {no} and {back}; demonstrations only
//	confirm_url           confirmation page outside WeChat with {package} and {back}; demonstrations only
//	timeout               deadline of one call without its own, default 10s
//	proxy                 proxy URL or "environment"; empty = direct
//
// Those of payments with insurance are in medins_config.go. fields.go describes them for pages. When api_base is set to
// something that is not the vendor's, api_host and oauth_base follow it unless they are set themselves.
//
// Secrets: private_key (PEM), serial_no (of the merchant certificate),
// api_v3_key (32 characters), public_key (PEM) with public_key_id, and/or
// platform_certs (PEM bundle); app_secret for login and messages; mini_secret for
// the login of the mini program of mini_appid; merchant_cert
// (PEM, optional) for the day on which it expires.
package wechat

import (
	"crypto/rsa"
	"crypto/x509"
	"regexp"
	"strings"
	"time"

	"hospay/channels"
	"hospay/internal/wire"
	"hospay/money"
	"hospay/refund"
)

// The vendor's hosts.
const (
	apiBase   = "https://api.mch.weixin.qq.com"
	mpBase    = "https://api.weixin.qq.com"
	oauthBase = "https://open.weixin.qq.com"
)

// Amounts of the transfer product.
const (
	floor    = money.Fen(10)      // smallest transfer
	nameFree = money.Fen(30)      // below this the name must not be sent
	nameFrom = money.Fen(200_000) // from this amount on it must be
)

// ReportInfo is one item of the scene's report (转账场景报备信息).
type ReportInfo struct {
	Type    string `json:"info_type"`
	Content string `json:"info_content"`
}

// config is the checked configuration.
type config struct {
	channels.Config
	scene, perception, remark string
	reports                   []ReportInfo
	funds                     string
	host, oauth               string
	login, messages, miniApp  string
	messagePage               string
	timeout                   time.Duration
	proxy                     string
	caps                      refund.Capabilities

	key        *rsa.PrivateKey
	serial     string
	apiKey     string
	publicKey  *rsa.PublicKey
	publicID   string
	certs      []*x509.Certificate
	appSecret  string
	miniSecret string

	merchantCert *x509.Certificate // may be missing
	ins          insurance
}

var (
	digitsOnly = regexp.MustCompile(`^[0-9]+$`)
	hexOnly    = regexp.MustCompile(`^[0-9A-F]+$`)
)

// readConfig checks everything that can be checked without a call.
func readConfig(in channels.Config) (config, error) {
	s := channels.NewSettings(in.Settings, in.Secrets)
	c := read(s, in)
	return c, s.Err("微信支付")
}

func read(s *channels.Settings, in channels.Config) config {
	c := config{Config: in}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.APIBase = strings.TrimRight(strings.TrimSpace(in.APIBase), "/")
	if c.APIBase != "" {
		if _, err := wire.ParseBase(c.APIBase); err != nil {
			s.Wrong("接口%v", err)
		}
	}
	s.Require("商户号", c.MerchantID)
	s.Require("AppID", c.AppID)
	c.readSettings(s)
	c.readSecrets(s)
	return c
}

func (c *config) readSettings(s *channels.Settings) {
	c.scene = s.Text("scene_id", "1011")
	c.perception = s.Text("perception", "退款")
	c.remark = s.Text("transfer_remark", "预交金退款")
	c.reports = []ReportInfo{{Type: "赔付原因", Content: "预交金退款"}}
	s.JSON("report_infos", &c.reports)
	for _, r := range c.reports {
		if r.Type == "" || r.Content == "" || len([]rune(r.Type)) > 15 || len([]rune(r.Content)) > 32 {
			s.Wrong("设置 report_infos 的信息类型应为 1–15 个字，内容应为 1–32 个字")
		}
	}
	if !digitsOnly.MatchString(c.scene) {
		s.Wrong("设置 scene_id 应为数字，例如 1011")
	}
	c.funds = s.OneOf("funds_account", "", "AVAILABLE", "UNSETTLED")
	c.login = s.OneOf("login", "h5", "mini")
	c.messages = s.OneOf("message_kind", "template", "subscribe")
	c.miniApp = s.Text("mini_appid", "")
	c.messagePage = s.Text("message_page", "")
	c.timeout = s.Duration("timeout", wire.DefaultTimeout)
	c.proxy = s.Text("proxy", "")
	if page := s.Text("confirm_url", ""); page != "" && !strings.Contains(page, "{package}") {
		s.Wrong("设置 confirm_url 缺少占位符 {package}")
	}
	if page := s.Text("cashier_url", ""); page != "" && !strings.Contains(page, "{no}") {
		s.Wrong("设置 cashier_url 缺少占位符 {no}")
	}
	c.host = s.Base("api_host", c.follow(mpBase))
	c.oauth = s.Base("oauth_base", c.follow(oauthBase))
	c.readInsurance(s)
	c.caps = refund.Capabilities{
		Methods: s.Methods("methods"), PayeeConfirms: true,
		MinAmount: max(floor, s.Fen("min_amount", floor)), SingleLimit: s.Fen("single_limit", 0), DayLimit: s.Fen("day_limit", 0),
		OriginalWindow: s.Days("original_window_days", 365), NameFrom: nameFrom,
		Receipts: true, Bills: []string{string(BillOperation), string(BillBasic), string(BillTrade)},
	}
}

// follow returns the configured base in place of the vendor's host, unless the
// base is the vendor's own (the spare host serves payments only).
func (c *config) follow(official string) string {
	u, err := wire.ParseBase(c.APIBase)
	if err != nil || strings.HasSuffix(u.Hostname(), ".weixin.qq.com") {
		return official
	}
	return c.APIBase
}

func (c *config) readSecrets(s *channels.Settings) {
	var err error
	secret := s.Secret
	s.Require("商户私钥", secret("private_key"))
	if text := secret("private_key"); text != "" {
		if c.key, err = channels.PrivateKey(text); err != nil {
			s.Wrong("商户私钥%v", err)
		}
	}
	c.serial = strings.ToUpper(strings.ReplaceAll(secret("serial_no"), ":", ""))
	if !hexOnly.MatchString(c.serial) {
		s.Wrong("商户证书序列号应为十六进制")
	}
	if c.apiKey = secret("api_v3_key"); len(c.apiKey) != 32 {
		s.Wrong("APIv3 密钥应为 32 个字符")
	}
	c.appSecret = secret("app_secret")
	c.miniSecret = secret("mini_secret")
	c.readMerchantCert(s, secret("merchant_cert"))
	c.readWechatKeys(s, secret("public_key"), secret("public_key_id"), secret("platform_certs"))
}

// readMerchantCert reads the merchant's own certificate, which is kept for the
// day on which it expires, and checks that it is the one of key and serial number.
func (c *config) readMerchantCert(s *channels.Settings, text string) {
	if text == "" {
		return
	}
	certs, err := channels.Certificates(text)
	if err != nil {
		s.Wrong("商户证书%v", err)
		return
	}
	c.merchantCert = certs[0]
	if pub, ok := certs[0].PublicKey.(*rsa.PublicKey); c.key != nil && (!ok || !pub.Equal(&c.key.PublicKey)) {
		s.Wrong("商户证书与商户私钥不是一对")
	}
	if serial := serialOf(certs[0]); serial != c.serial {
		s.Wrong("商户证书的序列号是 %s，与填写的不同", serial)
	}
}

// readWechatKeys reads WeChat's side: its public key, its certificates or both
// (a merchant that migrates gets callbacks signed by either).
func (c *config) readWechatKeys(s *channels.Settings, public, id, certs string) {
	var err error
	if public == "" && certs == "" {
		s.Wrong("缺少微信支付公钥或平台证书")
	}
	if public != "" {
		if c.publicKey, err = channels.PublicKey(public); err != nil {
			s.Wrong("微信支付公钥%v", err)
		}
		if c.publicID = id; id == "" {
			s.Wrong("缺少微信支付公钥 ID（PUB_KEY_ID_ 开头）")
		}
	}
	if certs != "" {
		if c.certs, err = channels.Certificates(certs); err != nil {
			s.Wrong("平台证书%v", err)
		}
	}
}
