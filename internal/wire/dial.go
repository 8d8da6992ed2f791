package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

var (
	sharedMu   sync.Mutex
	transports = map[string]*http.Transport{}
)

// shared returns one transport per set of rules, so that clients that are built
// again keep their connections.
func shared(r Rules) (*http.Transport, error) {
	var open []string
	for _, u := range r.Open {
		open = append(open, explicit(u)...)
	}
	slices.Sort(open)
	key := strings.Join(open, " ") + "|" + r.Proxy
	if r.Only != nil {
		key = "only " + HostPort(r.Only)
	}
	sharedMu.Lock()
	defer sharedMu.Unlock()
	if t, ok := transports[key]; ok {
		return t, nil
	}
	t := newTransport()
	if r.Only != nil {
		t.DialContext = dialOnly(HostPort(r.Only))
		transports[key] = t
		return t, nil
	}
	proxy := r.Proxy
	if proxy == "environment" {
		proxy = os.Getenv("HTTPS_PROXY")
	}
	if proxy != "" {
		u, err := ParseBase(proxy)
		if err != nil {
			return nil, fmt.Errorf("代理%w", err)
		}
		t.Proxy, open = http.ProxyURL(u), append(open, HostPort(u))
	}
	t.ForceAttemptHTTP2, t.DisableCompression = true, true // bills must arrive byte for byte
	t.DialContext = dialPublic(open)
	transports[key] = t
	return t, nil
}

func newTransport() *http.Transport {
	return &http.Transport{
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    128,
		MaxConnsPerHost:        256,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    5 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

type dial func(ctx context.Context, network, addr string) (net.Conn, error)

// dialOnly dials one host and port.
func dialOnly(want string) dial {
	d := &net.Dialer{Timeout: 5 * time.Second}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if !strings.EqualFold(addr, want) {
			return nil, ErrAddress
		}
		return d.DialContext(ctx, network, addr)
	}
}

// dialPublic refuses inner addresses after resolution, so that no name can
// point into the hospital's network. Only the listed host:port are exempt.
func dialPublic(open []string) dial {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		d := net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
		if !slices.Contains(open, strings.ToLower(addr)) {
			d.Control = func(_, resolved string, _ syscall.RawConn) error { return publicOnly(resolved) }
		}
		return d.DialContext(ctx, network, addr)
	}
}

// explicit returns the URL's host:port when it names an address, not a domain.
func explicit(u *url.URL) []string {
	host := strings.ToLower(u.Hostname())
	if _, err := netip.ParseAddr(host); err != nil && host != "localhost" {
		return nil
	}
	return []string{HostPort(u)}
}

// carrier is the shared address space of RFC 6598; clouds keep metadata there.
var carrier = netip.MustParsePrefix("100.64.0.0/10")

func publicOnly(resolved string) error {
	ap, err := netip.ParseAddrPort(resolved)
	if err != nil {
		return ErrAddress
	}
	a := ap.Addr().Unmap().WithZone("")
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || carrier.Contains(a) {
		return ErrAddress
	}
	return nil
}
