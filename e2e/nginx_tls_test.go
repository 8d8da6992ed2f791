package e2e

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hospay/internal/testday"
	"hospay/lab/testapp"
)

// certificate writes a key and a certificate for loopback that only this test
// trusts.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	k := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: testday.Now().AddDate(-1, 0, 0), NotAfter: testday.Now().AddDate(1, 0, 0),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der := must(x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k))
	cert, key = filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der},
		key: {Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(k))}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestNginx_TwoListenersOverHTTP2: the sample as it is, with TLS: patients come by
// HTTP/2, a stream arrives as it is sent, WeChat finds its file, and IT's listener
// has the dashboard and no figures.
func TestNginx_TwoListenersOverHTTP2(t *testing.T) {
	a := testapp.New(t, testapp.Config{Proxy: "127.0.0.1", Admin: true})
	cert, key := certificate(t, t.TempDir())
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	admin := listener.Addr().String()
	listener.Close()
	address := nginxWith(t, strings.TrimPrefix(a.URL, "http://"), func(port int) map[string]string {
		return map[string]string{
			"listen 443 ssl http2;": fmt.Sprintf("listen 127.0.0.1:%d ssl http2;", port), "/etc/nginx/tls/refund.pem": cert,
			"/etc/nginx/tls/refund.key": key, "/etc/nginx/tls/admin.pem": cert, "/etc/nginx/tls/admin.key": key,
			"listen 10.1.1.5:8443": "listen " + admin, "server 127.0.0.1:8091;": "server " + strings.TrimPrefix(a.AdminURL, "http://") + ";",
			"allow 10.0.0.0/8;": "allow 127.0.0.1;",
		}
	}, "https")
	c := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	get := func(url string) (*http.Response, string) {
		res := must(c.Do(must(http.NewRequestWithContext(t.Context(), "GET", url, nil))))
		defer res.Body.Close()
		return res, string(must(io.ReadAll(res.Body)))
	}
	if res, _ := get(address + "/api/health"); res.StatusCode != 200 || res.ProtoMajor != 2 {
		t.Errorf("%d %s", res.StatusCode, res.Proto)
	}
	if err := os.MkdirAll(filepath.Join(a.Dir, "verify"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a.Dir, "verify", "MP_verify_a1B2c3D4.txt"), []byte("a1B2c3D4"), 0o600); err != nil {
		t.Fatal(err)
	}
	if res, body := get(address + "/MP_verify_a1B2c3D4.txt"); res.StatusCode != 200 || body != "a1B2c3D4" ||
		!strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("%d %q %s", res.StatusCode, body, res.Header)
	}
	for _, path := range []string{"/MP_verify_none.txt", "/..%2fkey.json", "/verify/MP_verify_a1B2c3D4.txt"} {
		if _, body := get(address + path); strings.Contains(body, "a1B2c3D4") || strings.Contains(body, "kek") {
			t.Errorf("%s: %.80s", path, body)
		}
	}
	res := must(c.Do(must(http.NewRequestWithContext(t.Context(), "GET", address+"/api/realtime", nil))))
	defer res.Body.Close()
	line, err := bufio.NewReader(res.Body).ReadString('\n') // comes while the answer is open
	if err != nil || !strings.HasPrefix(line, "id:") {
		t.Errorf("%q %v", line, err)
	}
	if res, _ := get("https://" + admin + "/api/settings"); res.StatusCode == 404 { // 401: it is there
		t.Errorf("settings on IT's listener: %d", res.StatusCode)
	}
	if res, _ := get("https://" + admin + "/metrics"); res.StatusCode != 404 {
		t.Errorf("metrics through nginx: %d", res.StatusCode)
	}
}
