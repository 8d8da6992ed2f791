// Package trail sends rows of the audit log to a collector outside the machine:
// to a webhook, or as syslog (RFC 5424) over a connection. Rows come as their
// JSON and in order; a sender takes a batch whole or not at all.
package trail

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"hospay/internal/wire"
)

// The kinds of collectors.
const (
	Webhook = "webhook"
	Syslog  = "syslog"
)

const sendTime = 15 * time.Second

// Collector is where rows go.
type Collector struct {
	kind    string
	url     *url.URL
	secrets map[string]string
	now     func() time.Time
	http    *http.Client
}

// New reads what IT has entered. A webhook is https unless its address is one of
// the house, and has a key of at least 16 characters under sign_key. Syslog is
// tls://host:port, or tcp://host:port within the house; UDP would lose rows
// without anybody noticing. ca may hold the collector's own certificate.
func New(kind, address string, secrets map[string]string, now func() time.Time) (*Collector, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("地址不正确")
	}
	c := &Collector{kind: kind, url: u, secrets: secrets, now: now}
	secure := map[string]bool{"https": true, "tls": true}[u.Scheme]
	switch {
	case kind == Webhook && u.Scheme != "https" && u.Scheme != "http", kind == Syslog && u.Scheme != "tls" && u.Scheme != "tcp":
		return nil, errors.New("地址应为 https://…（webhook）或 tls://主机:端口（syslog）")
	case kind == Syslog && u.Port() == "":
		return nil, errors.New("syslog 地址要写明端口")
	case !secure && !inHouse(u.Hostname()):
		return nil, errors.New("院外地址必须加密：https:// 或 tls://")
	case kind == Webhook && len(secrets["sign_key"]) < 16:
		return nil, errors.New("webhook 需要密钥 sign_key，至少 16 个字符")
	case kind == Webhook:
		c.http, err = wire.Client(wire.Rules{Only: u})
	case kind != Syslog:
		err = errors.New("类型应为 webhook 或 syslog")
	}
	return c, err
}

// inHouse reports whether a host is named by an address of the house.
func inHouse(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && (a.Unmap().IsPrivate() || a.Unmap().IsLoopback()))
}

// Send delivers rows. No error means that the collector has them all: a webhook
// has said so with a status of success; a syslog server has read the connection
// to its end, since syslog has no receipts.
func (c *Collector) Send(ctx context.Context, rows []json.RawMessage) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	if c.kind == Webhook {
		return c.post(ctx, rows)
	}
	return c.stream(ctx, rows)
}

func (c *Collector) post(ctx context.Context, rows []json.RawMessage) error {
	body, err := json.Marshal(map[string]any{"rows": rows})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url.String(), bytes.NewReader(body))
	if err != nil {
		return wire.Plain("webhook", wire.ErrAddress)
	}
	at := c.now().UTC().Format(time.RFC3339)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hospay-Timestamp", at)
	req.Header.Set("X-Hospay-Signature", Sign(c.secrets["sign_key"], at, body))
	res, err := c.http.Do(req)
	if err != nil {
		return wire.Plain("webhook", err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("webhook: HTTP %d", res.StatusCode)
	}
	return nil
}

// Sign is the signature of a body that was sent at a time: HMAC-SHA256 over the
// time, a line break and the body.
func Sign(key, at string, body []byte) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(at + "\n"))
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

// stream writes rows with their length in front (RFC 6587, 5425), says that no
// more is coming, and waits until the other side has read that.
func (c *Collector) stream(ctx context.Context, rows []json.RawMessage) error {
	var secure *tls.Config
	if c.url.Scheme == "tls" {
		secure = &tls.Config{ServerName: c.url.Hostname(), MinVersion: tls.VersionTLS12}
		if pem := c.secrets["ca"]; pem != "" {
			secure.RootCAs = x509.NewCertPool()
			if !secure.RootCAs.AppendCertsFromPEM([]byte(pem)) {
				return errors.New("syslog: 证书 ca 无法读取")
			}
		}
	}
	conn, err := wire.Stream(ctx, c.url, secure)
	if err != nil {
		return wire.Plain("syslog", err)
	}
	defer conn.Close()
	if _, err := conn.Write(c.messages(rows)); err != nil {
		return wire.Plain("syslog", err)
	}
	if err := conn.CloseWrite(); err != nil {
		return wire.Plain("syslog", err)
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(conn, 64<<10)); err != nil {
		return wire.Plain("syslog", err)
	}
	return nil
}

// messages are the rows as RFC 5424 has them: facility log audit, severity
// informational.
func (c *Collector) messages(rows []json.RawMessage) []byte {
	const auditInfo = 13*8 + 6
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "-"
	}
	var out bytes.Buffer
	for _, row := range rows {
		m := fmt.Sprintf("<%d>1 %s %s hospay - audit - %s", auditInfo, c.now().UTC().Format("2006-01-02T15:04:05.000Z"), host, row)
		fmt.Fprintf(&out, "%d %s", len(m), m)
	}
	return out.Bytes()
}
