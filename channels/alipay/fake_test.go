package alipay

import (
	"crypto"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/calendar"
	"hospay/channels"
	"hospay/refund"
)

// The other side of the tests, written from the protocol's description.
const (
	testApp = "2021000000000001"
	testPID = "2088000000000001"
)

type keys struct {
	app, alipay, other               *rsa.PrivateKey
	appCert, alipayCert, rootCert    string
	appSN, alipaySN, otherSN, rootSN string
}

var testKeys = sync.OnceValue(func() keys {
	gen := func() *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return k
	}
	k := keys{app: gen(), alipay: gen(), other: gen()}
	root := gen()
	ca := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Test Root", Organization: []string{"Ant"},
		Country: []string{"CN"}},
		IsCA: true, BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	issue := func(serial int64, name string, pub *rsa.PublicKey) (string, string) {
		tmpl := ca
		if name != "" {
			tmpl = &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: ca.NotBefore,
				NotAfter: ca.NotAfter}
		}
		der, err := x509.CreateCertificate(rand.Reader, tmpl, ca, pub, root)
		if err != nil {
			panic(err)
		}
		sum := md5.Sum([]byte("CN=Test Root,O=Ant,C=CN" + fmt.Sprint(tmpl.SerialNumber)))
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), hex.EncodeToString(sum[:])
	}
	k.rootCert, k.rootSN = issue(7, "", &root.PublicKey)
	k.appCert, k.appSN = issue(8, "app", &k.app.PublicKey)
	k.alipayCert, k.alipaySN = issue(9, "alipay", &k.alipay.PublicKey)
	_, k.otherSN = issue(10, "other", &k.other.PublicKey)
	return k
})

func privatePEM(k *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}))
}

func testConfig(base string) channels.Config {
	k := testKeys()
	return channels.Config{
		Institution: "h1", Channel: Name, MerchantID: testPID, AppID: testApp, APIBase: base,
		NotifyURL: "https://hospital.example/notify", Settings: map[string]string{"medins_org_cert": "ab/cd+ef==", "medins_city": "440100"},
		Secrets: map[string]string{"private_key": privatePEM(k.app), "app_cert": k.appCert, "alipay_cert": k.alipayCert,
			"alipay_root_cert": k.rootCert},
	}
}

// keyConfig is the public-key mode.
func keyConfig(base string) channels.Config {
	der, _ := x509.MarshalPKIXPublicKey(&testKeys().alipay.PublicKey)
	cfg := testConfig(base)
	cfg.Secrets = map[string]string{"private_key": cfg.Secrets["private_key"], "alipay_public_key": base64.StdEncoding.EncodeToString(der)}
	return cfg
}

func newClient(t testing.TB, cfg channels.Config) *Client {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func sign(k *rsa.PrivateKey, text string) string {
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(sig)
}

// wrapper is the member that holds the answer of a method.
func wrapper(method string) string { return strings.ReplaceAll(method, ".", "_") + "_response" }

func reply(w io.Writer, method, body string, k *rsa.PrivateKey, sn string) {
	fmt.Fprintf(w, `{"%s":%s,"alipay_cert_sn":"%s","sign":"%s"}`, wrapper(method), body, sn, sign(k, body))
}

// answer writes a signed answer in certificate mode.
func answer(w io.Writer, method, body string) {
	reply(w, method, body, testKeys().alipay, testKeys().alipaySN)
}

// sorted is the text that is signed: sorted k=v, joined by &.
func sorted(form url.Values, leave ...string) string {
	var pairs []string
	for k, v := range form {
		if v[0] != "" && !strings.Contains(" "+strings.Join(leave, " ")+" ", " "+k+" ") {
			pairs = append(pairs, k+"="+v[0])
		}
	}
	sort.Strings(pairs)
	return strings.Join(pairs, "&")
}

// serve starts a gateway that verifies every request; f answers by method.
func serve(t *testing.T, f func(w http.ResponseWriter, form url.Values)) *httptest.Server {
	t.Helper()
	k := testKeys()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != gatewayPath {
			f(w, url.Values{"file": {r.URL.String()}})
			return
		}
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		sum := sha256.Sum256([]byte(sorted(form, "sign")))
		sig, _ := base64.StdEncoding.DecodeString(form.Get("sign"))
		if rsa.VerifyPKCS1v15(&k.app.PublicKey, crypto.SHA256, sum[:], sig) != nil {
			t.Error("bad request signature")
		}
		at, err := time.ParseInLocation(time.DateTime, form.Get("timestamp"), calendar.Beijing)
		if err != nil || time.Since(at).Abs() > time.Minute || form.Get("app_id") != testApp || form.Get("sign_type") != "RSA2" ||
			form.Get("charset") != "utf-8" {
			t.Errorf("bad common parameters: %v", form)
		}
		if sn := form.Get("app_cert_sn"); sn != "" && (sn != k.appSN || form.Get("alipay_root_cert_sn") != k.rootSN) {
			t.Errorf("certificate numbers %v", form)
		}
		f(w, form)
	}))
	t.Cleanup(srv.Close)
	return srv
}

// always answers every method with the same signed body.
func always(t *testing.T, body string) *Client {
	return newClient(t, testConfig(serve(t, func(w http.ResponseWriter, form url.Values) { answer(w, form.Get("method"), body) }).URL))
}

func failure(code, sub string) string {
	return fmt.Sprintf(`{"code":"%s","msg":"Business Failed","sub_code":"%s","sub_msg":"说明"}`, code, sub)
}

// notification signs a form the V1 way: without sign and sign_type.
func notification(k *rsa.PrivateKey, form url.Values) []byte {
	form.Set("sign_type", "RSA2")
	form.Set("sign", sign(k, sorted(form, "sign", "sign_type", "alipay_cert_sn")))
	return []byte(form.Encode())
}

func transferPayout() refund.Payout {
	return refund.Payout{No: "T20260102A1", Method: refund.MethodTransfer, Amount: 12345, Remark: "退预交金",
		Payee: refund.Payee{Account: "13800138000", Type: refund.AccountAlipayLogonID, Name: "张三丰"}}
}

func originalPayout() refund.Payout {
	return refund.Payout{No: "R20260102A1", Method: refund.MethodOriginal, Amount: 500, Payee: transferPayout().Payee,
		Original: &refund.Payment{TradeNo: "D1", ChannelNo: "2026010222001", Amount: 10000}}
}
