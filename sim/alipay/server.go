// Package alipay simulates the Alipay open gateway as a hospital sees it:
// transfers to balance, trades and refunds, bills, receipts, OAuth, messages
// and signed notifications, in public key mode and in certificate mode.
package alipay

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"hospay/sim"
	"hospay/sim/medins"
	"hospay/sim/world"
)

// The test merchants: the first has an application in certificate mode, one in
// key mode and a second one in certificate mode, the second merchant has one.
const (
	PID            = "2088012345678901"
	CertAppID      = "2021000100000001"
	KeyAppID       = "2021000100000002"
	SecondAppID    = "2021000100000003"
	SecondPID      = "2088012345678902"
	SecondPIDAppID = "2021000100000004"
	AESKey         = "ZGVtby1hZXMta2V5LTAxMg==" // 16 bytes in base64
)

// startBalance is what the merchant's account holds at first, in fen.
const startBalance = 10_000_000_000

// Server is Alipay.
type Server struct {
	*sim.Core
	world    *world.World
	settings *sim.Settings[Settings]
	keys     *sim.Keys

	merchants            []*merchant
	apps                 map[string]*app
	root, alipayCert     *sim.Cert
	rootSN, alipayCertSN string

	mu        sync.Mutex // guards all below and the merchants' business
	payCodes  map[string]*world.Patient
	downloads map[string]*download
	seq       int64
	insurance medins.Insurance    // may be missing
	consents  map[string]*consent // by the user's id, and by the token of the page

	oauth    oauthStore
	messages sim.Ring[SentMessage]
}

// New makes Alipay for the people of w with keys out of k.
func New(w *world.World, k *sim.Keys) (*Server, error) {
	s := &Server{Core: sim.NewCore("alipay"), world: w, keys: k, settings: sim.NewSettings(defaults())}
	s.enrol()
	if err := s.loadKeys(); err != nil {
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
	s.insuranceRoutes(m)
	s.MountControl(sim.Control{Config: s.getConfig, Settings: s.settings, Balance: s.Balance, SetBal: s.SetBalance, Reset: s.clear,
		History: s.past,
		Actions: map[string]sim.Action{
			"return": func(no string, q url.Values) error { return s.returnNo(no, q.Get("merchant")) },
			"pay":    func(no string, q url.Values) error { return s.payNo(no, q.Get("merchant"), q.Get("patient")) },
		}})
	return s, nil
}

// Settings gives direct access for Go tests.
func (s *Server) Settings() *sim.Settings[Settings] { return s.settings }

func (s *Server) loadKeys() error {
	k := s.keys
	if err := k.Prepare("alipay-root", "alipay-app-cert", "alipay-app-key", "alipay-signer-cert", "alipay-signer-key"); err != nil {
		return err
	}
	root, err := k.Cert("alipay-root", sim.CertSpec{Subject: subject("Simulated Alipay Root"), Serial: 201, Key: "alipay-root", IsCA: true})
	if err != nil {
		return err
	}
	gateway := sim.CertSpec{Subject: subject("Simulated Alipay Gateway"), Serial: 203, Key: "alipay-signer-cert", CA: "alipay-root",
		CAKey: "alipay-root"}
	if s.alipayCert, err = k.Cert("alipay-signer", gateway); err != nil {
		return err
	}
	s.root, s.rootSN, s.alipayCertSN = root, certSN(root), certSN(s.alipayCert)
	return errors.Join(s.apps[CertAppID].load(), s.apps[KeyAppID].load())
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
	for _, m := range s.merchants {
		m.clear()
	}
	s.consents = map[string]*consent{}
	s.seq, s.payCodes, s.downloads = 0, map[string]*world.Patient{}, map[string]*download{}
	s.oauth.clear()
	s.messages.Clear()
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
	MedIns       MedIns    `json:"medins"`
	Merchants    []string  `json:"merchants"` // GET /_sim/config?merchant= gives the others
	Apps         []string  `json:"apps"`      // GET /_sim/config?app_id= gives the others
}

func (s *Server) listMessages(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(r.URL.Query().Get("since"))
	rows, next := s.messages.Since(from)
	sim.WriteJSON(w, 200, map[string]any{"messages": rows, "next": next})
}
