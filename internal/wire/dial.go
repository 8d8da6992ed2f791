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
		if r.Inside {
			key = "inside " + key
		}
	}
	sharedMu.Lock()
	defer sharedMu.Unlock()
	if t, ok := transports[key]; ok {
		return t, nil
	}
	t := newTransport()
	if r.Only != nil {
		t.DialContext = dialOnly(HostPort(r.Only), r.Inside)
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

// dialOnly dials one host and port, which must lie inside the house where that
// is asked for, whatever its name leads to.
func dialOnly(want string, within bool) dial {
	d := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, resolved string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(resolved)
		if err != nil || never(ap.Addr()) || within && !inside(ap.Addr()) {
			return ErrAddress
		}
		return nil
	}}
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
		named := slices.Contains(open, strings.ToLower(addr))
		d.Control = func(_, resolved string, _ syscall.RawConn) error { return allowed(resolved, named) }
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

// allowed judges what a name has led to: the house's own addresses are for those
// that the configuration names as such.
func allowed(resolved string, named bool) error {
	ap, err := netip.ParseAddrPort(resolved)
	if err != nil {
		return ErrAddress
	}
	a := ap.Addr().Unmap().WithZone("")
	if never(a) || !named && (inside(a) || !a.IsGlobalUnicast()) {
		return ErrAddress
	}
	return nil
}
