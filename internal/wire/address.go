package wire

import (
	"net/netip"
	"net/url"
	"strings"
)

// metadata are addresses outside of the link-local networks at which clouds tell
// machines their secrets.
var metadata = []netip.Prefix{netip.MustParsePrefix("100.100.100.200/32"), netip.MustParsePrefix("fd00:ec2::254/128")}

// never reports whether an address is called by nothing of ours, whatever the
// configuration says: that of a machine's own link, or none at all.
func never(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, m := range metadata {
		if m.Contains(a) {
			return true
		}
	}
	return a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified()
}

// inside reports whether an address is one of the house.
func inside(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return a.IsPrivate() || a.IsLoopback() || carrier.Contains(a)
}

// Forbidden reports whether a URL names an address that is never called.
func Forbidden(u *url.URL) bool {
	a, err := netip.ParseAddr(u.Hostname())
	return err == nil && never(a)
}

// Inside reports whether a URL names an address inside the house itself.
func Inside(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && inside(a) && !never(a)
}
