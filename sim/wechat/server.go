// Package wechat simulates WeChat Pay API v3 as a hospital sees it: merchant
// transfers that the payee confirms, refunds, JSAPI orders, bills, receipts,
// certificates, OAuth, messages and signed, encrypted callbacks.
package wechat

import (
	"crypto/rsa"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"hospay/sim"
	"hospay/sim/medins"
	"hospay/sim/world"
)

// The test merchants. Both are bound to an official account and a mini program.
const (
	MchID             = "1900000109"
	AppID             = "wxdemo0123456789ab"
	AppSecret         = "demo-wechat-app-secret-0123456789"
	MiniAppID         = "wxdemomini01234567"
	MiniAppSecret     = "demo-wechat-mini-secret-012345678"
	APIv3Key          = "demo-apiv3-key-0123456789abcdefg"
	PublicKeyID       = "PUB_KEY_ID_0119000001092026010100000001"
	SecondMchID       = "1900000208"
	SecondAPIv3Key    = "demo-apiv3-key-2-3456789abcdefgh"
	SecondPublicKeyID = "PUB_KEY_ID_0119000002082026010100000002"
)

// Accounts of the merchant.
const (
	operation = "OPERATION" // 运营账户: pays transfers
	basic     = "BASIC"     // 基本账户: collects payments, pays refunds
)

// startBalance is what the operation account holds at first, in fen.
const startBalance = 10_000_000_000

// Server is WeChat Pay.
type Server struct {
	*sim.Core
	world    *world.World
	settings *sim.Settings[Settings]
	keys     *sim.Keys
	certKey  *rsa.PrivateKey
	platCert *sim.Cert

	merchants []*merchant
	mu        sync.Mutex // guards all below and the merchants' business
	byPackage map[string]*bill
	downloads map[string]*download
	seq       int64

	insurance medins.Insurance // may be missing
	licences  map[string]*licence

	oauth    oauthStore
	messages sim.Ring[SentMessage]
	flip     uint64
}

// New makes WeChat Pay for the people of w with keys out of k.
func New(w *world.World, k *sim.Keys) (*Server, error) {
	s := &Server{Core: sim.NewCore("wechat"), world: w, keys: k, settings: sim.NewSettings(defaults())}
	s.enrol()
	if err := s.loadKeys(); err != nil {
		return nil, err
	}
	s.clear()
	s.routes()
	s.MountControl(sim.Control{Config: s.getConfig, Settings: s.settings, Balance: s.Balance, SetBal: s.SetBalance, Reset: s.clear,
		History: s.past,
		Actions: map[string]sim.Action{
			"expire": func(no string, q url.Values) error { return s.expireNo(no, q.Get("merchant")) },
			"return": func(no string, q url.Values) error { return s.returnNo(no, q.Get("merchant")) },
			"pay":    func(no string, q url.Values) error { return s.payNo(no, q.Get("merchant")) },
		}})
	return s, nil
}

// Settings gives direct access for Go tests.
func (s *Server) Settings() *sim.Settings[Settings] { return s.settings }

func (s *Server) loadKeys() error {
	if err := s.keys.Prepare("wechat-merchant", "wechat-public", "wechat-platform"); err != nil {
		return err
	}
	var err error
	s.certKey, _ = s.keys.RSA("wechat-platform")
	if s.platCert, err = s.keys.Cert("wechat-platform", sim.CertSpec{Subject: subject("Tenpay simulation"), Serial: 102,
		Key: "wechat-platform"}); err != nil {
		return err
	}
	return s.merchants[0].load()
}

// clear forgets all business and keeps keys.
func (s *Server) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.merchants {
		m.clear()
	}
	s.byPackage, s.downloads, s.seq = map[string]*bill{}, map[string]*download{}, 0
	s.licences = map[string]*licence{}
	s.oauth.clear()
	s.messages.Clear()
}

func serialOf(c *sim.Cert) string { return strings.ToUpper(c.SerialNumber.Text(16)) }

// Config is what a hospital gets from WeChat Pay for one merchant; GET /_sim/config serves it.
type Config struct {
	APIBase            string   `json:"api_base"`
	MchID              string   `json:"mch_id"`
	AppID              string   `json:"app_id"`
	AppSecret          string   `json:"app_secret"`
	MiniAppID          string   `json:"mini_app_id"`
	MiniAppSecret      string   `json:"mini_app_secret"`
	APIv3Key           string   `json:"api_v3_key"`
	MchPrivateKey      string   `json:"mch_private_key"`
	MchCertSerial      string   `json:"mch_cert_serial"`
	MchCert            string   `json:"mch_cert"`
	PublicKey          string   `json:"public_key"`
	PublicKeyID        string   `json:"public_key_id"`
	PlatformCert       string   `json:"platform_cert"`
	PlatformCertSerial string   `json:"platform_cert_serial"`
	SceneID            string   `json:"scene_id"`
	Scenes             []scene  `json:"scenes"`
	SingleLimit        int64    `json:"single_limit"`
	AuthorizeURL       string   `json:"authorize_url"`
	ConfirmPage        string   `json:"confirm_page"`
	MedIns             Partner  `json:"medins"`
	Merchants          []string `json:"merchants"` // GET /_sim/config?merchant= gives the others
}

const transferBills = "/v3/fund-app/mch-transfer/transfer-bills"

func (s *Server) routes() {
	elec := "/v3/fund-app/mch-transfer/elecsign/"
	s.signed("POST "+transferBills, "transfer", "transfer", (*merchant).createTransfer)
	s.signed("GET "+transferBills+"/out-bill-no/{no}", "query", "query", (*merchant).queryTransfer)
	s.signed("GET "+transferBills+"/transfer-bill-no/{id}", "query_by_id", "query", (*merchant).queryTransferByID)
	s.signed("POST "+transferBills+"/out-bill-no/{no}/cancel", "cancel", "cancel", (*merchant).cancelTransfer)
	s.signed("POST "+elec+"out-bill-no", "receipt_apply", "receipt", (*merchant).applyReceipt)
	s.signed("POST "+elec+"transfer-bill-no", "receipt_apply_by_id", "receipt", (*merchant).applyReceipt)
	s.signed("GET "+elec+"out-bill-no/{no}", "receipt_query", "receipt", (*merchant).queryReceipt)
	s.signed("GET "+elec+"transfer-bill-no/{id}", "receipt_query_by_id", "receipt", (*merchant).queryReceipt)
	s.signed("GET /v3/bill/tradebill", "tradebill", "bill", (*merchant).tradeBill)
	s.signed("GET /v3/bill/fundflowbill", "fundflowbill", "bill", (*merchant).fundFlowBill)
	s.signed("GET /v3/certificates", "certificates", "certificates", (*merchant).certificates)
	s.signed("POST /v3/refund/domestic/refunds", "refund", "refund", (*merchant).createRefund)
	s.signed("GET /v3/refund/domestic/refunds/{no}", "refund_query", "refund_query", (*merchant).queryRefund)
	s.signed("POST /v3/refund/domestic/refunds/{id}/apply-abnormal-refund", "refund_abnormal", "refund_abnormal", (*merchant).abnormalRefund)
	s.signed("POST /v3/pay/transactions/jsapi", "order", "order", (*merchant).createOrder)
	s.signed("POST /v3/pay/transactions/native", "order_native", "order", (*merchant).createOrder)
	s.signed("POST /v3/pay/transactions/h5", "order_h5", "order", (*merchant).createOrder)
	s.signed("GET /v3/pay/transactions/out-trade-no/{no}", "order_query", "order_query", (*merchant).queryOrder)
	s.signed("GET /v3/pay/transactions/id/{no}", "order_query_by_id", "order_query", (*merchant).queryOrder)
	s.signed("POST /v3/pay/transactions/out-trade-no/{no}/close", "order_close", "order_close", (*merchant).closeOrder)
	s.signed("POST "+medInsOrders, "medins_order", "mixed", (*merchant).createMixed)
	s.signed("GET "+medInsOrders+"/mix-trade-no/{id}", "medins_query_by_id", "mixed_query", (*merchant).queryMixed)
	s.signed("GET "+medInsOrders+"/out-trade-no/{no}", "medins_query", "mixed_query", (*merchant).queryMixed)
	s.signed("POST /v3/med-ins/refunds/notify", "medins_refund_notify", "mixed_notice", (*merchant).mixedRefunded)
	m := s.Mux()
	m.HandleFunc("GET /v3/billdownload/file", s.download)
	m.HandleFunc("GET /v3/transferbilldownload/elecvoucherfile", s.download)
	m.HandleFunc("/v3/", func(w http.ResponseWriter, _ *http.Request) {
		sim.WriteJSON(w, 404, &apiError{Code: "RESOURCE_NOT_EXISTS", Message: "接口不存在"})
	})
	s.openRoutes(m)
	s.insuranceRoutes(m)
	m.HandleFunc("GET /_sim/confirm-page", s.confirmPage)
	m.HandleFunc("POST /_sim/confirm-page", s.confirmPagePost)
	m.HandleFunc("POST /_sim/confirm/{no}", s.confirmShown)
	m.HandleFunc("GET /_sim/messages", s.listMessages)
}
