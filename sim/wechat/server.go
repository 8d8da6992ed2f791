// Package wechat simulates WeChat Pay API v3 as a hospital sees it: merchant
// transfers that the payee confirms, refunds, JSAPI orders, bills, receipts,
// certificates, OAuth, messages and signed, encrypted callbacks.
package wechat

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/x509/pkix"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"hospay/sim"
	"hospay/sim/world"
)

// The test merchant.
const (
	MchID       = "1900000109"
	AppID       = "wxdemo0123456789ab"
	AppSecret   = "demo-wechat-app-secret-0123456789"
	APIv3Key    = "demo-apiv3-key-0123456789abcdefg"
	PublicKeyID = "PUB_KEY_ID_0119000001092026010100000001"
)

// Accounts of the merchant.
const (
	operation = "OPERATION" // 运营账户: pays transfers
	basic     = "BASIC"     // 基本账户: collects payments, pays refunds
)

// startBalance is what the operation account holds at first, in fen.
const startBalance = 10_000_000_000

// Server is WeChat Pay for one merchant.
type Server struct {
	*sim.Core
	world    *world.World
	settings *sim.Settings[Settings]

	mchKey, pubKey, certKey *rsa.PrivateKey
	mchCert, platCert       *sim.Cert
	aead                    cipher.AEAD

	mu        sync.Mutex // guards all below
	bills     map[string]*bill
	byID      map[string]*bill
	byPackage map[string]*bill
	accounts  map[string]*account
	trades    map[string]*trade
	refunds   map[string]*refund
	refundIDs map[string]*refund
	tradeRows map[string][]tradeRow
	downloads map[string]*download
	receipts  map[string]*receipt
	spent     map[string]int64
	seq       int64

	oauth    oauthStore
	messages sim.Ring[SentMessage]
	flip     uint64
}

// New makes WeChat Pay for the people of w with keys out of k.
func New(w *world.World, k *sim.Keys) (*Server, error) {
	s := &Server{Core: sim.NewCore("wechat"), world: w, settings: sim.NewSettings(defaults())}
	if err := s.loadKeys(k); err != nil {
		return nil, err
	}
	s.clear()
	s.routes()
	s.MountControl(sim.Control{Config: s.config, Settings: s.settings, Balance: s.Balance, SetBal: s.SetBalance, Reset: s.clear, History: s.past,
		Actions: map[string]sim.Action{
			"confirm": func(no string, q url.Values) error { return s.ConfirmAs(no, q.Get("openid")) },
			"expire":  func(no string, _ url.Values) error { return s.Expire(no) },
			"return":  func(no string, _ url.Values) error { return s.Return(no) },
			"pay":     func(no string, _ url.Values) error { return s.Pay(no) },
		}})
	return s, nil
}

// Settings gives direct access for Go tests.
func (s *Server) Settings() *sim.Settings[Settings] { return s.settings }

func (s *Server) loadKeys(k *sim.Keys) error {
	if err := k.Prepare("wechat-merchant", "wechat-public", "wechat-platform"); err != nil {
		return err
	}
	s.mchKey, _ = k.RSA("wechat-merchant")
	s.pubKey, _ = k.RSA("wechat-public")
	s.certKey, _ = k.RSA("wechat-platform")
	name := func(cn string) pkix.Name {
		return pkix.Name{CommonName: cn, Organization: []string{"Simulated WeChat Pay"}, Country: []string{"CN"}}
	}
	var err error
	if s.mchCert, err = k.Cert("wechat-merchant", sim.CertSpec{Subject: name(MchID), Serial: 101, Key: "wechat-merchant"}); err != nil {
		return err
	}
	if s.platCert, err = k.Cert("wechat-platform", sim.CertSpec{Subject: name("Tenpay simulation"), Serial: 102, Key: "wechat-platform"}); err != nil {
		return err
	}
	block, err := aes.NewCipher([]byte(APIv3Key))
	if err != nil {
		return err
	}
	s.aead, err = cipher.NewGCM(block)
	return err
}

// clear forgets all business and keeps keys.
func (s *Server) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bills, s.byID, s.byPackage = map[string]*bill{}, map[string]*bill{}, map[string]*bill{}
	s.accounts = map[string]*account{operation: newAccount(startBalance), basic: newAccount(startBalance)}
	s.trades, s.refunds, s.refundIDs = map[string]*trade{}, map[string]*refund{}, map[string]*refund{}
	s.tradeRows, s.downloads, s.receipts = map[string][]tradeRow{}, map[string]*download{}, map[string]*receipt{}
	s.spent, s.seq = map[string]int64{}, 0
	s.oauth.clear()
	s.messages.Clear()
}

// Balance is what the operation account ("" or OPERATION) or BASIC can still pay, in fen.
func (s *Server) Balance(name string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(name)
	return a.balance - a.locked
}

// SetBalance sets what an account can pay, in fen.
func (s *Server) SetBalance(name string, fen int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(name)
	a.balance = fen + a.locked
}

func (s *Server) account(name string) *account {
	if a := s.accounts[strings.ToUpper(name)]; a != nil {
		return a
	}
	return s.accounts[operation]
}

func serialOf(c *sim.Cert) string { return strings.ToUpper(c.SerialNumber.Text(16)) }

// Config is what a hospital gets from WeChat Pay; GET /_sim/config serves it.
type Config struct {
	APIBase            string  `json:"api_base"`
	MchID              string  `json:"mch_id"`
	AppID              string  `json:"app_id"`
	AppSecret          string  `json:"app_secret"`
	APIv3Key           string  `json:"api_v3_key"`
	MchPrivateKey      string  `json:"mch_private_key"`
	MchCertSerial      string  `json:"mch_cert_serial"`
	MchCert            string  `json:"mch_cert"`
	PublicKey          string  `json:"public_key"`
	PublicKeyID        string  `json:"public_key_id"`
	PlatformCert       string  `json:"platform_cert"`
	PlatformCertSerial string  `json:"platform_cert_serial"`
	SceneID            string  `json:"scene_id"`
	Scenes             []scene `json:"scenes"`
	SingleLimit        int64   `json:"single_limit"`
	AuthorizeURL       string  `json:"authorize_url"`
	ConfirmPage        string  `json:"confirm_page"`
}

// Config returns ids, keys and certificates of the test merchant.
func (s *Server) Config() Config {
	return Config{APIBase: s.URL(), MchID: MchID, AppID: AppID, AppSecret: AppSecret, APIv3Key: APIv3Key,
		MchPrivateKey: sim.PrivatePEM(s.mchKey), MchCertSerial: serialOf(s.mchCert), MchCert: s.mchCert.PEM,
		PublicKey: sim.PublicPEM(&s.pubKey.PublicKey), PublicKeyID: PublicKeyID,
		PlatformCert: s.platCert.PEM, PlatformCertSerial: serialOf(s.platCert), SceneID: "1011", Scenes: scenes,
		SingleLimit: s.settings.Get().SingleLimit, AuthorizeURL: s.URL() + "/connect/oauth2/authorize", ConfirmPage: s.URL() + "/_sim/confirm-page"}
}

func (s *Server) config() any { return s.Config() }

const transferBills = "/v3/fund-app/mch-transfer/transfer-bills"

func (s *Server) routes() {
	elec := "/v3/fund-app/mch-transfer/elecsign/"
	s.signed("POST "+transferBills, "transfer", "transfer", s.createTransfer)
	s.signed("GET "+transferBills+"/out-bill-no/{no}", "query", "query", s.queryTransfer)
	s.signed("GET "+transferBills+"/transfer-bill-no/{id}", "query_by_id", "query", s.queryTransferByID)
	s.signed("POST "+transferBills+"/out-bill-no/{no}/cancel", "cancel", "cancel", s.cancelTransfer)
	s.signed("POST "+elec+"out-bill-no", "receipt_apply", "receipt", s.applyReceipt)
	s.signed("POST "+elec+"transfer-bill-no", "receipt_apply_by_id", "receipt", s.applyReceipt)
	s.signed("GET "+elec+"out-bill-no/{no}", "receipt_query", "receipt", s.queryReceipt)
	s.signed("GET "+elec+"transfer-bill-no/{id}", "receipt_query_by_id", "receipt", s.queryReceipt)
	s.signed("GET /v3/bill/tradebill", "tradebill", "bill", s.tradeBill)
	s.signed("GET /v3/bill/fundflowbill", "fundflowbill", "bill", s.fundFlowBill)
	s.signed("GET /v3/certificates", "certificates", "certificates", s.certificates)
	s.signed("POST /v3/refund/domestic/refunds", "refund", "refund", s.createRefund)
	s.signed("GET /v3/refund/domestic/refunds/{no}", "refund_query", "refund_query", s.queryRefund)
	s.signed("POST /v3/refund/domestic/refunds/{id}/apply-abnormal-refund", "refund_abnormal", "refund_abnormal", s.abnormalRefund)
	s.signed("POST /v3/pay/transactions/jsapi", "order", "order", s.createOrder)
	s.signed("GET /v3/pay/transactions/out-trade-no/{no}", "order_query", "order_query", s.queryOrder)
	s.signed("GET /v3/pay/transactions/id/{no}", "order_query_by_id", "order_query", s.queryOrder)
	s.signed("POST /v3/pay/transactions/out-trade-no/{no}/close", "order_close", "order_close", s.closeOrder)
	m := s.Mux()
	m.HandleFunc("GET /v3/billdownload/file", s.download)
	m.HandleFunc("GET /v3/transferbilldownload/elecvoucherfile", s.download)
	m.HandleFunc("/v3/", func(w http.ResponseWriter, _ *http.Request) {
		sim.WriteJSON(w, 404, &apiError{Code: "RESOURCE_NOT_EXISTS", Message: "接口不存在"})
	})
	s.openRoutes(m)
	m.HandleFunc("GET /_sim/confirm-page", s.confirmPage)
	m.HandleFunc("POST /_sim/confirm-page", s.confirmPagePost)
	m.HandleFunc("GET /_sim/messages", s.listMessages)
}
