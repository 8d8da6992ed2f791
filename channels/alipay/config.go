// Package alipay is the Alipay channel: transfers to a balance (单笔转账), refunds
// of trades, bills, electronic receipts, login and messages, on top of the
// smartwalle client.
//
// Settings (all optional):
//
//	scene_name            transfer scene (转账场景), e.g. 企业退款; newer contracts demand it
//	report_infos          JSON [{"info_type":"…","info_content":"…"}] of the scene
//	order_title           title in the payee's bill, default 预交金退款
//	transfer_remark       remark of transfers without one that need one, default 预交金退款
//	show_alias            true: show the merchant's alias as payer
//	methods               transfer,original
//	single_limit          largest transfer in fen, 0 = none known
//	day_limit             what the contract allows in a day in fen, 0 = none known
//	min_amount            smallest transfer in fen, default 10
//	original_window_days  age of a payment that can still be refunded, default 365
//	oauth_base            base of the authorisation page, default https://openauth.alipay.com
//	oauth_scope           default auth_base
//	message_kind          mini (default) or public
//	download_hosts        further hosts of bill files, comma-separated
//	timeout               deadline of one call without its own, default 10s
//	proxy                 proxy URL or "environment"; empty = direct
//
// Those of payments are in medins_config.go. When api_base is set to something that is not the vendor's, oauth_base
// follows it unless it is set itself.
//
// Secrets: private_key (PKCS#1 or PKCS#8, PEM or base64); certificate mode:
// app_cert, alipay_cert, alipay_root_cert (PEM); key mode: alipay_public_key;
// encrypt_key (base64) when contents are encrypted (AES). Transfers need
// certificate mode.
package alipay

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"slices"
	"strings"
	"time"

	"hospay/channels"
	"hospay/internal/wire"
	"hospay/money"
	"hospay/refund"
)

// The vendor's addresses.
const (
	apiBase     = "https://openapi.alipay.com"
	gatewayPath = "/gateway.do"
	oauthBase   = "https://openauth.alipay.com"
)

// Amounts of the transfer product.
const (
	floor      = money.Fen(10)        // smallest transfer
	remarkFrom = money.Fen(5_000_000) // from this amount on a remark is mandatory
)

// ReportInfo is one item of the scene's report (转账场景报备信息).
type ReportInfo struct {
	Type    string `json:"info_type"`
	Content string `json:"info_content"`
}

// config is the checked configuration.
type config struct {
	channels.Config
	scene, title, remark string
	reports              []ReportInfo
	alias                bool
	oauth, scope         string
	messages             string
	messagePage          string
	downloads            []string
	timeout              time.Duration
	proxy                string
	caps                 refund.Capabilities

	key         string // PKCS#8 PEM, as the vendor's client reads it
	appCert     string
	alipayCerts []string // the first answers for messages that name none
	rootCert    string
	publicKey   string
	encryptKey  string

	tradeProduct, opApp string
	ins                 insurance
}

// readConfig checks everything that can be checked without a call.
func readConfig(in channels.Config) (config, error) {
	s := channels.NewSettings(in.Settings, in.Secrets)
	c := read(s, in)
	return c, s.Err("支付宝")
}

func read(s *channels.Settings, in channels.Config) config {
	c := config{Config: in}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.APIBase = strings.TrimSuffix(strings.TrimRight(strings.TrimSpace(in.APIBase), "/"), gatewayPath)
	if c.APIBase != "" {
		if _, err := wire.ParseBase(c.APIBase); err != nil {
			s.Wrong("接口%v", err)
		}
	}
	s.Require("AppID", c.AppID)
	c.readSettings(s)
	c.readSecrets(s)
	return c
}

func (c *config) readSettings(s *channels.Settings) {
	c.scene = s.Text("scene_name", "")
	s.JSON("report_infos", &c.reports)
	c.title = channels.Clip(s.Text("order_title", "预交金退款"), 64)
	c.remark = s.Text("transfer_remark", "预交金退款")
	c.alias = s.OneOf("show_alias", "false", "true") == "true"
	c.scope = s.Text("oauth_scope", "auth_base")
	c.messages = s.OneOf("message_kind", "mini", "public")
	c.messagePage = s.Text("message_page", "")
	if page := s.Text("cashier_url", ""); page != "" && !strings.Contains(page, "{no}") {
		s.Wrong("设置 cashier_url 缺少占位符 {no}")
	}
	c.timeout = s.Duration("timeout", wire.DefaultTimeout)
	c.proxy = s.Text("proxy", "")
	for _, h := range strings.Split(s.Text("download_hosts", ""), ",") {
		if h = strings.TrimSpace(h); h != "" {
			c.downloads = append(c.downloads, h)
		}
	}
	c.oauth = s.Base("oauth_base", c.follow(oauthBase))
	c.readInsurance(s)
	c.caps = refund.Capabilities{
		Methods: s.Methods("methods"), MinAmount: max(floor, s.Fen("min_amount", floor)),
		SingleLimit: s.Fen("single_limit", 0), DayLimit: s.Fen("day_limit", 0), OriginalWindow: s.Days("original_window_days", 365),
		Receipts: true, Bills: []string{string(BillLedger), string(BillTrade)},
	}
}

// follow returns the configured base in place of the vendor's host.
func (c *config) follow(official string) string {
	u, err := wire.ParseBase(c.APIBase)
	if err != nil || strings.HasSuffix(u.Hostname(), ".alipay.com") {
		return official
	}
	return c.APIBase
}

func (c *config) readSecrets(s *channels.Settings) {
	secret := s.Secret
	var key *rsa.PrivateKey
	s.Require("应用私钥", secret("private_key"))
	if text := secret("private_key"); text != "" {
		var err error
		if key, err = channels.PrivateKey(text); err != nil {
			s.Wrong("应用私钥%v", err)
		} else if c.key, err = pkcs8(key); err != nil {
			s.Wrong("应用私钥%v", err)
		}
	}
	c.publicKey = secret("alipay_public_key")
	app, alipay, root := secret("app_cert"), secret("alipay_cert"), secret("alipay_root_cert")
	certs := app != "" || alipay != "" || root != ""
	switch {
	case certs && c.publicKey != "":
		s.Wrong("证书与支付宝公钥只能选一种")
	case certs:
		c.readCerts(s, key, app, alipay, root)
	case c.publicKey == "":
		s.Wrong("缺少应用公钥证书、支付宝公钥证书和支付宝根证书")
	default:
		if _, err := channels.PublicKey(c.publicKey); err != nil {
			s.Wrong("支付宝公钥%v", err)
		}
	}
	c.encryptKey = secret("encrypt_key")
	if k, err := base64.StdEncoding.DecodeString(c.encryptKey); err != nil || (len(k) != 0 && len(k) != 16) {
		s.Wrong("内容加密密钥应为 16 字节的 base64")
	}
}

// readCerts checks the three certificates and that the app's one belongs to
// the private key: mixing them up is the commonest mistake.
func (c *config) readCerts(s *channels.Settings, key *rsa.PrivateKey, app, alipay, root string) {
	for _, need := range []struct{ label, text string }{{"应用公钥证书", app}, {"支付宝公钥证书", alipay}, {"支付宝根证书", root}} {
		if _, err := channels.Certificates(need.text); err != nil {
			s.Wrong("%s%v", need.label, err)
			return
		}
	}
	own, _ := channels.Certificates(app)
	if pub, ok := own[0].PublicKey.(*rsa.PublicKey); key != nil && (!ok || !pub.Equal(&key.PublicKey)) {
		s.Wrong("应用公钥证书与应用私钥不是一对")
	}
	c.appCert, c.rootCert = pemOf(own[0]), root
	theirs, _ := channels.Certificates(alipay)
	for _, cert := range theirs {
		if !issuer(cert, theirs) {
			c.alipayCerts = append(c.alipayCerts, pemOf(cert))
		}
	}
}

// issuer reports whether the certificate issued another one of the bundle:
// Alipay's file brings its issuers along, whose keys sign no answers. They are
// not always marked as authorities.
func issuer(cert *x509.Certificate, bundle []*x509.Certificate) bool {
	return slices.ContainsFunc(bundle, func(other *x509.Certificate) bool {
		return other != cert && bytes.Equal(other.RawIssuer, cert.RawSubject)
	})
}

func pemOf(cert *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
}

func pkcs8(key *rsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), err
}
