package wechat

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/x509/pkix"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"hospay/sim"
)

// merchant is one merchant with its keys and its business. It knows its own
// numbers only; Server.mu guards what it holds. All merchants here are bound to
// the same application, as the merchants of one hospital are.
type merchant struct {
	*Server
	id, apiKey, publicKeyID string
	keyName                 string // of its keys and its certificate
	serial                  int64

	once           sync.Once
	err            error
	mchKey, pubKey *rsa.PrivateKey
	mchCert        *sim.Cert
	aead           cipher.AEAD

	bills     map[string]*bill
	byID      map[string]*bill
	accounts  map[string]*account
	trades    map[string]*trade
	mixed     map[string]*mixed // by either number
	refunds   map[string]*refund
	refundIDs map[string]*refund
	tradeRows map[string][]tradeRow
	receipts  map[string]*receipt
	spent     map[string]int64
}

// enrol makes the merchants; the keys of others than the first are made when
// they are first asked for.
func (s *Server) enrol() {
	s.merchants = []*merchant{
		{Server: s, id: MchID, apiKey: APIv3Key, publicKeyID: PublicKeyID, serial: 101},
		{Server: s, id: SecondMchID, apiKey: SecondAPIv3Key, publicKeyID: SecondPublicKeyID, serial: 103, keyName: "-2"},
	}
}

// load makes the merchant's keys once.
func (m *merchant) load() error {
	m.once.Do(func() { m.err = m.makeKeys() })
	return m.err
}

func (m *merchant) makeKeys() (err error) {
	own, public := "wechat-merchant"+m.keyName, "wechat-public"+m.keyName
	if err := m.keys.Prepare(own, public); err != nil {
		return err
	}
	m.mchKey, _ = m.keys.RSA(own)
	m.pubKey, _ = m.keys.RSA(public)
	if m.mchCert, err = m.keys.Cert(own, sim.CertSpec{Subject: subject(m.id), Serial: m.serial, Key: own}); err != nil {
		return err
	}
	block, err := aes.NewCipher([]byte(m.apiKey))
	if err != nil {
		return err
	}
	m.aead, err = cipher.NewGCM(block)
	return err
}

func subject(name string) pkix.Name {
	return pkix.Name{CommonName: name, Organization: []string{"Simulated WeChat Pay"}, Country: []string{"CN"}}
}

// clear forgets the merchant's business. Callers hold the lock.
func (m *merchant) clear() {
	m.bills, m.byID = map[string]*bill{}, map[string]*bill{}
	m.accounts = map[string]*account{operation: newAccount(startBalance), basic: newAccount(startBalance)}
	m.mixed = map[string]*mixed{}
	m.trades, m.refunds, m.refundIDs = map[string]*trade{}, map[string]*refund{}, map[string]*refund{}
	m.tradeRows, m.receipts, m.spent = map[string][]tradeRow{}, map[string]*receipt{}, map[string]int64{}
}

// first tells whether the deposits of the test world were paid to this merchant.
func (m *merchant) first() bool { return m == m.merchants[0] }

// merchant finds a merchant whose keys are there; "" is the first.
func (s *Server) merchant(id string) *merchant {
	for _, m := range s.merchants {
		if (m.id == id || id == "" && m.first()) && m.load() == nil {
			return m
		}
	}
	return nil
}

// billOf finds the transfer that a number means: of a named merchant, or of the
// first that can still do something with it, or of the first that knows it.
func (s *Server) billOf(merchantID, no string, fit func(*bill) bool) *bill {
	var known *bill
	for _, m := range s.merchants {
		b := m.bills[no]
		switch {
		case b == nil || merchantID != "" && m.id != merchantID:
		case fit(b):
			return b
		case known == nil:
			known = b
		}
	}
	return known
}

// ConfirmAs lets a WeChat user confirm a bill; openid "" is the payee.
func (s *Server) ConfirmAs(no, openid string) error { return s.confirmNo(no, "", openid) }

// Confirm lets the payee confirm a bill.
func (s *Server) Confirm(no string) error { return s.ConfirmAs(no, "") }

func (s *Server) confirmNo(no, merchantID, openid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.billOf(merchantID, no, func(b *bill) bool { return b.state == waitConfirm })
	if b == nil {
		return fmt.Errorf("no transfer bill %s", no)
	}
	return b.m.confirm(b, openid)
}

// Shown is what a page holds when it asks WeChat to show a transfer: nothing is
// confirmed unless all of it is right.
type Shown struct {
	Package string `json:"package"`
	MchID   string `json:"mch_id"` // empty = not looked at
	AppID   string `json:"app_id"` // empty = not looked at
	Openid  string `json:"openid"` // who holds the phone; empty = the payee
}

// ConfirmShown lets the payee confirm a bill through what a page was given.
func (s *Server) ConfirmShown(no string, in Shown) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.byPackage[in.Package]
	switch {
	case b == nil || b.no != no:
		return fmt.Errorf("package_info不正确或已失效")
	case in.MchID != "" && in.MchID != b.m.id:
		return fmt.Errorf("mchId与转账单的商户号不一致")
	case in.AppID != "" && in.AppID != b.appid:
		return fmt.Errorf("appId与转账单的appid不一致")
	}
	return b.m.confirm(b, in.Openid)
}

// Expire closes an unconfirmed bill now, as happens by itself after 24 hours.
func (s *Server) Expire(no string) error { return s.expireNo(no, "") }

func (s *Server) expireNo(no, merchantID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.billOf(merchantID, no, (*bill).waits)
	if b == nil {
		return fmt.Errorf("no transfer bill %s", no)
	}
	return b.m.expire(b)
}

// Return brings the money of a successful transfer or refund back to the merchant.
func (s *Server) Return(no string) error { return s.returnNo(no, "") }

func (s *Server) returnNo(no, merchantID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.merchants {
		if r := m.refunds[no]; r != nil && (merchantID == "" || m.id == merchantID) {
			return m.returnRefund(r)
		}
	}
	b := s.billOf(merchantID, no, (*bill).returnable)
	if b == nil || !b.returnable() {
		return fmt.Errorf("no successful transfer or refund %s that can be returned", no)
	}
	b.m.giveBack(b)
	return nil
}

// Pay lets the patient pay an order.
func (s *Server) Pay(no string) error { return s.payNo(no, "") }

func (s *Server) payNo(no, merchantID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.merchants {
		if merchantID != "" && m.id != merchantID {
			continue
		}
		if o := m.mixed[no]; o != nil {
			return m.payMixed(o)
		}
		if t := m.trade(no); t != nil {
			return m.pay(t)
		}
	}
	return fmt.Errorf("no order %s", no)
}

// Balance is what an account can still pay, in fen: OPERATION (also "") or BASIC
// of the first merchant; "MCHID" and "MCHID:BASIC" are those of another.
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
	of := s.merchants[0]
	id, rest, _ := strings.Cut(name, ":")
	for _, m := range s.merchants {
		if m.id == id {
			of, name = m, rest
		}
	}
	if a := of.accounts[strings.ToUpper(name)]; a != nil {
		return a
	}
	return of.accounts[operation]
}

// past books movements of the past, each at its merchant.
func (s *Server) past(entries []sim.Past) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.merchants {
		for _, a := range m.accounts { // also when an entry is refused
			defer func(before int64) { a.balance = before }(a.balance)
		}
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
func (s *Server) Config() Config { return s.merchants[0].config() }

// ConfigOf returns those of any merchant.
func (s *Server) ConfigOf(merchantID string) (Config, error) {
	m := s.merchant(merchantID)
	if m == nil {
		return Config{}, fmt.Errorf("no merchant %s", merchantID)
	}
	return m.config(), nil
}

func (s *Server) getConfig(q url.Values) (any, error) { return s.ConfigOf(q.Get("merchant")) }

func (m *merchant) config() Config {
	c := Config{APIBase: m.URL(), MchID: m.id, AppID: AppID, AppSecret: AppSecret, MiniAppID: MiniAppID, MiniAppSecret: MiniAppSecret,
		APIv3Key:      m.apiKey,
		MchPrivateKey: sim.PrivatePEM(m.mchKey), MchCertSerial: serialOf(m.mchCert), MchCert: m.mchCert.PEM,
		PublicKey: sim.PublicPEM(&m.pubKey.PublicKey), PublicKeyID: m.publicKeyID,
		PlatformCert: m.platCert.PEM, PlatformCertSerial: serialOf(m.platCert), SceneID: "1011", Scenes: scenes,
		MedIns:      partner(),
		SingleLimit: m.settings.Get().SingleLimit, AuthorizeURL: m.URL() + "/connect/oauth2/authorize",
		ConfirmPage: m.URL() + "/_sim/confirm-page"}
	for _, other := range m.merchants {
		c.Merchants = append(c.Merchants, other.id)
	}
	return c
}
