package wechat

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"hospay/channels"
	"hospay/refund"
)

// The other side of the tests, written from the protocol's description.
const (
	testMch    = "1900000001"
	testApp    = "wx0123456789abcdef"
	testSerial = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
	testAPIKey = "0123456789abcdef0123456789abcdef"
	testKeyID  = "PUB_KEY_ID_0119000000012025010100001"
	testSecret = "app-secret-do-not-tell"
)

type keys struct {
	merchant, wechat, old *rsa.PrivateKey
	cert                  *x509.Certificate
	certPEM               string
}

var testKeys = sync.OnceValue(func() keys {
	gen := func() *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return k
	}
	k := keys{merchant: gen(), wechat: gen(), old: gen()}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(0xABCDEF0123), Subject: pkix.Name{CommonName: "Tenpay.com sign"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.old.PublicKey, k.old)
	if err != nil {
		panic(err)
	}
	k.cert, _ = x509.ParseCertificate(der)
	k.certPEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return k
})

func privatePEM(k *rsa.PrivateKey) string {
	der, _ := x509.MarshalPKCS8PrivateKey(k)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func publicPEM(k *rsa.PrivateKey) string {
	der, _ := x509.MarshalPKIXPublicKey(&k.PublicKey)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func testConfig(base string) channels.Config {
	k := testKeys()
	return channels.Config{
		Institution: "h1", Channel: Name, MerchantID: testMch, AppID: testApp, APIBase: base,
		NotifyURL: "https://hospital.example/notify",
		Settings: map[string]string{"medins_channel": "AAchannel", "medins_org_cert": "ab/cd+ef==", "medins_city": "440108",
			"medins_partner_id": testPartner},
		Secrets: map[string]string{"private_key": privatePEM(k.merchant), "serial_no": testSerial, "api_v3_key": testAPIKey,
			"public_key": publicPEM(k.wechat), "public_key_id": testKeyID, "app_secret": testSecret,
			"medins_partner_secret": testPartnerSecret},
	}
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

// stamp sets the signature headers over a body.
func stamp(h http.Header, k *rsa.PrivateKey, serial, body string, at time.Time) {
	ts := fmt.Sprint(at.Unix())
	h.Set("Wechatpay-Timestamp", ts)
	h.Set("Wechatpay-Nonce", "nonce123")
	h.Set("Wechatpay-Serial", serial)
	h.Set("Wechatpay-Signature", sign(k, ts+"\nnonce123\n"+body+"\n"))
}

// answer writes a signed answer.
func answer(w http.ResponseWriter, status int, body string) {
	stamp(w.Header(), testKeys().wechat, testKeyID, body, time.Now())
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// refuse writes an error the way WeChat does: without a signature.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": code, "message": message})
}

// checkSigned verifies the five signed lines of a request on its raw bytes.
func checkSigned(t *testing.T, r *http.Request) []byte {
	t.Helper()
	body, _ := io.ReadAll(r.Body)
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	items := map[string]string{}
	for _, kv := range strings.Split(rest, ",") {
		k, v, _ := strings.Cut(kv, "=")
		items[k] = strings.Trim(v, `"`)
	}
	text := r.Method + "\n" + r.URL.RequestURI() + "\n" + items["timestamp"] + "\n" + items["nonce_str"] + "\n" + string(body) + "\n"
	sum := sha256.Sum256([]byte(text))
	sig, _ := base64.StdEncoding.DecodeString(items["signature"])
	if scheme != "WECHATPAY2-SHA256-RSA2048" || items["mchid"] != testMch || items["serial_no"] != testSerial ||
		rsa.VerifyPKCS1v15(&testKeys().merchant.PublicKey, crypto.SHA256, sum[:], sig) != nil {
		t.Errorf("%s %s: bad request signature", r.Method, r.URL)
	}
	return body
}

// serve starts a side that verifies every request and answers with f.
func serve(t *testing.T, f func(w http.ResponseWriter, r *http.Request, body []byte)) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f(w, r, checkSigned(t, r)) }))
	t.Cleanup(srv.Close)
	return srv
}

func openOAEP(t *testing.T, k *rsa.PrivateKey, text string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := rsa.DecryptOAEP(sha1.New(), nil, k, raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

// callback makes a signed notification around a plain resource.
func callback(event, plain string) (http.Header, []byte) {
	block, _ := aes.NewCipher([]byte(testAPIKey))
	gcm, _ := cipher.NewGCM(block)
	nonce := []byte("123456789012")
	body, _ := json.Marshal(map[string]any{
		"id": "EV-1", "create_time": "2026-01-02T03:04:05+08:00", "resource_type": "encrypt-resource", "event_type": event,
		"summary": "s", "resource": map[string]string{"algorithm": "AEAD_AES_256_GCM", "original_type": "mch_payment",
			"associated_data": "mch_payment", "nonce": string(nonce),
			"ciphertext": base64.StdEncoding.EncodeToString(gcm.Seal(nil, nonce, []byte(plain), []byte("mch_payment")))},
	})
	h := http.Header{}
	stamp(h, testKeys().wechat, testKeyID, string(body), time.Now())
	h.Set("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048")
	return h, body
}

func transferPayout() refund.Payout {
	return refund.Payout{No: "T20260102A1", Method: refund.MethodTransfer, Amount: 12345, Remark: "退预交金",
		Payee: refund.Payee{Account: "oSecretOpenID0001", Type: refund.AccountWechatOpenID, Name: "张三丰"}}
}

func originalPayout() refund.Payout {
	return refund.Payout{No: "R20260102A1", Method: refund.MethodOriginal, Amount: 500, Payee: transferPayout().Payee,
		Original: &refund.Payment{TradeNo: "D1", ChannelNo: "4200000001", Amount: 10000}}
}
