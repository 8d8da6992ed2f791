// Package alipay simulates the Alipay open gateway as a hospital sees it:
// transfers to balance, trades and refunds, bills, receipts, OAuth, messages
// and signed notifications, in public key mode and in certificate mode.
package alipay

import (
	"crypto/md5"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/hex"
	"net/http"
	"net/url"
	"sync"

	"hospay/sim"
	"hospay/sim/world"
)

// The test merchant: one account, one application in each mode.
const (
	PID       = "2088012345678901"
	CertAppID = "2021000100000001"
	KeyAppID  = "2021000100000002"
	AESKey    = "ZGVtby1hZXMta2V5LTAxMg==" // 16 bytes in base64
)

// startBalance is what the merchant's account holds at first, in fen.
const startBalance = 10_000_000_000

// app is one application of the merchant.
type app struct {
	id     string
	key    *rsa.PrivateKey // the application's
	signer *rsa.PrivateKey // Alipay's, for answers to this application
	cert   *sim.Cert       // nil in key mode
	certSN string
}

// Server is Alipay for one merchant.
type Server struct {
	*sim.Core
	world    *world.World
	settings *sim.Settings[Settings]

	apps                 map[string]*app
	root, alipayCert     *sim.Cert
	rootSN, alipayCertSN string

	mu        sync.Mutex // guards all below
	balance   int64
	transfers map[string]*transfer // out_biz_no, order_id, pay_fund_order_id
	trades    map[string]*trade    // out_trade_no, trade_no
	payCodes  map[string]*world.Patient
	logs      map[string][]*logRow // by day
	logIndex  map[string][]*logRow // by either order number
	tradeRows map[string][]tradeRow
	downloads map[string]*download
	receipts  map[string]*receipt
	spent     map[string]int64
	seq       int64

	oauth    oauthStore
	messages sim.Ring[SentMessage]
}

// New makes Alipay for the people of w with keys out of k.
func New(w *world.World, k *sim.Keys) (*Server, error) {
	s := &Server{Core: sim.NewCore("alipay"), world: w, settings: sim.NewSettings(defaults())}
	if err := s.loadKeys(k); err != nil {
		return nil, err
	}
	s.clear()
	m := s.Mux()
	m.HandleFunc("/gateway.do", s.gateway)
	m.HandleFunc("GET /downloadBillFile.resource", s.download)
	m.HandleFunc("GET /oauth2/publicAppAuthorize.htm", s.authorize)
	m.HandleFunc("GET /_sim/code", s.issueCode)
	m.HandleFunc("GET /_sim/paycode", s.issuePayCode)
	m.HandleFunc("GET /_sim/messages", s.listMessages)
	s.MountControl(sim.Control{Config: s.config, Settings: s.settings, Balance: s.Balance, SetBal: s.SetBalance, Reset: s.clear, History: s.past,
		Actions: map[string]sim.Action{
			"return": func(no string, _ url.Values) error { return s.Return(no) },
			"pay":    func(no string, _ url.Values) error { return s.Pay(no) },
		}})
	return s, nil
}

// Settings gives direct access for Go tests.
func (s *Server) Settings() *sim.Settings[Settings] { return s.settings }

func (s *Server) loadKeys(k *sim.Keys) error {
	names := []string{"alipay-root", "alipay-app-cert", "alipay-app-key", "alipay-signer-cert", "alipay-signer-key"}
	if err := k.Prepare(names...); err != nil {
		return err
	}
	dn := func(cn string) pkix.Name {
		return pkix.Name{CommonName: cn, OrganizationalUnit: []string{"Simulation"}, Organization: []string{"Simulated Alipay"}, Country: []string{"CN"}}
	}
	root, err := k.Cert("alipay-root", sim.CertSpec{Subject: dn("Simulated Alipay Root"), Serial: 201, Key: "alipay-root", IsCA: true})
	if err != nil {
		return err
	}
	appCert, err := k.Cert("alipay-app", sim.CertSpec{Subject: dn(CertAppID), Serial: 202, Key: "alipay-app-cert", CA: "alipay-root", CAKey: "alipay-root"})
	if err != nil {
		return err
	}
	s.alipayCert, err = k.Cert("alipay-signer", sim.CertSpec{Subject: dn("Simulated Alipay Gateway"), Serial: 203, Key: "alipay-signer-cert", CA: "alipay-root", CAKey: "alipay-root"})
	if err != nil {
		return err
	}
	s.root, s.rootSN, s.alipayCertSN = root, certSN(root), certSN(s.alipayCert)
	certApp := &app{id: CertAppID, cert: appCert, certSN: certSN(appCert)}
	keyApp := &app{id: KeyAppID}
	certApp.key, _ = k.RSA("alipay-app-cert")
	certApp.signer, _ = k.RSA("alipay-signer-cert")
	keyApp.key, _ = k.RSA("alipay-app-key")
	keyApp.signer, _ = k.RSA("alipay-signer-key")
	s.apps = map[string]*app{CertAppID: certApp, KeyAppID: keyApp}
	return nil
}

// certSN is the lower-case hex MD5 of the issuer's name and the decimal serial number.
func certSN(c *sim.Cert) string {
	sum := md5.Sum([]byte(c.Issuer.String() + c.SerialNumber.String()))
	return hex.EncodeToString(sum[:])
}

// clear forgets all business and keeps keys.
func (s *Server) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.balance, s.seq = startBalance, 0
	s.transfers, s.trades, s.payCodes = map[string]*transfer{}, map[string]*trade{}, map[string]*world.Patient{}
	s.logs, s.logIndex, s.tradeRows = map[string][]*logRow{}, map[string][]*logRow{}, map[string][]tradeRow{}
	s.downloads, s.receipts, s.spent = map[string]*download{}, map[string]*receipt{}, map[string]int64{}
	s.oauth.clear()
	s.messages.Clear()
}

// Balance is what the merchant's account can pay, in fen; there is only one account.
func (s *Server) Balance(string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.balance
}

// SetBalance sets what the merchant's account can pay, in fen.
func (s *Server) SetBalance(_ string, fen int64) {
	s.mu.Lock()
	s.balance = fen
	s.mu.Unlock()
}

// AppConfig is what a hospital gets for one application.
type AppConfig struct {
	AppID           string `json:"app_id"`
	Mode            string `json:"mode"` // cert or key
	AppPrivateKey   string `json:"app_private_key"`
	AlipayPublicKey string `json:"alipay_public_key"`
	AppCert         string `json:"app_cert,omitempty"`
	AlipayCert      string `json:"alipay_cert,omitempty"`
	AlipayRootCert  string `json:"alipay_root_cert,omitempty"`
}

// Config is what a hospital gets from Alipay; GET /_sim/config serves it. The
// fields at the top are those of the certificate mode application.
type Config struct {
	AppConfig
	APIBase      string    `json:"api_base"`
	Gateway      string    `json:"gateway"`
	PID          string    `json:"pid"`
	SellerID     string    `json:"seller_id"`
	AESKey       string    `json:"aes_key"`
	KeyApp       AppConfig `json:"key_app"`
	SingleLimit  int64     `json:"single_limit"`
	AuthorizeURL string    `json:"authorize_url"`
}

// Config returns ids, keys and certificates of the test merchant.
func (s *Server) Config() Config {
	one := func(id, mode string) AppConfig {
		a := s.apps[id]
		return AppConfig{AppID: id, Mode: mode, AppPrivateKey: sim.PrivatePEM(a.key), AlipayPublicKey: sim.PublicPEM(&a.signer.PublicKey)}
	}
	c := Config{AppConfig: one(CertAppID, "cert"), KeyApp: one(KeyAppID, "key"), APIBase: s.URL(), Gateway: s.URL() + "/gateway.do", PID: PID, SellerID: PID,
		AESKey: AESKey, SingleLimit: s.settings.Get().SingleLimit, AuthorizeURL: s.URL() + "/oauth2/publicAppAuthorize.htm"}
	c.AppCert, c.AlipayCert, c.AlipayRootCert = s.apps[CertAppID].cert.PEM, s.alipayCert.PEM, s.root.PEM
	return c
}

func (s *Server) config() any { return s.Config() }

func (s *Server) listMessages(w http.ResponseWriter, _ *http.Request) {
	sim.WriteJSON(w, 200, map[string]any{"messages": s.Messages()})
}
