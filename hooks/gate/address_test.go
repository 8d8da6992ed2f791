package gate

import (
	"net/http"
	"strings"
	"testing"
)

func request(from string, headers ...string) *http.Request {
	r := &http.Request{RemoteAddr: from, Header: http.Header{}}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// TestClient_OnlyTrustedProxiesAreBelieved, and only what they wrote themselves.
func TestClient_OnlyTrustedProxiesAreBelieved(t *testing.T) {
	for _, row := range []struct {
		name, proxies, header, from string
		headers                     []string
		want                        string
	}{
		{"nobody is believed", "none", "", "203.0.113.9:1", []string{"X-Forwarded-For: 1.2.3.4", "X-Real-IP: 1.2.3.4"}, "203.0.113.9"},
		{"nobody was named", "", "", "127.0.0.1:1", []string{"X-Forwarded-For: 1.2.3.4"}, "127.0.0.1"},
		{"a stranger is not", "10.0.0.1", "", "203.0.113.9:1", []string{"X-Forwarded-For: 1.2.3.4"}, "203.0.113.9"},
		{"the proxy is", "10.0.0.1", "", "10.0.0.1:1", []string{"X-Forwarded-For: 1.2.3.4"}, "1.2.3.4"},
		{"what stood before it is not", "10.0.0.1", "", "10.0.0.1:1", []string{"X-Forwarded-For: 6.6.6.6, 1.2.3.4"}, "1.2.3.4"},
		{"in several lines", "10.0.0.1", "", "10.0.0.1:1", []string{"X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 1.2.3.4"}, "1.2.3.4"},
		{"behind two", "10.0.0.0/24", "", "10.0.0.1:1", []string{"X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.0.0.7"}, "1.2.3.4"},
		{"the proxies alone", "10.0.0.0/24", "", "10.0.0.1:1", []string{"X-Forwarded-For: 10.0.0.8, 10.0.0.7"}, "10.0.0.8"},
		{"no header", "10.0.0.1", "", "10.0.0.1:1", nil, "10.0.0.1"},
		{"an empty one", "10.0.0.1", "", "10.0.0.1:1", []string{"X-Forwarded-For: "}, "10.0.0.1"},
		{"what is no address", "10.0.0.1", "", "10.0.0.1:1", []string{"X-Forwarded-For: 1.2.3.4, unknown"}, "10.0.0.1"},
		{"real ip where it is all there is", "10.0.0.1", "", "10.0.0.1:1", []string{"X-Real-IP: 1.2.3.4"}, "1.2.3.4"},
		{"forwarded counts beside real ip", "10.0.0.1", "", "10.0.0.1:1",
			[]string{"X-Real-IP: 6.6.6.6", "X-Forwarded-For: 1.2.3.4"}, "1.2.3.4"},
		{"real ip by name", "10.0.0.1", "x-real-ip", "10.0.0.1:1", []string{"X-Real-IP: 1.2.3.4", "X-Forwarded-For: 6.6.6.6"}, "1.2.3.4"},
		{"real ip, the last line", "10.0.0.1", "X-Real-IP", "10.0.0.1:1", []string{"X-Real-IP: 6.6.6.6", "X-Real-IP: 1.2.3.4"}, "1.2.3.4"},
		{"forwarded by name", "10.0.0.1", "X-Forwarded-For", "10.0.0.1:1", []string{"X-Real-IP: 6.6.6.6"}, "10.0.0.1"},
		{"version 6", "::1", "", "[::1]:1", []string{"X-Forwarded-For: 2001:db8::7"}, "2001:db8::7"},
		{"mapped", "127.0.0.1", "", "[::ffff:127.0.0.1]:1", []string{"X-Forwarded-For: ::ffff:1.2.3.4"}, "1.2.3.4"},
		{"with ports", "10.0.0.1", "", "10.0.0.1:1", []string{`X-Forwarded-For: "[2001:db8::7]:443"`}, "2001:db8::7"},
		{"with a zone", "fe80::1", "", "[fe80::1%eth0]:1", []string{"X-Forwarded-For: 1.2.3.4:80"}, "1.2.3.4"},
	} {
		p, err := ParseProxies(row.proxies, row.header)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		r := request(row.from, row.headers...)
		if a, ok := p.Client(r); !ok || a.String() != row.want {
			t.Errorf("%s: %v, want %s", row.name, a, row.want)
		}
		r.Header.Set("CF-Connecting-IP", "6.6.6.6")
		p.settle(r, []string{"CF-Connecting-IP"})
		if !strings.Contains(r.RemoteAddr, row.want) || len(r.Header) != 0 {
			t.Errorf("%s: settled at %s with %v", row.name, r.RemoteAddr, r.Header)
		}
	}
}

// TestProxies_WhatTheSettingMayNotSay is told in words.
func TestProxies_WhatTheSettingMayNotSay(t *testing.T) {
	for _, list := range []string{"nginx", "127.0.0.1;10.0.0.1", "127.0.0.1,", "0.0.0.0/0", "::/0", "10.0.0.0/7", "300.1.1.1", "*",
		"none,10.0.0.1", "::ffff:10.0.0.0/104"} {
		if _, err := ParseProxies(list, ""); err == nil || !strings.Contains(err.Error(), "HOSPAY_PROXY") {
			t.Errorf("%s: %v", list, err)
		}
	}
	if _, err := ParseProxies("127.0.0.1", "X-Client"); err == nil {
		t.Error("any header is taken")
	}
	for _, list := range []string{"none", " none ", "127.0.0.1", " 127.0.0.1 , 10.0.0.0/8,::1 ", "fd00::/8"} {
		if _, err := ParseProxies(list, ""); err != nil {
			t.Errorf("%s: %v", list, err)
		}
	}
}

func TestNetwork_IsWhatOneSubscriberIsGiven(t *testing.T) {
	for ip, want := range map[string]string{"1.2.3.4": "1.2.3.4", "::ffff:1.2.3.4": "1.2.3.4", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
		"2001:0db8:0001:0002:0009:0000:0000:0004": "2001:db8:1:2::/64", "odd": "odd"} {
		if got := Network(ip); got != want {
			t.Errorf("%s: %s, want %s", ip, got, want)
		}
	}
}
