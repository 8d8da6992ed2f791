// Package front is the split of edge (前置机) and core: one machine of the DMZ, which
// has no data, forwards what patients ask for and the callbacks, over one connection
// on which both ends have shown who they are, to the program inside.
package front

import (
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// headerClient says for whom the edge asks. The core believes it because nobody
// else can speak on that connection.
const headerClient = "X-Hospay-Client"

var proofName = regexp.MustCompile(`^[A-Za-z0-9_-]{4,80}\.(?:txt|html)$`)

// mostStreams is how many requests may be open at a time on the one connection,
// most of them pages that wait for news.
const mostStreams = 20_000

// Outer is what the edge serves. client tells where a request comes from.
type Outer struct {
	Core   string // host:port
	Pair   Pair
	Client func(*http.Request) (netip.Addr, bool)
	Log    *slog.Logger
}

// Handler forwards what is on the list.
func (o Outer) Handler() http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "https", Host: o.Core})
			p.Out.Host = p.In.Host
			p.Out.Header.Del(headerClient)
			for _, name := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded"} {
				p.Out.Header.Del(name)
			}
			if a, ok := o.Client(p.In); ok {
				p.Out.Header.Set(headerClient, a.String())
			}
		},
		Transport: &http.Transport{
			TLSClientConfig: o.Pair.Client(), ForceAttemptHTTP2: true, MaxConnsPerHost: 1, ResponseHeaderTimeout: time.Minute,
			TLSHandshakeTimeout: 10 * time.Second, DialContext: (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
			DisableCompression: true, // what the core answers is passed on as it is
			HTTP2:              &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
		},
		FlushInterval: -1, // news go out at once
		ErrorHandler:  o.unreachable,
		ErrorLog:      slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	return only(proxy, absent)
}

// Server is one for the world. Whoever sends slowly does not hold it.
func (o Outer) Server(address string) *http.Server {
	return &http.Server{Addr: address, Handler: o.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug)}
}

// unreachable tells patients that it is not their fault, and the operator what to
// look at.
func (o Outer) unreachable(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil { // who asked has gone
		return
	}
	o.Log.Error("edge.core_unreachable", "core", o.Core, "path", r.URL.Path, "error", err)
	w.Header().Set("Retry-After", "30")
	kind, body := Apology(r.URL.Path, http.StatusBadGateway, "core_unreachable", "医院的系统暂时连接不上", "没有办理任何事情，请稍后再试")
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusBadGateway)
	_, _ = w.Write(body)
}

// Apology is what somebody is told where the program itself is not reached: pages of
// the API a code with a sentence, people a page.
func Apology(path string, status int, code, what, then string) (kind string, body []byte) {
	if strings.HasPrefix(path, "/api/") {
		body, _ = json.Marshal(refusal{status, code, what + "，" + then})
		return "application/json", append(body, '\n')
	}
	return "text/html; charset=utf-8", []byte(`<!doctype html><html lang="zh-CN"><meta charset="utf-8">` +
		`<meta name="viewport" content="width=device-width">` +
		`<title>` + what + `</title><body style="font:18px/1.6 sans-serif;max-width:32em;margin:4em auto;padding:0 1em">` +
		`<h1 style="font-size:22px">` + what + `</h1><p>您的钱和申请都没有变化。请几分钟后刷新本页再试；急需办理请到医院窗口。</p></body></html>`)
}

type refusal struct {
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func absent(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusNotFound, "not_found", "没有这个地址")
}

func answer(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(refusal{status, code, message})
}

// Inner is what the core serves to the edge: the same list once more, so that who
// has taken the edge over has what any patient has. The client's address is the one
// that the edge tells.
func Inner(next http.Handler) http.Handler {
	return only(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told := r.Header.Get(headerClient)
		r.Header.Del(headerClient)
		for _, name := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded"} {
			r.Header.Del(name)
		}
		if a, err := netip.ParseAddr(told); err == nil {
			r.RemoteAddr = netip.AddrPortFrom(a.Unmap().WithZone(""), 0).String()
		}
		next.ServeHTTP(w, r)
	}), absent)
}

// InnerServer is one for the edge alone.
func InnerServer(next http.Handler, p Pair, log *slog.Logger) *http.Server {
	return &http.Server{Handler: Inner(next), TLSConfig: p.Server(), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 32 << 10,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: mostStreams}, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
}
