package e2e

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hospay/lab/demo"
	"hospay/lab/testapp"
	"hospay/store"

	"github.com/pocketbase/dbx"
)

// nginx runs Debian's nginx before a program, with the configuration of
// deploy/nginx.conf but for addresses and certificates, and returns its address.
func nginx(t *testing.T, upstream string) string {
	t.Helper()
	return nginxWith(t, upstream, func(port int) map[string]string {
		return map[string]string{"listen 443 ssl http2;": fmt.Sprintf("listen 127.0.0.1:%d;", port),
			"ssl_certificate     /etc/nginx/tls/refund.pem;": "", "ssl_certificate_key /etc/nginx/tls/refund.key;": "",
			"listen 10.1.1.5:8443 ssl http2;": "listen unix:" + t.TempDir() + "/admin.sock;", "ssl_certificate     /etc/nginx/tls/admin.pem;": "",
			"ssl_certificate_key /etc/nginx/tls/admin.key;": ""}
	}, "http")
}

// nginxWith runs it with other texts in the configuration, which depend on the
// port.
func nginxWith(t *testing.T, upstream string, changes func(port int) map[string]string, scheme string) string {
	t.Helper()
	bin, err := exec.LookPath("nginx")
	if err != nil {
		if bin = "/usr/sbin/nginx"; !exists(bin) {
			t.Fatal("nginx is missing: make nginx installs it")
		}
	}
	dir := t.TempDir()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	site := string(must(os.ReadFile("../deploy/nginx.conf")))
	with := changes(port)
	with["server 127.0.0.1:8090;"], with["listen 80;"] = "server "+upstream+";", "listen unix:"+dir+"/http.sock;"
	for old, with := range with {
		if !strings.Contains(site, old) {
			t.Fatalf("deploy/nginx.conf has no %q", old)
		}
		site = strings.ReplaceAll(site, old, with)
	}
	var temp strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temp, "%s_temp_path %s/%s;\n", kind, dir, kind)
	}
	conf := filepath.Join(dir, "nginx.conf")
	text := "daemon off;\nmaster_process off;\nerror_log " + dir + "/error.log;\npid " + dir + "/pid;\n" +
		"events { worker_connections 512; }\nhttp {\naccess_log off;\n" + temp.String() + site + "}\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.Command(bin, "-p", dir, "-c", conf)
	run.Stderr = os.Stderr
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Process.Kill(); _ = run.Wait() })
	address := fmt.Sprintf("%s://127.0.0.1:%d", scheme, port)
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for range 400 {
		if res, err := c.Get(address + "/api/health"); err == nil {
			res.Body.Close()
			return address
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("nginx does not answer: %s", must(os.ReadFile(dir+"/error.log")))
	return ""
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// from is a client with an address of its own: the loopback network has many.
func from(n int) *http.Client {
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(n))}}
	return &http.Client{Transport: &http.Transport{DialContext: d.DialContext}}
}

// forged are headers by which somebody claims to be another.
func forged(n int) http.Header {
	h, other := http.Header{}, fmt.Sprintf("10.9.%d.%d", n/200, n%200)
	for _, name := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "X-Client-IP", "True-Client-IP"} {
		h.Set(name, other)
	}
	return h
}

func wrongTicket(t *testing.T, c *http.Client, address string, h http.Header) int {
	t.Helper()
	body := strings.NewReader(`{"ticket":"forged.ticket"}`)
	req := must(http.NewRequestWithContext(t.Context(), "POST", address+"/api/hospay/auth/ticket", body))
	req.Header = h.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// TestNginx_EveryClientKeepsTheirBudget: behind a real nginx forty-five clients
// have a budget each, and nobody has another's by saying so.
func TestNginx_EveryClientKeepsTheirBudget(t *testing.T) {
	a := testapp.New(t, testapp.Config{Limits: true, Proxy: "127.0.0.1"})
	address := nginx(t, strings.TrimPrefix(a.URL, "http://"))
	const clients, budget = 45, 30
	for n := 1; n <= clients; n++ {
		c, told := from(n), map[int]int{}
		for i := range budget + 3 {
			told[wrongTicket(t, c, address, forged(n*100+i))]++
		}
		if told[401] != budget || told[429] != 3 {
			t.Fatalf("client %d: %v", n, told)
		}
	}
	if got := wrongTicket(t, from(clients+1), address, nil); got != 401 {
		t.Errorf("one more client: %d", got)
	}
	// The same is true of whoever reaches the program beside its proxy.
	told := map[int]int{}
	for i := range budget + 3 {
		told[wrongTicket(t, from(100), a.URL, forged(i))]++
	}
	if told[401] != budget || told[429] != 3 {
		t.Errorf("beside the proxy: %v", told)
	}
	body := strings.NewReader(`{"frozen":true,"note":"演练一次"}`)
	req := must(http.NewRequestWithContext(t.Context(), "POST", address+"/api/hospay/payouts/freeze", body))
	req.Header = forged(7)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", a.Staff("finance"))
	res := must(from(77).Do(req))
	res.Body.Close()
	var noted string
	const last = "SELECT address FROM audit_log WHERE action = {:a} ORDER BY rowid DESC LIMIT 1"
	if err := a.Runtime.App.DB().NewQuery(last).Bind(dbx.Params{"a": store.FreezeAction}).Row(&noted); err != nil || noted != "127.0.1.77" {
		t.Errorf("the audit log says %q, %v (%d)", noted, err, res.StatusCode)
	}
}

// TestNginx_NothingLeadsToTheListenerOfIT: not by path, nor by header, nor with
// a superuser's token.
func TestNginx_NothingLeadsToTheListenerOfIT(t *testing.T) {
	a := testapp.New(t, testapp.Config{Proxy: "127.0.0.1", Admin: true})
	address := nginx(t, strings.TrimPrefix(a.URL, "http://"))
	public := a.URL
	a.URL = a.AdminURL
	token := a.Superuser()
	a.URL = public
	ask := func(base, method, path, token string) int {
		req := must(http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(`{}`)))
		req.Header = forged(1)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", token)
		req.Header.Set("X-Forwarded-Host", strings.TrimPrefix(a.AdminURL, "http://"))
		req.Host = strings.TrimPrefix(a.AdminURL, "http://")
		res := must(http.DefaultTransport.RoundTrip(req))
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
	superusers := must(a.Runtime.App.FindCollectionByNameOrId("_superusers")).Id
	for _, route := range []string{
		"GET /_/", "GET /_/extensions.js", "GET /api/settings", "PATCH /api/settings", "GET /api/logs", "GET /api/logs/stats", "GET /api/backups",
		"POST /api/backups", "POST /api/backups/upload", "GET /api/crons", "POST /api/sql", "GET /api/collections", "POST /api/collections",
		"GET /api/collections/refund_orders", "PATCH /api/collections/refund_orders", "GET /api/collections/meta/scaffolds",
		"PUT /api/collections/import", "POST /api/collections/_superusers/auth-with-password",
		"POST /api/collections/" + superusers + "/auth-with-password", "POST /api/collections/_SuperUsers/auth-with-password",
		"GET /api/collections/_superusers/records", "POST /api/collections/_superusers/auth-refresh", "GET /api/collections/_otps/records",
		"POST /api/collections/patients/impersonate/x", "GET /api/hospay/overview", "POST /api/hospay/jobs/notices/run",
		"GET /api/collections/refund_orders/records", "GET /api/collections/staff/records", "POST /api/files/token",
	} {
		method, path, _ := strings.Cut(route, " ")
		for _, p := range []string{path, strings.Replace(path, "/api/", "/api%2f", 1), strings.Replace(path, "/_/", "/%5f/", 1), "/x/.." + path} {
			if got := ask(address, method, p, token); got != 404 && !(got == 405 || got == 301 || got == 307) {
				t.Errorf("%s %s through nginx: %d", method, p, got)
			}
		}
		if got := ask(a.URL, method, path, token); got != 404 {
			t.Errorf("%s on the public listener: %d", route, got)
		}
		// The dashboard itself is served by TestServe_TwoListeners' program only.
		if got := ask(a.AdminURL, method, path, token); got == 404 && !strings.HasSuffix(path, "/x") && !strings.HasPrefix(path, "/_/") {
			t.Errorf("%s on the listener of IT: %d", route, got)
		}
	}
	if res := a.Call("GET", "/api/hospay/me", a.Login("P0001", "wechat").Token, nil); res.Status != 200 {
		t.Errorf("a patient on the public listener: %d", res.Status)
	}
	if res := password(a, "finance", demo.Password); res.Status != 200 {
		t.Errorf("staff on the public listener: %d", res.Status)
	}
}
