package e2e

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hospay/collections"
	"hospay/internal/testday"
	"hospay/lab/testapp"
	"hospay/sim"
)

type testReport struct {
	OK         bool   `json:"ok"`
	MerchantID string `json:"merchant_id"`
	Steps      []struct {
		Name, Said string
		OK         bool
	} `json:"steps"`
	Certificates []struct {
		What, ID string
		Days     *int
	} `json:"certificates"`
}

func (d *desk) test(t *testing.T, body map[string]any) testReport {
	t.Helper()
	res := d.Call("POST", "/api/hospay/config/test", d.config, body)
	if res.Status != 200 {
		t.Fatalf("%v: %d %s", body, res.Status, res.Raw)
	}
	var out testReport
	if err := json.Unmarshal(res.Raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestConfig_ConnectionTestsMoveNothing: what a page can test asks and does
// not pay, and says what is wrong.
func TestConfig_ConnectionTestsMoveNothing(t *testing.T) {
	d := newDesk(t)
	for _, channel := range []string{"wechat", "alipay"} {
		r := d.test(t, map[string]any{"channel": channel})
		if !r.OK || len(r.Steps) != 1 || r.MerchantID == "" || len(r.Certificates) < 2 {
			t.Errorf("%s: %+v", channel, r)
		}
	}
	r := d.test(t, map[string]any{"his": true})
	if !r.OK || len(r.Steps) != 2 {
		t.Errorf("HIS: %+v", r)
	}
	who := d.Sims.World.Find("P0001")
	if r := d.test(t, map[string]any{"his": true, "patient": "P0001", "id_no": who.IDNo, "name": who.Name}); !r.OK || len(r.Steps) != 5 {
		t.Errorf("HIS with a patient: %+v", r)
	}
	if r := d.test(t, map[string]any{"his": true, "patient": "P9999", "id_no": "11010519491231002X", "name": "查无此人"}); r.OK {
		t.Errorf("a patient who does not exist: %+v", r)
	}
	for name, n := range map[string]int{"WeChat": len(d.Sims.WeChat.Ledger().Entries()), "Alipay": len(d.Sims.Alipay.Ledger().Entries()),
		"HIS": len(d.Sims.HIS.Ledger().Entries())} {
		if n != 0 {
			t.Errorf("%s moved money: %d entries", name, n)
		}
	}
	for _, fault := range []string{sim.BadSignature, sim.Error500After} {
		if err := d.Sims.Alipay.Faults().Set(sim.Plan{Rules: []sim.Rule{{Match: "query", Fault: fault}}}); err != nil {
			t.Fatal(err)
		}
		if r := d.test(t, map[string]any{"channel": "alipay"}); r.OK || !chinese(r.Steps[0].Said) {
			t.Errorf("%s: %+v", fault, r)
		}
	}
	wantCode(t, "both", d.Call("POST", "/api/hospay/config/test", d.config, map[string]any{"channel": "wechat", "his": true}), 400,
		"bad_request")
	wantCode(t, "unknown", d.Call("POST", "/api/hospay/config/test", d.config, map[string]any{"channel": "unionpay"}), 400, "channel_off")
}

// TestConfig_AProposalIsTestedBeforeItIsConfirmed uses the values of a waiting
// change, which are in force nowhere yet.
func TestConfig_AProposalIsTestedBeforeItIsConfirmed(t *testing.T) {
	d := newDesk(t)
	wechat := d.id(t, collections.ChannelConfigs, `channel = "wechat"`)
	wrong := d.propose(d.config, "channel_configs", wechat, map[string]any{"merchant_id": "1900000999"})
	wantState(t, "propose", wrong, "waiting")
	if r := d.test(t, map[string]any{"channel": "wechat", "change": wrong.Text("id")}); r.OK {
		t.Errorf("a wrong merchant number passes: %+v", r)
	}
	if r := d.test(t, map[string]any{"channel": "wechat"}); !r.OK {
		t.Errorf("the configuration in force fails: %+v", r)
	}
	good := d.propose(d.config, "channel_configs", wechat, map[string]any{"settings": map[string]any{"timeout": "5s"}})
	if r := d.test(t, map[string]any{"channel": "wechat", "change": good.Text("id")}); !r.OK {
		t.Errorf("a good change fails: %+v", r)
	}
	wantCode(t, "of another channel", d.Call("POST", "/api/hospay/config/test", d.config,
		map[string]any{"channel": "alipay", "change": good.Text("id")}), 404, "not_found")
	wantCode(t, "over", d.Call("POST", "/api/hospay/config/test", d.config, map[string]any{"channel": "wechat", "change": wrong.Text("id")}),
		409, "conflict")
}

// expiring is a certificate for a key that ends at a time.
func expiring(t *testing.T, key *rsa.PrivateKey, serial string, end time.Time) string {
	t.Helper()
	n, ok := new(big.Int).SetString(serial, 16)
	if !ok {
		t.Fatalf("serial %q", serial)
	}
	tmpl := &x509.Certificate{SerialNumber: n, Subject: pkix.Name{CommonName: "演示医院"}, NotBefore: end.AddDate(-5, 0, 0), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestConfig_CertificatesWarnOnceAtEachStep: 30, 7 and 1 days before the end,
// once each, in the staff's notices.
func TestConfig_CertificatesWarnOnceAtEachStep(t *testing.T) {
	d := newDesk(t)
	rec := mustRecord(t, d.App, collections.ChannelConfigs, d.id(t, collections.ChannelConfigs, `channel = "wechat"`))
	held, err := d.Store.RecordSecrets(rec)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(held["private_key"]))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	cert := expiring(t, key.(*rsa.PrivateKey), held["serial_no"], testday.Now().Add(40*24*time.Hour+time.Hour))
	change := d.propose(d.config, "channel_configs", rec.Id, map[string]any{"secrets": map[string]any{"merchant_cert": cert}})
	wantState(t, "confirm", d.decide(d.finance, change, "confirm"), "applied")
	res := d.Call("GET", "/api/hospay/config/certificates", d.auditor, nil)
	if !strings.Contains(string(res.Raw), `"what":"merchant_cert","label":"商户证书","id":"`+held["serial_no"]+`","subject":"演示医院"`) ||
		!strings.Contains(string(res.Raw), `"days":40`) {
		t.Errorf("certificates: %d %s", res.Status, res.Raw)
	}
	run := func() int {
		t.Helper()
		n, err := d.Jobs.RunNow(context.Background(), "certificates")
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, c := range []struct{ after, want int }{{0, 0}, {10, 1}, {1, 0}, {22, 1}, {3, 0}, {3, 1}, {1, 0}, {30, 0}} {
		d.Advance(time.Duration(c.after) * 24 * time.Hour)
		if n := run(); n != c.want {
			t.Errorf("after %d more days: %d warnings, want %d", c.after, n, c.want)
		}
		if n := run(); n != 0 {
			t.Errorf("told again: %d", n)
		}
	}
	list := d.Call("GET", "/api/collections/notifications/records", d.config, nil)
	if list.Text("totalItems") != "3" || !strings.Contains(string(list.Raw), "微信") {
		t.Errorf("config reads %s", list.Raw)
	}
	wrongKey := d.propose(d.config, "channel_configs", rec.Id,
		map[string]any{"secrets": map[string]any{"merchant_cert": expiring(t, key.(*rsa.PrivateKey), "0ABC", testday.Now())}})
	wantCode(t, "another certificate", wrongKey, 400, "config_invalid")
}

// TestConfig_ANewHISAddressIsTestedByAnother: held passwords go to an address
// that one person has named only when another person wants it.
func TestConfig_ANewHISAddressIsTestedByAnother(t *testing.T) {
	d := newDesk(t)
	var asked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer elsewhere.Close()
	his := d.id(t, collections.HISConfigs, "active = true")
	ask := func(token string, change testapp.Answer) testapp.Answer {
		return d.Call("POST", "/api/hospay/config/test", token, map[string]any{"his": true, "change": change.Text("id")})
	}
	change := d.propose(d.config, "his_configs", his, map[string]any{"base_url": elsewhere.URL})
	wantState(t, "address", change, "waiting")
	wantCode(t, "own address", ask(d.config, change), 403, "test_by_another")
	if n := asked.Load(); n != 0 {
		t.Fatalf("%d requests with held secrets", n)
	}
	if res := ask(d.finance, change); res.Status != 200 || asked.Load() == 0 {
		t.Errorf("another person: %d %s", res.Status, res.Raw)
	}
	asked.Store(0)
	own := map[string]any{"key": "new-key", "sign_key": "new-sign-key", "user": "u", "password": "p"}
	change = d.propose(d.config, "his_configs", his, map[string]any{"base_url": elsewhere.URL, "secrets": own})
	if res := ask(d.config, change); res.Status != 200 || asked.Load() == 0 {
		t.Errorf("with secrets of one's own: %d %s", res.Status, res.Raw)
	}
	change = d.propose(d.config, "his_configs", his, map[string]any{"timeout_ms": 7000})
	if res := ask(d.config, change); res.Status != 200 {
		t.Errorf("the same address: %d %s", res.Status, res.Raw)
	}
}

// TestConfig_TheCentreIsTested as it is and as a waiting change would have it: a
// signed answer proves address, keys and clock. Held keys sign for an address that one
// person has named only when another person wants it.
func TestConfig_TheCentreIsTested(t *testing.T) {
	d := newDesk(t)
	var asked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer elsewhere.Close()
	centre := d.id(t, collections.CentreConfigs, "active = true")
	ask := func(token string, body map[string]any) testapp.Answer {
		body["centre"] = true
		return d.Call("POST", "/api/hospay/config/test", token, body)
	}
	if res := ask(d.config, map[string]any{}); res.Status != 200 || res.Body["ok"] != true {
		t.Fatalf("as it is: %d %s", res.Status, res.Raw)
	}
	wantCode(t, "two things at once", ask(d.config, map[string]any{"his": true}), 400, "bad_request")
	change := d.propose(d.config, "centre_configs", centre, map[string]any{"base_url": elsewhere.URL})
	wantState(t, "address", change, "waiting")
	wantCode(t, "own address", ask(d.config, map[string]any{"change": change.Text("id")}), 403, "test_by_another")
	if n := asked.Load(); n != 0 {
		t.Fatalf("%d requests signed with held keys", n)
	}
	res := ask(d.finance, map[string]any{"change": change.Text("id")})
	if res.Status != 200 || res.Body["ok"] != false || asked.Load() == 0 {
		t.Errorf("another person: %d %s", res.Status, res.Raw)
	}
	d.Sims.Centre.Close()
	if res := ask(d.config, map[string]any{}); res.Status != 200 || res.Body["ok"] != false || !strings.Contains(string(res.Raw), "steps") {
		t.Errorf("a centre that is gone: %d %s", res.Status, res.Raw)
	}
}
