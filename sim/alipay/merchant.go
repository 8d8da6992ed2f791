package alipay

import (
	"crypto/rsa"
	"crypto/x509/pkix"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"hospay/sim"
)

// app is one application of a merchant.
type app struct {
	m               *merchant
	id              string
	keyName, signed string // names of its key and of Alipay's key for it
	serial          int64  // of its certificate; 0 in key mode

	once   sync.Once
	err    error
	key    *rsa.PrivateKey // the application's
	signer *rsa.PrivateKey // Alipay's, for answers to this application
	cert   *sim.Cert       // nil in key mode
	certSN string
}

// merchant is one account of money with its applications. It knows its own
// numbers only; Server.mu guards what it holds.
type merchant struct {
	*Server
	pid, certApp, keyApp string

	balance   int64
	transfers map[string]*transfer // out_biz_no, order_id, pay_fund_order_id
	trades    map[string]*trade    // out_trade_no, trade_no
	codes     map[string]*trade    // out_trade_no of codes that nobody has scanned
	mixed     map[string]*mixed    // out_trade_no, med_org_ord, chnl_ord_sn
	logs      map[string][]*logRow // by day
	logIndex  map[string][]*logRow // by either order number
	tradeRows map[string][]tradeRow
	receipts  map[string]*receipt
	spent     map[string]int64
}

// enrol makes the merchants and their applications; keys of those that are not
// the demo's are made when they are first asked for.
func (s *Server) enrol() {
	one := &merchant{Server: s, pid: PID, certApp: CertAppID, keyApp: KeyAppID}
	two := &merchant{Server: s, pid: SecondPID, certApp: SecondPIDAppID}
	s.merchants, s.apps = []*merchant{one, two}, map[string]*app{}
	for _, a := range []*app{
		{m: one, id: CertAppID, keyName: "alipay-app-cert", signed: "alipay-signer-cert", serial: 202},
		{m: one, id: KeyAppID, keyName: "alipay-app-key", signed: "alipay-signer-key"},
		{m: one, id: SecondAppID, keyName: "alipay-app-cert-2", signed: "alipay-signer-cert", serial: 204},
		{m: two, id: SecondPIDAppID, keyName: "alipay-app-cert-3", signed: "alipay-signer-cert", serial: 205},
	} {
		s.apps[a.id] = a
	}
}

// load makes the application's keys once.
func (a *app) load() error {
	a.once.Do(func() { a.err = a.makeKeys() })
	return a.err
}

func (a *app) makeKeys() (err error) {
	k := a.m.keys
	if a.key, err = k.RSA(a.keyName); err != nil {
		return err
	}
	if a.signer, err = k.RSA(a.signed); err != nil || a.serial == 0 {
		return err
	}
	name := strings.Replace(a.keyName, "-cert", "", 1)
	a.cert, err = k.Cert(name, sim.CertSpec{Subject: subject(a.id), Serial: a.serial, Key: a.keyName, CA: "alipay-root",
		CAKey: "alipay-root"})
	if err == nil {
		a.certSN = certSN(a.cert)
	}
	return err
}

func subject(cn string) pkix.Name {
	return pkix.Name{CommonName: cn, OrganizationalUnit: []string{"Simulation"}, Organization: []string{"Simulated Alipay"},
		Country: []string{"CN"}}
}

// app finds an application whose keys are there.
func (s *Server) app(id string) *app {
	if a := s.apps[id]; a != nil && a.load() == nil {
		return a
	}
	return nil
}

// clear forgets the merchant's business. Callers hold the lock.
func (m *merchant) clear() {
	m.balance = startBalance
	m.codes, m.mixed = map[string]*trade{}, map[string]*mixed{}
	m.transfers, m.trades = map[string]*transfer{}, map[string]*trade{}
	m.logs, m.logIndex, m.tradeRows = map[string][]*logRow{}, map[string][]*logRow{}, map[string][]tradeRow{}
	m.receipts, m.spent = map[string]*receipt{}, map[string]int64{}
}

// first tells whether the deposits of the test world were paid to this merchant.
func (m *merchant) first() bool { return m == m.merchants[0] }

// merchant finds a merchant; "" is the first.
func (s *Server) merchant(pid string) *merchant {
	for _, m := range s.merchants {
		if m.pid == pid || pid == "" && m.first() {
			return m
		}
	}
	return nil
}

// under is the place of an out_biz_no. By the setting a number belongs to the
// merchant, or to the application that sent it.
func (m *merchant) under(appID, no string) string {
	if m.settings.Get().NumberScope == "app" && appID != m.certApp {
		return appID + "|" + no
	}
	return no
}

// find is the transfer that an application knows under an out_biz_no.
func (m *merchant) find(appID, no string) *transfer {
	if t := m.transfers[m.under(appID, no)]; t != nil && t.no == no {
		return t
	}
	return nil
}

// Balance is what a merchant's account can pay, in fen; "" is the first merchant.
func (s *Server) Balance(pid string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.merchant(pid); m != nil {
		return m.balance
	}
	return s.merchants[0].balance
}

// SetBalance sets what a merchant's account can pay, in fen.
func (s *Server) SetBalance(pid string, fen int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.merchant(pid)
	if m == nil {
		m = s.merchants[0]
	}
	m.balance = fen
}

// Return brings the money of a successful transfer back to the merchant.
func (s *Server) Return(no string) error { return s.returnNo(no, "") }

func (s *Server) returnNo(no, pid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.merchants {
		for _, a := range []string{m.certApp, SecondAppID} {
			if t := m.find(a, no); t != nil && t.status == "SUCCESS" && (pid == "" || pid == m.pid) {
				m.giveBack(t)
				return nil
			}
		}
	}
	return fmt.Errorf("no successful transfer %s that can be returned", no)
}

// Pay lets the patient pay a trade.
func (s *Server) Pay(no string) error { return s.payNo(no, "", "") }

// payNo pays a trade or an order with insurance; whoever scans a code is the
// named patient, or the first.
func (s *Server) payNo(no, pid, patient string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.merchants {
		if pid != "" && pid != m.pid {
			continue
		}
		m.scan(no, patient)
		if o := m.mixed[no]; o != nil {
			return m.payMixed(o)
		}
		if t := m.trade(no, ""); t != nil {
			return m.payTrade(t)
		}
	}
	return fmt.Errorf("no open trade %s", no)
}

// payTrade pays a trade that is open.
func (m *merchant) payTrade(t *trade) error {
	switch {
	case !t.paid.IsZero():
		return nil
	case m.tradeStatus(t) == "TRADE_CLOSED":
		return fmt.Errorf("no open trade %s", t.no)
	}
	m.settle(t)
	return nil
}

// past books movements of the past, each at its merchant.
func (s *Server) past(entries []sim.Past) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.merchants {
		defer func(before int64) { m.balance = before }(m.balance) // also when an entry is refused
	}
	for _, p := range entries {
		m := s.merchant(p.Merchant)
		if m == nil {
			return nil, p.Impossible()
		}
		m.forego(p)
	}
	numbers := make([]string, 0, len(entries))
	for _, p := range entries {
		id, err := s.merchant(p.Merchant).pastOne(p)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, id)
	}
	return numbers, nil
}

// Config returns ids, keys and certificates of the first merchant.
func (s *Server) Config() Config {
	c, _ := s.ConfigOf("", "")
	return c
}

// ConfigOf returns those of any merchant or application; "" is the first.
func (s *Server) ConfigOf(pid, appID string) (Config, error) {
	m := s.merchant(pid)
	if appID != "" && s.apps[appID] != nil {
		m = s.apps[appID].m
	}
	if m == nil || appID != "" && s.apps[appID] == nil || pid != "" && m.pid != pid {
		return Config{}, fmt.Errorf("no merchant %s with an application %s", pid, appID)
	}
	if appID == "" {
		appID = m.certApp
	}
	c := Config{AppConfig: s.appConfig(appID), APIBase: s.URL(), Gateway: s.URL() + "/gateway.do", PID: m.pid, SellerID: m.pid,
		AESKey: AESKey, SingleLimit: s.settings.Get().SingleLimit, AuthorizeURL: s.URL() + "/oauth2/publicAppAuthorize.htm",
		MedIns: MedIns{OrgCert: orgCert, City: cityCode}}
	if m.keyApp != "" {
		c.KeyApp = s.appConfig(m.keyApp)
	}
	for _, other := range s.merchants {
		c.Merchants = append(c.Merchants, other.pid)
	}
	c.Apps = append(c.Apps, CertAppID, KeyAppID, SecondAppID, SecondPIDAppID)
	return c, nil
}

func (s *Server) appConfig(id string) AppConfig {
	a := s.app(id)
	if a == nil {
		return AppConfig{}
	}
	c := AppConfig{AppID: id, Mode: "key", AppPrivateKey: sim.PrivatePEM(a.key), AlipayPublicKey: sim.PublicPEM(&a.signer.PublicKey)}
	if a.cert != nil {
		c.Mode, c.AppCert, c.AlipayCert, c.AlipayRootCert = "cert", a.cert.PEM, s.alipayCert.PEM, s.root.PEM
	}
	return c
}

func (s *Server) getConfig(q url.Values) (any, error) {
	return s.ConfigOf(q.Get("merchant"), q.Get("app_id"))
}
