package trail_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hospay/internal/testday"
	"hospay/notify/trail"
)

var rows = []json.RawMessage{json.RawMessage(`{"seq":1,"action":"x"}`), json.RawMessage(`{"seq":2,"action":"甲"}`)}

// listen is a syslog server with a certificate of its own; what comes on a
// connection is told whole.
func listen(t *testing.T) (address, ca string, got <-chan []byte) {
	t.Helper()
	web := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: web.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	out := make(chan []byte, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			data, _ := io.ReadAll(conn)
			conn.Close()
			out <- data
		}
	}()
	return "tls://" + l.Addr().String(), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})), out
}

// TestSyslog_OverTLS: every row comes with its length in front, and only to a
// server whose certificate is trusted.
func TestSyslog_OverTLS(t *testing.T) {
	address, ca, got := listen(t)
	c, err := trail.New(trail.Syslog, address, map[string]string{"ca": ca}, testday.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	text := string(<-got)
	if strings.Count(text, "<110>1 ") != 2 || !strings.HasSuffix(text, `{"seq":2,"action":"甲"}`) {
		t.Errorf("%q", text)
	}
	stranger, err := trail.New(trail.Syslog, address, nil, testday.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.Send(t.Context(), rows); err == nil || !strings.Contains(err.Error(), "syslog") {
		t.Errorf("an unknown certificate: %v", err)
	}
	if data := <-got; len(data) > 0 {
		t.Errorf("rows went to a stranger: %q", data)
	}
}

// TestSyslog_AConnectionThatBreaksTookNothing: a server that resets the
// connection has not taken the rows.
func TestSyslog_AConnectionThatBreaksTookNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.(*net.TCPConn).SetLinger(0)
			_, _ = conn.Read(make([]byte, 1))
			conn.Close()
		}
	}()
	c, err := trail.New(trail.Syslog, "tcp://"+l.Addr().String(), nil, testday.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(t.Context(), []json.RawMessage{bytes.Repeat([]byte("1"), 1<<20)}); err == nil {
		t.Error("rows that were reset count as taken")
	}
}

// TestWebhook_OnlySuccessIsTaken: other statuses and redirects are no receipts.
func TestWebhook_OnlySuccessIsTaken(t *testing.T) {
	for status, taken := range map[int]bool{200: true, 204: true, 302: false, 400: false, 500: false} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		c, err := trail.New(trail.Webhook, s.URL, map[string]string{"sign_key": "0123456789abcdef"}, testday.Now)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Send(t.Context(), rows); (err == nil) != taken {
			t.Errorf("%d: %v", status, err)
		}
		s.Close()
	}
}
