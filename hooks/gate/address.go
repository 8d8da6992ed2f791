package gate

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// The headers by which proxies say for whom they ask.
const (
	HeaderForwarded = "X-Forwarded-For" // each proxy appends who asked it
	HeaderReal      = "X-Real-IP"       // one address, set by the proxy
)

// Proxies are those who are believed about where a request comes from: nobody,
// unless the installation names them.
type Proxies struct {
	trusted []netip.Prefix
	header  string // empty: X-Forwarded-For, or X-Real-IP where that is all there is
}

// ParseProxies reads the setting HOSPAY_PROXY, which is none or the addresses
// and networks of the trusted proxies with commas between them, and the name of
// their header, which may be left out.
func ParseProxies(list, header string) (Proxies, error) {
	p := Proxies{header: http.CanonicalHeaderKey(strings.TrimSpace(header))}
	switch p.header {
	case "", HeaderForwarded, http.CanonicalHeaderKey(HeaderReal):
	default:
		return p, fmt.Errorf("HOSPAY_PROXY_HEADER 只能是 %s 或 %s", HeaderForwarded, HeaderReal)
	}
	if list = strings.TrimSpace(list); list == "" || list == "none" {
		return p, nil
	}
	for _, item := range strings.Split(list, ",") {
		prefix, err := network(strings.TrimSpace(item))
		if err != nil {
			return Proxies{}, err
		}
		p.trusted = append(p.trusted, prefix)
	}
	return p, nil
}

// network reads an address or a network. One so wide that anybody could be in
// it would make every header true.
func network(item string) (netip.Prefix, error) {
	bad := fmt.Errorf("HOSPAY_PROXY 中的 %q 不是地址或网段；应为 none，或代理的地址，例如 127.0.0.1,10.1.0.0/24", item)
	prefix, err := netip.ParsePrefix(item)
	if err != nil {
		a, err := netip.ParseAddr(item)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, bad
		}
		a = a.Unmap()
		prefix = netip.PrefixFrom(a, a.BitLen())
	}
	if prefix.Addr().Is4In6() {
		return netip.Prefix{}, bad
	}
	if prefix.Bits() < 8 {
		return netip.Prefix{}, errors.New("HOSPAY_PROXY 中的网段太大，等于相信所有人：" + item)
	}
	return prefix.Masked(), nil
}

func (p Proxies) trusts(a netip.Addr) bool {
	for _, t := range p.trusted {
		if t.Contains(a) {
			return true
		}
	}
	return false
}

// Client is the address that a request comes from. What a header says counts
// only as far as trusted proxies have written it: read from the right, the
// first address that is no proxy's is the client, whatever stands before it.
func (p Proxies) Client(r *http.Request) (netip.Addr, bool) {
	peer, ok := hop(r.RemoteAddr)
	if !ok || !p.trusts(peer) {
		return peer, ok
	}
	chain := r.Header.Values(HeaderForwarded)
	if p.header == http.CanonicalHeaderKey(HeaderReal) || p.header == "" && len(chain) == 0 {
		chain = r.Header.Values(HeaderReal)
		chain = chain[max(0, len(chain)-1):]
	}
	hops := strings.Split(strings.Join(chain, ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		a, ok := hop(hops[i])
		if !ok { // whoever wrote it is as far as can be told
			return peer, true
		}
		if peer = a; !p.trusts(a) {
			return a, true
		}
	}
	return peer, true
}

// hop reads an address as headers and connections write it: alone, or with a
// port.
func hop(s string) (netip.Addr, bool) {
	s = strings.Trim(strings.TrimSpace(s), `"`)
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		host, _, splitErr := net.SplitHostPort(s)
		if splitErr != nil {
			return netip.Addr{}, false
		}
		if a, err = netip.ParseAddr(host); err != nil {
			return netip.Addr{}, false
		}
	}
	return a.Unmap().WithZone(""), true
}

// settle makes the client's address that of the request, and takes out every
// header that could say something else, so that budgets, the audit log and the
// list of superusers' addresses all mean the same one.
func (p Proxies) settle(r *http.Request, others []string) {
	if a, ok := p.Client(r); ok {
		r.RemoteAddr = netip.AddrPortFrom(a, 0).String()
	}
	for _, name := range []string{HeaderForwarded, HeaderReal, "Forwarded"} {
		r.Header.Del(name)
	}
	for _, name := range others {
		r.Header.Del(name)
	}
}

// Network is what counts as one place: an address, or the network that one
// subscriber is given with version 6.
func Network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	if a = a.Unmap(); a.Is4() {
		return a.String()
	}
	prefix, err := a.WithZone("").Prefix(64)
	if err != nil {
		return ip
	}
	return prefix.String()
}
